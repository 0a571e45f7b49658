//! What a transaction can do: `Query` reads, `Tx` also writes. Both own their connection while a closure runs, so there
//! is no lifetime to carry around. How transactions begin and end is decided in `database` and the engines.

use crate::dialect::{Engine, Statement};
use crate::error::{Result, StoreError};
use crate::hashed::HashMap;
use crate::row::Row;
use crate::value::{Columns, Val, has_nul};
use crate::{postgres, sqlite};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Statements of one connection that are kept; more than the program has, so only built texts are ever dropped.
pub(crate) const KEPT_STATEMENTS: usize = 1_000;

/// A transaction that reads: everything it sees is of one moment, that of its first statement.
#[derive(Debug)]
pub struct Query {
    pub(crate) session: Session,
    kept: HashMap<Arc<str>, Arc<Statement>>,
    mode: Mode,
    /// The first error of the transaction; nothing is done after it.
    failed: Option<StoreError>,
    /// Whether any row was changed, so that a commit is worth telling.
    changed: bool,
}

/// A transaction that writes. It is committed when its closure answers `Ok`, else nothing of it remains.
///
/// After a statement has failed the transaction can only end, on both engines alike; what may fail without ending it
/// belongs into [`Tx::attempt`].
#[derive(Debug)]
pub struct Tx {
    query: Query,
}

#[derive(Debug)]
pub(crate) enum Session {
    Sqlite(sqlite::Session),
    Postgres(Box<postgres::Session>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
}

impl Query {
    /// The rows that a statement answers. Parameters are `$1`, `$2`, … in the order of `values`.
    pub fn query(&mut self, sql: &str, values: &[Val]) -> Result<Vec<Row>> {
        self.run(sql, values, None, |session, statement| session.query(statement, values, None))
    }

    /// The only row of the answer, or None; more than one is an error.
    pub fn query_opt(&mut self, sql: &str, values: &[Val]) -> Result<Option<Row>> {
        let mut rows = self.query(sql, values)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            n => Err(StoreError::statement(sql, format!("answered {n} rows where at most one was expected"))),
        }
    }

    /// The only row of the answer; anything but one is an error. For statements that always answer, such as counts.
    pub fn query_one(&mut self, sql: &str, values: &[Val]) -> Result<Row> {
        self.query_opt(sql, values)?.ok_or_else(|| StoreError::statement(sql, "answered no row where one was expected"))
    }

    /// The rows that a bulk statement answers, in any order: let each carry its key. The statement reads
    /// `FROM rows(id BIGINT, name TEXT) AS r`; `rows` holds these columns, `values` the `$n`.
    ///
    /// It means the same as the statement run once for every row, and on SQLite it is: so no aggregate, window, ORDER BY
    /// or LIMIT over the rows, and a row that changes must not occur twice in a batch. Columns are written with their
    /// alias (`r.id`), and `r.id AS id` where a name is needed outside. No rows, no statement, no answer.
    pub fn query_rows(&mut self, sql: &str, rows: &Columns<'_>, values: &[Val]) -> Result<Vec<Row>> {
        self.run(sql, values, Some(rows), |session, statement| session.query(statement, values, Some(rows)))
    }

    /// For the few places where the two engines need another way, not another word.
    pub fn engine(&self) -> Engine {
        match self.session {
            Session::Sqlite(_) => Engine::Sqlite,
            Session::Postgres(_) => Engine::Postgres,
        }
    }

    /// Finds or makes the statement, checks what it is given, and remembers that it failed or changed something.
    fn run<T: Outcome>(
        &mut self,
        sql: &str,
        values: &[Val],
        rows: Option<&Columns<'_>>,
        run: impl FnOnce(&mut Session, &Statement) -> Result<T>,
    ) -> Result<T> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let done = self.prepared(sql).and_then(|statement| {
            check(&statement, values, rows, self.mode)?;
            if rows.is_some_and(Columns::is_empty) {
                return Ok(T::default());
            }
            let answer = run(&mut self.session, &statement)?;
            self.changed |= statement.writes && (statement.ddl || answer.touched());
            Ok(answer)
        });
        if let Err(e) = &done {
            self.failed = Some(e.clone());
        }
        done
    }

    fn prepared(&mut self, sql: &str) -> Result<Arc<Statement>> {
        if let Some(statement) = self.kept.get(sql) {
            return Ok(statement.clone());
        }
        let statement = Arc::new(Statement::new(sql, self.engine())?);
        if !statement.ddl {
            if self.kept.len() >= KEPT_STATEMENTS {
                self.kept.clear();
            }
            self.kept.insert(statement.source.clone(), statement.clone());
        }
        Ok(statement)
    }
}

impl Tx {
    pub(crate) fn new(session: Session) -> Tx {
        Tx { query: Query { session, kept: HashMap::default(), mode: Mode::Write, failed: None, changed: false } }
    }

    /// Runs a statement; answers how many rows it changed (or answered, with RETURNING).
    pub fn exec(&mut self, sql: &str, values: &[Val]) -> Result<u64> {
        self.query.run(sql, values, None, |session, statement| session.exec(statement, values, None))
    }

