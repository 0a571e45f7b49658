//! Killed while it brings what people answered: the outbox of mail that is no step keeps the same promise.

use super::chance::{Chance, kills, seed};
use super::serving::Serving;
use super::sink::{Moment, Sink, Taken};
use super::site::{SMALL, Seed, Site};
use super::verdict::answers;
use cadenza_core::ids::MessageId;
use std::time::{Duration, Instant};

const PEOPLE: usize = 4;
const ANSWERS_EACH: usize = 6;

#[test]
fn killed_while_it_answers_it_loses_nothing_and_doubles_nothing() {
    let sink = Sink::start();
    killed_while_it_answers(&Seed::sqlite(SMALL, &sink).site(), &sink, kills(8));
}

#[test]
fn killed_while_it_answers_on_postgres_it_loses_nothing_and_doubles_nothing() {
    let sink = Sink::start();
    let Some(seed) = Seed::postgres(SMALL, &sink) else { return };
    killed_while_it_answers(&seed.site(), &sink, kills(4));
}

fn killed_while_it_answers(site: &Site, sink: &Sink, kills: u32) {
    let seed = seed();
    println!("CADENZA_CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    sink.thinks(Duration::from_millis(4));
    // The steps of the sequence are out of the way first.
    let serving = site.start();
    serving.ready();
    serving.rest();
    serving.stop();
    sink.settled();
    sink.forget();
    let (mut messages, mut queued, mut before) = (Vec::new(), 0, 0);
    for number in 1..=kills {
        messages = site.answer(PEOPLE, ANSWERS_EACH);
        queued += PEOPLE * ANSWERS_EACH;
        let serving = site.start();
        live(&serving, sink, &mut chance);
        let log = serving.kill();
        let doubtful = answers(site).iter().filter(|(state, _)| state == "marked" || state == "unknown").count();
        let by_this = doubtful - before;
        assert!(by_this <= site.size.dot_permits, "kill {number}: {by_this} unknown by one kill\n{log}");
        println!("kill {number}: {by_this} unknown, {} answers", sink.total());
        before = doubtful;
    }
    let serving = site.start();
    serving.ready();
    rest(&serving, &messages);
    serving.stop();
    judge(site, &sink.settled(), queued, before);
}

/// Lets it live until the moment of its death has come.
fn live(serving: &Serving, sink: &Sink, chance: &mut Chance) {
    let (already, begun) = (sink.total(), Instant::now());
    let moments = [Moment::Body, Moment::Accepted, Moment::Answered];
    match moments.get(chance.below(4) as usize) {
        Some(moment) => {
            sink.kill_at(serving.target(), *moment, 1 + chance.below(12) as u32);
            let give_up = Instant::now() + super::LONG;
            while !serving.is_gone() && Instant::now() < give_up && !(serving.answers() && sink.idle_for(begun)) {
                std::thread::sleep(Duration::from_millis(2));
            }
            sink.disarm();
        }
        None => {
            serving.until("it answers", || sink.total() > already || (serving.answers() && sink.idle_for(begun)));
            std::thread::sleep(Duration::from_millis(chance.below(60)));
        }
    }
}

/// Waits until no answer is on its way.
fn rest(serving: &Serving, messages: &[MessageId]) {
    serving.until("all answers are settled", || {
        messages.iter().all(|message| {
            let thread = serving.get(&format!("/messages/{message}/thread")).unwrap_or_default();
            let items = thread["items"].as_array().cloned().unwrap_or_default();
            let mut answers = items.iter().filter(|item| item["way"] == "answer").peekable();
            answers.peek().is_some()
                && answers.all(|item| ["sent", "unknown"].iter().any(|done| item["state"] == **done))
        })
    });
}

fn judge(site: &Site, taken: &Taken, queued: usize, doubtful: usize) {
    let all = answers(site);
    let came = |id: &str| taken.times.get(id).copied().unwrap_or_default();
    let of = |wanted: &'static str| all.iter().filter(move |(state, _)| state == wanted);
    let lost: Vec<_> = of("sent").filter(|(_, id)| came(id) == 0).collect();
    let doubled: Vec<_> = all.iter().filter(|(_, id)| came(id) > 1).collect();
    println!("{queued} answers: {} lost, {} doubled, {} unknown", lost.len(), doubled.len(), of("unknown").count());
    assert_eq!((lost.as_slice(), doubled.as_slice()), (&[][..], &[][..]));
    assert_eq!(all.len(), queued);
    assert_eq!(of("sent").count() + of("unknown").count(), queued, "{all:?}");
    assert!(of("unknown").count() <= doubtful, "{all:?}");
    let known = taken.times.keys().filter(|id| all.iter().any(|(_, own)| own == *id)).count();
    assert_eq!(known, taken.times.len(), "something came that is no answer");
}
