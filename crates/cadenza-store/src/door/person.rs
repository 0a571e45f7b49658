//! The people a batch is about: addresses, zones, owners, and what their messages may say of them.

use super::load::Round;
use crate::error::{Result, StoreError};
use crate::hashed::HashSet;
use crate::query::Query;
use crate::row::Row;
use crate::suppression;
use crate::value::Columns;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::facts::{Address, Person};
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::{CompanyId, ContactId, UserId};
use cadenza_core::merge::Fields;
use cadenza_core::suppression::Suppressible;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A contact or company, with what merge fields say of it.
#[derive(Debug, Clone)]
pub struct PersonInfo {
    pub person: Person,
    /// Empty unless asked for.
    pub fields: Fields,
    /// The contact's latest opportunity, open ones first; empty unless asked for.
    pub opportunity: Fields,
    pub company: Option<CompanyId>,
    known: Wanted,
}

/// What of a person a batch looks at, beside addresses and zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub suppression: bool,
    pub fields: bool,
    pub opportunity: bool,
}

impl Wanted {
    fn covers(self, other: Wanted) -> bool {
        self.suppression >= other.suppression && self.fields >= other.fields && self.opportunity >= other.opportunity
    }
}

#[derive(Deserialize)]
struct StoredAddress {
    kind: AddressKind,
    value: String,
}

/// What every decision looks at; what a message may say of them follows it, only where one is written.
const CONTACTS: &str = "SELECT c.id, c.owner_id, c.zone, c.emails, c.phones, c.company_id, k.owner_id, k.zone
    FROM rows(id BIGINT) AS r
    JOIN contact c ON c.workspace_id = $1 AND c.id = r.id
    LEFT JOIN company k ON k.workspace_id = $1 AND k.id = c.company_id";

const CONTACTS_WITH_FIELDS: &str =
    "SELECT c.id, c.owner_id, c.zone, c.emails, c.phones, c.company_id, k.owner_id, k.zone,
        c.first_name, c.last_name, c.title, c.country, c.linkedin, c.custom, c.language,
        k.name, k.website, k.country, k.emails, k.phones, k.custom
    FROM rows(id BIGINT) AS r
    JOIN contact c ON c.workspace_id = $1 AND c.id = r.id
    LEFT JOIN company k ON k.workspace_id = $1 AND k.id = c.company_id";

const COMPANIES: &str = "SELECT k.id, k.owner_id, k.name, k.website, k.zone, k.country, k.emails, k.phones, k.custom
    FROM rows(id BIGINT) AS r JOIN company k ON k.workspace_id = $1 AND k.id = r.id";

const OPPORTUNITIES: &str = "SELECT oc.contact_id, o.name, o.custom, s.name
    FROM rows(id BIGINT) AS r
    JOIN opportunity_contact oc ON oc.workspace_id = $1 AND oc.contact_id = r.id
    JOIN opportunity o ON o.workspace_id = $1 AND o.id = oc.opportunity_id
    JOIN workflow_stage s ON s.workspace_id = $1 AND s.id = oc.workflow_stage_id
    ORDER BY CASE WHEN o.closed_at IS NULL THEN 1 ELSE 0 END, oc.since_at, o.id";

/// Facts that the records have no column for stand among their custom values under these names.
const OF_CONTACT: &[&str] = &["city", "region"];
const OF_COMPANY: &[&str] = &["industry", "city", "region", "linkedin"];
const OF_OPPORTUNITY: &[&str] = &["description", "location", "url"];

pub(super) fn load(round: &mut Round, q: &mut Query, subjects: HashSet<Subject>, wanted: Wanted) -> Result<()> {
    let (mut contacts, mut companies) = (Vec::new(), Vec::new());
    let mut subjects: Vec<Subject> = subjects.into_iter().collect();
    subjects.sort_by_key(|s| match s {
        Subject::Contact(c) => c.0,
        Subject::Company(c) => c.0,
    });
    subjects.retain(|subject| !round.people.get(subject).is_some_and(|p| p.known.covers(wanted)));
    for subject in &subjects {
        match subject {
            Subject::Contact(c) => contacts.push(*c),
            Subject::Company(c) => companies.push(*c),
        }
    }
    let mut people = Vec::with_capacity(subjects.len());
    let sql = if wanted.fields { CONTACTS_WITH_FIELDS } else { CONTACTS };
    for row in q.query_rows(sql, &Columns::new().ints(contacts.iter().copied()), &[round.workspace.into()])? {
        let id = ContactId(row.int(0)?);
        people.push((Subject::Contact(id), contact(&row, id, wanted)?));
    }
    for row in q.query_rows(COMPANIES, &Columns::new().ints(companies), &[round.workspace.into()])? {
        let id = CompanyId(row.int(0)?);
        people.push((Subject::Company(id), company(&row, id, wanted)?));
    }
    if wanted.suppression {
        mark_suppressed(round, q, &mut people)?;
    }
    round.people.extend(people.into_iter().map(|(subject, info)| (subject, Arc::new(info))));
    if wanted.opportunity { load_opportunities(round, q, contacts) } else { Ok(()) }
}

