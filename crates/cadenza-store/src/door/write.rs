//! A batch into rows: one bulk statement for each kind of row, in an order that lets later statements see earlier ones.

use super::effects::subject_ids;
use super::load::Round;
use super::{Door, breaker, idle, room, rows, side};
use crate::error::{Result, StoreError};
use crate::hashed::{HashMap, HashSet};
use crate::nodes::Node;
use crate::query::Tx;
use crate::value::Columns;
use cadenza_core::enrollment::{CHANGES_FORMAT, Subject};
use cadenza_core::flow::{Priority, SideAction};
use cadenza_core::ids::{EnrollmentId, ListId, MailboxId, UserId};
use cadenza_core::machine::{Actor, Level, Plan, Send, Settled, SuppressWhat, SuppressWhy};
use cadenza_core::pacing::mix;
use cadenza_core::time::Time;

/// Everything a batch will write, gathered while it is decided.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub lines: Vec<Line>,
    pub plans: Vec<Planned>,
    pub redues: Vec<(EnrollmentId, u32, Time)>,
    pub appears: Vec<(EnrollmentId, u32, Time)>,
    /// Those of them that are sent at once.
    pub appeared: HashMap<(EnrollmentId, u32), Time>,
    pub owners: Vec<(EnrollmentId, u32, UserId)>,
    pub closes: Vec<Closed>,
    pub sends: Vec<Sent>,
    pub permits: Vec<(EnrollmentId, u32, u32)>,
    pub settles: Vec<SettledSend>,
    pub suppress: Vec<Suppressed>,
    pub unsuppress: Vec<Subject>,
    pub hold_mailboxes: Vec<(MailboxId, String)>,
    pub sides: Vec<(EnrollmentId, u32, SideAction)>,
    pub erase: Vec<EnrollmentId>,
    pub off_list: Vec<(ListId, Subject)>,
    /// Contacted, engaged.
    pub touched_people: HashMap<Subject, (bool, bool)>,
    /// A person is asked what a reply means for the contact's other sequences, or for colleagues.
    pub questions: Vec<(EnrollmentId, bool)>,
    /// A person's own wording for a send that is about to be recorded.
    pub by_hand: HashMap<(EnrollmentId, u32), String>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub enrollment: EnrollmentId,
    pub version: i64,
    pub at: Time,
    pub event: &'static str,
    pub actor: Actor,
    pub level: Level,
    pub cause: Option<&'static str>,
    pub detail: Option<String>,
    pub changes: String,
}

#[derive(Debug)]
pub(super) struct Planned {
    pub enrollment: EnrollmentId,
    pub sequence: cadenza_core::ids::SequenceId,
    pub subject: Subject,
    pub plan: Plan,
}

#[derive(Debug)]
pub(super) struct Closed {
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub outcome: String,
    pub at: Time,
    pub by: Actor,
}

#[derive(Debug)]
pub(super) struct Sent {
    pub enrollment: EnrollmentId,
    pub send: Send,
    pub message_id: String,
    pub subject: Option<String>,
    pub fields: String,
    pub by_hand: Option<String>,
    pub claimed_at: Time,
}

#[derive(Debug)]
pub(super) struct SettledSend {
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub attempt: u32,
    pub how: Settled,
    pub detail: String,
}

#[derive(Debug)]
pub(super) struct Suppressed {
    pub enrollment: EnrollmentId,
    pub subject: Subject,
    pub what: SuppressWhat,
    pub why: SuppressWhy,
}

/// The shard of a mailbox or, without one, of an enrollment.
pub(crate) fn shard(of: i64) -> i64 {
    (mix(of as u64) % super::SHARDS as u64) as i64
}

/// The word of an actor in history and activities.
pub(super) fn actor_word(actor: Actor) -> String {
    match actor {
        Actor::Engine => "engine".into(),
        Actor::Contact => "contact".into(),
        Actor::Server => "server".into(),
        Actor::User(id) => id.to_string(),
    }
}

/// Writes the whole batch.
pub(super) fn write(door: &Door, tx: &mut Tx, round: &mut Round) -> Result<()> {
    rows::write(door, tx, round)?;
    write_activities(tx, round)?;
    write_sends(tx, round, door.node())?;
    write_lines(tx, round)?;
    write_counters(door, tx, round)?;
    breaker::write(tx, round, i64::from(door.node().number))?;
    idle::note(tx, round)?;
    room::write(tx, round)?;
    side::write(door, tx, round)
}

