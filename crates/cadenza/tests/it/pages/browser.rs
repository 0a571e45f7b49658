//! A person at a browser, signed in: it keeps its cookies, sends forms as our pages do, and reads the answers as text.

use crate::house::{House, body, header};
use axum::http::StatusCode;
use cadenza::actions::sign_in;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_store::users::{self, User, UserState};
use std::sync::Mutex;

/// Asked and answered.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub text: String,
    /// Where it leads, of a redirect.
    pub location: String,
}

pub struct Browser<'h> {
    house: &'h House,
    cookie: Mutex<String>,
}

impl<'h> Browser<'h> {
    /// Somebody new with this role, signed in.
    pub async fn of(house: &'h House, role: &str) -> Browser<'h> {
        let id = user(house, house.w, role).await;
        Browser::sign_in(house, house.w, id).await
    }

    pub async fn sign_in(house: &'h House, w: WorkspaceId, id: UserId) -> Browser<'h> {
        let link = sign_in::make_link(&house.app, w, id, id).await.unwrap();
        let browser = Browser { house, cookie: Mutex::default() };
        let page = browser.post("/sign-in/link", &[("token", link.reveal())]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// Nobody.
    pub fn stranger(house: &'h House) -> Browser<'h> {
        Browser { house, cookie: Mutex::default() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[("sec-fetch-site", "same-origin")], String::new()).await
    }

    /// A form of one of our pages.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, encoded(form)).await
    }

    /// A form on another site's page that leads here.
    pub async fn post_from_elsewhere(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let headers = [("sec-fetch-site", "cross-site"), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, encoded(form)).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], sent: String) -> Page {
        let cookie = self.cookie.lock().unwrap().clone();
        let mut all = headers.to_vec();
        all.push(("host", "cadenza.test"));
        if !cookie.is_empty() {
            all.push(("cookie", &cookie));
        }
        let response = self.house.request(method, path, &all, sent).await;
        if let Some(session) = header(&response, "set-cookie").strip_prefix("cadenza=") {
            *self.cookie.lock().unwrap() = format!("cadenza={}", session.split(';').next().unwrap());
        }
        let (status, location) = (response.status(), header(&response, "location").to_owned());
        Page { status, location, text: body(response).await }
    }
}

impl Page {
    #[track_caller]
    pub fn expect(self, status: u16) -> Page {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
    /// As a person reads it.
    #[track_caller]
    pub fn says(self, words: &str) -> Page {
        assert!(self.text.contains(words), "{words:?} is not said: {}", self.text);
        self
    }
    #[track_caller]
    pub fn without(self, words: &str) -> Page {
        assert!(!self.text.contains(words), "{words:?} is said: {}", self.text);
        self
    }
    /// What stands between two texts.
    #[track_caller]
    pub fn between(&self, before: &str, after: &str) -> String {
        let rest = self.text.split_once(before).unwrap_or_else(|| panic!("no {before:?}: {}", self.text)).1;
        rest.split_once(after).unwrap().0.to_owned()
    }
}

pub fn encoded(form: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, b| {
            match b {
                b' ' => out.push('+'),
                b if b.is_ascii_alphanumeric() || b"-._".contains(&b) => out.push(b as char),
                b => out.push_str(&format!("%{b:02X}")),
            }
            out
        })
    };
    form.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect::<Vec<_>>().join("&")
}

/// Somebody who works in a workspace.
pub async fn user(house: &House, w: WorkspaceId, role: &str) -> UserId {
    let id = UserId(house.app.next_id());
    let (role, now) = (role.to_owned(), house.now());
    house
        .write(move |tx| {
            let user = User {
                id,
                address: format!("{id}@people.example"),
                name: format!("Somebody {role}"),
                role: role.clone(),
                state: UserState::Active,
                zone: None,
                settings: serde_json::json!({}),
                created_at: now,
                seen_at: None,
            };
            users::create(tx, w, &user, None)
        })
        .await;
    id
}
