//! Sequence files, scripts of reactions and rows of people. What still reads and passes the checks is simulated.

use super::{seeds, text};
use cadenza_core::calendar::{Quiet, Zone};
use cadenza_core::flow::check::{Grounds, Severity, check};
use cadenza_core::flow::file::{SequenceFile, parse, plan, write};
use cadenza_core::settings::Settings;
use cadenza_core::simulate::{Contact, Script, Setup, run};
use cadenza_testkit::Target;

pub const SEQUENCE_FILE: Target = Target {
    name: "",
    seeds: || seeds(&[OUTREACH, SMALL]),
    pieces: PIECES,
    judge: sequence_file,
    cases: 500,
    most_ms: 50,
};
pub const REACTIONS_SCRIPT: Target =
    Target { name: "", seeds: || seeds(&[REACTIONS]), pieces: PIECES, judge: reactions, cases: 300, most_ms: 50 };
pub const PERSON: Target =
    Target { name: "", seeds: || seeds(ROWS), pieces: CELLS, judge: person, cases: 500, most_ms: 20 };

const OUTREACH: &str = include_str!("../../../../../examples/outreach.toml");
const REACTIONS: &str = include_str!("../../../../../examples/reactions.toml");

/// Everything that the example leaves out.
const SMALL: &str = r#"
name = "Small"
form = "sequence"
owner = "ann@team.example"
team = ["bob@team.example"]
begin = 2027-03-01T09:00:00Z
end = "2027-12-24T00:00:00Z"
priority = "high"

[settings]
window = { days = ["mon", "sat"], start = "08:30", stop = "24:00" }
zone = "Pacific/Apia"
zone_of = "contact"
holidays = [{ date = "12-25", name = "Christmas" }, { date = 2027-05-17 }]
reply = "pause"
out_of_office = { resume = "return", days_after_return = 1, days_without_date = 7 }
soft_bounce = { tries = 3, hours = 72 }
email_rate = "10 per hour"
again = "after 30 days"

[[branch]]
key = "main"

[[branch.step]]
key = "a"
kind = "email_auto"
delay = "2 business days"
subject = "Hello {{ contact.first_name | default('there') }}"
text = """
Hi,
{{ snippet.sign }}
"""
  [[branch.step.when]]
  event = "clicked"
  within = "3 days"
  then = "branch side"
  [[branch.step.when]]
  event = "nothing"
  then = "end"

[[branch.step]]
key = "b"
kind = "call"
delay = "90 minutes"

[[branch]]
key = "side"
[[branch.step]]
key = "c"
kind = "sms_auto"
text = "Hello"

[[snippet]]
name = "sign"
text = "Regards, {{ sender.name }}"
"#;

const PIECES: &[&str] = &[
    "[[branch]]\n",
    "[[branch.step]]\n",
    "[[reaction]]\n",
    "[settings]\n",
    "key = \"a\"\n",
    "kind = \"sms_auto\"\n",
    "delay = \"4000000000 days\"\n",
    "delay = \"0 minutes\"\n",
    "within = \"1 hour\"\n",
    "then = \"step a\"\n",
    "then = \"branch main\"\n",
    "begin = 9999-12-31T23:59:59Z\n",
    "begin = -9999-01-01T00:00:00Z\n",
    "end = 1979-05-27\n",
    "holidays = [{ date = \"02-29\" }]\n",
    "window = { start = \"24:00\", stop = \"00:00\" }\n",
    "zone = \"America/Scoresbysund\"\n",
    "share = 1e-300\n",
    "after = \"0 minutes..9999999 days\"\n",
    "times = 4294967295\n",
    "'''",
    "\"\"\"",
    "{{ ",
    " }}",
    "{% for a in b %}",
    "x = 1\n",
    "a.b.c.d = 1\n",
    "[[[[[[[[",
    "{a={a={a=",
    " = ",
    "# ",
];

fn people() -> Vec<Contact> {
    Contact::invented(2, &Zone::utc())
}

fn setup() -> Setup {
    Setup { start: "2027-03-01T08:00:00Z".parse().unwrap(), days: 20, seed: None }
}

/// No error of the checks, as whoever runs it has to see to.
fn may_run(file: &SequenceFile) -> bool {
    let settings = file.settings.over(&Settings::default());
    let known = file.known();
    let from = setup().start;
    let grounds = Grounds { settings: &settings, known: &known, from, quiet: Quiet::default(), steps_max: 100 };
    check(&file.flow(), &grounds).iter().all(|f| f.severity != Severity::Error)
}

/// Reads as it was written, gives a plan against any other, and is simulated where the checks pass it.
fn sequence_file(bytes: &[u8]) {
    match parse(&text(bytes)) {
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            assert!(mistakes.iter().all(|m| m.line >= 1 && m.column >= 1 && !m.message.is_empty()));
        }
        Ok(file) => {
            let written = write(&file);
            let again = parse(&written).unwrap_or_else(|e| panic!("does not read back: {e:?}\n{written}"));
            assert_eq!(again, file, "reads back as another");
            assert_eq!(write(&again), written, "is written as another");
            let _ = plan(Some(&parse(OUTREACH).unwrap()), &file);
            if may_run(&file) {
                let _ = run(&file, &people(), &Script::default(), &setup());
            }
        }
    }
}

fn reactions(bytes: &[u8]) {
    match Script::parse(&text(bytes)) {
        Err(mistakes) => assert!(!mistakes.is_empty()),
        Ok(script) => {
            let file = parse(OUTREACH).unwrap();
            if script.check(&file.flow()).is_empty() {
                run(&file, &people(), &script, &setup()).unwrap();
            }
        }
    }
}

const ROWS: &[&str] = &[
    "email=ada@example.org\nfirst_name=Ada\ntime_zone=Europe/Berlin\ntitle=Engineer",
    "phone=+1 (415) 555-0139\nphone_type=work\nowner=ann@team.example",
    "email=Ada@Lantern.example\nemail_type=personal\nx=https://a.example\ncompany=Lantern Foods\nyears=7",
];
const CELLS: &[&str] = &[
    "email=",
    "email_type=",
    "phone=",
    "phone_type=",
    "time_zone=",
    "owner=",
    "first_name=",
    "work",
    "personal",
    "Europe/Berlin",
    "ada@example.org",
    "+14155550139",
    "@",
    ".",
    "+",
    " ",
    "_",
];

/// A line for each cell: `column=value`.
fn person(bytes: &[u8]) {
    let text = text(bytes);
    match Contact::from_row(text.lines().map(|line| line.split_once('=').unwrap_or((line, "")))) {
        Ok(contact) => {
            assert!(contact.person.emails.len() + contact.person.phones.len() > 0);
            let said = [&contact.person.emails, &contact.person.phones];
            assert!(said.into_iter().flatten().all(|a| !a.value.contains(['\r', '\n', '\0', ' '])), "{contact:?}");
        }
        Err(mistakes) => assert!(!mistakes.is_empty()),
    }
}

#[test]
fn many_mistakes_are_named_in_time() {
    for line in ["x%n = 1\n", "[[branch]]\nkye = %n\n", "[[reaction]]\nsed = %n\n"] {
        let text: String = (0..10_000).map(|n| line.replace("%n", &n.to_string())).collect();
        let begun = std::time::Instant::now();
        assert!(parse(&text).is_err());
        assert!(Script::parse(&text).is_err());
        let most = cadenza_testkit::bend::within(2_000);
        assert!(begun.elapsed() < most, "{line:?}: {:?}", begun.elapsed());
    }
}
