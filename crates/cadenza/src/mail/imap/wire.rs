//! Bytes on the line: read response by response, each of text and counted literals. What was read of a response is kept
//! here, so a reader may stop waiting at any moment and go on later. Knows no commands.

use super::super::line::Stream;
use super::failure::Lost;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// One read.
const CHUNK: usize = 16 * 1024;
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

/// A connected line.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// What came and was not taken yet.
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

impl Wire {
    pub fn new(stream: Stream) -> Wire {
        let bytes = Vec::new();
        Wire { stream, bytes, looked: 0, pieces: Vec::new(), missing: None, room: 0, room_at_first: 0 }
    }

    /// The stream, for a TLS handshake. What had already come is dropped: it was sent before TLS began, by whoever
    /// (response injection, RFC 9051 §11.1).
    pub fn into_stream(self) -> Stream {
        self.stream
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// From here on so many bytes may come.
    pub fn make_room(&mut self, bytes: usize) {
        (self.room, self.room_at_first) = (bytes, bytes);
    }

    pub async fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Lost> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(limit, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(Lost::of(&e)),
            Err(_) => Err(Lost::TimedOut(limit)),
        }
    }

    /// The next response. `limit` is for the next bytes of it, not for the whole.
    pub async fn response(&mut self, limit: Duration) -> Result<Vec<Piece>, Lost> {
        loop {
            if let Some(pieces) = self.next()? {
                return Ok(pieces);
            }
            match timeout(limit, self.fill()).await {
                Ok(done) => done?,
                Err(_) => return Err(Lost::TimedOut(limit)),
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Lost> {
        self.bytes.reserve(CHUNK);
        match self.stream.read_buf(&mut self.bytes).await {
            Ok(0) => Err(Lost::Closed),
            Ok(_) => Ok(()),
            Err(e) => Err(Lost::of(&e)),
        }
    }

    /// Takes out a whole response, if one is there.
    fn next(&mut self) -> Result<Option<Vec<Piece>>, Lost> {
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
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    const LIMIT: Duration = Duration::from_secs(5);

    async fn said(bytes: &[u8], piece: usize, room: usize) -> Vec<Result<Vec<Piece>, Lost>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.set_nodelay(true).unwrap();
        let bytes = bytes.to_vec();
        tokio::spawn(async move {
            for part in bytes.chunks(piece) {
                server.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut wire = Wire::new(Stream::Plain(socket));
        wire.make_room(room);
        let mut all = Vec::new();
        loop {
            let next = wire.response(LIMIT).await;
            let over = next.is_err();
            all.push(next);
            if over {
                return all;
            }
        }
    }

    fn text(words: &str) -> Piece {
        Piece::Text(words.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn responses_come_out_whole_however_they_were_cut() {
        let bytes = b"* OK hi {3}\r\n* 1 FETCH (BODY[] {7}\r\na\r\n{9}\n UID 5)\r\n+ \r\n";
        for piece in [1, 2, 7, 1000] {
            let all = said(bytes, piece, 1000).await;
            assert_eq!(all[0], Ok(vec![text("* OK hi {3}")]));
            let literal = Piece::Literal(b"a\r\n{9}\n".to_vec());
            assert_eq!(all[1], Ok(vec![text("* 1 FETCH (BODY[] "), literal, text(" UID 5)")]));
            assert_eq!(all[2..], [Ok(vec![text("+ ")]), Err(Lost::Closed)]);
        }
    }

    #[tokio::test]
    async fn no_more_is_taken_in_than_there_is_room_for() {
        for bytes in [&b"* 1 FETCH (BODY[] {4294967295}\r\n"[..], &[b'x'; 200], &b"* 1 EXISTS\r\n".repeat(20)] {
            assert_eq!(said(bytes, 50, 100).await.pop(), Some(Err(Lost::Oversized(100))));
        }
        assert_eq!(literal_at_end(b"x {99999999999999999999}"), None);
    }
}
