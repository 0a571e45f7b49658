//! Enrolling and operating: one by one and in bulk, each answered by itself.

use super::program::{Program, settled, stranger};
use super::specimens::{person, specimens};
use crate::house::{House, on_both};
use cadenza_core::ids::EnrollmentId;
use serde_json::{Value, json};

on_both! { each_is_enrolled_or_told_why_not each_operation_answers_by_the_state bulk_operations_answer_for_each operations_take_what_they_know }

const STEPS: &str = "[[branch.step]]\nkey = \"talk\"\nkind = \"call\"\n[[branch.step]]\nkey = \"again\"\nkind = \"call\"\ndelay = \"1 day\"\n";

async fn each_is_enrolled_or_told_why_not(house: &House) {
    let program = Program::new(house).await;
    let sequence = house.sequence("Spring", "", STEPS).await;
    let (one, two) =
        (person(house, &house.caller, "Ada", "Lovelace").await, person(house, &house.caller, "Mary", "Shelley").await);
    let eve = stranger(house).await;
    let theirs = person(house, &eve, "Eve", "Else").await;
    let path = format!("/sequences/{sequence}/enrollments");
    // Named twice, it is one wish.
    let wanted = json!({ "contacts": [one, two, one, theirs] });
    let first = program.post(&path, wanted.clone()).await.expect(200);
    insta::assert_json_snapshot!("enrolled", settled(first.clone()));
    let again = program.post(&path, wanted).await.expect(200);
    assert_eq!((&again["done"], &again["refused"]), (&json!(0), &json!(3)));
    assert_eq!(again["items"][0]["code"], "already_live");
    assert_eq!(again["items"][0]["enrollment"], first["items"][0]["enrollment"]);

    assert_eq!(program.post(&path, json!({})).await.problem(422), "invalid");
    assert_eq!(program.post(&path, json!({ "contact": [one] })).await.problem(422), "invalid");
    let foreign = specimens(house, &eve).await;
    let list = program.post(&path, json!({ "list": foreign["list"] })).await;
    assert_eq!(list.problem(404), "missing");
    let own = specimens(house, &house.caller).await;
    let empty = program.post(&path, json!({ "list": own["list"] })).await.expect(200);
    assert_eq!(empty, json!({ "done": 0, "refused": 0, "items": [] }));

    // Finished before, somebody has to say that it is meant.
    let id = first["items"][0]["enrollment"].as_str().unwrap();
    let stop = format!("/enrollments/{id}/stop");
    program.post(&stop, json!({ "reason": "met" })).await.expect(200);
    let wanted = json!({ "contacts": [one] });
    assert_eq!(program.post(&path, wanted).await.expect(200)["items"][0]["code"], "finished_before");
    let anew = program.post(&path, json!({ "contacts": [one], "again": true })).await.expect(200);
    assert_eq!(anew["done"], 1);
    assert_ne!(anew["items"][0]["enrollment"], id);
    house.audit(sequence).await;
}

async fn each_operation_answers_by_the_state(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let operate = async |name: &str, options: Value| {
        let path = format!("/enrollments/{}/{name}", own["enrollment"]);
        let answer = program.post(&path, options).await;
        match answer.status.as_u16() {
            200 => format!("{} {}", answer.json["state"].as_str().unwrap(), answer.json["reason"].as_str().unwrap()),
            _ => answer.problem(409),
        }
    };
    let none = || json!({});
    let mut said = Vec::new();
    for (name, options) in [
        ("resume", none()),
        ("pause", none()),
        ("pause", none()),
        ("resume", none()),
        ("retry", none()),
        ("jump_to_step", json!({ "step": "write" })),
        ("jump_to_branch", json!({ "branch": "nowhere" })),
        ("skip", none()),
        ("mark_status", json!({ "status": "success" })),
        ("undo_mark", none()),
        ("stop", json!({ "reason": "answered" })),
        ("pause", none()),
        ("reactivate", json!({ "due": "now" })),
        ("set_owner", json!({ "owner": null })),
        ("opt_out", none()),
        ("reactivate", none()),
        ("remove", none()),
        ("erase", none()),
        ("resume", none()),
    ] {
        said.push(format!("{name}: {}", operate(name, options).await));
    }
    insta::assert_snapshot!("operations", said.join("\n"));

    // Without a body it is as with an empty one.
    let other = specimens(house, &house.caller).await;
    let path = format!("/enrollments/{}/pause", other["enrollment"]);
    assert_eq!(program.send("POST", &path, &[], None).await.expect(200)["state"], "paused");
}

async fn bulk_operations_answer_for_each(house: &House) {
    let program = Program::new(house).await;
    let (one, two) = (specimens(house, &house.caller).await, specimens(house, &house.caller).await);
    let theirs = specimens(house, &stranger(house).await).await;
    program.post(&format!("/enrollments/{}/remove", two["enrollment"]), json!({})).await.expect(200);
    let ids = json!([one["enrollment"], theirs["enrollment"], two["enrollment"], "enr_0000000000001"]);
    let done = program.post("/enrollments/bulk", json!({ "enrollments": ids, "operation": "pause" })).await.expect(200);
    insta::assert_json_snapshot!("bulk", settled(done));
    let id: EnrollmentId = theirs["enrollment"].parse().unwrap();
    let sql = "SELECT state FROM enrollment WHERE id = $1";
    let state = house.read(move |q| Ok(q.query_one(sql, &[id.into()])?.text(0)?.to_owned())).await;
    assert_eq!(state, "active");
}

async fn operations_take_what_they_know(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let eve = stranger(house).await;
    for (name, options, field) in [
        ("pauze", json!({}), "operation"),
        ("pause", json!({ "reason": "met" }), "reason"),
        ("stop", json!({ "reson": "met" }), "reson"),
        ("stop", json!({ "reason": "tired" }), "operation"),
        ("mark_status", json!({}), "operation"),
        ("jump_to_step", json!({ "step": "No Key" }), "step"),
        ("set_owner", json!({ "owner": eve.user }), "owner"),
        ("pause", json!([1]), "body"),
    ] {
        let answer = program.post(&format!("/enrollments/{}/{name}", own["enrollment"]), options.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{name} {options}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
    for bad in [
        json!({ "operation": "pause" }),
        json!({ "enrollments": [own["enrollment"]] }),
        json!({ "enrollments": ["con_00dk3v9xk0008"], "operation": "pause" }),
        json!({ "enrollments": vec!["enr_0000000000001"; 10_001], "operation": "pause" }),
    ] {
        assert_eq!(program.post("/enrollments/bulk", bad).await.problem(422), "invalid");
    }
}
