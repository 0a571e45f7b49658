//! A server with a workspace in memory, and a browser that keeps its cookies.

use crate::App;
use crate::actions::{Privileges, passwords};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::http::router;
use crate::seal::Seal;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::response::Response;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::{Span, Time};
use cadenza_store::roles::Role;
use cadenza_store::users::{User, UserState};
use cadenza_store::workspaces::Workspace;
use cadenza_store::{Database, migrations, roles, schema, users, workspaces};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";
pub const ADDRESS: &str = "ann@northwind.example";

/// A server, and one browser.
pub struct World {
    pub app: App,
    router: Router,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl World {
    /// A server with no workspace, at 09:00 UTC on Monday 1 March 2027.
    pub fn empty() -> World {
        let db = Database::open(&"sqlite::memory:".parse().unwrap()).unwrap();
        migrations::migrate(&db, schema::SCHEMA).unwrap();
        let folder = std::env::temp_dir().join("cadenza-no-such-folder");
        let config = Config::load(&Flags { data: Some(folder), ..Flags::default() }).unwrap();
        let app =
            App::new(db, Clock::standing("2027-03-01T09:00:00Z".parse().unwrap()), config, Seal::with_key([7; 32]));
        World { router: router(app.clone()), app, cookies: Mutex::default() }
    }

    /// With a workspace and Ann, its administrator, who has [`PASSWORD`].
    pub async fn with_ann() -> World {
        let world = World::empty();
        let now = world.app.clock.now();
        passwords::accept(PASSWORD, ADDRESS, 10).unwrap();
        let hash = world.app.passwords.hash(PASSWORD.into()).await.unwrap();
        world
            .app
            .db
            .write_async(move |tx| {
                let w = WorkspaceId(1);
                workspaces::create(tx, &workspace(w, now))?;
                for name in ["Admin", "Manager", "Member", "Viewer"] {
                    let privileges = Privileges::of_role(name).unwrap().iter().map(|p| p.to_string()).collect();
                    roles::save(tx, w, &Role { name: name.into(), privileges, built_in: true })?;
                }
                users::create(tx, w, &user(2, ADDRESS, "Ann Lindqvist", "Admin", UserState::Active, now), Some(&hash))?;
                users::create(
                    tx,
                    w,
                    &user(3, "ben@northwind.example", "Ben Carter", "Member", UserState::Invited, now),
                    None,
                )
            })
            .await
            .unwrap();
        world
    }

    /// Ann's browser, signed in.
    pub async fn signed_in() -> World {
        let world = World::with_ann().await;
        let answer =
            world.post("/sign-in", &format!("address={ADDRESS}&password={}", PASSWORD.replace(' ', "+"))).await;
        assert_eq!(answer.status(), 303, "{}", text(answer).await);
        world
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[("sec-fetch-site", "same-origin")], "").await
    }
    /// A form of one of our pages.
    pub async fn post(&self, path: &str, form: &str) -> Response {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, form).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path).header("host", "cadenza.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> = self.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        response
    }

    pub fn cookie(&self, name: &str) -> String {
        self.cookies.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
    /// Another browser of the same server.
    pub fn other_browser(&self) -> World {
        World { app: self.app.clone(), router: self.router.clone(), cookies: Mutex::default() }
    }
}

pub fn workspace(id: WorkspaceId, created_at: Time) -> Workspace {
    Workspace {
        id,
        name: "Northwind Talent".into(),
        settings: WorkspaceSettings::default(),
        signing_key: vec![1; 32],
        postal_address: "1 Main Street, Springfield".into(),
        public_url: String::new(),
        restore_hold: false,
        clock_ahead: Span::ZERO,
        created_at,
    }
}

pub fn user(id: i64, address: &str, name: &str, role: &str, state: UserState, created_at: Time) -> User {
    User {
        id: UserId(id),
        address: address.into(),
        name: name.into(),
        role: role.into(),
        state,
        zone: None,
        settings: serde_json::json!({}),
        created_at,
        seen_at: None,
    }
}

pub async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |v| v.to_str().unwrap())
}
