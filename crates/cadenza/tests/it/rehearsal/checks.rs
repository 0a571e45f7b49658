//! What must hold of a run, each by itself. All are told from the delivered mails and the files; the database only says which
//! step a mail was meant to be.

use super::evidence::{Evidence, Row};
use cadenza_core::ids::EnrollmentId;
use cadenza_core::tokens::{Purpose, Token};
use cadenza_testkit::MailServers;
use jiff::civil::{Date, Time, Weekday, date, time};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const JOB: &str = "https://jobs.example.com/berlin-backend";
/// Those of the sequence that fall into the run.
const HOLIDAYS: [Date; 2] = [date(2027, 3, 26), date(2027, 3, 29)];
const WINDOW: (Time, Time) = (time(9, 0, 0, 0), time(17, 30, 0, 0));

pub fn every_mail_is_a_recorded_one_and_came_once(evidence: &Evidence) {
    let mut seen = HashSet::new();
    for mail in &evidence.mails {
        assert!(seen.insert(mail.message_id.as_str()), "{} came twice", mail.message_id);
        assert!(evidence.rows.contains_key(&mail.message_id), "{} is in no outbox", mail.message_id);
    }
    assert_eq!(seen.len(), evidence.rows.len(), "mails are missing");
    let mut steps = HashSet::new();
    for row in evidence.rows.values() {
        assert!(steps.insert((row.enrollment, &row.step)), "{} got {} twice", row.address, row.step);
    }
}

pub fn each_reached_the_right_person_with_every_header(evidence: &Evidence) {
    for mail in &evidence.mails {
        let row = evidence.row(mail);
        let about = format!("{} to {}", mail.message_id, mail.raw.mailbox);
        evidence.person(mail);
        for name in ["to", "delivered-to"] {
            assert_eq!(mail.header(name).to_lowercase(), row.address, "{name} of {about}");
        }
        assert_eq!(mail.raw.mailbox, row.address, "{about}");
        assert_eq!(mail.header("from"), format!("Anna <{}>", row.mailbox), "{about}");
        assert_eq!(mail.raw.return_path(), row.mailbox, "{about}");
        assert_eq!(mail.date, row.claimed_at / 1_000_000, "{about}: {}", mail.header("date"));
        assert!(mail.header("date").ends_with("+0000"), "{about}");
        assert!(mail.message_id.ends_with("@agency.example"), "{about}");
        assert_eq!(mail.header("message-id"), format!("<{}>", mail.message_id), "{about}");
        assert_eq!(mail.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click", "{about}");
        assert!(mail.header("list-unsubscribe").starts_with("<http://127.0.0.1:"), "{about}");
        assert!(mail.header("feedback-id").contains(&format!(":{}:", row.step)), "{about}");
        assert_eq!(mail.header("mime-version"), "1.0", "{about}");
        // A person's own mail is plain text, as they wrote it.
        let by_hand = row.step == "personal";
        let media = if by_hand { "text/plain;" } else { "multipart/alternative;" };
        assert!(mail.header("content-type").starts_with(media), "{about}");
        assert!(mail.repeated.iter().all(|name| name == "received"), "{about}: {:?}", mail.repeated);
        assert!(!mail.subject.is_empty() && !mail.text.is_empty() && mail.html.is_empty() == by_hand, "{about}");
    }
}

pub fn each_says_what_it_should_to_that_person(evidence: &Evidence) {
    let mut wordings: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for mail in &evidence.mails {
        let (row, person) = (evidence.row(mail), evidence.person(mail));
        let about = format!("{} to {}:\n{}", row.step, row.address, mail.text);
        *wordings.entry((&row.step, &row.variant)).or_default() += 1;
        let title = format!("As a {} you may find", person.title);
        let own = format!("{}, here is where a personal sentence goes", person.first_name);
        let (subject, words): (String, Vec<&str>) = match (row.step.as_str(), row.variant.as_str()) {
            ("intro", "short") => ("Backend engineering in Berlin".into(), vec![&title, JOB]),
            ("intro", "story") => {
                (format!("Fifteen minutes about {}?", person.company), vec!["three engineers I placed", JOB])
            }
            ("reminder", _) => (format!("Re: {}", first_subject(evidence, row)), vec!["a short reminder", JOB]),
            ("personal", _) => ("The payments team in Berlin".into(), vec!["thank you for looking at the role", &own]),
            ("goodbye", _) => ("Shall I close your file?".into(), vec!["I have not heard from you"]),
            other => panic!("a step that there is not: {other:?}"),
        };
        assert_eq!(mail.subject, subject, "{about}");
        // The wrapping of lines is the mail's own affair.
        let flat = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.starts_with(&format!("Hi {},", person.first_name)), "{about}");
        for word in &words {
            assert!(flat.contains(word), "{word:?} is missing in {about}");
        }
        assert!(flat.contains("Best regards Anna") && flat.contains("1 Loopback Street"), "{about}");
        for part in [&mail.text, &mail.html, &mail.subject] {
            assert!(!part.contains("{{") && !part.contains("{%"), "an unfilled field in {about}");
        }
        assert!(mail.html.is_empty() || mail.html.contains(&format!("Hi {},", person.first_name)), "{about}");
    }
    let (short, story) = (wordings[&("intro", "short")] as f64, wordings[&("intro", "story")] as f64);
    assert!((0.5..0.82).contains(&(short / (short + story))), "two of three get the short wording: {wordings:?}");
}

