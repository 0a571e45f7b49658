//! Killed at random moments, again and again: while it starts, while it cleans up, at the height of sending, with a mail
//! half said, accepted and not answered, answered and not noted. `CADENZA_KILLS` says how often.

use super::chance::{Chance, kills, seed};
use super::serving::Serving;
use super::sink::{Moment, Sink};
use super::site::{BUSY, Seed, Site};
use super::verdict::{Left, judge, left};
use std::time::{Duration, Instant, SystemTime};

#[test]
fn killed_at_random_it_loses_nothing_and_doubles_nothing() {
    let sink = Sink::start();
    let site = Seed::sqlite(BUSY, &sink).site();
    killed_at_random(&site, &sink, kills(12));
}

#[test]
fn killed_at_random_on_postgres_it_loses_nothing_and_doubles_nothing() {
    let sink = Sink::start();
    let Some(seed) = Seed::postgres(BUSY, &sink) else { return };
    killed_at_random(&seed.site(), &sink, kills(8));
}

/// What a run came to.
#[derive(Default)]
struct Figures {
    unknown_by_one_kill_at_most: i64,
    /// From a start to its first answer, with the cleaning up.
    started_within: Duration,
}

fn killed_at_random(site: &Site, sink: &Sink, kills: u32) {
    let seed = seed();
    println!("CADENZA_CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    sink.thinks(Duration::from_millis(4));
    let mut figures = Figures::default();
    let mut before = Left::default();
    for number in 1..=kills {
        let (started, serving) = (SystemTime::now(), site.start());
        let lived = live(&serving, sink, &mut chance, &mut figures);
        let lived_for = serving.begun.elapsed();
        let log = serving.kill();
        let now = left(site, started);
        let by_this = (now.marked + now.unknown) - (before.marked + before.unknown);
        let permits = site.size.dot_permits as i64;
        assert!((0..=permits).contains(&by_this), "kill {number}: {by_this} unknown by one kill: {now:?}\n{log}");
        assert!(!lived || now.marked_before == 0, "kill {number}: it lived and did not show {now:?}\n{log}");
        figures.unknown_by_one_kill_at_most = figures.unknown_by_one_kill_at_most.max(by_this);
        println!("kill {number}: lived {lived_for:?}, {by_this} unknown, {} mails", sink.total());
        before = now;
        if number < kills && now.under_way < i64::from(site.size.people) / 2 {
            site.enroll_more();
        }
    }
    let serving = site.start();
    serving.ready();
    serving.rest();
    shown(&serving, (before.marked + before.unknown) as usize);
    serving.stop();
    let verdict = judge(site, &sink.settled());
    println!(
        "{kills} kills, {} people, {} mails: {} lost, {} doubled, {} unknown, by one kill {} at most; started within {:?}",
        verdict.people,
        verdict.mails,
        verdict.lost.len(),
        verdict.doubled.len(),
        verdict.unknown,
        figures.unknown_by_one_kill_at_most,
        figures.started_within
    );
    verdict.is_clean();
}

/// Lets it live until the moment of its death has come; says whether it had got over its start.
fn live(serving: &Serving, sink: &Sink, chance: &mut Chance, figures: &mut Figures) -> bool {
    let (already, begun) = (sink.total(), Instant::now());
    match chance.below(10) {
        // While it starts or cleans up, or soon after.
        0..2 => {
            std::thread::sleep(Duration::from_millis(chance.below(300)));
            return false;
        }
        n @ 2..5 => {
            let moment = [Moment::Body, Moment::Accepted, Moment::Answered][n as usize - 2];
            sink.kill_at(serving.target(), moment, 1 + chance.below(40) as u32);
            let give_up = Instant::now() + super::LONG;
            // There may be too little left to send for the trap to spring.
            while !serving.is_gone() && (Instant::now() < give_up) && !(serving.answers() && sink.idle_for(begun)) {
                std::thread::sleep(Duration::from_millis(2));
            }
            sink.disarm();
        }
        _ => {
            serving.until("it sends", || sink.total() > already || (serving.answers() && sink.idle_for(begun)));
            figures.started_within = figures.started_within.max(serving.begun.elapsed());
            std::thread::sleep(Duration::from_millis(chance.below(400)));
        }
    }
    true
}

/// Everybody of whom it is unknown whether a mail arrived is told of, over the API.
fn shown(serving: &Serving, unknown: usize) {
    let mut after = String::new();
    let mut found = 0;
    loop {
        let page = serving.get(&format!("/enrollments?state=blocked&limit=200{after}")).unwrap();
        for one in page["items"].as_array().unwrap() {
            assert_eq!(one["block"], "delivery_unknown", "{one:#}");
            found += 1;
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, unknown);
}
