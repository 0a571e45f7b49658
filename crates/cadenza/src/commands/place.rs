//! Where the running server of a data folder is reached by the command line: `server.json`, readable by its owner only,
//! there while the server runs. Who may read the file may do everything, as with the database beside it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const FILE: &str = "server.json";

/// Address and key of a running server's console.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub address: SocketAddr,
    /// Made anew at every start.
    pub token: String,
    /// The server's process, for people who look into the file.
    pub process: u32,
}

impl Place {
    /// Writes the file, in place of one that an earlier run left.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub fn write(data: &Path, address: SocketAddr, token: &str) -> io::Result<Place> {
        let place = Place { address, token: token.to_owned(), process: std::process::id() };
        let text = serde_json::to_string_pretty(&place)?;
        let unfinished = data.join(format!(".{FILE}.{}", place.process));
        let written = create_private(&unfinished).and_then(|mut file| file.write_all(text.as_bytes()));
        // Whole or not at all: whoever reads meanwhile finds the old file or the new one.
        let renamed = written.and_then(|()| fs::rename(&unfinished, file_in(data)));
        if let Err(e) = renamed {
            let _ = fs::remove_file(&unfinished);
            return Err(e);
        }
        Ok(place)
    }

    /// The place that the file names; whether somebody still listens there is for the caller to find out.
    ///
    /// # Errors
    /// A file that cannot be read or is not what [`Place::write`] writes.
    pub fn find(data: &Path) -> io::Result<Option<Place>> {
        match fs::read_to_string(file_in(data)) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| {
                let why = format!("{e}; delete the file if no server runs on this data folder");
                io::Error::new(io::ErrorKind::InvalidData, why)
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes the file, if it is still this server's.
    pub fn remove(&self, data: &Path) {
        if let Ok(Some(found)) = Place::find(data)
            && found == *self
            && let Err(e) = fs::remove_file(file_in(data))
        {
            tracing::warn!("{} is left behind: {e}", file_in(data).display());
        }
    }
}

/// For error messages.
pub fn file_in(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Keys stay out of logs.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("address", &self.address).field("process", &self.process).finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_while_it_is_there_and_is_its_owners_alone() {
        let data = std::env::temp_dir().join(format!("cadenza-place-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        assert_eq!(Place::find(&data).unwrap(), None);
        let first = Place::write(&data, "127.0.0.1:4000".parse().unwrap(), "one").unwrap();
        let second = Place::write(&data, "127.0.0.1:4001".parse().unwrap(), "two").unwrap();
        assert_eq!(Place::find(&data).unwrap(), Some(second.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file_in(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!format!("{second:?}").contains("two"));
        first.remove(&data);
        assert!(Place::find(&data).unwrap().is_some(), "another server's place stays");
        second.remove(&data);
        assert_eq!(Place::find(&data).unwrap(), None);
        fs::write(file_in(&data), "{}").unwrap();
        assert!(Place::find(&data).unwrap_err().to_string().contains("delete the file"));
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing half written is left");
        fs::remove_dir_all(data).unwrap();
    }
}
