//! Seals the secrets that are stored (passwords of mailboxes, webhook secrets) with a key that is never in the database or
//! its backups: XChaCha20-Poly1305, bound to the place where the secret stands.

use crate::clock::Clock;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// In the data folder; readable by its owner only.
const KEY_FILE: &str = "secret.key";
const NONCE_BYTES: usize = 24;
/// Names key and format, so that a later key can be told apart.
const FORMAT: u8 = 1;

/// The key of an installation.
#[derive(Clone)]
pub struct Seal {
    cipher: XChaCha20Poly1305,
}

/// Why a secret cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored secret cannot be opened: it was sealed with another key than the {KEY_FILE} of this data folder")]
pub struct NotOurs;

/// Where a secret stands; a sealed secret moved to another place does not open there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub workspace: i64,
    pub table: &'a str,
    pub row: i64,
    pub column: &'a str,
}

impl Seal {
    /// Where the key of a data folder is.
    pub fn file(data: &Path) -> PathBuf {
        data.join(KEY_FILE)
    }

    /// Reads the key of a data folder; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold 32 bytes.
    pub fn found(data: &Path) -> io::Result<Option<Seal>> {
        let path = Seal::file(data);
        match fs::read(&path) {
            Ok(bytes) => {
                let key: [u8; 32] = bytes.try_into().map_err(|_| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{}: expected 32 bytes", path.display()))
                })?;
                Ok(Some(Seal::with_key(key)))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reads the key of a data folder, or makes one at its first start.
    ///
    /// # Errors
    /// The file cannot be read or written, or does not hold 32 bytes.
    pub fn of_folder(data: &Path, clock: &Clock) -> io::Result<Seal> {
        if let Some(seal) = Seal::found(data)? {
            return Ok(seal);
        }
        let key = clock.entropy::<32>();
        create_private(&Seal::file(data))?.write_all(&key)?;
        Ok(Seal::with_key(key))
    }

    pub fn with_key(key: [u8; 32]) -> Seal {
        Seal { cipher: XChaCha20Poly1305::new(&key.into()) }
    }

    pub fn seal(&self, clock: &Clock, place: Place<'_>, secret: &[u8]) -> Vec<u8> {
        let nonce = clock.entropy::<NONCE_BYTES>();
        let aad = place.bytes();
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad });
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + secret.len() + 16);
        out.push(FORMAT);
        out.extend_from_slice(&nonce);
        // Encryption fails for messages of 256 GiB only; nothing is stored then, and opening says so.
        out.extend_from_slice(&sealed.unwrap_or_default());
        out
    }

    /// # Errors
    /// Another key, another place, or a damaged secret.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        let rest = sealed.strip_prefix(&[FORMAT]).ok_or(NotOurs)?;
        let (nonce, text) = rest.split_at_checked(NONCE_BYTES).ok_or(NotOurs)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| NotOurs)?;
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &place.bytes() }).map_err(|_| NotOurs)
    }
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        format!("{}/{}/{}/{}", self.workspace, self.table, self.row, self.column).into_bytes()
    }
}

/// Creates a file that only its owner can read; an existing one is an error.
#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_place_and_with_its_key_only() {
        let clock = Clock::system();
        let seal = Seal::with_key([7; 32]);
        let place = Place { workspace: 1, table: "mailbox", row: 2, column: "smtp_secret" };
        let sealed = seal.seal(&clock, place, b"hunter2");
        assert!(!sealed.windows(7).any(|w| w == b"hunter2"));
        assert_eq!(seal.open(place, &sealed), Ok(b"hunter2".to_vec()));
        assert_eq!(seal.open(Place { row: 3, ..place }, &sealed), Err(NotOurs));
        assert_eq!(Seal::with_key([8; 32]).open(place, &sealed), Err(NotOurs));
        assert_eq!(seal.open(place, &sealed[..10]), Err(NotOurs));
    }
}
