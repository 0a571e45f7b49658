//! Companies: the record itself, singly and in bulk, and finding them by name or address.

use crate::addresses::{self, Of, TypedAddress};
use crate::cells::{Cells, to_json};
use crate::contacts::{self, Custom};
use crate::error::{Result, StoreError};
use crate::folding::{end_of, fold, terms};
use crate::page::{After, Page};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::search_words;
use crate::value::Columns;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// A company.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Company {
    pub id: CompanyId,
    pub name: String,
    pub website: Option<String>,
    pub owner: Option<UserId>,
    pub zone: Option<Zone>,
    pub country: Option<String>,
    pub language: Option<String>,
    /// The company's own, for sequences of companies (ENR-14).
    pub emails: Vec<TypedAddress>,
    pub phones: Vec<TypedAddress>,
    pub custom: Custom,
    pub last_contacted_at: Option<Time>,
    pub last_engaged_at: Option<Time>,
    pub created_by: Option<UserId>,
    pub created_at: Time,
    pub updated_at: Time,
    /// Moves with every change by a person.
    pub version: i64,
}

impl Company {
    fn addresses(&self) -> Of<'_> {
        Of { subject: Subject::Company(self.id), emails: &self.emails, phones: &self.phones }
    }
}

const COLUMNS: &str = "k.id, k.name, k.website, k.owner_id, k.zone, k.country, k.language, k.emails, k.phones, k.custom, \
     k.last_contacted_at, k.last_engaged_at, k.created_by, k.created_at, k.updated_at, k.version";

