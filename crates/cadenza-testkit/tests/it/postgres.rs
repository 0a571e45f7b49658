//! Proves the PostgreSQL cluster: a database for each test, filled ones made once, and an end to all of it.

use cadenza_testkit::postgres::cluster;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Tells a copy of this test binary that it is the one to be killed.
const VICTIM: &str = "CADENZA_TESTKIT_VICTIM";

#[test]
fn postgres_databases_are_apart_and_go_away() {
    let Some(cluster) = cluster() else { return };
    let (one, two) = (cluster.database(), cluster.database());
    one.client().batch_execute("CREATE TABLE t (a bigint)").unwrap();
    assert!(two.client().batch_execute("SELECT * FROM t").is_err());
    let name = one.name().to_owned();
    drop(one);
    let left = cluster.admin().query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).unwrap();
    assert!(left.is_empty());
}

#[test]
fn postgres_filled_databases_are_made_once_and_copied() {
    let Some(cluster) = cluster() else { return };
    let fills = AtomicU32::new(0);
    let kind = format!("a table t, for {}", std::process::id());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let copy = cluster.database_like(&kind, |url| {
                    fills.fetch_add(1, Ordering::SeqCst);
                    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                    client.batch_execute("CREATE TABLE t (a bigint); INSERT INTO t VALUES (7)").unwrap();
                });
                assert_eq!(copy.client().execute("UPDATE t SET a = 8 WHERE a = 7", &[]).unwrap(), 1);
            });
        }
    });
    assert_eq!(fills.load(Ordering::SeqCst), 1);
}

/// The test runs itself once more as a process with a cluster of its own, which is then killed outright.
#[test]
fn postgres_ends_with_a_killed_process() {
    if std::env::var_os(VICTIM).is_some() {
        println!("running on {}", cluster().unwrap().database().url());
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    if cluster().is_none() {
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "postgres::postgres_ends_with_a_killed_process", "--nocapture"])
        .env(VICTIM, "1")
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("CADENZA_TEST_POSTGRES")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = told.filter_map(|line| line.split_once("@").map(|(_, a)| a.to_owned())).next().unwrap();
    let port: u16 = address.split_once(':').unwrap().1.split_once('/').unwrap().0.parse().unwrap();
    let folder = std::env::temp_dir().join(format!("cadenza-postgres-{}", victim.id()));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok() && folder.exists());
    victim.kill().unwrap();
    victim.wait().unwrap();
    let killed = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() || folder.exists() {
        assert!(killed.elapsed() < Duration::from_secs(10), "the server or its folder outlived its process");
        std::thread::sleep(Duration::from_millis(50));
    }
}
