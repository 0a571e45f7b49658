//! Importing contacts from CSV (API-6): columns found by their headers or mapped by hand, a dry run, duplicates found by
//! address, and every line that could not be taken named with its place and why. What is not right harms no other line.

mod error_file;
mod mended;
mod place;
mod preview;

pub use error_file::BadLine;
pub(super) use error_file::plain_cell;
pub use preview::{Column, columns};

use super::enrollments::tried;
use super::{ActionError, Caller, Privilege, Result};
use crate::app::App;
use cadenza_core::calendar::Zone;
use cadenza_core::compose::Address;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::{AuditId, CompanyId, ContactId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::addresses::{self, Reach, TypedAddress};
use cadenza_store::companies::{self, Company};
use cadenza_store::contacts::{self, Contact, Custom};
use cadenza_store::{StoreError, Tx, audit, users};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Contacts written in one transaction.
const CHUNK: usize = 1_000;
/// Lines of one import (LIM-1).
pub const LINES_MAX: usize = 100_000;

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    FirstName,
    LastName,
    /// Cut at the last space.
    FullName,
    Title,
    Email,
    EmailType,
    Phone,
    Company,
    Country,
    TimeZone,
    Language,
    Linkedin,
    /// Sign-in address of the primary owner.
    Owner,
    Custom(String),
    Ignore,
}

/// Headers that are understood, in lower case with letters and digits only.
const HEADERS: &[(&str, Target)] = &[
    ("firstname", Target::FirstName),
    ("givenname", Target::FirstName),
    ("vorname", Target::FirstName),
    ("lastname", Target::LastName),
    ("surname", Target::LastName),
    ("familyname", Target::LastName),
    ("nachname", Target::LastName),
    ("name", Target::FullName),
    ("fullname", Target::FullName),
    ("title", Target::Title),
    ("jobtitle", Target::Title),
    ("position", Target::Title),
    ("email", Target::Email),
    ("emailaddress", Target::Email),
    ("mail", Target::Email),
    ("emailtype", Target::EmailType),
    ("phone", Target::Phone),
    ("phonenumber", Target::Phone),
    ("mobile", Target::Phone),
    ("telephone", Target::Phone),
    ("company", Target::Company),
    ("companyname", Target::Company),
    ("organization", Target::Company),
    ("organisation", Target::Company),
    ("account", Target::Company),
    ("country", Target::Country),
    ("timezone", Target::TimeZone),
    ("zone", Target::TimeZone),
    ("tz", Target::TimeZone),
    ("language", Target::Language),
    ("linkedin", Target::Linkedin),
    ("linkedinurl", Target::Linkedin),
    ("owner", Target::Owner),
];

/// What to do with somebody whose address is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// What the line says replaces what stands there; what it leaves empty stays.
    #[default]
    Update,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// Reads and checks everything and writes nothing.
    Dry,
    #[default]
    Real,
}

/// How to read a file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// By header; others are found by their names, and those that are not become custom fields.
    pub columns: BTreeMap<String, Target>,
    pub on_duplicate: OnDuplicate,
    pub run: Run,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    pub read: usize,
    pub added: usize,
    pub updated: usize,
    pub skipped: usize,
    pub headers: Vec<String>,
    pub bad: Vec<BadLine>,
    /// Those added or updated, in the order of the file; empty after a dry run.
    #[serde(skip)]
    pub contacts: Vec<ContactId>,
}

/// One line, understood.
#[derive(Debug, Clone, Default)]
struct Line {
    number: u64,
    cells: Vec<String>,
    first_name: String,
    last_name: String,
    title: String,
    email: Option<TypedAddress>,
    phone: Option<TypedAddress>,
    company: Option<String>,
    country: Option<String>,
    zone: Option<Zone>,
    language: Option<String>,
    linkedin: Option<String>,
    owner: Option<UserId>,
    custom: Custom,
}

/// Imports contacts from the text of a CSV file.
///
/// # Errors
/// `Invalid` where the file as a whole cannot be read: no header, no column with an address or name, too many lines.
pub async fn contacts(app: &App, caller: &Caller, text: &str, options: &Options) -> Result<Imported> {
    caller.need(Privilege::ContactsEdit)?;
    let w = caller.workspace;
    let people: HashMap<String, UserId> =
        app.db.read_async(move |q| users::all(q, w)).await?.into_iter().map(|u| (u.address, u.id)).collect();
    let (mut done, lines) = read(text, options, &people)?;
    let mut seen = HashSet::new();
    let mut good = Vec::with_capacity(lines.len());
    for line in lines {
        match &line.email {
            Some(email) if !seen.insert(email.value.clone()) => {
                let why = format!("{} stands in an earlier line too", email.value);
                done.bad.push(BadLine { line: line.number, column: "email".into(), why, cells: line.cells });
            }
            _ => good.push(line),
        }
    }
    done.bad.sort_by_key(|b| b.line);
    let run = options.run;
    for chunk in good.chunks(CHUNK) {
        let (app2, caller2, chunk, options) = (app.clone(), caller.clone(), chunk.to_vec(), options.clone());
        let part = tried(app, move |tx| write(&app2, tx, &caller2, &chunk, &options)).await?;
        done.added += part.added;
        done.updated += part.updated;
        done.skipped += part.skipped;
        // A dry run makes nobody, so there is nobody to name.
        if run == Run::Real {
            done.contacts.extend(part.contacts);
        }
    }
    Ok(done)
}

