//! The enrollments of a batch into their rows. An update names only the columns that changed: an index is touched only where
//! a column of it is named, and the table has ten of them. Rows that changed alike share a statement.

use super::Door;
use super::load::{Loaded, Round};
use super::write::shard;
use crate::error::{Result, StoreError};
use crate::query::Tx;
use crate::value::Columns;
use cadenza_core::enrollment::{COLUMNS, Flat, SequenceState, TEXT_COLUMNS};
use cadenza_core::flow::Priority;
use cadenza_core::pacing::Rank;
use cadenza_core::time::Time;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Which columns differ: a bit for each of [`COLUMNS`], and above them one for each of [`DERIVED`].
type Mask = u128;

/// What the door derives from the columns of the machine.
const DERIVED: [(&str, &str); 5] =
    [("state", "TEXT"), ("reason", "TEXT"), ("rank_class", "BIGINT"), ("shard", "BIGINT"), ("wake_at", "BIGINT")];
/// These two stand in no index that holds for all rows, and depend on more than the row; so they are always named.
const REASON: Mask = 1 << (COLUMNS.len() + 1);
const RANK: Mask = 1 << (COLUMNS.len() + 2);
const STATE: Mask = 1 << COLUMNS.len();
const SHARD: Mask = 1 << (COLUMNS.len() + 3);
const WAKE_AT: Mask = 1 << (COLUMNS.len() + 4);

static ID: LazyLock<Mask> = LazyLock::new(|| bits_of(&["id"]));
static VERSION: LazyLock<Mask> = LazyLock::new(|| bits_of(&["version"]));
/// What `state` is read off.
static STATE_OF: LazyLock<Mask> = LazyLock::new(|| bits_of(&["life", "holds", "block"]));
static SHARD_OF: LazyLock<Mask> = LazyLock::new(|| bits_of(&["mailbox_id"]));

fn bits_of(names: &[&str]) -> Mask {
    let bits = COLUMNS.iter().enumerate().filter(|(_, name)| names.contains(name));
    bits.fold(0, |mask, (i, _)| mask | 1 << i)
}

/// One enrollment as it is written.
struct Row {
    flat: Vec<Flat>,
    stored_version: i64,
    state: &'static str,
    reason: &'static str,
    shard: i64,
    wake_at: Option<Time>,
    rank: i64,
}

impl Row {
    fn of(round: &Round, l: &Loaded) -> Row {
        let e = &l.now;
        let info = round.sequences.get(&e.sequence);
        let (state, reason) = e.state(info.map_or(SequenceState::Active, |i| i.facts.state));
        let due = e.place.as_ref().map_or(round.now, |p| p.due);
        let rank = Rank::new(info.map_or(Priority::Normal, |i| i.facts.priority), e.steps_executed, due);
        Row {
            flat: e.to_flat(),
            stored_version: l.stored_version,
            state: state.as_str(),
            reason: reason.as_str(),
            shard: shard(e.mailbox.map_or(e.id.0, |m| m.0)),
            wake_at: l.wake_at,
            rank: rank.class(),
        }
    }

    /// The columns that are to be written.
    fn changed(&self, l: &Loaded, stored: &[Flat]) -> Mask {
        let differ = self.flat.iter().zip(stored).enumerate().filter(|(_, (new, old))| new != old);
        let mut mask = differ.fold(0, |mask, (i, _)| mask | 1 << i);
        if mask & !*VERSION != 0 {
            mask |= REASON | RANK;
        }
        if mask & *STATE_OF != 0 {
            mask |= STATE;
        }
        if mask & *SHARD_OF != 0 {
            mask |= SHARD;
        }
        if self.wake_at != l.stored_wake_at {
            mask |= WAKE_AT;
        }
        mask
    }
}

/// Writes them, in the order of their ids within each statement.
///
/// # Errors
/// `Contention` where another transaction has changed one since it was read.
pub(super) fn write(door: &Door, tx: &mut Tx, round: &Round) -> Result<()> {
    let mut touched: Vec<&Loaded> = round.enrollments.values().filter(|l| l.touched).collect();
    touched.sort_unstable_by_key(|l| l.now.id);
    let (mut made, mut changed): (Vec<Row>, BTreeMap<Mask, Vec<Row>>) = (Vec::new(), BTreeMap::new());
    for l in touched {
        let row = Row::of(round, l);
        match &l.stored {
            None => made.push(row),
            Some(stored) => changed.entry(row.changed(l, stored)).or_default().push(row),
        }
    }
    let scalars = [round.workspace.into(), door.node().epoch.into()];
    tx.exec_rows(&INSERT, &columns(&made, Mask::MAX), &scalars)?;
    for (mask, rows) in changed {
        let written = tx.exec_rows(
            &update(mask),
            &columns(&rows, mask | *ID).ints(rows.iter().map(|r| r.stored_version)),
            &scalars,
        )?;
        if written != rows.len() as u64 {
            return Err(StoreError::Contention { why: "an enrollment changed meanwhile".into() });
        }
    }
    Ok(())
}

fn columns(rows: &[Row], mask: Mask) -> Columns<'_> {
    let mut all = Columns::new();
    for (i, text) in TEXT_COLUMNS.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0) {
        all = if *text {
            all.opt_texts(rows.iter().map(|r| if let Flat::Text(t) = &r.flat[i] { Some(t.as_str()) } else { None }))
        } else {
            all.opt_ints(rows.iter().map(|r| if let Flat::Int(n) = &r.flat[i] { Some(*n) } else { None }))
        };
    }
    if mask & STATE != 0 {
        all = all.texts(rows.iter().map(|r| r.state));
    }
    if mask & REASON != 0 {
        all = all.texts(rows.iter().map(|r| r.reason));
    }
    if mask & RANK != 0 {
        all = all.ints(rows.iter().map(|r| r.rank));
    }
    if mask & SHARD != 0 {
        all = all.ints(rows.iter().map(|r| r.shard));
    }
    if mask & WAKE_AT != 0 { all.opt_ints(rows.iter().map(|r| r.wake_at)) } else { all }
}

/// The columns of a mask, in the order of [`columns`].
fn named(mask: Mask) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = COLUMNS.iter().zip(TEXT_COLUMNS).map(|(name, text)| (*name, if *text { "TEXT" } else { "BIGINT" }));
    own.chain(DERIVED).enumerate().filter(move |(i, _)| mask & (1 << i) != 0).map(|(_, column)| column)
}

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let (mut names, mut values, mut types) = (String::new(), String::new(), String::new());
    for (name, kind) in named(Mask::MAX) {
        let comma = if types.is_empty() { "" } else { ", " };
        let _ = write!(names, ", {name}");
        let _ = write!(values, ", r.{name}");
        let _ = write!(types, "{comma}{name} {kind}");
    }
    format!("INSERT INTO enrollment (workspace_id, epoch{names}) SELECT $1, $2{values} FROM rows({types}) AS r")
});

fn update(mask: Mask) -> String {
    let (mut sets, mut types) = (String::new(), String::from("id BIGINT"));
    for (name, kind) in named(mask & !*ID) {
        let _ = write!(sets, ", {name} = r.{name}");
        let _ = write!(types, ", {name} {kind}");
    }
    format!(
        "UPDATE enrollment SET epoch = $2{sets} FROM rows({types}, stored_version BIGINT) AS r
         WHERE enrollment.workspace_id = $1 AND enrollment.id = r.id AND enrollment.version = r.stored_version"
    )
}
