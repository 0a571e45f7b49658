//! What people look at, read off enrollments that the real door moves.

use crate::world::{World, at, flow, someone};
use cadenza_core::enrollment::{BlockReason, SequenceState, State, Subject};
use cadenza_core::flow::{Outcome, Priority, StepKind};
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, TaskId, UserId};
use cadenza_core::machine::{Actor, Event, Level};
use cadenza_core::time::{Span, Time};
use cadenza_core::views::{PersonStatus, RecordStatus, Stage, StatusReason};
use cadenza_store::activities::{self, ActivityPhase};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::enrollments::{self, Filter, Order};
use cadenza_store::history::{self, Before};
use cadenza_store::overview::{self, Archived};
use cadenza_store::queue::{self, FirstSteps};
use cadenza_store::sends::{self, SendState};
use cadenza_store::sequences::{self, Member, MemberRole, Sharing, Viewer};
use cadenza_store::tasks::{self, Kind, Of, Own, OwnKind, Worker};
use cadenza_store::{StoreError, users};

const DAYS: i64 = 86_400;

fn mails(world: &World) -> SequenceId {
    world.mailbox();
    world.active("Spring", &flow(&["intro email_auto", "ring call"]))
}

/// Somebody with an address, enrolled; their first mail is recorded.
fn enrolled(world: &World, sequence: SequenceId, name: &str, now: Time) -> (ContactId, EnrollmentId) {
    let contact = world.contact(name, &format!("{}@example.test", name.to_lowercase()));
    let id = world.enroll(sequence, contact.id, now);
    (contact.id, id)
}

/// The step's own delay of two days, over.
fn first_due() -> Time {
    at(2 * DAYS)
}

pub fn enrollments_are_listed_newest_first_and_by_next_action(world: &World) {
    let sequence = mails(world);
    let (_, a) = enrolled(world, sequence, "Anna", at(0));
    let (_, b) = enrolled(world, sequence, "Bert", at(50));
    let (_, c) = enrolled(world, sequence, "Cleo", at(20));
    world.tick(at(60));
    let filter = Filter::new(Viewer::All);
    let all = |order| {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = world.read(|q| enrollments::list(q, world.w, &filter, order, after, 2, at(60)));
            seen.extend(page.rows.iter().map(|l| l.enrollment.id));
            after = page.next;
            if after.is_none() {
                return seen;
            }
        }
    };
    let mut newest = vec![a, b, c];
    newest.sort_unstable_by(|x, y| y.cmp(x));
    assert_eq!(all(Order::Newest), newest);
    assert_eq!(all(Order::NextAction).len(), 3);
    let dates: Vec<_> = world
        .read(|q| enrollments::list(q, world.w, &filter, Order::NextAction, None, 9, at(60)))
        .rows
        .iter()
        .map(|l| l.enrollment.next_action_on())
        .collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(world.read(|q| enrollments::count(q, world.w, &filter, 2, at(0))), 2, "no further");
    let typed = Filter { typed: "cle".into(), ..filter.clone() };
    assert_eq!(world.read(|q| enrollments::ids(q, world.w, &typed, None, 9, at(0))), [c]);
    let nobody = Filter { enrolled_by: Some(UserId(99)), ..filter.clone() };
    assert_eq!(world.read(|q| enrollments::count(q, world.w, &nobody, 9, at(0))), 0);
    let owned = Filter { owner: Some(world.user), ..filter.clone() };
    assert_eq!(world.read(|q| enrollments::count(q, world.w, &owned, 9, at(0))), 3);
    assert_eq!(world.read(|q| enrollments::count(q, world.other, &filter, 9, at(0))), 0);
}

