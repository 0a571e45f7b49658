//! The suppression list over the API: filled, asked, exported, lifted with a reason; and that it holds.

use super::program::Program;
use crate::house::{House, on_both};
use cadenza::actions::{Privilege, Privileges};
use serde_json::{Value, json};

on_both! { values_are_suppressed_and_lifted_with_a_reason the_list_is_read_to_its_end enrolling_heeds_the_list }

async fn values_are_suppressed_and_lifted_with_a_reason(house: &House) {
    let program = Program::new(house).await;
    let values = json!({ "values": [{ "value": " Ann@Example.com " }, { "value": "example.net" }, { "value": "+49 30 123456" }] });
    assert_eq!(program.post("/suppressions", values.clone()).await.expect(200)["added"], 3);
    assert_eq!(program.post("/suppressions", values).await.expect(200)["added"], 0);
    let found = program.get("/suppressions/ann@example.com").await.expect(200);
    assert_eq!(found, json!({ "kind": "email", "value": "ann@example.com", "why": "by_hand" }));
    assert_eq!(program.get("/suppressions/anybody@example.net").await.expect(200)["why"], "by_hand");
    assert_eq!(program.get("/suppressions/+4930123456").await.expect(200)["kind"], "phone");
    assert_eq!(program.get("/suppressions/ben@example.com").await.problem(404), "missing");
    assert_eq!(program.get("/suppressions/nonsense").await.problem(422), "invalid");

    let lift = "/suppressions/ann@example.com/lift";
    let reason = json!({ "reason": "Asked by phone" });
    assert_eq!(program.post(lift, json!({ "reason": " " })).await.problem(422), "invalid");
    assert_eq!(
        program.post("/suppressions/x@example.net/lift", reason.clone()).await.problem(409),
        "suppressed_by_domain"
    );
    let member: Privileges = Privileges::all().iter().filter(|p| *p != Privilege::SettingsManage).collect();
    let member = Program::of(house, &house.caller, member).await;
    assert_eq!(member.post(lift, reason.clone()).await.problem(403), "forbidden");
    program.post(lift, reason.clone()).await.expect(204);
    assert_eq!(program.get("/suppressions/ann@example.com").await.problem(404), "missing");
    assert_eq!(program.post(lift, reason).await.problem(404), "missing");
    let line = house
        .read(|q| {
            let sql = "SELECT before, after FROM audit WHERE action = 'suppression.lift'";
            let row = q.query_one(sql, &[])?;
            Ok(format!("{} {}", row.text(0)?, row.text(1)?))
        })
        .await;
    assert!(line.contains("Asked by phone") && line.contains("by_hand"), "{line}");

    // All or none.
    let mixed = json!({ "values": [{ "value": "new@example.com" }, { "value": "nonsense" }] });
    let answer = program.post("/suppressions", mixed).await;
    assert_eq!(answer.json["errors"][0]["field"], "values.1");
    assert_eq!(answer.problem(422), "invalid");
    assert_eq!(program.get("/suppressions/new@example.com").await.problem(404), "missing");
    assert_eq!(program.post("/suppressions", json!({ "values": [] })).await.problem(422), "invalid");
}

async fn the_list_is_read_to_its_end(house: &House) {
    let program = Program::new(house).await;
    let values: Vec<Value> = (0..5).map(|n| json!({ "value": format!("p{n}@example.com") })).collect();
    program.post("/suppressions", json!({ "values": values, "from": "import" })).await.expect(200);
    let (mut found, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = program.get(&format!("/suppressions?limit=2{after}")).await.expect(200);
        for entry in page["items"].as_array().unwrap() {
            assert_eq!(entry["why"], "import");
            found.push(entry["value"].as_str().unwrap().to_owned());
        }
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    found.sort();
    assert_eq!((found, pages), ((0..5).map(|n| format!("p{n}@example.com")).collect(), 3));
}

async fn enrolling_heeds_the_list(house: &House) {
    let program = Program::new(house).await;
    let contact = program.post("/contacts", json!({ "emails": [{ "value": "ann@example.com" }] })).await.expect(201);
    let step = "[[branch.step]]\nkey = \"mail\"\nkind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"Hello\"\n";
    let sequence = house.sequence("Spring", "", step).await;
    program.post("/suppressions", json!({ "values": [{ "value": "example.com" }] })).await.expect(200);
    let path = format!("/sequences/{sequence}/enrollments");
    let done = program.post(&path, json!({ "contacts": [contact["id"]] })).await.expect(200);
    // Enrolled or refused by what it is asked; nothing is sent either way.
    house.later(cadenza_core::time::Span::hours(1));
    let ids: Vec<_> = done["items"].as_array().unwrap().iter().filter_map(|i| i["enrollment"].as_str()).collect();
    for id in ids {
        let enrollment: cadenza_core::ids::EnrollmentId = id.parse().unwrap();
        house
            .wait_for("the step to be skipped", move |q| {
                let sql = "SELECT 1 FROM activity WHERE enrollment_id = $1 AND outcome = 'skipped'";
                Ok(q.query_opt(sql, &[enrollment.into()])?.map(drop))
            })
            .await;
    }
    assert_eq!(house.int("SELECT count(*) FROM sandbox_message", &[]).await, 0);
}