fn read(text: &str, options: &Options, people: &HashMap<String, UserId>) -> Result<(Imported, Vec<Line>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    let headers: Vec<String> = match reader.headers() {
        Ok(h) if !h.iter().all(|c| c.trim().is_empty()) => h.iter().map(|c| c.trim().to_owned()).collect(),
        Ok(_) => {
            return Err(ActionError::invalid("line 1", "The file has no header line with the names of its columns."));
        }
        Err(e) => return Err(ActionError::invalid("line 1", format!("The header cannot be read: {e}"))),
    };
    let targets = targets_of(&headers, options);
    let named = |t: &Target| matches!(t, Target::Email | Target::FirstName | Target::LastName | Target::FullName);
    if !targets.iter().any(named) {
        let why = format!(
            "No column holds a name or an email address. The columns are {}; name one of them email, first_name or last_name, \
             or map it.",
            headers.join(", ")
        );
        return Err(ActionError::invalid("line 1", why));
    }
    let mut done = Imported { headers: headers.clone(), ..Imported::default() };
    let (mut lines, mut places) = (Vec::new(), place::Places::of(text));
    for record in reader.records() {
        done.read += 1;
        if done.read > LINES_MAX {
            return Err(ActionError::invalid(
                "file",
                format!("An import takes {LINES_MAX} lines at most; cut the file."),
            ));
        }
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let line = places.line(e.position());
                done.bad.push(BadLine { line, column: "line".into(), why: e.to_string(), cells: Vec::new() });
                continue;
            }
        };
        let number = places.line(record.position());
        let cells: Vec<String> = record.iter().map(|c| c.trim().to_owned()).collect();
        if cells.iter().all(String::is_empty) {
            done.read -= 1;
            continue;
        }
        let at = Cells { number, cells: &cells, headers: &headers, targets: &targets, people };
        match at.understand() {
            Ok(line) => lines.push(line),
            Err((column, why)) => done.bad.push(BadLine { line: number, column, why, cells }),
        }
    }
    Ok((done, lines))
}

/// Comma, semicolon or tab: what the header has most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().max_by_key(|d| header.bytes().filter(|b| b == d).count()).unwrap_or(b',')
}

fn targets_of(headers: &[String], options: &Options) -> Vec<Target> {
    let mut targets: Vec<Target> = headers.iter().map(|h| target_of(h, options)).collect();
    error_file::leave_out_remarks(headers, &mut targets, options);
    targets
}

fn target_of(header: &str, options: &Options) -> Target {
    if let Some(target) = options.columns.get(header) {
        return target.clone();
    }
    let plain: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match HEADERS.iter().find(|(name, _)| *name == plain) {
        Some((_, target)) => target.clone(),
        None if plain.is_empty() => Target::Ignore,
        None => Target::Custom(header.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")),
    }
}

struct Cells<'a> {
    number: u64,
    cells: &'a [String],
    headers: &'a [String],
    targets: &'a [Target],
    people: &'a HashMap<String, UserId>,
}

