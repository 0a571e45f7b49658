//! The benches are the real thing: what they say was done, was done.

use super::{cadenza, told};
use cadenza_testkit::postgres::cluster;
use cadenza_testkit::{Scratch, SmtpSink};
use serde_json::Value;
use std::collections::HashSet;

#[test]
fn a_drip_sends_every_mail_once_and_says_how_fast() {
    let folder = Scratch::new("bench");
    let server = cluster().map(|cluster| cluster.database());
    for database in [None, server.as_ref().map(|s| s.url())].into_iter().take(1 + usize::from(server.is_some())) {
        let sink = SmtpSink::start_keeping(&[]).unwrap();
        let (smtp, data) = (format!("127.0.0.1:{}", sink.port()), folder.join("data").display().to_string());
        let mut words = vec!["bench", "drip", "--contacts", "60", "--mailboxes", "5", "--smtp", &smtp, "--json"];
        words.extend(["--data", &data]);
        words.extend(database.iter().flat_map(|url| ["--database", url.as_str()]));
        let output = cadenza(&words);
        assert!(output.status.success(), "{}", told(&output));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&said["steps"], &said["mailboxes"], &said["dot_permits"]), (&180.into(), &5.into(), &480.into()));
        let (steps, seconds) = (said["steps_per_s"].as_f64().unwrap(), said["seconds"].as_f64().unwrap());
        assert!((steps * seconds - 180.0).abs() < 2.0 + seconds, "{said}");
        assert!(said["cpu_s_per_1k"].as_f64().unwrap() > 0.0 && said["peak_rss_mb"].as_f64().unwrap() > 1.0, "{said}");
        let mails = sink.mails().unwrap();
        assert_eq!(mails.len(), 180);
        let texts: Vec<String> = mails.iter().map(|m| String::from_utf8_lossy(m).into_owned()).collect();
        let header = |mail: &String, name: &str| {
            mail.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {mail}")).to_owned()
        };
        let ids: HashSet<String> = texts.iter().map(|mail| header(mail, "Message-ID:")).collect();
        assert_eq!(ids.len(), 180, "each once");
        let senders: HashSet<String> = texts.iter().map(|mail| header(mail, "X-Mail-Args:")).collect();
        assert_eq!(senders.len(), 5, "over all mailboxes");
        assert!(texts.iter().all(|mail| mail.contains("multipart/alternative") && mail.len() > 3_000));
        assert!(!folder.join("data").exists(), "nothing is left behind");
    }
}

/// Runs a bench on each database there is; `more` are words for those on a server. Its JSON, once for each.
fn measured(words: &[&str], databases: usize, more: fn(&[String]) -> Vec<String>) -> Vec<Value> {
    let folder = Scratch::new("bench");
    let data = folder.join("data").display().to_string();
    let servers: Vec<_> = cluster().map_or_else(Vec::new, |c| (0..databases).map(|_| c.database()).collect());
    let urls: Vec<String> = servers.iter().map(|s| s.url()).collect();
    let mut said = Vec::new();
    for extra in [Vec::new(), more(&urls)].into_iter().take(1 + usize::from(!urls.is_empty())) {
        let mut all = [&["bench"], words, &["--json", "--data", &data]].concat();
        all.extend(extra.iter().map(String::as_str));
        let output = cadenza(&all);
        assert!(output.status.success(), "{all:?}: {}", told(&output));
        assert!(!folder.join("data").exists(), "nothing is left behind");
        said.push(serde_json::from_slice(&output.stdout).unwrap());
    }
    said
}

fn on_a_server(urls: &[String]) -> Vec<String> {
    vec!["--database".into(), urls[0].clone()]
}

#[test]
fn enrolling_is_measured_and_counted() {
    for said in measured(&["enroll", "--contacts", "1200"], 1, on_a_server) {
        assert_eq!(said["enrolled"], 1_200, "{said}");
        let (rate, seconds) = (said["per_s"].as_f64().unwrap(), said["seconds"].as_f64().unwrap());
        assert!((rate * seconds - 1_200.0).abs() < 2.0 + rate * 0.001 + seconds, "{said}");
        assert!(said["cpu_s_per_1k"].as_f64().unwrap() > 0.0 && said["peak_rss_mb"].as_f64().unwrap() > 1.0, "{said}");
    }
}

