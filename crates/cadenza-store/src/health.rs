//! What an administrator asks of the database: does it keep what it answered, is it whole, whose clock does it go by, and what
//! stands in it that should have moved. It reads and judges; it mends nothing.

use crate::dialect::Engine;
use crate::error::Result;
use crate::query::{Query, Tx};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::time::{Span, Time};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    pub sound: bool,
    /// What was found; where it is not sound, also what would be.
    pub said: String,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Reads every page once.
    Quick,
    /// Also compares every index with its table, which takes a multiple of the time.
    Thorough,
}

/// What the engine did not get done, over all workspaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Enrollments whose moment has come.
    pub due: i64,
    /// Those among them whose moment was longer ago than was asked, and the first such moment.
    pub overdue: i64,
    pub overdue_since: Option<Time>,
    /// Messages recorded and without an answer yet.
    pub under_way: i64,
    /// Deliveries that only a person can settle (SND-5).
    pub unknown: i64,
    /// Enrollments that wait for room under a cap, gap or rate limiter: its kind and how many.
    pub parked: Vec<(String, i64)>,
    /// Limiters that had room longer ago than was asked, with somebody still waiting.
    pub undrawn: i64,
    /// Enrollments that cannot go on until something is mended, by reason.
    pub blocked: Vec<(String, i64)>,
    /// What conditions asked for and could not be done.
    pub side_failures: i64,
    /// Sequences that a rule has paused, with why (SND-10).
    pub held: Vec<(String, String)>,
}

/// Whether an answered change survives a power cut, as the connection that writes is set.
pub fn durability(tx: &mut Tx) -> Result<Vec<Looked>> {
    match tx.engine() {
        Engine::Sqlite => {
            let journal = tx.query_one("PRAGMA journal_mode", &[])?.text(0)?.to_owned();
            let synchronous = tx.query_one("PRAGMA synchronous", &[])?.int(0)?;
            let foreign_keys = tx.query_one("PRAGMA foreign_keys", &[])?.int(0)?;
            let version = tx.query_one("SELECT sqlite_version()", &[])?.text(0)?.to_owned();
            let level = ["OFF", "NORMAL", "FULL", "EXTRA"].get(synchronous as usize).copied().unwrap_or("unknown");
            Ok(vec![
                said(true, format!("SQLite {version}")),
                said(journal == "wal", format!("journal mode {journal} (expected wal)")),
                said(synchronous >= 2, format!("synchronous {level} (expected FULL: an answered change is on disk)")),
                said(foreign_keys == 1, format!("foreign keys are {}", if foreign_keys == 1 { "on" } else { "off" })),
            ])
        }
        Engine::Postgres => {
            let rows = tx.query(
                "SELECT name, setting FROM pg_settings
                 WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version') ORDER BY name",
                &[],
            )?;
            let mut looked = Vec::new();
            for row in rows {
                let (name, setting) = (row.text(0)?, row.text(1)?);
                looked.push(match name {
                    "server_version" => said(true, format!("PostgreSQL {setting}")),
                    _ => said(setting != "off", format!("{name} is {setting} (expected on)")),
                });
            }
            let replica = tx.query_one("SELECT CAST(CAST(pg_is_in_recovery() AS INTEGER) AS BIGINT)", &[])?.int(0)?;
            looked.push(said(
                replica == 0,
                (if replica == 0 { "it takes writes" } else { "it is a replica: write to its primary" }).to_owned(),
            ));
            Ok(looked)
        }
    }
}

