//! The page's table of what may stand in the way: each gate shut by itself, before the claim and before the final dot.

use crate::case::{COLLEAGUE, Case, USER};
use crate::cell::{claims, differences};
use crate::columns::{Ended, build, full};
use crate::page::{Cell, Table, tables};
use crate::rules::broken;
use cadenza_core::absence::{Away, Meanwhile};
use cadenza_core::calendar::{HolidayDate, Holidays};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::facts::{Inbox, Outage};
use cadenza_core::gates::Gate;
use cadenza_core::machine::Event;
use cadenza_core::settings::Settings;
use cadenza_core::time::Span;

/// What stands in the way, the gate that must be the only one to say so, and how it is arranged.
type InTheWay = (&'static str, Option<Gate>, fn(&mut Case));

const CAUSES: &[InTheWay] = &[
    ("nothing", None, |_| {}),
    ("a restored database", Some(Gate::RestoreHold), |c| c.around.restore_hold = true),
    ("the sequence is paused", Some(Gate::Sequence), |c| c.sequence.state = SequenceState::Paused),
    ("the end date has passed", Some(Gate::EndDate), |c| c.sequence.end = Some(c.now)),
    ("the server stood still for more than a day", None, |c| {
        let outage = Outage { from: c.now, to: c.now + Span::hours(27) };
        c.around.outage = Some(outage);
        c.now = outage.to;
    }),
    ("no address", Some(Gate::MissingData), |c| c.person.emails.clear()),
    ("a merge field is empty", Some(Gate::MissingData), |c| c.missing_field = Some("contact.first_name".into())),
    ("the address is suppressed", Some(Gate::Suppression), |c| {
        c.person.emails[0].suppressed = Some("imported".into());
    }),
    ("the owner has no mailbox", Some(Gate::Mailbox), |c| {
        c.e.mailbox = None;
        c.around.mailboxes.retain(|m| m.owner == COLLEAGUE);
    }),
    ("the mailbox is held", Some(Gate::Mailbox), |c| c.around.mailboxes[0].held = Some("550 5.7.1".into())),
    ("its inbox is stale", Some(Gate::InboxFreshness), |c| {
        c.around.mailboxes[0].inbox = Inbox::Stale { read_at: c.now - Span::hours(1) };
    }),
    ("the mailbox's cap is full", Some(Gate::MailboxCap), |c| c.ledger = full(c)),
    ("it is night", Some(Gate::Window), |c| c.now = "2027-03-03T22:00:00Z".parse().unwrap()),
    ("a holiday", Some(Gate::Holiday), |c| {
        let today: HolidayDate = "03-03".parse().unwrap();
        c.sequence.settings.holidays = Holidays::none().with(today, Some("Harvest"));
    }),
    ("the owner is absent", Some(Gate::Absence), |c| c.around.absences.push(Away::holding(USER, None))),
    ("the owner is absent, and skips", Some(Gate::Absence), |c| {
        let mut away = Away::holding(USER, None);
        away.rules.email_auto = Meanwhile::Skip;
        c.around.absences.push(away);
    }),
];

fn table() -> Table {
    tables().into_iter().find(|t| t.heading == "What may stand in the way").expect("the page has the table")
}

#[test]
fn the_page_names_what_may_stand_in_the_way() {
    let table = table();
    assert_eq!(table.columns, ["in the way", "wake, its moment", "dot mark"]);
    let named: Vec<&str> = table.rows.iter().map(|r| r[0].as_str()).collect();
    let known: Vec<&str> = CAUSES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(named, known);
}

#[test]
fn a_shut_gate_does_what_the_page_says() {
    let mut wrong = Vec::new();
    let table = table();
    for (written, (label, gate, shut)) in table.rows.iter().zip(CAUSES) {
        for (column, state) in [("wake, its moment", "waiting"), ("dot mark", "before the mark")] {
            let cell = Cell { table: &table.heading, row: label, column, text: table.at(written, column) };
            let mut case = build(state, Ended::No, Settings::default());
            case.await_its_moment();
            shut(&mut case);
            let event = match column {
                "dot mark" => Event::DotMark { visit: case.last_attempt.0, attempt: case.last_attempt.1 },
                _ => Event::Wake,
            };
            if column != "dot mark" {
                assert_eq!(shut_gates(&case), gate.iter().copied().collect::<Vec<_>>(), "{label}");
            }
            let result = case.ask(&event);
            let mut found = match claims(cell.text, state) {
                Ok(claimed) => differences(&claimed, &case, None, &result),
                Err(why) => vec![why],
            };
            if let Ok(decision) = &result {
                found.extend(broken(&decision.enrollment, &case.flow));
            }
            wrong.extend(found.into_iter().map(|why| format!("{cell}\n    {why}")));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

fn shut_gates(case: &Case) -> Vec<Gate> {
    use cadenza_core::gates::{Occasion, Question};
    let facts = case.facts();
    let question = Question { enrollment: &case.e, flow: &case.flow, facts, now: case.now, occasion: Occasion::Claim };
    question.all().into_iter().filter(|(_, shut)| shut.is_some()).map(|(gate, _)| gate).collect()
}
