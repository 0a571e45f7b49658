//! One mail, in two moves. The first brings everything but the final dot; what fails there was provably not accepted,
//! since a server must drop a transaction that ends without its dot (RFC 5321 §3.8). The second gives the dot.

use super::connection::Connection;
use super::envelope::Envelope;
use super::extensions::Extensions;
use super::outcome::{Answer, OfferFailure, Setback, Stage, Unfit};
use super::stuffing::Stuffing;
use super::transaction::{Ended, Line, Transaction};
use super::wire::{Dot, Wire};
use std::time::Duration;

/// What goes in one write of a body.
const BLOCK: usize = 64 * 1024;
/// How long to wait for the words of a server that stopped reading, or spoke before it was asked.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A mail of which the server has everything but the final dot. Dropping it, or [`AtDot::abandon`], closes the connection
/// without the dot: the mail is then provably not accepted.
#[derive(Debug)]
#[must_use = "without the dot the mail is not sent"]
pub struct AtDot<'a> {
    connection: &'a mut Connection,
    wire: Wire,
}

impl Connection {
    /// Sends MAIL, RCPT, DATA, in one write where the server pipelines (RFC 2920) and there is one recipient, and the
    /// body, dot-stuffed, bare line ends mended. With several recipients one refusal refuses all. Lines over 998 bytes
    /// are the caller's to avoid; `cadenza_core::compose` does.
    ///
    /// # Errors
    /// In every case the mail was provably not accepted. After a refusal the connection is usable again if
    /// [`Connection::is_open`] says so.
    pub async fn offer(&mut self, envelope: &Envelope, body: &[u8]) -> Result<AtDot<'_>, OfferFailure> {
        fits(envelope, body, &self.offered)?;
        let mut wire = self.take_wire(Stage::Mail)?;
        if !wire.is_quiet() {
            return Err(unasked(&mut wire, Stage::Mail).await.while_offering(Stage::Mail));
        }
        let transaction = Transaction { envelope, body, offered: &self.offered, stale: self.stale };
        if let Err(Ended { stage, setback, line }) = transaction.run(&mut wire, &self.timeouts).await {
            if line == Line::Usable {
                self.stale = true;
                self.put_back(wire);
            }
            return Err(setback.while_offering(stage));
        }
        upload(&mut wire, body, self.timeouts.block).await?;
        Ok(AtDot { connection: self, wire })
    }
}

impl AtDot<'_> {
    /// Gives the final dot and waits for the answer, by default ten minutes (RFC 5321 §4.5.3.2.6). Once this is called
    /// the mail may be accepted, whatever becomes of the future.
    pub async fn finish(mut self) -> Answer {
        if !self.wire.is_quiet() {
            // The server spoke or left while the dot was being decided on.
            return unasked(&mut self.wire, Stage::Dot).await.at_the_dot(|why| Answer::NotGiven { why });
        }
        let AtDot { connection, mut wire } = self;
        match wire.send_dot(connection.timeouts.block).await {
            Dot::Given => {}
            Dot::Withheld(why) => return Answer::NotGiven { why },
            Dot::Unclear(why) => return Answer::Unknown { why },
        }
        let reply = match wire.reply(connection.timeouts.dot).await {
            Ok(reply) => reply,
            Err(why) => return Answer::Unknown { why },
        };
        if reply.is_positive() {
            connection.stale = false;
            connection.put_back(wire);
            return Answer::Accepted { text: reply.text };
        }
        let setback = Setback::of(Stage::Dot, reply);
        if setback.leaves_the_line_usable() {
            // Some servers keep a refused transaction open; RSET with the next offer costs nothing.
            connection.stale = true;
            connection.put_back(wire);
        }
        setback.at_the_dot(|why| Answer::Unknown { why })
    }

    /// Closes the connection without the dot.
    pub fn abandon(self) {
        drop(self);
    }
}

/// What can be known before a byte is sent.
fn fits(envelope: &Envelope, body: &[u8], offered: &Extensions) -> Result<(), OfferFailure> {
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let unfit = match offered.size_limit() {
        _ if envelope.to.is_empty() => Unfit::NoRecipient,
        Some(limit) if bytes > limit => Unfit::TooLarge { bytes, limit },
        _ if !offered.eight_bit_mime && !body.is_ascii() => Unfit::EightBit,
        _ => return Ok(()),
    };
    Err(OfferFailure::Unfit(unfit))
}

/// What a server says, or does, without being asked.
async fn unasked(wire: &mut Wire, stage: Stage) -> Setback {
    match wire.reply(LAST_WORDS).await {
        Ok(reply) => Setback::of(stage, reply),
        Err(why) => Setback::Lost(why),
    }
}

/// Sends the body but for its last line end.
async fn upload(wire: &mut Wire, body: &[u8], limit: Duration) -> Result<(), OfferFailure> {
    let mut stuffing = Stuffing::default();
    let mut blocks = body.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        stuffing.piece(&mut wire.outbox, block);
        if blocks.peek().is_some() {
            send_block(wire, limit).await?;
        }
    }
    stuffing.end(&mut wire.outbox);
    send_block(wire, limit).await
}

async fn send_block(wire: &mut Wire, limit: Duration) -> Result<(), OfferFailure> {
    let Err(why) = wire.send(limit).await else { return Ok(()) };
    // A server that refuses a body midway says so before it hangs up.
    let setback = match wire.reply(LAST_WORDS).await {
        Ok(reply) if reply.is_negative() => Setback::of(Stage::Body, reply),
        _ => Setback::Lost(why),
    };
    Err(setback.while_offering(Stage::Body))
}
