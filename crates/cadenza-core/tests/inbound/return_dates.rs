//! The table of absence notes in `tests/inbound/fixtures/return_dates.txt`, each read as a whole mail.

use cadenza_core::inbound::{self, AutoReply, Kind};
use cadenza_core::time::Time;
use std::collections::BTreeSet;

const TABLE: &str = include_str!("fixtures/return_dates.txt");

struct Note<'a> {
    line: usize,
    language: &'a str,
    written: &'a str,
    expected: Option<&'a str>,
    subject: &'a str,
    text: String,
}

fn notes() -> Vec<Note<'static>> {
    let lines = TABLE.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|(n, l)| {
            let columns: Vec<&str> = l.splitn(5, '|').map(str::trim).collect();
            let [language, written, expected, subject, text] = columns[..] else {
                panic!("line {}: five columns", n + 1)
            };
            let expected = Some(expected).filter(|e| *e != "-");
            Note { line: n + 1, language, written, expected, subject, text: text.replace('⏎', "\n") }
        })
        .collect()
}

fn read(note: &Note<'_>) -> Option<String> {
    let raw = format!(
        "From: Ann <ann@customer.example>\nTo: bob@outreach.example\nSubject: {}\nDate: {}T10:00:00\nAuto-Submitted: auto-replied\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n",
        note.subject, note.written, note.text
    );
    // The Date field is no RFC 5322 date, so the day of arrival counts.
    let received: Time = format!("{}T10:00:00Z", note.written).parse().expect("a day");
    match inbound::read(raw.as_bytes(), received).expect("a small mail").verdict.kind {
        Kind::AutoReply(AutoReply::OutOfOffice { until }) => until.map(|d| d.to_string()),
        Kind::AutoReply(_) => None,
        other => panic!("line {}: {other:?}", note.line),
    }
}

#[test]
fn absence_notes_name_the_day_back() {
    let notes = notes();
    let languages: BTreeSet<&str> = notes.iter().map(|n| n.language).collect();
    assert!(notes.len() >= 150 && languages.len() >= 14, "{} notes in {} languages", notes.len(), languages.len());
    let mut wrong = Vec::new();
    for note in &notes {
        let found = read(note);
        if found.as_deref() != note.expected {
            wrong.push(format!(
                "line {} ({}): expected {:?}, found {found:?}: {} / {}",
                note.line, note.language, note.expected, note.subject, note.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), notes.len(), wrong.join("\n"));
}

/// Whole mails as programs send them: header, text, and the day meant. Days are counted from the mail's own Date field, in the
/// zone that it names, however late the mail came.
const MAILS: &[(&str, &str, &str)] = &[
    (
        "Date: Fri, 6 Mar 2026 18:00:00 +0100\nSubject: Automatic reply: Proposal\nAuto-Submitted: auto-generated\n\
         X-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: ann@customer.example",
        "Hello,\n\nI am travelling and will be back on Monday.\n\nAnn",
        "2026-03-09",
    ),
    (
        "Date: Sun, 8 Mar 2026 23:30:00 -0800\nSubject: Out of office\nAuto-Submitted: auto-replied",
        "Taking the day off. Back tomorrow!",
        "2026-03-09",
    ),
    (
        "Date: Mon, 9 Mar 2026 00:30:00 +1300\nSubject: Away\nAuto-Submitted: auto-replied (vacation)",
        "Back tomorrow.",
        "2026-03-10",
    ),
    (
        "Date: Tue, 3 Mar 2026 09:00:00 -0500\nSubject: AUTO: Jane Roe is out of the office (returning 03/16/2026)\n\
         Auto-Submitted: auto-generated",
        "I am out of the office until 03/16/2026.\n\nNote: This is an automated response to your message \"Offer until 03/31/2026\" \
         sent on 3/3/2026 8:58:12 AM.",
        "2026-03-16",
    ),
    (
        "Date: Tue, 3 Mar 2026 09:00:00 +0000\nSubject: Re: Offer\nX-Autorespond: Offer\nPrecedence: auto_reply",
        "I'm on holiday for two weeks.\n\n> Date: 1 Mar 2026\n> Could we meet on 24 March?",
        "2026-03-17",
    ),
    (
        "Date: Mon, 28 Dec 2026 10:00:00 +0100\nSubject: Abwesenheitsnotiz\nX-Autoreply: yes",
        "Ich bin bis zum 8. Januar im Urlaub.\n\nVon: Bob\nGesendet: Montag, 28. Dezember 2026 09:58\nAn: Ann\nBetreff: Termin am 15. Januar\n\n\
         Passt Ihnen der 15. Januar?",
        "2027-01-08",
    ),
    (
        "Date: Thu, 5 Mar 2026 10:00:00 +0900\nSubject: =?utf-8?B?6Ieq5YuV5b+c562U?=\nX-Mail-Autoreply: 1\nAuto-Submitted: auto-replied",
        "出張のため、来週まで不在です。3月16日より通常業務に戻ります。",
        "2026-03-16",
    ),
];

#[test]
fn days_are_counted_from_the_mails_own_date() {
    for (header, text, expected) in MAILS {
        let raw = format!(
            "From: Ann <ann@customer.example>\nTo: bob@outreach.example\n{header}\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n\n{text}\n"
        );
        let received: Time = "2027-02-01T10:00:00Z".parse().unwrap();
        let read = inbound::read(raw.as_bytes(), received).unwrap();
        match read.verdict.kind {
            Kind::AutoReply(AutoReply::OutOfOffice { until }) => {
                assert_eq!(until.map(|d| d.to_string()).as_deref(), Some(*expected), "{text}");
            }
            other => panic!("{other:?}: {header}"),
        }
    }
}
