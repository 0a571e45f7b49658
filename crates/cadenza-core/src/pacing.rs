//! Room under caps, gaps and rate limiters (TIM-5), and the published order in which what was held back goes out. Counts are
//! of whole minutes, hours or days of the clock, so they survive a restart as two numbers.

use crate::calendar::Zone;
use crate::flow::{Channel, Priority};
use crate::settings::{Per, Rate};
use crate::time::{Span, Time};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a limit counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    SequenceEmails,
    SequenceTexts,
    Contact,
    MailboxGap,
    MailboxHour,
    MailboxDay,
    Domain,
    Workspace,
}

impl ScopeKind {
    pub const ALL: [ScopeKind; 8] = [
        ScopeKind::SequenceEmails,
        ScopeKind::SequenceTexts,
        ScopeKind::Contact,
        ScopeKind::MailboxGap,
        ScopeKind::MailboxHour,
        ScopeKind::MailboxDay,
        ScopeKind::Domain,
        ScopeKind::Workspace,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            ScopeKind::SequenceEmails => "sequence_emails",
            ScopeKind::SequenceTexts => "sequence_texts",
            ScopeKind::Contact => "contact",
            ScopeKind::MailboxGap => "mailbox_gap",
            ScopeKind::MailboxHour => "mailbox_hour",
            ScopeKind::MailboxDay => "mailbox_day",
            ScopeKind::Domain => "domain",
            ScopeKind::Workspace => "workspace",
        }
    }
    fn number(self) -> i64 {
        ScopeKind::ALL.iter().position(|k| *k == self).map_or(0, |n| n as i64)
    }
}

/// One limiter: what it counts for, and for whom. Its number names it in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    pub kind: ScopeKind,
    /// Id of the sequence, contact or mailbox; the hash of a domain; 0 for the workspace.
    pub of: i64,
}

impl Scope {
    /// A stable number for store and queues; two scopes share one only by a collision of 61 bits.
    pub fn number(self) -> i64 {
        let mixed = mix(self.of as u64 ^ (self.kind.number() as u64).rotate_left(56));
        ((mixed >> 3) as i64 & !7) | self.kind.number()
    }
}

/// A finalising mix of 64 bits (SplitMix64's): the only "chance" in the core is such a hash of ids.
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stable hash of a text, such as a domain in lower case (FNV-1a, then mixed).
pub fn hash_text(text: &str) -> i64 {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    (mix(hash) >> 1) as i64
}

/// What a scope allows.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// At most so many in each whole minute or hour of the clock, or each day of the zone.
    Rate { rate: Rate, zone: Zone },
    /// At least this long between two, give or take the jitter.
    Gap { gap: Span, jitter: Span },
}

/// What is remembered of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Begin of the minute, hour or day that is counted; for a gap, the moment the next may go.
    pub since: Time,
    pub count: u32,
}

impl Limit {
    /// When the next one may go: `None` for at once. `MAX` where the limit is zero.
    pub fn opens_at(&self, used: Used, now: Time) -> Option<Time> {
        match self {
            Limit::Gap { .. } => (used.since > now).then_some(used.since),
            Limit::Rate { rate, zone } => {
                if rate.count == 0 {
                    return Some(Time::MAX);
                }
                let window = bounds(rate.per, zone, now);
                (counts_in(used, window) && used.count >= rate.count).then_some(window.1)
            }
        }
    }

    /// How many may go at `now`.
    pub fn room(&self, used: Used, now: Time) -> u32 {
        match self {
            Limit::Gap { .. } => u32::from(used.since <= now),
            Limit::Rate { rate, zone } => {
                let window = bounds(rate.per, zone, now);
                if counts_in(used, window) { rate.count.saturating_sub(used.count) } else { rate.count }
            }
        }
    }

    /// Counts one that goes at `now`; `seed` decides the jitter.
    pub fn take(&self, used: Used, now: Time, seed: u64) -> Used {
        match self {
            Limit::Gap { gap, jitter } => {
                let width = jitter.micros().saturating_mul(2);
                let shift = if width > 0 { (mix(seed) % (width as u64 + 1)) as i64 - jitter.micros() } else { 0 };
                Used { since: now + Span::from_micros((gap.micros() + shift).max(0)), count: used.count }
            }
            Limit::Rate { rate, zone } => {
                let window = bounds(rate.per, zone, now);
                let used = if counts_in(used, window) { used } else { Used { since: window.0, count: 0 } };
                Used { count: used.count.saturating_add(1), ..used }
            }
        }
    }

