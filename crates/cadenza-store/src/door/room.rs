//! The limiters of a batch: which limits hold for a step, their counts loaded and written back, and the lines before them.

use super::Door;
use super::load::{Look, Round};
use super::sequence::SequenceInfo;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::value::Columns;
use cadenza_core::enrollment::Enrollment;
use cadenza_core::flow::{Channel, Flow};
use cadenza_core::ids::MailboxId;
use cadenza_core::pacing::{Limit, Scope, ScopeKind, Used};
use cadenza_core::settings::{Per, Rate};
use cadenza_core::time::{Span, Time};

/// How long a mailbox that has enough to do is left alone; it is asked earlier where its work is done earlier.
const BUSY: Span = Span::seconds(5);

const COUNTS: &str = "SELECT l.id, l.since_at, l.used, l.wake_at FROM rows(id BIGINT) AS r
    JOIN limiter l ON l.workspace_id = $1 AND l.id = r.id";

/// Loads the limiters that the current step of an enrollment uses, where a limit holds for them.
pub(super) fn make_room(
    door: &Door,
    q: &mut Query,
    round: &mut Round,
    e: &Enrollment,
    info: &SequenceInfo,
    flow: &Flow,
) -> Result<()> {
    let Some(spot) = e.place.as_ref().and_then(|p| flow.spot(&p.step)) else { return Ok(()) };
    if !matches!(spot.step.kind.channel(), Channel::Email | Channel::Text) {
        return Ok(());
    }
    let scopes = {
        let facts = round.facts(e, info, None)?;
        let mailbox = match spot.step.kind.channel() {
            Channel::Email => facts.mailbox_for(e, spot.step).map(|m| m.id),
            _ => None,
        };
        facts.scopes_for(e, spot.step, mailbox)
    };
    for scope in scopes.iter().filter(|s| has_enough(round, **s)) {
        door.note_short(round.workspace, MailboxId(scope.of));
    }
    load(q, round, info, &scopes)
}

