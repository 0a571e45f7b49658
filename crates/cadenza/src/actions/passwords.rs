//! Passwords: which are good enough, and hashing and checking them on a bounded number of threads, so that sign-ins can
//! use up neither memory nor processors. Who may try how often is decided in `attempts`.

use super::{ActionError, Result};
use crate::clock::Clock;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use cadenza_store::users::PasswordHash;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Hashes at once; each takes 19 MiB.
const AT_ONCE: usize = 2;
const LENGTH_MAX: usize = 256;

/// Parts of passwords that everybody tries first.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "passw0rd",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "1qaz2wsx",
    "zaq12wsx",
    "iloveyou",
    "letmein",
    "welcome",
    "football",
    "baseball",
    "basketball",
    "superman",
    "princess",
    "sunshine",
    "trustno1",
    "administrator",
    "changeme",
    "cadenza",
    "starwars",
    "whatever",
    "computer",
    "internet",
    "liverpool",
    "chelsea",
    "master",
    "monkey",
    "dragon",
    "secret",
    "1234567890",
    "123456789",
    "12345678",
    "0123456789",
    "0987654321",
    "987654321",
    "123123123",
    "abcdefghij",
    "abc123abc",
];

/// Hashes and checks passwords, a few at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    clock: Clock,
}

impl Passwords {
    pub fn new(clock: Clock) -> Passwords {
        Passwords { turns: Arc::new(Semaphore::new(AT_ONCE)), clock }
    }

    /// What is stored of a password: argon2id with the least parameters that OWASP asks for (19 MiB, 2 rounds, 1 lane).
    pub async fn hash(&self, password: String) -> Result<PasswordHash> {
        let salt = self.clock.entropy::<16>();
        self.on_a_thread(move || {
            let hash: Phc =
                hasher()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(ActionError::internal)?;
            Ok(PasswordHash(hash.to_string()))
        })
        .await
    }

    /// Whether it is the password. Where there is none to compare with, just as long is spent and the answer is no.
    pub async fn check(&self, password: String, stored: Option<PasswordHash>) -> Result<bool> {
        let nobody = self.clock.entropy::<16>();
        self.on_a_thread(move || {
            let hash = match &stored {
                Some(PasswordHash(text)) => Phc::new(text).map_err(ActionError::internal)?,
                None => decoy(&nobody)?,
            };
            match hasher()?.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(stored.is_some()),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(e) => Err(ActionError::internal(e)),
            }
        })
        .await
    }

    async fn on_a_thread<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let turn = self.turns.clone().acquire_owned().await.map_err(ActionError::internal)?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(ActionError::internal)?
    }
}

/// Whether somebody may take this password, for themselves or another.
///
/// Errors: `Invalid` for the field `password`.
pub fn accept(password: &str, address: &str, length_min: usize) -> Result<()> {
    let letters = password.chars().count();
    if letters < length_min {
        return Err(ActionError::invalid("password", format!("A password needs at least {length_min} characters.")));
    }
    if password.len() > LENGTH_MAX {
        return Err(ActionError::invalid("password", format!("A password has at most {LENGTH_MAX} bytes.")));
    }
    let folded = password.to_lowercase();
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    let own = address.split('@').next().unwrap_or(address).to_lowercase();
    let obvious =
        |part: &str| !part.is_empty() && folded.contains(part) && folded.chars().count() < part.chars().count() + 5;
    if different.len() < 5 || COMMON.iter().any(|c| obvious(c)) || (own.len() > 3 && obvious(&own)) {
        return Err(ActionError::invalid(
            "password",
            "This password is among those that are tried first. A few words that belong to nobody else are better.",
        ));
    }
    Ok(())
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(ActionError::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is compared with where there is no password, so that it cannot be told by the time it takes.
fn decoy(salt: &[u8]) -> Result<Phc> {
    static DECOY: OnceLock<Phc> = OnceLock::new();
    if let Some(hash) = DECOY.get() {
        return Ok(hash.clone());
    }
    let hash = hasher()?.hash_password_with_salt(b"nobody", salt).map_err(ActionError::internal)?;
    Ok(DECOY.get_or_init(|| hash).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let passwords = Passwords::new(Clock::system());
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(passwords.check("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.check("correct horse".into(), Some(hash)).await.unwrap());
        assert!(!passwords.check("nobody".into(), None).await.unwrap(), "nobody signs in without a password");
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for bad in [
            "short",
            "aaaaaaaaaaaa",
            "Password2027",
            "qwertyuiop1",
            "ann.lindqvist1",
            "1234567890ab",
            &"x1y2z3".repeat(60),
        ] {
            assert!(accept(bad, "ann.lindqvist@northwind.example", 10).is_err(), "{bad}");
        }
        for good in ["correct horse battery", "Zwölf Boxkämpfer", "kX9#mvPq2!rT"] {
            assert!(accept(good, "ann@northwind.example", 10).is_ok(), "{good}");
        }
    }
}
