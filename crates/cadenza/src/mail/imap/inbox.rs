//! What the server has sent and nobody has read yet, cut into responses, each of text and counted literals. It touches no socket:
//! bytes are put in as they come, in pieces of any size, and the same bytes give the same responses however they were cut.

use super::failure::Lost;
use super::response::Response;

/// A buffer that a large answer has grown is given back.
const KEPT_MAX: usize = 64 * 1024;

/// A stretch of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text without line ends; what it says of a literal's length is cut off.
    Text(Vec<u8>),
    /// Bytes that were counted beforehand.
    Literal(Vec<u8>),
}

/// Bytes from the server, up to the last whole response that was taken out.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How much of `bytes` holds no line end, as far as was looked.
    looked: usize,
    pieces: Vec<Piece>,
    /// Bytes of a literal that are still to come.
    missing: Option<usize>,
    /// How many bytes may still be taken in.
    room: usize,
    room_at_first: usize,
}

impl Inbox {
    /// From here on so many bytes may come.
    pub fn make_room(&mut self, bytes: usize) {
        (self.room, self.room_at_first) = (bytes, bytes);
    }

    /// Where the next bytes are put, behind the others.
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The next response, read; `None` where more has to come first.
    ///
    /// # Errors
    /// It is larger than there is room for, or no response. Nothing that comes later can be understood then.
    pub fn response(&mut self) -> Result<Option<Response>, Lost> {
        let Some(pieces) = self.pieces()? else { return Ok(None) };
        let start = match pieces.first() {
            Some(Piece::Text(text)) => String::from_utf8_lossy(&text[..text.len().min(80)]).into_owned(),
            _ => String::new(),
        };
        Response::read(pieces).map(Some).ok_or(Lost::Garbage(start))
    }

    fn pieces(&mut self) -> Result<Option<Vec<Piece>>, Lost> {
        loop {
            if let Some(missing) = self.missing {
                if self.bytes.len() < missing {
                    return Ok(None);
                }
                self.missing = None;
                let literal = self.take(missing);
                self.pieces.push(Piece::Literal(literal));
            }
            let Some(end) = self.bytes[self.looked..].iter().position(|b| *b == b'\n') else {
                self.looked = self.bytes.len();
                if self.looked > self.room {
                    return Err(Lost::Oversized(self.room_at_first));
                }
                return Ok(None);
            };
            let length = self.looked + end + 1;
            self.spend(length)?;
            let mut line = self.take(length);
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            let literal = if self.pieces.is_empty() && is_status(&line) { None } else { literal_at_end(&line) };
            let Some((text, length)) = literal else {
                self.pieces.push(Piece::Text(line));
                return Ok(Some(std::mem::take(&mut self.pieces)));
            };
            self.spend(length)?;
            line.truncate(text);
            self.pieces.push(Piece::Text(line));
            self.missing = Some(length);
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Lost> {
        self.room = self.room.checked_sub(bytes).ok_or(Lost::Oversized(self.room_at_first))?;
        Ok(())
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.looked = 0;
        let rest = self.bytes.split_off(length);
        let mut taken = std::mem::replace(&mut self.bytes, rest);
        if taken.capacity() > taken.len() + KEPT_MAX {
            taken.shrink_to_fit();
        }
        taken
    }
}

/// A status response ends with free words, which may end with what looks like a literal.
fn is_status(line: &[u8]) -> bool {
    let mut words = line.split(|b| *b == b' ');
    let word = words.nth(1).unwrap_or_default();
    [b"OK".as_slice(), b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|w| word.eq_ignore_ascii_case(w))
        || line.first() == Some(&b'+')
}

/// Where the text before a `{n}` at the end of a line ends, and n. Also `{n+}` and `~{n}`, which servers do not send but some do.
fn literal_at_end(line: &[u8]) -> Option<(usize, usize)> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|b| *b == b'{')?;
    let digits = &inside[open + 1..];
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || digits.len() > 12 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let text = if open > 0 && inside[open - 1] == b'~' { open - 1 } else { open };
    Some((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8], piece: usize, room: usize) -> Vec<Result<Vec<Piece>, Lost>> {
        let mut inbox = Inbox::default();
        inbox.make_room(room);
        let mut all = Vec::new();
        for part in bytes.chunks(piece) {
            inbox.end().extend_from_slice(part);
            loop {
                match inbox.pieces() {
                    Ok(None) => break,
                    Ok(Some(pieces)) => all.push(Ok(pieces)),
                    Err(lost) => {
                        all.push(Err(lost));
                        return all;
                    }
                }
            }
        }
        all
    }

    fn text(words: &str) -> Piece {
        Piece::Text(words.as_bytes().to_vec())
    }

    #[test]
    fn responses_come_out_whole_however_they_were_cut() {
        let bytes = b"* OK hi {3}\r\n* 1 FETCH (BODY[] {7}\r\na\r\n{9}\n UID 5)\r\n+ \r\n";
        for piece in [1, 2, 7, 1000] {
            let all = said(bytes, piece, 1000);
            assert_eq!(all[0], Ok(vec![text("* OK hi {3}")]));
            let literal = Piece::Literal(b"a\r\n{9}\n".to_vec());
            assert_eq!(all[1], Ok(vec![text("* 1 FETCH (BODY[] "), literal, text(" UID 5)")]));
            assert_eq!(all[2..], [Ok(vec![text("+ ")])]);
        }
    }

    #[test]
    fn no_more_is_taken_in_than_there_is_room_for() {
        for bytes in [&b"* 1 FETCH (BODY[] {4294967295}\r\n"[..], &[b'x'; 200], &b"* 1 EXISTS\r\n".repeat(20)] {
            assert_eq!(said(bytes, 50, 100).pop(), Some(Err(Lost::Oversized(100))));
        }
        assert_eq!(literal_at_end(b"x {99999999999999999999}"), None);
    }
}
