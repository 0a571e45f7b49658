//! Views as a busy day would fill them, for looking at every template without a server: each page as it usually is, empty,
//! in trouble and crowded.

mod tasks;

use super::parts::{Moment, Watch};
use super::shell::{NavItem, Place, Shell};
use askama::Template;
use cadenza_core::calendar::{Delay, DelayUnit};
use cadenza_core::flow::{Branch, Condition, Content, Flow, Key, Outcome, Step, StepKind, Then, Verdict, When};
use cadenza_core::time::{Span, Time};

fn watch() -> Watch {
    Watch { now: "2027-03-01T09:24:00Z".parse().unwrap(), zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap() }
}

fn now() -> Time {
    watch().now
}

fn near(minutes: i64) -> Moment {
    watch().near(now() + Span::minutes(minutes))
}

fn shell(place: Place) -> Shell {
    let count = |p: Place| match p {
        Place::Tasks => Some(37),
        Place::Sandbox => Some(3),
        _ => None,
    };
    let item = |p: &Place| NavItem { place: *p, current: *p == place, count: count(*p) };
    Shell {
        nav: Place::ALL.iter().map(item).collect(),
        workspace: "Northwind Talent".into(),
        user: "Ann Lindqvist".into(),
        role: "Admin".into(),
        clock: Some(watch().exact(now())),
        seen: 7,
        said: None,
        banners: Vec::new(),
    }
}

fn content(name: &str, days: u32) -> Content {
    Content {
        name: name.into(),
        delay: Delay::new(days, DelayUnit::Days).unwrap(),
        ..serde_json::from_value(serde_json::json!({"name": "", "delay": "none"})).unwrap()
    }
}

fn step(key: &str, kind: StepKind, name: &str, days: u32, conditions: Vec<Condition>) -> Step {
    Step { key: key.parse().unwrap(), kind, conditions, content: content(name, days), revision: 1 }
}

fn when(when: When, days: Option<u32>, then: Then) -> Condition {
    Condition { when, within: days.map(|d| Delay::new(d, DelayUnit::Days).unwrap()), then, also: Vec::new() }
}

/// Two branches beside the main one, one of them a loop back.
pub fn flow() -> Flow {
    let branch = |key: &str| Then::Branch { branch: key.parse().unwrap(), delay: None };
    let to = |key: &str| Then::Step { step: key.parse().unwrap(), delay: None };
    let outcome = |o: Outcome, then| when(When::Outcome(o), None, then);
    let main = vec![
        step(
            "intro",
            StepKind::EmailAuto,
            "Introduction",
            0,
            vec![
                when(When::Clicked(None), Some(3), branch("warm")),
                when(When::Replied, Some(3), Then::End(Verdict::Positive)),
            ],
        ),
        step("connect", StepKind::Linkedin, "Connect on LinkedIn", 2, vec![]),
        step(
            "call",
            StepKind::Call,
            "First call",
            1,
            vec![
                outcome(Outcome::Interested, Then::End(Verdict::Positive)),
                outcome(Outcome::NotInterested, Then::End(Verdict::Negative)),
                outcome(Outcome::Custom("Call back later".into()), branch("later")),
            ],
        ),
        step("nudge", StepKind::EmailAuto, "Nudge in the same thread", 3, vec![]),
        step("text", StepKind::SmsAuto, "Short text", 2, vec![]),
        step("bye", StepKind::EmailManual, "Goodbye, written by hand", 5, vec![]),
    ];
    let warm = vec![
        step("demo", StepKind::Task, "Prepare the demo", 0, vec![]),
        step("after-demo", StepKind::EmailAuto, "Demo dates", 1, vec![when(When::Opened, Some(5), to("demo-call"))]),
        step("demo-call", StepKind::Call, "Agree on a date", 2, vec![outcome(Outcome::NoAnswer, to("after-demo"))]),
    ];
    let later = vec![step(
        "later-call",
        StepKind::Call,
        "Call again next quarter, when the budget is known",
        60,
        vec![outcome(Outcome::NoAnswer, to("nudge"))],
    )];
    let named = |key: &str, name: &str, steps| Branch { key: key.parse::<Key>().unwrap(), name: name.into(), steps };
    Flow {
        version: 4,
        branches: vec![named("main", "Main", main), named("warm", "Clicked", warm), named("later", "Later", later)],
    }
}

/// Every page in every condition: its name and its HTML.
fn all() -> Vec<(&'static str, String)> {
    tasks::pages()
}

fn page(name: &'static str, template: &impl Template) -> (&'static str, String) {
    (name, template.render().unwrap())
}

/// Looks at the HTML as a browser under our policy would: nothing inline, nothing from elsewhere, no two equal ids.
#[test]
fn every_template_renders_and_keeps_to_the_policy() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pages");
    for (name, html) in all() {
        assert!(!html.contains(" style=\"") && !html.contains("<style"), "{name}: inline style");
        assert!(!html.contains(" onclick") && !html.contains("<script>"), "{name}: inline script");
        assert!(!html.contains("href=\"http") && !html.contains("src=\"http"), "{name}: another host");
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|t| t.split('"').next()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id twice in {ids:?}");
        if folder.is_dir() {
            std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
        }
    }
}
