//! The whole of it with Debian's servers: Cadenza sends through Postfix, people and machines answer, and what lies in the mailbox
//! at Dovecot decides what becomes of everybody. Nobody is written to again after an answer.

use super::real_mail::{ADA, at_dovecot, bring};
use super::{house, two_mails};
use crate::engine::house::{House, MONDAY};
use cadenza_core::enrollment::{Finish, Hold};
use cadenza_core::ids::EnrollmentId;
use cadenza_core::time::{Span, Time};
use cadenza_store::addresses::TypedAddress;
use cadenza_testkit::{MailServers, RawMail};
use std::time::{Duration, Instant};

/// Who is written to, and what becomes of it.
const PEOPLE: [&str; 7] = ["writes-back", "on-leave", "nobody-here", "full", "unsubscribes", "forwards", "silent"];

/// Whoever is away is waited for until the day after.
const WAITS: &str = "[settings.out_of_office]\nresume = \"return\"";

pub(super) fn address(name: &str) -> String {
    format!("{name}@people.example")
}

/// Waits for a mail to be in somebody's inbox.
pub(super) async fn arrived(servers: &MailServers, name: &str) -> RawMail {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        match servers.delivered(&address(name)).unwrap().pop() {
            Some(mail) => return mail,
            None if Instant::now() > give_up => panic!("nothing reached {name}: {}", servers.log()),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// An answer as a mail program writes it, with the sent mail quoted.
fn answer_to(sent: &RawMail, from: &str, text: &str) -> String {
    let (id, subject) = (sent.header("Message-ID").unwrap(), sent.header("Subject").unwrap());
    format!(
        "From: {from}\r\nTo: {ADA}\r\nSubject: Re: {subject}\r\nMessage-ID: <{}.answer@people.example>\r\n\
         In-Reply-To: {id}\r\nReferences: {id}\r\n\r\n{text}\r\n\r\nOn Monday Ada Byron <{ADA}> wrote:\r\n> A word about the position.\r\n",
        from.split('@').next().unwrap()
    )
}

/// What the header's `mailto:` asks a mail program to send.
fn unsubscribing(sent: &RawMail, from: &str) -> (String, String) {
    let header = sent.header("List-Unsubscribe").unwrap();
    let mailto =
        header.split(['<', '>']).find_map(|part| part.strip_prefix("mailto:")).unwrap_or_else(|| panic!("{header}"));
    let (to, subject) = mailto.split_once("?subject=").unwrap();
    let subject = subject.replace("%20", " ");
    (
        to.to_owned(),
        format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <gone@people.example>\r\n\r\n\r\n"),
    )
}

pub(super) async fn finished(house: &House, id: EnrollmentId, how: Finish) {
    let what = format!("{id} is finished as {how:?}");
    house.until(&what, |h| Box::pin(async move { h.enrollment(id).await.finish == Some(how) })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_answer_ends_as_it_should() {
    let servers = MailServers::start().unwrap();
    let mut house = house().await;
    // Notices bear the real date, so the house's clock may not be behind it.
    let real = Time::from_seconds(jiff::Timestamp::now().as_second());
    let monday: Time = MONDAY.parse().unwrap();
    if real > monday {
        house.clock.skip_ahead(real - monday);
    }
    let back = (house.clock.now() + Span::days(21)).to_string();
    let back = back.split('T').next().unwrap().to_owned();
    servers
        .set_vacation(
            &address("on-leave"),
            "Out of office",
            &format!("I am out of the office and will be back on {back}."),
        )
        .unwrap();
    servers.set_quota(&address("full"), 1).unwrap();
    at_dovecot(&house, &servers, MailServers::PASSWORD).await;
    let sequence = house.sequence(&two_mails(WAITS)).await;
    let mut people = Vec::new();
    for (number, name) in (1..).zip(PEOPLE) {
        let emails = |c: &mut cadenza_store::contacts::Contact| {
            c.emails = vec![TypedAddress { value: address(name), ..c.emails[0].clone() }];
        };
        people.push(house.contact(number, emails).await);
    }
    // Sieve answers nothing that bears a List-Unsubscribe, which it takes for a mailing list's (Pigeonhole, `vacation`).
    let personal =
        two_mails(WAITS).replace("Two mails", "Personal").replace("sender =", "unsubscribe_link = false\nsender =");
    let personal = house.sequence(&personal).await;
    let on_leave = house.enroll(personal, vec![people.remove(1)]).await[0];
    let ids = house.enroll(sequence, people).await;
    let [writes_back, nobody, full, unsubscribes, forwards, silent] = ids.try_into().unwrap();
    house.start().await;
    house.until_sends("sent", 7).await;

    let began = Instant::now();
    let sent = arrived(&servers, "writes-back").await;
    bring(&servers, &address("writes-back"), ADA, &answer_to(&sent, &address("writes-back"), "Gladly, on Thursday."))
        .await;
    let sent = arrived(&servers, "unsubscribes").await;
    let (to, wish) = unsubscribing(&sent, &address("unsubscribes"));
    bring(&servers, &address("unsubscribes"), &to, &wish).await;
    let sent = arrived(&servers, "forwards").await;
    bring(
        &servers,
        "assistant@elsewhere.example",
        ADA,
        &answer_to(&sent, "assistant@elsewhere.example", "She asked me to answer."),
    )
    .await;

    finished(&house, writes_back, Finish::Replied).await;
    finished(&house, nobody, Finish::Bounced).await;
    finished(&house, unsubscribes, Finish::OptedOut).await;
    finished(&house, forwards, Finish::Replied).await;
    house
        .until("whoever is away is waited for", |h| {
            Box::pin(async move { h.enrollment(on_leave).await.holds.has(Hold::OutOfOffice) })
        })
        .await;
    house
        .until("a full mailbox is tried again", |h| Box::pin(async move { h.enrollment(full).await.soft_bounces == 1 }))
        .await;
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let until = house.enrollment(on_leave).await.hold_until.expect("the date of the notice");
    // The day after the return, in the sequence's zone, which may be a day from UTC's.
    let days = (until - house.clock.now()).micros() / 86_400_000_000;
    assert!((20..=23).contains(&days), "{days} days until {until}, back on {back}");
    let silenced = "SELECT COUNT(*) FROM suppression WHERE kind = 'email'";
    assert_eq!(house.int(silenced, &[]).await, 2, "who does not exist, and who opted out");

    // The reminder goes to the one who has not answered; the full mailbox gets what it could not take.
    house.ahead(Span::days(3)).await;
    house.until("the reminder is there", |h| Box::pin(async move { h.enrollment(silent).await.emails == 2 })).await;
    servers.wait_until_delivered(Duration::from_secs(20)).unwrap();
    for (name, mails) in [("writes-back", 1), ("on-leave", 1), ("unsubscribes", 1), ("forwards", 1), ("silent", 2)] {
        assert_eq!(servers.delivered(&address(name)).unwrap().len(), mails, "{name}");
    }
    house.stop().await;
    house.audit(sequence).await;
}
