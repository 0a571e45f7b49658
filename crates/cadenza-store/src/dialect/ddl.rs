//! Table definitions, written for both engines at once: `BIGINT`, `TEXT`, `BLOB`, and `WITHOUT ROWID` behind a table whose
//! rows are found by primary key.
//!
//! PostgreSQL stores text under collation "C", so both engines sort and compare by bytes and LIKE 'x%' can use an index.
//! SQLite's tables are STRICT, so both refuse a value of another kind. A CHECK's `x IN (a, b, c)` is spelled out for SQLite,
//! which would else fill a table with the list at every change of a row.

use super::Engine;
use super::tokens::{Token, closing, next_solid, previous_solid};

pub(crate) fn rewrite(tokens: &[Token<'_>], engine: Engine) -> String {
    match engine {
        Engine::Postgres => postgres(tokens),
        Engine::Sqlite => sqlite(tokens),
    }
}

fn postgres(tokens: &[Token<'_>]) -> String {
    let end = without_rowid(tokens).unwrap_or(tokens.len());
    let mut out = String::new();
    for (i, token) in tokens[..end].iter().enumerate() {
        match token {
            t if t.is_word("BLOB") => out.push_str("BYTEA"),
            t if t.is_word("TEXT") && declares(tokens, i) => out.push_str("TEXT COLLATE \"C\""),
            t => push(&mut out, t),
        }
    }
    out.trim_end().to_owned()
}

fn sqlite(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    let mut i = 0;
    while i < tokens.len() {
        if let Some(next) = spelled_out(tokens, i, &mut out) {
            i = next;
            continue;
        }
        if tokens[i].is_word("BIGINT") || tokens[i].is_word("SMALLINT") {
            out.push_str("INTEGER")
        } else {
            push(&mut out, &tokens[i])
        }
        i += 1;
    }
    let out = out.trim_end();
    if !is_table(tokens) {
        return out.to_owned();
    }
    format!("{out}{}", if without_rowid(tokens).is_some() { ", STRICT" } else { " STRICT" })
}

fn push(out: &mut String, token: &Token<'_>) {
    match token {
        Token::Word(t) | Token::Quoted(t) | Token::Gap(t) | Token::Symbol(t) => out.push_str(t),
        Token::Param(n) => out.push_str(&format!("${n}")),
    }
}

/// `x IN (a, b, c)` at `i` as `(x = a OR x = b OR x = c)`; answers where to go on. Lists of one or two SQLite spells out itself.
fn spelled_out(tokens: &[Token<'_>], i: usize, out: &mut String) -> Option<usize> {
    let name = tokens[i].word()?;
    let open = next_solid(tokens, i + 1)
        .filter(|n| tokens[*n].is_word("IN"))
        .and_then(|n| next_solid(tokens, n + 1))
        .filter(|n| tokens[*n].is_symbol("("))?;
    let close = closing(tokens, open)?;
    let mut values = Vec::new();
    for token in &tokens[open + 1..close] {
        match token {
            Token::Word(text) | Token::Quoted(text) => values.push(format!("{name} = {text}")),
            Token::Gap(_) => {}
            comma if comma.is_symbol(",") => {}
            _ => return None,
        }
    }
    if values.len() < 3 || name.eq_ignore_ascii_case("NOT") {
        return None;
    }
    out.push_str(&format!("({})", values.join(" OR ")));
    Some(close + 1)
}

/// Whether the type at `i` follows a column's name; `CAST(x AS TEXT)` takes no collation.
fn declares(tokens: &[Token<'_>], i: usize) -> bool {
    previous_solid(tokens, i).is_some_and(|p| match tokens[p] {
        Token::Word(w) => !w.eq_ignore_ascii_case("AS"),
        Token::Quoted(q) => q.starts_with('"'),
        _ => false,
    })
}

fn without_rowid(tokens: &[Token<'_>]) -> Option<usize> {
    (0..tokens.len()).find(|i| {
        tokens[*i].is_word("WITHOUT") && next_solid(tokens, i + 1).is_some_and(|n| tokens[n].is_word("ROWID"))
    })
}

fn is_table(tokens: &[Token<'_>]) -> bool {
    let mut words = tokens.iter().filter(|t| !matches!(t, Token::Gap(_)));
    words.next().is_some_and(|t| t.is_word("CREATE")) && words.next().is_some_and(|t| t.is_word("TABLE"))
}

#[cfg(test)]
mod tests {
    use super::super::{Engine, Statement};

    #[test]
    fn a_table_is_strict_on_one_and_compares_bytes_on_the_other() {
        let sql = "CREATE TABLE t (id BIGINT NOT NULL, name TEXT, raw BLOB, CHECK (CAST(id AS TEXT) <> ''), \
                   PRIMARY KEY (id)) WITHOUT ROWID";
        let sqlite = Statement::new(sql, Engine::Sqlite).unwrap().text;
        assert!(sqlite.contains("id INTEGER NOT NULL, name TEXT, raw BLOB"), "{sqlite}");
        assert!(sqlite.ends_with("WITHOUT ROWID, STRICT"), "{sqlite}");
        let postgres = Statement::new(sql, Engine::Postgres).unwrap().text;
        assert!(postgres.contains("name TEXT COLLATE \"C\", raw BYTEA, CHECK (CAST(id AS TEXT) <> '')"), "{postgres}");
        assert!(postgres.ends_with("PRIMARY KEY (id))"), "{postgres}");
        let listed =
            "CREATE TABLE t (a BIGINT, CHECK (a IN (1, 2, 3) AND b NOT IN ('x', 'y', 'z') AND c IN ('u', 'v')))";
        let sqlite = Statement::new(listed, Engine::Sqlite).unwrap().text;
        assert!(
            sqlite.contains("CHECK ((a = 1 OR a = 2 OR a = 3) AND b NOT IN ('x', 'y', 'z') AND c IN ('u', 'v'))"),
            "{sqlite}"
        );
        let postgres = Statement::new(listed, Engine::Postgres).unwrap().text;
        assert!(postgres.contains("CHECK (a IN (1, 2, 3) AND"), "{postgres}");
        let index = Statement::new("CREATE INDEX i ON t (name)", Engine::Sqlite).unwrap().text;
        assert_eq!(&*index, "CREATE INDEX i ON t (name)");
    }
}
