//! The tag behind the plus of an address: `ada+TAG@example.com` is where answers to one message and reports about it come back
//! to, so that a mail says whose it is also where its thread was lost. It says that and nothing else: no link can be made of it.

use crate::compose::Address;
use crate::ids::{ALPHABET, EnrollmentId, WorkspaceId};
use crate::tokens;

/// Bytes of the MAC: 64 bits. It is shorter than a link's, since the name before the plus needs room too, a guess can only be
/// tried by sending a mail, and a forged tag could stop an enrollment and do no more.
const MAC_BYTES: usize = 8;
const MAC_OF: &[u8] = b"address";
const ENROLLMENT_BYTES: usize = 8;
/// Digits of five bits: of a tag without a visit, and of the longest.
const LENGTHS: std::ops::RangeInclusive<usize> = 26..=32;
const DELIMITER: char = '+';

/// Which message an address was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressTag {
    pub enrollment: EnrollmentId,
    pub visit: u32,
}

impl AddressTag {
    /// Letters and digits in lower case, 28 of them for the first 255 visits. Servers may change the case of the part before
    /// the `@`, so it means nothing.
    pub fn sign(self, workspace: WorkspaceId, key: &[u8]) -> String {
        let mut bytes = self.enrollment.0.to_be_bytes().to_vec();
        bytes.extend(self.visit.to_be_bytes().into_iter().skip_while(|b| *b == 0));
        let mac = tokens::mac(key, MAC_OF, &signed(workspace, &bytes));
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        encode(&bytes)
    }

    /// Reads a tag and checks that it was made with this key for this workspace.
    pub fn verify(text: &str, workspace: WorkspaceId, key: &[u8]) -> Option<AddressTag> {
        let bytes = decode(text)?;
        let (body, given) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        if !tokens::is_mac(key, MAC_OF, &signed(workspace, body), given) {
            return None;
        }
        let (enrollment, visit) = body.split_at_checked(ENROLLMENT_BYTES)?;
        let visit = visit.iter().fold(0, |visit, byte| (visit << 8) | u32::from(*byte));
        Some(AddressTag { enrollment: EnrollmentId(i64::from_be_bytes(enrollment.try_into().ok()?)), visit })
    }

    /// What may be a tag, in the address that a mail came to. Proves nothing.
    pub fn of_address(address: &str) -> Option<&str> {
        let (local, _) = address.rsplit_once('@')?;
        let (_, tag) = local.rsplit_once(DELIMITER)?;
        (LENGTHS.contains(&tag.len()) && tag.bytes().all(|b| digit(b).is_some())).then_some(tag)
    }
}

/// The address with a tag; `None` where the part before the `@` would be longer than 64 characters (RFC 5321 §4.5.3.1.1), or
/// the whole longer than a path may be.
pub fn tagged(address: &Address, tag: &str) -> Option<Address> {
    format!("{}{DELIMITER}{tag}@{}", address.local(), address.domain()).parse().ok()
}

/// The workspace is known where a tag is read, and takes no room in it.
fn signed(workspace: WorkspaceId, body: &[u8]) -> Vec<u8> {
    [&workspace.0.to_be_bytes()[..], body].concat()
}

/// The first bits first; the last digit is filled up with zeros.
fn encode(bytes: &[u8]) -> String {
    let bit = |n: usize| bytes.get(n / 8).is_some_and(|byte| (byte >> (7 - n % 8)) & 1 == 1);
    let digits = (bytes.len() * 8).div_ceil(5);
    let digit = |n: usize| (0..5).fold(0, |digit, at| (digit << 1) | usize::from(bit(n * 5 + at)));
    (0..digits).map(|n| char::from(ALPHABET[digit(n)])).collect()
}

/// `None` where a letter is no digit, or what fills up is not zeros: one tag has one text, but for its case.
fn decode(text: &str) -> Option<Vec<u8>> {
    if !LENGTHS.contains(&text.len()) {
        return None;
    }
    let (mut bytes, mut kept, mut bits) = (Vec::with_capacity(20), 0u32, 0);
    for letter in text.bytes() {
        kept = (kept << 5) | digit(letter)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((kept >> bits) as u8);
            kept &= (1 << bits) - 1;
        }
    }
    (bits < 5 && kept == 0).then_some(bytes)
}

fn digit(letter: u8) -> Option<u32> {
    ALPHABET.iter().position(|a| *a == letter.to_ascii_lowercase()).and_then(|at| u32::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Token;
    use proptest::prelude::*;

    const W: WorkspaceId = WorkspaceId(5);
    const TAG: AddressTag = AddressTag { enrollment: EnrollmentId(i64::MAX), visit: 3 };

    #[test]
    fn no_other_key_workspace_or_kind_of_token_will_do() {
        let text = TAG.sign(W, b"key");
        assert_eq!(text.len(), 28);
        assert_eq!(AddressTag::verify(&text, W, b"key"), Some(TAG));
        assert_eq!(AddressTag::verify(&text, W, b"other"), None);
        assert_eq!(AddressTag::verify(&text, WorkspaceId(6), b"key"), None);
        assert!(Token::verify(&text, b"key").is_err() && Token::verify(&format!("{text}z"), b"key").is_err());
    }

    #[test]
    fn a_name_that_leaves_no_room_gets_no_tag() {
        let text = TAG.sign(W, b"key");
        let with = |length: usize| tagged(&format!("{}@example.com", "a".repeat(length)).parse().unwrap(), &text);
        assert_eq!(with(35).unwrap().local().len(), 64);
        assert_eq!(with(36), None);
        let long =
            format!("ada@{}.example.com", ["b".repeat(60), "c".repeat(60), "d".repeat(60), "e".repeat(40)].join("."));
        assert_eq!(tagged(&long.parse().unwrap(), &text), None, "the whole is too long");
    }

    #[test]
    fn a_tag_is_found_behind_the_last_plus() {
        let text = TAG.sign(W, b"key");
        for name in ["ada", "ada+sales"] {
            let address = tagged(&format!("{name}@Example.com").parse().unwrap(), &text).unwrap();
            assert_eq!(AddressTag::of_address(address.as_str()), Some(text.as_str()), "{address}");
        }
        for other in
            ["ada@example.com", "ada+lists@example.com", "ada+@example.com", "x", &format!("{text}@example.com")]
        {
            assert_eq!(AddressTag::of_address(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_tag_survives_every_change_of_case(enrollment in 0..=i64::MAX, visit: u32, upper: u32) {
            let tag = AddressTag { enrollment: EnrollmentId(enrollment), visit };
            let text = tag.sign(W, b"key");
            prop_assert_eq!(&text, &text.to_lowercase());
            let mixed: String = text.char_indices()
                .map(|(at, c)| if (upper >> (at % 32)) & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            prop_assert_eq!(AddressTag::verify(&mixed, W, b"key"), Some(tag));
            let address = format!("ada+{mixed}@example.com");
            prop_assert_eq!(AddressTag::of_address(&address), Some(mixed.as_str()));
        }

        #[test]
        fn a_changed_tag_is_refused(at in 0usize..28, with in "[0-9a-z]") {
            let text = TAG.sign(W, b"key");
            let mut changed = text.clone();
            changed.replace_range(at..at + 1, &with);
            if changed != text {
                prop_assert_eq!(AddressTag::verify(&changed, W, b"key"), None);
            }
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".{0,40}|[0-9a-z]{20,40}") {
            prop_assert_eq!(AddressTag::verify(&text, W, b"key"), None);
            AddressTag::of_address(&text);
        }
    }
}
