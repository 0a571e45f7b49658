//! How the suppression list (SND-9) compares: addresses and domains whatever their case, numbers by their digits; and by
//! a keyed hash, so that after a person's erasure the refusal stays while the value is gone (CRM-4). It keeps no list.

use crate::tokens::keyed_hash;
use serde::{Deserialize, Serialize};

/// What an entry of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressible {
    Email,
    /// Every address at exactly this domain.
    Domain,
    Phone,
}

impl Suppressible {
    pub const ALL: [Suppressible; 3] = [Suppressible::Email, Suppressible::Domain, Suppressible::Phone];

    pub fn as_str(self) -> &'static str {
        match self {
            Suppressible::Email => "email",
            Suppressible::Domain => "domain",
            Suppressible::Phone => "phone",
        }
    }
    pub fn named(word: &str) -> Option<Suppressible> {
        Suppressible::ALL.into_iter().find(|k| k.as_str() == word)
    }
    /// The form in which two values of this kind are the same.
    pub fn folded(self, value: &str) -> String {
        match self {
            Suppressible::Email | Suppressible::Domain => value.trim().to_lowercase(),
            Suppressible::Phone => value.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect(),
        }
    }
}

/// The hash by which a value stands in the list.
pub fn fingerprint(key: &[u8], kind: Suppressible, value: &str) -> String {
    keyed_hash(key, &kind.folded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_one_fingerprint_and_others_differ() {
        let of = |kind, value| fingerprint(b"key", kind, value);
        let anna = of(Suppressible::Email, "Anna@Example.com");
        assert_eq!(anna, of(Suppressible::Email, " anna@example.COM"));
        assert_eq!(of(Suppressible::Phone, "+49 30 1234"), of(Suppressible::Phone, "+49301234"));
        assert_ne!(anna, of(Suppressible::Email, "bert@example.com"));
        assert_ne!(anna, fingerprint(b"another", Suppressible::Email, "anna@example.com"));
    }
}
