//! Closed sets of words that are stored as text: written, read back, and refused when they name nothing.

/// A stored word that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {what}")]
pub struct Unnamed {
    pub what: &'static str,
    pub word: String,
}

/// An enum whose variants are words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident ($what:literal) { $($(#[$inner:meta])* $variant:ident = $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$inner])* $variant),* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
            /// # Errors
            /// A word that is none of these.
            pub fn named(word: &str) -> ::std::result::Result<$name, $crate::words::Unnamed> {
                $name::ALL.iter().copied().find(|v| v.as_str() == word)
                    .ok_or_else(|| $crate::words::Unnamed { what: $what, word: word.to_owned() })
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                let word = ::std::borrow::Cow::<'de, str>::deserialize(d)?;
                $name::named(&word).map_err(::serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use words;
