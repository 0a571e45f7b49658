//! Links in mails, from the mail as it was sent to what becomes of the enrollment (SND-3, SND-4; RFC 8058): a GET changes nothing
//! about the person, a POST acts, and nobody can make a link of ours.

use crate::house::{BROWSER, House, Mail, body, expect, header, on_both};
use axum::http::StatusCode;
use cadenza_core::enrollment::Finish;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::time::Span;
use cadenza_store::tracking::{self, Who};

const STEPS: &str = r#"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello {{ contact.first_name }}"
text = """
See https://example.com/jobs?a=1&b=2 and https://example.com/team.
Also https://example.com/map."""
[[branch.step.on]]
when = "clicked"
within = "2 days"
then = "branch:more"

[[branch.step]]
key = "follow"
kind = "email_auto"
delay = "3 days"
same_thread = true
text = "Did you read it?"

[[branch]]
key = "more"
[[branch.step]]
key = "details"
kind = "email_auto"
subject = "More"
text = "As you wished."
"#;

/// A mail that went out, and is known to have been accepted a minute ago.
async fn written_to(house: &House, address: &str) -> (EnrollmentId, Mail) {
    let sequence = house.sequence(&format!("for {address}"), "", STEPS).await;
    let contact = house.contact(&[address], |c| c.language = Some("de-AT".into())).await;
    let id = house.enroll(sequence, contact).await;
    let mail = house.mails(address, 1).await.remove(0);
    house.later(Span::minutes(1));
    (id, mail)
}

/// The mail's HTML, decoded.
fn html(mail: &Mail) -> String {
    let message = mail_parser::MessageParser::default().parse(mail.raw.as_bytes()).unwrap();
    message.body_html(0).unwrap().into_owned()
}

/// Paths of all addresses in the text that begin so, in their order.
fn paths(text: &str, kind: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices(kind) {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c))).unwrap_or(rest.len());
        if !found.iter().any(|f| f == &rest[..end]) {
            found.push(rest[..end].to_owned());
        }
    }
    found
}

async fn verdicts(house: &House, id: EnrollmentId) -> Vec<(String, Who, String)> {
    let w = house.w;
    let events = house.read(move |q| tracking::of_message(q, w, id, 1, 100)).await;
    events.into_iter().rev().map(|e| (e.kind.to_string(), e.who, e.why)).collect()
}

fn person() -> [(&'static str, &'static str); 1] {
    [("user-agent", BROWSER)]
}

on_both! {
    a_person_opens_and_clicks_and_the_flow_follows
    a_scanner_that_follows_every_link_decides_nothing
    looking_at_the_unsubscribe_page_changes_nothing
    one_click_unsubscribes_for_good_and_as_often_as_asked
    a_link_that_is_not_ours_leads_nowhere
}

async fn a_person_opens_and_clicks_and_the_flow_follows(house: &House) {
    let (id, mail) = written_to(house, "grace@example.test").await;
    let html = html(&mail);
    let pixel = house.request("GET", &paths(&html, "/t/o/")[0], &person(), "").await;
    let pixel = expect(pixel, StatusCode::OK).await;
    assert_eq!((header(&pixel, "content-type"), header(&pixel, "cache-control")), ("image/gif", "no-store, private"));
    assert_eq!(header(&pixel, "cross-origin-resource-policy"), "cross-origin");
    assert!(body(pixel).await.starts_with("GIF89a"));
    assert_eq!(house.enrollment(id).await.opens, 1);

    let links = paths(&html, "/t/c/");
    assert_eq!(links.len(), 3);
    let click = house.request("GET", &links[0], &person(), "").await;
    let click = expect(click, StatusCode::FOUND).await;
    assert_eq!(header(&click, "location"), "https://example.com/jobs?a=1&b=2");
    assert_eq!(header(&click, "set-cookie"), "");
    let e = house.enrollment(id).await;
    assert_eq!(e.clicks, 1);
    // The click decided: the branch's mail goes out at once.
    assert_eq!(house.mails("grace@example.test", 2).await[1].row.subject, "More");
    assert_eq!(verdicts(house, id).await.iter().map(|v| v.1).collect::<Vec<_>>(), [Who::Person, Who::Person]);
    house.audit(e.sequence).await;
}

async fn a_scanner_that_follows_every_link_decides_nothing(house: &House) {
    let (id, mail) = written_to(house, "grace@example.test").await;
    let html = html(&mail);
    let links = paths(&html, "/t/c/");
    let head = house.request("HEAD", &links[0], &person(), "").await;
    assert_eq!((head.status(), header(&head, "location")), (StatusCode::FOUND, "https://example.com/jobs?a=1&b=2"));
    house.later(Span::minutes(1));
    // A gateway with a browser's name: the first of its clicks cannot be told from a person's; the next ones show it.
    for link in &links[1..] {
        assert_eq!(house.request("GET", link, &person(), "").await.status(), StatusCode::FOUND);
        house.later(Span::from_micros(300_000));
    }
    let page = house.request("GET", &paths(&html, "/u/")[0], &person(), "").await;
    assert_eq!(page.status(), StatusCode::OK);
    house.later(Span::minutes(5));
    let curl = [("user-agent", "curl/8.5.0")];
    house.request("GET", &links[0], &curl, "").await;
    let named: Vec<(String, Who, String)> = verdicts(house, id).await;
    let named: Vec<(&str, Who, &str)> = named.iter().map(|(k, w, y)| (k.as_str(), *w, y.as_str())).collect();
    assert_eq!(
        named,
        [
            ("click", Who::Machine, "head_request"),
            ("click", Who::Machine, "burst"),
            ("click", Who::Machine, "burst"),
            ("unsubscribe", Who::Machine, "burst"),
            ("click", Who::Machine, "known_machine"),
        ]
    );
    let e = house.enrollment(id).await;
    assert!(!e.opted_out && e.finish != Some(Finish::OptedOut));
    // What was decided before the burst showed stays: one click.
    assert_eq!(e.clicks, 1);
    house.audit(e.sequence).await;
}