    /// Takes back one that was counted at `then` and never went.
    pub fn give_back(&self, used: Used, then: Time) -> Used {
        match self {
            Limit::Gap { .. } => used,
            Limit::Rate { rate, zone } => {
                let (from, _) = bounds(rate.per, zone, then);
                if used.since == from { Used { count: used.count.saturating_sub(1), ..used } } else { used }
            }
        }
    }
}

/// Is what was counted of this window? So is what a node whose clock runs ahead has counted in the one that comes next, or
/// what was counted before the clock was set back: else either would begin to count anew again and again.
fn counts_in(used: Used, (from, to): (Time, Time)) -> bool {
    used.since == from || used.since == to
}

fn bounds(per: Per, zone: &Zone, now: Time) -> (Time, Time) {
    let absolute = |length: Span| {
        let from = Time::from_micros(now.micros().div_euclid(length.micros()) * length.micros());
        (from, from + length)
    };
    match per {
        Per::Minute => absolute(Span::minutes(1)),
        Per::Hour => absolute(Span::hours(1)),
        Per::Day => zone.day_bounds(zone.local_date(now)),
    }
}

/// The room of every scope that one batch touches: loaded, taken from in order, written back.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: HashMap<Scope, Entry, FixedState>,
    crowd: Option<u32>,
}

#[derive(Debug, Clone)]
struct Entry {
    limit: Limit,
    used: Used,
    changed: bool,
    has_line: bool,
}

impl Ledger {
    pub fn put(&mut self, scope: Scope, limit: Limit, used: Used) {
        self.entries.insert(scope, Entry { limit, used, changed: false, has_line: false });
    }
    /// Somebody stands in line before this scope.
    pub fn put_line(&mut self, scope: Scope) {
        if let Some(entry) = self.entries.get_mut(&scope) {
            entry.has_line = true;
        }
    }
    /// How many there are at most who could want room at this moment and stand in no line; `None` where nobody has counted.
    pub fn put_crowd(&mut self, crowd: Option<u32>) {
        self.crowd = crowd;
    }
    /// Has this scope room for everybody who could want it now? Then nobody competes, and nobody needs to stand in line.
    pub fn is_wide(&self, scope: Scope, now: Time) -> bool {
        let (Some(crowd), Some(entry)) = (self.crowd, self.entries.get(&scope)) else { return false };
        !entry.has_line && entry.limit.room(entry.used, now) >= crowd
    }
    pub fn has(&self, scope: Scope) -> bool {
        self.entries.contains_key(&scope)
    }
    /// The moment this scope opens; `None` where it has room now or no limit.
    pub fn opens_at(&self, scope: Scope, now: Time) -> Option<Time> {
        self.entries.get(&scope).and_then(|e| e.limit.opens_at(e.used, now))
    }
    pub fn room(&self, scope: Scope, now: Time) -> Option<u32> {
        self.entries.get(&scope).map(|e| e.limit.room(e.used, now))
    }
    pub fn used(&self, scope: Scope) -> Option<(Used, &Limit)> {
        self.entries.get(&scope).map(|e| (e.used, &e.limit))
    }
    pub fn take(&mut self, scopes: &[Scope], now: Time, seed: u64) {
        for scope in scopes {
            if let Some(e) = self.entries.get_mut(scope) {
                e.used = e.limit.take(e.used, now, seed);
                e.changed = true;
            }
        }
    }
    pub fn give_back(&mut self, scopes: &[Scope], then: Time) {
        for scope in scopes {
            if let Some(e) = self.entries.get_mut(scope) {
                e.used = e.limit.give_back(e.used, then);
                e.changed = true;
            }
        }
    }
    /// What is to be written back.
    pub fn changed(&self) -> impl Iterator<Item = (Scope, Used)> {
        self.entries.iter().filter(|(_, e)| e.changed).map(|(s, e)| (*s, e.used))
    }
}

