//! Sequence files, scripts of reactions and tables of people. What still reads and passes the checks is simulated.

use crate::mutate::{hold, within};
use cadenza_core::calendar::{Quiet, Zone};
use cadenza_core::flow::check::{Grounds, Severity, check};
use cadenza_core::flow::file::{SequenceFile, parse, plan, write};
use cadenza_core::settings::Settings;
use cadenza_core::simulate::{Contact, Script, Setup, run};

const OUTREACH: &str = include_str!("../../../../examples/outreach.toml");
const REACTIONS: &str = include_str!("../../../../examples/reactions.toml");

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
window = { days = ["mon", "sat"], start = "08:30", stop = 24:00:00 }
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

#[test]
fn sequence_files_are_read_or_refused() {
    let small = parse(&SMALL.replace("24:00:00", "\"24:00\""));
    let before = parse(OUTREACH).unwrap_or_else(|e| panic!("{e:?}"));
    let make = |dice: &mut crate::mutate::Dice| dice.bent_text(&[OUTREACH, SMALL], PIECES);
    assert!(small.is_ok() || small.is_err_and(|e| !e.is_empty()));
    hold(500, within(50), make, |text| match parse(text) {
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            assert!(mistakes.iter().all(|m| m.line >= 1 && m.column >= 1 && !m.message.is_empty()));
        }
        Ok(file) => {
            assert_eq!(parse(&write(&file)).as_ref(), Ok(&file), "reads back as written");
            let _ = plan(Some(&before), &file);
            if may_run(&file) {
                let _ = run(&file, &people(), &Script::default(), &setup());
            }
        }
    });
}

#[test]
fn scripts_of_reactions_are_read_or_refused() {
    let file = parse(OUTREACH).unwrap();
    let flow = file.flow();
    let make = |dice: &mut crate::mutate::Dice| dice.bent_text(&[REACTIONS], PIECES);
    hold(300, within(50), make, |text| match Script::parse(text) {
        Err(mistakes) => assert!(!mistakes.is_empty()),
        Ok(script) => {
            if script.check(&flow).is_empty() {
                run(&file, &people(), &script, &setup()).unwrap();
            }
        }
    });
}

#[test]
fn many_mistakes_are_named_in_time() {
    for line in ["x%n = 1\n", "[[branch]]\nkye = %n\n", "[[reaction]]\nsed = %n\n"] {
        let text: String = (0..10_000).map(|n| line.replace("%n", &n.to_string())).collect();
        let begun = std::time::Instant::now();
        assert!(parse(&text).is_err());
        assert!(Script::parse(&text).is_err());
        assert!(begun.elapsed() < within(2_000), "{line:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn rows_of_people_are_read_or_refused() {
    const CELLS: &[&str] = &[
        "Ada",
        "ada@example.org",
        "work",
        "+1 (415) 555-0139",
        "Europe/Berlin",
        "Lantern Foods",
        "https://a.example",
        "7",
    ];
    const COLUMNS: &[&str] =
        &["email", "email_type", "phone", "phone_type", "time_zone", "owner", "first_name", "title", "x"];
    hold(
        500,
        within(20),
        |dice| {
            (0..dice.below(12))
                .map(|_| (dice.bent_text(COLUMNS, &[" ", "-", "_"]), dice.bent_text(CELLS, &["@", ".", "+", " "])))
                .collect::<Vec<_>>()
        },
        |row| match Contact::from_row(row.iter().map(|(c, v)| (c.as_str(), v.as_str()))) {
            Ok(contact) => {
                assert!(contact.person.emails.len() + contact.person.phones.len() > 0);
                let said = [&contact.person.emails, &contact.person.phones];
                assert!(said.into_iter().flatten().all(|a| !a.value.contains(['\r', '\n', '\0', ' '])), "{contact:?}");
            }
            Err(mistakes) => assert!(!mistakes.is_empty()),
        },
    );
}