/// Whether what is stored can be read.
pub fn integrity(q: &mut Query, depth: Depth) -> Result<Vec<Looked>> {
    match q.engine() {
        Engine::Sqlite => {
            let check = if depth == Depth::Quick { "quick_check" } else { "integrity_check" };
            let rows = q.query(&format!("PRAGMA {check}(20)"), &[])?;
            let found = rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>>>()?;
            if found == ["ok"] {
                return Ok(vec![said(true, format!("{check} found nothing"))]);
            }
            Ok(found.into_iter().map(|fault| said(false, format!("{check}: {fault}; restore a backup"))).collect())
        }
        Engine::Postgres => {
            let checksums =
                q.query_one("SELECT setting FROM pg_settings WHERE name = 'data_checksums'", &[])?.text(0)?.to_owned();
            let what = match checksums.as_str() {
                "on" => "the server checks its pages as it reads them (data_checksums is on)",
                _ => "the server does not check its pages (data_checksums is off); pg_amcheck looks at its indexes",
            };
            Ok(vec![said(true, what.to_owned())])
        }
    }
}

/// The time on the database's own clock; `None` where it has none but this machine's.
pub fn clock(q: &mut Query) -> Result<Option<Time>> {
    match q.engine() {
        Engine::Sqlite => Ok(None),
        Engine::Postgres => {
            let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
            q.query_one(sql, &[])?.time(0).map(Some)
        }
    }
}

/// A number that is another one after a change by whomever, also by a process that this one does not know of; `None` where there
/// are no others.
pub fn change_number(q: &mut Query) -> Result<Option<i64>> {
    match q.engine() {
        Engine::Sqlite => Ok(None),
        Engine::Postgres => {
            let sql = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)";
            q.query_one(sql, &[])?.int(0).map(Some)
        }
    }
}

/// The latest moment that anything in a workspace's history bears.
pub fn last_written(q: &mut Query, w: WorkspaceId) -> Result<Option<Time>> {
    let sql = "SELECT at FROM history WHERE workspace_id = $1 ORDER BY at DESC LIMIT 1";
    q.query_opt(sql, &[w.into()])?.map(|row| row.time(0)).transpose()
}

/// What is due at `now`, and what was due longer than `late` ago.
pub fn backlog(q: &mut Query, now: Time, late: Span) -> Result<Backlog> {
    let row = q.query_one(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE wake_at < $2), MIN(wake_at)
         FROM enrollment WHERE wake_at IS NOT NULL AND wake_at <= $1",
        &[now.into(), (now - late).into()],
    )?;
    let (due, overdue, first) = (row.int(0)?, row.int(1)?, row.opt_time(2)?);
    let row = q.query_one(
        "SELECT (SELECT COUNT(*) FROM send WHERE settled_at IS NULL),
             (SELECT COUNT(*) FROM send WHERE unknown IS NOT NULL),
             (SELECT COUNT(*) FROM limiter WHERE wake_at IS NOT NULL AND wake_at < $1),
             (SELECT COUNT(*) FROM side_effect WHERE done_at IS NULL AND next_at IS NULL)",
        &[(now - late).into()],
    )?;
    Ok(Backlog {
        due,
        overdue,
        overdue_since: first.filter(|_| overdue > 0),
        under_way: row.int(0)?,
        unknown: row.int(1)?,
        undrawn: row.int(2)?,
        side_failures: row.int(3)?,
        parked: counted(
            q,
            "SELECT l.kind, COUNT(*) FROM enrollment e
             JOIN limiter l ON l.workspace_id = e.workspace_id AND l.id = e.parked
             WHERE e.parked IS NOT NULL GROUP BY l.kind ORDER BY l.kind",
        )?,
        blocked: counted(
            q,
            "SELECT block, COUNT(*) FROM enrollment WHERE block IS NOT NULL AND life = 1 GROUP BY block ORDER BY block",
        )?,
        held: {
            let sql = "SELECT name, held FROM sequence WHERE held IS NOT NULL ORDER BY workspace_id, name";
            let rows = q.query(sql, &[])?;
            rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect::<Result<_>>()?
        },
    })
}

fn counted(q: &mut Query, sql: &str) -> Result<Vec<(String, i64)>> {
    q.query(sql, &[])?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

fn said(sound: bool, said: String) -> Looked {
    Looked { sound, said }
}
