//! `POST /inbound`: a raw message stops what it answers, counts once, is kept and shown where it answers nothing, and needs
//! a token of its own scope.

use super::program::{Answer, Program, colleague, settled};
use crate::house::{House, on_both};
use cadenza::actions::inbound::BYTES_MAX;
use cadenza::actions::{Privilege, Privileges};
use cadenza_core::time::Span;
use serde_json::{Value, json};

on_both! {
    a_reply_stops_the_sequence_and_counts_once
    what_matches_nothing_is_kept_and_shown
    what_is_no_message_is_refused
    a_gateway_needs_only_its_scope
    answers_in_private_sequences_are_for_those_who_see_them
}

const MAIL: &str = "[[branch.step]]\nkey = \"mail\"\nkind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"Hello\"\n\
                    [[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\ndelay = \"3 days\"\nsubject = \"Again\"\ntext = \"Hello again\"\n";

async fn post(program: &Program<'_>, raw: impl Into<Vec<u8>>) -> Answer {
    program.send_bytes("POST", "/inbound", &[("content-type", "message/rfc822")], raw.into()).await
}

fn reply(to: &str) -> String {
    format!(
        "From: Ann Adams <ann@example.com>\r\nTo: ada@northwind.example\r\nSubject: Re: Hello\r\n\
         Message-ID: <reply-1@example.com>\r\nIn-Reply-To: <{to}>\r\nDate: Mon, 1 Mar 2027 10:05:00 +0000\r\n\r\n\
         Yes, let us talk.\r\n"
    )
}

/// Ann, to whom a mail went out: her enrollment, and the mail's Message-ID.
async fn ann(house: &House) -> (String, String) {
    let sequence = house.sequence("Spring", "", MAIL).await;
    let contact = house.contact(&["ann@example.com"], |_| {}).await;
    let enrollment = house.enroll(sequence, contact).await;
    let mail = house.mails("ann@example.com", 1).await.remove(0);
    house.later(Span::minutes(5));
    (enrollment.to_string(), mail.row.message_id)
}

async fn a_reply_stops_the_sequence_and_counts_once(house: &House) {
    let program = Program::new(house).await;
    let (enrollment, mail) = ann(house).await;
    let first = post(&program, reply(&mail)).await.expect(200);
    insta::assert_json_snapshot!("taken_in", without_evidence(settled(first.clone())));
    assert_eq!(first["enrollments"][0]["id"], json!(enrollment));
    assert!(first["message"]["verdict"].is_object(), "{first}");
    let record = program.get(&format!("/enrollments/{enrollment}")).await.expect(200);
    assert_eq!((&record["state"], &record["reason"]), (&json!("finished"), &json!("replied")));
    let lines = async || {
        let history = program.get(&format!("/enrollments/{enrollment}/history")).await.expect(200);
        history["items"].as_array().unwrap().len()
    };
    let before = lines().await;

    // Through another gateway, with another trace field: the same message.
    for again in [reply(&mail), format!("Received: by mx.example.com\r\n{}", reply(&mail))] {
        let second = post(&program, again).await.expect(200);
        assert_eq!((&second["repeated"], &second["class"]), (&json!(true), &json!("reply")));
        assert_eq!(second["message"]["id"], first["message"]["id"]);
    }
    assert_eq!(lines().await, before, "no second effect");
    assert_eq!(program.get("/messages?class=reply").await.expect(200)["items"].as_array().unwrap().len(), 1);
    // The same Message-ID on other words is another message, or a forger could hide one.
    let other = post(&program, reply(&mail).replace("Yes, let us talk.", "No, thanks.")).await.expect(200);
    assert_eq!(other["repeated"], false);

    let path = format!("/messages/{}", first["message"]["id"].as_str().unwrap());
    assert_eq!(program.get(&path).await.expect(200), first["message"]);
    let raw = program.get(&format!("{path}/raw")).await;
    assert_eq!(raw.headers["content-type"], "message/rfc822");
    assert_eq!(raw.expect(200), json!(reply(&mail)));
}

