//! A database that is older than what its data folder saw, or that the folder never saw, sends nothing until a person has
//! looked (SND-12).

use super::house::House;
use super::on_both;
use cadenza::actions::settings;
use cadenza_core::time::Span;
use std::fs;

on_both! {
    a_database_that_went_back_waits_for_its_release
    a_database_in_a_strange_folder_waits_for_its_release
    a_copy_of_a_database_at_work_waits_for_its_release
    an_ordinary_restart_goes_on
}

const TWO_MAILS: &str = r#"
name = "Two mails"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello"
text = "A letter."
[[branch.step]]
key = "reminder"
kind = "email_auto"
delay = "1 day"
same_thread = true
text = "A reminder."
"#;

/// The first mails are out.
async fn the_first_mails_are_sent(house: &mut House) {
    house.start().await;
    let sequence = house.sequence(TWO_MAILS).await;
    house.enroll(sequence, house.contacts(1..=2).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 2);
}

async fn stopped_after_the_first_mails(house: &mut House) {
    the_first_mails_are_sent(house).await;
    house.stop().await;
}

/// Nothing is sent a day later, the gate says why, and a release lets both go on.
async fn it_waits(mut house: House) {
    house.reopen().await;
    house.start().await;
    house.clock.skip_ahead(Span::days(1));
    let held = "SELECT COUNT(*) FROM enrollment WHERE wake_at IS NULL AND due_at <= $1";
    house
        .until("both were looked at and wait", |house| {
            let now = house.clock.now();
            Box::pin(async move { house.int(held, &[now.into()]).await == 2 })
        })
        .await;
    assert_eq!(house.sandbox().await.len(), 2, "nothing was sent");
    let id = cadenza_core::ids::EnrollmentId(house.int("SELECT MIN(id) FROM enrollment", &[]).await);
    let why = cadenza::actions::enrollments::why(&house.app, &house.caller(), id).await.unwrap();
    let why = format!("{:?}", why.explanation);
    assert!(why.contains("RestoreHold"), "{why}");
    settings::release_restored(&house.app, &house.caller()).await.unwrap();
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 4, "released, both go on");
    house.stop().await;
    house.reopen().await;
    house.start().await;
    assert_eq!(house.int("SELECT COUNT(*) FROM workspace WHERE restore_hold = 1", &[]).await, 0, "and it stays so");
}

async fn a_database_that_went_back_waits_for_its_release(mut house: House) {
    stopped_after_the_first_mails(&mut house).await;
    house.sql("UPDATE node SET beats = beats - 1", &[]).await;
    it_waits(house).await;
}

async fn a_database_in_a_strange_folder_waits_for_its_release(mut house: House) {
    stopped_after_the_first_mails(&mut house).await;
    fs::remove_file(house.app.config.server.data.join("witness.json")).unwrap();
    it_waits(house).await;
}

/// Its node was seen a moment ago; but it is a copy, and nobody lives there.
async fn a_copy_of_a_database_at_work_waits_for_its_release(mut house: House) {
    the_first_mails_are_sent(&mut house).await;
    house.kill().await;
    fs::remove_file(house.app.config.server.data.join("witness.json")).unwrap();
    it_waits(house).await;
}

async fn an_ordinary_restart_goes_on(mut house: House) {
    stopped_after_the_first_mails(&mut house).await;
    for _ in 0..2 {
        house.reopen().await;
        house.start().await;
        house.kill().await;
    }
    house.start().await;
    house.ahead(Span::days(1)).await;
    assert_eq!(house.sandbox().await.len(), 4);
}