fn first_subject(evidence: &Evidence, row: &Row) -> String {
    let first = evidence.mails.iter().find(|m| {
        let other = evidence.row(m);
        other.enrollment == row.enrollment && other.step == "intro"
    });
    first.map(|m| m.subject.clone()).unwrap_or_default()
}

pub fn links_lead_to_the_right_message(evidence: &Evidence) {
    for mail in &evidence.mails {
        let row = evidence.row(mail);
        let header = mail.header("list-unsubscribe").trim_matches(['<', '>']).to_owned();
        let marks = |c: char| matches!(c, '"' | '<' | '>' | ' ' | '\n');
        let in_text = mail.text.split(marks).filter(|w| w.contains("/u/"));
        let in_html = mail.html.split(marks).filter(|w| ["/u/", "/t/c/", "/t/o/"].iter().any(|p| w.contains(p)));
        let links: Vec<&str> = [header.as_str()].into_iter().chain(in_text).chain(in_html).collect();
        let mut purposes = BTreeSet::new();
        for link in links {
            let token = Token::verify(link.rsplit('/').next().unwrap(), &evidence.signing_key)
                .unwrap_or_else(|e| panic!("{link} to {}: {e}", row.address));
            assert_eq!(
                (token.enrollment, i64::from(token.visit)),
                (EnrollmentId(row.enrollment), row.visit),
                "a link of somebody else in the mail to {}",
                row.address
            );
            purposes.insert(match token.purpose {
                Purpose::Open => "open",
                Purpose::Click(target) if target == JOB => "job",
                Purpose::Click(other) => panic!("{other} is in no wording"),
                Purpose::Unsubscribe => "unsubscribe",
            });
        }
        let expected: &[&str] = match row.step.as_str() {
            "intro" | "reminder" => &["job", "open", "unsubscribe"],
            "goodbye" => &["open", "unsubscribe"],
            // A person's own mail is not tracked.
            _ => &["unsubscribe"],
        };
        assert_eq!(purposes.into_iter().collect::<Vec<_>>(), expected, "{} to {}", row.step, row.address);
    }
}

pub fn steps_came_in_order_and_in_their_threads(evidence: &Evidence) {
    let ways: [&[&str]; 6] = [
        &["intro"],
        &["intro", "reminder"],
        &["intro", "reminder", "goodbye"],
        &["intro", "personal"],
        &["intro", "reminder", "personal"],
        &["intro", "reminder", "goodbye", "personal"],
    ];
    let mut walked: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for (address, mails) in evidence.by_person() {
        let steps: Vec<&str> = mails.iter().map(|m| evidence.row(m).step.as_str()).collect();
        assert!(ways.contains(&steps.as_slice()), "{address} got {steps:?}");
        *walked.entry(steps).or_default() += 1;
        let senders: BTreeSet<&str> = mails.iter().map(|m| evidence.row(m).mailbox.as_str()).collect();
        assert_eq!(senders.len(), 1, "{address} was written to from {senders:?}");
        assert!(mails.iter().map(|m| m.arrived).is_sorted(), "{address} got them in another order");
        for mail in &mails {
            let threads = evidence.row(mail).step == "reminder";
            let before = if threads { format!("<{}>", mails[0].message_id) } else { String::new() };
            assert_eq!(mail.header("in-reply-to"), before, "{address}");
            assert_eq!(mail.header("references"), before, "{address}");
        }
        if let [first, second, ..] = mails.as_slice()
            && evidence.row(second).step == "reminder"
        {
            let days = business_days(first.date, second.date, &evidence.person(second).zone);
            assert!(days >= 3, "{address}: the reminder came after {days} business days");
        }
    }
    assert!(walked.len() >= 3, "everybody went the same way: {walked:?}");
}

/// Days from one moment to another in a zone, without weekends and holidays.
fn business_days(from: i64, to: i64, zone: &str) -> usize {
    let zone = TimeZone::get(zone).unwrap();
    let day = |seconds: i64| Timestamp::from_second(seconds).unwrap().to_zoned(zone.clone()).date();
    let (mut at, last) = (day(from), day(to));
    let mut days = 0;
    while at < last {
        at = at.tomorrow().unwrap();
        days += usize::from(is_open(at));
    }
    days
}

fn is_open(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !HOLIDAYS.contains(&day)
}

