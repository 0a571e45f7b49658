//! The one place that knows how the two engines differ in SQL. A statement is written once; `Statement::new` turns it into
//! the text for one engine. What both understand alike is left untouched.
//!
//! Rewritten: `$n` · `FROM rows(…) AS r` · `BLOB`, `BIGINT` and other type names in DDL · `FOR UPDATE`, `FOR SHARE` (no
//! meaning where there is one writer) · `greatest(…)`, `least(…)` · `json_text(…)`, `json_int(…)`.
//!
//! Different and not rewritten, so not to be relied on: the order of NULLs (say NULLS FIRST or LAST), `greatest` of a
//! NULL, division by zero, `CAST` of a text that is no number, `lower` beyond ASCII.

mod ddl;
mod join;
mod rows;
mod tokens;

use crate::error::{Result, StoreError};
use crate::row::Shape;
use crate::value::Kind;
use join::Join;
use rows::Rows;
use std::sync::{Arc, OnceLock};
use tokens::{Token, closing, next_solid, previous_solid, tokens};

/// Which engine a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A statement ready for one engine.
#[derive(Debug)]
pub(crate) struct Statement {
    /// As it was written, for errors.
    pub source: Arc<str>,
    /// As the engine reads it.
    pub text: Arc<str>,
    /// The number of `$n` parameters.
    pub scalars: usize,
    /// The kinds of the columns of `rows(…)`; their parameters come after the scalars.
    pub rows: Option<Vec<Kind>>,
    /// Whether it changes rows or tables.
    pub writes: bool,
    /// Whether it changes tables; such a text is used once and not worth keeping.
    pub ddl: bool,
    /// Known once it has answered for the first time.
    pub shape: OnceLock<Arc<Shape>>,
}

impl Statement {
    pub(crate) fn new(sql: &str, engine: Engine) -> Result<Statement> {
        let list = tokens(sql)?;
        let scalars = list.iter().map(|t| if let Token::Param(n) = t { *n } else { 0 }).max().unwrap_or(0);
        let rows = Rows::find(&list, sql)?;
        let first = next_solid(&list, 0).and_then(|i| list[i].word()).unwrap_or_default().to_ascii_uppercase();
        let ddl = matches!(first.as_str(), "CREATE" | "ALTER" | "DROP" | "TRUNCATE");
        let writes = ddl || (0..list.len()).any(|i| changes_rows(&list, i));
        let join = rows.as_ref().filter(|_| engine == Engine::Sqlite).and_then(|rows| Join::find(&list, rows));
        let writer = Writer { tokens: &list, engine, scalars, rows: rows.as_ref(), join, sql };
        let text = if ddl { ddl::rewrite(&list, engine) } else { writer.all()? };
        let kinds = rows.map(|r| r.columns.iter().map(|c| c.1).collect());
        Ok(Statement {
            source: sql.into(),
            text: text.into(),
            scalars,
            rows: kinds,
            writes,
            ddl,
            shape: OnceLock::new(),
        })
    }

    /// The names of the columns, kept from the first answer.
    pub(crate) fn shape(&self, names: impl FnOnce() -> Vec<String>) -> Arc<Shape> {
        self.shape.get_or_init(|| Arc::new(Shape { sql: self.source.clone(), names: names() })).clone()
    }
}

