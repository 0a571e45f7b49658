//! The witness beside the database (SND-12): a file in the data folder that says which database it has seen and how far it
//! was. A database that is behind it was restored from a backup; one that it never saw, or that lies in another file, was
//! copied from elsewhere. Either may stand before messages that were sent since, so all sending waits for a person.
//!
//! It cannot see what takes the whole folder back at once, such as a snapshot of the disk.

use crate::app::App;
use cadenza_store::nodes::{Life, Node};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const FILE: &str = "witness.json";

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Witness {
    identity: i64,
    beats: i64,
    /// The number of the database's file on its file system; a copy has another one. None where it is on a
    /// server.
    file: Option<u64>,
    /// Number and epoch of the last run with this folder.
    node: u16,
    epoch: i64,
}

/// Why sending waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The witness has seen more of this database.
    Restored,
    /// The database has lived before, and not before this witness.
    Copied,
}

impl Doubt {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Doubt::Restored => "it was restored from a backup",
            Doubt::Copied => "it was copied from another place",
        }
    }
}

impl Witness {
    /// Holds a database's life so far against what the witness saw of it.
    pub(super) fn doubts(seen: Option<&Witness>, life: Option<&Life>, file: Option<u64>) -> Option<Doubt> {
        match (seen, life) {
            // A database without a past has sent nothing, also where the last one was deleted to begin anew.
            (_, None) => None,
            (None, Some(_)) => Some(Doubt::Copied),
            (Some(seen), Some(life)) if seen.identity != life.identity => Some(Doubt::Copied),
            (Some(seen), Some(life)) if seen.beats > life.beats => Some(Doubt::Restored),
            (Some(seen), Some(_)) if seen.file.is_some() && seen.file != file => Some(Doubt::Copied),
            (Some(_), Some(_)) => None,
        }
    }

    /// The last run with this folder: its number is to begin with again.
    pub(super) fn last(&self) -> Node {
        Node { number: self.node, epoch: self.epoch }
    }

    /// Reads the file of a data folder. One that cannot be understood has seen nothing.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn read(app: &App) -> io::Result<Option<Witness>> {
        match fs::read(path(&app.config.server.data)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .inspect_err(|e| tracing::warn!("{FILE} cannot be understood and is written anew: {e}"))
                .ok()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Writes what is committed: the witness is never ahead of its own database.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(super) fn write(app: &App, life: &Life, node: Node) -> io::Result<()> {
        let (file, Node { number: node, epoch }) = (database_file(app), node);
        let witness = Witness { identity: life.identity, beats: life.beats, file, node, epoch };
        let to = path(&app.config.server.data);
        let new = to.with_extension("new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec(&witness)?)?;
        file.sync_all()?;
        fs::rename(&new, &to)
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The number of the file that an embedded database lies in.
pub(super) fn database_file(app: &App) -> Option<u64> {
    fs::metadata(app.config.database_file()?).ok().map(|m| m.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Witness = Witness { identity: 7, beats: 40, file: Some(3), node: 0, epoch: 1 };

    fn life(identity: i64, beats: i64) -> Life {
        Life { identity, beats, alive_at: cadenza_core::time::Time::MIN }
    }

    #[test]
    fn a_database_that_went_on_is_trusted() {
        assert_eq!(Witness::doubts(None, None, Some(3)), None);
        assert_eq!(Witness::doubts(Some(&SEEN), None, Some(3)), None, "begun anew");
        assert_eq!(Witness::doubts(Some(&SEEN), Some(&life(7, 40)), Some(3)), None);
        assert_eq!(Witness::doubts(Some(&SEEN), Some(&life(7, 41)), Some(3)), None, "killed between commit and file");
        let postgres = Witness { file: None, ..SEEN };
        assert_eq!(Witness::doubts(Some(&postgres), Some(&life(7, 40)), None), None);
    }

    #[test]
    fn one_that_went_back_or_came_from_elsewhere_is_not() {
        assert_eq!(Witness::doubts(Some(&SEEN), Some(&life(7, 39)), Some(3)), Some(Doubt::Restored));
        assert_eq!(Witness::doubts(Some(&SEEN), Some(&life(8, 99)), Some(3)), Some(Doubt::Copied));
        assert_eq!(Witness::doubts(Some(&SEEN), Some(&life(7, 40)), Some(4)), Some(Doubt::Copied));
        assert_eq!(Witness::doubts(None, Some(&life(7, 40)), Some(3)), Some(Doubt::Copied));
    }
}
