//! The suppression list (SND-9): addresses, domains and numbers that get nothing more. Values are compared by keyed hash,
//! so an entry goes on refusing after its value was erased; whoever checks many keeps the [`Key`].

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_core::suppression::{Suppressible, fingerprint};
use cadenza_core::time::Time;
use cadenza_core::tokens::keyed_hash;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

words! {
    /// Why a value is on the list.
    Why ("reason for suppression") {
        OptOut = "opt_out";
        HardBounce = "hard_bounce";
        Complaint = "complaint";
        /// A person marked the contact.
        Mark = "mark";
        Import = "import";
        ByHand = "by_hand";
    }
}

/// The key of a workspace's hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub fn new(signing_key: impl Into<Vec<u8>>) -> Key {
        Key(signing_key.into())
    }
    /// A short text that only this workspace can make of another.
    pub(crate) fn sign(&self, text: &str) -> String {
        keyed_hash(&self.0, text).chars().take(16).collect()
    }
    fn hash(&self, kind: Suppressible, value: &str) -> String {
        fingerprint(&self.0, kind, value)
    }
}

/// What is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppress {
    pub kind: Suppressible,
    pub value: String,
    pub why: Why,
    pub by: Option<UserId>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Suppressible,
    pub hash: String,
    /// `None` where it was erased and only its hash is left.
    pub value: Option<String>,
    pub why: Why,
    pub at: Time,
    pub by: Option<UserId>,
}

/// The key that [`check`] and [`add`] need.
pub fn key(q: &mut Query, w: WorkspaceId) -> Result<Key> {
    let row = q.of(w).opt("SELECT signing_key FROM workspace WHERE workspace_id = $1", args![])?;
    let row = row.ok_or_else(|| StoreError::missing("workspace", w))?;
    Ok(Key(row.blob(0)?.to_vec()))
}

/// Which of these values are suppressed, and why. An address is so by itself or by its domain.
pub fn check<'v>(
    q: &mut Query,
    w: WorkspaceId,
    key: &Key,
    values: impl IntoIterator<Item = (Suppressible, &'v str)>,
) -> Result<HashMap<(Suppressible, String), Why>> {
    let mut asked: HashMap<(Suppressible, String), Vec<(Suppressible, String)>> = HashMap::new();
    for (kind, value) in values {
        let whole = (kind, value.to_owned());
        asked.entry((kind, key.hash(kind, value))).or_default().push(whole.clone());
        if let (Suppressible::Email, Some((_, domain))) = (kind, value.rsplit_once('@')) {
            let hash = key.hash(Suppressible::Domain, domain);
            asked.entry((Suppressible::Domain, hash)).or_default().push(whole);
        }
    }
    let columns = Columns::new()
        .texts(asked.keys().map(|(kind, _)| kind.as_str()))
        .texts(asked.keys().map(|(_, hash)| hash.as_str()));
    let rows = q.of(w).rows(
        "SELECT s.kind, s.value_hash, s.why FROM rows(kind TEXT, hash TEXT) AS r
         JOIN suppression s ON s.workspace_id = $1 AND s.kind = r.kind AND s.value_hash = r.hash",
        &columns,
        args![],
    )?;
    let mut found = HashMap::new();
    for row in &rows {
        let mut c = Cells::of(row, "suppression");
        let hit = (c.word(kind_named)?, c.string()?);
        let why = c.word(Why::named)?;
        for value in asked.get(&hit).into_iter().flatten() {
            found.insert(value.clone(), why);
        }
    }
    Ok(found)
}

/// Adds what is not on the list yet. Answers how many were new.
///
/// Waits for final marks that are being asked for, and lets none be asked meanwhile: with its answer, nothing more goes to
/// any of these.
pub fn add(tx: &mut Tx, w: WorkspaceId, key: &Key, what: &[Suppress], now: Time) -> Result<u64> {
    tx.of(w).opt("SELECT workspace_id FROM workspace WHERE workspace_id = $1 FOR UPDATE", args![])?;
    insert(tx, w, key, what, now)
}

/// As [`add`], for the door, which moves the versions of those concerned.
pub(crate) fn insert(tx: &mut Tx, w: WorkspaceId, key: &Key, what: &[Suppress], now: Time) -> Result<u64> {
    let mut seen = BTreeSet::new();
    let rows: Vec<_> = what
        .iter()
        .map(|s| (s, key.hash(s.kind, &s.value)))
        .filter(|(s, hash)| seen.insert((s.kind, hash.clone())))
        .collect();
    let columns = Columns::new()
        .texts(rows.iter().map(|(s, _)| s.kind.as_str()))
        .texts(rows.iter().map(|(_, hash)| hash.as_str()))
        .texts(rows.iter().map(|(s, _)| s.kind.folded(&s.value)))
        .texts(rows.iter().map(|(s, _)| s.why.as_str()))
        .opt_ints(rows.iter().map(|(s, _)| s.by));
    tx.of(w).exec_rows(
        "INSERT INTO suppression (workspace_id, kind, value_hash, value, why, at, by_id)
         SELECT $1, r.kind, r.hash, r.value, r.why, $2, r.by_id
         FROM rows(kind TEXT, hash TEXT, value TEXT, why TEXT, by_id BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, kind, value_hash) DO NOTHING",
        &columns,
        args![now],
    )
}

