//! Killed at every point of a small run at which something reaches the disk or the database: before a flush, after it, in the
//! middle of a write; before a COMMIT is passed on, after its answer came. Each begins anew. A sample of the points, or with
//! `CADENZA_KILLS` all.

use super::chance::{every_point, kills};
use super::disk::Disk;
use super::proxy::{Act, Of, Proxy, When};
use super::serving::{Manner, Serving};
use super::sink::{Moment, Sink};
use super::site::{SMALL, Seed, Site};
use super::verdict::{judge, left};
use std::time::SystemTime;

#[test]
fn killed_at_every_flush_and_within_writes() {
    let sink = Sink::start();
    let seed = Seed::sqlite(SMALL, &sink);
    let (flushes, writes) = {
        let site = seed.site();
        let disk = Disk::under(&site);
        finish(site.start_so(&disk.noting(&[])));
        disk.noted()
    };
    assert!(flushes > 20 && writes > 100, "{flushes} flushes and {writes} writes");
    let mut tried = 0;
    for (when, most, few) in [("before", flushes, 4), ("after", flushes, 6), ("torn", writes, 3)] {
        for nth in points(most, few) {
            sink.forget();
            let site = seed.site();
            let disk = Disk::under(&site);
            let how = format!("{when}:{nth}");
            let manner = disk.manner(&[("CADENZA_DISK_KILL", &how)]);
            tried += usize::from(dies_and_recovers(&site, &sink, &manner, &how, |_| {}));
        }
    }
    println!("killed at {tried} points of {flushes} flushes and {writes} writes");
    assert!(tried >= 10);
}

#[test]
fn killed_at_every_commit_on_postgres() {
    let sink = Sink::start();
    let Some(seed) = Seed::postgres(SMALL, &sink) else { return };
    let commits = {
        let site = seed.site();
        let proxy = Proxy::before(&site);
        finish(site.start_so(&proxy.manner()));
        proxy.commits()
    };
    assert!(commits > 20, "{commits} commits");
    let mut tried = 0;
    for (when, few) in [(When::Before, 4), (When::After, 6)] {
        for nth in points(commits, few) {
            sink.forget();
            let site = seed.site();
            let proxy = Proxy::before(&site);
            let how = format!("{when:?} the answer to COMMIT {nth}");
            proxy.at(Of::All, when, nth, Act::Kill);
            tried += usize::from(dies_and_recovers(&site, &sink, &proxy.manner(), &how, |serving| {
                proxy.kills(serving.target());
            }));
        }
    }
    println!("killed at {tried} points of {commits} commits");
    assert!(tried >= 8);
}

/// The point that lies at the mail server: the dot was written, and its answer not read.
#[test]
fn killed_within_a_mail() {
    let sink = Sink::start();
    let seed = Seed::sqlite(SMALL, &sink);
    for moment in [Moment::Body, Moment::Accepted, Moment::Answered] {
        for nth in points(15, 3) {
            sink.forget();
            let site = seed.site();
            let how = format!("{moment:?} of mail {nth}");
            let set = |serving: &Serving| sink.kill_at(serving.target(), moment, nth as u32);
            let (started, died) = (SystemTime::now(), dies(&site, &Manner::default(), set));
            assert!(died, "{how}");
            if moment == Moment::Accepted {
                assert!(left(&site, started).marked >= 1, "{how}: what was accepted and not answered is marked");
            }
            recovers(&site, &sink, &how);
        }
    }
}

/// Some points of as many, in even distances; or all.
fn points(most: usize, few: usize) -> Vec<usize> {
    let step = if every_point() { 1 } else { most.div_ceil(few) };
    (1..=most).step_by(step.max(1)).take(kills(u32::MAX) as usize).collect()
}

/// Runs to the point, where it dies, then again to the end, and judges. Says whether it died: the points of a run are not
/// quite as many each time.
fn dies_and_recovers(site: &Site, sink: &Sink, manner: &Manner, how: &str, set: impl FnOnce(&Serving)) -> bool {
    let died = dies(site, manner, set);
    recovers(site, sink, how);
    died
}

fn dies(site: &Site, manner: &Manner, set: impl FnOnce(&Serving)) -> bool {
    let serving = site.start_so(manner);
    set(&serving);
    serving.rest_or_gone()
}

#[track_caller]
fn recovers(site: &Site, sink: &Sink, how: &str) {
    finish(site.start());
    let verdict = judge(site, &sink.settled());
    assert!(verdict.unknown <= site.size.dot_permits, "{how}: {verdict:#?}");
    assert!([&verdict.lost, &verdict.doubled, &verdict.wrong].iter().all(|l| l.is_empty()), "{how}: {verdict:#?}");
}

fn finish(serving: Serving) {
    serving.ready();
    serving.rest();
    serving.stop();
}
