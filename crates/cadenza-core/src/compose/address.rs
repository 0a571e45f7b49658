//! Mail addresses as SMTP takes them (RFC 5321 §4.1.2), and addresses with a display name. It does not look a domain up,
//! and it knows no address lists or groups.

use super::fold::Header;
use super::text::{HeaderText, InvalidHeaderText, is_atom, write_phrase};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A path is at most 256 octets with its angle brackets (RFC 5321 §4.5.3.1.3).
const ADDRESS_MAX: usize = 254;
const LOCAL_MAX: usize = 64;

/// One mail address: ASCII throughout, the domain in lower case and in its ASCII form (`xn--…`), the local part as it was
/// given. Holds nothing that could end a header line or an SMTP command.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: String,
    /// Where the `@` before the domain stands.
    at: usize,
}

/// Why a text is no mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("{found:?} is no mail address: expected name@domain")]
    NoAt { found: String },
    #[error("the part before the @ of {found:?} is empty or longer than {LOCAL_MAX} characters")]
    LocalLength { found: String },
    #[error(
        "the part before the @ of {found:?} has letters outside ASCII; most mail servers refuse those, so use an ASCII address of the same person"
    )]
    LocalNotAscii { found: String },
    #[error(
        "{character:?} may not stand in the part before the @ of {found:?}: expected letters, digits, single dots and !#$%&'*+-/=?^_`{{|}}~"
    )]
    LocalCharacter { found: String, character: char },
    #[error("the part before the @ of {found:?} begins or ends with a dot or has two in a row")]
    LocalDots { found: String },
    #[error(
        "the domain {found:?} is not valid: expected labels of letters, digits and hyphens parted by dots, such as example.com"
    )]
    Domain { found: String },
    #[error("{found:?} names a machine by its number: expected a domain name such as example.com")]
    Literal { found: String },
    #[error("{found:?} is longer than {ADDRESS_MAX} characters")]
    TooLong { found: String },
}

impl Address {
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The part before the `@`, in the letters it was given.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }
    /// Lower case, ASCII.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let found = || text.chars().take(80).collect::<String>();
        let (local, domain) = text.rsplit_once('@').ok_or_else(|| InvalidAddress::NoAt { found: found() })?;
        check_local(local, found)?;
        let domain = parse_domain(domain)?;
        let at = local.len();
        if at + 1 + domain.len() > ADDRESS_MAX {
            return Err(InvalidAddress::TooLong { found: found() });
        }
        Ok(Address { text: format!("{local}@{domain}"), at })
    }
}

/// A dot-string. Quoted strings are valid too (RFC 5321 §4.1.2, which advises against them), but mail programs disagree
/// on where they end, and so on who the recipient is; nobody's real address needs one.
fn check_local(local: &str, found: impl Fn() -> String) -> Result<(), InvalidAddress> {
    if local.is_empty() || local.len() > LOCAL_MAX {
        return Err(InvalidAddress::LocalLength { found: found() });
    }
    if let Some(c) = local.chars().find(|c| c.is_ascii() && *c != '.' && !is_atom(*c as u8)) {
        return Err(InvalidAddress::LocalCharacter { found: found(), character: c });
    }
    if !local.is_ascii() {
        return Err(InvalidAddress::LocalNotAscii { found: found() });
    }
    if local.split('.').any(str::is_empty) {
        return Err(InvalidAddress::LocalDots { found: found() });
    }
    Ok(())
}

/// The ASCII form of a domain: lower case, international labels as punycode (UTS 46), checked as RFC 5321 §4.1.2 and
/// RFC 1035 §2.3.4 have it.
pub(super) fn parse_domain(domain: &str) -> Result<Cow<'_, str>, InvalidAddress> {
    let found = || domain.chars().take(80).collect::<String>();
    if domain.starts_with('[') {
        return Err(InvalidAddress::Literal { found: found() });
    }
    let ascii = if domain.is_ascii() {
        if domain.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(domain.to_ascii_lowercase())
        } else {
            Cow::Borrowed(domain)
        }
    } else {
        idna::domain_to_ascii_strict(domain).map(Cow::Owned).map_err(|_| InvalidAddress::Domain { found: found() })?
    };
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    if ascii.len() > 253 || !ascii.split('.').all(label) {
        return Err(InvalidAddress::Domain { found: found() });
    }
    // No top-level domain is a number (RFC 3696 §2): what ends in one is an IP address.
    if ascii.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(InvalidAddress::Literal { found: found() });
    }
    Ok(ascii)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An address with the name shown beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    name: Option<HeaderText>,
    address: Address,
}

impl Mailbox {
    pub fn bare(address: Address) -> Mailbox {
        Mailbox { name: None, address }
    }
    /// White space around the name is dropped; a blank name is none.
    pub fn named(name: &str, address: Address) -> Result<Mailbox, InvalidHeaderText> {
        // Checked before it is trimmed, so that a line end at the end is refused as one in the middle is.
        HeaderText::new(name)?;
        let name = HeaderText::new(name.trim())?;
        Ok(Mailbox { name: (!name.is_blank()).then_some(name), address })
    }
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(HeaderText::as_str)
    }
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Writes an address list (RFC 5322 §3.4).
pub(super) fn write_mailboxes(header: &mut Header<'_>, mailboxes: &[Mailbox]) {
    for (i, mailbox) in mailboxes.iter().enumerate() {
        if i > 0 {
            header.glue(b',');
        }
        match &mailbox.name {
            None => header.word(mailbox.address.text.as_bytes()),
            Some(name) => {
                write_phrase(header, name);
                header.bracketed(&mailbox.address.text);
            }
        }
    }
}
