//! One side of an SMTP or LMTP conversation (RFC 5321, RFC 2033), a line at a time over plain TCP or a Unix socket: for
//! tests that must say exactly what goes over the wire. No TLS, no pipelining; not a client to send mail with.

use crate::error::{Doing, Error, Result};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the server may take over one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's answer: the code, and its lines without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" / "))
    }
}

/// An open conversation. Each method sends and waits for the answer, and fails where the answer is not of the kind
/// (2xx, 3xx) that lets the conversation go on; `say` takes any answer.
pub struct Dialogue {
    reader: BufReader<Box<dyn Read + Send>>,
    writer: Box<dyn Write + Send>,
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialogue")
    }
}

impl Dialogue {
    /// Connects to 127.0.0.1, reads the greeting and says EHLO.
    pub fn smtp(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).doing(|| format!("connect to port {port}"))?;
        let reading = stream.try_clone().and_then(|reading| {
            reading.set_read_timeout(Some(PATIENCE))?;
            reading.set_nodelay(true).map(|()| reading)
        });
        let reading = reading.doing(|| format!("use the connection to port {port}"))?;
        Self::open(Box::new(reading), Box::new(stream), "EHLO client.example.test")
    }

    /// Connects to a Unix socket, reads the greeting and says LHLO.
    pub fn lmtp(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).doing(|| format!("connect to {}", socket.display()))?;
        let reading = stream.try_clone().and_then(|reading| reading.set_read_timeout(Some(PATIENCE)).map(|()| reading));
        let reading = reading.doing(|| format!("use the connection to {}", socket.display()))?;
        Self::open(Box::new(reading), Box::new(stream), "LHLO client.example.test")
    }

    /// Sends one line and takes whatever answer comes.
    pub fn say(&mut self, line: &str) -> Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Sends one line; an answer of 400 and above is an error.
    pub fn expect(&mut self, line: &str) -> Result<Reply> {
        let reply = self.say(line)?;
        accepted(line, reply)
    }

    /// One whole mail to one recipient, lines ended and dots doubled as RFC 5321 section 4.5.2 asks. `from` may be
    /// empty: the null sender of bounces.
    pub fn send(&mut self, from: &str, to: &str, raw: &[u8]) -> Result<Reply> {
        self.expect(&format!("MAIL FROM:<{from}>"))?;
        self.expect(&format!("RCPT TO:<{to}>"))?;
        self.expect("DATA")?;
        self.write(&with_dots(raw))?;
        let reply = self.reply()?;
        accepted("the mail", reply)
    }

    fn open(reading: Box<dyn Read + Send>, writer: Box<dyn Write + Send>, hello: &str) -> Result<Self> {
        let mut dialogue = Dialogue { reader: BufReader::new(reading), writer };
        let greeting = dialogue.reply()?;
        accepted("connecting", greeting)?;
        dialogue.expect(hello)?;
        Ok(dialogue)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).and_then(|()| self.writer.flush()).doing(|| "write to the mail server".into())
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line).doing(|| "read the mail server's answer".into())?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let (Some(code), true) = (code, read > 0) else {
                let why = format!("its answer is no answer: {line:?}");
                return Err(Error::Failed { what: "the mail server".into(), why, log: lines.join("\n") });
            };
            lines.push(line.get(4..).unwrap_or_default().trim_end().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }
}

fn accepted(sent: &str, reply: Reply) -> Result<Reply> {
    if reply.code < 400 { Ok(reply) } else { Err(Error::Refused { sent: sent.into(), reply: reply.to_string() }) }
}

/// A mail as it goes after DATA, the final dot included.
fn with_dots(raw: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(raw.len() + 16);
    let body = raw.strip_suffix(b"\n").unwrap_or(raw);
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_crlf_and_dots_are_doubled() {
        assert_eq!(with_dots(b"a\n.b\r\n\n..\n"), b"a\r\n..b\r\n\r\n...\r\n.\r\n");
        assert_eq!(with_dots(b"no end"), b"no end\r\n.\r\n");
    }
}
