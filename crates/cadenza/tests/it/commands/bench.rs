//! The bench is the real thing: what it says it sent, the server has.

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
        assert_eq!((&said["steps"], &said["mailboxes"], &said["dot_permits"]), (&180.into(), &5.into(), &160.into()));
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
