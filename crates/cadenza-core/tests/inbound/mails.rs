//! The mails in `tests/inbound/fixtures`, each read and compared with its line in `tests/inbound/fixtures/mails.txt`.

use cadenza_core::inbound::{self, Incoming, Kind};
use cadenza_core::time::Time;
use std::collections::BTreeSet;
use std::path::PathBuf;

const TABLE: &str = include_str!("fixtures/mails.txt");

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/inbound/fixtures")
}

fn read(file: &str) -> Incoming {
    let raw = std::fs::read(folder().join(file)).unwrap();
    inbound::read(&raw, Time::from_seconds(1_782_900_000)).unwrap()
}

/// The verdict in the words of the table.
fn summary(kind: &Kind) -> String {
    let mut words: Vec<String> = Vec::new();
    match kind {
        Kind::Reply(reply) => {
            words.push(if reply.in_thread { "reply in thread".into() } else { "reply".into() });
            if reply.opt_out {
                words = vec![format!("{}, opt-out", words[0])];
            }
        }
        Kind::AutoReply(auto) => words.push(format!("auto {auto:?}")),
        Kind::Bounce(b) => {
            words.push(format!("bounce {}", format!("{:?}", b.class).to_lowercase()));
            words.extend(b.delayed.then(|| "delayed".into()));
            words.extend(b.recipient.clone());
            words.extend(b.recipients[0].original_recipient.as_ref().map(|o| format!("for {o}")));
            words.extend(b.status.clone());
            words.extend(b.original_message_id.as_ref().map(|id| format!("of {id}")));
            words.extend(b.envelope_id.as_ref().map(|id| format!("in {id}")));
        }
        Kind::Delivered(d) => {
            words.push("delivered".into());
            words.extend(d.recipients.clone());
            words.extend(d.original_message_id.as_ref().map(|id| format!("of {id}")));
            words.extend(d.envelope_id.as_ref().map(|id| format!("in {id}")));
        }
        Kind::Complaint(c) => {
            words.push(format!("complaint {:?}", c.feedback_type));
            words.extend(c.recipient.clone());
            words.extend(c.original_message_id.as_ref().map(|id| format!("of {id}")));
        }
        Kind::Other(other) => words.push(format!("other {other:?}")),
    }
    words.join(" ")
}

#[test]
fn every_mail_is_what_the_table_says() {
    let mut listed = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let incoming = read(columns[0]);
        listed.insert(columns[0].to_owned());
        let found = summary(&incoming.verdict.kind);
        if found != columns[1] {
            wrong.push(format!("{}: {found}\n    by {:?}", columns[0], incoming.verdict.evidence));
        }
        if let Some(text) = columns.get(2).filter(|text| **text != incoming.text.replace('\n', "⏎")) {
            wrong.push(format!("{}: text {:?}, not {text:?}", columns[0], incoming.text));
        }
        assert!(!incoming.verdict.evidence.is_empty(), "{}: a verdict without evidence", columns[0]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let files = std::fs::read_dir(folder()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let mails: BTreeSet<String> = files.filter(|f| f.ends_with(".eml")).collect();
    assert_eq!(mails, listed, "every mail has its line");
}

#[test]
fn what_a_send_is_matched_by_is_read() {
    let reply = read("reply-plain.eml");
    assert_eq!(reply.delivered_to, ["bob+t0ken42@outreach.example", "reply+t0ken42@outreach.example"]);
    assert_eq!(reply.in_reply_to, ["01J8.sent@outreach.example"]);
    assert_eq!(reply.references, ["01J8.sent@outreach.example"]);
    assert_eq!(reply.message_id.as_deref(), Some("r1@customer.example"));
    assert_eq!((reply.return_path.as_deref(), reply.null_return_path), (Some("ann@customer.example"), false));
    assert_eq!(reply.from[0].address, "ann@customer.example");
    assert_eq!(reply.from[0].name, "Ann Buyer");
    assert_eq!(reply.date.map(|d| d.to_string()).as_deref(), Some("2026-07-06T10:00:00Z"));
    let bounce = read("bounce-report-hard.eml");
    assert_eq!((bounce.return_path, bounce.null_return_path), (None, true));
    assert_eq!(bounce.original_message_id.as_deref(), Some("01J8.sent@outreach.example"));
    assert_eq!(read("auto-read-receipt.eml").original_message_id.as_deref(), Some("01J8.sent@outreach.example"));
}

#[test]
fn attachments_are_listed_and_not_opened() {
    let report = read("aggregate-report.eml");
    assert_eq!(report.attachments.len(), 1);
    assert_eq!(report.attachments[0].media_type, "application/zip");
    assert_eq!(report.attachments[0].filename.as_deref(), Some("provider.example!outreach.example!1.zip"));
}

#[test]
fn evidence_never_quotes_the_mail() {
    for file in ["bounce-words.eml", "reply-opt-out.eml", "auto-out-of-office-bare.eml", "complaint.eml"] {
        let incoming = read(file);
        let evidence = format!("{:?}", incoming.verdict.evidence);
        assert!(!evidence.contains('@'), "{file}: {evidence}");
    }
}

#[test]
fn a_verdict_survives_being_stored() {
    for file in
        ["bounce-report-alias.eml", "auto-out-of-office.eml", "auto-calendar.eml", "reply-opt-out.eml", "complaint.eml"]
    {
        let incoming = read(file);
        let stored = serde_json::to_string(&incoming).unwrap();
        assert_eq!(serde_json::from_str::<Incoming>(&stored).unwrap(), incoming, "{file}");
    }
}

#[test]
fn the_scoring_line_names_what_a_scorer_asks() {
    let line = inbound::report::line("a.eml", &read("bounce-report-alias.eml"));
    assert_eq!(line["kind"], "bounce");
    assert_eq!(line["bounce_type"], "soft");
    assert_eq!(line["recipient"], serde_json::json!(["ann.b@store.customer.example", "ann@customer.example"]));
    assert_eq!(line["orig_message_id"], "01J8.sent@outreach.example");
    let line = inbound::report::line("b.eml", &read("auto-out-of-office.eml"));
    assert_eq!((&line["kind"], &line["out_of_office"]), (&"auto_reply".into(), &true.into()));
    assert_eq!(line["return_date"], "2026-07-20");
}