impl Cells<'_> {
    fn understand(&self) -> std::result::Result<Line, (String, String)> {
        if self.cells.len() > self.headers.len() {
            let why = format!("the line has {} cells and the header {}", self.cells.len(), self.headers.len());
            return Err(("line".into(), why));
        }
        let mut line = Line { number: self.number, cells: self.cells.to_vec(), ..Line::default() };
        let mut kind = AddressKind::Work;
        for ((cell, header), target) in self.cells.iter().zip(self.headers).zip(self.targets) {
            if cell.is_empty() {
                continue;
            }
            self.take(&mut line, &mut kind, target, cell).map_err(|why| (header.clone(), why))?;
        }
        if let Some(email) = line.email.as_mut() {
            email.kind = kind;
        }
        if line.email.is_none() && line.first_name.is_empty() && line.last_name.is_empty() {
            return Err(("line".into(), "the line has neither a name nor an email address".into()));
        }
        Ok(line)
    }

    fn take(
        &self,
        line: &mut Line,
        kind: &mut AddressKind,
        target: &Target,
        cell: &str,
    ) -> std::result::Result<(), String> {
        let text = || cell.to_owned();
        match target {
            Target::FirstName => line.first_name = text(),
            Target::LastName => line.last_name = text(),
            Target::FullName => match cell.rsplit_once(' ') {
                Some((first, last)) => (line.first_name, line.last_name) = (first.trim().to_owned(), last.to_owned()),
                None => line.last_name = text(),
            },
            Target::Title => line.title = text(),
            Target::Email => {
                let address: Address =
                    cell.parse().map_err(|e: cadenza_core::compose::InvalidAddress| e.to_string())?;
                line.email = Some(TypedAddress { kind: AddressKind::Work, value: address.as_str().to_lowercase() });
            }
            Target::EmailType => *kind = address_kind(cell)?,
            Target::Phone => line.phone = Some(TypedAddress { kind: AddressKind::Work, value: phone(cell)? }),
            Target::Company => line.company = Some(text()),
            Target::Country => line.country = Some(text()),
            Target::TimeZone => {
                line.zone = Some(cell.parse::<Zone>().map_err(|e| e.to_string())?);
            }
            Target::Language => line.language = Some(text()),
            Target::Linkedin => line.linkedin = Some(text()),
            // An owner who does not work here (yet) is nobody: the contact is taken without one.
            Target::Owner => line.owner = self.people.get(&cell.to_lowercase()).copied(),
            Target::Custom(name) => {
                line.custom.insert(name.clone(), cell.into());
            }
            Target::Ignore => {}
        }
        Ok(())
    }
}

fn address_kind(word: &str) -> std::result::Result<AddressKind, String> {
    Ok(match word.to_lowercase().as_str() {
        "work" | "business" => AddressKind::Work,
        "personal" | "private" | "home" => AddressKind::Personal,
        "other" => AddressKind::Other,
        _ => return Err(format!("{word:?} is no type of address: expected work, personal or other")),
    })
}

/// A number in international form, as E.164.
fn phone(text: &str) -> std::result::Result<String, String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect();
    let international = plain.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(plain);
    let digits = international.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(international)
    } else {
        Err(format!("{text:?} is no phone number: expected the international form, such as +44 20 7946 0123"))
    }
}

/// Writes a chunk, or counts what it would do.
fn write(app: &App, tx: &mut Tx, caller: &Caller, lines: &[Line], options: &Options) -> Result<Imported, StoreError> {
    let w = caller.workspace;
    let now = app.clock.now();
    let known = known(tx, w, lines)?;
    let mut done = Imported::default();
    let companies = if options.run == Run::Real { companies_of(app, tx, caller, lines, now)? } else { HashMap::new() };
    let (mut fresh, mut updated) = (Vec::new(), Vec::new());
    for line in lines {
        let existing = line.email.as_ref().and_then(|e| known.get(&e.value)).copied();
        let company = line.company.as_ref().and_then(|name| companies.get(&fold(name)).copied());
        match (existing, options.on_duplicate) {
            (Some(_), OnDuplicate::Skip) => done.skipped += 1,
            (Some(id), OnDuplicate::Update) => {
                done.updated += 1;
                done.contacts.push(id);
                if options.run == Run::Real {
                    let mut contact = contacts::lock(tx, w, id)?;
                    overlay(&mut contact, line, company);
                    contacts::update(tx, w, &contact, now)?;
                    updated.push(id);
                }
            }
            (None, _) => {
                done.added += 1;
                let contact = new_contact(app, caller, line, company, now);
                done.contacts.push(contact.id);
                fresh.push(contact);
            }
        }
    }
    if options.run == Run::Real {
        contacts::insert(tx, w, &fresh)?;
        mended::go_on(app, tx, caller, &updated, now)?;
        note(app, tx, caller, &done, now)?;
    }
    Ok(done)
}

/// As the store finds companies by name.
fn fold(name: &str) -> String {
    cadenza_store::folding::fold(name)
}

/// Contacts that have an address of the lines already.
fn known(tx: &mut Tx, w: WorkspaceId, lines: &[Line]) -> Result<HashMap<String, ContactId>, StoreError> {
    let values = lines.iter().filter_map(|l| l.email.as_ref()).map(|e| e.value.as_str());
    let mut known = HashMap::new();
    for (value, subject) in addresses::owners(tx, w, Reach::Email, values)? {
        if let Subject::Contact(id) = subject {
            known.entry(value).or_insert(id);
        }
    }
    Ok(known)
}