/// Takes a value off the list; answers whether it was there.
pub fn remove(tx: &mut Tx, w: WorkspaceId, key: &Key, kind: Suppressible, value: &str) -> Result<bool> {
    let sql = "DELETE FROM suppression WHERE workspace_id = $1 AND kind = $2 AND value_hash = $3";
    Ok(tx.of(w).exec(sql, args![kind.as_str(), key.hash(kind, value)])? > 0)
}

/// Takes these values off the list where `why` put them there: what a mark had done, taken back.
pub fn remove_where(tx: &mut Tx, w: WorkspaceId, key: &Key, values: &[(Suppressible, &str)], why: Why) -> Result<u64> {
    let columns = Columns::new()
        .texts(values.iter().map(|(kind, _)| kind.as_str()))
        .texts(values.iter().map(|(kind, value)| key.hash(*kind, value)));
    tx.of(w).exec_rows(
        "DELETE FROM suppression USING rows(kind TEXT, hash TEXT) AS r
         WHERE suppression.workspace_id = $1 AND suppression.kind = r.kind AND suppression.value_hash = r.hash
           AND suppression.why = $2",
        &columns,
        args![why.as_str()],
    )
}

/// Takes these values off the list where they were put on it at that very moment: what a message had done that was none
/// (REC-6). What was on it before stays.
pub fn remove_added_at(
    tx: &mut Tx,
    w: WorkspaceId,
    key: &Key,
    values: &[(Suppressible, String)],
    at: Time,
) -> Result<u64> {
    let columns = Columns::new()
        .texts(values.iter().map(|(kind, _)| kind.as_str()))
        .texts(values.iter().map(|(kind, value)| key.hash(*kind, value)));
    tx.of(w).exec_rows(
        "DELETE FROM suppression USING rows(kind TEXT, hash TEXT) AS r
         WHERE suppression.workspace_id = $1 AND suppression.kind = r.kind AND suppression.value_hash = r.hash
           AND suppression.at = $2",
        &columns,
        args![at],
    )
}

/// Keeps the hashes of these values on the list and takes the values away (CRM-4). What was not on it stays off.
pub fn forget_values(tx: &mut Tx, w: WorkspaceId, key: &Key, values: &[(Suppressible, &str)]) -> Result<u64> {
    let columns = Columns::new()
        .texts(values.iter().map(|(kind, _)| kind.as_str()))
        .texts(values.iter().map(|(kind, value)| key.hash(*kind, value)));
    tx.of(w).exec_rows(
        "UPDATE suppression SET value = NULL FROM rows(kind TEXT, hash TEXT) AS r
         WHERE suppression.workspace_id = $1 AND suppression.kind = r.kind AND suppression.value_hash = r.hash",
        &columns,
        args![],
    )
}

/// Entries by kind and hash, from behind `after`; for the screen and for export.
pub fn list(q: &mut Query, w: WorkspaceId, after: Option<(Suppressible, &str)>, limit: usize) -> Result<Vec<Entry>> {
    let (kind, hash) = after.map_or(("", ""), |(kind, hash)| (kind.as_str(), hash));
    let rows = q.of(w).all(
        "SELECT kind, value_hash, value, why, at, by_id FROM suppression
         WHERE workspace_id = $1 AND (kind, value_hash) > ($2, $3) ORDER BY kind, value_hash LIMIT $4",
        args![kind, hash, limit as i64],
    )?;
    let entry = |row| {
        let mut c = Cells::of(row, "suppression");
        Ok(Entry {
            kind: c.word(kind_named)?,
            hash: c.string()?,
            value: c.opt_string()?,
            why: c.word(Why::named)?,
            at: c.time()?,
            by: c.opt_id(UserId)?,
        })
    };
    rows.iter().map(entry).collect()
}

/// How many there are of each kind.
pub fn counts(q: &mut Query, w: WorkspaceId) -> Result<Vec<(Suppressible, i64)>> {
    let sql = "SELECT kind, count(*) FROM suppression WHERE workspace_id = $1 GROUP BY kind ORDER BY kind";
    let rows = q.of(w).all(sql, args![])?;
    let count = |row| {
        let mut c = Cells::of(row, "suppression");
        Ok((c.word(kind_named)?, c.int()?))
    };
    rows.iter().map(count).collect()
}

fn kind_named(word: &str) -> std::result::Result<Suppressible, crate::words::Unnamed> {
    Suppressible::named(word)
        .ok_or_else(|| crate::words::Unnamed { what: "kind of suppression", word: word.to_owned() })
}
