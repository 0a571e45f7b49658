//! Finding contacts: by what somebody typed, by owner, company and list, and by what they do in sequences (OPS-11).

use super::{COLUMNS, Contact, read};
use crate::enrolled::Enrolled;
use crate::error::Result;
use crate::folding::{end_of, terms};
use crate::page::{After, Page};
use crate::query::Query;
use crate::scope::{Args, args};
use cadenza_core::ids::{CompanyId, ContactId, ListId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// Which contacts are wanted; everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Words, beginnings of words, addresses or numbers, all of which are to be found.
    pub typed: String,
    pub owner: Option<UserId>,
    pub company: Option<CompanyId>,
    pub list: Option<ListId>,
    pub sequences: InSequences,
}

/// What a contact does in sequences.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum InSequences {
    #[default]
    Whatever,
    /// In at least one such enrollment.
    Some(Enrolled),
    /// In no such enrollment.
    None(Enrolled),
}

/// In which order contacts come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By last name.
    #[default]
    Name,
    Newest,
}

/// A contact as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub contact: Contact,
    pub company_name: Option<String>,
}

/// A page of contacts, from behind `after`.
pub fn search(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    order: Order,
    after: Option<&After<String>>,
    limit: usize,
    now: Time,
) -> Result<Page<Found, String>> {
    let mut args = args![limit as i64 + 1];
    let behind = match (order, after) {
        (Order::Name, Some(a)) => {
            let (name, id) = (args.push(&a.key), args.push(a.id));
            format!(" AND (c.sort_name, c.id) > ({name}, {id})")
        }
        (Order::Newest, Some(a)) => format!(" AND c.id < {}", args.push(a.id)),
        (_, None) => String::new(),
    };
    let sorted = match order {
        Order::Name => "c.sort_name, c.id",
        Order::Newest => "c.id DESC",
    };
    let conditions = conditions(filter, now, &mut args);
    let sql = format!(
        "SELECT {COLUMNS}, c.sort_name, k.name FROM contact c
         LEFT JOIN company k ON k.workspace_id = $1 AND k.id = c.company_id
         WHERE c.workspace_id = $1{conditions}{behind} ORDER BY {sorted} LIMIT $2"
    );
    let rows = q.of(w).all(&sql, args)?;
    let columns = COLUMNS.split(',').count();
    Page::of(&rows, limit, |row| {
        let contact = read(row)?;
        let after = After { key: row.text(columns)?.to_owned(), id: contact.id.0 };
        Ok((Found { contact, company_name: row.opt_text(columns + 1)?.map(str::to_owned) }, after))
    })
}

/// How many there are, counted no further than `at_most`.
pub fn count(q: &mut Query, w: WorkspaceId, filter: &Filter, at_most: usize, now: Time) -> Result<i64> {
    let mut args = args![at_most as i64];
    let conditions = conditions(filter, now, &mut args);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM contact c WHERE c.workspace_id = $1{conditions} LIMIT $2) AS found"
    );
    q.of(w).one(&sql, args)?.int(0)
}

/// The ids alone, ascending, from behind `after`: for what is done to all of them.
pub fn ids(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    after: Option<ContactId>,
    limit: usize,
    now: Time,
) -> Result<Vec<ContactId>> {
    let mut args = args![after.map_or(i64::MIN, |id| id.0), limit as i64];
    let conditions = conditions(filter, now, &mut args);
    let sql = format!(
        "SELECT c.id FROM contact c WHERE c.workspace_id = $1 AND c.id > $2{conditions} ORDER BY c.id LIMIT $3"
    );
    q.of(w).all(&sql, args)?.iter().map(|row| row.int(0).map(ContactId)).collect()
}

fn conditions(filter: &Filter, now: Time, args: &mut Args) -> String {
    let mut sql = String::new();
    for term in terms(&filter.typed) {
        let (from, to) = (args.push(term.as_str()), args.push(end_of(&term)));
        // Short beginnings fit very many contacts, which are then looked through in order; longer ones fit few, which
        // are looked up first.
        sql.push_str(&if term.chars().count() < 3 {
            format!(
                " AND EXISTS (SELECT 1 FROM search_word x WHERE x.workspace_id = $1 AND x.subject = 'contact'
                     AND x.subject_id = c.id AND x.word >= {from} AND x.word < {to})"
            )
        } else {
            format!(
                " AND c.id IN (SELECT x.subject_id FROM search_word x WHERE x.workspace_id = $1
                     AND x.subject = 'contact' AND x.word >= {from} AND x.word < {to})"
            )
        });
    }
    if let Some(owner) = filter.owner {
        sql.push_str(&format!(" AND c.owner_id = {}", args.push(owner)));
    }
    if let Some(company) = filter.company {
        sql.push_str(&format!(" AND c.company_id = {}", args.push(company)));
    }
    if let Some(list) = filter.list {
        sql.push_str(&format!(
            " AND c.id IN (SELECT m.subject_id FROM list_member m WHERE m.workspace_id = $1 AND m.list_id = {})",
            args.push(list)
        ));
    }
    match &filter.sequences {
        InSequences::Whatever => {}
        InSequences::Some(enrolled) => {
            sql.push_str(&format!(" AND c.id IN ({})", contacts_of(enrolled, now, args)));
        }
        InSequences::None(enrolled) => {
            let correlated = contacts_of(enrolled, now, args);
            sql.push_str(&format!(" AND NOT EXISTS ({correlated} AND e.contact_id = c.id)"));
        }
    }
    sql
}

fn contacts_of(enrolled: &Enrolled, now: Time, args: &mut Args) -> String {
    let conditions = enrolled.conditions(now, args);
    let join =
        if enrolled.needs_sequence() { " JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id" } else { "" };
    format!(
        "SELECT e.contact_id FROM enrollment e{join}
         WHERE e.workspace_id = $1 AND e.contact_id IS NOT NULL{conditions}"
    )
}
