//! The database goes away in the middle: its server stops at once or in order and comes back, or single lines to it are cut
//! before or after a commit. The program lives on, loses nothing, doubles nothing, and goes on by itself.

use super::chance::{Chance, kills, seed};
use super::proxy::{Act, Of, Proxy, When};
use super::sink::Sink;
use super::site::{BUSY, SMALL, Seed, Site, Size};
use super::verdict::judge;
use cadenza_testkit::postgres::{OwnServer, StopMode};
use std::time::Duration;

const SOME: Size = Size { people: 80, ..BUSY };

#[test]
fn a_postgres_server_that_stops_and_comes_back_is_waited_for() {
    let sink = Sink::start();
    let Some(mut server) = OwnServer::start() else { return };
    let site = Site::at(&server.url(), SOME, &sink);
    sink.thinks(Duration::from_millis(5));
    let serving = site.start();
    for mode in [StopMode::Immediate, StopMode::Fast, StopMode::Immediate] {
        let already = sink.total();
        serving.until("it sends", || sink.total() >= already + 30);
        let said = serving.log().len();
        server.stop(mode);
        serving.until("it says that the database is away", || serving.log()[said..].contains("unavailable"));
        server.start_again();
    }
    serving.rest();
    serving.stop();
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown, 0, "the answers were kept: {verdict:#?}");
    verdict.is_clean();
}

/// With a commit whose answer is lost, the program does not know whether it took place.
#[test]
fn lines_cut_at_commits_on_postgres_lose_nothing_and_double_nothing() {
    let (sink, seed) = (Sink::start(), seed());
    println!("CADENZA_CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    let Some(planted) = Seed::postgres(SOME, &sink) else { return };
    let site = planted.site();
    let proxy = Proxy::before(&site);
    let serving = site.start_so(&proxy.manner());
    serving.until("it sends", || sink.total() > 0);
    let mut nth = proxy.commits();
    for _ in 0..kills(12) {
        nth += 2 + chance.below(8) as usize;
        proxy.at(Of::All, if chance.one_in(2) { When::Before } else { When::After }, nth, Act::Cut);
    }
    serving.rest();
    let log = serving.stop();
    assert!(proxy.commits() > nth / 2 && log.contains("unknown"), "lines were cut: {log}");
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown, 0, "the program lived, and knows what it did: {verdict:#?}");
    verdict.is_clean();
}

/// What such a commit recorded was handed to no lane.
#[test]
fn attempts_recorded_by_a_commit_without_an_answer_on_postgres_are_taken_up_again() {
    let sink = Sink::start();
    let Some(planted) = Seed::postgres(SMALL, &sink) else { return };
    let site = planted.site();
    let proxy = Proxy::before(&site);
    proxy.at(Of::Claims, When::After, 1, Act::Cut);
    proxy.at(Of::Claims, When::Before, 2, Act::Cut);
    let serving = site.start_so(&proxy.manner());
    serving.ready();
    serving.rest();
    serving.stop();
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown, 0, "{verdict:#?}");
    verdict.is_clean();
}
