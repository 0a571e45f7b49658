//! The people of a simulation, from the rows of a table: addresses, zone, owner, and what their messages may say. The columns
//! are those of an import; nothing is stored.

use super::Who;
use crate::calendar::Zone;
use crate::compose::Address as MailAddress;
use crate::facts::{Address, Person};
use crate::flow::AddressKind;
use crate::merge::Fields;
use crate::nearest::did_you_mean;

/// Somebody to be enrolled.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    pub who: Who,
    pub person: Person,
    /// Sign-in address of the primary owner.
    pub owner: Option<String>,
    /// Without what is known of the sender and the sequence only.
    pub fields: Fields,
}

/// What is wrong in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    pub column: String,
    pub message: String,
}

/// Columns that are merge fields of the same meaning.
const FIELD_COLUMNS: &[(&str, &str)] = &[
    ("first_name", "contact.first_name"),
    ("last_name", "contact.last_name"),
    ("title", "contact.title"),
    ("city", "contact.city"),
    ("region", "contact.region"),
    ("country", "contact.country"),
    ("linkedin", "contact.linkedin"),
    ("language", "contact.language"),
    ("company", "company.name"),
    ("website", "company.website"),
    ("domain", "company.domain"),
    ("industry", "company.industry"),
    ("opportunity", "opportunity.name"),
];
/// The other columns; what is in neither list is a custom field.
const OTHER_COLUMNS: &[&str] = &["email", "email_type", "phone", "phone_type", "time_zone", "owner"];
const KINDS: &[(&str, AddressKind)] =
    &[("work", AddressKind::Work), ("personal", AddressKind::Personal), ("other", AddressKind::Other)];

impl Contact {
    /// Invented people, where none are given: as many as wanted, with everything that a message may ask for.
    pub fn invented(count: usize, zone: &Zone) -> Vec<Contact> {
        (1..=count)
            .map(|n| {
                let email = format!("contact{n}@example.com");
                let mut fields = Fields::new()
                    .with("contact.first_name", "Contact")
                    .with("contact.last_name", &n.to_string())
                    .with("contact.full_name", &format!("Contact {n}"))
                    .with("contact.email", &email);
                for (column, path) in FIELD_COLUMNS.iter().skip(2) {
                    fields.set(path, &format!("Example {column}"));
                }
                let address =
                    |value: &str| vec![Address { kind: AddressKind::Work, value: value.to_owned(), suppressed: None }];
                let person = Person {
                    emails: address(&email),
                    phones: address(&format!("+1555010{n:04}")),
                    zone: Some(zone.clone()),
                    plausible_zones: vec![zone.clone()],
                    ..Person::default()
                };
                let who = Who { email, company: "Example company".into(), zone: zone.name().to_owned() };
                Contact { who, person, owner: None, fields }
            })
            .collect()
    }

    /// Reads one row, given as column and value. Blank values are none.
    ///
    /// # Errors
    /// Each mistake with its column and what would be accepted.
    pub fn from_row<'a>(row: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Contact, Vec<RowError>> {
        let mut reading = Reading::default();
        for (column, value) in row {
            reading.cell(&column.trim().to_lowercase().replace([' ', '-'], "_"), value.trim());
        }
        reading.contact()
    }
}

/// A row as far as it is read.
#[derive(Default)]
struct Reading {
    contact: Contact,
    email: Option<String>,
    email_kind: AddressKind,
    phone: Option<String>,
    phone_kind: AddressKind,
    errors: Vec<RowError>,
}

impl Reading {
    fn cell(&mut self, column: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if let Some((_, path)) = FIELD_COLUMNS.iter().find(|(name, _)| *name == column) {
            self.contact.fields.set(path, value);
            return;
        }
        match column {
            "email" => match value.parse::<MailAddress>() {
                Ok(address) => self.email = Some(address.as_str().to_owned()),
                Err(e) => self.wrong(column, e.to_string()),
            },
            "phone" => self.phone(value),
            "email_type" | "phone_type" => match KINDS.iter().find(|(word, _)| value.eq_ignore_ascii_case(word)) {
                Some((_, kind)) if column == "email_type" => self.email_kind = *kind,
                Some((_, kind)) => self.phone_kind = *kind,
                None => {
                    let guess = did_you_mean(value, KINDS.iter().map(|(word, _)| *word));
                    self.wrong(column, format!("{value:?} is no type: expected work, personal or other{guess}"));
                }
            },
            "time_zone" => match value.parse::<Zone>() {
                Ok(zone) => self.contact.person.zone = Some(zone),
                Err(e) => self.wrong(column, e.to_string()),
            },
            "owner" => self.contact.owner = Some(value.to_lowercase()),
            custom => self.contact.fields.set(&format!("custom.{custom}"), value),
        }
    }