fn write_activities(tx: &mut Tx, round: &mut Round) -> Result<()> {
    let ws = [round.workspace.into()];
    let plans = &round.writes.plans;
    let columns = Columns::new()
        .ints(plans.iter().map(|p| p.enrollment))
        .ints(plans.iter().map(|p| p.plan.visit))
        .ints(plans.iter().map(|p| p.sequence))
        .opt_ints(plans.iter().map(|p| subject_ids(p.subject).0))
        .opt_ints(plans.iter().map(|p| subject_ids(p.subject).1))
        .texts(plans.iter().map(|p| p.plan.branch.as_str()))
        .texts(plans.iter().map(|p| p.plan.step.as_str()))
        .texts(plans.iter().map(|p| p.plan.kind.as_str()))
        .ints(plans.iter().map(|p| p.plan.due))
        .ints(plans.iter().map(|p| p.plan.owner))
        .ints(plans.iter().map(|p| priority(p.plan.priority)))
        .ints(plans.iter().map(|p| p.plan.revision));
    tx.exec_rows(
        "INSERT INTO activity (workspace_id, enrollment_id, visit, sequence_id, contact_id, company_id, branch, step, kind,
             phase, due_at, owner_id, priority, revision)
         SELECT $1, r.e, r.visit, r.seq, r.con, r.com, r.branch, r.step, r.kind, 0, r.due, r.owner, r.priority, r.revision
         FROM rows(e BIGINT, visit BIGINT, seq BIGINT, con BIGINT, com BIGINT, branch TEXT, step TEXT, kind TEXT, due BIGINT,
             owner BIGINT, priority BIGINT, revision BIGINT) AS r",
        &columns,
        &ws,
    )?;
    // What is sent as soon as it appears is written once, with its attempt.
    let sent: HashSet<(EnrollmentId, u32)> = round.writes.sends.iter().map(|s| (s.enrollment, s.send.visit)).collect();
    let (at_once, appears): (Vec<_>, Vec<_>) =
        std::mem::take(&mut round.writes.appears).into_iter().partition(|(e, visit, _)| sent.contains(&(*e, *visit)));
    round.writes.appeared = at_once.into_iter().map(|(e, visit, at)| ((e, visit), at)).collect();
    let triple = |list: &[(EnrollmentId, u32, Time)]| {
        Columns::new().ints(list.iter().map(|x| x.0)).ints(list.iter().map(|x| x.1)).ints(list.iter().map(|x| x.2))
    };
    tx.exec_rows(
        "UPDATE activity SET due_at = r.due FROM rows(e BIGINT, v BIGINT, due BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v",
        &triple(&round.writes.redues),
        &ws,
    )?;
    tx.exec_rows(
        "UPDATE activity SET phase = 1, appeared_at = r.at FROM rows(e BIGINT, v BIGINT, at BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v AND activity.phase < 3",
        &triple(&appears),
        &ws,
    )?;
    let owners = &round.writes.owners;
    tx.exec_rows(
        "UPDATE activity SET owner_id = r.owner FROM rows(e BIGINT, v BIGINT, owner BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v",
        &Columns::new()
            .ints(owners.iter().map(|x| x.0))
            .ints(owners.iter().map(|x| x.1))
            .ints(owners.iter().map(|x| x.2)),
        &ws,
    )?;
    let closes = &round.writes.closes;
    tx.exec_rows(
        "UPDATE activity SET phase = 3, outcome = r.outcome, closed_at = r.at, closed_by = r.by_whom
         FROM rows(e BIGINT, v BIGINT, outcome TEXT, at BIGINT, by_whom TEXT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v AND activity.phase < 3",
        &Columns::new()
            .ints(closes.iter().map(|c| c.enrollment))
            .ints(closes.iter().map(|c| c.visit))
            .texts(closes.iter().map(|c| c.outcome.as_str()))
            .ints(closes.iter().map(|c| c.at))
            .texts(closes.iter().map(|c| actor_word(c.by))),
        &ws,
    )?;
    Ok(())
}

fn priority(p: Priority) -> i64 {
    match p {
        Priority::High => 0,
        Priority::Normal => 1,
        Priority::Low => 2,
    }
}

