//! Signed tokens in links: what a link is for, and for which message, in a form that nobody else can make.
//! A token never expires and may be used as often as wanted (RFC 8058 asks for that); what using it does is decided elsewhere.

use crate::ids::{EnrollmentId, WorkspaceId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the MAC in a token: 96 bits.
const MAC_BYTES: usize = 12;
/// The last letter of every token. What base64 ends in may be `-` or `_`, which programs that make links of the addresses in a
/// text take for the sentence's punctuation and leave out.
const END: char = 'z';
/// The longest link target that a token carries, bytes.
pub const TARGET_MAX: usize = 4_096;

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The open pixel.
    Open,
    /// A click that leads to this address.
    Click(String),
    Unsubscribe,
}

/// A purpose and the message it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub purpose: Purpose,
}

/// Why a text is no token. It does not say more: whoever guesses learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this link is not one of ours, or it was cut short")]
pub struct InvalidToken;

impl Token {
    /// URL-safe text, 45 characters without a link target; it ends in a letter.
    pub fn sign(&self, key: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(match &self.purpose {
            Purpose::Open => b'o',
            Purpose::Click(_) => b'c',
            Purpose::Unsubscribe => b'u',
        });
        bytes.extend_from_slice(&self.workspace.0.to_be_bytes());
        bytes.extend_from_slice(&self.enrollment.0.to_be_bytes());
        bytes.extend_from_slice(&self.visit.to_be_bytes());
        if let Purpose::Click(target) = &self.purpose {
            bytes.extend_from_slice(target.as_bytes());
        }
        let mac = mac(key, b"link", &bytes);
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        let mut text = URL_SAFE_NO_PAD.encode(bytes);
        text.push(END);
        text
    }

    /// The workspace that a token names, before its key is known; proves nothing.
    pub fn workspace_of(text: &str) -> Result<WorkspaceId, InvalidToken> {
        Ok(WorkspaceId(number(&decode(text)?, 1)?))
    }

    /// Reads a token and checks that this key made it.
    pub fn verify(text: &str, key: &[u8]) -> Result<Token, InvalidToken> {
        let bytes = decode(text)?;
        let split = bytes.len().checked_sub(MAC_BYTES).ok_or(InvalidToken)?;
        let (body, given) = bytes.split_at(split);
        if !is_mac(key, b"link", body, given) {
            return Err(InvalidToken);
        }
        let rest = body.get(21..).ok_or(InvalidToken)?;
        let purpose = match (body.first(), rest.is_empty()) {
            (Some(b'o'), true) => Purpose::Open,
            (Some(b'u'), true) => Purpose::Unsubscribe,
            (Some(b'c'), false) => Purpose::Click(String::from_utf8(rest.to_vec()).map_err(|_| InvalidToken)?),
            _ => return Err(InvalidToken),
        };
        let visit = body.get(17..21).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes).ok_or(InvalidToken)?;
        Ok(Token {
            workspace: WorkspaceId(number(body, 1)?),
            enrollment: EnrollmentId(number(body, 9)?),
            visit,
            purpose,
        })
    }
}

/// A keyed hash of a value that must be recognised and never read back, such as a suppressed address after an erasure.
pub fn keyed_hash(key: &[u8], value: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(key, b"value", value.as_bytes()))
}

fn decode(text: &str) -> Result<Vec<u8>, InvalidToken> {
    if text.len() > 2 * TARGET_MAX {
        return Err(InvalidToken);
    }
    let digits = text.strip_suffix(END).ok_or(InvalidToken)?;
    URL_SAFE_NO_PAD.decode(digits).map_err(|_| InvalidToken)
}

fn number(bytes: &[u8], at: usize) -> Result<i64, InvalidToken> {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(i64::from_be_bytes).ok_or(InvalidToken)
}

/// HMAC takes keys of every length, so the fallback is never made.
fn new_mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()))
}

/// Whether `given` is the beginning of the MAC, found in the same time whatever it is.
pub(crate) fn is_mac(key: &[u8], domain: &[u8], bytes: &[u8], given: &[u8]) -> bool {
    let mut hmac = new_mac(key);
    hmac.update(domain);
    hmac.update(bytes);
    hmac.verify_truncated_left(given).is_ok()
}

pub(crate) fn mac(key: &[u8], domain: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut hmac = new_mac(key);
    hmac.update(domain);
    hmac.update(bytes);
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(purpose: Purpose) -> Token {
        Token { workspace: WorkspaceId(5), enrollment: EnrollmentId(1 << 40), visit: 3, purpose }
    }

    #[test]
    fn a_token_reads_back_with_its_key_only() {
        for purpose in [Purpose::Open, Purpose::Unsubscribe, Purpose::Click("https://example.com/?a=1&b=ü".into())] {
            let text = token(purpose.clone()).sign(b"key");
            assert_eq!(Token::verify(&text, b"key"), Ok(token(purpose)));
            assert_eq!(Token::verify(&text, b"other"), Err(InvalidToken));
            assert_eq!(Token::workspace_of(&text), Ok(WorkspaceId(5)));
        }
    }

    /// In a plain text the address of a link has no end but the space behind it.
    #[test]
    fn no_end_of_a_token_looks_like_punctuation() {
        for visit in 0..300 {
            let text = Token { visit, ..token(Purpose::Unsubscribe) }.sign(b"key");
            assert_eq!(text.len(), 45);
            let address = format!("https://go.example/u/{text}");
            let found = crate::compose::links_of_text(&format!("Unsubscribe: {address}."));
            assert_eq!(found.iter().map(|l| l.address.as_str()).collect::<Vec<_>>(), [address.as_str()]);
        }
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(at in 0usize..45, with in "[A-Za-z0-9_-]") {
            let text = token(Purpose::Open).sign(b"key");
            let mut changed = text.clone();
            changed.replace_range(at % text.len()..at % text.len() + 1, &with);
            // The last digit has spare bits; a change there that decodes to the same bytes is the same token.
            if changed != text {
                prop_assert!(Token::verify(&changed, b"key").is_err());
            }
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".{0,200}") {
            prop_assert_eq!(Token::verify(&text, b"key"), Err(InvalidToken));
        }
    }
}
