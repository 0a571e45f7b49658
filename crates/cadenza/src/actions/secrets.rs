//! Tokens that stand for somebody: of browsers, of programs, of one-time links. Made of 256 random bits and the workspace
//! they belong to; what is stored is their SHA-256 alone.

use crate::clock::Clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadenza_core::ids::WorkspaceId;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// What a token is for; told by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Session,
    Link,
    Api,
    /// Of the first run.
    Setup,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Purpose::Session => "ses",
            Purpose::Link => "lnk",
            Purpose::Setup => "set",
            // Found by scanners for leaked secrets.
            Purpose::Api => "cdz",
        }
    }
}

/// A token as its owner has it. Not shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    pub workspace: WorkspaceId,
}

impl Secret {
    pub fn new(purpose: Purpose, workspace: WorkspaceId, clock: &Clock) -> Secret {
        let random = URL_SAFE_NO_PAD.encode(clock.entropy::<32>());
        let number = workspace.to_string();
        let number = number.rsplit('_').next().unwrap_or_default();
        Secret { text: format!("{}_{number}_{random}", purpose.prefix()), workspace }
    }

    /// Reads one; `None` where it cannot be one of that purpose.
    pub fn read(purpose: Purpose, text: &str) -> Option<Secret> {
        let rest = text.strip_prefix(purpose.prefix())?.strip_prefix('_')?;
        let (number, random) = rest.split_once('_')?;
        let plausible =
            random.len() == 43 && random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let workspace = format!("{}_{number}", WorkspaceId::PREFIX).parse().ok()?;
        plausible.then(|| Secret { text: text.to_owned(), workspace })
    }

    /// What its owner is given.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is stored: with 256 random bits behind it, a plain hash cannot be guessed back.
    pub fn hash(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(of {})", self.workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_workspace_and_nothing_else_reads_as_one() {
        let secret = Secret::new(Purpose::Api, WorkspaceId(77), &Clock::system());
        assert!(secret.reveal().starts_with("cdz_000000000002d_"), "{}", secret.reveal());
        assert_eq!(Secret::read(Purpose::Api, secret.reveal()), Some(secret.clone()));
        assert_eq!(secret.hash().len(), 64);
        assert!(!format!("{secret:?}").contains(&secret.reveal()[20..]));
        for other in ["", "cdz_", "cdz_000000000002d_short", "ses_000000000002d_x", &secret.reveal().replace('_', "-")]
        {
            assert_eq!(Secret::read(Purpose::Api, other), None, "{other}");
        }
        assert_eq!(Secret::read(Purpose::Session, secret.reveal()), None, "of another purpose");
    }
}
