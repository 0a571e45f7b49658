//! What holds for every operation, tried on every operation: nobody without a token, nothing without the privilege, nothing
//! of another workspace; and a GET changes nothing.

use super::document::{Operation, operations};
use super::program::{Answer, Program, stranger};
use super::specimens::{Specimens, filled, known, marks, program, specimens};
use crate::house::{House, on_both};
use cadenza::actions::{Caller, Privileges};
use cadenza_store::roles::{self, Role};
use cadenza_store::users::{self, User, UserState};
use cadenza_store::{Query, Result, Val, schema};
use sha2::{Digest, Sha256};

on_both! {
    without_a_token_nothing_is_answered
    without_a_privilege_nothing_is_done
    nothing_of_another_workspace_is_there
    what_is_ones_own_is_there
    no_get_changes_anything
}

/// Everybody may ask who they are, and look after their own tokens.
const NEED_NOTHING: [&str; 4] = ["GET /me", "GET /tokens", "POST /tokens", "DELETE /tokens/{token}"];

async fn ask(program: &Program<'_>, operation: &Operation, path: &Specimens, body: &Specimens) -> Answer {
    let json = operation.body.as_ref().map(|b| known(b, body));
    let address = filled(&operation.path, path);
    match &operation.other_body {
        Some(kind) => program.send(&operation.method, &address, &[("content-type", kind)], None).await,
        None => program.send(&operation.method, &address, &[], json).await,
    }
}

async fn without_a_token_nothing_is_answered(house: &House) {
    let nobody = Program::nobody(house);
    let own = specimens(house, &house.caller).await;
    for operation in operations() {
        let answer = ask(&nobody, &operation, &own, &own).await;
        assert_eq!(answer.status, 401, "{}: {:#}", operation.name(), answer.json);
        answer.problem(401);
    }
}

/// Somebody of the house's workspace whose role allows nothing.
async fn powerless(house: &House) -> Caller {
    let mut caller = house.caller.clone();
    caller.user = cadenza_core::ids::UserId(house.app.next_id());
    caller.privileges = Privileges::NONE;
    let (w, id, now) = (house.w, caller.user, house.now());
    house
        .write(move |tx| {
            roles::save(tx, w, &Role { name: "Nothing".into(), privileges: vec![], built_in: false })?;
            let user = User {
                id,
                address: "nix@northwind.example".into(),
                name: "Nix".into(),
                role: "Nothing".into(),
                state: UserState::Active,
                zone: None,
                settings: serde_json::json!({}),
                created_at: now,
                seen_at: None,
            };
            users::create(tx, w, &user, None)
        })
        .await;
    caller
}

async fn without_a_privilege_nothing_is_done(house: &House) {
    let caller = powerless(house).await;
    // Made with every scope by somebody who had them all, then handed to who may nothing: the role decides.
    let program = Program::of(house, &Caller { privileges: Privileges::all(), ..caller }, Privileges::all()).await;
    assert_eq!(program.get("/me").await.expect(200)["privileges"], serde_json::json!([]));
    let own = specimens(house, &house.caller).await;
    let mut free = Vec::new();
    for operation in operations() {
        let answer = ask(&program, &operation, &own, &own).await;
        if NEED_NOTHING.contains(&operation.name().as_str()) {
            free.push(operation.name());
            continue;
        }
        assert_eq!(answer.status, 403, "{}: {:#}", operation.name(), answer.json);
        assert_eq!(answer.problem(403), "forbidden", "{}", operation.name());
    }
    free.sort();
    let mut all = NEED_NOTHING.to_vec();
    all.sort_unstable();
    assert_eq!(free, all, "each of them is still there");
}

async fn nothing_of_another_workspace_is_there(house: &House) {
    let eve = stranger(house).await;
    let theirs = specimens(house, &eve).await;
    let own = specimens(house, &house.caller).await;
    let us = program(house, &house.caller).await;
    let before = dump(house, eve.workspace.0).await;
    let mut tried = 0;
    for operation in operations().iter().filter(|o| o.names_something()) {
        tried += 1;
        let answer = ask(&us, operation, &theirs, &own).await;
        assert_eq!(answer.status, 404, "{}: {:#}", operation.name(), answer.json);
        answer.problem(404);
    }
    assert!(tried > 10);
    // Named in bodies and filters they are not there either.
    for operation in operations().iter().filter(|o| o.body.is_some()) {
        let answer = ask(&us, operation, &own, &theirs).await;
        assert!(!answer.status.is_server_error(), "{}: {:#}", operation.name(), answer.json);
        let said = answer.json.to_string();
        for mark in marks(&theirs) {
            assert!(!said.contains(&mark), "{} told of another workspace: {said}", operation.name());
        }
    }
    assert_eq!(dump(house, eve.workspace.0).await, before, "another workspace's data were changed");
}

async fn what_is_ones_own_is_there(house: &House) {
    let us = program(house, &house.caller).await;
    for operation in operations() {
        // Anew each time, since some are gone after it.
        let own = specimens(house, &house.caller).await;
        let answer = ask(&us, &operation, &own, &own).await;
        let status = answer.status.as_u16();
        let may = matches!(status, 200..=204 | 409) || (operation.other_body.is_some() && status == 422);
        assert!(may, "{}: {status} {:#}", operation.name(), answer.json);
    }
}

async fn no_get_changes_anything(house: &House) {
    let us = program(house, &house.caller).await;
    let own = specimens(house, &house.caller).await;
    // That a token is used is noted, now and then.
    us.get("/me").await.expect(200);
    let before = dump(house, house.w.0).await;
    for operation in operations().iter().filter(|o| o.method == "GET") {
        ask(&us, operation, &own, &own).await.expect(200);
        assert_eq!(dump(house, house.w.0).await, before, "{} changed something", operation.name());
    }
}

/// A hash of each table's rows of a workspace.
async fn dump(house: &House, workspace: i64) -> Vec<(String, usize, String)> {
    let tables: Vec<String> = schema::SCHEMA
        .iter()
        .filter(|s| s.contains("workspace_id BIGINT"))
        .filter_map(|s| s.trim_start().strip_prefix("CREATE TABLE ")?.split_whitespace().next().map(str::to_owned))
        .collect();
    assert!(tables.len() > 30, "{tables:?}");
    house
        .read(move |q| {
            let hashed = |q: &mut Query, table: &String| -> Result<(String, usize, String)> {
                let rows =
                    q.query(&format!("SELECT * FROM {table} WHERE workspace_id = $1"), &[Val::Int(workspace)])?;
                let mut said: Vec<String> = rows.iter().map(|row| format!("{:?}", row.values())).collect();
                said.sort();
                let hash = Sha256::digest(said.join("\n").as_bytes());
                Ok((table.clone(), rows.len(), hash.iter().map(|b| format!("{b:02x}")).collect()))
            };
            tables.iter().map(|table| hashed(q, table)).collect()
        })
        .await
}
