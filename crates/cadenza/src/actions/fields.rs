//! What a person types into the fields of records: checked and brought into the one form that is stored. Each fault names
//! its field and says what would be accepted.

use super::{ActionError, Fault, Result};
use cadenza_core::calendar::Zone;
use cadenza_core::compose::Address;
use cadenza_core::flow::AddressKind;
use cadenza_store::addresses::TypedAddress;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;

/// Longer names are not names.
pub const NAME_LENGTH_MAX: usize = 200;
/// Addresses or numbers of one record.
const ADDRESSES_MAX: usize = 20;

/// What a change says of one field: nothing, that it is to be empty, or its new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// As a form says it: a field that is there and empty is to be empty.
    pub fn of_form(value: Option<T>) -> Patch<T>
    where
        T: AsRef<str>,
    {
        match value {
            None => Patch::Keep,
            Some(text) if text.as_ref().trim().is_empty() => Patch::Clear,
            Some(text) => Patch::Set(text),
        }
    }
}

/// Absent is [`Patch::Keep`] (by `#[serde(default)]`), null is [`Patch::Clear`].
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Patch<T>, D::Error> {
        Ok(Option::<T>::deserialize(d)?.map_or(Patch::Clear, Patch::Set))
    }
}

/// An address or number as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedInput {
    #[serde(default = "work")]
    pub kind: AddressKind,
    pub value: String,
}

fn work() -> AddressKind {
    AddressKind::Work
}

/// Gathers the faults of all fields, so that a person sees them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, field: impl Into<String>, message: impl Display) {
        self.0.push(Fault { field: field.into(), message: message.to_string() });
    }

    /// The value, or its fault put down under the field.
    pub fn take<T, E: Display>(&mut self, field: impl Into<String>, value: Result<T, E>) -> Option<T> {
        value.map_err(|e| self.add(field, sentence(&e.to_string()))).ok()
    }

    /// The value, or all the faults that it has.
    ///
    /// # Errors
    /// What is no fault of a field.
    pub fn all<T>(&mut self, value: Result<T>) -> Result<Option<T>> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(ActionError::Invalid(faults)) => {
                self.0.extend(faults);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Applies a change to a text that may be empty.
    pub fn text(&mut self, field: &str, at: &mut String, change: Patch<String>, length_max: usize) {
        match change {
            Patch::Keep => {}
            Patch::Clear => at.clear(),
            Patch::Set(text) => {
                if let Some(text) = self.take(field, plain(&text, length_max)) {
                    *at = text;
                }
            }
        }
    }

    /// Applies a change to a field that may be missing.
    pub fn opt<T, U, E: Display>(
        &mut self,
        field: &str,
        at: &mut Option<T>,
        change: Patch<U>,
        check: impl FnOnce(&U) -> Result<T, E>,
    ) {
        match change {
            Patch::Keep => {}
            Patch::Clear => *at = None,
            Patch::Set(typed) => {
                if let Some(value) = self.take(field, check(&typed)) {
                    *at = Some(value);
                }
            }
        }
    }

    /// Replaces a list of addresses where there is one.
    pub fn addresses(
        &mut self,
        field: &str,
        at: &mut Vec<TypedAddress>,
        change: Option<Vec<TypedInput>>,
        check: fn(&str) -> Result<String, String>,
    ) {
        let Some(typed) = change else { return };
        if typed.len() > ADDRESSES_MAX {
            self.add(field, format!("At most {ADDRESSES_MAX} are kept; there are {}.", typed.len()));
            return;
        }
        let mut list: Vec<TypedAddress> = Vec::with_capacity(typed.len());
        for (n, input) in typed.into_iter().enumerate().filter(|(_, input)| !input.value.trim().is_empty()) {
            let place = format!("{field}.{n}");
            if input.kind == AddressKind::Any {
                self.add(place, "Expected work, personal or other as its kind.");
            } else if let Some(value) = self.take(place.clone(), check(&input.value)) {
                if list.iter().any(|a| a.value == value) {
                    self.add(place, format!("{value} stands there twice."));
                } else {
                    list.push(TypedAddress { kind: input.kind, value });
                }
            }
        }
        *at = list;
    }

    /// # Errors
    /// `Invalid` with every fault that was found.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(ActionError::Invalid(self.0)) }
    }
}

/// A single line without control characters.
pub fn plain(text: &str, length_max: usize) -> Result<String, String> {
    let text = text.trim();
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(format!("The character {c:?} cannot stand in it; expected one line of text."));
    }
    let length = text.chars().count();
    if length > length_max {
        return Err(format!("It is {length} characters long, {length_max} at most."));
    }
    Ok(text.to_owned())
}

/// A single line that says something.
pub fn name(text: &str) -> Result<String, String> {
    match plain(text, NAME_LENGTH_MAX)? {
        text if text.is_empty() => Err("Say its name.".to_owned()),
        text => Ok(text),
    }
}

