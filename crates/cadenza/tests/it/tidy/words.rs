//! Words that may stand in certain places only, and names that say nothing.

use super::Finding;
use super::source::Source;

/// What of a file a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// The code outside tests.
    Code,
    /// The code, tests too.
    CodeAndTests,
    /// Everything outside tests: comments and strings too.
    Text,
}

/// Some words and the places where they may stand.
#[derive(Debug)]
struct Rule {
    /// A finding is any of these, not continuing a longer word.
    words: &'static [&'static str],
    /// Paths that the rule is about, by how they begin.
    about: &'static [&'static str],
    /// Among them those where the words may stand.
    but: &'static [&'static str],
    reads: Reads,
    /// Why, and what to do instead.
    why: &'static str,
}

const PRODUCT: &[&str] = &["crates/cadenza-core/src/", "crates/cadenza-store/src/", "crates/cadenza/src/"];
const SERVER: &str = "crates/cadenza/src/";
const CORE: &str = "crates/cadenza-core/src/";

const RULES: &[Rule] = &[
    Rule {
        words: &["sqlite", "SQLite", "Sqlite", "postgres", "Postgres", "PostgreSQL", "postgresql", "rusqlite"],
        about: &[CORE, SERVER],
        but: &["crates/cadenza/src/config", "crates/cadenza/src/commands", "crates/cadenza/src/main.rs"],
        reads: Reads::Text,
        why: "both engines run the same statements: what differs between them is the store's own matter",
    },
    Rule {
        words: &["TcpStream", "UnixStream", "UdpSocket"],
        about: &[SERVER],
        but: &["crates/cadenza/src/mail/"],
        reads: Reads::Code,
        why: "only mail/ opens mail connections: call it",
    },
    Rule {
        words: &["lookup_host", "ToSocketAddrs"],
        about: &[SERVER],
        but: &["crates/cadenza/src/reach/"],
        reads: Reads::Code,
        why: "whoever uses the server may name any host: reach/ asks for its addresses and refuses private ones, and what it \
              answers is connected to",
    },
    Rule {
        words: &["reqwest::Client", "ClientBuilder"],
        about: &[SERVER],
        // The commands speak to servers of this machine.
        but: &["crates/cadenza/src/reach/", "crates/cadenza/src/commands/"],
        reads: Reads::Code,
        why: "requests to what users name go out through reach/, which refuses private addresses: call it",
    },
    Rule {
        words: &[
            "SystemTime::now",
            "Zoned::now",
            "Timestamp::now",
            "getrandom",
            "OsRng",
            "thread_rng",
            "SystemRandom",
            "Uuid::now_v7",
            "Uuid::new_v4",
            "Uuid::new_v7",
        ],
        about: PRODUCT,
        but: &["crates/cadenza/src/clock.rs", "crates/cadenza/src/clock/"],
        reads: Reads::Code,
        why: "time and chance enter through clock.rs alone, so that simulation and tests can set them: take them from \
              the clock that is handed in",
    },
    // The store times its own batches and reconnections, which no test has to set.
    Rule {
        words: &["Instant::now"],
        about: &[CORE, SERVER],
        but: &["crates/cadenza/src/clock.rs", "crates/cadenza/src/clock/"],
        reads: Reads::Code,
        why: "time enters through clock.rs alone, so that simulation and tests can set it: take it from the clock that \
              is handed in",
    },
    Rule {
        words: &["env::var", "env::vars", "env::var_os", "env::vars_os", "env::set_var", "env = \""],
        about: PRODUCT,
        but: &["crates/cadenza/src/config.rs", "crates/cadenza/src/config/"],
        reads: Reads::Code,
        why: "config.rs alone reads the environment, so that every setting is in one list: add the setting there",
    },
    Rule {
        words: &[
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "std::env",
            "std::time",
            "async fn",
            "println!",
            "eprintln!",
            "static mut",
            "thread_local!",
        ],
        about: &[CORE],
        but: &[],
        reads: Reads::Code,
        why: "the core decides from what it is given and touches nothing: make it a parameter",
    },
    Rule {
        words: &["Tx", ".write(", ".write_async(", "cadenza_store::door"],
        about: &["crates/cadenza/src/http/"],
        but: &[],
        reads: Reads::Code,
        why: "http/ changes nothing by itself, or the CLI and the API would drift apart: write an action and call it",
    },
    Rule {
        words: &["#[allow(", "#![allow("],
        about: &["crates/"],
        but: &[],
        reads: Reads::CodeAndTests,
        why: "use #[expect(lint, reason = \"…\")]: it says why, and complains once there is no need for it",
    },
    Rule {
        words: &["todo!", "unimplemented!", "dbg!", "#[ignore"],
        about: &["crates/"],
        but: &[],
        reads: Reads::CodeAndTests,
        why: "what stands in the repository works: finish it or leave it out",
    },
    Rule {
        words: &["TODO", "FIXME", "XXX"],
        about: PRODUCT,
        but: &[],
        reads: Reads::Text,
        why: "what stands in the repository works: finish it or leave it out",
    },
    Rule {
        words: &[".expect("],
        about: PRODUCT,
        but: &[],
        reads: Reads::Code,
        why: "a server does not end because of one surprise: return an error that names the place",
    },
];

