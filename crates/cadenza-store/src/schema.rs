//! The tables of Cadenza, one statement a step, written for both engines (see `dialect`).
//!
//! Times are BIGINT microseconds UTC (`…_at`), flags BIGINT 0 or 1, JSON is TEXT, ids are BIGINT and made by us.
//! `workspace_id` leads every primary, unique and foreign key, so that a workspace can live on one worker. The few tables
//! without it are the same for all. CHECKs restate what the code promises; tables that are written with every step
//! carry no foreign keys, since the one door that writes them (see `door`) has just read the rows they point to.

use std::collections::HashSet;
use std::sync::LazyLock;

mod engine;
mod mail;
mod people;
mod records;
mod sequences;

const PARTS: [&[&str]; 5] = [people::STEPS, records::STEPS, sequences::STEPS, engine::STEPS, mail::STEPS];

const COUNT: usize = {
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        n += PARTS[part].len();
        part += 1;
    }
    n
};

const ALL: [&str; COUNT] = {
    let mut all = [""; COUNT];
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut step = 0;
        while step < PARTS[part].len() {
            all[n] = PARTS[part][step];
            n += 1;
            step += 1;
        }
        part += 1;
    }
    all
};

/// Every step, in order; give it to [`crate::migrations::migrate`].
pub const SCHEMA: &[&str] = &ALL;

/// Whether a table of that name is part of the schema and belongs to workspaces.
pub(crate) fn is_table(name: &str) -> bool {
    static TABLES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let scoped = SCHEMA.iter().filter(|sql| sql.contains("workspace_id"));
        scoped.filter_map(|sql| sql.strip_prefix("CREATE TABLE ")?.split_whitespace().next()).collect()
    });
    TABLES.contains(name)
}

#[cfg(test)]
pub(crate) mod tests;
