//! The real run: `cadenza rehearse` takes the example sequence with its people through Debian's Postfix and Dovecot, and
//! then the delivered mails are read as they lie in the mailboxes, beside what the database and the files say.

mod checks;
mod evidence;

use crate::commands::{cadenza, told};
use cadenza_store::{Database, migrations, schema::SCHEMA};
use cadenza_testkit::postgres::cluster;
use cadenza_testkit::{MailServers, Scratch, free_port};
use evidence::Evidence;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

const CONTACTS: &str = include_str!("../../../../../examples/contacts.csv");
/// A Monday before Easter and before the clocks change.
const START: &str = "2027-03-01";
/// Twenty minutes a second, where there is work.
const SCALE: &str = "1200";

#[test]
fn real_mail_of_a_whole_sequence_reaches_a_thousand_people() {
    let folder = Scratch::new("rehearsal");
    let contacts = folder.join("contacts.csv");
    std::fs::write(&contacts, CONTACTS).unwrap();
    let servers = MailServers::start().unwrap();
    let summary = rehearse(&servers, &folder, &contacts, None);
    let database = format!("sqlite:{}", folder.join("data").join("cadenza.db").display());
    let evidence = Evidence::gather(&servers, &database, CONTACTS);
    assert_eq!(summary["enrolled"], 1_000);
    assert!(evidence.mails.len() > 1_700, "{} mails", evidence.mails.len());
    for (class, least) in [("reply", 100), ("bounce", 10), ("out_of_office", 20)] {
        assert!(summary["received"][class].as_i64() >= Some(least), "{class}: {summary}");
    }
    assert!(summary["people"]["unsubscribe"].as_i64() >= Some(3), "{summary}");
    // On paper it comes to the same.
    let states = simulated(&contacts)["states"].clone();
    assert_eq!(summary["states"], states);
    all_is_as_it_should_be(&servers, &evidence, &summary);
}

#[test]
fn real_mail_of_a_whole_sequence_on_postgres_reaches_everybody() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database_like(&SCHEMA.join(";"), |url| {
        migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), SCHEMA).unwrap();
    });
    let folder = Scratch::new("rehearsal");
    let some: String = CONTACTS.split_inclusive('\n').take(81).collect();
    let contacts = folder.join("contacts.csv");
    std::fs::write(&contacts, &some).unwrap();
    let servers = MailServers::start().unwrap();
    let summary = rehearse(&servers, &folder, &contacts, Some(&database.url()));
    let evidence = Evidence::gather(&servers, &database.url(), &some);
    assert_eq!(summary["enrolled"], 80);
    assert!(evidence.mails.len() > 100, "{} mails", evidence.mails.len());
    all_is_as_it_should_be(&servers, &evidence, &summary);
}

#[test]
fn nothing_but_this_machine_and_an_empty_folder_will_do() {
    let folder = Scratch::new("rehearsal");
    let data = folder.join("data").display().to_string();
    let files = ["rehearse", "examples/outreach.toml", "--contacts", "examples/contacts.csv"];
    let run = |rest: &[&str]| told(&cadenza(&[&files[..], rest, &["--data", &data]].concat()));
    let said = run(&["--smtp", "192.0.2.1:25"]);
    assert!(said.contains("is not this machine") && said.ends_with("exit code 2"), "{said}");
    let script = folder.join("script.toml");
    std::fs::write(&script, "[[reaction]]\nstep = \"intro\"\ndo = \"meeting\"\n").unwrap();
    let said = run(&["--smtp", "127.0.0.1:9", "--script", &script.display().to_string()]);
    assert!(said.contains("a booked meeting cannot be rehearsed"), "{said}");
    assert!(!folder.join("data").exists(), "nothing was begun");
    let add = ["user", "add", "--workspace", "W", "--name", "Ada", "ada@agency.example", "--data", &data];
    let added = cadenza(&add);
    assert!(added.status.success(), "{}", told(&added));
    let listen = format!("127.0.0.1:{}", free_port().unwrap());
    let said = run(&["--smtp", "127.0.0.1:9", "--listen", &listen]);
    assert!(said.contains("a rehearsal begins with nothing"), "{said}");
}

/// Runs it to its end and answers the summary.
fn rehearse(servers: &MailServers, folder: &Scratch, contacts: &Path, database: Option<&str>) -> Value {
    let began = Instant::now();
    let smtp = format!("127.0.0.1:{}", servers.mx_port());
    let listen = format!("127.0.0.1:{}", free_port().unwrap());
    let (contacts, data) = (contacts.display().to_string(), folder.join("data").display().to_string());
    let mut words = vec!["rehearse", "examples/outreach.toml", "--contacts", &contacts];
    words.extend(["--script", "examples/reactions.toml", "--smtp", &smtp, "--start", START, "--json"]);
    words.extend(["--data", &data, "--listen", &listen, "--time-scale", SCALE]);
    words.extend(database.iter().flat_map(|url| ["--database", url]));
    let output = cadenza(&words);
    assert!(output.status.success(), "{}", told(&output));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", told(&output)));
    servers.wait_until_delivered(Duration::from_secs(30)).unwrap();
    println!("{:.1} days in {:?}: {summary}", summary["simulated_days"], began.elapsed());
    summary
}

/// The summary of the same on paper.
fn simulated(contacts: &Path) -> Value {
    let contacts = contacts.display().to_string();
    let words = ["simulate", "examples/outreach.toml", "--contacts", &contacts, "--script", "examples/reactions.toml"];
    let output = cadenza(&[&words[..], &["--start", START, "--days", "120", "--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    last["summary"].clone()
}

fn all_is_as_it_should_be(servers: &MailServers, evidence: &Evidence, summary: &Value) {
    assert_eq!((summary["end"].as_str(), summary["wrong"].as_i64()), (Some("rest"), Some(0)), "{summary}");
    assert_eq!(summary["failures"], serde_json::json!({}), "what conditions asked for");
    assert_eq!(summary["sends"]["email: sent"].as_u64(), Some(evidence.mails.len() as u64), "{}", servers.log());
    checks::every_mail_is_a_recorded_one_and_came_once(evidence);
    checks::each_reached_the_right_person_with_every_header(evidence);
    checks::each_says_what_it_should_to_that_person(evidence);
    checks::links_lead_to_the_right_message(evidence);
    checks::steps_came_in_order_and_in_their_threads(evidence);
    checks::automatic_mail_kept_to_window_and_limits(evidence);
    checks::nobody_was_written_to_after_an_answer(evidence);
    checks::texts_reached_the_right_numbers(evidence);
    checks::tasks_were_done_once(evidence, summary);
    checks::a_mail_program_finds_them_over_imap(servers, evidence);
}