/// Parts of a name that could stand on anything.
const EMPTY_NAMES: &[&str] =
    &["manager", "helper", "helpers", "util", "utils", "service", "services", "common", "misc"];

/// Words of one machine or of one person's copy, in two halves so that this file does not contain them.
const MACHINES: &[(&str, &str)] =
    &[("/ro", "ot/"), ("/ho", "me/"), ("/wo", "rk/"), ("/Use", "rs/"), ("localhost", ":3000")];

/// Hosts that a web address in this repository may have. Others are somebody's choice of where to get things from, and
/// that is for the person who builds to choose.
const HOSTS: &[&str] = &[
    "localhost",
    "www.rfc-editor.org",
    "www.w3.org",
    "www.apache.org",
    "spec.openapis.org",
    "json-schema.org",
    "www.iana.org",
    "unicode.org",
    "www.unicode.org",
    "www.standardwebhooks.com",
    "keepachangelog.com",
    "semver.org",
    "developer.mozilla.org",
    "docs.rs",
    // Token endpoints that users choose by name.
    "oauth2.googleapis.com",
    "login.microsoftonline.com",
];

/// Names reserved for examples (RFC 2606, RFC 6761).
const RESERVED: &[&str] = &["example.com", "example.org", "example.net", "example", "test", "invalid"];

pub fn misplaced(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for rule in RULES.iter().filter(|rule| begins(&source.path, rule.about) && !begins(&source.path, rule.but)) {
            breaches(source, rule, &mut findings);
        }
        foreign(source, &mut findings);
        addresses(source, &mut findings);
    }
    findings
}

/// Addresses in what people copy from: whoever tries an example must not write to somebody by it.
fn addresses(source: &Source, findings: &mut Vec<Finding>) {
    if !(source.path.ends_with(".md") || begins(&source.path, &["examples/", "docs/"])) {
        return;
    }
    for (number, line) in source.lines() {
        let words = line.split(|character: char| !(character.is_alphanumeric() || "@.-_+".contains(character)));
        for (_, host) in words.filter_map(|word| word.split_once('@')) {
            let host = host.trim_end_matches('.');
            if host.contains('.') && !reserved(host) {
                findings.push(
                    source.finding(number, format!("mail to `{host}` may reach somebody: use example.com or .test")),
                );
            }
        }
    }
}

fn reserved(host: &str) -> bool {
    RESERVED.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")))
}

fn begins(path: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| path.starts_with(prefix))
}

fn breaches(source: &Source, rule: &Rule, findings: &mut Vec<Finding>) {
    for (number, text) in source.lines() {
        if source.is_test(number) && rule.reads != Reads::CodeAndTests {
            continue;
        }
        let code = source.code.get(number - 1).map_or("", String::as_str);
        let line = if rule.reads == Reads::Text { text } else { code };
        // An attribute's string is blank in `code`; its name and the quote are there.
        if let Some(word) = rule.words.iter().find(|word| has_word(line, word)) {
            findings.push(source.finding(number, format!("`{word}`: {}", rule.why)));
        }
    }
}

/// Whether the word stands in the line and no letter, digit or underscore goes on from its ends.
fn has_word(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joined = |edge: Option<char>, beside: Option<char>| edge.is_some_and(part) && beside.is_some_and(part);
        !joined(word.chars().next(), before) && !joined(word.chars().next_back(), after)
    })
}

/// Machine paths, and web addresses of hosts that are nobody's example.
fn foreign(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.lines() {
        for (first, second) in MACHINES {
            if line.contains(&format!("{first}{second}")) {
                findings.push(
                    source.finding(
                        number,
                        format!("`{first}{second}` is one machine's: say it relative to the repository"),
                    ),
                );
            }
        }
        // Tests ask what becomes of odd addresses.
        for host in hosts(line).filter(|_| !source.is_test(number)) {
            if !reserved(host) && !HOSTS.contains(&host) {
                let what = format!("the host `{host}` is neither an example nor in the list of hosts (tidy/words.rs)");
                findings.push(source.finding(number, what));
            }
        }
    }
}

/// The hosts of the web addresses in a line; none where the host is filled in later (`https://{host}/`).
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    ["http://", "https://"].into_iter().flat_map(move |scheme| {
        line.match_indices(scheme).filter_map(move |(at, _)| {
            let rest = &line[at + scheme.len()..];
            let host = &rest[..rest
                .find(|c: char| !(c.is_alphanumeric() || "-._[:@".contains(c) || c == ']'))
                .unwrap_or(rest.len())];
            let host = host.rsplit('@').next().unwrap_or(host);
            let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) };
            let host = host.trim_end_matches('.');
            // In capitals it is a word to be filled in: http://HOST/.
            (!host.is_empty() && host.to_uppercase() != host).then_some(host)
        })
    })
}

