//! An access token for a refresh token (RFC 6749 §6), as Google and Microsoft give it for SMTP and IMAP. Asks once and judges the
//! answer; when to ask, and where tokens are kept, is decided elsewhere. No error says anything of what was sent, and of what came
//! no more than a code that is known.

use crate::reach::{Answer, NoAnswer, NotFound, Post, Reach, Trust};
use reqwest::Url;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

const ANSWER_BYTES_MAX: usize = 64 * 1024;
const TOKEN_LENGTH_MAX: usize = 16 * 1024;
/// Where the answer does not say how long a token lives: what most give.
const USUAL_LIFETIME_SECONDS: i64 = 3600;
/// Nobody trusts a token for longer than this, whatever is said.
const LIFETIME_SECONDS_MAX: i64 = 24 * 3600;

/// The token endpoints that are known by a name.
pub const PRESETS: [(&str, &str); 2] = [
    ("google", "https://oauth2.googleapis.com/token"),
    ("microsoft", "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
];

/// What a token is asked for with.
#[derive(Clone)]
pub struct Request {
    pub endpoint: Url,
    pub client_id: String,
    /// Public clients have none.
    pub client_secret: Option<String>,
    pub refresh_token: String,
    /// How long the answer is waited for, over all.
    pub limit: Duration,
}

/// What was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    pub access_token: String,
    /// In place of the one that it was asked with, which may be good no more.
    pub refresh_token: Option<String>,
    pub lifetime: Duration,
}

/// Why none was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The refresh token is not good any more.
    #[error(
        "{host} takes the refresh token no more ({code}): it has expired, was revoked or belongs to another client; paste a new one \
         into the mailbox's settings"
    )]
    Grant { host: String, code: String },
    /// The refresh token may be good; what it was asked with is not.
    #[error("{host} refuses this client ({code}): correct client id and client secret in the mailbox's settings")]
    Client { host: String, code: String },
    /// An address that is not connected to.
    #[error("no access token: {0}")]
    Forbidden(NotFound),
    /// Trying again later may do.
    #[error("no access token from {host}: {why}")]
    Passing { host: String, why: String },
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Said {
    access_token: Option<String>,
    token_type: Option<String>,
    /// A number; some servers write it as a string.
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    error: Option<String>,
}

/// Errors (RFC 6749 §5.2, OpenID Connect Core §3.1.2.6, and one of Google's) after which only another refresh token helps.
const OF_THE_GRANT: [&str; 5] =
    ["invalid_grant", "interaction_required", "login_required", "consent_required", "invalid_rapt"];
/// And those after which another client does.
const OF_THE_CLIENT: [&str; 5] =
    ["invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request"];
const PASSING: [&str; 2] = ["temporarily_unavailable", "server_error"];

impl Refusal {
    /// Whether trying again later, with nothing changed, may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Refusal::Passing { .. })
    }
}

/// An endpoint as somebody types it: a name that is known, or an https address.
///
/// # Errors
/// What would be accepted.
pub fn endpoint(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let known = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map_or(text, |(_, url)| *url);
    let expected = || {
        format!("{text:?} is no token endpoint: expected google, microsoft, or an address that begins with https://")
    };
    let url = Url::parse(known).map_err(|_| expected())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let good =
        url.scheme() == "https" && url.host_str().is_some_and(|h| !h.is_empty()) && plain && known.len() <= 2_000;
    if good { Ok(url) } else { Err(expected()) }
}