/// An email address in the form in which addresses are compared.
pub fn email(text: &str) -> Result<String, String> {
    let address: Address = text.trim().parse().map_err(|e: cadenza_core::compose::InvalidAddress| e.to_string())?;
    Ok(address.as_str().to_lowercase())
}

/// A number in international form, as E.164: at most 15 digits behind the plus.
pub fn phone(text: &str) -> Result<String, String> {
    let kept: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2011}')).collect();
    let international = kept.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(kept);
    let digits = international.strip_prefix('+').unwrap_or_default();
    let good =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if good {
        return Ok(international);
    }
    let shown: String = text.trim().chars().take(40).collect();
    Err(format!("{shown:?} is no phone number: expected the international form, such as +44 20 7946 0123"))
}

pub fn zone(text: &str) -> Result<Zone, String> {
    text.trim().parse::<Zone>().map_err(|e| e.to_string())
}

/// As people write it; merge fields show it as it stands.
pub fn country(text: &str) -> Result<String, String> {
    plain(text, 100)
}

/// A language tag (RFC 5646), such as `de` or `pt-BR`.
pub fn language(text: &str) -> Result<String, String> {
    let text = text.trim();
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let good = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
        && text.len() <= 35;
    if good { Ok(text.to_owned()) } else { Err(format!("{text:?} is no language: expected a tag such as de or pt-BR")) }
}

/// The address of a page; what has no scheme is taken for https.
pub fn web_address(text: &str) -> Result<String, String> {
    let text = plain(text, 2_000)?;
    let whole = if text.contains("://") { text.clone() } else { format!("https://{text}") };
    let rest = whole.strip_prefix("https://").or_else(|| whole.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('.') && !host.contains(['@', ' ']) && !text.contains(' ') {
        Ok(whole)
    } else {
        Err(format!("{text:?} is no web address: expected one such as https://example.com"))
    }
}

/// What fails in lower case inside a sentence, as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut out: String = letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if !out.ends_with(['.', '?', '!']) {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_one_form_and_others_are_refused() {
        for (typed, stored) in [
            ("+44 (20) 7946-0123", "+442079460123"),
            ("0049.30.123456", "+4930123456"),
            ("+1/415/555/0100", "+14155550100"),
        ] {
            assert_eq!(phone(typed).as_deref(), Ok(stored));
        }
        for bad in ["", "030 123456", "+49", "+49abc12345", "+0301234567", "++49301234567", "+1234567890123456"] {
            assert!(phone(bad).unwrap_err().contains("+44 20"), "{bad}");
        }
    }

    #[test]
    fn web_addresses_and_languages_are_told_from_other_text() {
        assert_eq!(web_address("linkedin.com/in/ada").as_deref(), Ok("https://linkedin.com/in/ada"));
        assert_eq!(web_address("http://example.com").as_deref(), Ok("http://example.com"));
        for bad in ["ada", "javascript://x.y/%0aalert(1)", "ftp://a.b", "https://user@host.x", "https://a b.c"] {
            assert!(web_address(bad).is_err(), "{bad}");
        }
        for good in ["de", "pt-BR", "zh-Hant-TW"] {
            assert_eq!(language(good).as_deref(), Ok(good));
        }
        for bad in ["", "german", "d", "de_DE", "de-", "12"] {
            assert!(language(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut faults = Faults::default();
        let mut title = "Chef".to_owned();
        faults.text("title", &mut title, Patch::Set("a\nb".into()), 10);
        let mut at = None;
        faults.opt("zone", &mut at, Patch::Set("Mars/Olympus".to_owned()), |z| zone(z));
        let mut emails = vec![];
        let input = |value: &str| TypedInput { kind: AddressKind::Work, value: value.into() };
        let list = Some(vec![input("Ada@Example.com"), input("nobody"), input(" "), input("ada@example.com")]);
        faults.addresses("emails", &mut emails, list, email);
        assert_eq!(title, "Chef");
        let ActionError::Invalid(list) = faults.done().unwrap_err() else { panic!() };
        let fields: Vec<_> = list.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["title", "zone", "emails.1", "emails.3"]);
        assert!(list.iter().all(|f| f.message.ends_with('.')), "{list:?}");
    }

    #[test]
    fn a_form_and_json_say_the_same_three_things() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Change {
            #[serde(default)]
            title: Patch<String>,
        }
        let json = |text| serde_json::from_str::<Change>(text).unwrap().title;
        assert_eq!(json("{}"), Patch::Keep);
        assert_eq!(json(r#"{"title": null}"#), Patch::Clear);
        assert_eq!(json(r#"{"title": "Chef"}"#), Patch::Set("Chef".into()));
        assert_eq!(Patch::of_form(Some(" ".to_owned())), Patch::Clear);
        assert_eq!(Patch::of_form(Some("Chef".to_owned())), Patch::Set("Chef".into()));
    }
}
