//! Reads a value that people write as text. TOML has dates and times of its own (`date = 2027-12-25` without quotes), which
//! its reader hands over as a map of one private key; both ways of writing mean the same here.

use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// The key under which the `toml` crate hands over its own dates and times.
pub(super) const TOML_DATETIME: &str = "$__toml_private_datetime";

/// Reads text, or a TOML date or time, by `T`'s own parser; `expected` completes "expected …" where it is neither.
pub(super) fn deserialize<'de, T, D>(d: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr,
    T::Err: fmt::Display,
    D: Deserializer<'de>,
{
    d.deserialize_any(TextVisitor { expected, value: PhantomData })
}

/// The start of a text that was refused, short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

struct TextVisitor<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<'de, T> Visitor<'de> for TextVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((key, text)) if key == TOML_DATETIME => text.parse().map_err(de::Error::custom),
            _ => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}
