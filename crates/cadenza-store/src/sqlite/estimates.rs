//! What the planner takes the tables to hold. SQLite without statistics believes that any first column of an index leaves ten rows,
//! and the first column here is nearly always the workspace: then the whole of a workspace looks as small as the one row that
//! another index leads to, and is read for it. Counting real rows would do, but a young database has none. So the shape of a grown one
//! is written into the table of statistics, once, where the tables are made.

use super::Session;
use super::fault::fault;
use crate::error::Result;
use rusqlite::{Connection, params};

/// Rows of a table, of an index over some of them, and how many workspaces they are of.
const ROWS: u64 = 1_000_000;
const PART: u64 = 50;
const WORKSPACES: u64 = 5;
/// What a workspace has few of, as the rows go: no such column is worth sorting for.
const COARSE: &[(&str, u64)] = &[
    ("sequence_id", 2),
    ("list_id", 20),
    ("owner_id", 20),
    ("user_id", 20),
    ("assigned_to", 20),
    ("mailbox_id", 20),
    ("state", 4),
    ("class", 4),
    ("kind", 4),
    ("subject", 4),
    ("phase", 4),
    ("life", 4),
    ("level", 4),
    ("parked", 4),
    ("rank_class", 4),
    ("page", 4),
    ("step", 20),
    ("object", 20),
];
/// So many rows are left by a column that says of whom or of what they are.
const FINE: u64 = 10;

struct Index {
    table: String,
    /// As the table of statistics calls it: the rows of a table without row numbers lie in its primary key, under its own name.
    name: String,
    unique: bool,
    partial: bool,
    columns: Vec<String>,
}

impl Session {
    /// Writes the estimates of all tables; other connections read them together with the tables' definitions.
    pub(crate) fn plant_estimates(&self) -> Result<()> {
        plant(&self.conn).map_err(|e| fault(&e))
    }
}

fn plant(conn: &Connection) -> rusqlite::Result<()> {
    // Makes the table of statistics, which nothing else can make.
    conn.execute_batch("ANALYZE schema_step; DELETE FROM sqlite_stat1")?;
    let mut insert = conn.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)")?;
    for index in indexes(conn)? {
        insert.execute(params![index.table, index.name, estimate(&index)])?;
    }
    conn.execute_batch("ANALYZE sqlite_schema")
}

fn indexes(conn: &Connection) -> rusqlite::Result<Vec<Index>> {
    let mut list = conn.prepare(
        "SELECT t.name, CASE WHEN t.wr = 1 AND i.origin = 'pk' THEN t.name ELSE i.name END, i.name, i.\"unique\", i.partial
         FROM pragma_table_list AS t, pragma_index_list(t.name) AS i
         WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, i.seq",
    )?;
    let mut columns =
        conn.prepare("SELECT COALESCE(name, '') FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno")?;
    let mut found = list.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let own_name: String = row.get(2)?;
        all.push(Index {
            table: row.get(0)?,
            name: row.get(1)?,
            unique: row.get(3)?,
            partial: row.get(4)?,
            columns: columns.query_map([own_name], |c| c.get(0))?.collect::<rusqlite::Result<_>>()?,
        });
    }
    Ok(all)
}

/// How many rows there are, and how many are left by a value of the first column, of the first two, and so on.
fn estimate(index: &Index) -> String {
    let mut left = if index.partial { ROWS / PART } else { ROWS };
    let mut words = vec![left.to_string()];
    for (position, column) in index.columns.iter().enumerate() {
        left = match COARSE.iter().find(|(name, _)| name == column) {
            _ if index.unique && position + 1 == index.columns.len() => 1,
            _ if column == "workspace_id" => left / WORKSPACES,
            Some((_, share)) => (left / share).max(1),
            None => left.min(FINE),
        };
        words.push(left.to_string());
    }
    // No stepping over the first column by trying each of its values: workspaces may be many.
    words.push("noskipscan".to_owned());
    words.join(" ")
}
