//! The words that contacts and companies are found by, kept beside the records and never shown.

use crate::addresses::{Of, number_of, word_of};
use crate::error::Result;
use crate::folding::words;
use crate::query::Tx;
use crate::scope::args;
use crate::value::Columns;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::WorkspaceId;
use std::collections::BTreeSet;

/// The words of a record: its names, its addresses, the digits of its numbers.
pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>, addresses: Of<'_>) -> BTreeSet<String> {
    let mut found = words(names);
    found.extend(words(addresses.emails.iter().map(|a| a.value.as_str())));
    found.extend(addresses.phones.iter().map(|a| a.value.chars().filter(char::is_ascii_digit).collect()));
    found.remove("");
    found
}

/// Writes the words of some records in place of those they had.
pub(crate) fn replace(tx: &mut Tx, w: WorkspaceId, records: &[(Subject, BTreeSet<String>)]) -> Result<()> {
    delete(tx, w, records.iter().map(|(s, _)| *s))?;
    let lines: Vec<(Subject, &String)> =
        records.iter().flat_map(|(s, words)| words.iter().map(|word| (*s, word))).collect();
    let columns = Columns::new()
        .texts(lines.iter().map(|(s, _)| word_of(*s)))
        .texts(lines.iter().map(|(_, word)| word.as_str()))
        .ints(lines.iter().map(|(s, _)| number_of(*s)));
    tx.of(w).exec_rows(
        "INSERT INTO search_word (workspace_id, subject, word, subject_id)
         SELECT $1, r.subject, r.word, r.subject_id FROM rows(subject TEXT, word TEXT, subject_id BIGINT) AS r",
        &columns,
        args![],
    )?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx, w: WorkspaceId, subjects: impl IntoIterator<Item = Subject>) -> Result<()> {
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    let columns =
        Columns::new().texts(subjects.iter().map(|s| word_of(*s))).ints(subjects.iter().map(|s| number_of(*s)));
    tx.of(w).exec_rows(
        "DELETE FROM search_word USING rows(subject TEXT, subject_id BIGINT) AS r
         WHERE search_word.workspace_id = $1 AND search_word.subject = r.subject
           AND search_word.subject_id = r.subject_id",
        &columns,
        args![],
    )?;
    Ok(())
}
