//! The sandbox over the API: what was sent is read, the recipient is played, the clock is skipped ahead.

use super::program::Program;
use crate::house::{House, on_both};
use cadenza_core::time::Span;
use serde_json::{Value, json};

on_both! { a_mail_is_read_and_answered every_reaction_says_what_came_of_it the_clock_skips_ahead }

const MAIL: &str = "[[branch.step]]\nkey = \"mail\"\nkind = \"email_auto\"\nsubject = \"Hello\"\n\
                    text = \"See https://example.com/jobs\"\nhtml = \"<p>See <a href='https://example.com/jobs'>jobs</a></p>\"\n\
                    [[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\ndelay = \"3 days\"\nsubject = \"Again\"\ntext = \"Hello again\"\n";

/// Somebody who got a mail: their enrollment, and the mail's path.
async fn mailed(house: &House, program: &Program<'_>, name: &str) -> (String, String) {
    let sequence = house.sequence(name, "", MAIL).await;
    let address = format!("{name}@example.com").to_lowercase();
    let contact = house.contact(&[address.as_str()], |_| {}).await;
    let enrollment = house.enroll(sequence, contact).await;
    house.mails(&address, 1).await;
    // Nobody reads at once.
    house.later(Span::minutes(1));
    let page = program.get(&format!("/sandbox/messages?recipient={address}")).await.expect(200);
    let row = &page["items"][0];
    assert_eq!(row["enrollment"], json!(enrollment));
    (enrollment.to_string(), format!("/sandbox/messages/{}", row["id"].as_str().unwrap()))
}

async fn a_mail_is_read_and_answered(house: &House) {
    let program = Program::new(house).await;
    let (enrollment, path) = mailed(house, &program, "Ann").await;
    let mail = program.get(&path).await.expect(200);
    assert_eq!(
        (&mail["channel"], &mail["subject"], &mail["read_at"]),
        (&json!("email"), &json!("Hello"), &Value::Null)
    );
    assert!(mail["text"].as_str().unwrap().contains("See "), "{mail}");
    assert_eq!((&mail["has_pixel"], &mail["can_unsubscribe"]), (&json!(true), &json!(true)));
    assert!(!mail["links"].as_array().unwrap().is_empty(), "{mail}");
    let raw = program.get(&format!("{path}/raw")).await;
    assert_eq!(raw.headers["content-type"], "message/rfc822");
    assert!(raw.expect(200).as_str().unwrap().contains("List-Unsubscribe"));
    let recipients = program.get("/sandbox/recipients").await.expect(200);
    assert_eq!(
        (&recipients["items"][0]["address"], &recipients["items"][0]["unread"]),
        (&json!("ann@example.com"), &json!(1))
    );

    let reply = json!({ "reaction": "reply", "text": "Yes, let us talk." });
    let done = program.post(&format!("{path}/reactions"), reply).await.expect(200);
    assert_eq!((&done["came_of_it"], &done["class"]), (&json!("message"), &json!("reply")));
    assert_eq!(done["enrollments"], json!([enrollment]));
    let record = program.get(&format!("/enrollments/{enrollment}")).await.expect(200);
    assert_eq!((&record["state"], &record["reason"]), (&json!("finished"), &json!("replied")));
    let shown = program.get(&format!("/messages/{}", done["message"].as_str().unwrap())).await.expect(200);
    assert_eq!(shown["source"], "sandbox");
    assert!(shown["preview"].as_str().unwrap().starts_with("Yes, let us talk."), "{shown}");
}

async fn every_reaction_says_what_came_of_it(house: &House) {
    let program = Program::new(house).await;
    let mut said = Vec::new();
    for (name, reaction) in [
        ("Open", json!({ "reaction": "open" })),
        ("Click", json!({ "reaction": "click", "link": 1 })),
        ("Out", json!({ "reaction": "out_of_office", "until": "2027-03-15" })),
        ("Hard", json!({ "reaction": "bounce", "kind": "hard" })),
        ("Leave", json!({ "reaction": "unsubscribe" })),
        ("Spam", json!({ "reaction": "complaint" })),
    ] {
        let (enrollment, path) = mailed(house, &program, name).await;
        let done = program.post(&format!("{path}/reactions"), reaction).await.expect(200);
        let record = program.get(&format!("/enrollments/{enrollment}")).await.expect(200);
        let of = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        said.push(format!(
            "{name}: {} {} {} -> {} {}",
            of(&done["came_of_it"]),
            of(&done["class"]),
            of(&done["answer"]),
            of(&record["state"]),
            of(&record["reason"])
        ));
    }
    insta::assert_snapshot!("reactions", said.join("\n"));
    let (_, path) = mailed(house, &program, "Wrong").await;
    for wrong in [
        json!({ "reaction": "shrug" }),
        json!({ "reaction": "click", "link": 99 }),
        json!({ "reaction": "reply", "text": " " }),
        json!({ "reaction": "out_of_office", "until": "soon" }),
        json!({}),
    ] {
        assert_eq!(program.post(&format!("{path}/reactions"), wrong).await.problem(422), "invalid");
    }
    let page = program.get("/sandbox/messages?limit=3").await.expect(200);
    let rest = program.get(&format!("/sandbox/messages?after={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (3, 4));
}

async fn the_clock_skips_ahead(house: &House) {
    let program = Program::new(house).await;
    mailed(house, &program, "Ann").await;
    let before = house.now();
    let now = program.post("/sandbox/skip", json!({ "days": 3, "hours": 1 })).await.expect(200);
    assert_eq!(now["now"], json!((before + Span::days(3) + Span::hours(1)).to_string()));
    house.mails("ann@example.com", 2).await;
    for wrong in [json!({}), json!({ "days": 0 }), json!({ "days": 500 }), json!({ "days": -1 }), json!({ "weeks": 1 })]
    {
        assert_eq!(program.post("/sandbox/skip", wrong).await.problem(422), "invalid");
    }
    // With a real mailbox the clock is everybody's.
    let real = json!({ "address": "ann@example.org",
        "smtp": { "host": "127.0.0.1", "port": 25, "security": "none", "auth": "none" } });
    program.post("/mailboxes", real).await.expect(201);
    assert_eq!(program.post("/sandbox/skip", json!({ "days": 1 })).await.problem(409), "real_mailboxes");
}
