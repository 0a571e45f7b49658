//! Bytes on the line: one socket, plain or in TLS, read reply by reply and written in whole buffers. Knows no commands.

use super::super::line::Stream;
use super::inbox::Inbox;
use super::outcome::Lost;
use super::reply::Reply;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One read.
const CHUNK: usize = 4096;
/// A buffer that a large mail has grown is given back.
const KEPT_MAX: usize = 256 * 1024;

/// A connected line.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// What came and was not read as a reply yet.
    inbox: Inbox,
    /// What goes next; filled by the caller, emptied by [`Wire::send`].
    pub outbox: Vec<u8>,
}

/// Whether the final dot has left.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dot {
    Given,
    /// Not one byte of it left this machine.
    Withheld(Lost),
    /// It may have.
    Unclear(Lost),
}

impl Wire {
    pub fn new(stream: Stream) -> Wire {
        Wire { stream, inbox: Inbox::default(), outbox: Vec::with_capacity(CHUNK) }
    }

    /// The socket, for a TLS handshake. What had already come is dropped: it was sent before TLS began, by whoever
    /// (RFC 3207 §4.2, response injection).
    pub fn into_plain(self) -> Option<TcpStream> {
        self.stream.into_plain()
    }

    /// Protocol and cipher suite.
    pub fn tls(&self) -> Option<String> {
        self.stream.described()
    }

    /// Reads one reply, within `limit` for the whole of it.
    pub async fn reply(&mut self, limit: Duration) -> Result<Reply, Lost> {
        timeout(limit, self.read_reply()).await.unwrap_or(Err(Lost::TimedOut(limit)))
    }

    /// Writes the outbox and empties it.
    pub async fn send(&mut self, limit: Duration) -> Result<(), Lost> {
        let writing = async {
            self.stream.write_all(&self.outbox).await?;
            self.stream.flush().await
        };
        let written = timeout(limit, writing).await;
        self.outbox.clear();
        self.outbox.shrink_to(KEPT_MAX);
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(lost(&e)),
            Err(_) => Err(Lost::TimedOut(limit)),
        }
    }

    /// Writes the final dot, whose first CRLF ends the body's last line.
    pub async fn send_dot(&mut self, limit: Duration) -> Dot {
        const DOT: &[u8] = b"\r\n.\r\n";
        let plain = matches!(self.stream, Stream::Plain(_));
        // A write to a socket that fails has taken nothing; of TLS that is not certain.
        let failed = |why| if plain { Dot::Withheld(why) } else { Dot::Unclear(why) };
        let first = match timeout(limit, self.stream.write(DOT)).await {
            Err(_) => return failed(Lost::TimedOut(limit)),
            Ok(Err(e)) => return failed(lost(&e)),
            Ok(Ok(0)) => return failed(Lost::Closed),
            Ok(Ok(n)) => n,
        };
        let rest = async {
            self.stream.write_all(&DOT[first..]).await?;
            self.stream.flush().await
        };
        match timeout(limit, rest).await {
            Ok(Ok(())) => Dot::Given,
            Ok(Err(e)) => Dot::Unclear(lost(&e)),
            Err(_) => Dot::Unclear(Lost::TimedOut(limit)),
        }
    }

    /// Whether nothing has come that was not asked for, not even the end of the connection. Does not wait.
    pub fn is_quiet(&mut self) -> bool {
        if !self.inbox.is_empty() {
            return false;
        }
        let mut room = [0; CHUNK];
        let mut buffer = ReadBuf::new(&mut room);
        // The next read registers its own waker, so none is missed.
        match Pin::new(&mut self.stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Pending => true,
            Poll::Ready(_) => {
                self.inbox.end().extend_from_slice(buffer.filled());
                false
            }
        }
    }

    async fn read_reply(&mut self) -> Result<Reply, Lost> {
        loop {
            if let Some(reply) = self.inbox.reply()? {
                return Ok(reply);
            }
            let end = self.inbox.end();
            end.reserve(CHUNK);
            match self.stream.read_buf(end).await {
                Ok(0) => return Err(Lost::Closed),
                Ok(_) => {}
                Err(e) => return Err(lost(&e)),
            }
        }
    }
}

pub(super) fn lost(error: &io::Error) -> Lost {
    match error.kind() {
        // TLS reports an end without its farewell as this; for SMTP, both are an end.
        io::ErrorKind::UnexpectedEof => Lost::Closed,
        _ => Lost::Network(error.to_string()),
    }
}
