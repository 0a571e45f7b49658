//! Idempotency keys: the same request once, another refused, what failed tried again, and no secret kept in the open.

use super::program::Program;
use crate::house::{House, on_both};
use cadenza_core::time::Span;
use serde_json::{Value, json};

on_both! {
    the_same_request_is_done_once
    another_request_under_the_same_key_is_refused
    what_was_refused_may_be_tried_again
    keys_are_each_callers_own_and_forgotten_after_a_day
    a_request_under_way_is_not_begun_again
}

fn wanted(name: &str) -> Value {
    json!({ "name": name, "scopes": ["sequences.view"] })
}

async fn count(program: &Program<'_>) -> usize {
    program.get("/tokens").await.expect(200)["items"].as_array().unwrap().len()
}

async fn keyed(program: &Program<'_>, key: &str, body: Value) -> super::program::Answer {
    program.send("POST", "/tokens", &[("idempotency-key", key)], Some(body)).await
}

async fn the_same_request_is_done_once(house: &House) {
    let program = Program::new(house).await;
    let before = count(&program).await;
    let first = keyed(&program, "a-1", wanted("once")).await;
    assert_eq!(first.headers["idempotency-replayed"], "");
    let first = first.expect(201);
    let again = keyed(&program, "a-1", wanted("once")).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["content-type"], "application/json");
    assert_eq!(again.expect(201), first);
    assert_eq!(count(&program).await, before + 1);

    let secret = first["secret"].as_str().unwrap().rsplit('_').next().unwrap().to_owned();
    let kept = house.read(|q| Ok(q.query_one("SELECT answer FROM idempotency", &[])?.text(0)?.to_owned())).await;
    assert!(!kept.is_empty() && !kept.contains(&secret));
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(kept).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains(&secret), "the secret is stored in the open");
}

async fn another_request_under_the_same_key_is_refused(house: &House) {
    let program = Program::new(house).await;
    keyed(&program, "a-1", wanted("one")).await.expect(201);
    let other = keyed(&program, "a-1", wanted("two")).await;
    assert_eq!(other.json["errors"][0]["field"], "Idempotency-Key");
    assert_eq!(other.problem(422), "invalid");
    let elsewhere = program.send("POST", "/tasks", &[("idempotency-key", "a-1")], Some(wanted("one"))).await;
    assert_eq!(elsewhere.problem(422), "invalid");
    for key in ["", &"k".repeat(256)] {
        assert_eq!(keyed(&program, key, wanted("x")).await.problem(422), "invalid");
    }
}

async fn what_was_refused_may_be_tried_again(house: &House) {
    let program = Program::new(house).await;
    assert_eq!(keyed(&program, "a-1", wanted(" ")).await.problem(422), "invalid");
    keyed(&program, "a-1", wanted("now well")).await.expect(201);
}

async fn keys_are_each_callers_own_and_forgotten_after_a_day(house: &House) {
    let (one, two) = (Program::new(house).await, Program::new(house).await);
    let before = count(&one).await;
    keyed(&one, "a-1", wanted("x")).await.expect(201);
    keyed(&two, "a-1", wanted("x")).await.expect(201);
    assert_eq!(count(&one).await, before + 2);
    house.later(Span::hours(24));
    assert_eq!(keyed(&one, "a-1", wanted("x")).await.headers["idempotency-replayed"], "true");
    house.later(Span::seconds(1));
    keyed(&one, "a-1", wanted("x")).await.expect(201);
    assert_eq!(count(&one).await, before + 3);
    // Reading needs no key and heeds none.
    one.send("GET", "/me", &[("idempotency-key", "a-1")], None).await.expect(200);
    assert_eq!(
        Program::nobody(house).send("POST", "/tokens", &[("idempotency-key", "k")], None).await.problem(401),
        "sign_in_needed"
    );
}

async fn a_request_under_way_is_not_begun_again(house: &House) {
    let program = Program::new(house).await;
    let (one, two) = tokio::join!(keyed(&program, "a-1", wanted("x")), keyed(&program, "a-1", wanted("x")));
    let before_more = count(&program).await;
    // Whoever came second was told to wait or got the first one's answer; in no order were two made.
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [201, 201] | [201, 409]), "{statuses:?}");
    assert_eq!(before_more, 2, "the program's own, and one");

    // A crash between claim and answer.
    house.write(|tx| tx.exec("UPDATE idempotency SET status = 0, answer = ''", &[])).await;
    assert_eq!(keyed(&program, "a-1", wanted("x")).await.problem(409), "under_way");
}