pub fn an_enrollment_shows_what_stands_beside_it(world: &World) {
    let sequence = mails(world);
    let (contact, id) = enrolled(world, sequence, "Anna", at(0));
    world.tick(at(0));
    world.tick(first_due());
    world.send(id, 1, first_due());
    let listed = world.read(|q| enrollments::get(q, world.w, id, Viewer::All));
    assert_eq!((listed.sequence_name.as_str(), listed.subject_name.as_str()), ("Spring", "Anna"));
    assert_eq!(listed.enrollment.subject, Subject::Contact(contact));
    assert_eq!(listed.owner, Some(world.user));
    assert_eq!(listed.last_contacted_at, Some(first_due()));
    assert_eq!(listed.last_engaged_at, None);
    assert_eq!(listed.unresponsive_days, 3);
    assert_eq!(listed.stage(first_due()), Stage::Approaching);
    assert_eq!(listed.stage(first_due() + Span::days(3)), Stage::Unresponsive);
    assert_eq!(listed.person_status(first_due()), PersonStatus::InProgress);
    assert_eq!(listed.status(), Some(StatusReason::Running));
    assert_eq!(listed.record_status(), Some(RecordStatus::InProgress));
    let steps = world.read(|q| activities::of_enrollment(q, world.w, id));
    assert_eq!(
        steps.iter().map(|a| (a.step.as_str(), a.kind)).collect::<Vec<_>>(),
        [("intro", StepKind::EmailAuto), ("ring", StepKind::Call)]
    );
    assert!(matches!(&steps[0].phase, ActivityPhase::Closed { outcome: Outcome::Sent, at, .. } if *at == first_due()));
    assert_eq!(steps[1].phase, ActivityPhase::Waiting);
    assert_eq!(listed.enrollment.next_action_on(), Some(steps[1].due));
    let wrong = world.db.read(|q| enrollments::get(q, world.other, id, Viewer::All));
    assert!(matches!(wrong, Err(StoreError::Missing { .. })));
}

pub fn only_who_may_see_a_sequence_sees_its_enrollments(world: &World) {
    let sequence = mails(world);
    let (_, id) = enrolled(world, sequence, "Anna", at(0));
    let guest = UserId(20);
    world.write(|tx| users::create(tx, world.w, &someone(guest, "gil@acme.test"), None));
    let count = |viewer| {
        let filter = Filter::new(viewer);
        let n = world.read(|q| enrollments::count(q, world.w, &filter, 9, at(0)));
        let seen = world.read(|q| sequences::is_seen_by(q, world.w, sequence, viewer));
        assert_eq!(seen, n == 1);
        assert_eq!(world.db.read(|q| enrollments::get(q, world.w, id, viewer)).is_ok(), seen);
        n
    };
    assert_eq!(count(Viewer::User(guest)), 1, "shared with everyone");
    let share = |sharing| {
        let mut s = world.read(|q| sequences::get(q, world.w, sequence));
        s.sharing = sharing;
        world.write(|tx| sequences::update(tx, world.w, &s, at(1)));
    };
    share(Sharing::Private);
    assert_eq!((count(Viewer::User(guest)), count(Viewer::User(world.user)), count(Viewer::All)), (0, 1, 1));
    share(Sharing::Chosen);
    let team =
        cadenza_store::teams::Team { id: cadenza_core::ids::TeamId(5), name: "North".into(), members: [guest].into() };
    let members = [Member::Team(team.id)];
    world.write(|tx| {
        cadenza_store::teams::save(tx, world.w, &team)?;
        sequences::set_members(tx, world.w, sequence, MemberRole::Sees, &members)
    });
    assert_eq!(count(Viewer::User(guest)), 1, "through the team");
}

