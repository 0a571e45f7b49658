//! What people look at, as JSON: lists with filters and pages, records, why, the queue, the overview, the event log.

use super::program::{Program, colleague, settled};
use super::specimens::{person, specimens};
use crate::house::{House, on_both};
use cadenza::actions::{Privilege, Privileges};
use serde_json::{Value, json};

on_both! { a_record_says_what_it_should lists_are_filtered_and_read_page_by_page queue_overview_and_events_are_there private_sequences_are_for_those_who_see_them }

async fn a_record_says_what_it_should(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let path = format!("/enrollments/{}", own["enrollment"]);
    insta::assert_json_snapshot!("record", named(program.get(&path).await.expect(200)));
    insta::assert_json_snapshot!("why", named(program.get(&format!("{path}/why")).await.expect(200)));
    program.post(&format!("/tasks/{}/mark", own["task"]), json!({ "outcome": "left_voicemail" })).await.expect(200);
    house
        .wait_for("the next task", |q| {
            Ok(q.query_opt("SELECT 1 FROM activity WHERE visit = 2 AND appeared_at IS NOT NULL", &[])?.map(drop))
        })
        .await;
    insta::assert_json_snapshot!("record_later", named(program.get(&path).await.expect(200)));
    insta::assert_json_snapshot!("activities", named(program.get(&format!("{path}/activities")).await.expect(200)));
    insta::assert_json_snapshot!("history", named(program.get(&format!("{path}/history")).await.expect(200)));
}

/// Without what is different in every run.
fn named(json: Value) -> Value {
    fn walk(json: &mut Value) {
        match json {
            Value::String(text) if text.starts_with("Specimen") => *text = "Specimen".into(),
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(fields) => fields.values_mut().for_each(walk),
            _ => {}
        }
    }
    let mut json = settled(json);
    walk(&mut json);
    json
}

/// Names of the contacts of all pages, and how many pages there were.
async fn all(program: &Program<'_>, path: &str) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = program.get(&format!("{path}{after}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|i| i["contact"]["name"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (names, pages),
        }
    }
}