/// The companies that the lines name, made where they are not there yet.
fn companies_of(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    lines: &[Line],
    now: Time,
) -> Result<HashMap<String, CompanyId>, StoreError> {
    let w = caller.workspace;
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for name in lines.iter().filter_map(|l| l.company.as_ref()) {
        named.entry(fold(name)).or_insert_with(|| name.trim().to_owned());
    }
    let mut found: HashMap<String, CompanyId> = companies::named(tx, w, named.values().map(String::as_str))?
        .into_iter()
        .map(|(name, id)| (fold(&name), id))
        .collect();
    let mut fresh = Vec::new();
    for (folded, name) in named {
        found.entry(folded).or_insert_with(|| {
            let id = CompanyId(app.next_id());
            fresh.push(new_company(id, name, caller, now));
            id
        });
    }
    companies::insert(tx, w, &fresh)?;
    Ok(found)
}

fn new_company(id: CompanyId, name: String, caller: &Caller, now: Time) -> Company {
    Company {
        id,
        name,
        website: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        emails: Vec::new(),
        phones: Vec::new(),
        custom: Custom::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: Some(caller.user),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn new_contact(app: &App, caller: &Caller, line: &Line, company: Option<CompanyId>, now: Time) -> Contact {
    Contact {
        id: ContactId(app.next_id()),
        first_name: line.first_name.clone(),
        last_name: line.last_name.clone(),
        title: line.title.clone(),
        company,
        owner: line.owner,
        zone: line.zone.clone(),
        country: line.country.clone(),
        language: line.language.clone(),
        linkedin: line.linkedin.clone(),
        emails: line.email.iter().cloned().collect(),
        phones: line.phone.iter().cloned().collect(),
        custom: line.custom.clone(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: Some(caller.user),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// What a line says replaces what stands there; what it leaves empty stays.
fn overlay(contact: &mut Contact, line: &Line, company: Option<CompanyId>) {
    let put = |old: &mut String, new: &str| {
        if !new.is_empty() {
            new.clone_into(old);
        }
    };
    put(&mut contact.first_name, &line.first_name);
    put(&mut contact.last_name, &line.last_name);
    put(&mut contact.title, &line.title);
    contact.company = company.or(contact.company);
    contact.owner = line.owner.or(contact.owner);
    contact.zone = line.zone.clone().or(contact.zone.take());
    contact.country = line.country.clone().or(contact.country.take());
    contact.language = line.language.clone().or(contact.language.take());
    contact.linkedin = line.linkedin.clone().or(contact.linkedin.take());
    if let Some(phone) = &line.phone
        && !contact.phones.iter().any(|p| p.value == phone.value)
    {
        contact.phones.push(phone.clone());
    }
    contact.custom.extend(line.custom.clone());
}

/// One line of the audit log for a chunk: who imported how many, without what they are.
fn note(app: &App, tx: &mut Tx, caller: &Caller, done: &Imported, now: Time) -> Result<(), StoreError> {
    let line = audit::Line {
        id: AuditId(app.next_id()),
        at: now,
        user: Some(caller.user),
        token: if let super::Via::Token(token) = caller.via { Some(token) } else { None },
        from: None,
        action: "contact.import".into(),
        object: "contact".into(),
        object_id: None,
        before: None,
        after: Some(serde_json::json!({ "added": done.added, "updated": done.updated, "skipped": done.skipped })),
    };
    audit::add(tx, caller.workspace, &line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> (Imported, Vec<Line>) {
        read(text, &Options::default(), &HashMap::new()).unwrap()
    }

    #[test]
    fn columns_are_found_by_their_headers_and_the_rest_is_custom() {
        let (done, lines) = lines("First Name;E-Mail;Time Zone;Shoe size\nAda;ADA@Example.test;europe/london;38\n");
        assert_eq!((done.read, done.bad.len()), (1, 0));
        let line = &lines[0];
        assert_eq!(line.first_name, "Ada");
        assert_eq!(line.email.as_ref().map(|e| e.value.as_str()), Some("ada@example.test"));
        assert_eq!(line.zone.as_ref().map(Zone::name), Some("Europe/London"));
        assert_eq!(line.custom.get("shoe_size"), Some(&"38".into()));
    }

    #[test]
    fn a_bad_line_is_named_and_harms_no_other() {
        let (done, lines) = lines(
            "email,time_zone,phone\nnobody,,\na@example.test,Mars/Olympus,\nb@example.test,,12\nc@example.test,,\n",
        );
        assert_eq!(lines.len(), 1);
        let places: Vec<_> = done.bad.iter().map(|b| (b.line, b.column.as_str())).collect();
        assert_eq!(places, [(2, "email"), (3, "time_zone"), (4, "phone")]);
        assert!(done.error_file().starts_with("email,time_zone,phone,line,error\n"));
    }

    #[test]
    fn a_file_without_names_or_addresses_is_refused_as_a_whole() {
        let e = read("size,colour\n1,red\n", &Options::default(), &HashMap::new()).unwrap_err();
        assert!(e.to_string().contains("size, colour"), "{e}");
        assert!(read("", &Options::default(), &HashMap::new()).is_err());
    }
}
