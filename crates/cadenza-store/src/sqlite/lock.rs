//! Keeps a second process away from a database file. SQLite itself would let it in, and two schedulers would send.

use crate::error::{Result, StoreError};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Held while the database is open; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// The lock is on a file of its own beside the database: closing a second handle to the database file would drop
    /// SQLite's own locks on it.
    pub(crate) fn take(database: &Path) -> Result<FileLock> {
        let mut name = database.as_os_str().to_owned();
        name.push("-lock");
        let path = PathBuf::from(name);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| StoreError::unavailable(format!("{} cannot be opened: {e}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::unavailable(format!(
                "{} is in use by another Cadenza process; stop that one first, or use PostgreSQL for several",
                database.display()
            ))),
            Err(TryLockError::Error(e)) => {
                Err(StoreError::unavailable(format!("{} cannot be locked: {e}", path.display())))
            }
        }
    }
}
