//! Absences (TIM-7): begin and end come by the clock, also over a stop of the server; what was held goes on, and nothing else.

use super::house::House;
use super::on_both;
use cadenza::actions::absences::{self, AbsenceChange, NewAbsence, Said, SaidRules};
use cadenza::actions::enrollments::{self, Operation};
use cadenza::actions::fields::Patch;
use cadenza::actions::{ActionError, users};
use cadenza_core::enrollment::{Hold, Holds, Life};
use cadenza_core::flow::{Outcome, StepKind};
use cadenza_core::ids::{AbsenceId, EnrollmentId, UserId};
use cadenza_core::machine::Event;
use cadenza_core::time::Span;

on_both! {
    what_an_absence_held_goes_on_at_its_end_and_nothing_else
    an_end_that_came_while_the_server_stood_still_is_posted_at_its_start
    work_is_handed_over_and_comes_back
    a_kind_of_work_is_skipped_meanwhile
    somebody_comes_back_early
    nobody_is_away_twice_at_one_time
}

/// A mail at once, a call after a day, a mail after another.
const STEPS: &str = "[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\nsubject = \"Hello\"\n\
     text = \"A letter.\"\n[[branch.step]]\nkey = \"ring\"\nkind = \"call\"\ndelay = \"1 day\"\n[[branch.step]]\nkey = \"again\"\n\
     kind = \"email_auto\"\ndelay = \"1 day\"\nsame_thread = true\ntext = \"Again.\"\n";

fn file(name: &str) -> String {
    format!("name = \"{name}\"\n{STEPS}")
}

/// Away for some days from tomorrow on.
async fn away(house: &House, days: Option<i64>, rules: SaidRules) -> AbsenceId {
    let from = house.clock.now() + Span::hours(12);
    let until = days.map(|n| from + Span::days(n));
    let new = NewAbsence { user: None, from, until, rules };
    absences::create(&house.app, &house.caller(), new).await.unwrap().id
}

fn only(kind: StepKind, said: Said) -> SaidRules {
    let mut rules = SaidRules::default();
    StepKind::ALL.into_iter().for_each(|kind| rules.set(kind, Said::GoOn));
    rules.set(kind, said);
    rules
}

async fn holds(house: &House, id: EnrollmentId) -> Holds {
    house.enrollment(id).await.holds
}

async fn owner(house: &House, id: EnrollmentId) -> UserId {
    let sql = "SELECT owner_id FROM activity WHERE enrollment_id = $1 AND phase < 3";
    UserId(house.int(sql, &[id.into()]).await)
}

async fn colleague(house: &House) -> UserId {
    let new = users::NewUser { address: "bob@agency.example".into(), name: "Bob".into(), role: "Member".into() };
    users::add(&house.app, &house.caller(), new).await.unwrap()
}