/// The place in a queue behind a shut cap: sequence priority, then later steps before first steps, then oldest due (TIM-5).
/// Lower goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub priority: Priority,
    /// 0 for later steps, 1 for first steps.
    pub first_step: u8,
    pub due: Time,
}

impl Rank {
    pub fn new(priority: Priority, steps_executed: u32, due: Time) -> Rank {
        Rank { priority, first_step: u8::from(steps_executed == 0), due }
    }
    /// The first two as one number, for an index with `due` beside it.
    pub fn class(self) -> i64 {
        let priority = match self.priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        priority * 2 + i64::from(self.first_step)
    }
}

/// The scopes that one send by this channel uses.
pub fn scopes_of(
    channel: Channel,
    sequence: i64,
    subject: i64,
    mailbox: Option<i64>,
    domain: Option<&str>,
) -> Vec<Scope> {
    let mut scopes = Vec::with_capacity(7);
    let mut add = |kind, of| scopes.push(Scope { kind, of });
    match channel {
        Channel::Email => add(ScopeKind::SequenceEmails, sequence),
        Channel::Text => add(ScopeKind::SequenceTexts, sequence),
        Channel::Call | Channel::Linkedin | Channel::Task => return scopes,
    }
    add(ScopeKind::Contact, subject);
    if let Some(mailbox) = mailbox {
        add(ScopeKind::MailboxGap, mailbox);
        add(ScopeKind::MailboxHour, mailbox);
        add(ScopeKind::MailboxDay, mailbox);
    }
    if let Some(domain) = domain {
        add(ScopeKind::Domain, hash_text(domain));
    }
    add(ScopeKind::Workspace, 0);
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn three_an_hour() -> Limit {
        Limit::Rate { rate: Rate { count: 3, per: Per::Hour }, zone: Zone::utc() }
    }

    #[test]
    fn a_window_counts_from_its_begin() {
        let (limit, now) = (three_an_hour(), at("2027-03-01T12:59:59Z"));
        let full = (0..3).fold(Used::default(), |used, _| limit.take(used, now, 0));
        assert_eq!(full, Used { since: at("2027-03-01T12:00:00Z"), count: 3 });
        assert_eq!(limit.opens_at(full, now), Some(at("2027-03-01T13:00:00Z")));
        assert_eq!(limit.room(full, at("2027-03-01T13:00:00Z")), 3);
        assert_eq!(limit.give_back(full, now).count, 2);
        assert_eq!(limit.give_back(full, at("2027-03-01T11:00:00Z")).count, 3, "of an hour that is over");
    }

    /// Of two nodes one is in the next hour already; and a clock is set back by a minute.
    #[test]
    fn clocks_that_disagree_about_the_hour_count_as_one() {
        let limit = three_an_hour();
        let (ahead, behind) = (at("2027-03-01T13:00:00.010Z"), at("2027-03-01T12:59:59.990Z"));
        let mut used = Used { since: at("2027-03-01T12:00:00Z"), count: 3 };
        let mut gone = 0;
        for now in [ahead, behind, ahead, behind, ahead, behind, ahead, behind] {
            if limit.opens_at(used, now).is_none() {
                assert!(limit.room(used, now) > 0);
                used = limit.take(used, now, 0);
                gone += 1;
            }
        }
        assert_eq!((gone, used), (3, Used { since: at("2027-03-01T13:00:00Z"), count: 3 }));
        assert_eq!(limit.opens_at(used, behind), Some(at("2027-03-01T13:00:00Z")));
    }

    /// Else a clock that was wrong by a year and was set right would stop all mail for a year.
    #[test]
    fn a_count_from_far_ahead_is_forgotten() {
        let (limit, now) = (three_an_hour(), at("2027-03-01T12:30:00Z"));
        let used = Used { since: at("2028-03-01T12:00:00Z"), count: 3 };
        assert_eq!(limit.opens_at(used, now), None);
        assert_eq!(limit.take(used, now, 0), Used { since: at("2027-03-01T12:00:00Z"), count: 1 });
    }
}
