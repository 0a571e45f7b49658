//! A PostgreSQL server for tests: one throw-away cluster for a whole test run, a database of its own for each test.
//!
//! Under nextest, where every test is a process, the first test starts the cluster and the others find it; elsewhere each
//! process starts one when it first asks. The cluster ends with the run, whatever way the run ends. An existing server
//! is used instead where `CADENZA_TEST_POSTGRES` holds its address (`postgres://user@host:port`, a superuser).

mod cluster;
mod own;

pub use own::{OwnServer, StopMode};

use ::postgres::{Client, NoTls};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    /// `postgres://user@host:port`, without a database.
    address: String,
    socket_address: Option<String>,
}

/// A database of one test, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    cluster: &'static Cluster,
    name: String,
}

/// The server of this run, or None where PostgreSQL is not installed, which is said on standard error.
///
/// # Panics
/// Where PostgreSQL is installed but does not start; and where it is not installed but `CI` is set, since there a
/// skipped half of the tests would go unnoticed.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(find).as_ref()
}

fn find() -> Option<Cluster> {
    if let Ok(address) = std::env::var("CADENZA_TEST_POSTGRES") {
        return Some(Cluster { address: address.trim_end_matches('/').to_owned(), socket_address: None });
    }
    let programs = installed()?;
    match cluster::running(&programs) {
        Ok((port, directory)) => Some(Cluster {
            address: format!("postgres://postgres@127.0.0.1:{port}"),
            socket_address: Some(format!("postgres://postgres@{}:{port}", directory.replace('/', "%2F"))),
        }),
        Err(e) => panic!("PostgreSQL is installed but did not start: {e}"),
    }
}

/// Where its programs are; says so where they are nowhere.
fn installed() -> Option<std::path::PathBuf> {
    let programs = cluster::programs();
    if programs.is_none() {
        assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed; with CI set its tests must run");
        eprintln!("SKIPPED: PostgreSQL is not installed, so this test ran on SQLite only");
    }
    programs
}

impl Cluster {
    /// A new, empty database.
    pub fn database(&'static self) -> TestDatabase {
        self.create("template1")
    }

    /// A new database with what `fill` put into the first of its kind; `fill` is given the address of an empty one
    /// and must leave no connection open. `kind` names everything that `fill` does, such as the text of a schema:
    /// where it differs, so does the database.
    pub fn database_like(&'static self, kind: &str, fill: impl FnOnce(&str)) -> TestDatabase {
        let template = format!("cadenza_like_{:016x}", hash(kind));
        let mut admin = self.admin();
        // Tests of one run fill it once; the lock ends with the connection, also when this process is killed.
        run(&mut admin, "SELECT pg_advisory_lock(4242)");
        let found = admin.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&template]);
        if found.is_ok_and(|rows| rows.is_empty()) {
            let draft = self.create("template1");
            fill(&draft.url());
            run(&mut admin, &format!("ALTER DATABASE {} RENAME TO {template}", draft.name));
        }
        drop(admin);
        self.create(&template)
    }

    /// A connection to the server itself, for what a test does behind the product's back.
    pub fn admin(&self) -> Client {
        match Client::connect(&format!("{}/postgres", self.address), NoTls) {
            Ok(client) => client,
            Err(e) => panic!("no connection to {}: {e}", self.address),
        }
    }

    fn create(&'static self, template: &str) -> TestDatabase {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cadenza_test_{}_{number}", std::process::id());
        let mut admin = self.admin();
        run(&mut admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        TestDatabase { cluster: self, name }
    }
}

impl TestDatabase {
    /// Its address over TCP.
    pub fn url(&self) -> String {
        format!("{}/{}", self.cluster.address, self.name)
    }

    /// Its address over a unix socket, where this run started the server.
    pub fn socket_url(&self) -> Option<String> {
        self.cluster.socket_address.as_ref().map(|address| format!("{address}/{}", self.name))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection of its own, for what a test does behind the product's back.
    pub fn client(&self) -> Client {
        match Client::connect(&self.url(), NoTls) {
            Ok(client) => client,
            Err(e) => panic!("no connection to {}: {e}", self.url()),
        }
    }

    pub fn cluster(&self) -> &'static Cluster {
        self.cluster
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Best effort: the cluster is thrown away soon, and a draft that became a template has another name by now.
        if let Ok(mut admin) = Client::connect(&format!("{}/postgres", self.cluster.address), NoTls) {
            let _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

fn run(client: &mut Client, sql: &str) {
    if let Err(e) = client.batch_execute(sql) {
        panic!("{sql}: {e}");
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