/// Puts the scopes that are limited and not loaded yet into the ledger.
pub(super) fn load(q: &mut Query, round: &mut Round, info: &SequenceInfo, scopes: &[Scope]) -> Result<()> {
    let mut missing: Vec<(Scope, Limit)> = Vec::new();
    for scope in scopes {
        round.scopes.insert(scope.number(), *scope);
        if !round.ledger.has(*scope)
            && let Some(limit) = limit_of(round, info, *scope)
        {
            missing.push((*scope, limit));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    in_order(&mut missing, |(s, _)| *s);
    let mut rows = counts(q, round, missing.iter().filter(|(_, l)| is_counted(l)).map(|(s, _)| *s), COUNTS)?;
    // A gap is one moment, not a number that two can add to: whoever decides by it holds it.
    let gaps = missing.iter().filter(|(_, l)| !is_counted(l)).map(|(s, _)| *s);
    rows.extend(match round.look {
        Look::Only => counts(q, round, gaps, COUNTS)?,
        Look::Held => counts(q, round, gaps, &format!("{COUNTS} FOR UPDATE OF l"))?,
    });
    for (scope, limit) in missing {
        let (mut used, mut has_line) = (Used::default(), false);
        for row in &rows {
            if row.int(0)? == scope.number() {
                used = Used { since: row.time(1)?, count: u32::try_from(row.int(2)?).unwrap_or(u32::MAX) };
                has_line = row.opt_int(3)?.is_some();
            }
        }
        round.counted.insert(scope, used);
        // A mailbox that has enough to do is as good as one whose gap lasts a little longer; its count stays what it is.
        let since = if has_enough(round, scope) { used.since.max(round.now + BUSY) } else { used.since };
        round.ledger.put(scope, limit, Used { since, ..used });
        if has_line {
            round.ledger.put_line(scope);
        }
    }
    Ok(())
}

fn counts(q: &mut Query, round: &Round, scopes: impl Iterator<Item = Scope>, sql: &str) -> Result<Vec<Row>> {
    let columns = Columns::new().ints(scopes.map(Scope::number));
    if columns.is_empty() { Ok(Vec::new()) } else { q.query_rows(sql, &columns, &[round.workspace.into()]) }
}

/// A number of a window, to which others may add while a batch is decided.
fn is_counted(limit: &Limit) -> bool {
    matches!(limit, Limit::Rate { .. })
}

/// The order in which all take the rows: those that many share come first.
fn in_order<T>(list: &mut [T], scope: impl Fn(&T) -> Scope) {
    list.sort_by_key(|one| (shared_by(scope(one).kind), scope(one).number()));
}

/// From what everybody uses to what one contact does.
fn shared_by(kind: ScopeKind) -> u8 {
    match kind {
        ScopeKind::Workspace => 0,
        ScopeKind::SequenceEmails | ScopeKind::SequenceTexts => 1,
        ScopeKind::Domain => 2,
        ScopeKind::MailboxGap | ScopeKind::MailboxHour | ScopeKind::MailboxDay => 3,
        ScopeKind::Contact => 4,
    }
}

/// Is this the gap of a mailbox to which this batch has given all that it takes at present?
fn has_enough(round: &Round, scope: Scope) -> bool {
    let mailbox = MailboxId(scope.of);
    scope.kind == ScopeKind::MailboxGap
        && round.ws.mailboxes.get(&mailbox).is_some_and(|m| round.given(mailbox) >= m.room)
}

/// How many of a line may be drawn at once where its mailbox takes fewer than its limits allow.
pub(super) fn taken_at_most(round: &Round, scope: Scope) -> u32 {
    match scope.kind {
        ScopeKind::MailboxGap => round.ws.mailboxes.get(&MailboxId(scope.of)).map_or(u32::MAX, |m| m.room),
        _ => u32::MAX,
    }
}

/// The limit of a scope, if any holds for it.
fn limit_of(round: &Round, info: &SequenceInfo, scope: Scope) -> Option<Limit> {
    let settings = &info.facts.settings;
    let ws = &round.ws.settings;
    let zone = ws.sequence.zone.clone();
    let rate = |rate: Option<Rate>, zone| rate.map(|rate| Limit::Rate { rate, zone });
    let capped = |cap: Option<i64>, per| {
        cap.map(|n| Limit::Rate { rate: Rate { count: u32::try_from(n).unwrap_or(0), per }, zone: zone.clone() })
    };
    let mailbox = || round.ws.mailboxes.get(&MailboxId(scope.of));
    match scope.kind {
        ScopeKind::SequenceEmails => rate(settings.email_rate, settings.zone.clone()),
        ScopeKind::SequenceTexts => rate(settings.text_rate, settings.zone.clone()),
        ScopeKind::Contact => rate(ws.contact_cap, zone),
        ScopeKind::Domain => rate(ws.domain_cap, zone),
        ScopeKind::Workspace => rate(ws.workspace_cap, zone),
        ScopeKind::MailboxHour => capped(mailbox()?.hour_cap, Per::Hour),
        ScopeKind::MailboxDay => capped(mailbox()?.day_cap, Per::Day),
        ScopeKind::MailboxGap => {
            let row = mailbox()?;
            let gap = match row.gap_seconds.filter(|g| *g > 0) {
                Some(gap) => gap,
                None if has_enough(round, scope) => 0,
                None => return None,
            };
            Some(Limit::Gap {
                gap: Span::seconds(gap),
                jitter: Span::seconds(row.jitter_seconds.unwrap_or(0).min(gap)),
            })
        }
    }
}

/// Writes the counts of the limiters that were used, and wakes those that have a line before them. The lines come first:
/// whoever draws one holds its row, and takes from the others afterwards.
pub(super) fn write(tx: &mut Tx, round: &mut Round) -> Result<()> {
    wake_lines(tx, round)?;
    write_counts(tx, round)
}

fn wake_lines(tx: &mut Tx, round: &Round) -> Result<()> {
    let mut parked: Vec<(Scope, Option<Time>)> = round
        .enrollments
        .values()
        .filter(|l| l.touched)
        .filter_map(|l| l.now.parked)
        .filter_map(|number| round.scopes.get(&number).copied())
        .map(|scope| (scope, wakes(round, scope)))
        .collect();
    in_order(&mut parked, |(s, _)| *s);
    parked.dedup_by_key(|(s, _)| s.number());
    let columns = Columns::new()
        .ints(parked.iter().map(|(s, _)| s.number()))
        .texts(parked.iter().map(|(s, _)| s.kind.as_str()))
        .ints(parked.iter().map(|(s, _)| s.of))
        .opt_ints(parked.iter().map(|(_, t)| *t))
        .ints(parked.iter().map(|(s, _)| shard_of(*s)));
    tx.exec_rows(
        "INSERT INTO limiter (workspace_id, id, kind, of_id, since_at, used, wake_at, shard)
         SELECT $1, r.id, r.kind, r.of_id, 0, 0, r.wake_at, r.shard
         FROM rows(id BIGINT, kind TEXT, of_id BIGINT, wake_at BIGINT, shard BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, id) DO UPDATE SET wake_at = CASE
             WHEN limiter.wake_at < excluded.wake_at THEN limiter.wake_at
             ELSE COALESCE(excluded.wake_at, limiter.wake_at) END",
        &columns,
        &[round.workspace.into()],
    )?;
    Ok(())
}

/// What a batch did to a limiter.
struct Taken {
    scope: Scope,
    before: Used,
    now: Used,
    /// How many it took in the window that is counted now; fewer than none where it gave back.
    added: i64,
    /// What the window may have counted with them; `-1` where nobody may have counted meanwhile.
    most: i64,
}

impl Taken {
    fn new(round: &Round, scope: Scope, now: Used) -> Taken {
        let before = round.counted.get(&scope).copied().unwrap_or_default();
        let from = if before.since == now.since { i64::from(before.count) } else { 0 };
        let added = i64::from(now.count) - from;
        let most = match round.ledger.used(scope) {
            Some((_, Limit::Rate { rate, .. })) if added > 0 => i64::from(rate.count),
            Some((_, Limit::Rate { .. })) => i64::MAX,
            _ => -1,
        };
        Taken { scope, before, now, added, most }
    }
}

fn write_counts(tx: &mut Tx, round: &Round) -> Result<()> {
    let mut taken: Vec<Taken> = round
        .ledger
        .changed()
        .map(|(scope, now)| Taken::new(round, scope, now))
        .filter(|taken| taken.now != taken.before)
        .collect();
    in_order(&mut taken, |t| t.scope);
    let new: Vec<Scope> = taken.iter().filter(|t| t.before == Used::default()).map(|t| t.scope).collect();
    let columns = Columns::new()
        .ints(new.iter().map(|s| s.number()))
        .texts(new.iter().map(|s| s.kind.as_str()))
        .ints(new.iter().map(|s| s.of))
        .ints(new.iter().map(|s| shard_of(*s)));
    tx.exec_rows(
        "INSERT INTO limiter (workspace_id, id, kind, of_id, since_at, used, shard)
         SELECT $1, r.id, r.kind, r.of_id, 0, 0, r.shard
         FROM rows(id BIGINT, kind TEXT, of_id BIGINT, shard BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, id) DO NOTHING",
        &columns,
        &[round.workspace.into()],
    )?;
    let columns = Columns::new()
        .ints(taken.iter().map(|t| t.scope.number()))
        .ints(taken.iter().map(|t| t.now.since))
        .ints(taken.iter().map(|t| t.now.count))
        .ints(taken.iter().map(|t| t.before.since))
        .ints(taken.iter().map(|t| t.before.count))
        .ints(taken.iter().map(|t| t.added))
        .ints(taken.iter().map(|t| t.most));
    // Others may have counted while this was decided, in this window, as long as all has room together. Where it has not, or
    // where one counts another window by now, the batch is decided anew.
    let counted = tx.exec_rows(
        "UPDATE limiter SET since_at = r.since_now,
             used = CASE WHEN limiter.since_at = r.since_now THEN limiter.used + r.added ELSE r.used_now END
         FROM rows(id BIGINT, since_now BIGINT, used_now BIGINT, since_before BIGINT, used_before BIGINT, added BIGINT, most BIGINT)
             AS r
         WHERE limiter.workspace_id = $1 AND limiter.id = r.id
           AND ((limiter.since_at = r.since_before AND limiter.used = r.used_before)
             OR (limiter.since_at = r.since_now AND limiter.used + r.added BETWEEN 0 AND r.most))",
        &columns,
        &[round.workspace.into()],
    )?;
    if counted != taken.len() as u64 {
        return Err(StoreError::Contention { why: "a limiter was used meanwhile".into() });
    }
    Ok(())
}

/// When the line before a limiter is to be drawn next; `None` where only a mended mailbox draws it.
pub(super) fn wakes(round: &Round, scope: Scope) -> Option<Time> {
    if scope.kind == ScopeKind::MailboxGap && stale(round, MailboxId(scope.of)) {
        return None;
    }
    match round.ledger.opens_at(scope, round.now) {
        Some(Time::MAX) => None,
        Some(t) => Some(t),
        None => Some(round.now),
    }
}

fn stale(round: &Round, mailbox: MailboxId) -> bool {
    use cadenza_core::facts::Inbox;
    round.ws.around.mailboxes.iter().any(|m| m.id == mailbox && matches!(m.inbox, Inbox::Stale { .. }))
}

/// The shard of a limiter: that of its mailbox where it has one, so that one node draws both.
pub(super) fn shard_of(scope: Scope) -> i64 {
    super::write::shard(scope.of)
}
