//! Mailboxes, users, roles and the workspace's settings over the API; and that no secret comes out again.

use super::program::{Program, settled};
use crate::house::{House, on_both};
use cadenza::actions::{Privilege, Privileges};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

on_both! {
    a_mailbox_is_kept_and_its_secrets_never_come_out
    a_mailbox_by_oauth_keeps_its_secrets_to_itself
    a_mailbox_is_held_and_released
    a_mailboxes_server_is_tried
    users_are_invited_and_depart
    roles_are_made_and_changed
    settings_change_by_name
}

const CANARY: &str = "canary-7f3a9c";

async fn a_mailbox_is_kept_and_its_secrets_never_come_out(house: &House) {
    let program = Program::new(house).await;
    let server = json!({ "host": "SMTP.example.com", "port": 587, "security": "starttls", "auth": "password",
        "login": "ann", "secret": CANARY });
    let imap = json!({ "host": "localhost", "port": 9, "security": "tls", "auth": "password",
        "login": "ann", "secret": CANARY });
    let new = json!({ "address": "Ann@Example.com", "name": "Ann", "smtp": server, "imap": imap, "day_cap": 100, "hour_cap": null });
    let made = program.post("/mailboxes", new).await.expect(201);
    insta::assert_json_snapshot!("mailbox", settled(made.clone()));
    let path = format!("/mailboxes/{}", made["id"].as_str().unwrap());
    let mut answers = vec![made.clone(), program.get("/mailboxes").await.expect(200)];
    answers.push(program.patch(&path, json!({ "signature": "Ann", "gap_seconds": 5 })).await.expect(200));
    answers.push(program.get(&path).await.expect(200));
    assert_eq!(answers[3]["smtp"]["has_secret"], true, "what is not named stays");
    // The password was given for another server.
    let elsewhere = json!({ "smtp": { "host": "evil.example.com", "port": 587, "security": "starttls",
        "auth": "password", "login": "ann" } });
    let refused = program.patch(&path, elsewhere).await;
    assert_eq!(refused.json["errors"][0]["field"], "smtp.secret");
    answers.push(refused.json.clone());
    assert_eq!(refused.problem(422), "invalid");
    for answer in &answers {
        assert!(!answer.to_string().contains(CANARY), "{answer}");
    }
    let taken = json!({ "address": "ann@example.com", "smtp": { "host": "a.example", "port": 25, "security": "none", "auth": "none" } });
    assert_eq!(program.post("/mailboxes", taken).await.problem(409), "address_taken");
    for (wrong, field) in [
        (json!({ "address": "nobody" }), "address"),
        (json!({ "smtp": { "host": "a b", "port": 25, "security": "none", "auth": "none" } }), "smtp.host"),
        (
            json!({ "smtp": { "host": "a.example", "port": 25, "security": "none", "auth": "password", "login": "x",
            "secret": CANARY } }),
            "smtp.security",
        ),
        (json!({ "smtp": { "host": "10.0.0.8", "port": 25, "security": "none", "auth": "none" } }), "smtp.host"),
        (
            json!({ "imap": { "host": "169.254.169.254", "port": 80, "security": "tls", "auth": "password", "login": "x",
            "secret": CANARY } }),
            "imap.host",
        ),
        (json!({ "folders": [] }), "folders"),
        (json!({ "smtp": { "host": "a.example", "port": 25, "security": "plain", "auth": "none" } }), "body"),
        (json!({ "password": CANARY }), "body"),
    ] {
        let answer = program.patch(&path, wrong.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{wrong}: {:#}", answer.json);
        assert!(!answer.json.to_string().contains(CANARY), "{:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
    program.delete(&path).await.expect(204);
    assert_eq!(program.get(&path).await.problem(404), "missing");
    // Who sees sequences sees who sends, and no server.
    let viewer = [Privilege::SequencesView].into_iter().collect::<Privileges>();
    let viewer = Program::of(house, &house.caller, viewer).await;
    let listed = viewer.get("/mailboxes").await.expect(200);
    assert_eq!(listed["items"][0]["sandbox"], true);
    assert!(listed["items"][0].get("smtp").is_none());
}

async fn a_mailbox_by_oauth_keeps_its_secrets_to_itself(house: &House) {
    let program = Program::new(house).await;
    let smtp =
        json!({ "host": "smtp.example.com", "port": 587, "security": "starttls", "auth": "xoauth2", "login": "ann" });
    let oauth =
        json!({ "token_endpoint": "google", "client_id": "app", "client_secret": CANARY, "refresh_token": CANARY });
    let new = json!({ "address": "ann@example.com", "smtp": smtp, "oauth": oauth });
    let made = program.post("/mailboxes", new).await.expect(201);
    let shown = json!({ "token_endpoint": "https://oauth2.googleapis.com/token", "client_id": "app",
        "has_client_secret": true, "expires_at": null, "failure": null });
    assert_eq!((&made["oauth"], &made["smtp"]["has_secret"]), (&shown, &json!(false)));
    let path = format!("/mailboxes/{}", made["id"].as_str().unwrap());

    // What is not named stays, for the same endpoint and client.
    let same = json!({ "oauth": { "token_endpoint": "google", "client_id": "app" }, "smtp": smtp });
    assert_eq!(program.patch(&path, same).await.expect(200)["oauth"], shown);
    assert_eq!(program.patch(&path, json!({ "name": "Ann" })).await.expect(200)["oauth"], shown);
    let public = json!({ "oauth": { "token_endpoint": "google", "client_id": "app", "client_secret": null } });
    assert_eq!(program.patch(&path, public).await.expect(200)["oauth"]["has_client_secret"], false);
    for (wrong, field, says) in [
        (
            json!({ "oauth": { "token_endpoint": "microsoft", "client_id": "app" } }),
            "oauth.refresh_token",
            "this client",
        ),
        (json!({ "oauth": { "token_endpoint": "google", "client_id": "b" } }), "oauth.refresh_token", "this client"),
        (
            json!({ "oauth": { "token_endpoint": "http://id.example.com", "client_id": "app" } }),
            "oauth.token_endpoint",
            "https://",
        ),
        (
            json!({ "oauth": { "token_endpoint": "https://10.0.0.8/t", "client_id": "app", "refresh_token": CANARY } }),
            "oauth.token_endpoint",
            "server.private_addresses",
        ),
        (json!({ "oauth": { "token_endpoint": "google", "client_id": " " } }), "oauth.client_id", "provider"),
        (
            json!({ "oauth": { "token_endpoint": "google", "client_id": "app", "refresh_token": format!("{CANARY}\n") + "x" } }),
            "oauth.refresh_token",
            "one line",
        ),
        (json!({ "oauth": null }), "oauth", "refresh_token"),
        (
            json!({ "smtp": { "host": "smtp.example.com", "port": 587, "security": "tls", "auth": "xoauth2", "login": "ann",
            "secret": CANARY } }),
            "smtp.secret",
            "no password",
        ),
        (
            json!({ "smtp": { "host": "smtp.example.com", "port": 587, "security": "tls", "auth": "xoauth2" } }),
            "smtp.login",
            "name",
        ),
        (json!({ "oauth": { "token_endpoint": "google", "client_id": "app", "tenant": CANARY } }), "body", "tenant"),
    ] {
        let answer = program.patch(&path, wrong.clone()).await;
        let fault = &answer.json["errors"][0];
        assert_eq!(fault["field"], field, "{wrong}: {:#}", answer.json);
        assert!(fault["message"].as_str().unwrap().contains(says), "{wrong}: {fault}");
        assert!(!answer.json.to_string().contains(CANARY), "{:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }

    // Signing in otherwise, nothing of it is kept.
    let by_password = json!({ "smtp": { "host": "smtp.example.com", "port": 587, "security": "starttls", "auth": "password",
        "login": "ann", "secret": CANARY } });
    assert_eq!(program.patch(&path, by_password).await.expect(200)["oauth"], Value::Null);
    assert_eq!(house.int("SELECT count(*) FROM mailbox_grant", &[]).await, 0);
    let unused = json!({ "oauth": oauth });
    assert_eq!(program.patch(&path, unused).await.json["errors"][0]["field"], "oauth");
    let audit = "SELECT count(*) FROM audit WHERE COALESCE(before, '') || COALESCE(after, '') LIKE '%canary%'";
    assert_eq!(house.int(audit, &[]).await, 0);
}

async fn a_mailbox_is_held_and_released(house: &House) {
    let program = Program::new(house).await;
    let id = program.get("/mailboxes").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/mailboxes/{id}");
    let held = program.post(&format!("{path}/hold"), json!({ "why": "A day's rest" })).await.expect(200);
    assert_eq!(held["held"], "A day's rest");
    let mail = "[[branch.step]]\nkey = \"mail\"\nkind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"Hello\"\n";
    let sequence = house.sequence("Spring", "", mail).await;
    let contact = house.contact(&["ann@example.com"], |_| {}).await;
    let enrollment = house.enroll(sequence, contact).await;
    house
        .wait_for("the mail to be held back", move |q| {
            let sql = "SELECT 1 FROM enrollment WHERE id = $1 AND life = 1 AND wake_at IS NULL";
            Ok(q.query_opt(sql, &[enrollment.into()])?.map(drop))
        })
        .await;
    assert_eq!(house.int("SELECT count(*) FROM sandbox_message", &[]).await, 0);
    let released = program.post(&format!("{path}/release"), json!({})).await.expect(200);
    assert_eq!(released["held"], Value::Null);
    house.mails("ann@example.com", 1).await;
    let by = program.send("POST", &format!("{path}/hold"), &[], Some(json!({}))).await.expect(200);
    assert!(by["held"].as_str().unwrap().contains("Ada"), "{by}");
}

/// A mail server that greets, names what it offers, and takes its leave.
async fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 mx.example.com ready\r\n").await;
            let mut line = String::new();
            while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                let answer: &[u8] =
                    if line.starts_with("EHLO") { b"250-mx.example.com\r\n250 8BITMIME\r\n" } else { b"221 Bye\r\n" };
                let _ = stream.write_all(answer).await;
                line.clear();
            }
        }
    });
    port
}

async fn a_mailboxes_server_is_tried(house: &House) {
    let program = Program::new(house).await;
    let sandbox = program.get("/mailboxes").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(program.post(&format!("/mailboxes/{sandbox}/test"), json!({})).await.problem(409), "sandbox");
    let server = |port: u16| json!({ "host": "127.0.0.1", "port": port, "security": "none", "auth": "none" });
    let new = json!({ "address": "ann@example.com", "smtp": server(greeter().await) });
    let made = program.post("/mailboxes", new).await.expect(201);
    let path = format!("/mailboxes/{}", made["id"].as_str().unwrap());
    let tried = program.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert_eq!(tried["passed"], true, "{tried}");
    let steps: Vec<&str> = tried["steps"].as_array().unwrap().iter().map(|s| s["outcome"].as_str().unwrap()).collect();
    assert_eq!(steps, ["passed"; 3]);
    assert!(tried["steps"][2]["said"].as_str().unwrap().contains("mx.example.com"), "{tried}");
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    program.patch(&path, json!({ "smtp": server(closed) })).await.expect(200);
    let tried = program.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert_eq!(tried["passed"], false);
    assert_eq!(
        (&tried["steps"][1]["outcome"], &tried["steps"][2]["outcome"]),
        (&json!("failed"), &json!("not_reached"))
    );
    assert!(!tried["steps"][1]["advice"].as_str().unwrap().is_empty());
}

async fn users_are_invited_and_depart(house: &House) {
    let program = Program::new(house).await;
    let new = json!({ "name": "Ben Okafor", "address": "Ben@Example.com", "role": "Member" });
    let made = program.post("/users", new.clone()).await.expect(201);
    assert_eq!((&made["user"]["address"], &made["user"]["state"]), (&json!("ben@example.com"), &json!("invited")));
    let link = made["link"].as_str().unwrap();
    let page = house.request("GET", &link[link.find("/sign-in").unwrap()..], &[], "").await;
    assert_eq!(page.status(), 200);
    assert_eq!(program.post("/users", new).await.problem(409), "address_taken");
    let path = format!("/users/{}", made["user"]["id"].as_str().unwrap());
    let again = program.post(&format!("{path}/link"), json!({})).await.expect(200);
    assert_ne!(again["link"], made["link"]);
    assert_eq!(program.patch(&path, json!({ "role": "Manager" })).await.expect(200)["role"], "Manager");
    assert_eq!(program.get(&path).await.expect(200)["role"], "Manager");
    let wrong = program.patch(&path, json!({ "role": "King" })).await;
    assert!(wrong.json["detail"].as_str().unwrap().contains("Member"), "{:#}", wrong.json);
    assert_eq!(wrong.problem(422), "invalid");
    assert_eq!(program.post(&format!("{path}/depart"), json!({})).await.expect(200)["state"], "departed");
    assert_eq!(program.post(&format!("{path}/link"), json!({})).await.problem(409), "departed");
    assert_eq!(program.post(&format!("{path}/take-back"), json!({})).await.expect(200)["state"], "invited");
    let own = format!("/users/{}", house.caller.user);
    assert_eq!(program.post(&format!("{own}/depart"), json!({})).await.problem(409), "last_admin");
    assert_eq!(program.patch(&own, json!({ "role": "Viewer" })).await.problem(409), "last_admin");
    assert_eq!(program.get("/users").await.expect(200)["items"].as_array().unwrap().len(), 2);
    assert_eq!(program.get("/users/usr_0000000000001").await.problem(404), "missing");
    let wrong = json!({ "name": " ", "address": "nobody", "role": "Member" });
    assert_eq!(program.post("/users", wrong).await.json["errors"].as_array().unwrap().len(), 2);
}

async fn roles_are_made_and_changed(house: &House) {
    let program = Program::new(house).await;
    let new = json!({ "name": "Caller", "privileges": ["sequences.view", "tasks.mine"] });
    let made = program.post("/roles", new.clone()).await.expect(201);
    assert_eq!(made, json!({ "name": "Caller", "privileges": ["sequences.view", "tasks.mine"], "built_in": false }));
    assert_eq!(program.post("/roles", new).await.problem(409), "name_taken");
    let changed = program.patch("/roles/Caller", json!({ "privileges": ["tasks.all"] })).await.expect(200);
    assert_eq!(changed["privileges"], json!(["tasks.all"]));
    let names: Vec<Value> = program.get("/roles").await.expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].clone())
        .collect();
    assert!(names.contains(&json!("Caller")) && names.contains(&json!("Admin")), "{names:?}");
    assert_eq!(program.patch("/roles/Admin", json!({ "privileges": [] })).await.problem(409), "admin_stays");
    assert_eq!(program.patch("/roles/Nobody", json!({ "privileges": [] })).await.problem(404), "missing");
    assert_eq!(program.delete("/roles/Member").await.problem(409), "built_in");
    let wrong = program.post("/roles", json!({ "name": "x", "privileges": ["tasks.mine", "tasks.none"] })).await;
    assert_eq!(wrong.json["errors"][0]["field"], "privileges.1");
    assert_eq!(wrong.problem(422), "invalid");
    program.delete("/roles/Caller").await.expect(204);
    assert_eq!(program.delete("/roles/Caller").await.problem(404), "missing");
}

