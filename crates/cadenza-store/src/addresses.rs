//! Mail addresses and phone numbers of contacts and companies: as they stand on the record, and by whom they are found.

use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::{CompanyId, ContactId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// An address or number with what it is: work, personal or other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedAddress {
    pub kind: AddressKind,
    /// An email address in lower case, or a number as E.164.
    pub value: String,
}

words! {
    /// What is reached.
    Reach ("kind of address") {
        Email = "email";
        Phone = "phone";
    }
}

/// The addresses of one record, for [`replace`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    pub subject: Subject,
    pub emails: &'a [TypedAddress],
    pub phones: &'a [TypedAddress],
}

/// Whose addresses these are: every owner of each value, contacts before companies.
pub fn owners<'v>(
    q: &mut Query,
    w: WorkspaceId,
    reach: Reach,
    values: impl IntoIterator<Item = &'v str>,
) -> Result<Vec<(String, Subject)>> {
    let folded = values.into_iter().map(str::to_lowercase);
    let mut rows = q.of(w).rows(
        "SELECT a.value, a.subject, a.subject_id FROM rows(value TEXT) AS r
         JOIN address a ON a.workspace_id = $1 AND a.kind = $2 AND a.value = r.value",
        &Columns::new().texts(folded),
        args![reach.as_str()],
    )?;
    rows.sort_by_cached_key(|row| {
        (row.text(0).map(str::to_owned).ok(), row.text(1).ok() == Some("company"), row.int(2).ok())
    });
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), subject(row.text(1)?, row.int(2)?)?))).collect()
}

/// Writes the addresses of some records in place of those they had.
pub(crate) fn replace(tx: &mut Tx, w: WorkspaceId, records: &[Of<'_>]) -> Result<()> {
    delete(tx, w, records.iter().map(|r| r.subject))?;
    let mut lines = Vec::new();
    for r in records {
        for (reach, list) in [(Reach::Email, r.emails), (Reach::Phone, r.phones)] {
            let mut seen = std::collections::HashSet::new();
            for (position, address) in list.iter().enumerate() {
                // The same address twice on one record is found once, under its first type.
                if seen.insert(address.value.to_lowercase()) {
                    lines.push((r.subject, reach, position, address));
                }
            }
        }
    }
    let columns = Columns::new()
        .texts(lines.iter().map(|(_, reach, _, _)| reach.as_str()))
        .texts(lines.iter().map(|(_, _, _, a)| a.value.to_lowercase()))
        .texts(lines.iter().map(|(s, _, _, _)| word_of(*s)))
        .ints(lines.iter().map(|(s, _, _, _)| number_of(*s)))
        .texts(lines.iter().map(|(_, _, _, a)| kind_word(a.kind)))
        .ints(lines.iter().map(|(_, _, position, _)| *position as i64));
    tx.of(w).exec_rows(
        "INSERT INTO address (workspace_id, kind, value, subject, subject_id, type, position)
         SELECT $1, r.kind, r.value, r.subject, r.subject_id, r.type, r.position
         FROM rows(kind TEXT, value TEXT, subject TEXT, subject_id BIGINT, type TEXT, position BIGINT) AS r",
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
        "DELETE FROM address USING rows(subject TEXT, subject_id BIGINT) AS r
         WHERE address.workspace_id = $1 AND address.subject = r.subject AND address.subject_id = r.subject_id",
        &columns,
        args![],
    )?;
    Ok(())
}

/// `contact` or `company`, as several tables store it.
pub(crate) fn word_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Contact(_) => "contact",
        Subject::Company(_) => "company",
    }
}

pub(crate) fn number_of(subject: Subject) -> i64 {
    match subject {
        Subject::Contact(c) => c.0,
        Subject::Company(c) => c.0,
    }
}

pub(crate) fn subject(word: &str, id: i64) -> Result<Subject> {
    match word {
        "contact" => Ok(Subject::Contact(ContactId(id))),
        "company" => Ok(Subject::Company(CompanyId(id))),
        _ => Err(StoreError::inconsistent("address", id, format!("{word:?} is no contact or company"))),
    }
}

fn kind_word(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Work => "work",
        AddressKind::Personal => "personal",
        // No address is of any kind; one whose kind nobody said is of another.
        AddressKind::Other | AddressKind::Any => "other",
    }
}