fn write_sends(tx: &mut Tx, round: &mut Round, node: Node) -> Result<()> {
    let sends = &round.writes.sends;
    let columns = Columns::new()
        .ints(sends.iter().map(|s| s.enrollment))
        .ints(sends.iter().map(|s| s.send.visit))
        .ints(sends.iter().map(|s| s.send.attempt))
        .texts(sends.iter().map(|s| if s.send.mailbox.is_some() { "email" } else { "text" }))
        .opt_ints(sends.iter().map(|s| s.send.mailbox))
        .texts(sends.iter().map(|s| s.send.to.as_str()))
        .texts(sends.iter().map(|s| s.message_id.as_str()))
        .texts(sends.iter().map(|s| s.send.step.as_str()))
        .ints(sends.iter().map(|s| s.send.revision))
        .texts(sends.iter().map(|s| s.send.variant.as_str()))
        .ints(sends.iter().map(|s| i64::from(s.send.same_thread)))
        .opt_texts(sends.iter().map(|s| s.subject.as_deref()))
        .texts(sends.iter().map(|s| serde_json::to_string(&s.send.scopes).unwrap_or_else(|_| "[]".into())))
        .texts(sends.iter().map(|s| s.fields.as_str()))
        .opt_texts(sends.iter().map(|s| s.by_hand.as_deref()))
        .ints(sends.iter().map(|s| s.claimed_at))
        .ints(sends.iter().map(|s| shard(s.send.mailbox.map_or(s.enrollment.0, |m| m.0))));
    tx.exec_rows(
        "INSERT INTO send (workspace_id, enrollment_id, visit, attempt, channel, mailbox_id, address, state, message_id, step,
             revision, variant, same_thread, subject, scopes, fields, by_hand, claimed_at, shard, epoch)
         SELECT $1, r.e, r.visit, r.attempt, r.channel, r.mailbox, r.address, 'claimed', r.mid, r.step, r.revision, r.variant,
             r.same_thread, r.subject, r.scopes, r.fields, r.by_hand, r.claimed_at, r.shard, $2
         FROM rows(e BIGINT, visit BIGINT, attempt BIGINT, channel TEXT, mailbox BIGINT, address TEXT, mid TEXT, step TEXT,
             revision BIGINT, variant TEXT, same_thread BIGINT, subject TEXT, scopes TEXT, fields TEXT, by_hand TEXT, claimed_at BIGINT,
             shard BIGINT) AS r",
        &columns,
        &[round.workspace.into(), node.epoch.into()],
    )?;
    let executing = Columns::new()
        .ints(sends.iter().map(|s| s.enrollment))
        .ints(sends.iter().map(|s| s.send.visit))
        .texts(sends.iter().map(|s| s.send.variant.as_str()))
        .ints(sends.iter().map(|s| s.send.revision))
        .opt_ints(sends.iter().map(|s| round.writes.appeared.get(&(s.enrollment, s.send.visit)).copied()));
    tx.exec_rows(
        "UPDATE activity SET phase = 2, variant = r.variant, revision = r.revision, appeared_at = COALESCE(r.at, appeared_at)
         FROM rows(e BIGINT, v BIGINT, variant TEXT, revision BIGINT, at BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v AND activity.phase < 3",
        &executing,
        &[round.workspace.into()],
    )?;
    write_marks(tx, round, node)?;
    write_results(tx, round)
}

/// Final marks: every one of them, or the batch is decided anew. A node that was taken for gone sets none: what it recorded is
/// being settled by others.
fn write_marks(tx: &mut Tx, round: &Round, node: Node) -> Result<()> {
    let permits = &round.writes.permits;
    let marked = tx.exec_rows(
        "UPDATE send SET state = 'marked', marked_at = $2, epoch = $3 FROM rows(e BIGINT, v BIGINT, a BIGINT) AS r
         WHERE send.workspace_id = $1 AND send.enrollment_id = r.e AND send.visit = r.v AND send.attempt = r.a
           AND send.state = 'claimed'
           AND NOT EXISTS (SELECT 1 FROM node WHERE node.id = $4 AND (node.epoch <> $3 OR node.state = 'gone'))",
        &Columns::new()
            .ints(permits.iter().map(|p| p.0))
            .ints(permits.iter().map(|p| p.1))
            .ints(permits.iter().map(|p| p.2)),
        &[round.workspace.into(), round.now.into(), node.epoch.into(), i64::from(node.number).into()],
    )?;
    if marked != permits.len() as u64 {
        return Err(StoreError::Contention { why: "an attempt changed meanwhile".into() });
    }
    Ok(())
}

