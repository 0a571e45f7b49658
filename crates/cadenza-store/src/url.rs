//! Where the database is: the one setting that chooses the engine. Parsing only; nothing is opened here.

use crate::error::{Result, StoreError};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `sqlite:PATH`, `sqlite::memory:` or `postgres://user@host:port/database`.
///
/// A PostgreSQL address may name a unix socket directory (`postgres://user@%2Frun%2Fpostgresql/database`) and carry
/// `cadenza_writers=N` and `cadenza_readers=N` (1 to 64, connections for each purpose; 4 where absent) beside libpq's own
/// settings. The connection is not encrypted: use a unix socket, loopback or a tunnel.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Place);

#[derive(Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
    Postgres { config: Box<::postgres::Config>, shown: String, writers: usize, readers: usize },
}

const EXPECTED: &str = "expected sqlite:PATH, sqlite::memory: or postgres://user@host:port/database";
const CONNECTIONS: usize = 4;

impl DatabaseUrl {
    pub fn sqlite_file(path: impl Into<PathBuf>) -> DatabaseUrl {
        DatabaseUrl(Place::File(path.into()))
    }
    pub fn sqlite_memory() -> DatabaseUrl {
        DatabaseUrl(Place::Memory)
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<DatabaseUrl> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return match path {
                "" => Err(StoreError::Url(format!("database address {text:?} has no path: {EXPECTED}"))),
                ":memory:" => Ok(DatabaseUrl(Place::Memory)),
                path => Ok(DatabaseUrl(Place::File(path.strip_prefix("//").unwrap_or(path).into()))),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return postgres_place(text).map(DatabaseUrl);
        }
        // The text may hold a password, so only what stands before the first colon is shown.
        let scheme = text.split(':').next().unwrap_or_default();
        Err(StoreError::Url(format!("database address starting with {scheme:?} is not known: {EXPECTED}")))
    }
}

fn postgres_place(text: &str) -> Result<Place> {
    let (base, query) = text.split_once('?').unwrap_or((text, ""));
    let (mut writers, mut readers, mut rest) = (CONNECTIONS, CONNECTIONS, Vec::new());
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        match pair.split_once('=') {
            Some(("cadenza_writers", n)) => writers = connections("cadenza_writers", n)?,
            Some(("cadenza_readers", n)) => readers = connections("cadenza_readers", n)?,
            _ => rest.push(pair),
        }
    }
    let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    let config: ::postgres::Config = plain
        .parse()
        .map_err(|e: ::postgres::Error| StoreError::Url(format!("database address is not valid: {e}; {EXPECTED}")))?;
    Ok(Place::Postgres { config: Box::new(config), shown: without_password(base), writers, readers })
}

fn connections(name: &str, text: &str) -> Result<usize> {
    match text.parse() {
        Ok(n @ 1..=64) => Ok(n),
        _ => Err(StoreError::Url(format!("{name}={text} in the database address: expected a number from 1 to 64"))),
    }
}

/// `scheme://user:secret@host` → `scheme://user@host`.
fn without_password(base: &str) -> String {
    let Some((scheme, rest)) = base.split_once("://") else { return String::new() };
    let Some((login, place)) = rest.rsplit_once('@') else { return base.to_owned() };
    let user = login.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

/// Never shows a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::File(path) => write!(f, "sqlite:{}", path.display()),
            Place::Memory => f.write_str("sqlite::memory:"),
            Place::Postgres { shown, .. } => f.write_str(shown),
        }
    }
}
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<DatabaseUrl>().map_or_else(|e| e.to_string(), |u| u.to_string())
    }

    #[test]
    fn addresses_read_back_and_hide_the_password() {
        assert_eq!(shown("sqlite:/var/lib/cadenza/cadenza.db"), "sqlite:/var/lib/cadenza/cadenza.db");
        assert_eq!(shown("sqlite::memory:"), "sqlite::memory:");
        assert_eq!(shown("postgres://ann:secret@localhost:5433/mail"), "postgres://ann@localhost:5433/mail");
        assert_eq!(
            shown("postgres://ann@localhost/mail?cadenza_writers=2&connect_timeout=3"),
            "postgres://ann@localhost/mail"
        );
    }

    #[test]
    fn a_wrong_address_says_what_is_accepted() {
        for (text, word) in [
            ("mysql://ann:secret@h/d", "\"mysql\""),
            ("sqlite:", "no path"),
            ("postgres://h/d?cadenza_writers=0", "from 1 to 64"),
            ("postgres://h:port/d", "not valid"),
        ] {
            let said = shown(text);
            assert!(said.contains(word), "{text}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
