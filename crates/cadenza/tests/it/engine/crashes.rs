//! Ends in the middle: nothing is lost, nothing is sent twice, and what nobody can know is shown, never more of it than
//! there are permits.

use super::house::{House, LONG};
use super::on_both;
use crate::smtp_server::{Act, Gate, Phase, Script, SmtpServer};
use cadenza_core::enrollment::BlockReason;
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Span;
use cadenza_store::sequences;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

on_both! {
    killed_again_and_again_it_loses_nothing_and_doubles_nothing
    a_stop_leaves_nothing_unknown
    a_sequence_that_ended_halfway_ends_at_the_next_start
}

const TWO_MAILS: &str = r#"
name = "Two mails"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello {{ contact.first_name }}"
text = "A letter."
[[branch.step]]
key = "reminder"
kind = "email_auto"
same_thread = true
text = "A reminder."
"#;

const PEOPLE: u32 = 120;
const PERMITS: usize = 4;

/// How often each Message-ID was taken by the server.
fn taken(server: &SmtpServer) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for mail in server.log().taken {
        let text = String::from_utf8_lossy(&mail.body).into_owned();
        let id = text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().trim_matches(['<', '>']).to_owned();
        *times.entry(id).or_default() += 1;
    }
    times
}

async fn killed_again_and_again_it_loses_nothing_and_doubles_nothing(mut house: House) {
    let server = SmtpServer::start(Script::new()).await;
    for n in 1..=3 {
        house.mailbox(&format!("ada{n}@agency.example"), server.port()).await;
    }
    house.limits.dot_permits = PERMITS;
    house.limits.connections_per_mailbox = 2;
    house.start().await;
    let sequence = house.sequence(TWO_MAILS).await;
    let ids = house.enroll(sequence, house.contacts(1..=PEOPLE).await).await;
    let mut unknown = 0;
    for round in 1..=5 {
        let wanted = round * 25;
        let give_up = Instant::now() + LONG;
        while server.log().taken.len() < wanted && Instant::now() < give_up {
            tokio::time::sleep(Duration::from_micros(300 * round as u64)).await;
        }
        house.kill().await;
        let now = house.int("SELECT COUNT(*) FROM send WHERE state IN ('unknown', 'marked')", &[]).await;
        assert!(now - unknown <= PERMITS as i64, "{} unknown by one end", now - unknown);
        house.start().await;
        unknown = house.int("SELECT COUNT(*) FROM send WHERE state = 'unknown'", &[]).await;
    }
    house.rest().await;
    let times = taken(&server);
    assert!(times.values().all(|n| *n == 1), "sent twice: {times:?}");
    // Whoever is unknown waits for a person; everybody else has both mails.
    let mut complete = 0;
    for id in ids {
        let e = house.enrollment(id).await;
        if e.block == Some(BlockReason::DeliveryUnknown) {
            continue;
        }
        assert_eq!(e.emails, 2, "{:?}", house.sends(id).await);
        complete += 1;
    }
    assert_eq!(complete + unknown, i64::from(PEOPLE));
    let sql = "SELECT COUNT(*) FROM send WHERE state = 'sent'";
    let sent = house.int(sql, &[]).await as usize;
    assert!((sent..=sent + unknown as usize).contains(&times.len()), "{sent} sent, {} taken", times.len());
    house.audit(sequence).await;
}

async fn a_stop_leaves_nothing_unknown(mut house: House) {
    // The third mail is past its dot when the stop comes, and its answer late; the others wait before theirs.
    let gate = Gate::shut();
    let script = Script::new().at_nth(Phase::Accepted, 3, Act::Wait(gate.clone()));
    let server = SmtpServer::start(script).await;
    house.mailbox("ada@agency.example", server.port()).await;
    house.limits.patience.dot = LONG;
    house.start().await;
    let sequence = house.sequence(TWO_MAILS).await;
    house.enroll(sequence, house.contacts(1..=50).await).await;
    gate.reached().await;
    let opener = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        opener.open();
    });
    house.stop().await;
    let open = "SELECT COUNT(*) FROM send WHERE state IN ('claimed', 'marked', 'unknown')";
    assert_eq!(house.int(open, &[]).await, 0, "all is settled");
    let sent = house.int("SELECT COUNT(*) FROM send WHERE state = 'sent'", &[]).await;
    assert_eq!(sent, 3, "the one that waited for its answer got it");
    house.reopen().await;
    house.start().await;
    house.rest().await;
    let times = taken(&server);
    assert_eq!((times.len(), times.values().max()), (100, Some(&1)), "the rest goes out after the start");
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE tries > 0", &[]).await, 0, "a stop is no failed try");
    house.audit(sequence).await;
}

async fn a_sequence_that_ended_halfway_ends_at_the_next_start(mut house: House) {
    let later = TWO_MAILS.replace("kind = \"email_auto\"\nsame", "kind = \"email_auto\"\ndelay = \"3 days\"\nsame");
    house.start().await;
    let sequence: SequenceId = house.sequence(&later).await;
    house.enroll(sequence, house.contacts(1..=5).await).await;
    house.rest().await;
    house.kill().await;
    // The process ended between the end of the sequence and that of the people in it.
    let (w, now) = (house.workspace, house.clock.now());
    house
        .write(move |tx| {
            let mut s = sequences::lock(tx, w, sequence)?;
            s.state = cadenza_core::enrollment::SequenceState::Ended;
            s.ended = Some((now, sequences::EndedBy::Hand));
            sequences::update(tx, w, &s, now)
        })
        .await;
    house.start().await;
    house
        .until("everybody is finished", |house| {
            Box::pin(async move {
                let sql = "SELECT COUNT(*) FROM enrollment WHERE finish = 'sequence_ended'";
                house.int(sql, &[]).await == 5
            })
        })
        .await;
    house.ahead(Span::days(4)).await;
    assert_eq!(house.sandbox().await.len(), 5, "nobody gets the second mail");
    house.audit(sequence).await;
}