async fn lists_are_filtered_and_read_page_by_page(house: &House) {
    let program = Program::new(house).await;
    let steps = "[[branch.step]]\nkey = \"talk\"\nkind = \"call\"\n";
    let (spring, autumn) = (house.sequence("Spring", "", steps).await, house.sequence("Autumn", "", steps).await);
    let mut ids = Vec::new();
    for (i, name) in ["Ann", "Ben", "Cem", "Dee", "Eli"].into_iter().enumerate() {
        let contact = person(house, &house.caller, name, "Tester").await;
        ids.push(house.enroll(if i < 3 { spring } else { autumn }, contact).await);
    }
    program.post(&format!("/enrollments/{}/stop", ids[1]), json!({})).await.expect(200);
    program.post(&format!("/enrollments/{}/remove", ids[2]), json!({})).await.expect(200);
    let list =
        async |query: &str| all(&program, &format!("/enrollments?{query}")).await.0.join(" ").replace(" Tester", "");
    assert_eq!(list("").await, "Eli Dee Ben Ann", "the removed are in no list");
    assert_eq!(list("when=now").await, "Eli Dee Ann");
    assert_eq!(list(&format!("sequence={spring}")).await, "Ben Ann");
    assert_eq!(list(&format!("sequence={spring},{autumn}&state=finished")).await, "Ben");
    assert_eq!(list("status_reason=cancelled").await, "Ben");
    assert_eq!(list("typed=el").await, "Eli");
    assert_eq!(list("stage=success").await, "");
    assert_eq!(
        all(&program, "/enrollments?limit=2").await,
        (["Eli", "Dee", "Ben", "Ann"].map(|n| format!("{n} Tester")).to_vec(), 2)
    );
    assert_eq!(all(&program, "/enrollments?limit=1&order=next_action").await.1, 4);

    for (bad, says) in [
        ("stat=active", "unknown field"),
        ("state=activ", "activ"),
        ("limit=1000", "1 to 200"),
        ("after=abc", "next of the page before"),
        ("sequence=con_00dk3v9xk0008", "expected seq_"),
    ] {
        let answer = program.get(&format!("/enrollments?{bad}")).await;
        assert!(answer.json["detail"].as_str().unwrap().contains(says), "{bad}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
}

async fn queue_overview_and_events_are_there(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    program.post(&format!("/tasks/{}/mark", own["task"]), json!({ "outcome": "no_answer" })).await.expect(200);
    house
        .wait_for("the next task", |q| {
            Ok(q.query_opt("SELECT 1 FROM activity WHERE visit = 2 AND appeared_at IS NOT NULL", &[])?.map(drop))
        })
        .await;
    insta::assert_json_snapshot!("overview", named(program.get("/overview").await.expect(200)));
    let figures = program.get(&format!("/sequences/{}/figures", own["sequence"])).await.expect(200);
    insta::assert_json_snapshot!("figures", figures);
    insta::assert_json_snapshot!("events", named(program.get("/events?limit=2").await.expect(200)["items"].clone()));
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let page = program.get(&format!("/events?limit=1{after}")).await.expect(200);
        lines.extend(page["items"].as_array().unwrap().iter().map(|l| l["version"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let mut sorted = lines.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert!(lines.len() > 2);
    assert_eq!(lines, sorted, "newest first, each once");
    assert_eq!(program.get("/events?level=error").await.expect(200)["items"], json!([]));
    // A task waits for a person and not in the queue; a mail waits there.
    let steps = "[[branch.step]]\nkey = \"talk\"\nkind = \"call\"\n\
                 [[branch.step]]\nkey = \"mail\"\nkind = \"email_auto\"\ndelay = \"2 days\"\nsubject = \"Hi\"\ntext = \"Hello\"\n";
    let sequence = house.sequence("Mails", "", steps).await;
    let contact = person(house, &house.caller, "Ann", "Tester").await;
    let enrollment = house.enroll(sequence, contact).await;
    house
        .wait_for("the call", move |q| {
            let sql = "SELECT 1 FROM activity WHERE enrollment_id = $1 AND appeared_at IS NOT NULL";
            Ok(q.query_opt(sql, &[enrollment.into()])?.map(drop))
        })
        .await;
    assert_eq!(program.get("/queue").await.expect(200)["items"], json!([]));
    program.post(&format!("/tasks/{enrollment}.1/mark"), json!({ "outcome": "no_answer" })).await.expect(200);
    let queue = program.get("/queue").await.expect(200);
    let row = &queue["items"][0];
    assert_eq!(row["enrollment"]["contact"]["name"], "Ann Tester");
    assert_eq!(row["last"], json!({ "step": "talk", "kind": "call", "outcome": "no_answer" }));
    assert_eq!(row["next_kind"], "email_auto");
    assert_eq!(row["scheduled_for"], row["enrollment"]["next_action_on"]);
    assert_eq!(program.get("/queue/counts").await.expect(200), json!({ "next": 1, "first": 0 }));
}

async fn private_sequences_are_for_those_who_see_them(house: &House) {
    let own = specimens(house, &house.caller).await;
    house.write(|tx| tx.exec("UPDATE sequence SET sharing = 'private'", &[])).await;
    let mary = colleague(house).await;
    let theirs = Program::of(house, &mary, Privileges::all()).await;
    assert!(
        !theirs.get("/me").await.expect(200)["privileges"]
            .as_array()
            .unwrap()
            .contains(&json!(Privilege::SequencesManageAll.as_str()))
    );
    for path in ["", "/why", "/history", "/activities"] {
        let answer = theirs.get(&format!("/enrollments/{}{path}", own["enrollment"])).await;
        assert_eq!(answer.problem(404), "missing", "{path}");
    }
    assert_eq!(theirs.get("/enrollments").await.expect(200)["items"], json!([]));
    assert_eq!(theirs.get("/events").await.expect(200)["items"], json!([]));
    assert_eq!(theirs.get("/overview").await.expect(200)["items"], json!([]));
    let enroll = format!("/sequences/{}/enrollments", own["sequence"]);
    assert_eq!(theirs.post(&enroll, json!({ "contacts": [own["contact"]] })).await.problem(404), "missing");
    let pause = format!("/enrollments/{}/pause", own["enrollment"]);
    assert_eq!(theirs.post(&pause, json!({})).await.problem(404), "missing");
    Program::new(house).await.post(&pause, json!({})).await.expect(200);
}