fn write_results(tx: &mut Tx, round: &Round) -> Result<()> {
    let settles = &round.writes.settles;
    // A withdrawn attempt was never past its mark; an unknown one that turns out sent is settled a second time.
    tx.exec_rows(
        "UPDATE send SET state = r.state, settled_at = $2, answer = r.answer, unknown = CASE WHEN r.state = 'unknown' THEN 1 END
         FROM rows(e BIGINT, v BIGINT, a BIGINT, state TEXT, answer TEXT) AS r
         WHERE send.workspace_id = $1 AND send.enrollment_id = r.e AND send.visit = r.v AND send.attempt = r.a
           AND (send.state IN ('marked', 'unknown') OR send.state = 'claimed')",
        &Columns::new()
            .ints(settles.iter().map(|s| s.enrollment))
            .ints(settles.iter().map(|s| s.visit))
            .ints(settles.iter().map(|s| s.attempt))
            .texts(settles.iter().map(|s| s.how.as_str()))
            .opt_texts(settles.iter().map(|s| (!s.detail.is_empty()).then_some(s.detail.as_str()))),
        &[round.workspace.into(), round.now.into()],
    )?;
    // A withdrawn or refused attempt leaves its activity due again.
    let back: Vec<_> = settles.iter().filter(|s| s.how != Settled::Sent && s.how != Settled::Unknown).collect();
    tx.exec_rows(
        "UPDATE activity SET phase = 1 FROM rows(e BIGINT, v BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.e AND activity.visit = r.v AND activity.phase = 2",
        &Columns::new().ints(back.iter().map(|s| s.enrollment)).ints(back.iter().map(|s| s.visit)),
        &[round.workspace.into()],
    )?;
    Ok(())
}

fn write_lines(tx: &mut Tx, round: &mut Round) -> Result<()> {
    let lines = &round.writes.lines;
    let columns = Columns::new()
        .ints(lines.iter().map(|l| l.enrollment))
        .ints(lines.iter().map(|l| l.version))
        .ints(lines.iter().map(|l| l.at))
        .texts(lines.iter().map(|l| l.event))
        .texts(lines.iter().map(|l| actor_word(l.actor)))
        .ints(lines.iter().map(|l| l.level as i64))
        .opt_texts(lines.iter().map(|l| l.cause))
        .opt_texts(lines.iter().map(|l| l.detail.as_deref()))
        .texts(lines.iter().map(|l| l.changes.as_str()));
    tx.exec_rows(
        "INSERT INTO history (workspace_id, enrollment_id, version, at, event, actor, level, cause, detail, format, changes)
         SELECT $1, r.e, r.version, r.at, r.event, r.actor, r.level, r.cause, r.detail, $2, r.changes
         FROM rows(e BIGINT, version BIGINT, at BIGINT, event TEXT, actor TEXT, level BIGINT, cause TEXT, detail TEXT,
             changes TEXT) AS r",
        &columns,
        &[round.workspace.into(), CHANGES_FORMAT.into()],
    )?;
    Ok(())
}

fn write_counters(door: &Door, tx: &mut Tx, round: &mut Round) -> Result<()> {
    let sums = round.counts.take();
    let part = i64::from(door.node().number);
    let columns = Columns::new()
        .ints(sums.iter().map(|((sequence, _, _), _)| *sequence))
        .texts(sums.iter().map(|((_, step, _), _)| step.as_str()))
        .texts(sums.iter().map(|((_, _, name), _)| *name))
        .ints(sums.iter().map(|(_, n)| *n));
    tx.exec_rows(
        "INSERT INTO counter (workspace_id, sequence_id, step, name, part, n)
         SELECT $1, r.seq, r.step, r.name, $2, r.n FROM rows(seq BIGINT, step TEXT, name TEXT, n BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, sequence_id, step, name, part) DO UPDATE SET n = counter.n + excluded.n",
        &columns,
        &[round.workspace.into(), part.into()],
    )?;
    Ok(())
}
