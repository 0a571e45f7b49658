//! Maps and sets by hash for what every batch looks up: ids and texts of our own, for which the standard library's hash, made to
//! withstand keys that an attacker chooses, takes a noticeable part of a mail's time.

use foldhash::fast::FixedState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, FixedState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, FixedState>;
