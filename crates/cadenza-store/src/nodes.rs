//! Running processes on one database: each takes a number, gives signs of life, and works a fair share of the 256 shards
//! (DESIGN §3). One that gives no sign for as long as a lease lasts is taken for gone: its shards go to the others, and its
//! epoch is over, so that it can set no final mark any more should it wake up again.
//!
//! Times that leases are measured by come from the database's own clock, handed in by the caller: a node whose clock is
//! wrong takes nobody for gone.

use crate::door::{SHARDS, shard};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::value::Columns;
use cadenza_core::ids::MailboxId;
use cadenza_core::time::{Span, Time};

/// What the database knows of its nodes' lives, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Drawn at the first start of all; tells this database from every other.
    pub identity: i64,
    /// Signs of life since then, of all nodes. Never fewer than before, unless an older database takes this one's place.
    pub beats: i64,
    pub alive_at: Time,
}

/// A run of a process: its number among those on one database, and its epoch, which no other run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub number: u16,
    pub epoch: i64,
}

/// Numbers that nodes take, from 0. Those above are left to processes that come and go and run no engine.
pub const NODES: u16 = 512;

/// A number whose node has been gone for less than this is not given to another: ids carry it.
const KEPT: Span = Span::hours(1);

/// The moments of a sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// What the node says the time is; an outage is measured by it.
    pub now: Time,
    /// What the database says.
    pub clock: Time,
    /// A node that was not seen for so long is gone.
    pub lease: Span,
}

/// Which shards a node works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Share {
    /// There is nobody else.
    #[default]
    All,
    /// One letter a shard, in order: `1` for its own.
    Some(String),
}

impl Share {
    /// As a parameter: empty for all.
    pub(crate) fn as_param(&self) -> &str {
        match self {
            Share::All => "",
            Share::Some(shards) => shards,
        }
    }

    fn of(own: &[i64]) -> Share {
        if own.len() == SHARDS as usize {
            return Share::All;
        }
        Share::Some((0..SHARDS).map(|shard| if own.contains(&shard) { '1' } else { '0' }).collect())
    }

    pub fn is_all(&self) -> bool {
        *self == Share::All
    }