pub fn the_latest_live_enrollment_speaks_for_a_contact(world: &World) {
    let first = mails(world);
    let second = world.active("Summer", &flow(&["intro email_auto"]));
    let (anna, a) = enrolled(world, first, "Anna", at(0));
    let b = world.enroll(second, anna, at(1));
    let bert = world.contact("Bert", "");
    let latest = || {
        let subjects = [Subject::Contact(anna), Subject::Contact(bert.id)];
        world
            .read(|q| enrollments::latest_of(q, world.w, &subjects))
            .iter()
            .map(|l| l.enrollment.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(latest(), [b]);
    world.put(b, Event::Stop { reason: Default::default() }, at(2)).unwrap();
    assert_eq!(latest(), [a], "the live one");
    world.put(a, Event::Stop { reason: Default::default() }, at(3)).unwrap();
    assert_eq!(latest(), [b], "the latest");
    let ended = Filter {
        subject: Some(Subject::Contact(anna)),
        enrolled: Enrolled { when: When::Ever, states: vec![State::Finished], ..Enrolled::default() },
        ..Filter::new(Viewer::All)
    };
    assert_eq!(world.read(|q| enrollments::count(q, world.w, &ended, 9, at(0))), 2);
}

pub fn the_queue_shows_who_waits_and_for_what(world: &World) {
    let sequence = mails(world);
    let (_, a) = enrolled(world, sequence, "Anna", at(0));
    let (_, b) = enrolled(world, sequence, "Bert", at(0));
    world.tick(at(0));
    let mut filter = queue::Filter::new(Viewer::All);
    let list = |filter: &queue::Filter| world.read(|q| queue::list(q, world.w, filter, None, 9)).rows;
    let counts = |filter: &queue::Filter| world.read(|q| queue::counts(q, world.w, filter, 100));
    assert!(list(&filter).is_empty(), "nobody has executed a step");
    assert_eq!(counts(&filter), (0, 2));
    world.tick(first_due());
    world.send(a, 1, first_due());
    let queued = list(&filter);
    assert_eq!(queued.len(), 1);
    let (step, kind, outcome) = queued[0].last.clone().unwrap();
    assert_eq!((step.as_str(), kind, outcome), ("intro", StepKind::EmailAuto, Some(Outcome::Sent)));
    assert_eq!(queued[0].next_kind, Some(StepKind::Call));
    assert_eq!(Some(queued[0].scheduled_for), queued[0].listed.enrollment.next_action_on());
    assert_eq!(counts(&filter), (1, 1));
    filter.first_steps = FirstSteps::Shown;
    let both: Vec<_> = list(&filter).iter().map(|r| r.listed.enrollment.id).collect();
    assert_eq!(both, [b, a], "the mail is due before the call");
    let first = world.read(|q| queue::list(q, world.w, &filter, None, 1));
    let rest = world.read(|q| queue::list(q, world.w, &filter, first.next, 1));
    assert_eq!((first.rows[0].listed.enrollment.id, rest.rows[0].listed.enrollment.id, rest.next), (b, a, None));
    let early = queue::Filter { before: Some(first_due() + Span::seconds(1)), ..filter.clone() };
    assert_eq!(list(&early).len(), 1);
    let typed = queue::Filter { typed: "ann".into(), ..filter.clone() };
    assert_eq!(list(&typed).len(), 1);
    world.tick(at(4 * DAYS));
    assert_eq!(counts(&filter), (0, 1), "the call has become a task");
}

fn tasks_of(world: &World, filter: &tasks::Filter) -> Vec<tasks::Task> {
    let whole = world.read(|q| tasks::list(q, world.w, filter, None, 99)).rows;
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = world.read(|q| tasks::list(q, world.w, filter, after, 1));
        paged.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    let counted: i64 = world.read(|q| tasks::counts(q, world.w, filter)).iter().map(|(_, n)| n).sum();
    assert_eq!(counted, whole.len() as i64);
    whole
}

fn own(world: &World, name: &str, due: Option<Time>) -> Own {
    Own {
        id: TaskId(world.id()),
        kind: OwnKind::Task,
        owner: world.user,
        name: name.into(),
        instructions: "Bring flowers.".into(),
        priority: Priority::Low,
        due,
        until: None,
        contact: None,
        company: None,
        opportunity: None,
        enrollment: None,
        created_by: Some(world.user),
        created_at: at(0),
        done: None,
    }
}

pub fn tasks_come_from_activities_trouble_and_users(world: &World) {
    let sequence = mails(world);
    let (anna, a) = enrolled(world, sequence, "Anna", at(0));
    let bert = world.contact("Bert", "");
    let b = world.enroll(sequence, bert.id, at(0));
    world.tick(at(0));
    world.tick(first_due());
    world.send(a, 1, first_due());
    world.tick(at(4 * DAYS));
    let (someday, now) = (own(world, "Someday", None), own(world, "Now", Some(at(5))));
    world.write(|tx| {
        tasks::add(tx, world.w, &someday)?;
        tasks::add(tx, world.w, &now)
    });
    let filter = tasks::Filter::new(Worker::All);
    let found = tasks_of(world, &filter);
    let what: Vec<_> = found.iter().map(|t| (t.kind.as_str(), t.subject_name.as_str())).collect();
    assert_eq!(what, [("own_task", ""), ("email_auto", "Bert"), ("call", "Anna"), ("own_task", "")]);
    let Of::Activity { enrollment, visit, step, sequence_state, state, block, .. } = &found[1].of else { panic!() };
    assert_eq!((*enrollment, *visit, step.as_str()), (b, 1, "intro"));
    assert_eq!((*sequence_state, *state), (SequenceState::Active, State::Blocked));
    assert_eq!(block.as_ref().map(|b| b.0), Some(BlockReason::MissingAddress));
    assert!(matches!(&found[0].of, Of::Own { name, .. } if name == "Now"));
    assert_eq!(found[3].due, Time::MAX);
    let counts = world.read(|q| tasks::counts(q, world.w, &filter));
    assert_eq!(
        counts,
        [(Kind::Step(StepKind::EmailAuto), 1), (Kind::Step(StepKind::Call), 1), (Kind::Own(OwnKind::Task), 2)]
    );
    let only = |f: tasks::Filter| tasks_of(world, &f).len();
    let base = || filter.clone();
    assert_eq!(only(tasks::Filter { sequences: vec![sequence], ..base() }), 2);
    assert_eq!(only(tasks::Filter { kinds: vec![Kind::Step(StepKind::Call)], ..base() }), 1);
    assert_eq!(only(tasks::Filter { kinds: vec![Kind::Own(OwnKind::Task)], ..base() }), 2);
    assert_eq!(only(tasks::Filter { priorities: vec![Priority::Low], ..base() }), 2);
    assert_eq!(only(tasks::Filter { due_before: Some(at(6)), ..base() }), 1);
    assert_eq!(only(tasks::Filter { subject: Some(Subject::Contact(anna)), ..base() }), 1);
    assert_eq!(only(tasks::Filter { owners: vec![UserId(99)], ..base() }), 0);
    for kind in Kind::all() {
        assert_eq!(Kind::named(kind.as_str()), Some(kind));
    }
    world.put(a, Event::MarkTask { visit: 2, outcome: Outcome::NoAnswer }, at(4 * DAYS)).unwrap();
    assert_eq!(only(tasks::Filter { kinds: vec![Kind::Step(StepKind::Call)], ..base() }), 0);
}

pub fn tasks_are_seen_by_owner_and_team(world: &World) {
    let sequence = world.active("Calls", &flow(&["ring call"]));
    enrolled(world, sequence, "Anna", at(0));
    world.tick(at(0));
    world.tick(first_due());
    let guest = UserId(20);
    world.write(|tx| users::create(tx, world.w, &someone(guest, "gil@acme.test"), None));
    let seen = |user| tasks_of(world, &tasks::Filter::new(Worker::User(user))).len();
    assert_eq!((seen(world.user), seen(guest)), (1, 0));
    world.write(|tx| sequences::set_members(tx, world.w, sequence, MemberRole::Sees, &[Member::User(guest)]));
    assert_eq!(seen(guest), 0, "seeing a sequence is not working on it");
    world.write(|tx| sequences::set_members(tx, world.w, sequence, MemberRole::Works, &[Member::User(guest)]));
    assert_eq!(seen(guest), 1);
}

pub fn own_tasks_are_done_once(world: &World) {
    let anna = world.contact("Anna", "");
    let mut task = Own { contact: Some(anna.id), ..own(world, "Lunch", Some(at(7))) };
    let meeting = Own { id: TaskId(world.id()), kind: OwnKind::Meeting, due: None, ..task.clone() };
    assert!(matches!(world.refused(|tx| tasks::add(tx, world.w, &meeting)), StoreError::Violation { .. }));
    world.write(|tx| tasks::add(tx, world.w, &task));
    assert_eq!(world.read(|q| tasks::get(q, world.w, task.id)), task);
    task.name = "Dinner".into();
    task.priority = Priority::High;
    world.write(|tx| {
        tasks::update(tx, world.w, &task)?;
        tasks::finish(tx, world.w, task.id, Some("positive"), at(8))?;
        tasks::finish(tx, world.w, task.id, Some("negative"), at(9))
    });
    task.done = Some((at(8), Some("positive".into())));
    assert_eq!(world.read(|q| tasks::of_record(q, world.w, Subject::Contact(anna.id))), [task.clone()]);
    assert!(tasks_of(world, &tasks::Filter::new(Worker::All)).is_empty());
    assert!(matches!(
        world.refused(|tx| tasks::finish(tx, world.other, task.id, None, at(1))),
        StoreError::Missing { .. }
    ));
}

pub fn the_overview_adds_up(world: &World) {
    let sequence = mails(world);
    let (_, a) = enrolled(world, sequence, "Anna", at(0));
    let (_, b) = enrolled(world, sequence, "Bert", at(0));
    enrolled(world, sequence, "Cleo", at(0));
    world.tick(at(0));
    world.tick(first_due());
    world.send(a, 1, first_due());
    world.send(b, 1, first_due());
    world.tick(at(4 * DAYS));
    world.put(a, Event::MarkTask { visit: 2, outcome: Outcome::NoAnswer }, at(4 * DAYS)).unwrap();
    let list = |archived| world.read(|q| overview::list(q, world.w, Viewer::All, archived));
    let row = &list(Archived::Hidden)[0];
    assert_eq!((row.in_progress, row.not_started, row.completed), (1, 1, 1));
    assert_eq!((row.open_tasks, row.done_tasks), (1, 1));
    assert!(row.has_email_step);
    assert_eq!(row.figures.of("enrolled"), 3);
    assert_eq!(row.figures.of("nothing of that name"), 0);
    let figures = world.read(|q| overview::figures(q, world.w, sequence));
    assert_eq!((figures["intro"].of("sent"), figures["ring"].of("done")), (2, 1));
    let mut stored = world.read(|q| sequences::get(q, world.w, sequence));
    stored.state = SequenceState::Archived;
    stored.ended = Some((at(9 * DAYS), sequences::EndedBy::Hand));
    world.write(|tx| sequences::update(tx, world.w, &stored, at(9 * DAYS)));
    assert!(list(Archived::Hidden).is_empty());
    assert_eq!(list(Archived::Shown).len(), 1);
    assert!(world.read(|q| overview::list(q, world.w, Viewer::User(UserId(99)), Archived::Shown)).len() == 1);
    assert!(world.read(|q| overview::list(q, world.other, Viewer::All, Archived::Shown)).is_empty());
}

pub fn the_event_log_is_paged_and_filtered(world: &World) {
    let sequence = mails(world);
    let (anna, a) = enrolled(world, sequence, "Anna", at(0));
    let bert = world.contact("Bert", "");
    let b = world.enroll(sequence, bert.id, at(0));
    world.tick(at(0));
    world.tick(first_due());
    world.send(a, 1, first_due());
    let filter = history::Filter::new(Viewer::All);
    let log =
        |filter: &history::Filter, before, limit| world.read(|q| history::event_log(q, world.w, filter, before, limit));
    let all = log(&filter, None, 99);
    assert!(all.len() > 5, "{}", all.len());
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = log(&filter, before, 2);
        let Some(last) = page.last() else { break };
        before = Some(Before { at: last.line.at, enrollment: last.line.enrollment, version: last.line.version });
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let trouble = log(&history::Filter { level: Level::Warning, ..filter.clone() }, None, 9);
    assert!(!trouble.is_empty() && trouble.iter().all(|l| l.line.enrollment == b && l.subject_name == "Bert"));
    assert!(log(&history::Filter { level: Level::Error, ..filter.clone() }, None, 9).is_empty());
    let sent = log(&history::Filter { events: vec!["sent".into()], ..filter.clone() }, None, 9);
    assert_eq!((sent.len(), sent[0].line.enrollment), (1, a));
    assert_eq!(sent[0].line.actor, Actor::User(world.user));
    let of_anna = log(&history::Filter { subject: Some(Subject::Contact(anna)), ..filter.clone() }, None, 99);
    let own = world.read(|q| history::of_enrollment(q, world.w, a));
    let mut lines: Vec<_> = of_anna.into_iter().map(|l| l.line).collect();
    lines.reverse();
    assert_eq!(lines, own);
    assert_eq!(own[0].event, "enrolled");
    let none = history::Filter { mailbox: Some(MailboxId(1)), ..filter.clone() };
    assert!(log(&none, None, 9).is_empty());
    let elsewhere = history::Filter { sequence: Some(SequenceId(1)), ..filter };
    assert!(log(&elsewhere, None, 9).is_empty());
}

pub fn what_was_sent_is_found(world: &World) {
    let sequence = mails(world);
    let (_, a) = enrolled(world, sequence, "Anna", at(0));
    world.tick(at(0));
    world.tick(first_due());
    let sent = world.read(|q| sends::of_enrollment(q, world.w, a));
    assert_eq!((sent.len(), sent[0].state, sent[0].to.as_str()), (1, SendState::Claimed, "anna@example.test"));
    world.put(a, Event::DotMark { visit: 1, attempt: 1 }, first_due()).unwrap();
    world.put(a, Event::Unknown { visit: 1, attempt: 1, detail: "gone".into() }, first_due()).unwrap();
    let unknown = world.read(|q| sends::unknown(q, world.w, 9));
    assert_eq!((unknown.len(), unknown[0].state, unknown[0].answer.as_deref()), (1, SendState::Unknown, Some("gone")));
    let found = world.read(|q| sends::with_message_id(q, world.w, &sent[0].message_id));
    assert_eq!(found, unknown);
    assert_eq!(world.read(|q| sends::with_message_id(q, world.other, &sent[0].message_id)), []);
    let mailbox = sent[0].mailbox.unwrap();
    assert_eq!(world.read(|q| sends::of_mailbox(q, world.w, mailbox, at(0), 9)), unknown);
    assert_eq!(world.read(|q| sends::of_mailbox(q, world.w, mailbox, first_due() + Span::seconds(1), 9)), []);
}
