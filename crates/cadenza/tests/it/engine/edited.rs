//! Structural edits while people are in the sequence (SEQ-9): what the plan says is what happens, a crash in the middle
//! stops nothing for good, the way back is open, and nobody gets a step twice.

use super::house::{House, Mail};
use super::on_both;
use cadenza::actions::sequences::{self, Arm};
use cadenza_core::flow::edit::Movers;
use cadenza_core::flow::file::{self, SequenceFile};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::time::Span;
use cadenza_store::jobs;
use std::collections::BTreeMap;

on_both! {
    what_the_plan_says_happens
    nobody_gets_a_step_twice_by_a_new_order
    only_the_unreached_move
    an_edit_is_taken_back
    a_crash_in_the_middle_is_made_good
    an_edit_needs_a_pause_and_a_choice
}

/// Mails a day apart, under their keys.
fn mails(keys: &str) -> SequenceFile {
    let mut text = String::from("name = \"Edited\"\n[[branch]]\nkey = \"main\"\n");
    for key in keys.split(' ') {
        text += &format!(
            "[[branch.step]]\nkey = \"{key}\"\nkind = \"email_auto\"\ndelay = \"1 day\"\nsubject = \"{key}\"\n\
             text = \"A letter.\"\n"
        );
    }
    file::parse(&text).unwrap_or_else(|e| panic!("{e:?}"))
}

/// A running sequence of these mails.
async fn running(house: &mut House, keys: &str) -> SequenceId {
    house.start().await;
    apply(house, keys, None).await;
    let id = sequences::find(&house.app, &house.caller(), "Edited").await.unwrap().id;
    sequences::activate(&house.app, &house.caller(), id, Arm::Now).await.unwrap();
    id
}

async fn apply(house: &House, keys: &str, movers: Option<Movers>) -> i64 {
    apply_file(house, &mails(keys), movers).await
}

async fn apply_file(house: &House, file: &SequenceFile, movers: Option<Movers>) -> i64 {
    let (app, caller) = (&house.app, house.caller());
    let planned = sequences::plan_file(app, &caller, file).await.unwrap();
    let done = sequences::apply_file(app, &caller, file, &planned.digest, movers).await.unwrap();
    assert_eq!(done.failures, Vec::<String>::new());
    done.followed
}

/// The lines of the plan, for these movers.
async fn plan(house: &House, keys: &str, movers: Movers) -> Vec<String> {
    let planned = sequences::plan_file(&house.app, &house.caller(), &mails(keys)).await.unwrap();
    let choice = planned.choices.into_iter().find(|c| c.movers == movers);
    choice.map(|c| c.lines).unwrap_or_default()
}

/// Enrolls one more and waits a day, so that each who came before is a step further.
async fn one_more(house: &House, id: SequenceId, number: u32) -> EnrollmentId {
    let enrolled = house.enroll(id, house.contacts(number..=number).await).await[0];
    house.rest().await;
    house.ahead(Span::days(1)).await;
    enrolled
}

async fn pause(house: &House, id: SequenceId) {
    sequences::pause(&house.app, &house.caller(), id).await.unwrap();
}

async fn to_the_end(house: &House, id: SequenceId) -> BTreeMap<String, String> {
    sequences::resume(&house.app, &house.caller(), id).await.unwrap();
    for _ in 0..6 {
        house.ahead(Span::days(1)).await;
    }
    house.audit(id).await;
    let mut got: BTreeMap<String, String> = BTreeMap::new();
    for raw in house.sandbox().await {
        let mail = Mail::read(&raw);
        let who = mail.header("to").split('@').next().unwrap_or_default().to_owned();
        let all = got.entry(who).or_default();
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(mail.header("subject"));
    }
    got
}

fn got(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(who, mails)| ((*who).to_owned(), (*mails).to_owned())).collect()
}

async fn what_the_plan_says_happens(mut house: House) {
    let id = running(&mut house, "a b c d").await;
    // p1 stands on d, p2 on c, p3 on b.
    for number in 1..=3 {
        one_more(&house, id, number).await;
    }
    pause(&house, id).await;
    assert_eq!(
        plan(&house, "a b d e", Movers::Everyone).await,
        [
            "2 contacts move to the new version and keep the place",
            "1 contact stands on the deleted step c: it goes on at step d",
        ]
    );
    assert_eq!(apply(&house, "a b d e", Some(Movers::Everyone)).await, 3);
    let sent = to_the_end(&house, id).await;
    assert_eq!(sent, got(&[("p1", "a b c d e"), ("p2", "a b d e"), ("p3", "a b d e")]));
}

