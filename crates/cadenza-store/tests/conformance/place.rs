//! Where a test's database is, and the tables that the tests share.

use cadenza_store::{Database, DatabaseUrl, migrations};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

pub const STEPS: &[&str] = &[
    "CREATE TABLE item (
        workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT, amount BIGINT NOT NULL DEFAULT 0,
        due_at BIGINT, raw BLOB, data TEXT, done BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT item_amount CHECK (amount >= -1000)
    ) WITHOUT ROWID",
    "CREATE UNIQUE INDEX item_name ON item (workspace_id, name)",
    "CREATE INDEX item_due ON item (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE label (
        workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, word TEXT NOT NULL, live BIGINT NOT NULL DEFAULT 1,
        code TEXT,
        PRIMARY KEY (workspace_id, id), UNIQUE (workspace_id, code)
    )",
    "CREATE UNIQUE INDEX label_folded ON label (workspace_id, lower(word)) WHERE live = 1",
    "CREATE TABLE part (
        workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, item_id BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, item_id) REFERENCES item (workspace_id, id)
    )",
    "CREATE TABLE late (
        workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, item_id BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, item_id) REFERENCES item (workspace_id, id) DEFERRABLE INITIALLY DEFERRED
    )",
];

/// A database of one test, which can be opened again and again.
pub struct Place {
    url: String,
    scratch: Option<Scratch>,
    server: Option<TestDatabase>,
}

impl Place {
    pub fn sqlite() -> Place {
        let scratch = Scratch::new("store");
        let url = format!("sqlite:{}", scratch.join("test.db").display());
        let place = Place { url, scratch: Some(scratch), server: None };
        migrations::migrate(&place.open(), STEPS).unwrap();
        place
    }

    /// None where PostgreSQL is not installed.
    pub fn postgres() -> Option<Place> {
        let kind = STEPS.join(";");
        let server = cluster()?.database_like(&kind, |url| {
            migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), STEPS).unwrap();
        });
        Some(Place { url: server.url(), scratch: None, server: Some(server) })
    }

    pub fn open(&self) -> Database {
        Database::open(&self.url.parse::<DatabaseUrl>().unwrap()).unwrap()
    }

    /// With words for the address's query, such as `cadenza_writers=1`.
    pub fn open_with(&self, query: &str) -> Database {
        Database::open(&format!("{}?{query}", self.url).parse::<DatabaseUrl>().unwrap()).unwrap()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// An empty database of the same engine.
    pub fn empty(&self) -> Place {
        match &self.server {
            None => {
                let scratch = Scratch::new("store");
                let url = format!("sqlite:{}", scratch.join("empty.db").display());
                Place { url, scratch: Some(scratch), server: None }
            }
            Some(server) => {
                let server = server.cluster().database();
                Place { url: server.url(), scratch: None, server: Some(server) }
            }
        }
    }

    pub fn server(&self) -> &TestDatabase {
        self.server.as_ref().unwrap()
    }

    pub fn scratch(&self) -> &Scratch {
        self.scratch.as_ref().unwrap()
    }
}

/// Puts items 1 to `n` into workspace 1, named `item 1` and so on, with ten times their id as amount.
pub fn items(db: &Database, n: i64) {
    let sql = "INSERT INTO item (workspace_id, id, name, amount) SELECT 1, r.id, r.name, r.amount \
               FROM rows(id BIGINT, name TEXT, amount BIGINT) AS r";
    let rows = cadenza_store::Columns::new()
        .ints(1..=n)
        .texts((1..=n).map(|i| format!("item {i}")))
        .ints((1..=n).map(|i| i * 10));
    assert_eq!(db.write(|tx| tx.exec_rows(sql, &rows, &[])).unwrap(), n as u64);
}

pub fn count(db: &Database, table: &str) -> i64 {
    db.read(|q| q.query_one(&format!("SELECT count(*) FROM {table}"), &[])?.int(0)).unwrap()
}

/// Waits for a future without any runtime.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