    /// Digits behind a plus; how a national number is to be read nobody says here.
    fn phone(&mut self, value: &str) {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        let other = value.chars().any(|c| !(c.is_ascii_digit() || " +-./()".contains(c)));
        if other || !value.starts_with('+') || !(7..=15).contains(&digits.len()) {
            self.wrong(
                "phone",
                format!("{value:?} is no number: expected +, country and number, such as +1 415 555 0139"),
            );
            return;
        }
        self.phone = Some(format!("+{digits}"));
    }

    fn wrong(&mut self, column: &str, message: String) {
        self.errors.push(RowError { column: column.to_owned(), message });
    }

    fn contact(mut self) -> Result<Contact, Vec<RowError>> {
        if self.email.is_none() && self.phone.is_none() && self.errors.is_empty() {
            self.wrong("email", "there is neither email nor phone: expected one of them".into());
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let mut contact = self.contact;
        let get = |fields: &Fields, path| fields.get(path).unwrap_or_default().to_owned();
        let name =
            format!("{} {}", get(&contact.fields, "contact.first_name"), get(&contact.fields, "contact.last_name"));
        contact.fields.set("contact.full_name", name.trim());
        let address = |kind, value| Address { kind, value, suppressed: None };
        if let Some(email) = self.email {
            contact.fields.set("contact.email", &email);
            contact.who.email.clone_from(&email);
            contact.person.emails.push(address(self.email_kind, email));
        }
        if let Some(phone) = self.phone {
            contact.fields.set("contact.phone", &phone);
            if contact.who.email.is_empty() {
                contact.who.email.clone_from(&phone);
            }
            contact.person.phones.push(address(self.phone_kind, phone));
        }
        contact.person.plausible_zones = contact.person.zone.iter().cloned().collect();
        contact.who.zone = contact.person.zone.as_ref().map(|z| z.name().to_owned()).unwrap_or_default();
        contact.who.company = get(&contact.fields, "company.name");
        Ok(contact)
    }
}

/// The columns that are read by name, for help texts.
pub fn columns() -> impl Iterator<Item = &'static str> {
    FIELD_COLUMNS.iter().map(|(column, _)| *column).chain(OTHER_COLUMNS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_with_custom_fields_and_mistakes_name_their_column() {
        let row = [
            ("First name", "Naomi"),
            ("email", "Naomi@Lantern.Example"),
            ("email_type", "Personal"),
            ("phone", "+1 (415) 555-0139"),
            ("time_zone", "America/Los_Angeles"),
            ("company", "Lantern Foods"),
            ("Years", "7"),
            ("title", "  "),
        ];
        let contact = Contact::from_row(row).unwrap();
        assert_eq!(contact.person.emails[0].kind, AddressKind::Personal);
        assert_eq!(contact.person.phones[0].value, "+14155550139");
        assert_eq!(contact.fields.get("custom.years"), Some("7"));
        assert_eq!(contact.fields.get("contact.full_name"), Some("Naomi"));
        assert_eq!(contact.fields.get("contact.title"), None);
        assert_eq!(contact.who.company, "Lantern Foods");
        assert_eq!(contact.person.plausible_zones.len(), 1);

        let wrong = [("email", "naomi"), ("email_type", "wrk"), ("phone", "555"), ("time_zone", "Berlin")];
        let errors = Contact::from_row(wrong).unwrap_err();
        assert_eq!(
            errors.iter().map(|e| e.column.as_str()).collect::<Vec<_>>(),
            ["email", "email_type", "phone", "time_zone"]
        );
        assert!(errors[1].message.contains("did you mean \"work\""), "{}", errors[1].message);
        assert_eq!(Contact::from_row([("first_name", "Ada")]).unwrap_err()[0].column, "email");
    }
}
