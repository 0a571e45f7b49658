//! Single values that people and programs write: zones, dates, times, delays, keys, ids, addresses, tokens, settings as JSON.

use super::{seeds, text};
use cadenza_core::calendar::{Date, Days, Delay, HolidayDate, Holidays, LocalMinute, Quiet, Weekday, Window, Zone};
use cadenza_core::compose::{Address, HeaderName, HeaderText, MessageId, MimeType, OneClickUrl, leads_to_the_web};
use cadenza_core::enrollment::fold;
use cadenza_core::flow::Key;
use cadenza_core::ids::{ContactId, EnrollmentId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::percent;
use cadenza_core::settings::Settings;
use cadenza_core::suppression::{Suppressible, fingerprint};
use cadenza_core::time::Time;
use cadenza_core::tokens::{InvalidToken, Purpose, Token};
use cadenza_testkit::Target;
use std::fmt::{Debug, Display};
use std::str::FromStr;

pub const WORD: Target =
    Target { name: "", seeds: || seeds(WORDS), pieces: PIECES, judge: word, cases: 500, most_ms: 20 };
pub const HEADER: Target =
    Target { name: "", seeds: || seeds(WORDS), pieces: PIECES, judge: header, cases: 2_000, most_ms: 20 };
pub const TOKEN: Target =
    Target { name: "", seeds: signed, pieces: TOKEN_PIECES, judge: token, cases: 2_000, most_ms: 20 };
pub const JSON: Target =
    Target { name: "", seeds: values, pieces: JSON_PIECES, judge: json, cases: 1_000, most_ms: 20 };

const WORDS: &[&str] = &[
    "Europe/Berlin",
    "America/Argentina/Buenos_Aires",
    "UTC",
    "Etc/GMT+12",
    "2027-03-01",
    "2028-02-29",
    "-0044-03-15",
    "9999-12-31",
    "2027-03-01T09:00:00Z",
    "2027-03-01T09:00:00.123456+05:45",
    "2027-03-28T02:30:00[Europe/Berlin]",
    "09:00",
    "24:00",
    "9:05:00",
    "12-25",
    "02-29",
    "3 days",
    "90 minutes",
    "2 business days",
    "none",
    "mon-fri",
    "mon,tue,sat",
    "every day",
    "friday",
    "intro-1",
    "contact_2Hk5vW8",
    "ann@example.org",
    "\"ann b\"@example.org",
    "ann@[127.0.0.1]",
    "ännchen@bücher.example",
    "<1.2@mail.example>",
    "text/plain; charset=utf-8",
    "X-Custom-Header",
    "https://example.org/u?t=1",
    "https://user:pw@example.org:8443/a#b",
    "de-CH",
    "10 per hour",
];
const PIECES: &[&str] = &[
    "/", "-", ":", "T", "Z", "+", "[", "]", "@", ".", ",", "..", " ", "days", "hours", "Europe/", "2027", "0000", "24",
    "60", "xn--", "://", "\\", "<", ">", "\"", "mon", "UTC",
];

/// Reads; what is read is written so that it reads again as the same.
fn reads<T>(text: &str)
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Err(why) => {
            let why = why.to_string();
            assert!(!why.is_empty() && why.len() < 2_000, "{why}");
        }
        Ok(value) => {
            let written = value.to_string();
            match written.parse::<T>() {
                Ok(again) => assert_eq!(again, value, "{text:?} is written as {written:?}"),
                Err(e) => panic!("{text:?} is written as {written:?}, which does not read: {e}"),
            }
        }
    }
}

fn word(bytes: &[u8]) {
    let text = &*text(bytes);
    reads::<Zone>(text);
    reads::<Date>(text);
    reads::<Time>(text);
    reads::<LocalMinute>(text);
    reads::<Days>(text);
    reads::<HolidayDate>(text);
    reads::<Delay>(text);
    reads::<Key>(text);
    reads::<ContactId>(text);
    let _ = (text.parse::<Weekday>(), Language::named(text), Language::accepted(text), leads_to_the_web(text));
    assert!(percent::decoded(text).len() <= 3 * text.len());
    for kind in Suppressible::ALL {
        let once = kind.folded(text);
        assert_eq!(kind.folded(&once), once);
        assert_eq!(fingerprint(b"key", kind, text), fingerprint(b"key", kind, &once));
    }
}

