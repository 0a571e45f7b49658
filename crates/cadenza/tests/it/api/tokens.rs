//! Tokens: made, recognised, ended; what they may; that the database holds none.

use super::program::{Program, settled, stranger};
use crate::house::{House, on_both};
use cadenza::actions::{Privilege, Privileges};
use cadenza_core::time::Span;
use serde_json::json;

on_both! { a_token_lives_and_ends a_token_may_no_more_than_its_scopes_and_its_maker wishes_that_make_no_sense_are_named }

async fn a_token_lives_and_ends(house: &House) {
    let program = Program::new(house).await;
    let expires = (house.app.clock.real() + Span::hours(1)).to_string();
    let wanted = json!({ "name": " CRM sync ", "scopes": ["sequences.view"], "expires_at": expires });
    let made = program.post("/tokens", wanted).await.expect(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("cdz_"), "{secret}");
    assert_eq!(made["token"]["name"], "CRM sync");
    assert!(made["token"]["used_at"].is_null());

    let other = Program::with_token(house, &secret);
    let me = other.get("/me").await.expect(200);
    assert_eq!(me["privileges"], json!(["sequences.view"]));
    assert_eq!(me["token"], made["token"]["id"]);
    let listed = program.get("/tokens").await.expect(200);
    insta::assert_json_snapshot!(settled(listed));
    assert_eq!(
        other.post("/tokens", json!({ "name": "more", "scopes": ["sequences.view"] })).await.problem(403),
        "forbidden"
    );
    assert_eq!(other.get("/tokens?of=everyone").await.problem(403), "forbidden");

    // Nothing that is stored signs in.
    let stored = house
        .read(|q| {
            let mut found = Vec::new();
            for row in q.query("SELECT name, token_hash, scopes FROM api_token", &[])? {
                found.push(format!("{} {} {}", row.text(0)?, row.text(1)?, row.text(2)?));
            }
            Ok(found.join("\n"))
        })
        .await;
    let random = secret.rsplit('_').next().unwrap();
    assert!(!stored.contains(random), "{stored}");

    let path = format!("/tokens/{}", made["token"]["id"].as_str().unwrap());
    program.send("DELETE", &path, &[], None).await.expect(204);
    program.send("DELETE", &path, &[], None).await.expect(204);
    assert_eq!(other.get("/me").await.problem(401), "not_recognised");

    let wanted = json!({ "name": "short", "scopes": ["sequences.view"], "expires_at": expires });
    let short = program.post("/tokens", wanted).await.expect(201)["secret"].as_str().unwrap().to_owned();
    let short = Program::with_token(house, &short);
    short.get("/me").await.expect(200);
    house.later(Span::hours(1));
    assert_eq!(short.get("/me").await.problem(401), "not_recognised");
}

async fn a_token_may_no_more_than_its_scopes_and_its_maker(house: &House) {
    let scopes = [Privilege::SequencesView, Privilege::SettingsManage].into_iter().collect::<Privileges>();
    let program = Program::of(house, &house.caller, scopes).await;
    let wanted = json!({ "name": "more", "scopes": ["contacts.erase"] });
    assert_eq!(program.post("/tokens", wanted).await.problem(403), "forbidden");
    program.post("/tokens", json!({ "name": "same", "scopes": ["sequences.view"] })).await.expect(201);

    let eve = stranger(house).await;
    let theirs = Program::of(house, &eve, Privileges::all()).await;
    let id = theirs.get("/tokens").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let foreign = program.send("DELETE", &format!("/tokens/{id}"), &[], None).await;
    assert_eq!(foreign.problem(404), "missing");
    theirs.get("/me").await.expect(200);
}

async fn wishes_that_make_no_sense_are_named(house: &House) {
    let program = Program::new(house).await;
    for (wanted, field) in [
        (json!({ "name": " ", "scopes": ["sequences.view"] }), "name"),
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["sequences.view", "sequences.fly"] }), "scopes.1"),
        (json!({ "name": "x", "scopes": ["sequences.view"], "expires_at": "2027-02-28T00:00:00Z" }), "expires_at"),
        (json!({ "name": "x", "scope": ["sequences.view"] }), "body"),
        (json!({ "name": "x", "scopes": ["sequences.view"], "expires_at": "tomorrow" }), "body"),
    ] {
        let answer = program.post("/tokens", wanted.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{wanted}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
    let bad = program.send("DELETE", "/tokens/tok_1", &[], None).await;
    assert!(bad.json["detail"].as_str().unwrap().contains("expected tok_"), "{:#}", bad.json);
    assert_eq!(bad.problem(422), "invalid");
    for token in ["", "cdz_", "cdz_00dk3v9xk0000_0000000000000000000000000000000000000000000"] {
        assert_eq!(Program::with_token(house, token).get("/me").await.problem(401), "not_recognised", "{token}");
    }
    assert_eq!(Program::nobody(house).get("/me").await.problem(401), "sign_in_needed");
}
