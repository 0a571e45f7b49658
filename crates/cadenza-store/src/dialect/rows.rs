//! `FROM rows(id BIGINT, name TEXT) AS r`: the rows of a bulk statement.
//!
//! PostgreSQL reads them all at once from arrays. SQLite runs the statement once a row: there `r.name` is simply a
//! parameter, and the source itself disappears, so every lookup is planned as if the value had been written in place.
//! `INSERT … SELECT … FROM rows(…) AS r` becomes `INSERT … VALUES (…)`, for which SQLite keeps no journal of the statement.

use super::Engine;
use super::tokens::{Token, closing, next_solid, previous_solid};
use crate::error::{Result, StoreError};
use crate::value::Kind;

#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub columns: Vec<(&'a str, Kind)>,
    alias: &'a str,
    /// The tokens of `rows(…) AS r`, the end excluded.
    start: usize,
    end: usize,
    /// Of an INSERT that reads nothing but the rows.
    inserts: Option<Inserts>,
}

#[derive(Debug, Clone, Copy)]
struct Inserts {
    select: usize,
    /// Where it goes on behind the source and `WHERE TRUE`.
    rest: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn find(tokens: &[Token<'a>], sql: &str) -> Result<Option<Rows<'a>>> {
        let mut places = (0..tokens.len()).filter(|i| {
            tokens[*i].is_word("rows")
                && next_solid(tokens, i + 1).is_some_and(|n| tokens[n].is_symbol("("))
                && previous_solid(tokens, *i).is_some_and(|p| opens_source(&tokens[p]))
        });
        let Some(start) = places.next() else { return Ok(None) };
        if places.next().is_some() {
            return Err(StoreError::statement(sql, "rows(…) stands in it more than once"));
        }
        let fault = |why: &str| StoreError::statement(sql, why);
        let open = next_solid(tokens, start + 1).ok_or_else(|| fault("rows without columns"))?;
        let close = closing(tokens, open).ok_or_else(|| fault("rows( is not closed"))?;
        let columns = columns(&tokens[open + 1..close], sql)?;
        let named = next_solid(tokens, close + 1)
            .filter(|i| tokens[*i].is_word("AS"))
            .and_then(|i| next_solid(tokens, i + 1))
            .and_then(|i| tokens[i].word().map(|alias| (alias, i)));
        let Some((alias, last)) = named else { return Err(fault("expected AS name after rows(…)")) };
        let end = last + 1;
        Ok(Some(Rows { columns, alias, start, end, inserts: inserts(tokens, start, end) }))
    }

    /// The tokens of `rows(…) AS r`, the end excluded.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// Writes the source where it stands at `i`; answers where to go on, or None where something else stands.
    pub(crate) fn write(
        &self,
        tokens: &[Token<'_>],
        i: usize,
        engine: Engine,
        scalars: usize,
        out: &mut String,
    ) -> Option<usize> {
        match engine {
            Engine::Postgres if i == self.start => {
                self.unnest(scalars, out);
                Some(self.end)
            }
            Engine::Sqlite if self.inserts.is_some_and(|of| of.select == i) => {
                out.push_str("VALUES (");
                Some(i + 1)
            }
            Engine::Sqlite if self.inserts.is_some() && next_solid(tokens, i + 1) == Some(self.start) => {
                out.push_str(") ");
                self.inserts.map(|of| of.rest)
            }
            Engine::Sqlite if i == self.start => {
                out.push_str("(SELECT 1)");
                Some(self.end)
            }
            Engine::Sqlite if next_solid(tokens, i + 1) == Some(self.start) => self.drop_source(tokens, i, out),
            _ => None,
        }
    }

    /// The column that `r.name` at `i` means, and where to go on.
    pub(crate) fn column_at(&self, tokens: &[Token<'_>], i: usize, sql: &str) -> Result<Option<(usize, usize)>> {
        let dotted = tokens[i].is_word(self.alias) && tokens.get(i + 1).is_some_and(|t| t.is_symbol("."));
        let Some(name) = tokens.get(i + 2).and_then(Token::word).filter(|_| dotted) else { return Ok(None) };
        match self.columns.iter().position(|c| c.0.eq_ignore_ascii_case(name)) {
            Some(column) => Ok(Some((column, i + 3))),
            None => Err(StoreError::statement(sql, format!("{}.{name} is no column of rows(…)", self.alias))),
        }
    }

    fn unnest(&self, scalars: usize, out: &mut String) {
        out.push_str("unnest(");
        for (i, (_, kind)) in self.columns.iter().enumerate() {
            let array = match kind {
                Kind::Int => "bigint[]",
                Kind::Text => "text[]",
                Kind::Blob => "bytea[]",
            };
            out.push_str(&format!("{}${}::{array}", if i == 0 { "" } else { ", " }, scalars + i + 1));
        }
        let names: Vec<&str> = self.columns.iter().map(|c| c.0).collect();
        out.push_str(&format!(") AS {}({})", self.alias, names.join(", ")));
    }

    /// At the FROM, USING or comma before the source, on SQLite: leaves out what the missing source makes needless.
    fn drop_source(&self, tokens: &[Token<'_>], i: usize, out: &mut String) -> Option<usize> {
        if tokens[i].is_symbol(",") {
            return Some(self.end);
        }
        if !tokens[i].is_word("FROM") && !tokens[i].is_word("USING") {
            return None;
        }
        let next = next_solid(tokens, self.end);
        match next.map(|n| tokens[n]) {
            Some(t) if t.is_symbol(",") => {
                out.push_str("FROM ");
                next.map(|n| n + 1)
            }
            Some(t) if ["JOIN", "LEFT", "INNER", "CROSS"].iter().any(|w| t.is_word(w)) => None,
            _ => Some(self.end),
        }
    }
}

/// Whether the statement inserts what it selects of the rows alone: `INSERT … SELECT … FROM rows(…) AS r [WHERE TRUE] [ON …]`.
fn inserts(tokens: &[Token<'_>], start: usize, end: usize) -> Option<Inserts> {
    next_solid(tokens, 0).filter(|i| tokens[*i].is_word("INSERT"))?;
    previous_solid(tokens, start).filter(|i| tokens[*i].is_word("FROM"))?;
    let mut selects = (0..tokens.len()).filter(|i| tokens[*i].is_word("SELECT"));
    let (select, None) = (selects.next()?, selects.next()) else { return None };
    let mut rest = next_solid(tokens, end);
    if rest.is_some_and(|i| tokens[i].is_word("WHERE")) {
        let condition = rest.and_then(|i| next_solid(tokens, i + 1)).filter(|i| tokens[*i].is_word("TRUE"))?;
        rest = next_solid(tokens, condition + 1);
    }
    let goes_on = rest.is_none_or(|i| tokens[i].is_word("ON") || tokens[i].is_word("RETURNING"));
    goes_on.then_some(Inserts { select, rest: rest.unwrap_or(tokens.len()) })
}

/// Whether a table source can follow: a column or function named `rows` is something else.
fn opens_source(token: &Token<'_>) -> bool {
    token.is_symbol(",") || ["FROM", "JOIN", "USING"].iter().any(|w| token.is_word(w))
}

fn columns<'a>(tokens: &[Token<'a>], sql: &str) -> Result<Vec<(&'a str, Kind)>> {
    let solid: Vec<Token<'a>> = tokens.iter().filter(|t| !matches!(t, Token::Gap(_))).copied().collect();
    solid
        .split(|t| t.is_symbol(","))
        .map(|part| match part {
            [Token::Word(name), Token::Word(kind)] => match kind.to_ascii_uppercase().as_str() {
                "BIGINT" => Ok((*name, Kind::Int)),
                "TEXT" => Ok((*name, Kind::Text)),
                "BLOB" => Ok((*name, Kind::Blob)),
                _ => Err(StoreError::statement(sql, format!("rows({name} {kind}): expected BIGINT, TEXT or BLOB"))),
            },
            _ => Err(StoreError::statement(sql, "expected rows(name KIND, …)")),
        })
        .collect()
}
