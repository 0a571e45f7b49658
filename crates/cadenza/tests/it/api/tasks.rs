//! Tasks: the list and its counts, marking and sending, tasks of one's own.

use super::program::{Program, colleague, settled, stranger, without};
use super::specimens::specimens;
use crate::house::{House, on_both};
use cadenza::actions::Privileges;
use serde_json::json;

on_both! { a_task_is_listed_marked_and_gone a_manual_message_is_sent_in_ones_own_words own_tasks_live_in_the_same_list others_tasks_are_not_ones_own }

async fn a_task_is_listed_marked_and_gone(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let tasks = program.get("/tasks").await.expect(200);
    let mut task = tasks["items"][0].clone();
    task["step"]["sequence_name"] = json!("Specimen");
    insta::assert_json_snapshot!("task", settled(task));
    assert_eq!(tasks["items"][0]["id"], own["task"]);
    assert_eq!(program.get("/tasks/counts").await.expect(200)["items"], json!([{ "kind": "call", "count": 1 }]));
    for (query, there) in [
        ("kind=call", 1),
        ("kind=email_manual,meeting", 0),
        ("priority=high", 0),
        ("priority=normal,high", 1),
        ("due_before=2027-03-01T09:00:00Z", 0),
        ("due_before=2027-03-01T11:00:00Z", 1),
        (&format!("sequence={}", own["sequence"]), 1),
        (&format!("contact={}", own["contact"]), 1),
        ("contact=con_0000000000001", 0),
        (&format!("owner={}", own["user"]), 1),
    ] {
        let found = program.get(&format!("/tasks?{query}")).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), there, "{query}");
    }
    let bad = program.get("/tasks?kind=calls").await;
    assert!(bad.json["detail"].as_str().unwrap().contains("expected email_auto"), "{:#}", bad.json);

    let mark = format!("/tasks/{}/mark", own["task"]);
    assert_eq!(program.post(&mark, json!({ "outcome": "done" })).await.problem(409), "no_such_outcome");
    let marked = program.post(&mark, json!({ "outcome": "interested" })).await.expect(200);
    assert_eq!((&marked["state"], &marked["reason"]), (&json!("finished"), &json!("judged")));
    assert_eq!(program.get("/tasks").await.expect(200)["items"], json!([]));
    assert_eq!(program.post(&mark, json!({ "outcome": "interested" })).await.problem(409), "not_while_finished");
    let missing = format!("/tasks/{}.9/mark", own["enrollment"]);
    assert_eq!(program.post(&missing, json!({ "outcome": "interested" })).await.problem(404), "missing");
}

async fn a_manual_message_is_sent_in_ones_own_words(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let (enrollment, contact) = (&own["enrollment"], &own["contact"]);
    program.post(&format!("/enrollments/{enrollment}/skip"), json!({})).await.expect(200);
    let send = format!("/tasks/{enrollment}.2/send");
    assert_eq!(program.post(&send, json!({ "subject": "Hi", "text": " " })).await.problem(422), "invalid");
    let words = json!({ "subject": "In my words", "text": "Nice to meet you." });
    let mut sent = program.post(&send, words.clone()).await;
    // The task appears when the clock has looked at it.
    for _ in 0..100 {
        if sent.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        sent = program.post(&send, words.clone()).await;
    }
    assert_eq!(sent.expect(200)["reason"], "executing");
    let id: cadenza_core::ids::ContactId = contact.parse().unwrap();
    let w = house.w;
    let address = house.read(move |q| Ok(cadenza_store::contacts::get(q, w, id)?.emails[0].value.clone())).await;
    let mail = house.mails(&address, 1).await.remove(0);
    assert!(mail.raw.contains("Subject: In my words") && mail.raw.contains("Nice to meet you."), "{}", mail.raw);
    assert_eq!(program.post(&send, words).await.status, 409);
}