/// Files and declared items with a name such as `helpers` or `MailManager`.
pub fn empty_names(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.path.ends_with(".rs") {
        return findings;
    }
    let why = "says nothing: name it after what it does or holds";
    let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if empty_part(stem) {
        findings.push(source.finding(1, format!("the file name `{stem}` {why}")));
    }
    for (index, line) in source.code.iter().enumerate() {
        let mut words = line.split(|character: char| !(character.is_alphanumeric() || character == '_'));
        while let Some(word) = words.next() {
            let empty = match word {
                "struct" | "enum" | "trait" | "type" | "mod" => empty_part,
                // A function's name may be a sentence, in which such a word has a meaning; what it ends in, it is.
                "fn" => empty_end,
                _ => continue,
            };
            if let Some(name) = words.clone().next().filter(|name| empty(name)) {
                findings.push(source.finding(index + 1, format!("the name `{name}` {why}")));
            }
        }
    }
    findings
}

fn empty_part(name: &str) -> bool {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake.split('_').any(|part| EMPTY_NAMES.contains(&part))
}

fn empty_end(name: &str) -> bool {
    name.rsplit('_').next().is_some_and(empty_part)
}

#[test]
fn planted_words_are_found_where_they_may_not_stand() {
    for (path, line, found) in [
        ("crates/cadenza-core/src/a.rs", "// as PostgreSQL does", true),
        ("crates/cadenza/src/http/a.rs", "let x = \"sqlite\";", true),
        ("crates/cadenza/src/config.rs", "let x = \"sqlite\";", false),
        ("crates/cadenza-store/src/a.rs", "let x = \"sqlite\";", false),
        ("crates/cadenza/src/engine/a.rs", "let s = TcpStream::connect(a);", true),
        ("crates/cadenza/src/mail/smtp.rs", "let s = TcpStream::connect(a);", false),
        ("crates/cadenza/src/mail/smtp.rs", "lookup_host(a).await", true),
        ("crates/cadenza/src/reach/find.rs", "lookup_host(a).await", false),
        ("crates/cadenza/src/engine/a.rs", "reqwest::Client::new()", true),
        ("crates/cadenza/src/engine/a.rs", "reqwest::Url::parse(a)", false),
        ("crates/cadenza/src/engine/a.rs", "let now = Instant::now();", true),
        ("crates/cadenza/src/engine/a.rs", "// Instant::now() is elsewhere", false),
        ("crates/cadenza/src/clock.rs", "let now = Instant::now();", false),
        ("crates/cadenza/src/main.rs", "let x = std::env::var(\"X\");", true),
        ("crates/cadenza/src/commands/serve.rs", "#[arg(long, env = \"CADENZA_X\")]", true),
        ("crates/cadenza-core/src/a.rs", "use std::fs;", true),
        ("crates/cadenza/src/http/a.rs", "store.write(|tx| ())", true),
        ("crates/cadenza/src/http/a.rs", "        .write_async(move |tx| ())", true),
        ("crates/cadenza/src/actions/a.rs", "store.write(|tx| ())", false),
        ("crates/cadenza/src/http/a.rs", "let Txt = 1;", false),
        ("crates/cadenza/tests/it/a.rs", "#[allow(dead_code)]", true),
        ("crates/cadenza/src/a.rs", "todo!()", true),
        ("crates/cadenza/src/a.rs", "x.expect(\"y\")", true),
        ("crates/cadenza/tests/it/a.rs", "x.expect(\"y\")", false),
        ("docs/a.md", "see https://www.rfc-editor.org/rfc/rfc5321 and http://shop.example:80/", false),
        ("docs/a.md", "write to ana@mail.example.org.", false),
        ("examples/a.csv", "Ana,ana@example.com.au,work", true),
        ("docs/a.md", "fetch it from https://files.somewhere.dev/x", true),
    ] {
        let found_here = !misplaced(&[Source::new(path, line)]).is_empty();
        assert_eq!(found_here, found, "{path}: {line}");
    }
    let path = format!("cd {}{}me", MACHINES[0].0, MACHINES[0].1);
    assert_eq!(misplaced(&[Source::new("README.md", &path)]).len(), 1);
}

#[test]
fn planted_empty_names_are_found() {
    for (path, line, found) in [
        ("crates/a/src/mail_utils.rs", "", true),
        ("crates/a/src/mail.rs", "pub struct MailManager;", true),
        ("crates/a/src/mail.rs", "fn send_helper() {}", true),
        ("crates/a/src/mail.rs", "fn common_tables_are_read() {}", false),
        ("crates/a/src/mail.rs", "impl Service for Mail {}", false),
        ("crates/a/src/mail.rs", "struct Commonality;", false),
    ] {
        assert_eq!(!empty_names(&Source::new(path, line)).is_empty(), found, "{path}: {line}");
    }
}