    /// How many shards.
    pub fn len(&self) -> usize {
        match self {
            Share::All => SHARDS as usize,
            Share::Some(shards) => shards.bytes().filter(|b| *b == b'1').count(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is this mailbox read by its node?
    pub fn holds(&self, mailbox: MailboxId) -> bool {
        match self {
            Share::All => true,
            Share::Some(shards) => {
                let shard = usize::try_from(shard(mailbox.0)).unwrap_or_default();
                shards.as_bytes().get(shard) == Some(&b'1')
            }
        }
    }

    /// Does its node see to what belongs to nobody in particular (sequences that begin and end, absences)? That of the first
    /// shard does.
    pub fn leads(&self) -> bool {
        match self {
            Share::All => true,
            Share::Some(shards) => shards.starts_with('1'),
        }
    }
}

/// What a sign of life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    pub life: Life,
    pub share: Share,
    /// Nodes at work, this one among them.
    pub nodes: usize,
    /// Nodes that were taken for gone by this very look.
    pub fallen: u64,
}

/// The lives so far; `None` before the first start of any.
pub fn life(q: &mut Query) -> Result<Option<Life>> {
    let row = q.query_one("SELECT MIN(identity), CAST(SUM(beats) AS BIGINT), MAX(alive_at) FROM node", &[])?;
    let Some(identity) = row.opt_int(0)? else { return Ok(None) };
    Ok(Some(Life { identity, beats: row.int(1)?, alive_at: row.time(2)? }))
}

/// How many nodes are at work.
pub fn at_work(q: &mut Query, clock: Time, lease: Span) -> Result<usize> {
    let sql = "SELECT COUNT(*) FROM node WHERE state = 'working' AND seen_at >= $1";
    Ok(usize::try_from(q.query_one(sql, &[(clock - lease).into()])?.int(0)?).unwrap_or(0))
}

/// How many nodes work, as far as it was told.
pub fn working(q: &mut Query) -> Result<usize> {
    let count = q.query_one("SELECT COUNT(*) FROM node WHERE state = 'working'", &[])?.int(0)?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The number of a run that is over, unless another run has it by now: those that were gone for long are given away.
pub fn number_of(q: &mut Query, last: Node) -> Result<Option<u16>> {
    let sql = "SELECT id FROM node WHERE id = $1 AND epoch = $2";
    let row = q.query_opt(sql, &[i64::from(last.number).into(), last.epoch.into()])?;
    Ok(row.map(|_| last.number))
}

/// Begins a run. `own` is a number that belongs to the caller whoever holds it, because its last holder is known to be dead;
/// without one the first number is taken that is nobody's. `identity` counts at the first start of all only.
///
/// # Errors
/// `Contention` where another node took the same number at this moment; `Inconsistent` where all are taken.
pub fn begin(tx: &mut Tx, own: Option<u16>, identity: i64, at: Moment) -> Result<Node> {
    let number = match own {
        Some(number) => i64::from(number),
        None => free_number(tx, at)?,
    };
    let row =
        tx.query_one("SELECT COALESCE(MAX(epoch), 0) + 1, COALESCE(MIN(identity), $1) FROM node", &[identity.into()])?;
    let (epoch, identity) = (row.int(0)?, row.int(1)?);
    let begun = tx.exec(
        "INSERT INTO node (id, epoch, started_at, alive_at, seen_at, state, identity, beats)
         VALUES ($1, $2, $3, $3, $4, 'working', $5, 1)
         ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, started_at = excluded.started_at,
             alive_at = excluded.alive_at, seen_at = excluded.seen_at, state = 'working', beats = node.beats + 1
             WHERE node.epoch < excluded.epoch",
        &[number.into(), epoch.into(), at.now.into(), at.clock.into(), identity.into()],
    );
    match begun {
        Ok(1) => {}
        Ok(_) | Err(StoreError::Conflict { .. }) => {
            return Err(StoreError::Contention { why: format!("node {number} was begun by another process") });
        }
        Err(e) => return Err(e),
    }
    let number =
        u16::try_from(number).map_err(|_| StoreError::inconsistent("node", number, "not a number of a node"))?;
    tx.exec_rows(
        "INSERT INTO shard_lease (shard, epoch) SELECT r.shard, 0 FROM rows(shard BIGINT) AS r WHERE TRUE
         ON CONFLICT (shard) DO NOTHING",
        &Columns::new().ints(0..SHARDS),
        &[],
    )?;
    Ok(Node { number, epoch })
}

/// The first number that nobody has, or had a while ago.
fn free_number(tx: &mut Tx, at: Moment) -> Result<i64> {
    let rows = tx
        .query("SELECT id FROM node WHERE state <> 'gone' OR seen_at >= $1 ORDER BY id", &[(at.clock - KEPT).into()])?;
    let mut free = 0;
    for row in rows {
        if row.int(0)? == free {
            free += 1;
        }
    }
    if free >= i64::from(NODES) {
        return Err(StoreError::inconsistent("node", free, format!("{NODES} nodes run on this database already")));
    }
    Ok(free)
}

/// The sign of life: renews the lease, takes those for gone that gave none, and levels the shards among who is left. `None`
/// where this node was itself taken for gone: its run is over, and it must begin another.
pub fn beat(tx: &mut Tx, me: Node, at: Moment) -> Result<Option<Beat>> {
    let seen = tx.exec(
        "UPDATE node SET alive_at = $3, seen_at = $4, beats = beats + 1 WHERE id = $1 AND epoch = $2 AND state <> 'gone'",
        &[i64::from(me.number).into(), me.epoch.into(), at.now.into(), at.clock.into()],
    )?;
    if seen == 0 {
        return Ok(None);
    }
    let fallen = tx.exec(
        "UPDATE node SET state = 'gone' WHERE state <> 'gone' AND seen_at < $1",
        &[(at.clock - at.lease).into()],
    )?;
    free_leases(tx)?;
    let working = tx.query("SELECT epoch FROM node WHERE state = 'working'", &[])?;
    let working = working.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    let (nodes, works) = (working.len(), working.contains(&me.epoch));
    let share = if works { level(tx, me, (SHARDS as usize).div_ceil(nodes))? } else { Share::of(&[]) };
    let life = life(tx)?.ok_or_else(|| StoreError::missing("node", me.number))?;
    Ok(Some(Beat { life, share, nodes, fallen }))
}

/// Shards of runs that do not work any more are free.
fn free_leases(tx: &mut Tx) -> Result<()> {
    tx.exec(
        "UPDATE shard_lease SET epoch = 0 WHERE epoch <> 0
             AND NOT EXISTS (SELECT 1 FROM node WHERE node.epoch = shard_lease.epoch AND node.state = 'working')",
        &[],
    )?;
    Ok(())
}

/// Gives back what goes beyond a fair share, or takes what is free up to it.
fn level(tx: &mut Tx, me: Node, fair: usize) -> Result<Share> {
    let own = own_shards(tx, me)?;
    if own.len() > fair {
        tx.exec_rows(
            "UPDATE shard_lease SET epoch = 0 FROM rows(shard BIGINT) AS r
             WHERE shard_lease.shard = r.shard AND shard_lease.epoch = $1",
            &Columns::new().ints(own[fair..].iter().copied()),
            &[me.epoch.into()],
        )?;
    } else if own.len() < fair {
        let most = (fair - own.len()) as i64;
        let free = tx.query("SELECT shard FROM shard_lease WHERE epoch = 0 ORDER BY shard LIMIT $1", &[most.into()])?;
        let free = free.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
        // Whoever else takes the same one now is first or second; the second changes nothing.
        tx.exec_rows(
            "UPDATE shard_lease SET epoch = $1 FROM rows(shard BIGINT) AS r
             WHERE shard_lease.shard = r.shard AND shard_lease.epoch = 0",
            &Columns::new().ints(free),
            &[me.epoch.into()],
        )?;
    } else {
        return Ok(Share::of(&own));
    }
    Ok(Share::of(&own_shards(tx, me)?))
}

fn own_shards(q: &mut Query, me: Node) -> Result<Vec<i64>> {
    let rows = q.query("SELECT shard FROM shard_lease WHERE epoch = $1 ORDER BY shard", &[me.epoch.into()])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// An orderly end begins: its shards are free for the others, and what it has under way stays its own.
pub fn retire(tx: &mut Tx, me: Node) -> Result<()> {
    turn(tx, me, "leaving")?;
    free_leases(tx)
}

/// The orderly end of a run.
pub fn leave(tx: &mut Tx, me: Node) -> Result<()> {
    turn(tx, me, "gone")?;
    free_leases(tx)
}

fn turn(tx: &mut Tx, me: Node, state: &str) -> Result<()> {
    tx.exec(
        "UPDATE node SET state = $3 WHERE id = $1 AND epoch = $2 AND state <> 'gone'",
        &[i64::from(me.number).into(), me.epoch.into(), state.into()],
    )?;
    Ok(())
}

/// When any node was last alive; `None` before the first start of one.
pub fn last_alive(q: &mut Query) -> Result<Option<Time>> {
    q.query_one("SELECT MAX(alive_at) FROM node", &[])?.opt_time(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_read_by_one_node() {
        let (odd, even): (Vec<i64>, Vec<i64>) = (0..SHARDS).partition(|shard| shard % 2 == 1);
        let shares = [Share::of(&odd), Share::of(&even)];
        let ids = (0..1_000).map(|n| MailboxId(419_000_000_000_000_000 + n * 4_097));
        let held = ids.map(|id| shares.each_ref().map(|share| share.holds(id))).collect::<Vec<_>>();
        assert!(held.iter().all(|[a, b]| a != b));
        let first = held.iter().filter(|[a, _]| *a).count();
        assert!((400..600).contains(&first), "{first}");
        assert!(Share::All.holds(MailboxId(7)) && !Share::Some(String::new()).holds(MailboxId(7)));
    }
}
