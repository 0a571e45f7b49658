//! SMTP replies (RFC 5321 §4.2), line by line. Judges whether it is a reply, not what it says.

/// Text beyond this is not kept; nobody reads it, and the code is what counts.
const TEXT_MAX: usize = 2000;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The lines without their codes, joined by `\n`; control characters are replaced, and at most 2,000 bytes are kept.
    pub text: String,
}

impl Reply {
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }
    pub fn is_negative(&self) -> bool {
        self.code >= 400
    }
}

/// A reply of which some lines have come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    code: Option<u16>,
    text: String,
}

/// A line that belongs to no reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAReply {
    pub found: String,
}

impl Partial {
    /// Takes one line without its line end; gives the reply with its last line. All lines must bear the same code.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, NotAReply> {
        let not_a_reply = || NotAReply { found: shown(&line[..line.len().min(80)]) };
        let (digits, rest) = line.split_at_checked(3).ok_or_else(not_a_reply)?;
        let last = match rest.first() {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(not_a_reply()),
        };
        if !(b'2'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(not_a_reply());
        }
        let code = digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
        if self.code.is_some_and(|begun| begun != code) {
            return Err(not_a_reply());
        }
        if self.code.is_some() && self.text.len() < TEXT_MAX {
            self.text.push('\n');
        }
        self.code = Some(code);
        let room = TEXT_MAX.saturating_sub(self.text.len());
        let rest = rest.get(1..).unwrap_or_default();
        let words = shown(&rest[..rest.len().min(room)]);
        // What is no UTF-8 grew threefold.
        self.text.push_str(&words[..words.floor_char_boundary(room)]);
        Ok(last.then(|| Reply { code, text: std::mem::take(&mut self.text) }))
    }
}

/// As text for logs and screens.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, NotAReply> {
        let mut partial = Partial::default();
        let mut end = Ok(None);
        for line in lines {
            end = partial.line(line.as_bytes());
            if !matches!(end, Ok(None)) {
                return end;
            }
        }
        end
    }

    #[test]
    fn replies_of_one_and_of_many_lines() {
        let reply = |code, text: &str| Ok(Some(Reply { code, text: text.to_owned() }));
        assert_eq!(read(&["250 ok"]), reply(250, "ok"));
        assert_eq!(read(&["250"]), reply(250, ""));
        assert_eq!(read(&["250 "]), reply(250, ""));
        assert_eq!(read(&["550-5.1.1 no such", "550 5.1.1 user"]), reply(550, "5.1.1 no such\n5.1.1 user"));
        assert_eq!(read(&["250-more"]), Ok(None));
        assert_eq!(read(&["250 a\u{1b}[31mb"]), reply(250, "a\u{fffd}[31mb"));
    }

    #[test]
    fn garbage_is_not_taken_for_a_reply() {
        for lines in [
            &["HTTP/1.1 400 Bad Request"][..],
            &[""],
            &["25"],
            &["2500 x"],
            &["150 x"],
            &["650 x"],
            &["250x"],
            &["2\u{662}0 x"],
            &["250-a", "550 b"],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn long_text_is_cut_and_the_code_kept() {
        let mut partial = Partial::default();
        for _ in 0..1000 {
            assert_eq!(partial.line(format!("452-{}", "x".repeat(500)).as_bytes()), Ok(None));
        }
        let reply = partial.line(b"452 end").unwrap().unwrap();
        assert_eq!(reply.code, 452);
        assert!(reply.text.len() <= TEXT_MAX);
        // Each of these bytes is shown as a character of three.
        let reply = Partial::default().line(&[b"250 ".as_slice(), &[0xff; 1_999]].concat()).unwrap().unwrap();
        assert_eq!((reply.text.len(), reply.text.chars().all(|c| c == '\u{fffd}')), (1_998, true));
    }

    proptest! {
        #[test]
        fn any_line_is_judged_without_panic(line in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(Some(reply)) = Partial::default().line(&line) {
                prop_assert!((200..600).contains(&reply.code));
                prop_assert!(!reply.text.contains(char::is_control));
            }
        }
    }
}