async fn nobody_gets_a_step_twice_by_a_new_order(mut house: House) {
    let id = running(&mut house, "a b c").await;
    for number in 1..=2 {
        one_more(&house, id, number).await;
    }
    pause(&house, id).await;
    assert_eq!(
        plan(&house, "a c b", Movers::Everyone).await,
        [
            "1 contact moves to the new version and keeps the place",
            "1 contact has had step b, which would now come again: it stays on version 1",
        ]
    );
    assert_eq!(apply(&house, "a c b", Some(Movers::Everyone)).await, 1);
    let sent = to_the_end(&house, id).await;
    assert_eq!(sent, got(&[("p1", "a b c"), ("p2", "a b")]), "p2 stood on b, which is the last now");
}

async fn only_the_unreached_move(mut house: House) {
    let id = running(&mut house, "a b c").await;
    for number in 1..=2 {
        one_more(&house, id, number).await;
    }
    pause(&house, id).await;
    house.enroll(id, house.contacts(3..=3).await).await;
    assert_eq!(
        plan(&house, "a b x c", Movers::Unreached).await,
        ["2 contacts move to the new version and keep the place", "1 contact stays on version 1"]
    );
    assert_eq!(apply(&house, "a b x c", Some(Movers::Unreached)).await, 2);
    let sent = to_the_end(&house, id).await;
    assert_eq!(sent, got(&[("p1", "a b c"), ("p2", "a b x c"), ("p3", "a b x c")]));
}

async fn an_edit_is_taken_back(mut house: House) {
    let id = running(&mut house, "a b c").await;
    one_more(&house, id, 1).await;
    pause(&house, id).await;
    let first = house.enroll(id, house.contacts(2..=2).await).await[0];
    assert_eq!(apply(&house, "x a b", Some(Movers::Everyone)).await, 2);
    assert_eq!(house.enrollment(first).await.flow_version, 2);
    let before = sequences::file_at(&house.app, &house.caller(), id, 1).await.unwrap();
    assert_eq!(apply_file(&house, &before, Some(Movers::Everyone)).await, 2);
    assert_eq!(house.enrollment(first).await.flow_version, 3, "as it was, under a number of its own");
    let sent = to_the_end(&house, id).await;
    assert_eq!(sent, got(&[("p1", "a b c"), ("p2", "a b c")]));
}

async fn a_crash_in_the_middle_is_made_good(mut house: House) {
    let id = running(&mut house, "a b c").await;
    house.enroll(id, house.contacts(1..=600).await).await;
    house.rest().await;
    house.ahead(Span::days(1)).await;
    pause(&house, id).await;
    house.stop().await;
    house.reopen().await;
    // The edit commits with its job, and the process ends after the first piece.
    let (app, caller) = (house.app.clone(), house.caller());
    let file = mails("a c");
    let planned = sequences::plan_file(&app, &caller, &file).await.unwrap();
    let task = tokio::spawn(async move {
        sequences::apply_file(&app, &caller, &file, &planned.digest, Some(Movers::Everyone)).await.unwrap()
    });
    house
        .until("a piece is done", |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM job WHERE position > 0", &[]).await == 1 })
        })
        .await;
    task.abort();
    house.reopen().await;
    house.start().await;
    let w = house.workspace;
    house.clock.skip_ahead(Span::minutes(2));
    house
        .until("the job is finished", |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM job WHERE state = 'finished'", &[]).await == 1 })
        })
        .await;
    let all = house.app.db.read_async(move |q| jobs::list(q, w, None, 10)).await.unwrap();
    assert_eq!((all.len(), all[0].done, all[0].failed, all[0].total), (1, 600, 0, Some(600)));
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE flow_version = 2 AND step = 'c'", &[]).await, 600);
    house.audit(id).await;
}

async fn an_edit_needs_a_pause_and_a_choice(mut house: House) {
    let id = running(&mut house, "a b").await;
    one_more(&house, id, 1).await;
    let (app, caller) = (house.app.clone(), house.caller());
    let refused = sequences::plan_file(&app, &caller, &mails("a c b")).await.unwrap_err();
    assert!(refused.to_string().contains("pause it"), "{refused}");
    pause(&house, id).await;
    let file = mails("a c b");
    let planned = sequences::plan_file(&app, &caller, &file).await.unwrap();
    let refused = sequences::apply_file(&app, &caller, &file, &planned.digest, None).await.unwrap_err();
    assert!(refused.to_string().contains("say who moves"), "{refused}");
    let mut call = mails("a b");
    call.branches[0].steps[1].kind = cadenza_core::flow::StepKind::Call;
    call.branches[0].steps[1].content.variants.clear();
    let refused = sequences::plan_file(&app, &caller, &call).await.unwrap_err();
    assert!(refused.to_string().contains("key of its own"), "{refused}");
    // The setting as it stands with the sequence.
    let stands = "UPDATE sequence SET settings = replace(settings, 'when_paused', 'never')";
    house.sql(stands, &[]).await;
    let refused = sequences::plan_file(&app, &caller, &file).await.unwrap_err();
    assert!(refused.to_string().contains("a setting forbids"), "{refused}");
    let sent = to_the_end(&house, id).await;
    assert_eq!(sent, got(&[("p1", "a b")]));
}
