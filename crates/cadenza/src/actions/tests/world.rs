//! A workspace with an administrator and a viewer.

use crate::App;
use crate::actions::setup::{Setup, first_run};
use crate::actions::{Caller, Privileges, Via};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::seal::Seal;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_store::audit::{self, Line};
use cadenza_store::{Database, migrations, schema};

pub struct World {
    pub app: App,
    pub w: WorkspaceId,
    pub admin: Caller,
    pub viewer: Caller,
}

impl World {
    /// At 09:00 UTC on Monday 1 March 2027.
    pub async fn new() -> World {
        let db = Database::open(&"sqlite::memory:".parse().unwrap()).unwrap();
        migrations::migrate(&db, schema::SCHEMA).unwrap();
        let folder = std::env::temp_dir().join("cadenza-no-such-folder");
        let config = Config::load(&Flags {
            data: Some(folder),
            private_addresses: Some("loopback".parse().unwrap()),
            ..Flags::default()
        })
        .unwrap();
        let clock = Clock::standing("2027-03-01T09:00:00Z".parse().unwrap());
        let app = App::new(db, clock, config, Seal::with_key([7; 32]));
        let setup = Setup {
            name: "Acme".into(),
            postal_address: "Street 1".into(),
            zone: "Europe/Berlin".parse().unwrap(),
            user_name: "Ulla".into(),
            user_address: "ulla@acme.test".into(),
        };
        let (w, user) = first_run(&app, setup).await.unwrap();
        let caller = |user, role| Caller {
            workspace: w,
            user,
            name: "Ulla".into(),
            privileges: Privileges::of_role(role).unwrap(),
            via: Via::Console,
            from: None,
        };
        World { admin: caller(user, "Admin"), viewer: caller(UserId(1), "Viewer"), app, w }
    }

    /// Actions in the audit log, newest first.
    pub async fn audited(&self) -> Vec<Line> {
        let w = self.w;
        self.app.db.read_async(move |q| audit::list(q, w, &audit::Filter::default(), None, 99)).await.unwrap()
    }
}
