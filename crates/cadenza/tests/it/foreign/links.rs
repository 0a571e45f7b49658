//! The links of mails, asked for by anybody: where a signed click leads, what a body at the unsubscribe address says, and paths
//! that nobody signed.

use super::{seeds, world};
use cadenza::actions::links::{Answer, Method, Request, answer};
use cadenza_core::ids::EnrollmentId;
use cadenza_core::tokens::{Purpose, Token};
use cadenza_store::workspaces;
use cadenza_testkit::Target;

pub const LINK: Target =
    Target { name: "", seeds: || seeds(LINKS), pieces: PIECES, judge: link, cases: 400, most_ms: 100 };

/// Where a click leads, and after an empty line a body.
const LINKS: &[&str] = &[
    "https://example.org/offer?id=7&x=%C3%BC#top\n\nList-Unsubscribe=One-Click",
    "http://user:pw@münchen.example:8080/ä?q=ü\n\nunsubscribe=yes",
    "javascript:alert(1)\n\n--x1\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x1--\r\n",
    "//evil.example/\\..\n\na=b&List%2DUnsubscribe=One-Click&unsubscribe=no",
    "https://[::1]/\n\n{\"List-Unsubscribe\": \"One-Click\"}",
];
const PIECES: &[&str] = &[
    "https://",
    "http://",
    "HTTP://",
    "//",
    "\\",
    "@",
    ":",
    "#",
    "?",
    "%0d%0a",
    "\r\nLocation: x",
    "javascript:",
    "[::1]",
    "xn--",
    "\t",
    " ",
    "\n\n",
    "--",
    "--x1",
    "name=",
    "name=\"",
    "List-Unsubscribe",
    "One-Click",
    "unsubscribe=yes",
    "&",
    "=",
    "%4f",
    "+",
];

fn link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (target, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    world::with(
        |_| false,
        |world| {
            let w = world.caller.workspace;
            let key = world.app.db.read(move |q| workspaces::get(q, w)).unwrap().signing_key;
            let signed = |purpose| Token { workspace: w, enrollment: EnrollmentId(7), visit: 1, purpose }.sign(&key);
            let ask = |method, path: String, body: &str| {
                let request = Request {
                    method,
                    path,
                    user_agent: target.into(),
                    address: None,
                    accept_language: target.into(),
                    prefetch: false,
                    body: body.as_bytes().to_vec(),
                };
                world.wait(answer(&world.app, request)).unwrap_or_else(|e| panic!("{e}"))
            };
            if !target.is_empty() && target.len() <= 4_096 {
                match ask(Method::Get, format!("/t/c/{}", signed(Purpose::Click(target.into()))), "") {
                    Answer::Redirect(to) => led_on(target, &to),
                    Answer::Nothing { .. } => {}
                    other => panic!("a click on {target:?} gave {other:?}"),
                }
            }
            let said = ask(Method::Post, format!("/u/{}", signed(Purpose::Unsubscribe)), body);
            let words = cadenza_core::percent::decoded(&body.replace('+', " ")).to_lowercase();
            let wished = ["one-click", "yes"].iter().any(|word| words.contains(word)) && words.contains("unsubscribe");
            assert!(wished || matches!(said, Answer::AskAgain { .. }), "{body:?} was taken for a wish");
            for path in ["/t/o/", "/t/c/", "/u/", "/"] {
                let nothing = ask(Method::Get, format!("{path}{target}"), "");
                assert!(matches!(nothing, Answer::Nothing { .. }), "{path}{target:?} gave {nothing:?}");
            }
        },
    );
}

/// Where somebody is led is an address of the web as the author meant it, and can stand in a header.
fn led_on(target: &str, to: &str) {
    assert!(to.starts_with("https://") || to.starts_with("http://"), "{target:?} leads to {to:?}");
    assert!(to.bytes().all(|b| b.is_ascii_graphic()), "{target:?} leads to {to:?}");
    let (scheme, rest) = to.split_once("://").unwrap();
    assert!(!rest.is_empty() && !rest.starts_with(['/', '?', '#']), "{target:?} leads to no host: {to:?}");
    let meant = target.trim_start().to_ascii_lowercase();
    assert!(meant.starts_with(scheme), "{target:?} leads to {to:?}");
}