async fn settings_change_by_name(house: &House) {
    let program = Program::new(house).await;
    let before = program.get("/settings").await.expect(200);
    let changes = json!({ "sequence": { "unresponsive_days": 10, "window": { "stop": "18:00" } }, "touch_gap_days": 3,
        "contact_cap": { "count": 2, "per": "day" } });
    let after = program.patch("/settings", changes).await.expect(200);
    assert_eq!(after["sequence"]["unresponsive_days"], 10);
    assert_eq!(after["sequence"]["window"]["stop"], "18:00");
    assert_eq!(after["sequence"]["window"]["days"], before["sequence"]["window"]["days"]);
    assert_eq!((&after["touch_gap_days"], &after["steps_max"]), (&json!(3), &before["steps_max"]));
    assert_eq!(program.get("/settings").await.expect(200), after);
    let cleared = program.patch("/settings", json!({ "contact_cap": null })).await.expect(200);
    assert_eq!(cleared["contact_cap"], Value::Null);
    let unknown = program.patch("/settings", json!({ "sequence": { "replies": "stop" }, "step_max": 3 })).await;
    let said = unknown.json["detail"].as_str().unwrap();
    assert!(said.contains("reply_others") && said.contains("steps_max"), "{said}");
    let mut fields: Vec<&str> =
        unknown.json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["sequence.replies", "step_max"]);
    assert_eq!(unknown.problem(422), "invalid");
    assert_eq!(program.get("/settings").await.expect(200), cleared, "nothing was changed");

    let named = program.patch("/workspace", json!({ "name": "Northgate" })).await.expect(200);
    assert_eq!((&named["name"], &named["postal_address"]), (&json!("Northgate"), &json!("Street 1, Town")));
    assert_eq!(program.get("/workspace").await.expect(200)["name"], "Northgate");
    assert_eq!(program.patch("/workspace", json!({ "public_url": "nowhere" })).await.problem(422), "invalid");
    assert_eq!(program.patch("/workspace", json!({ "nam": "x" })).await.problem(422), "invalid");
    house.write(|tx| tx.exec("UPDATE workspace SET restore_hold = 1", &[])).await;
    assert_eq!(program.get("/workspace").await.expect(200)["restore_hold"], true);
    program.send("POST", "/workspace/release", &[], None).await.expect(204);
    assert_eq!(program.get("/workspace").await.expect(200)["restore_hold"], false);
}
