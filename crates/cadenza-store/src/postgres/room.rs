//! Room in pages. An update writes a new version of the row; where that finds room in the row's page and no indexed column
//! changes, it needs no new entry in any index (PostgreSQL calls that HOT). So the pages of rows that change with every mail are
//! not filled to the brim.

use crate::error::Result;
use crate::query::Tx;

/// Tables, and how many percent of a page new rows may fill.
const FILLED: &[(&str, u32)] = &[("enrollment", 50), ("send", 70), ("contact", 70)];

/// Asks for that room in the tables that there are.
pub(crate) fn leave_room(tx: &mut Tx) -> Result<()> {
    for (table, percent) in FILLED {
        let there = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
        if tx.query_opt(there, &[(*table).into()])?.is_some() {
            tx.exec(&format!("ALTER TABLE {table} SET (fillfactor = {percent})"), &[])?;
        }
    }
    Ok(())
}