/// A pattern for `x LIKE $n ESCAPE '\'` that finds `text` anywhere. LIKE distinguishes case on both engines: to
/// ignore it, compare a column that was folded when it was written.
pub fn contains_pattern(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// A pattern for `x LIKE $n ESCAPE '\'` that finds what begins with `text`.
pub fn prefix_pattern(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// INSERT, UPDATE or DELETE as a verb; not `FOR UPDATE`, `DO UPDATE`.
fn changes_rows(list: &[Token<'_>], i: usize) -> bool {
    if list[i].is_word("INSERT") || list[i].is_word("DELETE") {
        return true;
    }
    list[i].is_word("UPDATE")
        && !previous_solid(list, i).is_some_and(|p| list[p].is_word("FOR") || list[p].is_word("DO"))
}

/// Writes the tokens out again for one engine.
struct Writer<'a> {
    tokens: &'a [Token<'a>],
    engine: Engine,
    scalars: usize,
    rows: Option<&'a Rows<'a>>,
    join: Option<Join>,
    sql: &'a str,
}

impl Writer<'_> {
    fn all(&self) -> Result<String> {
        let mut out = String::with_capacity(self.sql.len() + 32);
        match self.join {
            Some(join) => self.joined(join, &mut out)?,
            None => self.range(0, self.tokens.len(), &mut out)?,
        }
        Ok(out)
    }

    /// The pieces of a join with the rows, in their new order.
    fn joined(&self, join: Join, out: &mut String) -> Result<()> {
        self.range(0, join.from + 1, out)?;
        out.push(' ');
        self.range(join.table, join.on, out)?;
        let conditions_end = join.filter.unwrap_or(join.filter_end);
        self.range(join.on_end, conditions_end, out)?;
        out.push_str(" WHERE (");
        self.range(join.on + 1, join.on_end, out)?;
        out.push(')');
        if let Some(filter) = join.filter {
            out.push_str(" AND (");
            self.range(filter + 1, join.filter_end, out)?;
            out.push(')');
        }
        out.push(' ');
        self.range(join.filter_end, self.tokens.len(), out)
    }

    fn range(&self, mut i: usize, end: usize, out: &mut String) -> Result<()> {
        while i < end {
            i = self.one(i, out)?;
        }
        Ok(())
    }

    /// Writes what stands at `i`; answers where to go on.
    fn one(&self, i: usize, out: &mut String) -> Result<usize> {
        if let Some(rows) = self.rows {
            if let Some(next) = rows.write(self.tokens, i, self.engine, self.scalars, out) {
                return Ok(next);
            }
            if let Some((column, next)) = rows.column_at(self.tokens, i, self.sql)?
                && self.engine == Engine::Sqlite
            {
                out.push_str(&format!("?{}", self.scalars + column + 1));
                return Ok(next);
            }
        }
        match (self.tokens[i], self.engine) {
            (Token::Param(n), Engine::Sqlite) => out.push_str(&format!("?{n}")),
            (Token::Param(n), Engine::Postgres) => out.push_str(&format!("${n}")),
            (Token::Word(w), engine) => return self.word(i, w, engine, out),
            (Token::Quoted(t) | Token::Gap(t) | Token::Symbol(t), _) => out.push_str(t),
        }
        Ok(i + 1)
    }

    fn word(&self, i: usize, word: &str, engine: Engine, out: &mut String) -> Result<usize> {
        let lower = word.to_ascii_lowercase();
        match (lower.as_str(), engine) {
            ("blob", Engine::Postgres) => out.push_str("BYTEA"),
            ("for", Engine::Sqlite) => {
                if let Some(next) = self.after_lock(i) {
                    return Ok(next);
                }
                out.push_str(word);
            }
            ("greatest" | "least", Engine::Sqlite) if self.call_at(i).is_some() => {
                out.push_str(if lower == "greatest" { "max" } else { "min" });
            }
            ("json_text" | "json_int", _) => {
                if let Some(open) = self.call_at(i) {
                    return self.json(i, open, lower == "json_int", out);
                }
                out.push_str(word);
            }
            _ => out.push_str(word),
        }
        Ok(i + 1)
    }

    /// The parenthesis of a call, if the word at `i` is one.
    fn call_at(&self, i: usize) -> Option<usize> {
        next_solid(self.tokens, i + 1).filter(|n| self.tokens[*n].is_symbol("("))
    }

    /// Behind `FOR UPDATE` or `FOR SHARE`, with an optional `OF name`.
    fn after_lock(&self, i: usize) -> Option<usize> {
        let verb = next_solid(self.tokens, i + 1)?;
        if !self.tokens[verb].is_word("UPDATE") && !self.tokens[verb].is_word("SHARE") {
            return None;
        }
        let of = next_solid(self.tokens, verb + 1).filter(|n| self.tokens[*n].is_word("OF"));
        let name = of.and_then(|of| next_solid(self.tokens, of + 1));
        Some(name.unwrap_or(verb) + 1)
    }

    /// `json_text(column, 'key')`: a member that is a text or a number, as text; NULL where there is none.
    /// `json_int(column, 'key')`: a member that is an integer.
    fn json(&self, i: usize, open: usize, int: bool, out: &mut String) -> Result<usize> {
        let fault = || StoreError::statement(self.sql, "expected json_text(value, 'key') or json_int(value, 'key')");
        let end = closing(self.tokens, open).ok_or_else(fault)?;
        let mut depth = 0usize;
        let comma = (open + 1..end)
            .find(|k| {
                depth += usize::from(self.tokens[*k].is_symbol("("));
                depth -= usize::from(self.tokens[*k].is_symbol(")"));
                depth == 0 && self.tokens[*k].is_symbol(",")
            })
            .ok_or_else(fault)?;
        let kind = if int { "BIGINT" } else { "TEXT" };
        out.push_str("CAST((");
        self.range(open + 1, comma, out)?;
        out.push_str(if self.engine == Engine::Sqlite { ") ->> (" } else { ")::jsonb ->> (" });
        self.range(comma + 1, end, out)?;
        out.push_str(&format!(") AS {kind})"));
        debug_assert!(end > i, "a call ends behind its name");
        Ok(end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(sql: &str) -> (String, String) {
        let text = |engine| Statement::new(sql, engine).map_or_else(|e| e.to_string(), |s| s.text.to_string());
        (text(Engine::Sqlite), text(Engine::Postgres))
    }

    #[test]
    fn parameters_keep_their_numbers_and_quoted_text_is_left_alone() {
        let (sqlite, postgres) = both("SELECT $2, '$1 BLOB', \"for\" -- $3\n, $1");
        assert_eq!(sqlite, "SELECT ?2, '$1 BLOB', \"for\" -- $3\n, ?1");
        assert_eq!(postgres, "SELECT $2, '$1 BLOB', \"for\" -- $3\n, $1");
    }

    #[test]
    fn bulk_statements_expand_per_engine() {
        let (sqlite, postgres) =
            both("UPDATE t SET a = r.a FROM rows(id BIGINT, a TEXT) AS r WHERE t.w = $1 AND t.id = r.id");
        assert_eq!(sqlite, "UPDATE t SET a = ?3  WHERE t.w = ?1 AND t.id = ?2");
        assert_eq!(
            postgres,
            "UPDATE t SET a = r.a FROM unnest($2::bigint[], $3::text[]) AS r(id, a) WHERE t.w = $1 AND t.id = r.id"
        );
        let (sqlite, _) = both("SELECT t.x FROM rows(id BIGINT) AS r JOIN t ON t.id = r.id");
        assert_eq!(sqlite.trim(), "SELECT t.x FROM t  WHERE ( t.id = ?1)");
        let (sqlite, _) = both(
            "SELECT t.x FROM rows(id BIGINT) AS r JOIN t ON t.w = $1 AND t.id = r.id LEFT JOIN u ON u.id = t.u
             WHERE t.a = 1 OR EXISTS (SELECT 1 FROM v WHERE v.id = r.id) ORDER BY t.x",
        );
        let solid = sqlite.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            solid,
            "SELECT t.x FROM t LEFT JOIN u ON u.id = t.u WHERE ( t.w = ?1 AND t.id = ?2 ) \
             AND ( t.a = 1 OR EXISTS (SELECT 1 FROM v WHERE v.id = ?2) ) ORDER BY t.x"
        );
        let (sqlite, _) = both("SELECT t.x FROM rows(id BIGINT) AS r, t WHERE t.id = r.id");
        assert_eq!(sqlite, "SELECT t.x FROM  t WHERE t.id = ?1");
        let (sqlite, _) = both("SELECT t.x FROM t, rows(id BIGINT) AS r WHERE t.id = r.id");
        assert_eq!(sqlite, "SELECT t.x FROM t WHERE t.id = ?1");
    }

    #[test]
    fn what_is_inserted_of_rows_alone_is_written_as_values() {
        let sqlite = |sql| both(sql).0;
        assert_eq!(
            sqlite("INSERT INTO t (w, a) SELECT $1, r.a FROM rows(a TEXT) AS r"),
            "INSERT INTO t (w, a) VALUES ( ?1, ?2 ) "
        );
        assert_eq!(
            sqlite(
                "INSERT INTO t (a) SELECT r.a FROM rows(a TEXT) AS r WHERE TRUE ON CONFLICT (a) DO UPDATE SET a = excluded.a"
            ),
            "INSERT INTO t (a) VALUES ( ?1 ) ON CONFLICT (a) DO UPDATE SET a = excluded.a"
        );
        let chosen = "INSERT INTO t (a) SELECT r.a FROM rows(a TEXT) AS r WHERE r.a <> 'x' ON CONFLICT (a) DO NOTHING";
        assert!(sqlite(chosen).contains("SELECT ?1"), "a condition of its own: {}", sqlite(chosen));
        let joined = "INSERT INTO t (a) SELECT u.a FROM rows(a TEXT) AS r JOIN u ON u.a = r.a";
        assert!(sqlite(joined).contains("SELECT u.a"), "{}", sqlite(joined));
    }

    #[test]
    fn real_differences_are_rewritten() {
        let (sqlite, postgres) =
            both("SELECT greatest(a, $1), json_text(data, 'k') FROM t WHERE id = $1 FOR UPDATE OF t");
        assert_eq!(sqlite, "SELECT max(a, ?1), CAST((data) ->> ( 'k') AS TEXT) FROM t WHERE id = ?1 ");
        assert!(postgres.contains("greatest(a, $1), CAST((data)::jsonb ->> ( 'k') AS TEXT)"), "{postgres}");
        assert!(postgres.ends_with("FOR UPDATE OF t"));
    }

    #[test]
    fn faults_in_a_statement_are_named() {
        for (sql, word) in [
            ("SELECT 'x", "quote is not closed"),
            ("SELECT $x", "number from 1"),
            ("SELECT r.b FROM rows(a BIGINT) AS r", "r.b"),
            ("SELECT 1 FROM rows(a FLOAT) AS r", "FLOAT"),
            ("SELECT 1 FROM rows(a BIGINT)", "AS name"),
        ] {
            let (sqlite, postgres) = both(sql);
            assert!(sqlite.contains(word), "{sql}: {sqlite}");
            assert_eq!(sqlite, postgres);
        }
    }

    #[test]
    fn writing_is_told_from_reading() {
        let writes = |sql: &str| Statement::new(sql, Engine::Sqlite).unwrap().writes;
        assert!(writes("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1"));
        assert!(writes("WITH x AS (SELECT 1) UPDATE t SET a = 1"));
        assert!(!writes("SELECT * FROM t WHERE kind = 'delete' FOR UPDATE"));
    }

    #[test]
    fn patterns_escape_what_like_would_read() {
        assert_eq!(contains_pattern("50%_\\"), "%50\\%\\_\\\\%");
        assert_eq!(prefix_pattern("a"), "a%");
    }
}
