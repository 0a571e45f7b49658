//! The power fails: what the disk was not told to flush is gone, in part or altogether. A disk that lies about its flushes is
//! the proof that this finds what it looks for.

use super::chance::{Chance, kills, seed};
use super::disk::Disk;
use super::serving::Serving;
use super::sink::Sink;
use super::site::{BUSY, Seed, Site, Size};
use super::verdict::{Left, judge, left};
use std::time::{Duration, SystemTime};

const SOME: Size = Size { people: 60, ..BUSY };

#[test]
fn power_cuts_lose_nothing_and_double_nothing() {
    let (sink, seed) = (Sink::start(), seed());
    println!("CADENZA_CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    let site = Seed::sqlite(SOME, &sink).site();
    let disk = Disk::under(&site);
    let mut before = Left::default();
    for number in 1..=kills(6) / 2 {
        let started = SystemTime::now();
        let serving = site.start_so(&disk.noting(&[]));
        let lived = live(&serving, &sink, &mut chance);
        let log = serving.kill();
        let some = chance.one_in(2);
        disk.cut_power(some.then_some(&mut chance));
        let now = left(&site, started);
        let by_this = (now.marked + now.unknown) - (before.marked + before.unknown);
        assert!((0..=SOME.dot_permits as i64).contains(&by_this), "cut {number}: {by_this} unknown: {now:?}\n{log}");
        assert!(!lived || now.marked_before == 0, "cut {number}: it lived and did not show {now:?}\n{log}");
        before = now;
        if now.under_way < 20 {
            site.enroll_more();
        }
    }
    finish(&site);
    let verdict = judge(&site, &sink.settled());
    println!("{} mails, {} unknown", verdict.mails, verdict.unknown);
    verdict.is_clean();
}

#[test]
fn power_cuts_on_a_disk_that_lies_are_found_out() {
    let sink = Sink::start();
    let site = Seed::sqlite(SOME, &sink).site();
    let disk = Disk::under(&site);
    let serving = site.start_so(&disk.noting(&[("CADENZA_DISK_LIES", "1")]));
    serving.until("some mails are sent", || sink.total() > 20);
    serving.kill();
    disk.cut_power(None);
    finish(&site);
    assert!(judge(&site, &sink.settled()).doubled.len() >= 10, "what was committed and not flushed was sent again");
}

/// Lets it live for a while; says whether it had got over its start.
fn live(serving: &Serving, sink: &Sink, chance: &mut Chance) -> bool {
    if chance.one_in(5) {
        std::thread::sleep(Duration::from_millis(chance.below(300)));
        return false;
    }
    let already = sink.total();
    serving.until("it sends", || sink.total() > already);
    std::thread::sleep(Duration::from_millis(chance.below(300)));
    true
}

fn finish(site: &Site) {
    let serving = site.start();
    serving.ready();
    serving.rest();
    serving.stop();
}
