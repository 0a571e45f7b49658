//! Where PostgreSQL carries the Citus extension, spreads the tables over its workers by workspace; else does nothing.

use crate::database::Database;
use crate::dialect::Engine;
use crate::error::Result;
use crate::value::Val;

/// Tables of this schema that are not spread yet, with whether they belong to workspaces and how deep they stand in the
/// order of foreign keys: a table is spread after those it refers to. `schema_step` stays where it is, being written
/// in the same transaction as table definitions.
const PENDING: &str = "
WITH RECURSIVE own AS (
    SELECT c.oid, c.relname::text AS name,
        EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id') AS scoped
    FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'schema_step'
), depth(oid, level) AS (
    SELECT oid, 0 FROM own
    UNION
    SELECT k.conrelid, d.level + 1 FROM depth d
    JOIN pg_constraint k ON k.confrelid = d.oid AND k.contype = 'f' AND k.conrelid <> k.confrelid
    WHERE d.level < 30
)
SELECT own.name, own.scoped, max(d.level)
FROM own JOIN depth d ON d.oid = own.oid
WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition p WHERE p.logicalrelid = own.oid)
GROUP BY own.name, own.scoped
ORDER BY own.scoped, max(d.level), own.name";

/// Distributes every table with a `workspace_id` by it, all in one group so that rows of a workspace live together, and
/// makes the others reference tables. Runs at the end of the migrations; does again only what is not done.
pub(crate) fn distribute(db: &Database) -> Result<()> {
    let present = db.read(|q| match q.engine() {
        Engine::Sqlite => Ok(false),
        Engine::Postgres => Ok(!q.query("SELECT 1 FROM pg_extension WHERE extname = 'citus'", &[])?.is_empty()),
    })?;
    if !present {
        return Ok(());
    }
    let pending = db.read(|q| {
        let rows = q.query(PENDING, &[])?;
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.flag(1)?))).collect::<Result<Vec<_>>>()
    })?;
    for (table, scoped) in pending {
        let name: Val = (&table).into();
        db.write(|tx| {
            let sql = if scoped {
                "SELECT create_distributed_table(quote_ident($1)::regclass, 'workspace_id', colocate_with => 'default')::text"
            } else {
                "SELECT create_reference_table(quote_ident($1)::regclass)::text"
            };
            tx.exec("SET LOCAL statement_timeout = 0", &[])?;
            tx.query(sql, std::slice::from_ref(&name)).map(drop)
        })?;
        tracing::info!(table, "spread over the workers");
    }
    Ok(())
}
