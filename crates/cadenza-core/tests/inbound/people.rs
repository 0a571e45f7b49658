//! What people write stays a person's mail, and whether it asks for an end of it: the table in `fixtures/people.txt`.

use cadenza_core::inbound::{self, Kind};
use cadenza_core::time::Time;

const TABLE: &str = include_str!("fixtures/people.txt");

#[test]
fn people_stay_people_and_their_wishes_are_heard() {
    let mut wrong = Vec::new();
    let mut wishes = 0;
    for (n, line) in TABLE.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        let columns: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [expected, place, subject, text] = columns[..] else { panic!("line {}: four columns", n + 1) };
        let thread = if place == "thread" { "In-Reply-To: <01@outreach.example>\n" } else { "" };
        let raw = format!(
            "Return-Path: <ann@customer.example>\nFrom: Ann Buyer <ann@customer.example>\nTo: bob@outreach.example\nSubject: {subject}\n\
             Date: Mon, 6 Jul 2026 12:00:00 +0200\nMessage-ID: <{n}@customer.example>\n{thread}\
             Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n",
            text.replace('⏎', "\n")
        );
        let verdict = inbound::read(raw.as_bytes(), Time::from_seconds(1_782_900_000)).unwrap().verdict;
        let found = match &verdict.kind {
            Kind::Reply(reply) if reply.opt_out => "opt-out",
            Kind::Reply(_) => "reply",
            _ => "no reply",
        };
        wishes += usize::from(expected == "opt-out");
        if found != expected {
            wrong.push(format!(
                "line {}: {found}, not {expected}: {subject} / {text}\n    {:?}",
                n + 1,
                verdict.evidence
            ));
        }
    }
    assert!(wishes >= 40, "{wishes} opt-outs");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