async fn own_tasks_live_in_the_same_list(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let wanted =
        json!({ "name": "Prepare", "due": "2027-03-01T08:00:00Z", "contact": own["contact"], "priority": "high" });
    let made = program.post("/tasks", wanted).await.expect(201);
    insta::assert_json_snapshot!("own", settled(made.clone()));
    let id = made["id"].as_str().unwrap();
    let listed = program.get("/tasks").await.expect(200);
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id, own["task"].as_str()], "the next due first");
    let mut seen = Vec::new();
    let mut after = String::new();
    while let Some(next) = {
        let page = program.get(&format!("/tasks?limit=1{after}")).await.expect(200);
        seen.push(page["items"][0]["id"].as_str().unwrap().to_owned());
        page["next"].as_str().map(str::to_owned)
    } {
        after = format!("&after={next}");
    }
    assert_eq!(seen, ids);

    let path = format!("/tasks/{id}");
    let changed =
        program.send("PATCH", &path, &[], Some(json!({ "due": null, "name": "Prepare well" }))).await.expect(200);
    assert_eq!(without(&changed, &["due", "name"]), without(&made, &["due", "name"]));
    assert_eq!((&changed["due"], &changed["name"]), (&json!(null), &json!("Prepare well")));
    let done = program.post(&format!("{path}/mark"), json!({ "outcome": "done" })).await.expect(200);
    assert_eq!(done["outcome"], "done");
    let again = program.post(&format!("{path}/mark"), json!({ "outcome": "other" })).await.expect(200);
    assert_eq!(again, done, "the first time counts");
    assert_eq!(program.get("/tasks?kind=own_task").await.expect(200)["items"], json!([]));

    let theirs = specimens(house, &stranger(house).await).await;
    for (wanted, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "x", "contact": theirs["contact"] }), "contact"),
        (json!({ "name": "x", "owner": theirs["user"] }), "owner"),
        (json!({ "name": "x", "until": "2027-03-01T08:00:00Z" }), "due"),
        (json!({ "name": "x", "due": "2027-03-01T08:00:00Z", "until": "2027-03-01T07:00:00Z" }), "until"),
    ] {
        let answer = program.post("/tasks", wanted.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{wanted}: {:#}", answer.json);
    }
    let audit = house.int("SELECT count(*) FROM audit WHERE object = 'task'", &[]).await;
    assert_eq!(audit, 3, "made, changed, finished once");
}

async fn others_tasks_are_not_ones_own(house: &House) {
    let own = specimens(house, &house.caller).await;
    let mary = colleague(house).await;
    let (w, id) = (house.w, mary.user);
    let theirs = Program::of(house, &mary, Privileges::all()).await;
    assert_eq!(theirs.get("/tasks").await.expect(200)["items"], json!([]));
    let mark = format!("/tasks/{}/mark", own["task"]);
    assert_eq!(theirs.post(&mark, json!({ "outcome": "no_answer" })).await.problem(403), "forbidden");
    let task = Program::new(house).await.post("/tasks", json!({ "name": "Ada's" })).await.expect(201);
    let finish = format!("/tasks/{}/mark", task["id"].as_str().unwrap());
    assert_eq!(theirs.post(&finish, json!({ "outcome": "done" })).await.problem(404), "missing");
    assert_eq!(theirs.post("/tasks", json!({ "name": "x", "owner": own["user"] })).await.problem(403), "forbidden");

    // Who works on the sequence does its tasks (PRM-2).
    let sequence: cadenza_core::ids::SequenceId = own["sequence"].parse().unwrap();
    house
        .write(move |tx| {
            use cadenza_store::sequences::{Member, MemberRole, set_members};
            set_members(tx, w, sequence, MemberRole::Works, &[Member::User(id)])
        })
        .await;
    assert_eq!(theirs.get("/tasks").await.expect(200)["items"][0]["id"], own["task"]);
    theirs.post(&mark, json!({ "outcome": "no_answer" })).await.expect(200);
}
