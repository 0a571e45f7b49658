//! A program with its token: it asks, and has answers as JSON.

use crate::house::{House, body, header};
use axum::http::StatusCode;
use cadenza::actions::setup::{self, Setup};
use cadenza::actions::tokens::{self, NewToken};
use cadenza::actions::{Caller, Privileges, Via};
use cadenza_core::calendar::Zone;
use cadenza_core::ids::UserId;
use cadenza_store::users::{self, User, UserState};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whose token it is does not matter to it: what it may is in the token.
pub struct Program<'h> {
    pub house: &'h House,
    token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: BTreeMap<String, String>,
    /// Null where there is no body.
    pub json: Value,
}

impl<'h> Program<'h> {
    /// May do everything in the house's workspace.
    pub async fn new(house: &'h House) -> Program<'h> {
        Program::of(house, &house.caller, Privileges::all()).await
    }

    /// Acts for somebody, with these scopes.
    pub async fn of(house: &'h House, caller: &Caller, scopes: Privileges) -> Program<'h> {
        let new = NewToken { name: "test".into(), scopes, expires_at: None };
        let (_, secret) = tokens::create(&house.app, caller, new).await.unwrap();
        Program { house, token: Some(secret.reveal().to_owned()) }
    }

    /// Has no token.
    pub fn nobody(house: &'h House) -> Program<'h> {
        Program { house, token: None }
    }

    pub fn with_token(house: &'h House, token: &str) -> Program<'h> {
        Program { house, token: Some(token.to_owned()) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], Some(body)).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &[], Some(body)).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).await
    }

    /// `path` is below `/api/v1`.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], json: Option<Value>) -> Answer {
        let mut all = headers.to_vec();
        if json.is_some() {
            all.push(("content-type", "application/json"));
        }
        self.send_bytes(method, path, &all, json.map(|j| j.to_string()).unwrap_or_default().into_bytes()).await
    }

    /// As [`Program::send`], with a body of any kind.
    pub async fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], bytes: Vec<u8>) -> Answer {
        let bearer = self.token.as_ref().map(|t| format!("Bearer {t}"));
        let mut all = headers.to_vec();
        all.extend(bearer.as_deref().map(|b| ("authorization", b)));
        let response = self.house.request(method, &format!("/api/v1{path}"), &all, bytes).await;
        let status = response.status();
        let names = ["content-type", "location", "idempotency-replayed", "retry-after"];
        let headers = names.iter().map(|n| ((*n).to_owned(), header(&response, n).to_owned())).collect();
        let text = body(response).await;
        let json =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Answer { status, headers, json }
    }
}

impl Answer {
    /// The JSON of an answer that has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.json);
        self.json
    }

    /// The code of a problem that has this status; what every problem has is checked.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{:#}", self.json);
        let code = self.json["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!(self.json["type"], format!("urn:cadenza:problem:{code}"));
        assert_eq!(self.json["status"], status);
        assert!(!self.json["detail"].as_str().unwrap().is_empty());
        assert!(!self.json["request_id"].as_str().unwrap().is_empty());
        self.expect(status);
        code
    }
}

/// Somebody of another workspace on the same server, who may do everything there.
pub async fn stranger(house: &House) -> Caller {
    let first = Setup {
        name: "Elsewhere".into(),
        postal_address: "Street 2, Town".into(),
        zone: Zone::utc(),
        user_name: "Eve Else".into(),
        user_address: "eve@elsewhere.example".into(),
    };
    let (workspace, user) = setup::first_run(&house.app, first).await.unwrap();
    Caller { workspace, user, name: "Eve".into(), privileges: Privileges::all(), via: Via::Console, from: None }
}

/// Somebody else of the house's workspace, a member.
pub async fn colleague(house: &House) -> Caller {
    let caller = Caller { user: UserId(house.app.next_id()), ..house.caller.clone() };
    let (w, id, created_at) = (house.w, caller.user, house.now());
    house
        .write(move |tx| {
            let user = User {
                id,
                address: "mary@northwind.example".into(),
                name: "Mary".into(),
                role: "Member".into(),
                state: UserState::Active,
                zone: None,
                settings: serde_json::json!({}),
                created_at,
                seen_at: None,
            };
            users::create(tx, w, &user, None)
        })
        .await;
    caller
}

/// The same JSON with ids replaced by their order of appearance, so that it is the same in every run.
pub fn settled(mut json: Value) -> Value {
    fn walk(json: &mut Value, seen: &mut BTreeMap<String, usize>, order: &mut usize) {
        match json {
            Value::String(text) => {
                let mut out = String::new();
                for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
                    let bare = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                    let Some(prefix) = prefix_of_id(bare) else {
                        out.push_str(word);
                        continue;
                    };
                    let n = *seen.entry(bare.to_owned()).or_insert_with(|| {
                        *order += 1;
                        *order
                    });
                    out.push_str(&format!("{prefix}_{n}{}", &word[bare.len()..]));
                }
                *text = out;
            }
            Value::Array(items) => items.iter_mut().for_each(|i| walk(i, seen, order)),
            Value::Object(fields) => fields.values_mut().for_each(|f| walk(f, seen, order)),
            _ => {}
        }
    }
    walk(&mut json, &mut BTreeMap::new(), &mut 0);
    json
}

fn prefix_of_id(text: &str) -> Option<&str> {
    let (prefix, digits) = text.split_once('_')?;
    let is_id = digits.len() == 13 && digits.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_id && (3..=4).contains(&prefix.len())).then_some(prefix)
}

/// An object without some of its fields.
pub fn without(json: &Value, fields: &[&str]) -> Value {
    let kept: Map<String, Value> = json
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !fields.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    Value::Object(kept)
}