fn without_evidence(mut answer: Value) -> Value {
    answer["message"]["verdict"] = json!("…");
    answer
}

async fn what_matches_nothing_is_kept_and_shown(house: &House) {
    let program = Program::new(house).await;
    let (enrollment, _) = ann(house).await;
    let stranger = "From: Eve <eve@elsewhere.example>\r\nTo: ada@northwind.example\r\nSubject: Hello\r\n\
                    Message-ID: <1@elsewhere.example>\r\n\r\nWho are you?\r\n";
    let taken = post(&program, stranger).await.expect(200);
    assert_eq!((&taken["matched_by"], &taken["enrollments"]), (&Value::Null, &json!([])));
    let shown = program.get("/messages?matched=nobody&handled=open").await.expect(200);
    assert_eq!(shown["items"][0]["id"], taken["message"]["id"]);
    assert_eq!(shown["items"][0]["preview"], "Who are you?");
    assert_eq!(program.get(&format!("/enrollments/{enrollment}")).await.expect(200)["state"], "active");
    for n in 2..5 {
        post(&program, stranger.replace("<1@", &format!("<{n}@"))).await.expect(200);
    }
    let page = program.get("/messages?limit=3").await.expect(200);
    let rest = program.get(&format!("/messages?limit=3&after={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (3, 1));
    assert_eq!(rest["items"][0]["id"], taken["message"]["id"], "newest first");
}

async fn what_is_no_message_is_refused(house: &House) {
    let program = Program::new(house).await;
    for bad in ["", "hello", "{\"from\": \"ann@example.com\"}", "\r\n\r\nbody"] {
        let answer = post(&program, bad).await;
        assert_eq!(answer.json["errors"][0]["field"], "body", "{bad}");
        assert_eq!(answer.problem(422), "invalid");
    }
    let mut large = b"From: ann@example.com\r\n\r\n".to_vec();
    large.resize(BYTES_MAX + 1, b'x');
    assert_eq!(post(&program, large.clone()).await.problem(413), "too_large");
    large.truncate(BYTES_MAX);
    post(&program, large).await.expect(200);
    assert_eq!(house.int("SELECT count(*) FROM inbound_message", &[]).await, 1);
}

async fn a_gateway_needs_only_its_scope(house: &House) {
    let gateway = [Privilege::InboundReceive].into_iter().collect::<Privileges>();
    let gateway = Program::of(house, &house.caller, gateway).await;
    let all_but: Privileges = Privileges::all().iter().filter(|p| *p != Privilege::InboundReceive).collect();
    let others = Program::of(house, &house.caller, all_but).await;
    let (enrollment, mail) = ann(house).await;
    assert_eq!(post(&others, reply(&mail)).await.problem(403), "forbidden");
    assert_eq!(post(&Program::nobody(house), reply(&mail)).await.problem(401), "sign_in_needed");
    assert_eq!(post(&gateway, reply(&mail)).await.expect(200)["enrollments"][0]["state"], "finished");
    assert_eq!(gateway.get("/messages").await.problem(403), "forbidden");
    assert_eq!(gateway.get(&format!("/enrollments/{enrollment}")).await.problem(403), "forbidden");
}

async fn answers_in_private_sequences_are_for_those_who_see_them(house: &House) {
    let program = Program::new(house).await;
    let (_, mail) = ann(house).await;
    let taken = post(&program, reply(&mail)).await.expect(200);
    house.write(|tx| tx.exec("UPDATE sequence SET sharing = 'private'", &[])).await;
    let mary = colleague(house).await;
    let theirs = Program::of(house, &mary, Privileges::all()).await;
    let path = format!("/messages/{}", taken["message"]["id"].as_str().unwrap());
    assert_eq!(theirs.get("/messages").await.expect(200)["items"], json!([]));
    assert_eq!(theirs.get(&path).await.problem(404), "missing");
    assert_eq!(theirs.get(&format!("{path}/raw")).await.problem(404), "missing");
    program.get(&path).await.expect(200);
}
