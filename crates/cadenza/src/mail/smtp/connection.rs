//! A signed-in connection between mails: what it offers, whether it is still good, and how it ends. Offering is in `offer`.

use super::account::Timeouts;
use super::extensions::Extensions;
use super::outcome::{Lost, OfferFailure, Setback, Stage};
use super::wire::Wire;
use crate::clock::{Clock, Stopwatch};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a farewell may take.
const QUIT: Duration = Duration::from_secs(5);

/// A connection that is ready for mail, one at a time. One that failed stays closed; open another.
#[derive(Debug)]
pub struct Connection {
    /// `None` once the line is of no more use.
    pub(super) wire: Option<Wire>,
    pub(super) offered: Extensions,
    pub(super) timeouts: Timeouts,
    /// The server may still hold a transaction that was refused midway; the next offer begins with RSET.
    pub(super) stale: bool,
    clock: Clock,
    last_used: Stopwatch,
    peer: SocketAddr,
    greeting: String,
}

/// What connecting found out.
pub(super) struct Found {
    pub offered: Extensions,
    pub peer: SocketAddr,
    pub greeting: String,
}

impl Connection {
    pub(super) fn new(wire: Wire, found: Found, timeouts: Timeouts, clock: &Clock) -> Connection {
        let Found { offered, peer, greeting } = found;
        let last_used = clock.stopwatch();
        Connection {
            wire: Some(wire),
            offered,
            timeouts,
            stale: false,
            clock: clock.clone(),
            last_used,
            peer,
            greeting,
        }
    }

    /// What the server said to the last EHLO, the one inside TLS where there is TLS.
    pub fn offered(&self) -> &Extensions {
        &self.offered
    }
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }
    pub fn greeting(&self) -> &str {
        &self.greeting
    }
    /// Protocol and cipher suite, such as `TLSv1_3 TLS13_AES_256_GCM_SHA384`.
    pub fn tls(&self) -> Option<String> {
        self.wire.as_ref()?.tls()
    }

    /// Whether it can be offered a mail, as far as this side knows.
    pub fn is_open(&self) -> bool {
        self.wire.is_some()
    }

    /// Whether it should not be used again: closed, unused for longer than [`Timeouts::idle`], or the server has spoken
    /// unasked, which is how it announces that it closes. Asks the socket without waiting.
    pub fn is_idle_expired(&mut self) -> bool {
        self.last_used.elapsed() > self.timeouts.idle || !self.wire.as_mut().is_some_and(Wire::is_quiet)
    }

    /// Ends what the server may hold of a transaction (RSET). Not needed between mails: the next offer does it, with no
    /// round trip of its own where the server pipelines.
    ///
    /// # Errors
    /// The connection is closed then.
    pub async fn reset(&mut self) -> Result<(), OfferFailure> {
        let limit = self.timeouts.command;
        let mut wire = self.take_wire(Stage::Reset)?;
        wire.outbox.extend_from_slice(b"RSET\r\n");
        let lost = |why| OfferFailure::Lost { stage: Stage::Reset, why };
        wire.send(limit).await.map_err(lost)?;
        let reply = wire.reply(limit).await.map_err(lost)?;
        if !reply.is_positive() {
            return Err(Setback::of(Stage::Reset, reply).while_offering(Stage::Reset));
        }
        self.stale = false;
        self.put_back(wire);
        Ok(())
    }

    /// Says goodbye and closes. Waits at most five seconds; how it goes does not matter any more.
    pub async fn quit(mut self) {
        if let Some(mut wire) = self.wire.take() {
            wire.outbox.extend_from_slice(b"QUIT\r\n");
            if wire.send(QUIT).await.is_ok() {
                let _ = wire.reply(QUIT).await;
            }
        }
    }

    /// The line, taken out while something is under way: whoever fails, or is dropped, does not put it back, and the
    /// socket closes.
    pub(super) fn take_wire(&mut self, stage: Stage) -> Result<Wire, OfferFailure> {
        self.wire.take().ok_or(OfferFailure::Lost { stage, why: Lost::Unusable })
    }

    pub(super) fn put_back(&mut self, wire: Wire) {
        self.last_used = self.clock.stopwatch();
        self.wire = Some(wire);
    }
}