#[test]
fn a_due_step_is_measured_while_others_wait() {
    let words = ["tick", "--waiting", "150", "--against", "40", "--due", "30", "--rounds", "2"];
    let both = |urls: &[String]| {
        ["--database", &urls[0], "--against-database", &urls[1]].into_iter().map(str::to_owned).collect()
    };
    for said in measured(&words, 2, both) {
        assert_eq!((&said["waiting"], &said["steps"]), (&150.into(), &60.into()), "{said}");
        assert_eq!((&said["against"]["waiting"], &said["against"]["steps"]), (&40.into(), &60.into()), "{said}");
        let (large, small) = (said["us_per_step"].as_f64().unwrap(), said["against"]["us_per_step"].as_f64().unwrap());
        assert!((said["ratio"].as_f64().unwrap() - large / small).abs() < 0.001, "{said}");
    }
    for said in measured(&words, 1, on_a_server).into_iter().skip(1) {
        assert!(said.get("ratio").is_none() && said["us_per_step"].as_f64().unwrap() > 0.0, "{said}");
    }
}

#[test]
fn events_are_measured_and_noted() {
    for said in measured(&["events", "--contacts", "40", "--connections", "8"], 1, on_a_server) {
        assert_eq!(said["events"], 120, "{said}");
        for kind in ["open", "click", "unsubscribe"] {
            assert!(said["events_per_s"][kind].as_f64().unwrap() > 0.0, "{said}");
            assert!(said["slowest_ms"][kind].as_f64().unwrap() > 0.0, "{said}");
            assert!(said["noted_later"][kind].is_number(), "{said}");
        }
    }
}

#[test]
fn benches_say_what_they_cannot_do() {
    let folder = Scratch::new("bench-refused");
    let here = folder.path().display().to_string();
    let memory = ["--database", "sqlite::memory:", "--against-database", "sqlite::memory:"];
    for (words, expected) in [
        (vec!["enroll", "--contacts", "0"], "1..=5000000"),
        (vec!["enroll", "--contacts", "1", "--data", &here], "it exists"),
        (vec!["tick", "--waiting", "1", "--rounds", "91"], "1..=90"),
        ([&["tick", "--waiting", "1"], &memory[..]].concat(), "give each its own"),
        (vec!["events", "--contacts", "1", "--listen", "192.0.2.1:1"], "cannot be listened on"),
    ] {
        let elsewhere = folder.join("made").display().to_string();
        let mut all = [vec!["bench"], words].concat();
        if !all.contains(&"--data") {
            all.extend(["--data", &elsewhere]);
        }
        let said = told(&cadenza(&all));
        assert!(said.contains(expected) && !said.ends_with("exit code 0"), "{all:?}: {said}");
    }
}

#[test]
fn a_drip_says_what_it_cannot_do() {
    let folder = Scratch::new("bench-refused");
    let sink = SmtpSink::start().unwrap();
    let smtp = format!("127.0.0.1:{}", sink.port());
    let here = folder.path().display().to_string();
    for (words, expected) in [
        (vec!["--contacts", "10", "--smtp", "nowhere"], "expected HOST:PORT"),
        (vec!["--contacts", "0", "--smtp", &smtp], "1..=1000000"),
        (vec!["--contacts", "10", "--smtp", "127.0.0.1:9"], "--smtp 127.0.0.1:9"),
        (vec!["--contacts", "10", "--smtp", &smtp, "--data", &here], "it exists"),
    ] {
        let all: Vec<&str> = ["bench", "drip"].into_iter().chain(words).collect();
        let said = told(&cadenza(&all));
        assert!(said.contains(expected) && !said.ends_with("exit code 0"), "{all:?}: {said}");
    }
}
