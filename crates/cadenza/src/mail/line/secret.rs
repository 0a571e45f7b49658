//! What is said to sign in, and how the mechanisms write it (RFC 4616, XOAUTH2). Its `Debug` shows no secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    None,
    /// PLAIN (RFC 4616), or LOGIN where only that is offered.
    Password {
        user: String,
        password: String,
    },
    /// An OAuth 2.0 access token, as Google and Microsoft take it.
    XOAuth2 {
        user: String,
        token: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Auth::None => "None",
            Auth::Password { .. } => "Password(…)",
            Auth::XOAuth2 { .. } => "XOAuth2(…)",
        })
    }
}

/// Whether the secrets can be said in every mechanism: PLAIN parts by NUL, XOAUTH2 by U+0001.
pub(in super::super) fn is_sayable(auth: &Auth) -> bool {
    let clean = |text: &str| !text.bytes().any(|b| b.is_ascii_control());
    match auth {
        Auth::None => true,
        Auth::Password { user, password: secret } | Auth::XOAuth2 { user, token: secret } => {
            clean(user) && clean(secret)
        }
    }
}

/// The initial response of PLAIN.
pub(in super::super) fn plain(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}

/// The initial response of XOAUTH2.
pub(in super::super) fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

/// The cause of a refusal, which XOAUTH2 puts into a challenge.
pub(in super::super) fn xoauth2_cause(challenge: &str) -> String {
    let cause = STANDARD.decode(challenge.trim()).unwrap_or_default();
    String::from_utf8_lossy(&cause).chars().filter(|c| !c.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let auth = Auth::Password { user: "ada".into(), password: "hunter2".into() };
        assert_eq!(format!("{auth:?}"), "Password(…)");
    }
}