fn contact(row: &Row, id: ContactId, wanted: Wanted) -> Result<PersonInfo> {
    let bad = |why: String| StoreError::inconsistent("contact", id, why);
    let own = zone(row.opt_text(2)?).map_err(bad)?;
    let person = Person {
        emails: addresses(row.text(3)?).map_err(bad)?,
        phones: addresses(row.text(4)?).map_err(bad)?,
        plausible_zones: own.iter().cloned().collect(),
        zone: own,
        company_zone: zone(row.opt_text(7)?).map_err(bad)?,
        owner: row.opt_int(1)?.map(UserId),
        company_owner: row.opt_int(6)?.map(UserId),
    };
    let mut fields = Fields::new();
    if wanted.fields {
        let (first, last) = (row.text(8)?, row.text(9)?);
        fields.set("contact.first_name", first);
        fields.set("contact.last_name", last);
        fields.set("contact.full_name", format!("{first} {last}").trim());
        fields.set("contact.title", row.text(10)?);
        set(&mut fields, "contact.country", row.opt_text(11)?);
        set(&mut fields, "contact.linkedin", row.opt_text(12)?);
        set(&mut fields, "contact.language", row.opt_text(14)?);
        custom(&mut fields, row.text(13)?, "contact", OF_CONTACT).map_err(bad)?;
        if let Some(name) = row.opt_text(15)? {
            fields.set("company.name", name);
            let theirs = Theirs {
                website: row.opt_text(16)?,
                country: row.opt_text(17)?,
                emails: row.text(18)?,
                phones: row.text(19)?,
                custom: row.text(20)?,
            };
            theirs.say(&mut fields).map_err(bad)?;
        }
    }
    let company = row.opt_int(5)?.map(CompanyId);
    Ok(PersonInfo { person, fields, opportunity: Fields::new(), company, known: wanted })
}

fn company(row: &Row, id: CompanyId, wanted: Wanted) -> Result<PersonInfo> {
    let bad = |why: String| StoreError::inconsistent("company", id, why);
    let owner = row.opt_int(1)?.map(UserId);
    let own = zone(row.opt_text(4)?).map_err(bad)?;
    let person = Person {
        emails: addresses(row.text(6)?).map_err(bad)?,
        phones: addresses(row.text(7)?).map_err(bad)?,
        plausible_zones: own.iter().cloned().collect(),
        zone: own,
        company_zone: None,
        owner,
        company_owner: owner,
    };
    let mut fields = Fields::new();
    if wanted.fields {
        fields.set("company.name", row.text(2)?);
        custom(&mut fields, row.text(8)?, "company", &[]).map_err(bad)?;
        let theirs = Theirs {
            website: row.opt_text(3)?,
            country: row.opt_text(5)?,
            emails: row.text(6)?,
            phones: row.text(7)?,
            custom: row.text(8)?,
        };
        theirs.say(&mut fields).map_err(bad)?;
    }
    Ok(PersonInfo { person, fields, opportunity: Fields::new(), company: Some(id), known: wanted })
}

/// What is said of a company, be it the subject or the contact's.
struct Theirs<'a> {
    website: Option<&'a str>,
    country: Option<&'a str>,
    emails: &'a str,
    phones: &'a str,
    custom: &'a str,
}

impl Theirs<'_> {
    fn say(&self, fields: &mut Fields) -> std::result::Result<(), String> {
        set(fields, "company.website", self.website);
        set(fields, "company.domain", self.website.and_then(domain));
        set(fields, "company.country", self.country);
        set(fields, "company.email", addresses(self.emails)?.first().map(|a| a.value.as_str()));
        set(fields, "company.phone", addresses(self.phones)?.first().map(|a| a.value.as_str()));
        for name in OF_COMPANY {
            if let Some(text) = object(self.custom)?.get(*name).and_then(text_of) {
                fields.set(&format!("company.{name}"), &text);
            }
        }
        Ok(())
    }
}