async fn looking_at_the_unsubscribe_page_changes_nothing(house: &House) {
    let (id, mail) = written_to(house, "grace@example.test").await;
    let path = paths(&html(&mail), "/u/").remove(0);
    let before = house.enrollment(id).await;
    for _ in 0..3 {
        let page = expect(house.request("GET", &path, &person(), "").await, StatusCode::OK).await;
        assert_eq!((header(&page, "set-cookie"), header(&page, "referrer-policy")), ("", "no-referrer"));
        let page = body(page).await;
        assert!(page.contains("<html lang=\"de\"") && page.contains("Northwind"), "{page}");
        assert!(page.contains("<form method=\"post\"") && !page.contains("grace@example.test"), "{page}");
        expect(house.request("HEAD", &path, &person(), "").await, StatusCode::OK).await;
    }
    // Nor does a POST that does not say what it wants.
    for said in ["", "unsubscribe=no", "List-Unsubscribe=Two-Clicks"] {
        expect(house.request("POST", &path, &person(), said).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let too_long = "x".repeat(100_000);
    expect(house.request("POST", &path, &person(), too_long).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert_eq!(house.enrollment(id).await, before);
    assert_eq!(house.int("SELECT count(*) FROM suppression", &[]).await, 0);
}

async fn one_click_unsubscribes_for_good_and_as_often_as_asked(house: &House) {
    let (id, mail) = written_to(house, "grace@example.test").await;
    let head = mail.raw.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    assert!(head.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{head}");
    let line = head.lines().find(|l| l.starts_with("List-Unsubscribe:")).unwrap();
    let path = paths(line, "/u/").remove(0);
    // As a provider sends it: no cookie, no origin of ours, another site's fetch.
    let provider = [
        ("user-agent", "Provider One-Click"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://mail.example"),
    ];
    for _ in 0..2 {
        let done = house.request("POST", &path, &provider, "List-Unsubscribe=One-Click").await;
        let done = expect(done, StatusCode::OK).await;
        assert_eq!((header(&done, "location"), header(&done, "set-cookie")), ("", ""));
    }
    let e = house.enrollment(id).await;
    assert_eq!((e.opted_out, e.finish), (true, Some(Finish::OptedOut)));
    let suppressed = "SELECT count(*) FROM suppression WHERE kind = 'email' AND value = 'grace@example.test'";
    assert_eq!(house.int(suppressed, &[]).await, 1);
    // Years later the link still works, by the form this time.
    house.later(Span::days(2_000));
    let again = expect(house.request("POST", &path, &person(), "unsubscribe=yes").await, StatusCode::OK).await;
    assert!(body(again).await.contains("abgemeldet"));
    house.audit(e.sequence).await;
}

async fn a_link_that_is_not_ours_leads_nowhere(house: &House) {
    let (id, mail) = written_to(house, "grace@example.test").await;
    let html = html(&mail);
    let (open, click, unsubscribe) =
        (paths(&html, "/t/o/").remove(0), paths(&html, "/t/c/").remove(0), paths(&html, "/u/").remove(0));
    let token = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let mut bad = vec![
        // A token for another purpose.
        format!("/t/c/{}", token(&open)),
        format!("/t/o/{}", token(&click)),
        format!("/u/{}", token(&click)),
        format!("/t/c/{}", token(&unsubscribe)),
        "/u/x".into(),
        "/t/c/aHR0cHM6Ly9ldmlsLmV4YW1wbGUv".into(),
    ];
    // One letter changed anywhere.
    for at in (0..token(&click).len()).step_by(7) {
        let mut text = token(&click).into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        bad.push(format!("/t/c/{}", String::from_utf8(text).unwrap()));
    }
    let before = house.enrollment(id).await;
    for path in &bad {
        let answer = house.request("GET", path, &[("user-agent", BROWSER), ("accept-language", "fr")], "").await;
        let answer = expect(answer, StatusCode::NOT_FOUND).await;
        assert_eq!(header(&answer, "location"), "", "{path}");
        let page = body(answer).await;
        assert!(page.contains("nulle part") && !page.contains("Northwind"), "{page}");
    }
    assert_eq!(house.request("POST", &click, &person(), "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(house.enrollment(id).await, before);
    assert_eq!(house.int("SELECT count(*) FROM tracking_event", &[]).await, 0);
    // Whoever guesses on is told to wait; links that are ours still work.
    for _ in 0..80 {
        house.request("GET", "/t/c/guess", &person(), "").await;
    }
    assert_eq!(house.request("GET", "/t/c/guess", &person(), "").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.request("GET", &click, &person(), "").await.status(), StatusCode::FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pixel_in_the_first_seconds_is_a_machines() {
    let house = House::sqlite().await;
    let sequence = house.sequence("s", "", STEPS).await;
    let contact = house.contact(&["grace@example.test"], |_| ()).await;
    let id = house.enroll(sequence, contact).await;
    let mail = house.mails("grace@example.test", 1).await.remove(0);
    house.request("GET", &paths(&html(&mail), "/t/o/")[0], &person(), "").await;
    assert_eq!(verdicts(&house, id).await, [("open".to_owned(), Who::Machine, "too_soon".to_owned())]);
    assert_eq!(house.enrollment(id).await.opens, 0);

    house.close().await;
}
