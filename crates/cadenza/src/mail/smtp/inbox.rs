//! What the server has sent and nobody has read yet, cut into lines and replies. It touches no socket: bytes are put in as they
//! come, in pieces of any size, and the same bytes give the same replies however they were cut.

use super::outcome::Lost;
use super::reply::{Partial, Reply};

/// A line beyond this is cut (RFC 5321 §4.5.3.1.5 allows 512); the rest of it is read and dropped.
const LINE_MAX: usize = 4096;
/// A reply beyond this is an attack, not an answer.
const REPLY_MAX: usize = 1024 * 1024;

/// Bytes from the server, up to the last whole reply that was taken out.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    partial: Partial,
    /// Bytes of the reply that is being read.
    taken: usize,
}

impl Inbox {
    /// Where the next bytes are put, behind the others.
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Whether nothing has come that was not read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.taken == 0
    }

    /// The next reply; `None` where more has to come first.
    ///
    /// # Errors
    /// What came is no reply, or does not end. Nothing that comes later can be understood then.
    pub fn reply(&mut self) -> Result<Option<Reply>, Lost> {
        while let Some(line) = self.next_line()? {
            match self.partial.line(&line) {
                Ok(None) => {}
                Ok(Some(reply)) => {
                    (self.partial, self.taken) = (Partial::default(), 0);
                    return Ok(Some(reply));
                }
                Err(not_a_reply) => return Err(Lost::Garbage(not_a_reply.found)),
            }
        }
        Ok(None)
    }

    /// The next line, without its line end and cut at [`LINE_MAX`].
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Lost> {
        let end = self.bytes.iter().position(|b| *b == b'\n');
        let here = end.unwrap_or(self.bytes.len());
        let kept = here.min(LINE_MAX - self.line.len());
        self.line.extend_from_slice(&self.bytes[..kept]);
        let gone = end.map_or(here, |end| end + 1);
        self.bytes.drain(..gone);
        self.taken += gone;
        if self.taken > REPLY_MAX {
            return Err(Lost::Oversized);
        }
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_out_whole_and_in_order() {
        let mut inbox = Inbox::default();
        inbox.end().extend_from_slice(b"250-one\r\n250 t");
        assert_eq!((inbox.reply(), inbox.is_empty()), (Ok(None), false));
        inbox.end().extend_from_slice(b"wo\r\n354 go\r\n2");
        let mut next = || inbox.reply().unwrap().map(|reply| (reply.code, reply.text));
        assert_eq!(next(), Some((250, "one\ntwo".to_owned())));
        assert_eq!(next(), Some((354, "go".to_owned())));
        assert_eq!(next(), None);
        assert!(!inbox.is_empty(), "a 2 is there");
    }

    #[test]
    fn a_long_line_is_cut_and_a_reply_without_end_given_up() {
        let mut inbox = Inbox::default();
        for _ in 0..20 {
            inbox.end().extend_from_slice(&[b'2'; 1_000]);
            assert_eq!(inbox.reply(), Ok(None));
        }
        inbox.end().extend_from_slice(b"\r\n");
        assert!(matches!(inbox.reply(), Err(Lost::Garbage(_))));
        // Empty lines of a reply that goes on count too.
        let mut inbox = Inbox::default();
        inbox.end().extend_from_slice(&b"250-\n".repeat(REPLY_MAX / 5 + 1));
        assert_eq!(inbox.reply(), Err(Lost::Oversized));
    }
}
