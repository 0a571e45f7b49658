//! Several servers on one PostgreSQL database: they share the work, and where one is killed, or stopped for longer than its
//! lease, or the database itself is started anew, nothing is lost, nothing doubled, and no cap is passed.

use super::chance::{Chance, kills, seed};
use super::serving::Serving;
use super::sink::Sink;
use super::site::{BUSY, STEPS, Seed, Site, Size};
use super::verdict::{judge, query};
use cadenza_testkit::postgres::{OwnServer, StopMode};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const NODES: usize = 3;
const LEASE_SECONDS: u32 = 2;
const SOME: Size = Size { people: 400, lease_seconds: LEASE_SECONDS, ..BUSY };

/// Longer than a lease, with the sign of life that another node looks by.
const BEYOND: Duration = Duration::from_millis(LEASE_SECONDS as u64 * 1_000 * 2);

struct Cluster {
    folders: Vec<PathBuf>,
    nodes: Vec<Serving>,
}

impl Cluster {
    fn start(site: &Site) -> Cluster {
        let folders: Vec<PathBuf> = (0..NODES).map(|n| site.folder_of(n)).collect();
        let nodes = folders.iter().map(|folder| site.start_in(folder)).collect();
        Cluster { folders, nodes }
    }

    fn log(&self) -> String {
        self.nodes.iter().map(Serving::log).collect::<Vec<_>>().join("\n----\n")
    }

    fn stop(self) {
        for node in self.nodes {
            node.stop();
        }
    }
}

/// Waits until nothing has come for a while.
fn quiet(sink: &Sink, cluster: &Cluster) -> usize {
    let give_up = Instant::now() + super::LONG;
    let mut seen = (sink.total(), Instant::now());
    while seen.1.elapsed() < Duration::from_secs(4) {
        std::thread::sleep(Duration::from_millis(50));
        if sink.total() != seen.0 {
            seen = (sink.total(), Instant::now());
        }
        assert!(Instant::now() < give_up, "it never rests: {}", cluster.log());
    }
    seen.0
}

#[test]
fn a_mailboxs_cap_holds_across_nodes_on_postgres() {
    const PER_DAY: u32 = 37;
    let sink = Sink::start();
    let size = Size { mailboxes: 5, people: 200, per_day: Some(PER_DAY), ..SOME };
    let Some(seed) = Seed::postgres(size, &sink) else { return };
    let site = seed.site();
    // Slow enough that all of them are there before the caps are reached.
    sink.thinks(Duration::from_millis(200));
    let cluster = Cluster::start(&site);
    for node in &cluster.nodes {
        node.ready();
    }
    let total = quiet(&sink, &cluster);
    cluster.stop();
    let sent = "SELECT COUNT(*), COUNT(DISTINCT mailbox_id), COUNT(DISTINCT epoch) FROM send WHERE state = 'sent'";
    let found = query(&site, sent);
    assert_eq!(found[..2], [i64::from(PER_DAY) * 5, 5], "every mailbox sends what it may");
    assert!(found[2] >= 2, "the work is shared: {found:?}");
    assert_eq!(total, PER_DAY as usize * 5);
    let most =
        "SELECT MAX(n), MIN(n) FROM (SELECT COUNT(*) AS n FROM send WHERE state = 'sent' GROUP BY mailbox_id) AS of";
    assert_eq!(query(&site, most), [i64::from(PER_DAY); 2]);
}

#[test]
fn nodes_killed_and_stopped_on_postgres_lose_nothing_and_double_nothing() {
    let (sink, seed) = (Sink::start(), seed());
    println!("CADENZA_CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    let Some(mut server) = OwnServer::start() else { return };
    let site = Site::at(&server.url(), SOME, &sink);
    sink.thinks(Duration::from_millis(6));
    let mut cluster = Cluster::start(&site);
    let (mut deaths, mut pauses, mut restarts) = (0, 0, 0);
    for number in 1..=kills(6) {
        let already = sink.total();
        let hit = chance.below(NODES as u64) as usize;
        cluster.nodes[hit].until("somebody sends", || sink.total() > already || sink.idle_for(Instant::now()));
        std::thread::sleep(Duration::from_millis(chance.below(400)));
        match number % 6 {
            3 => {
                pauses += 1;
                cluster.nodes[hit].signal("STOP");
                std::thread::sleep(BEYOND + Duration::from_millis(chance.below(1_000)));
                cluster.nodes[hit].signal("CONT");
            }
            5 => {
                restarts += 1;
                // One that starts while the database is away says so and ends.
                cluster.nodes.iter().for_each(Serving::ready);
                server.stop(StopMode::Immediate);
                server.start_again();
            }
            _ => {
                deaths += 1;
                cluster.nodes[hit].target().kill();
                cluster.nodes[hit].gone();
                // Its work waits for its successor, or goes to the others.
                if chance.one_in(2) {
                    std::thread::sleep(BEYOND);
                }
                cluster.nodes[hit] = site.start_in(&cluster.folders[hit]);
            }
        }
        if under_way(&site) < i64::from(site.size.people) / 3 {
            site.enroll_more();
        }
    }
    for node in &cluster.nodes {
        node.ready();
    }
    cluster.nodes[0].rest();
    let gone: Vec<bool> = cluster.nodes.iter().map(Serving::is_gone).collect();
    assert_eq!(gone, [false; NODES], "{}", cluster.log());
    cluster.stop();
    let verdict = judge(&site, &sink.settled());
    println!(
        "{deaths} deaths, {pauses} pauses, {restarts} restarts of the database: {} people, {} mails, {} unknown",
        verdict.people, verdict.mails, verdict.unknown
    );
    let bound = site.size.dot_permits * (deaths + pauses + restarts);
    assert!(verdict.unknown <= bound, "{} unknown, {bound} at most", verdict.unknown);
    verdict.is_clean();
    assert!(verdict.mails >= site.size.people as usize * STEPS - verdict.unknown * STEPS);
}

fn under_way(site: &Site) -> i64 {
    query(site, "SELECT COUNT(*) FROM enrollment WHERE state IN ('pending', 'active')")[0]
}
