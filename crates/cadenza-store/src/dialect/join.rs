//! `SELECT … FROM rows(…) AS r JOIN t ON …` for SQLite, where the rows are parameters: the joined table becomes the first one and
//! what it was joined on the first condition. A source of one constant row in its place would be written into a table of its
//! own and read back for every row of the batch.

use super::rows::Rows;
use super::tokens::{Token, closing, next_solid, previous_solid};

/// The places of the pieces that move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Join {
    pub from: usize,
    /// The first token of the joined table.
    pub table: usize,
    pub on: usize,
    /// Behind the condition of the join.
    pub on_end: usize,
    /// The WHERE, if there is one.
    pub filter: Option<usize>,
    /// Behind the conditions: where ORDER BY and the like begin, or the end.
    pub filter_end: usize,
}

impl Join {
    /// Finds them where the statement is of that form.
    pub(crate) fn find(tokens: &[Token<'_>], rows: &Rows<'_>) -> Option<Join> {
        next_solid(tokens, 0).filter(|i| tokens[*i].is_word("SELECT"))?;
        let (start, end) = rows.place();
        let from = previous_solid(tokens, start).filter(|i| tokens[*i].is_word("FROM"))?;
        if outermost(tokens, 0).any(|i| ["UNION", "EXCEPT", "INTERSECT"].iter().any(|w| tokens[i].is_word(w))) {
            return None;
        }
        // Inside a parenthesis it is another query's.
        outermost(tokens, 0).find(|i| *i == from)?;
        let join = next_solid(tokens, end).filter(|i| tokens[*i].is_word("JOIN"))?;
        let table = next_solid(tokens, join + 1)?;
        let on = outermost(tokens, table).find(|i| tokens[*i].is_word("ON"))?;
        let begins = |words: &[&str], from: usize| {
            outermost(tokens, from).find(|i| words.iter().any(|w| tokens[*i].is_word(w))).unwrap_or(tokens.len())
        };
        const AFTER: [&str; 6] = ["GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "FOR"];
        let on_end = begins(&[&["JOIN", "LEFT", "INNER", "CROSS", "WHERE"], &AFTER[..]].concat(), on + 1);
        let filter_end = begins(&AFTER, on_end);
        let filter = outermost(tokens, on_end).take_while(|i| *i < filter_end).find(|i| tokens[*i].is_word("WHERE"));
        Some(Join { from, table, on, on_end, filter, filter_end })
    }
}

/// The places from `from` on that stand in no parenthesis.
fn outermost<'a>(tokens: &'a [Token<'a>], from: usize) -> impl Iterator<Item = usize> + 'a {
    let mut next = from;
    std::iter::from_fn(move || {
        if next >= tokens.len() {
            return None;
        }
        let here = next;
        let inner = if tokens[here].is_symbol("(") { closing(tokens, here) } else { None };
        next = inner.map_or(here, |end| end) + 1;
        Some(here)
    })
}
