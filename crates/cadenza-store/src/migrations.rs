//! Makes the tables: a list of steps, each one statement, run once each and in order. A database whose steps are not
//! those of this program is refused and left as it is; until the first release there is no way from one draft to the next.

use crate::citus;
use crate::database::Database;
use crate::error::{Result, StoreError};
use crate::query::Tx;

/// One step: one statement of table definition or data, written for both engines (see `dialect`).
pub type Migration<'a> = &'a str;

const STEPS_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_step (\
     position BIGINT NOT NULL PRIMARY KEY, fingerprint TEXT NOT NULL, beginning TEXT NOT NULL)";

/// Runs the steps that the database does not have yet, and on Citus spreads the tables. Several processes may do this
/// at the same time. Answers the number of steps run here.
///
/// Errors: `Schema` where the database was made by other steps than these.
pub fn migrate(db: &Database, steps: &[Migration<'_>]) -> Result<usize> {
    make_steps_table(db)?;
    let mut run = 0;
    for position in 0..steps.len() {
        // Another process that runs the same step holds its row; then our insert waits, conflicts, and looks again.
        let ran = match db.write(|tx| step(tx, position, steps)) {
            Err(e) if e.is_conflict_on("schema_step_pkey") => db.write(|tx| step(tx, position, steps))?,
            ran => ran?,
        };
        run += usize::from(ran);
    }
    refuse_more(db, steps.len())?;
    if run > 0 {
        db.write(Tx::fit_tables)?;
    }
    citus::distribute(db)?;
    Ok(run)
}

/// Looks whether the database has exactly these steps, and makes none.
///
/// Errors: `Schema` where it has others, or not all of them.
pub fn standing(db: &Database, steps: &[Migration<'_>]) -> Result<()> {
    let found = db.read(|q| {
        let rows = q.query("SELECT position, fingerprint FROM schema_step ORDER BY position", &[])?;
        rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect::<Result<Vec<_>>>()
    });
    let found = match found {
        Err(StoreError::Statement { .. }) => {
            return Err(StoreError::Schema("it holds no tables of Cadenza; the first start makes them".into()));
        }
        found => found?,
    };
    let ours = |at: i64| usize::try_from(at).ok().and_then(|at| steps.get(at)).map(|sql| fingerprint(sql));
    if let Some((at, _)) = found.iter().find(|(at, mark)| ours(*at).as_ref() != Some(mark)) {
        return Err(StoreError::Schema(format!(
            "its step {at} is not that of this program: another version of Cadenza made it. Use the version that made it"
        )));
    }
    if found.len() < steps.len() {
        let (found, all) = (found.len(), steps.len());
        return Err(StoreError::Schema(format!(
            "it has {found} of {all} steps of the schema; a start makes the others"
        )));
    }
    Ok(())
}

/// Of two processes that make the table at once one can fail, even with IF NOT EXISTS; looking again it finds the table.
/// An error that has another cause comes again.
fn make_steps_table(db: &Database) -> Result<()> {
    let make = || db.write(|tx| tx.exec(STEPS_TABLE, &[]).map(drop));
    make().or_else(|_| make())
}

/// Runs a step if it was not run, and answers whether; refuses if another step stands in its place.
fn step(tx: &mut Tx, position: usize, steps: &[Migration<'_>]) -> Result<bool> {
    let sql = steps[position];
    let mark = fingerprint(sql);
    let found = tx
        .query_opt("SELECT fingerprint, beginning FROM schema_step WHERE position = $1", &[(position as i64).into()])?;
    if let Some(row) = found {
        return if row.text(0)? == mark {
            Ok(false)
        } else {
            Err(StoreError::Schema(format!(
                "this database was made by another version of Cadenza: its step {position} is {:?}, here it is {:?}. \
                 Nothing was changed. Use the version that made it, or a new database",
                row.text(1)?,
                beginning(sql)
            )))
        };
    }
    if tx.engine() == crate::Engine::Postgres {
        tx.exec("SET LOCAL statement_timeout = 0", &[])?;
        tx.exec("SET LOCAL lock_timeout = 0", &[])?;
    }
    tx.exec(
        "INSERT INTO schema_step (position, fingerprint, beginning) VALUES ($1, $2, $3)",
        &[(position as i64).into(), mark.into(), beginning(sql).into()],
    )?;
    tx.exec(sql, &[])?;
    Ok(true)
}

fn refuse_more(db: &Database, known: usize) -> Result<()> {
    let found = db.read(|q| q.query_one("SELECT count(*) FROM schema_step", &[])?.int(0))?;
    if found == known as i64 {
        return Ok(());
    }
    Err(StoreError::Schema(format!(
        "this database was made by a newer version of Cadenza: it has {found} steps, {known} are known here. \
         Use the version that made it, or a new database"
    )))
}

/// FNV-1a of 64 bits over the words of the text, so that a change of layout is no change.
fn fingerprint(sql: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in sql.split_whitespace() {
        for byte in word.bytes().chain([b' ']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn beginning(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().take(4).collect();
    words.join(" ")
}
