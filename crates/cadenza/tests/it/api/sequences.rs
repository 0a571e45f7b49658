//! Sequences over the API: made from a file, looked at, changed, run through their states.

use super::program::{Program, colleague, settled};
use super::specimens::{mailbox, specimens, unreadable_mailbox};
use crate::house::{House, on_both};
use cadenza::actions::Privileges;
use cadenza::actions::sequences::{self, Offer};
use cadenza_core::time::Span;
use serde_json::{Value, json};

on_both! {
    a_file_becomes_a_sequence
    mistakes_in_a_file_are_named_with_their_lines
    states_change_as_the_table_says
    settings_change_while_it_does_not_run
    others_private_sequences_do_not_exist
    a_file_is_planned_applied_and_exported
    drafts_are_deleted_and_nothing_else
    a_later_end_date_reopens_what_its_date_has_ended
    activating_for_somebody_else_moves_the_senders_where_it_is_asked
    what_replies_cannot_stop_runs_when_that_is_confirmed
    where_a_journal_posts_the_replies_nothing_is_to_be_confirmed
}

const FILE: &str = "name = \"Spring\"\n\n[settings]\nreply = \"pause\"\n\n[[branch]]\nkey = \"main\"\n\n\
                    [[branch.step]]\nkey = \"call\"\nkind = \"call\"\n";

async fn made(program: &Program<'_>, name: &str) -> String {
    let file = FILE.replace("Spring", name);
    let answer = program.post("/sequences", json!({ "file": file })).await.expect(201);
    answer["id"].as_str().unwrap().to_owned()
}

