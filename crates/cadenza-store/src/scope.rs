//! Statements of one workspace. Every noun speaks through [`Scoped`], whose `$1` is always the workspace, and which
//! refuses a statement that does not name it: so no query can cross two workspaces by being forgetful.

use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::value::{Columns, Val};
use cadenza_core::ids::WorkspaceId;

/// A transaction, seen from one workspace.
#[derive(Debug)]
pub(crate) struct Scoped<'a, Q> {
    inner: &'a mut Q,
    workspace: WorkspaceId,
}

/// The parameters of a scoped statement from `$2` on; made by [`args!`].
#[derive(Debug)]
pub(crate) struct Args(Vec<Val>);

impl Args {
    /// `values` begins with a place for the workspace.
    pub(crate) fn new(values: Vec<Val>) -> Args {
        Args(values)
    }
    /// One more parameter; answers its name, such as `$3`.
    pub(crate) fn push(&mut self, value: impl Into<Val>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }
}

/// `args![a, b]` are `$2` and `$3`; `$1` is the workspace.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        $crate::scope::Args::new(vec![$crate::value::Val::Null $(, $value.into())*])
    };
}
pub(crate) use args;

impl Query {
    pub(crate) fn of(&mut self, workspace: WorkspaceId) -> Scoped<'_, Query> {
        Scoped { inner: self, workspace }
    }
}

impl Tx {
    pub(crate) fn of(&mut self, workspace: WorkspaceId) -> Scoped<'_, Tx> {
        Scoped { inner: self, workspace }
    }
}

/// What has a [`Query`] inside.
pub(crate) trait Reads {
    fn reads(&mut self) -> &mut Query;
}
impl Reads for Query {
    fn reads(&mut self) -> &mut Query {
        self
    }
}
impl Reads for Tx {
    fn reads(&mut self) -> &mut Query {
        self
    }
}

impl<Q: Reads> Scoped<'_, Q> {
    pub(crate) fn all(&mut self, sql: &str, args: Args) -> Result<Vec<Row>> {
        let values = self.bind(sql, args)?;
        self.inner.reads().query(sql, &values)
    }
    pub(crate) fn opt(&mut self, sql: &str, args: Args) -> Result<Option<Row>> {
        let values = self.bind(sql, args)?;
        self.inner.reads().query_opt(sql, &values)
    }
    pub(crate) fn one(&mut self, sql: &str, args: Args) -> Result<Row> {
        let values = self.bind(sql, args)?;
        self.inner.reads().query_one(sql, &values)
    }
    pub(crate) fn rows(&mut self, sql: &str, columns: &Columns<'_>, args: Args) -> Result<Vec<Row>> {
        let values = self.bind(sql, args)?;
        self.inner.reads().query_rows(sql, columns, &values)
    }

    fn bind(&self, sql: &str, args: Args) -> Result<Vec<Val>> {
        if names_workspace(sql) {
            let mut values = args.0;
            values[0] = self.workspace.into();
            return Ok(values);
        }
        Err(StoreError::statement(sql, "a table in it is not tied to the workspace"))
    }
}

impl Scoped<'_, Tx> {
    pub(crate) fn exec(&mut self, sql: &str, args: Args) -> Result<u64> {
        let values = self.bind(sql, args)?;
        self.inner.exec(sql, &values)
    }
    /// As `exec`, for a statement that changes exactly one row: anything else means that the row does not exist.
    pub(crate) fn exec_one(
        &mut self,
        sql: &str,
        args: Args,
        table: &'static str,
        id: impl std::fmt::Display,
    ) -> Result<()> {
        match self.exec(sql, args)? {
            1 => Ok(()),
            _ => Err(StoreError::missing(table, id)),
        }
    }
    pub(crate) fn exec_rows(&mut self, sql: &str, columns: &Columns<'_>, args: Args) -> Result<u64> {
        let values = self.bind(sql, args)?;
        self.inner.exec_rows(sql, columns, &values)
    }
}

/// Whether each table that the statement reads or writes is tied to the workspace. Rough, and on the safe side: it wants
/// `$1` as a workspace, and a `workspace_id` for each table that is named.
fn names_workspace(sql: &str) -> bool {
    if !sql.contains("$1") {
        return false;
    }
    let mut tables = 0;
    let mut words = sql.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '(')).filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        let opens = matches!(word.trim_start_matches('('), "FROM" | "JOIN" | "INTO");
        // After UPDATE comes a table, but SET in ON CONFLICT … DO UPDATE SET.
        let update = word.trim_start_matches('(') == "UPDATE";
        if !opens && !update {
            continue;
        }
        match words.next() {
            Some(name) if name.starts_with('(') || name.starts_with("rows(") || name == "excluded" => {}
            Some("SET" | "OF") if update => {}
            Some(name) if crate::schema::is_table(name) => tables += 1,
            _ => {}
        }
    }
    sql.matches("workspace_id").count() >= tables.max(1)
}

#[cfg(test)]
mod tests {
    use super::names_workspace;

    #[test]
    fn a_statement_that_forgets_the_workspace_is_refused() {
        for good in [
            "SELECT name FROM contact WHERE workspace_id = $1 AND id = $2",
            "SELECT c.name FROM rows(id BIGINT) r JOIN contact c ON c.workspace_id = $1 AND c.id = r.id",
            "INSERT INTO list (workspace_id, id) VALUES ($1, $2) ON CONFLICT (workspace_id, id) DO UPDATE SET name = $3",
            "UPDATE list SET name = $2 WHERE workspace_id = $1",
        ] {
            assert!(names_workspace(good), "{good}");
        }
        for bad in [
            "SELECT name FROM contact WHERE id = $1",
            "SELECT name FROM contact WHERE workspace_id = 3",
            "SELECT c.name FROM contact c JOIN company k ON k.id = c.company_id WHERE c.workspace_id = $1",
            "UPDATE list SET name = $1 WHERE id = $2",
        ] {
            assert!(!names_workspace(bad), "{bad}");
        }
    }
}
