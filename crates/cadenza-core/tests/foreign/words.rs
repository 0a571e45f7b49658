//! Single values that people and programs write: zones, dates, times, delays, keys, ids, addresses, tokens, settings as JSON.

use crate::mutate::{Dice, hold, within};
use cadenza_core::calendar::{Date, Days, Delay, HolidayDate, Holidays, LocalMinute, Quiet, Weekday, Window, Zone};
use cadenza_core::compose::{Address, HeaderName, HeaderText, MessageId, MimeType, OneClickUrl, leads_to_the_web};
use cadenza_core::enrollment::fold;
use cadenza_core::flow::Key;
use cadenza_core::ids::{ContactId, EnrollmentId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::settings::Settings;
use cadenza_core::suppression::{Suppressible, fingerprint};
use cadenza_core::time::Time;
use cadenza_core::tokens::{Purpose, Token};
use std::fmt::{Debug, Display};
use std::str::FromStr;

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

#[test]
fn words_are_read_or_refused() {
    let make = |dice: &mut Dice| dice.bent_text(WORDS, PIECES);
    hold(200, within(20), make, |text| {
        reads::<Zone>(text);
        reads::<Date>(text);
        reads::<Time>(text);
        reads::<LocalMinute>(text);
        reads::<Days>(text);
        reads::<HolidayDate>(text);
        reads::<Delay>(text);
        reads::<Key>(text);
        reads::<ContactId>(text);
        let _ = text.parse::<Weekday>();
        let _ = (Language::named(text), leads_to_the_web(text));
        for kind in Suppressible::ALL {
            let once = kind.folded(text);
            assert_eq!(kind.folded(&once), once);
            assert_eq!(fingerprint(b"key", kind, text), fingerprint(b"key", kind, &once));
        }
    });
}

/// Nothing that is accepted for a header can end its line.
#[test]
fn what_goes_into_headers_is_read_or_refused() {
    let safe = |text: &str| assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    let make = |dice: &mut Dice| dice.bent_text(WORDS, PIECES);
    hold(2_000, within(20), make, |text| {
        if let Ok(address) = text.parse::<Address>() {
            safe(address.as_str());
        }
        if let Ok(id) = text.parse::<MessageId>() {
            safe(id.as_str());
        }
        if let Ok(header) = HeaderText::try_from(text.as_str()) {
            safe(&format!("{header:?}"));
        }
        let _ = text.parse::<HeaderName>().map(|n| safe(&format!("{n:?}")));
        let _ = text.parse::<MimeType>().map(|n| safe(&format!("{n:?}")));
        let _ = text.parse::<OneClickUrl>().map(|n| safe(&format!("{n:?}")));
    });
}

/// Whoever bends a token holds none: what is accepted says what was signed.
#[test]
fn bent_tokens_are_none_of_ours() {
    let of =
        |n: i64, purpose| Token { workspace: WorkspaceId(n), enrollment: EnrollmentId(n << 30), visit: 3, purpose };
    let click = Purpose::Click("https://example.org/offer?id=7".into());
    let tokens = [of(1, Purpose::Open), of(2, Purpose::Unsubscribe), of(i64::MAX, click)];
    let signed: Vec<String> = tokens.iter().map(|t| t.sign(b"key")).collect();
    let corpus: Vec<&str> = signed.iter().map(String::as_str).collect();
    let pieces = ["A", "_", "-", "=", "AAAA", "b2"];
    hold(
        2_000,
        within(20),
        |dice| dice.bent_text(&corpus, &pieces),
        |text| {
            let _ = Token::workspace_of(text);
            assert_eq!(Token::verify(text, b"other"), Err(cadenza_core::tokens::InvalidToken));
            if let Ok(token) = Token::verify(text, b"key") {
                assert!(tokens.contains(&token), "{token:?}");
            }
        },
    );
}

#[test]
fn settings_and_histories_as_json_are_read_or_refused() {
    let settings = serde_json::to_string(&Settings::default()).unwrap();
    let corpus = [
        settings.as_str(),
        r#"{"window":{"days":["mon"],"start":"02:30","stop":"03:00"},"zone":"Europe/Berlin","email_rate":"3 per day"}"#,
        r#"[{"date":"12-25","name":"Christmas"},{"date":"2027-05-17"}]"#,
        r#"{"from":"21:00","to":"08:00"}"#,
        r#"{"id":1,"sequence_id":1,"life":"running","holds":"manual,reply","visits":3,"due_at":-5,"step":"intro"}"#,
    ];
    let pieces =
        ["null", "{}", "[]", "[[[[", ":", ",", "\"\"", "true", "-1", "\"mon\"", "\"life\"", "\"zone\"", "{\"a\":"];
    hold(
        1_000,
        within(20),
        |dice| dice.bent_text(&corpus, &pieces),
        |text| {
            if let Ok(read) = serde_json::from_str::<Settings>(text) {
                let written = serde_json::to_string(&read).unwrap();
                assert_eq!(serde_json::from_str::<Settings>(&written).ok(), Some(read), "{written}");
            }
            let _ = serde_json::from_str::<Holidays>(text);
            let _ = serde_json::from_str::<Window>(text);
            let _ = serde_json::from_str::<Quiet>(text);
            let _ = fold([(1, text.as_str())]).map_err(|e| e.to_string());
        },
    );
}
