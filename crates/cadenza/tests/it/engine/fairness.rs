//! One thing that is wrong holds up nobody else (ENR-9): a row that cannot be read, a server that does not answer.

use super::house::{House, LONG};
use super::on_both;
use crate::smtp_server::{Act, Gate, Phase, Script, SmtpServer};
use cadenza_core::enrollment::Finish;
use std::time::{Duration, Instant};

on_both! {
    a_row_that_cannot_be_read_holds_up_nobody
}

fn from(name: &str, sender: &str) -> String {
    format!(
        "name = {name:?}\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         sender = {sender:?}\nsubject = \"Hello\"\ntext = \"A letter.\"\n"
    )
}

async fn a_row_that_cannot_be_read_holds_up_nobody(mut house: House) {
    let sequence = house.sequence(&from("Mixed", "owner")).await;
    let ids = house.enroll(sequence, house.contacts(1..=30).await).await;
    // Damaged behind everybody's back: a contact whose addresses are no JSON, and an enrollment on a flow that is not there.
    let bad_contact = house.enrollment(ids[3]).await.subject;
    let cadenza_core::enrollment::Subject::Contact(bad_contact) = bad_contact else { unreachable!() };
    house.sql("UPDATE contact SET emails = 'damaged' WHERE id = $1", &[bad_contact.into()]).await;
    house.sql("UPDATE enrollment SET flow_version = 77 WHERE id = $1", &[ids[7].into()]).await;
    house.start().await;
    house
        .until("all the others are through", |house| {
            Box::pin(
                async move { house.int("SELECT COUNT(*) FROM enrollment WHERE state = 'finished'", &[]).await == 28 },
            )
        })
        .await;
    for (n, id) in ids.iter().enumerate().filter(|(n, _)| ![3, 7].contains(n)) {
        assert_eq!(house.enrollment(*id).await.finish, Some(Finish::Completed), "number {n}");
    }
    // Mended, they go on by themselves at the next look.
    house
        .sql(
            "UPDATE contact SET emails = '[{\"kind\":\"work\",\"value\":\"x@people.example\"}]' WHERE id = $1",
            &[bad_contact.into()],
        )
        .await;
    house.sql("UPDATE enrollment SET flow_version = 1 WHERE id = $1", &[ids[7].into()]).await;
    house.ahead(cadenza_core::time::Span::minutes(5)).await;
    assert_eq!(house.sandbox().await.len(), 30);
}

/// A mailbox whose server has stopped answering has far more to send than may be under way at once; the other's mail goes
/// out meanwhile, and a reply is heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_holds_up_nobody_elses_mail() {
    let mut house = House::sqlite().await;
    let gate = Gate::shut();
    let silent = SmtpServer::start(Script::new().at(Phase::Rcpt, Act::Wait(gate.clone()))).await;
    let good = SmtpServer::start(Script::new()).await;
    house.mailbox("silent@agency.example", silent.port()).await;
    house.mailbox("good@agency.example", good.port()).await;
    house.limits.patience.command = LONG;
    house.limits.claimed_max = 100;
    house.start().await;
    let stuck = house.sequence(&from("Stuck", "silent@agency.example")).await;
    let free = house.sequence(&from("Free", "good@agency.example")).await;
    house.enroll(stuck, house.contacts(1..=300).await).await;
    gate.reached().await;
    house.enroll(free, house.contacts(301..=400).await).await;
    let began = Instant::now();
    while good.log().taken.len() < 100 {
        assert!(began.elapsed() < Duration::from_secs(40), "only {} went out", good.log().taken.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let waiting = house.int("SELECT COUNT(*) FROM send WHERE state = 'claimed'", &[]).await;
    assert!(waiting < 100, "{waiting} are recorded for a server that does not answer");
    assert!(silent.log().taken.is_empty());
    gate.open();
    while silent.log().taken.len() < 300 {
        assert!(began.elapsed() < LONG * 2, "{} of 300 went out afterwards", silent.log().taken.len());
        // The line of a mailbox that had enough is drawn again as time goes by.
        house.clock.skip_ahead(cadenza_core::time::Span::seconds(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    house.rest().await;
    house.audit(stuck).await;
    house.audit(free).await;
}
