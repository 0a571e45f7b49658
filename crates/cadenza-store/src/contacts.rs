//! Contacts: the record itself, singly and in bulk. Finding them is in `search`, forgetting them in `erase`; what they do
//! in sequences is the enrollments' business.

mod absorb;
mod erase;
mod search;

pub use absorb::absorb;
pub use erase::erase;
pub use search::{Filter, Found, InSequences, Order, count, ids, search};

use crate::addresses::{self, Of, TypedAddress};
use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::search_words;
use crate::value::Columns;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use std::collections::HashMap;

/// Values of fields that the workspace added, by name.
pub type Custom = serde_json::Map<String, serde_json::Value>;

/// A person.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Contact {
    pub id: ContactId,
    pub first_name: String,
    pub last_name: String,
    pub title: String,
    pub company: Option<CompanyId>,
    pub owner: Option<UserId>,
    pub zone: Option<Zone>,
    /// As people write it.
    pub country: Option<String>,
    /// BCP 47, such as `de` or `pt-BR`.
    pub language: Option<String>,
    pub linkedin: Option<String>,
    /// In the order in which they are tried.
    pub emails: Vec<TypedAddress>,
    pub phones: Vec<TypedAddress>,
    pub custom: Custom,
    /// The last mail or text sent, or call made (ENR-6); kept by the door.
    pub last_contacted_at: Option<Time>,
    /// The last click or reply of the person; kept by the door.
    pub last_engaged_at: Option<Time>,
    pub created_by: Option<UserId>,
    pub created_at: Time,
    pub updated_at: Time,
    /// Moves with every change by a person.
    pub version: i64,
}

impl Contact {
    /// As lists show it; the first address where it has no name.
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.emails.first().map(|a| a.value.clone()).unwrap_or_default(),
            name => name.to_owned(),
        }
    }

    fn sort_name(&self) -> String {
        match (self.last_name.trim(), self.first_name.trim()) {
            ("", "") => fold(&self.full_name()),
            (last, first) => fold(format!("{last} {first}").trim()),
        }
    }

    fn addresses(&self) -> Of<'_> {
        Of { subject: Subject::Contact(self.id), emails: &self.emails, phones: &self.phones }
    }
}

pub(crate) const COLUMNS: &str = "c.id, c.first_name, c.last_name, c.title, c.company_id, c.owner_id, c.zone, c.country, \
     c.language, c.linkedin, c.emails, c.phones, c.custom, c.last_contacted_at, c.last_engaged_at, c.created_by, \
     c.created_at, c.updated_at, c.version";

pub(crate) fn read(row: &Row) -> Result<Contact> {
    read_cells(&mut Cells::of(row, "contact"))
}

pub(crate) fn read_cells(c: &mut Cells<'_>) -> Result<Contact> {
    Ok(Contact {
        id: c.id(ContactId)?,
        first_name: c.string()?,
        last_name: c.string()?,
        title: c.string()?,
        company: c.opt_id(CompanyId)?,
        owner: c.opt_id(UserId)?,
        zone: c.opt_word(str::parse::<Zone>)?,
        country: c.opt_string()?,
        language: c.opt_string()?,
        linkedin: c.opt_string()?,
        emails: c.json()?,
        phones: c.json()?,
        custom: c.json()?,
        last_contacted_at: c.opt_time()?,
        last_engaged_at: c.opt_time()?,
        created_by: c.opt_id(UserId)?,
        created_at: c.time()?,
        updated_at: c.time()?,
        version: c.int()?,
    })
}

/// Adds new contacts, with what they are found by.
pub fn insert(tx: &mut Tx, w: WorkspaceId, contacts: &[Contact]) -> Result<()> {
    let json = |c: &Contact| {
        Ok((
            to_json(&c.emails, "contact", c.id)?,
            to_json(&c.phones, "contact", c.id)?,
            to_json(&c.custom, "contact", c.id)?,
        ))
    };
    let json = contacts.iter().map(json).collect::<Result<Vec<_>>>()?;
    let columns = Columns::new()
        .ints(contacts.iter().map(|c| c.id))
        .texts(contacts.iter().map(|c| c.first_name.as_str()))
        .texts(contacts.iter().map(|c| c.last_name.as_str()))
        .texts(contacts.iter().map(Contact::sort_name))
        .texts(contacts.iter().map(|c| c.title.as_str()))
        .opt_ints(contacts.iter().map(|c| c.company))
        .opt_ints(contacts.iter().map(|c| c.owner))
        .opt_texts(contacts.iter().map(|c| c.zone.as_ref().map(Zone::name)))
        .opt_texts(contacts.iter().map(|c| c.country.as_deref()))
        .opt_texts(contacts.iter().map(|c| c.language.as_deref()))
        .opt_texts(contacts.iter().map(|c| c.linkedin.as_deref()))
        .texts(json.iter().map(|j| j.0.as_str()))
        .texts(json.iter().map(|j| j.1.as_str()))
        .texts(json.iter().map(|j| j.2.as_str()))
        .opt_ints(contacts.iter().map(|c| c.created_by))
        .ints(contacts.iter().map(|c| c.created_at))
        .ints(contacts.iter().map(|c| c.updated_at));
    tx.of(w).exec_rows(
        "INSERT INTO contact (workspace_id, id, first_name, last_name, sort_name, title, company_id, owner_id, zone, country,
             language, linkedin, emails, phones, custom, created_by, created_at, updated_at, version)
         SELECT $1, r.id, r.first, r.last, r.sort, r.title, r.company, r.owner, r.zone, r.country, r.language, r.linkedin,
             r.emails, r.phones, r.custom, r.by_id, r.created, r.updated, 1
         FROM rows(id BIGINT, first TEXT, last TEXT, sort TEXT, title TEXT, company BIGINT, owner BIGINT, zone TEXT,
             country TEXT, language TEXT, linkedin TEXT, emails TEXT, phones TEXT, custom TEXT, by_id BIGINT,
             created BIGINT, updated BIGINT) AS r",
        &columns,
        args![],
    )?;
    index(tx, w, contacts)
}

