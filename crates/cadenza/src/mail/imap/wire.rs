//! Bytes on the line: one socket, plain or in TLS, read response by response. A reader may stop waiting at any moment and go on
//! later. Knows no commands.

use super::super::line::Stream;
use super::failure::Lost;
use super::inbox::Inbox;
use super::response::Response;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// One read.
const CHUNK: usize = 16 * 1024;

/// A connected line.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    inbox: Inbox,
}

impl Wire {
    pub fn new(stream: Stream) -> Wire {
        Wire { stream, inbox: Inbox::default() }
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
        self.inbox.make_room(bytes);
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
    pub async fn response(&mut self, limit: Duration) -> Result<Response, Lost> {
        loop {
            if let Some(response) = self.inbox.response()? {
                return Ok(response);
            }
            let end = self.inbox.end();
            end.reserve(CHUNK);
            match timeout(limit, self.stream.read_buf(end)).await {
                Ok(Ok(0)) => return Err(Lost::Closed),
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return Err(Lost::of(&e)),
                Err(_) => return Err(Lost::TimedOut(limit)),
            }
        }
    }
}