fn read(row: &Row) -> Result<Company> {
    let mut c = Cells::of(row, "company");
    Ok(Company {
        id: c.id(CompanyId)?,
        name: c.string()?,
        website: c.opt_string()?,
        owner: c.opt_id(UserId)?,
        zone: c.opt_word(str::parse::<Zone>)?,
        country: c.opt_string()?,
        language: c.opt_string()?,
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

/// Adds new companies, with what they are found by.
pub fn insert(tx: &mut Tx, w: WorkspaceId, companies: &[Company]) -> Result<()> {
    let json = |c: &Company| {
        Ok((
            to_json(&c.emails, "company", c.id)?,
            to_json(&c.phones, "company", c.id)?,
            to_json(&c.custom, "company", c.id)?,
        ))
    };
    let json = companies.iter().map(json).collect::<Result<Vec<_>>>()?;
    let columns = Columns::new()
        .ints(companies.iter().map(|c| c.id))
        .texts(companies.iter().map(|c| c.name.as_str()))
        .texts(companies.iter().map(|c| fold(&c.name)))
        .opt_texts(companies.iter().map(|c| c.website.as_deref()))
        .opt_ints(companies.iter().map(|c| c.owner))
        .opt_texts(companies.iter().map(|c| c.zone.as_ref().map(Zone::name)))
        .opt_texts(companies.iter().map(|c| c.country.as_deref()))
        .opt_texts(companies.iter().map(|c| c.language.as_deref()))
        .texts(json.iter().map(|j| j.0.as_str()))
        .texts(json.iter().map(|j| j.1.as_str()))
        .texts(json.iter().map(|j| j.2.as_str()))
        .opt_ints(companies.iter().map(|c| c.created_by))
        .ints(companies.iter().map(|c| c.created_at))
        .ints(companies.iter().map(|c| c.updated_at));
    tx.of(w).exec_rows(
        "INSERT INTO company (workspace_id, id, name, sort_name, website, owner_id, zone, country, language, emails, phones,
             custom, created_by, created_at, updated_at, version)
         SELECT $1, r.id, r.name, r.sort, r.website, r.owner, r.zone, r.country, r.language, r.emails, r.phones, r.custom,
             r.by_id, r.created, r.updated, 1
         FROM rows(id BIGINT, name TEXT, sort TEXT, website TEXT, owner BIGINT, zone TEXT, country TEXT, language TEXT,
             emails TEXT, phones TEXT, custom TEXT, by_id BIGINT, created BIGINT, updated BIGINT) AS r",
        &columns,
        args![],
    )?;
    index(tx, w, companies)
}

/// Writes everything of a company that a person can set. Its contacts are found by its new name.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, company: &Company, now: Time) -> Result<()> {
    let c = company;
    let renamed = get(tx, w, c.id)?.name != c.name;
    tx.of(w).exec_one(
        "UPDATE company SET name = $3, sort_name = $4, website = $5, owner_id = $6, zone = $7, country = $8, language = $9,
             emails = $10, phones = $11, custom = $12, updated_at = $13, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            c.id,
            &c.name,
            fold(&c.name),
            c.website.as_deref(),
            c.owner,
            c.zone.as_ref().map(Zone::name),
            c.country.as_deref(),
            c.language.as_deref(),
            to_json(&c.emails, "company", c.id)?,
            to_json(&c.phones, "company", c.id)?,
            to_json(&c.custom, "company", c.id)?,
            now,
        ],
        "company",
        c.id,
    )?;
    index(tx, w, std::slice::from_ref(c))?;
    if renamed {
        let people = contacts::of_company(tx, w, c.id)?;
        contacts::index(tx, w, &people)?;
    }
    Ok(())
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: CompanyId) -> Result<Company> {
    let sql = format!("SELECT {COLUMNS} FROM company k WHERE k.workspace_id = $1 AND k.id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("company", id))?;
    read(&row)
}

/// Those of these ids that exist, in any order.
pub fn many(q: &mut Query, w: WorkspaceId, ids: impl IntoIterator<Item = CompanyId>) -> Result<Vec<Company>> {
    let sql =
        format!("SELECT {COLUMNS} FROM rows(id BIGINT) AS r JOIN company k ON k.workspace_id = $1 AND k.id = r.id");
    q.of(w).rows(&sql, &Columns::new().ints(ids), args![])?.iter().map(read).collect()
}

/// Those of these names, whatever their case; the oldest where several have one.
pub fn named<'n>(
    q: &mut Query,
    w: WorkspaceId,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Vec<(String, CompanyId)>> {
    let sql = "SELECT r.name, k.id FROM rows(name TEXT) AS r
         JOIN company k ON k.workspace_id = $1 AND k.sort_name = r.name";
    let rows = q.of(w).rows(sql, &Columns::new().texts(names.into_iter().map(fold)), args![])?;
    let mut found =
        rows.iter().map(|r| Ok((r.text(0)?.to_owned(), CompanyId(r.int(1)?)))).collect::<Result<Vec<_>>>()?;
    found.sort_unstable();
    found.dedup_by(|later, first| later.0 == first.0);
    Ok(found)
}

/// By name, from behind `after`; `typed` is what somebody typed to find them.
pub fn search(
    q: &mut Query,
    w: WorkspaceId,
    typed: &str,
    after: Option<&After<String>>,
    limit: usize,
) -> Result<Page<Company, String>> {
    let (name, id) = after.map_or(("", i64::MIN), |a| (a.key.as_str(), a.id));
    let mut args = args![name, id, limit as i64 + 1];
    let mut sql = format!(
        "SELECT {COLUMNS}, k.sort_name FROM company k
         WHERE k.workspace_id = $1 AND (k.sort_name, k.id) > ($2, $3)"
    );
    for term in terms(typed) {
        let (from, to) = (args.push(term.as_str()), args.push(end_of(&term)));
        sql.push_str(&format!(
            " AND k.id IN (SELECT x.subject_id FROM search_word x WHERE x.workspace_id = $1 AND x.subject = 'company'
                 AND x.word >= {from} AND x.word < {to})"
        ));
    }
    sql.push_str(" ORDER BY k.sort_name, k.id LIMIT $4");
    let rows = q.of(w).all(&sql, args)?;
    let last = COLUMNS.split(',').count();
    Page::of(&rows, limit, |row| {
        let company = read(row)?;
        let after = After { key: row.text(last)?.to_owned(), id: company.id.0 };
        Ok((company, after))
    })
}

fn index(tx: &mut Tx, w: WorkspaceId, companies: &[Company]) -> Result<()> {
    let addresses: Vec<Of<'_>> = companies.iter().map(Company::addresses).collect();
    addresses::replace(tx, w, &addresses)?;
    let words: Vec<_> = companies
        .iter()
        .map(|c| {
            let names = [c.name.as_str()].into_iter().chain(c.website.as_deref());
            (Subject::Company(c.id), search_words::of(names, c.addresses()))
        })
        .collect();
    search_words::replace(tx, w, &words)
}