async fn a_file_becomes_a_sequence(house: &House) {
    let program = Program::new(house).await;
    let toml = [("content-type", "application/toml; charset=utf-8")];
    let made = program.send_bytes("POST", "/sequences", &toml, FILE.into()).await.expect(201);
    assert_eq!((&made["state"], &made["settings"]["reply"]), (&json!("draft"), &json!("pause")));
    let path = format!("/sequences/{}", made["id"].as_str().unwrap());
    insta::assert_json_snapshot!("sequence", settled(program.get(&path).await.expect(200)));
    insta::assert_json_snapshot!("flow", program.get(&format!("{path}/flow")).await.expect(200));
    let again = program.post("/sequences", json!({ "file": FILE })).await;
    assert_eq!(again.problem(409), "name_taken");
    self::made(&program, "Autumn").await;
    let names = async |query: &str| {
        let page = program.get(&format!("/sequences{query}")).await.expect(200);
        let items: Vec<String> =
            page["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect();
        items.join(" ")
    };
    assert_eq!(names("").await, "Autumn Spring");
    assert_eq!(names("?typed=spr").await, "Spring");
    assert_eq!(names("?state=active,paused").await, "");
    assert_eq!(program.get("/sequences?state=running").await.problem(422), "invalid");
}

async fn mistakes_in_a_file_are_named_with_their_lines(house: &House) {
    let program = Program::new(house).await;
    let file = "name = \"x\"\n[settings]\nreplay = \"stop\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"a b\"\nkind = \"fax\"\n";
    let answer = program.post("/sequences", json!({ "file": file })).await;
    let said: Vec<String> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| format!("{} | {}", e["field"].as_str().unwrap(), e["message"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!("mistakes", said.join("\n"));
    assert_eq!(answer.problem(422), "invalid");
    for bad in [json!({}), json!({ "file": 1 }), json!({ "file": "", "files": "" }), json!({ "file": "" })] {
        assert_eq!(program.post("/sequences", bad).await.problem(422), "invalid");
    }
    let binary = program.send_bytes("POST", "/sequences", &[("content-type", "application/toml")], vec![0xff]).await;
    assert_eq!(binary.problem(422), "invalid");
}

async fn states_change_as_the_table_says(house: &House) {
    let program = Program::new(house).await;
    let id = made(&program, "Spring").await;
    let operate = async |name: &str, options: Value| {
        let answer = program.post(&format!("/sequences/{id}/{name}"), options).await;
        match answer.status.as_u16() {
            200 => answer.json["state"].as_str().unwrap().to_owned(),
            status => answer.problem(status),
        }
    };
    let begin = json!({ "begin": "2027-04-01T08:00:00Z" });
    program.patch(&format!("/sequences/{id}"), begin).await.expect(200);
    let mut said = Vec::new();
    for (name, options) in [
        ("pause", json!({})),
        ("end", json!({})),
        ("activate", json!({})),
        ("activate", json!({})),
        ("resume", json!({})),
        ("resume", json!({})),
        ("pause", json!({})),
        ("archive", json!({})),
        ("end", json!({})),
        ("end", json!({})),
        ("resume", json!({})),
        ("archive", json!({})),
        ("archive", json!({})),
        ("unarchive", json!({})),
        ("activate", json!({})),
    ] {
        said.push(format!("{name}: {}", operate(name, options).await));
    }
    insta::assert_snapshot!("states", said.join("\n"));
    assert_eq!(operate("start", json!({})).await, "invalid");
    assert_eq!(operate("pause", json!({ "arm": "now" })).await, "invalid");
    let other = made(&program, "Autumn").await;
    program.patch(&format!("/sequences/{other}"), json!({ "begin": "2027-04-01T08:00:00Z" })).await.expect(200);
    let armed = program.post(&format!("/sequences/{other}/activate"), json!({ "arm": "now" })).await.expect(200);
    assert_eq!(armed["state"], "scheduled");
}

async fn settings_change_while_it_does_not_run(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let path = format!("/sequences/{}", own["sequence"]);
    let change = json!({ "settings": { "reply": "go_on" } });
    assert_eq!(program.patch(&path, change.clone()).await.problem(409), "not_while_active");
    // How it is called and seen changes at any time.
    let called = json!({ "description": " For engineers ", "sharing": "private", "team": ["ada@northwind.example"] });
    let seen = program.patch(&path, called).await.expect(200);
    assert_eq!((&seen["description"], &seen["sharing"]), (&json!("For engineers"), &json!("private")));
    assert_eq!(seen["team"], json!([own["user"]]));

    program.post(&format!("{path}/pause"), json!({})).await.expect(200);
    let changed = program.patch(&path, change).await.expect(200);
    assert_eq!(changed["settings"]["reply"], "go_on");
    assert_eq!(changed["settings"]["window"], seen["settings"]["window"], "what is not named stays");
    assert!(changed["version"].as_i64() > seen["version"].as_i64());
    let listed = program.patch(&path, json!({ "list": own["list"], "end": "2027-06-01T00:00:00Z" })).await.expect(200);
    assert_eq!((&listed["list"], &listed["end"]), (&json!(own["list"]), &json!("2027-06-01T00:00:00Z")));
    let cleared = program.patch(&path, json!({ "list": null, "end": null })).await.expect(200);
    assert_eq!((&cleared["list"], &cleared["end"]), (&Value::Null, &Value::Null));

    for (wrong, field) in [
        (json!({ "settings": { "replay": "stop" } }), "settings.replay"),
        (json!({ "settings": { "reply": "halt" } }), "settings.reply"),
        (json!({ "settings": { "window": { "start": "18:00", "stop": "09:00" } } }), "settings.window"),
        (json!({ "name": " " }), "name"),
        (json!({ "end": "2027-01-01T00:00:00Z" }), "end"),
        (json!({ "primary_user": "nobody@northwind.example" }), "primary_user"),
        (json!({ "list": "No such list" }), "list"),
        (json!({ "team": ["usr_0000000000001"] }), "team.0"),
        (json!({ "nam": "x" }), "body"),
    ] {
        let answer = program.patch(&path, wrong.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{wrong}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
    made(&program, "Spring").await;
    assert_eq!(program.patch(&path, json!({ "name": "SPRING" })).await.problem(409), "name_taken");
    let line = house
        .read(|q| {
            let sql = "SELECT after FROM audit WHERE action = 'sequence.update' ORDER BY id LIMIT 1";
            Ok(q.query_one(sql, &[])?.text(0)?.to_owned())
        })
        .await;
    assert!(line.contains("For engineers") && !line.contains("window"), "only what changed: {line}");
}

async fn others_private_sequences_do_not_exist(house: &House) {
    let own = specimens(house, &house.caller).await;
    Program::new(house)
        .await
        .patch(&format!("/sequences/{}", own["sequence"]), json!({ "sharing": "private" }))
        .await
        .expect(200);
    let mary = colleague(house).await;
    let theirs = Program::of(house, &mary, Privileges::all()).await;
    let path = format!("/sequences/{}", own["sequence"]);
    assert_eq!(theirs.get("/sequences").await.expect(200)["items"], json!([]));
    for below in ["", "/flow", "/file"] {
        assert_eq!(theirs.get(&format!("{path}{below}")).await.problem(404), "missing", "{below}");
    }
    assert_eq!(theirs.patch(&path, json!({ "name": "Mine" })).await.problem(404), "missing");
    assert_eq!(theirs.post(&format!("{path}/pause"), json!({})).await.problem(404), "missing");
    assert_eq!(theirs.delete(&path).await.problem(404), "missing");
    let shared = json!({ "sharing": "some", "shared_with": [mary.user] });
    Program::new(house).await.patch(&path, shared).await.expect(200);
    assert_eq!(theirs.get(&path).await.expect(200)["id"], json!(own["sequence"]));
    assert_eq!(theirs.post(&format!("{path}/pause"), json!({})).await.problem(403), "forbidden");
}

async fn a_file_is_planned_applied_and_exported(house: &House) {
    let program = Program::new(house).await;
    let plan = async |file: &str| program.post("/sequences/plan", json!({ "file": file })).await.expect(200);
    let first = plan(FILE).await;
    assert_eq!((&first["sequence"], first["changes"].as_array().unwrap().is_empty()), (&Value::Null, false));
    assert_eq!(program.get("/sequences").await.expect(200)["items"], json!([]), "a plan changes nothing");
    let digest = |plan: &Value| plan["digest"].as_str().unwrap().to_owned();
    let apply = async |file: &str, query: &str| {
        program.send("POST", &format!("/sequences/apply{query}"), &[], Some(json!({ "file": file }))).await
    };
    let done = apply(FILE, &format!("?digest={}", digest(&first))).await.expect(200);
    let path = format!("/sequences/{}", done["sequence"].as_str().unwrap());
    assert_eq!(plan(FILE).await["changes"], json!([]));
    assert_eq!(apply(FILE, "").await.expect(200)["changes"], json!([]));

    let longer = format!("{FILE}\n[[branch.step]]\nkey = \"again\"\nkind = \"call\"\ndelay = \"2 days\"\n");
    let next = plan(&longer).await;
    assert_eq!(next["sequence"], done["sequence"]);
    // Somebody else changes it in between.
    program.patch(&path, json!({ "description": "Changed" })).await.expect(200);
    assert_eq!(apply(&longer, &format!("?digest={}", digest(&next))).await.problem(409), "plan_outdated");
    let done = apply(&longer, "").await.expect(200);
    assert!(
        done["changes"].as_array().unwrap().iter().any(|c| c["message"].as_str().unwrap().contains("again")),
        "{done}"
    );

    let file = program.get(&format!("{path}/file")).await;
    assert_eq!(file.headers["content-type"], "application/toml");
    let text = file.expect(200).as_str().unwrap().to_owned();
    assert!(text.contains("key = \"again\""), "{text}");
    assert_eq!(plan(&text).await["changes"], json!([]), "what was exported is what there is");
    let headers = [("content-type", "application/toml")];
    let sent = program.send_bytes("POST", "/sequences/apply", &headers, text.into_bytes()).await.expect(200);
    assert_eq!(sent["sequence"], done["sequence"]);
}

async fn drafts_are_deleted_and_nothing_else(house: &House) {
    let program = Program::new(house).await;
    let path = format!("/sequences/{}", made(&program, "Spring").await);
    program.delete(&path).await.expect(204);
    assert_eq!(program.get(&path).await.problem(404), "missing");
    assert_eq!(program.delete(&path).await.problem(404), "missing");
    let running = specimens(house, &house.caller).await;
    assert_eq!(program.delete(&format!("/sequences/{}", running["sequence"])).await.problem(409), "not_while_active");
}

async fn a_later_end_date_reopens_what_its_date_has_ended(house: &House) {
    let program = Program::new(house).await;
    let id = made(&program, "Spring").await;
    let path = format!("/sequences/{id}");
    program.patch(&path, json!({ "end": "2027-03-01T12:00:00Z" })).await.expect(200);
    program.post(&format!("{path}/activate"), json!({})).await.expect(200);
    let over = async || {
        house.later(Span::hours(3));
        house
            .wait_for("its end", |q| {
                let sql = "SELECT 1 FROM sequence WHERE state = 'ended'";
                Ok(q.query_opt(sql, &[])?.map(drop))
            })
            .await;
    };
    over().await;
    assert_eq!(program.get(&path).await.expect(200)["ended_by"], "date");
    let reopen = format!("{path}/reopen");
    for wrong in [json!({}), json!({ "end": "2027-03-01T12:00:00Z" }), json!({ "end": null, "arm": "now" })] {
        assert_eq!(program.post(&reopen, wrong).await.problem(422), "invalid");
    }
    let more = json!({ "end": "2027-03-01T15:00:00Z", "priority": "high" });
    assert_eq!(program.patch(&path, more).await.problem(409), "not_while_ended");
    let open = program.patch(&path, json!({ "end": "2027-03-01T15:00:00Z" })).await.expect(200);
    assert_eq!(
        (&open["state"], &open["ended_by"], &open["end"]),
        (&json!("active"), &Value::Null, &json!("2027-03-01T15:00:00Z"))
    );
    over().await;
    let open = program.post(&reopen, json!({ "end": null })).await.expect(200);
    assert_eq!((&open["state"], &open["end"]), (&json!("active"), &Value::Null));
    program.post(&format!("{path}/end"), json!({})).await.expect(200);
    assert_eq!(program.post(&reopen, json!({ "end": null })).await.problem(409), "ended_for_good");
}

async fn activating_for_somebody_else_moves_the_senders_where_it_is_asked(house: &House) {
    let program = Program::new(house).await;
    let mary = super::program::colleague(house).await;
    let file = "name = \"Spring\"\n\n[[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
                sender = \"ada@northwind.example\"\nsubject = \"Hello\"\ntext = \"A letter.\"\n\n[[branch.step]]\nkey = \"call\"\n\
                kind = \"call\"\n\n[[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\ndelay = \"1 day\"\n\
                same_thread = true\ntext = \"Again.\"\n";
    let id = program.post("/sequences", json!({ "file": file })).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (path, sequence) = (format!("/sequences/{id}"), id.parse().unwrap());
    let offer = async || sequences::offer(&house.app, &house.caller, sequence).await.unwrap();
    assert_eq!(offer().await, None, "for herself");
    program.patch(&path, json!({ "primary_user": mary.user })).await.expect(200);
    let none = Offer { primary_user: mary.user, mailbox: None, steps: 2 };
    assert_eq!(offer().await, Some(none));
    let activate = format!("{path}/activate");
    let moving = json!({ "senders": "primary_user" });
    assert_eq!(program.post(&activate, moving.clone()).await.problem(409), "no_mailbox");
    mailbox(house, &mary, 7).await;
    assert_eq!(offer().await.and_then(|o| o.mailbox).as_deref(), Some("specimen-7@northwind.example"));
    let pause = format!("{path}/pause");
    assert_eq!(program.post(&pause, moving.clone()).await.problem(422), "invalid");
    program.post(&activate, moving).await.expect(200);
    let flow = program.get(&format!("{path}/flow")).await.expect(200);
    let senders: Vec<String> = flow["branches"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["content"]["sender"].to_string())
        .collect();
    let moved = r#"{"mailbox":"specimen-7@northwind.example"}"#;
    assert_eq!(senders, [moved, r#""owner""#, moved], "{flow:#}");
    assert_eq!(offer().await, None, "nothing is left to move");
}

async fn what_replies_cannot_stop_runs_when_that_is_confirmed(house: &House) {
    let program = Program::new(house).await;
    unreadable_mailbox(house, house.caller.user, "ada@northwind.example").await;
    let file = FILE.replace("kind = \"call\"", "kind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"A letter.\"");
    let made = program.post("/sequences", json!({ "file": file })).await.expect(201);
    let path = format!("/sequences/{}", made["id"].as_str().unwrap());
    let activate = format!("{path}/activate");
    for unconfirmed in [json!({}), json!({ "accept_unreadable": false })] {
        let answer = program.post(&activate, unconfirmed).await;
        let detail = answer.json["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("write from ada@northwind.example, and"), "{detail}");
        assert_eq!(answer.problem(409), "unreadable_mailbox");
        assert_eq!(program.get(&path).await.expect(200)["state"], json!("draft"));
    }
    let wrong = program.post(&activate, json!({ "accept_unreadable": "yes" })).await;
    assert_eq!(wrong.problem(422), "invalid");
    let confirmed = json!({ "accept_unreadable": true });
    assert_eq!(program.post(&activate, confirmed.clone()).await.expect(200)["state"], json!("active"));
    let pause = program.post(&format!("{path}/pause"), confirmed).await;
    assert!(pause.json["errors"][0]["field"] == "accept_unreadable", "{:#}", pause.json);
    for operation in ["pause", "resume"] {
        program.post(&format!("{path}/{operation}"), json!({})).await.expect(200);
    }
}

async fn where_a_journal_posts_the_replies_nothing_is_to_be_confirmed(house: &House) {
    let program = Program::new(house).await;
    unreadable_mailbox(house, house.caller.user, "ada@northwind.example").await;
    let all = program.get("/mailboxes").await.expect(200);
    let unread = all["items"].as_array().unwrap().iter().find(|m| m["readable"] == false).unwrap().clone();
    let path = format!("/mailboxes/{}", unread["id"].as_str().unwrap());
    let journaled = program.patch(&path, json!({ "journaled": true })).await.expect(200);
    assert_eq!((&journaled["readable"], &journaled["journaled"]), (&json!(true), &json!(true)));
    let file = FILE.replace("kind = \"call\"", "kind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"A letter.\"");
    let made = program.post("/sequences", json!({ "file": file })).await.expect(201);
    let activate = format!("/sequences/{}/activate", made["id"].as_str().unwrap());
    assert_eq!(program.post(&activate, json!({})).await.expect(200)["state"], json!("active"));
    let back = program.patch(&path, json!({ "journaled": false })).await.expect(200);
    assert_eq!(back["readable"], json!(false));
}
