//! Ends in good order under load, and a second process that wants the same database.

use super::chance::kills;
use super::sink::Sink;
use super::site::{BUSY, Seed, Site, Size};
use super::verdict::{judge, left};
use std::time::{Duration, SystemTime};

const SOME: Size = Size { people: 80, ..BUSY };

#[test]
fn stops_under_load_leave_nothing_unknown() {
    let sink = Sink::start();
    stops(&Seed::sqlite(SOME, &sink).site(), &sink);
}

#[test]
fn stops_under_load_on_postgres_leave_nothing_unknown() {
    let sink = Sink::start();
    if let Some(seed) = Seed::postgres(SOME, &sink) {
        stops(&seed.site(), &sink);
    }
}

fn stops(site: &Site, sink: &Sink) {
    // Always some past their dot, whose answer must be waited for.
    sink.thinks(Duration::from_millis(30));
    for number in 1..=3.max(kills(0) / 20) {
        let (started, serving) = (SystemTime::now(), site.start());
        let already = sink.total();
        serving.until("it sends", || sink.total() >= already + 10);
        let log = serving.stop();
        let now = left(site, started);
        assert_eq!((now.marked, now.unknown), (0, 0), "stop {number}: {log}");
        if now.under_way < 40 {
            site.enroll_more();
        }
    }
    let serving = site.start();
    serving.ready();
    serving.rest();
    serving.stop();
    let verdict = judge(site, &sink.settled());
    assert_eq!(verdict.unknown, 0);
    verdict.is_clean();
}

#[test]
fn a_second_process_on_the_same_file_is_refused() {
    let sink = Sink::start();
    let site = Seed::sqlite(SOME, &sink).site();
    let serving = site.start();
    serving.ready();
    let second = site.start();
    assert!(!second.gone().success());
    let log = second.log();
    assert!(log.contains("cadenza.db is in use by another Cadenza process"), "{log}");
    assert!(!log.contains("listens on"), "{log}");
    serving.rest();
    serving.stop();
    judge(&site, &sink.settled()).is_clean();
}