    /// Runs a bulk statement; see [`Query::query_rows`]. Answers how many rows it changed.
    pub fn exec_rows(&mut self, sql: &str, rows: &Columns<'_>, values: &[Val]) -> Result<u64> {
        self.query.run(sql, values, Some(rows), |session, statement| session.exec(statement, values, Some(rows)))
    }

    /// Does something that may fail without ending the transaction: on an error only what `f` did is undone. An engine
    /// that is gone, or others in the way, end the transaction all the same. On PostgreSQL it costs two round trips, so
    /// a bulk statement that avoids the error is better where there is one.
    pub fn attempt<T>(&mut self, f: impl FnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        if let Some(failed) = &self.query.failed {
            return Err(failed.clone());
        }
        let changed = self.query.changed;
        self.control("SAVEPOINT attempt")?;
        let done = f(self);
        let done = match self.query.failed.take() {
            Some(failed) => Err(failed),
            None => done,
        };
        if let Err(e) = &done {
            if matches!(e, StoreError::Unavailable { .. } | StoreError::Contention { .. }) {
                self.query.failed = Some(e.clone());
                return done;
            }
            self.control("ROLLBACK TO SAVEPOINT attempt")?;
            self.query.changed = changed;
        }
        self.control("RELEASE SAVEPOINT attempt")?;
        done
    }

    /// What an engine is to know of young tables beside their columns: SQLite what its planner takes for granted (PostgreSQL
    /// counts, see `statistics`), PostgreSQL where to leave room for new versions of rows.
    pub(crate) fn fit_tables(&mut self) -> Result<()> {
        match &self.query.session {
            Session::Sqlite(s) => s.plant_estimates(),
            Session::Postgres(_) => crate::postgres::leave_room(self),
        }
    }

    /// Transaction control; a failure ends the transaction.
    fn control(&mut self, sql: &str) -> Result<()> {
        let done = self.query.session.control(sql);
        if let Err(e) = &done {
            self.query.failed = Some(e.clone());
        }
        done
    }

    /// Before a closure runs on it.
    pub(crate) fn reset(&mut self, mode: Mode) {
        self.query.mode = mode;
        self.query.failed = None;
        self.query.changed = false;
    }
    pub(crate) fn failed(&self) -> Option<&StoreError> {
        self.query.failed.as_ref()
    }
    pub(crate) fn changed(&self) -> bool {
        self.query.changed
    }
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.query.session
    }
}

impl Deref for Tx {
    type Target = Query;
    fn deref(&self) -> &Query {
        &self.query
    }
}
impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}

impl Session {
    fn query(&mut self, statement: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<Vec<Row>> {
        match self {
            Session::Sqlite(s) => s.query(statement, values, rows),
            Session::Postgres(s) => s.query(statement, values, rows),
        }
    }
    fn exec(&mut self, statement: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<u64> {
        match self {
            Session::Sqlite(s) => s.exec(statement, values, rows),
            Session::Postgres(s) => s.exec(statement, values, rows),
        }
    }
    /// Transaction control, the same text on both engines.
    pub(crate) fn control(&mut self, sql: &str) -> Result<()> {
        match self {
            Session::Sqlite(s) => s.control(sql),
            Session::Postgres(s) => s.control(sql),
        }
    }
}

/// What a statement answers.
trait Outcome: Default {
    fn touched(&self) -> bool;
}
impl Outcome for u64 {
    fn touched(&self) -> bool {
        *self > 0
    }
}
impl Outcome for Vec<Row> {
    fn touched(&self) -> bool {
        !self.is_empty()
    }
}

fn check(statement: &Statement, values: &[Val], rows: Option<&Columns<'_>>, mode: Mode) -> Result<()> {
    let fault = |why: String| Err(StoreError::statement(&statement.source, why));
    if mode == Mode::Read && statement.writes {
        return fault("it writes, but the transaction only reads".to_owned());
    }
    if values.len() != statement.scalars {
        return fault(format!("it has {} parameters, {} values were given", statement.scalars, values.len()));
    }
    if values.iter().any(|v| matches!(v, Val::Text(t) if has_nul(t))) {
        return fault("a text holds the character U+0000, which cannot be stored".to_owned());
    }
    match (&statement.rows, rows) {
        (None, None) => Ok(()),
        (Some(_), None) => fault("it reads rows(…), but no columns were given".to_owned()),
        (None, Some(_)) => fault("columns were given, but it does not read rows(…)".to_owned()),
        (Some(kinds), Some(columns)) => {
            let given: Vec<_> = columns.list.iter().map(|c| c.kind()).collect();
            if *kinds != given {
                return fault(format!("rows(…) has the kinds {kinds:?}, {given:?} were given"));
            }
            if columns.list.iter().any(|c| c.len() != columns.len()) {
                let lengths: Vec<_> = columns.list.iter().map(|c| c.len()).collect();
                return fault(format!("the columns have different lengths: {lengths:?}"));
            }
            if columns.list.iter().any(|c| c.has_nul()) {
                return fault("a text holds the character U+0000, which cannot be stored".to_owned());
            }
            Ok(())
        }
    }
}