/// Writes everything of a contact that a person can set.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, contact: &Contact, now: Time) -> Result<()> {
    let c = contact;
    tx.of(w).exec_one(
        "UPDATE contact SET first_name = $3, last_name = $4, sort_name = $5, title = $6, company_id = $7, owner_id = $8,
             zone = $9, country = $10, language = $11, linkedin = $12, emails = $13, phones = $14, custom = $15,
             updated_at = $16, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            c.id,
            &c.first_name,
            &c.last_name,
            c.sort_name(),
            &c.title,
            c.company,
            c.owner,
            c.zone.as_ref().map(Zone::name),
            c.country.as_deref(),
            c.language.as_deref(),
            c.linkedin.as_deref(),
            to_json(&c.emails, "contact", c.id)?,
            to_json(&c.phones, "contact", c.id)?,
            to_json(&c.custom, "contact", c.id)?,
            now,
        ],
        "contact",
        c.id,
    )?;
    index(tx, w, std::slice::from_ref(c))
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: ContactId) -> Result<Contact> {
    let sql = format!("SELECT {COLUMNS} FROM contact c WHERE c.workspace_id = $1 AND c.id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("contact", id))?;
    read(&row)
}

/// As [`get`], for a transaction that will change it: nobody else does meanwhile.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: ContactId) -> Result<Contact> {
    let sql = format!("SELECT {COLUMNS} FROM contact c WHERE c.workspace_id = $1 AND c.id = $2 FOR UPDATE");
    let row = tx.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("contact", id))?;
    read(&row)
}

/// Those of these ids that exist, in any order.
pub fn many(q: &mut Query, w: WorkspaceId, ids: impl IntoIterator<Item = ContactId>) -> Result<Vec<Contact>> {
    let sql =
        format!("SELECT {COLUMNS} FROM rows(id BIGINT) AS r JOIN contact c ON c.workspace_id = $1 AND c.id = r.id");
    q.of(w).rows(&sql, &Columns::new().ints(ids), args![])?.iter().map(read).collect()
}

/// The contacts of a company, by name.
pub fn of_company(q: &mut Query, w: WorkspaceId, company: CompanyId) -> Result<Vec<Contact>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contact c WHERE c.workspace_id = $1 AND c.company_id = $2 ORDER BY c.sort_name, c.id"
    );
    q.of(w).all(&sql, args![company])?.iter().map(read).collect()
}

/// A contact's résumé; empty where there is none.
pub fn resume(q: &mut Query, w: WorkspaceId, id: ContactId) -> Result<String> {
    let row = q.of(w).opt("SELECT body FROM resume WHERE workspace_id = $1 AND contact_id = $2", args![id])?;
    row.map_or_else(|| Ok(String::new()), |row| row.text(0).map(str::to_owned))
}

/// Errors: `Violation` where there is no such contact.
pub fn set_resume(tx: &mut Tx, w: WorkspaceId, id: ContactId, body: &str, now: Time) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO resume (workspace_id, contact_id, body, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace_id, contact_id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
        args![id, body, now],
    )?;
    Ok(())
}

/// Writes what contacts are found by: their addresses, and the words of their names, addresses and company.
pub(crate) fn index(tx: &mut Tx, w: WorkspaceId, contacts: &[Contact]) -> Result<()> {
    let companies = company_names(tx, w, contacts)?;
    let addresses: Vec<Of<'_>> = contacts.iter().map(Contact::addresses).collect();
    addresses::replace(tx, w, &addresses)?;
    let words: Vec<_> = contacts
        .iter()
        .map(|c| {
            let company = c.company.and_then(|id| companies.get(&id)).map(String::as_str);
            let names = [c.first_name.as_str(), &c.last_name].into_iter().chain(company);
            (Subject::Contact(c.id), search_words::of(names, c.addresses()))
        })
        .collect();
    search_words::replace(tx, w, &words)
}

fn company_names(q: &mut Query, w: WorkspaceId, contacts: &[Contact]) -> Result<HashMap<CompanyId, String>> {
    let mut ids: Vec<CompanyId> = contacts.iter().filter_map(|c| c.company).collect();
    ids.sort_unstable();
    ids.dedup();
    let sql = "SELECT k.id, k.name FROM rows(id BIGINT) AS r JOIN company k ON k.workspace_id = $1 AND k.id = r.id";
    let rows = q.of(w).rows(sql, &Columns::new().ints(ids), args![])?;
    rows.iter().map(|row| Ok((CompanyId(row.int(0)?), row.text(1)?.to_owned()))).collect()
}