/// The domain of a website: `example.com` of `https://www.example.com/about`.
fn domain(website: &str) -> Option<&str> {
    let rest = website.trim().split_once("://").map_or(website.trim(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.contains('.').then_some(host)
}

fn set(fields: &mut Fields, path: &str, value: Option<&str>) {
    if let Some(value) = value {
        fields.set(path, value);
    }
}

/// The workspace's own fields as `custom.…`, and those that stand for a built-in one beside it.
fn custom(fields: &mut Fields, json: &str, of: &str, built_in: &[&str]) -> std::result::Result<(), String> {
    for (name, value) in object(json)? {
        let Some(text) = text_of(&value) else { continue };
        fields.set(&format!("custom.{name}"), &text);
        if built_in.contains(&name.as_str()) {
            fields.set(&format!("{of}.{name}"), &text);
        }
    }
    Ok(())
}

fn object(json: &str) -> std::result::Result<Map<String, Value>, String> {
    if json == "{}" { Ok(Map::new()) } else { serde_json::from_str(json).map_err(|e| e.to_string()) }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(s) => Some(s.clone()),
        other => Some(other.to_string()),
    }
}

fn addresses(json: &str) -> std::result::Result<Vec<Address>, String> {
    if json == "[]" {
        return Ok(Vec::new());
    }
    let stored: Vec<StoredAddress> = serde_json::from_str(json).map_err(|e| e.to_string())?;
    Ok(stored.into_iter().map(|a| Address { kind: a.kind, value: a.value, suppressed: None }).collect())
}

fn zone(name: Option<&str>) -> std::result::Result<Option<Zone>, String> {
    name.filter(|n| !n.is_empty()).map(|n| n.parse::<Zone>().map_err(|e| e.to_string())).transpose()
}

/// Marks the addresses and numbers that are suppressed, by themselves or by their domain.
fn mark_suppressed(round: &Round, q: &mut Query, people: &mut [(Subject, PersonInfo)]) -> Result<()> {
    let mut values: BTreeSet<(Suppressible, &str)> = BTreeSet::new();
    for (_, info) in people.iter() {
        values.extend(info.person.emails.iter().map(|a| (Suppressible::Email, a.value.as_str())));
        values.extend(info.person.phones.iter().map(|a| (Suppressible::Phone, a.value.as_str())));
    }
    let found = suppression::check(q, round.workspace, &round.ws.key, values)?;
    if found.is_empty() {
        return Ok(());
    }
    let why = |kind, value: &str| found.get(&(kind, value.to_owned())).map(|why| why.as_str().to_owned());
    for (_, info) in people {
        for address in &mut info.person.emails {
            address.suppressed = why(Suppressible::Email, &address.value);
        }
        for number in &mut info.person.phones {
            number.suppressed = why(Suppressible::Phone, &number.value);
        }
    }
    Ok(())
}

/// The latest opportunity of each contact; the last row of a contact counts, and open ones come last.
fn load_opportunities(round: &mut Round, q: &mut Query, contacts: Vec<ContactId>) -> Result<()> {
    for row in q.query_rows(OPPORTUNITIES, &Columns::new().ints(contacts), &[round.workspace.into()])? {
        let id = ContactId(row.int(0)?);
        let Some(info) = round.people.get_mut(&Subject::Contact(id)) else { continue };
        let bad = |why: String| StoreError::inconsistent("opportunity", format!("of {id}"), why);
        let mut fields = Fields::new();
        fields.set("opportunity.name", row.text(1)?);
        fields.set("opportunity.workflow_stage", row.text(3)?);
        let own = object(row.text(2)?).map_err(bad)?;
        for name in OF_OPPORTUNITY {
            if let Some(text) = own.get(*name).and_then(text_of) {
                fields.set(&format!("opportunity.{name}"), &text);
            }
        }
        Arc::make_mut(info).opportunity = fields;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn a_website_has_a_domain() {
        assert_eq!(domain("https://www.example.com/about"), Some("example.com"));
        assert_eq!(domain("example.com:8080"), Some("example.com"));
        assert_eq!(domain("intranet"), None);
    }
}