async fn what_an_absence_held_goes_on_at_its_end_and_nothing_else(mut house: House) {
    house.start().await;
    let calls = house.sequence(&file("Calls")).await;
    let far = file("Far").replace("1 day", "10 days");
    let far = house.sequence(&far).await;
    let ids = house.enroll(calls, house.contacts(1..=2).await).await;
    let later = house.enroll(far, house.contacts(3..=3).await).await[0];
    house.rest().await;
    enrollments::operate(&house.app, &house.caller(), &ids[1..2], Operation::Pause).await.unwrap();
    let absence = away(&house, Some(5), SaidRules::default()).await;
    house.rest().await;
    assert_eq!(holds(&house, ids[0]).await, Holds::NONE, "not yet");

    house.ahead(Span::hours(12)).await;
    assert_eq!(holds(&house, ids[0]).await, Holds::of(Hold::Absence));
    assert_eq!(holds(&house, ids[1]).await, Holds::of(Hold::Absence).with(Hold::Manual));
    assert_eq!(holds(&house, later).await, Holds::NONE, "due after the return");
    // Who comes meanwhile waits before the gate.
    let new = house.enroll(calls, house.contacts(4..=4).await).await[0];
    house.ahead(Span::days(2)).await;
    assert_eq!(house.sandbox().await.len(), 3);
    for (id, gate) in [(ids[0], "holds"), (new, "absence")] {
        let (app, w, now) = (house.app.clone(), house.workspace, house.clock.now());
        let why = house.app.db.read_async(move |q| app.door.why(q, w, id, now)).await.unwrap();
        let shut = why.explanation.lines.iter().find(|line| !line.open).unwrap();
        assert_eq!(shut.gate.as_str(), gate, "{shut:?}");
    }
    assert_eq!(house.enrollment(new).await.holds, Holds::NONE);

    house.ahead(Span::days(3)).await;
    assert_eq!(holds(&house, ids[0]).await, Holds::NONE);
    assert_eq!(holds(&house, ids[1]).await, Holds::of(Hold::Manual), "what a person paused stays paused");
    assert_eq!(house.int("SELECT COUNT(*) FROM activity WHERE kind = 'call' AND phase = 1", &[]).await, 1, "the task");
    assert_eq!(house.sandbox().await.len(), 4, "and the first mail of who came meanwhile");
    let told = "SELECT COUNT(*) FROM history WHERE event = 'absence_ended'";
    assert_eq!(house.int(told, &[]).await, 2, "only those whom it held were told");
    let refused = absences::end(&house.app, &house.caller(), absence).await.unwrap_err();
    assert!(matches!(refused, ActionError::Refused { code: "is_over", .. }), "{refused}");
    house.audit(calls).await;
    house.audit(far).await;
}

async fn an_end_that_came_while_the_server_stood_still_is_posted_at_its_start(mut house: House) {
    house.start().await;
    let sequence = house.sequence(&file("Calls")).await;
    let ids = house.enroll(sequence, house.contacts(1..=3).await).await;
    house.rest().await;
    away(&house, Some(2), SaidRules::default()).await;
    house.ahead(Span::hours(12)).await;
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE state = 'paused'", &[]).await, 3);
    // Held, and stopped before that was noted: it is begun again and changes nothing twice.
    house.stop().await;
    house.sql("UPDATE absence SET begun = 0, turn_at = from_at", &[]).await;
    house.reopen().await;
    house.start().await;
    house.rest().await;
    let told = "SELECT COUNT(*) FROM history WHERE event = 'absence_began'";
    assert_eq!(house.int(told, &[]).await, 3);
    house.stop().await;
    house.sql("UPDATE absence SET begun = 0, turn_at = from_at", &[]).await;
    house.clock.skip_ahead(Span::days(3));
    house.reopen().await;
    house.start().await;
    house.rest().await;
    assert_eq!(house.int("SELECT COUNT(*) FROM absence WHERE turn_at IS NULL AND begun = 1", &[]).await, 1);
    for id in ids {
        assert_eq!(holds(&house, id).await, Holds::NONE);
        assert_eq!(house.enrollment(id).await.life, Life::Running);
    }
    house.audit(sequence).await;
}

async fn work_is_handed_over_and_comes_back(mut house: House) {
    house.start().await;
    let bob = colleague(&house).await;
    let sequence = house.sequence(&file("Calls")).await;
    let ids = house.enroll(sequence, house.contacts(1..=2).await).await;
    house.rest().await;
    away(&house, Some(4), only(StepKind::Call, Said::Delegate("bob@agency.example".into()))).await;
    house.ahead(Span::hours(12)).await;
    assert_eq!((owner(&house, ids[0]).await, owner(&house, ids[1]).await), (bob, bob));
    house.ahead(Span::days(1)).await;
    house.put(ids[0], Event::MarkTask { visit: 2, outcome: Outcome::NoAnswer }).await.unwrap();
    // Who comes meanwhile is Bob's too.
    let new = house.enroll(sequence, house.contacts(3..=3).await).await[0];
    house.rest().await;
    house.ahead(Span::days(1)).await;
    assert_eq!(owner(&house, new).await, bob);
    assert_eq!(house.sandbox().await.len(), 4, "automatic mails go on");
    house.ahead(Span::days(2)).await;
    assert_eq!((owner(&house, ids[1]).await, owner(&house, new).await), (house.user, house.user), "hers again");
    house.audit(sequence).await;
}

