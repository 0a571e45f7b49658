//! What addresses and query strings of the API are made of: ids in the path, the length of a page and where it begins,
//! filters with several values. Each says in its error what would be accepted.

use crate::actions::ActionError;
use crate::http::error::HttpError;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::value::{Error as Wrong, StrDeserializer};
use serde::de::{DeserializeOwned, Error, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// Rows of a page that nobody asked a length for.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;

/// What the path names: an id, or several as a tuple.
#[derive(Debug, Clone, Copy)]
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = HttpError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At<T>, HttpError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(At(value)),
            Err(e) => {
                let text = e.body_text();
                let said = text.split_once(": ").map_or(text.as_str(), |(_, said)| said);
                Err(HttpError(ActionError::invalid("path", format!("{said}."))))
            }
        }
    }
}

/// How many rows a page has: `limit` of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub usize);

impl Default for Limit {
    fn default() -> Limit {
        Limit(LIMIT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Limit, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        match text.parse() {
            Ok(n) if (1..=LIMIT_MAX).contains(&n) => Ok(Limit(n)),
            _ => Err(D::Error::custom(format!("expected a limit from 1 to {LIMIT_MAX}"))),
        }
    }
}

/// Where a page begins: `after` of the query, as `next` of the page before gave it. What is in it is nobody's business but
/// ours, so that it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

impl<K: Serialize> Cursor<K> {
    pub fn write(key: &K) -> String {
        // A key is numbers and texts, which JSON always can say.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Cursor<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Cursor<K>, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).ok();
        let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        key.map(Cursor).ok_or_else(|| {
            D::Error::custom(
                "after is not of this list: pass next of the page before, unchanged, with the same filters",
            )
        })
    }
}

/// Several values with commas between: `state=active,paused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<T>(pub Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Several<T> {
        Several(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Several<T>, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let read = |part: &str| {
            let part: StrDeserializer<'_, Wrong> = part.into_deserializer();
            T::deserialize(part).map_err(D::Error::custom)
        };
        text.split(',').map(str::trim).filter(|p| !p.is_empty()).map(read).collect::<Result<_, _>>().map(Several)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cadenza_core::enrollment::State;
    use cadenza_store::page::After;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Asked {
        limit: Limit,
        after: Option<Cursor<After<String>>>,
        state: Several<State>,
    }

    fn read(query: &str) -> Result<Asked, String> {
        let uri = format!("/?{query}").parse().unwrap();
        axum::extract::Query::<Asked>::try_from_uri(&uri).map(|q| q.0).map_err(|e| e.body_text())
    }

    #[test]
    fn a_query_reads_back_and_says_what_it_wants() {
        let after = After { key: "ähnlich".to_owned(), id: 7 };
        let query = format!("limit=2&after={}&state=active,paused", Cursor::write(&after));
        let asked =
            Asked { limit: Limit(2), after: Some(Cursor(after)), state: Several(vec![State::Active, State::Paused]) };
        assert_eq!(read(&query), Ok(asked));
        assert_eq!(read(""), Ok(Asked::default()));
        for (bad, says) in [
            ("limit=0", "from 1 to 200"),
            ("limit=all", "from 1 to 200"),
            ("after=x", "next of the page before"),
            ("state=activ", "activ"),
            ("stat=active", "unknown field"),
        ] {
            let said = read(bad).unwrap_err();
            assert!(said.contains(says), "{bad}: {said}");
        }
    }
}