/// Nothing that is accepted for a header can end its line, and what is accepted reads again as the same.
fn header(bytes: &[u8]) {
    let text = &*text(bytes);
    let safe = |text: &str| assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    if let Ok(address) = text.parse::<Address>() {
        safe(address.as_str());
        assert_eq!(address.as_str().parse::<Address>().as_ref(), Ok(&address));
    }
    if let Ok(id) = text.parse::<MessageId>() {
        safe(id.as_str());
        assert_eq!(id.to_string().parse::<MessageId>().as_ref(), Ok(&id));
    }
    if let Ok(header) = HeaderText::try_from(text) {
        safe(header.as_str());
    }
    let _ = text.parse::<HeaderName>().map(|n| safe(&format!("{n:?}")));
    let _ = text.parse::<MimeType>().map(|n| safe(n.as_str()));
    let _ = text.parse::<OneClickUrl>().map(|n| safe(&n.to_string()));
}

const TOKEN_PIECES: &[&str] = &["A", "_", "-", "=", "AAAA", "b2", "z"];

fn tokens() -> [Token; 3] {
    let of =
        |n: i64, purpose| Token { workspace: WorkspaceId(n), enrollment: EnrollmentId(n << 30), visit: 3, purpose };
    let click = Purpose::Click("https://example.org/offer?id=7".into());
    [of(1, Purpose::Open), of(2, Purpose::Unsubscribe), of(i64::MAX, click)]
}

fn signed() -> Vec<Vec<u8>> {
    tokens().iter().map(|t| t.sign(b"key").into_bytes()).collect()
}

/// Whoever bends a token holds none: what is accepted says what was signed. And whatever is signed is read back.
fn token(bytes: &[u8]) {
    let text = &*text(bytes);
    let _ = Token::workspace_of(text);
    assert_eq!(Token::verify(text, b"other"), Err(InvalidToken));
    if let Ok(token) = Token::verify(text, b"key") {
        assert!(tokens().contains(&token), "{token:?}");
        assert_eq!(token.sign(b"key"), text, "a second text for one token");
    }
    let number = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(7, i64::from_be_bytes);
    let purposes = [Purpose::Open, Purpose::Unsubscribe, Purpose::Click(text.to_owned())];
    for purpose in purposes.into_iter().filter(|p| *p != Purpose::Click(String::new()) && text.len() <= 4_096) {
        let (workspace, enrollment) = (WorkspaceId(number(0)), EnrollmentId(number(8)));
        let token = Token { workspace, enrollment, visit: number(16) as u32, purpose };
        let signed = token.sign(bytes);
        assert_eq!(Token::workspace_of(&signed), Ok(workspace));
        assert_eq!(Token::verify(&signed, bytes), Ok(token));
    }
}

const JSON_PIECES: &[&str] =
    &["null", "{}", "[]", "[[[[", ":", ",", "\"\"", "true", "-1", "\"mon\"", "\"life\"", "\"zone\"", "{\"a\":"];

fn values() -> Vec<Vec<u8>> {
    let settings = serde_json::to_string(&Settings::default()).unwrap();
    seeds(&[
        settings.as_str(),
        r#"{"window":{"days":["mon"],"start":"02:30","stop":"03:00"},"zone":"Europe/Berlin","email_rate":"3 per day"}"#,
        r#"[{"date":"12-25","name":"Christmas"},{"date":"2027-05-17"}]"#,
        r#"{"from":"21:00","to":"08:00"}"#,
        r#"{"id":1,"sequence_id":1,"life":"running","holds":"manual,reply","visits":3,"due_at":-5,"step":"intro"}"#,
    ])
}

fn json(bytes: &[u8]) {
    let text = &*text(bytes);
    if let Ok(read) = serde_json::from_str::<Settings>(text) {
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&written).ok(), Some(read), "{written}");
    }
    let _ = serde_json::from_str::<Holidays>(text);
    let _ = serde_json::from_str::<Window>(text);
    let _ = serde_json::from_str::<Quiet>(text);
    let _ = fold([(1, text)]).map_err(|e| e.to_string());
}

/// A file may have a wrong zone on each of its lines.
#[test]
fn many_wrong_zones_are_named_in_time() {
    let begun = std::time::Instant::now();
    for n in 0..300 {
        let wrong = format!("Europe/Berlin and {n} more");
        assert!(wrong.parse::<Zone>().is_err_and(|e| e.found == wrong));
        assert!("Europe/Berln".parse::<Zone>().is_err_and(|e| e.nearest[0] == "Europe/Berlin"));
    }
    let most = cadenza_testkit::bend::within(100);
    assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
}