/// Asks for an access token.
///
/// # Errors
/// [`Refusal`].
pub async fn ask(request: &Request, reach: &Reach, trust: &Trust) -> Result<Issued, Refusal> {
    let Request { endpoint, client_id, client_secret, refresh_token, limit } = request;
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.as_str()),
        ("client_id", client_id.as_str()),
    ];
    // In the body, which Google and Microsoft want, and not by HTTP's Basic (§2.3.1).
    fields.extend(client_secret.as_deref().map(|secret| ("client_secret", secret)));
    let post = Post { url: endpoint, reach, trust, limit: *limit, bytes_max: ANSWER_BYTES_MAX };
    let host = endpoint.host_str().unwrap_or_default();
    match post.form(&fields).await {
        Ok(answer) => read(host, &answer),
        Err(NoAnswer::Address(forbidden @ NotFound::Forbidden(_))) => Err(Refusal::Forbidden(forbidden)),
        Err(e) => Err(Refusal::Passing { host: host.to_owned(), why: e.to_string() }),
    }
}

fn read(host: &str, answer: &Answer) -> Result<Issued, Refusal> {
    let passing = |why: String| Refusal::Passing { host: host.to_owned(), why };
    let status = answer.status;
    let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
    match (status, said) {
        (200, Some(said)) => issued(said).ok_or_else(|| passing("its answer holds no access token to use".into())),
        (200, None) => Err(passing("its answer is not understood".into())),
        (300..=399, _) => Err(passing(format!("it answers {status} and points elsewhere, which is not followed"))),
        // Not of the request: a server that is in trouble may say anything.
        (429 | 500.., _) => Err(passing(format!("it answers {status}"))),
        (_, said) => {
            let error = said.and_then(|s| s.error).unwrap_or_default();
            let known = |codes: &[&str]| codes.iter().find(|code| **code == error).map(|code| (*code).to_owned());
            let host = host.to_owned();
            Err(match (known(&OF_THE_GRANT), known(&OF_THE_CLIENT), known(&PASSING)) {
                (Some(code), ..) => Refusal::Grant { host, code },
                (_, Some(code), _) => Refusal::Client { host, code },
                (.., Some(code)) => passing(format!("it answers {status} ({code})")),
                _ => passing(format!("it answers {status} and no error that is known")),
            })
        }
    }
}