async fn a_kind_of_work_is_skipped_meanwhile(mut house: House) {
    house.start().await;
    let sequence = house.sequence(&file("Calls")).await;
    let early = house.enroll(sequence, house.contacts(1..=1).await).await[0];
    house.rest().await;
    house.ahead(Span::days(1)).await;
    let late = house.enroll(sequence, house.contacts(2..=2).await).await[0];
    house.rest().await;
    away(&house, Some(3), only(StepKind::Call, Said::Skip)).await;
    house.ahead(Span::hours(12)).await;
    let skipped = |house: &House| {
        let app = house.app.clone();
        async move {
            let sql = "SELECT COUNT(*) FROM activity WHERE kind = 'call' AND outcome = 'skipped'";
            app.db.read_async(move |q| q.query_one(sql, &[])?.int(0)).await.unwrap()
        }
    };
    assert_eq!(skipped(&house).await, 1, "the open task");
    house.ahead(Span::days(1)).await;
    assert_eq!(skipped(&house).await, 2, "and the one that came due");
    house.ahead(Span::days(2)).await;
    for id in [early, late] {
        assert_eq!(house.enrollment(id).await.emails, 2, "the flow went on");
    }
    house.audit(sequence).await;
}

async fn somebody_comes_back_early(mut house: House) {
    house.start().await;
    let sequence = house.sequence(&file("Calls")).await;
    let id = house.enroll(sequence, house.contacts(1..=1).await).await[0];
    house.rest().await;
    let absence = away(&house, None, SaidRules::default()).await;
    house.ahead(Span::days(2)).await;
    let new = house.enroll(sequence, house.contacts(2..=2).await).await[0];
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 1);
    let rules = AbsenceChange { rules: Some(SaidRules::default()), ..AbsenceChange::default() };
    let refused = absences::update(&house.app, &house.caller(), absence, rules).await.unwrap_err();
    assert!(matches!(refused, ActionError::Refused { code: "has_begun", .. }), "{refused}");
    let sooner = AbsenceChange { until: Patch::Set(house.clock.now() + Span::days(2)), ..AbsenceChange::default() };
    absences::update(&house.app, &house.caller(), absence, sooner).await.unwrap();
    house.ahead(Span::days(1)).await;
    assert_eq!(holds(&house, id).await, Holds::of(Hold::Absence));
    absences::end(&house.app, &house.caller(), absence).await.unwrap();
    house.rest().await;
    assert_eq!(holds(&house, id).await, Holds::NONE);
    assert_eq!(house.enrollment(new).await.emails, 1, "no clock would have opened its gate");
    let again = away(&house, Some(1), SaidRules::default()).await;
    absences::end(&house.app, &house.caller(), again).await.unwrap();
    house.ahead(Span::days(1)).await;
    assert_eq!(house.int("SELECT COUNT(*) FROM absence", &[]).await, 1, "one that had not begun is gone");
    house.audit(sequence).await;
}

async fn nobody_is_away_twice_at_one_time(house: House) {
    away(&house, Some(2), SaidRules::default()).await;
    let from = house.clock.now() + Span::days(1);
    let said = |from, until, rules| NewAbsence { user: None, from, until, rules };
    let ask = async |new: NewAbsence| absences::create(&house.app, &house.caller(), new).await;
    let refused = ask(said(from, None, SaidRules::default())).await.unwrap_err();
    assert!(matches!(refused, ActionError::Refused { code: "away_then", .. }), "{refused}");
    ask(said(house.clock.now() + Span::hours(60), None, SaidRules::default())).await.unwrap();
    let field = async |new: NewAbsence| match ask(new).await {
        Err(ActionError::Invalid(faults)) => faults[0].field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(said(from, Some(from), SaidRules::default())).await, "until");
    let to = |text: &str| Said::Delegate(text.into());
    assert_eq!(field(said(from, None, only(StepKind::Call, to("nobody@x.example")))).await, "rules.call");
    assert_eq!(field(said(from, None, only(StepKind::Task, to("ada@agency.example")))).await, "rules.task");
    colleague(&house).await;
    assert_eq!(field(said(from, None, only(StepKind::EmailAuto, to("bob@agency.example")))).await, "rules.email_auto");
}