pub fn automatic_mail_kept_to_window_and_limits(evidence: &Evidence) {
    let mut hours: HashMap<i64, usize> = HashMap::new();
    let mut of_mailbox: HashMap<(&str, i64), usize> = HashMap::new();
    for mail in evidence.mails.iter().filter(|m| evidence.row(m).step != "personal") {
        let row = evidence.row(mail);
        let zone = TimeZone::get(&evidence.person(mail).zone).unwrap();
        for micros in [row.claimed_at, row.marked_at] {
            let local = Timestamp::from_microsecond(micros).unwrap().to_zoned(zone.clone());
            assert!(is_open(local.date()), "{} to {} on {local}", row.step, row.address);
            assert!((WINDOW.0..WINDOW.1).contains(&local.time()), "{} to {} at {local}", row.step, row.address);
        }
        // Berlin's hours and days of the clock begin with those of UTC and at 23:00 or 22:00.
        let hour = row.claimed_at.div_euclid(3_600_000_000);
        *hours.entry(hour).or_default() += 1;
        *of_mailbox.entry((&row.mailbox, hour)).or_default() += 1;
    }
    assert!(hours.values().all(|n| *n <= 60), "more than 60 an hour: {hours:?}");
    assert!(of_mailbox.values().all(|n| *n <= 40), "more than 40 an hour from a mailbox: {of_mailbox:?}");
}

pub fn nobody_was_written_to_after_an_answer(evidence: &Evidence) {
    assert!(!evidence.answers.is_empty(), "nobody answered");
    for (enrollment, at, what) in &evidence.answers {
        for (other, sent_at, step) in &evidence.sent {
            assert!(other != enrollment || sent_at <= at, "{} got {step} after the {what}", EnrollmentId(*enrollment));
        }
    }
}

pub fn texts_reached_the_right_numbers(evidence: &Evidence) {
    assert!(!evidence.texts.is_empty(), "no texts");
    let mut seen = HashSet::new();
    for text in &evidence.texts {
        let person = &evidence.people[&text.address];
        assert!(seen.insert((&text.address, &text.step)), "{} got {} twice", text.number, text.step);
        assert_eq!(text.number, person.phone, "{}", text.address);
        assert!(text.words.starts_with(&format!("Hi {}, Anna here.", person.first_name)), "{}", text.words);
    }
}

pub fn tasks_were_done_once(evidence: &Evidence, summary: &Value) {
    assert_eq!(evidence.open_tasks, 0, "tasks were left over");
    let visits: HashSet<(i64, i64)> = evidence.done_by_hand.iter().map(|(e, v, ..)| (*e, *v)).collect();
    assert_eq!(visits.len(), evidence.done_by_hand.len());
    let people = |what: &str| summary["people"][what].as_u64().unwrap_or(0);
    let done = evidence.done_by_hand.len() as u64;
    assert_eq!(people("task marked") + people("message written by hand"), done, "{summary}");
    let written = evidence.rows.values().filter(|r| r.step == "personal").count() as u64;
    assert_eq!(people("message written by hand"), written, "{summary}");
    // By the script everybody who was to be connected with was, and only then called.
    for (enrollment, visit, step, _) in &evidence.done_by_hand {
        if step == "talk" {
            let connected = evidence
                .done_by_hand
                .iter()
                .any(|(e, v, s, _)| (e, s.as_str()) == (enrollment, "connect") && v < visit);
            assert!(connected, "{} was called first", EnrollmentId(*enrollment));
        }
    }
}

/// Signs in as whoever got most, as a mail program does, and finds the same mails there.
pub fn a_mail_program_finds_them_over_imap(servers: &MailServers, evidence: &Evidence) {
    let all = evidence.by_person();
    let (address, mails) = all.iter().max_by_key(|(_, mails)| mails.len()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", servers.imap_port())).unwrap();
    let (mut answers, mut program) = (BufReader::new(stream.try_clone().unwrap()), stream);
    let mut say = |tag: &str, words: &str| {
        write!(program, "{tag} {words}\r\n").unwrap();
        let mut heard = String::new();
        while !heard.lines().last().is_some_and(|line| line.starts_with(tag)) {
            assert!(answers.read_line(&mut heard).unwrap() > 0, "the server hung up: {heard}");
        }
        assert!(heard.lines().last().unwrap().starts_with(&format!("{tag} OK")), "{heard}");
        heard
    };
    say("a1", &format!("LOGIN {address} {}", MailServers::PASSWORD));
    assert!(say("a2", "EXAMINE INBOX").contains(&format!("* {} EXISTS", mails.len())), "{address}");
    for (n, mail) in mails.iter().enumerate() {
        let found = say(&format!("b{n}"), &format!("SEARCH HEADER Message-ID \"{}\"", mail.message_id));
        assert!(found.contains(&format!("* SEARCH {}", n + 1)), "{}: {found}", mail.message_id);
    }
}