fn issued(said: Said) -> Option<Issued> {
    // The mechanisms part their fields by control characters.
    let fit = |t: &String| !t.is_empty() && t.len() <= TOKEN_LENGTH_MAX && !t.bytes().any(|b| b.is_ascii_control());
    let bearer = said.token_type.is_none_or(|t| t.eq_ignore_ascii_case("bearer"));
    let access_token = said.access_token.filter(fit).filter(|_| bearer)?;
    let seconds = said.expires_in.and_then(|v| match v {
        serde_json::Value::String(text) => text.parse().ok(),
        number => number.as_i64().or_else(|| number.as_f64().map(|f| f as i64)),
    });
    let seconds = seconds.filter(|s| *s > 0).unwrap_or(USUAL_LIFETIME_SECONDS).min(LIFETIME_SECONDS_MAX);
    let lifetime = Duration::from_secs(seconds.unsigned_abs());
    Some(Issued { access_token, refresh_token: said.refresh_token.filter(fit), lifetime })
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request(to {})", self.endpoint.host_str().unwrap_or_default())
    }
}
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issued(for {} s)", self.lifetime.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_body(status: u16, body: &str) -> Result<Issued, Refusal> {
        read("id.example.com", &Answer { status, body: body.into() })
    }

    #[test]
    fn a_token_is_read_with_its_lifetime_and_the_next_refresh_token() {
        let full =
            r#"{"access_token":"a.b","token_type":"bearer","expires_in":3599,"refresh_token":"next","scope":"x"}"#;
        let issued = read_body(200, full).unwrap();
        assert_eq!((issued.access_token.as_str(), issued.refresh_token.as_deref()), ("a.b", Some("next")));
        assert_eq!(issued.lifetime.as_secs(), 3599);
        for (expires_in, seconds) in [
            ("", 3600),
            (r#","expires_in":"120""#, 120),
            (r#","expires_in":90.5"#, 90),
            (r#","expires_in":0"#, 3600),
            (r#","expires_in":-5"#, 3600),
            (r#","expires_in":"soon""#, 3600),
            (r#","expires_in":99999999999"#, 86_400),
        ] {
            let issued = read_body(200, &format!(r#"{{"access_token":"t"{expires_in}}}"#)).unwrap();
            assert_eq!((issued.lifetime.as_secs(), issued.refresh_token), (seconds, None), "{expires_in}");
        }
    }

    #[test]
    fn what_is_no_token_is_told_apart_by_who_has_to_act() {
        let long = "x".repeat(TOKEN_LENGTH_MAX + 1);
        for (status, body) in [
            (200, "{}"),
            (200, ""),
            (200, "<html>"),
            (200, "[1]"),
            (200, r#"{"access_token":""}"#),
            (200, r#"{"access_token":"a\u0001b"}"#),
            (200, r#"{"access_token":"a","token_type":"mac"}"#),
            (200, &format!(r#"{{"access_token":"{long}"}}"#)),
            (302, ""),
            (429, r#"{"error":"invalid_grant"}"#),
            (500, r#"{"error":"invalid_grant"}"#),
            (503, "busy"),
            (400, "no"),
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (404, ""),
        ] {
            assert!(read_body(status, body).unwrap_err().is_passing(), "{status} {body:.40}");
        }
        for code in OF_THE_GRANT {
            let refusal = read_body(400, &format!(r#"{{"error":"{code}"}}"#)).unwrap_err();
            assert!(matches!(refusal, Refusal::Grant { .. }) && !refusal.is_passing(), "{code}");
        }
        for code in OF_THE_CLIENT {
            assert!(
                matches!(read_body(401, &format!(r#"{{"error":"{code}"}}"#)), Err(Refusal::Client { .. })),
                "{code}"
            );
        }
    }

    #[test]
    fn nothing_of_an_answer_is_repeated_but_codes_that_are_known() {
        for body in [
            r#"{"error":"canary","error_description":"canary"}"#,
            r#"{"error":"invalid_grant","error_description":"canary"}"#,
            "canary",
        ] {
            let refusal = read_body(400, body).unwrap_err();
            assert!(!refusal.to_string().contains("canary") && !format!("{refusal:?}").contains("canary"), "{refusal}");
        }
        let issued = read_body(200, r#"{"access_token":"canary","refresh_token":"canary"}"#).unwrap();
        assert!(!format!("{issued:?}").contains("canary"));
    }

    proptest! {
        #[test]
        fn any_answer_is_judged_without_panic(
            status in 100u16..600,
            body in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                r#"\{"(access_token|error|expires_in)":("[a-z_.]{0,12}"|-?[0-9]{1,25}(\.[0-9]e[0-9]{1,3})?|null|\[\])\}"#
                    .prop_map(String::into_bytes),
            ],
        ) {
            if let Ok(issued) = read("id.example.com", &Answer { status, body }) {
                prop_assert!(status == 200 && !issued.access_token.is_empty());
                prop_assert!((1..=86_400).contains(&issued.lifetime.as_secs()));
            }
        }
    }

    #[test]
    fn an_endpoint_is_a_name_that_is_known_or_an_https_address() {
        for (text, host) in [
            ("google", "oauth2.googleapis.com"),
            (" Microsoft ", "login.microsoftonline.com"),
            ("https://id.example.com/oauth/token?tenant=x", "id.example.com"),
            ("https://[::1]:8443/token", "[::1]"),
        ] {
            assert_eq!(endpoint(text).unwrap().host_str(), Some(host));
        }
        for text in [
            "",
            "yahoo",
            "http://id.example.com/token",
            "https://",
            "https://u:p@id.example.com/",
            "https://a/#x",
            "file:///x",
        ] {
            assert!(endpoint(text).unwrap_err().contains("begins with https://"), "{text}");
        }
        // However an address in numbers is spelt, it is judged as what it is.
        assert_eq!(endpoint("https://0x7f.1/token").unwrap().host_str(), Some("127.0.0.1"));
    }
}
