//! The mail servers of the world, and the gateway for texts: what they take, put off, refuse, lose, and say too late or twice.
//! What a server has taken, it has taken, whether anybody hears of it or not.

use crate::breach::Held;
use crate::plant::Plant;
use crate::scenario::{Faults, Pace};
use crate::world::{Happening, World};
use cadenza_core::flow::Channel;
use cadenza_core::machine::{Event, Fault};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{Outgoing, Put};
use cadenza_store::sandbox_messages::{self, Received};

/// Up to the final dot.
#[derive(Debug)]
pub enum Offer {
    Ready,
    /// Provably not taken.
    Not(Event),
}

/// After it.
#[derive(Debug)]
pub enum AfterDot {
    Taken,
    Later,
    Refused(Fault),
    /// The line is gone, or the patience.
    Nothing,
}

/// As the engine's: one minute at first, then longer.
fn backoff(attempt: u32) -> Span {
    const MINUTES: [i64; 10] = [1, 5, 15, 30, 60, 120, 240, 480, 480, 480];
    Span::minutes(MINUTES[(attempt.saturating_sub(1) as usize).min(9)])
}

fn later(message: &Outgoing, now: Time, detail: &str) -> Event {
    let not_before = now + backoff(message.attempt);
    Event::Deferred { visit: message.visit, attempt: message.attempt, not_before, detail: detail.to_owned() }
}

fn refused(message: &Outgoing, fault: Fault) -> Event {
    Event::Refused { visit: message.visit, attempt: message.attempt, fault, detail: "550".into() }
}

impl World {
    fn servers_share(&self) -> u64 {
        if self.is_over { Faults::NONE.server } else { self.scenario.faults.server }
    }

    /// How long it takes to bring a message up to its dot, and what the server says to it.
    pub fn offer(&mut self, message: &Outgoing) -> (Span, Offer) {
        let now = self.now;
        if self.scenario.pace == Pace::Coarse {
            let fails = self.chance.percent(self.servers_share());
            let said = if fails { Offer::Not(later(message, now, "451")) } else { Offer::Ready };
            return (Span::seconds(5), said);
        }
        let took = self.chance.span(Span::seconds(1), Span::seconds(9));
        if !self.chance.percent(self.servers_share()) {
            return (took, Offer::Ready);
        }
        let (fault, said) = match self.chance.below(10) {
            0 => ("recipient refused", refused(message, Fault::Recipient)),
            1 if message.channel == Channel::Email => ("sender refused", refused(message, Fault::Sender)),
            2 => ("message refused", refused(message, Fault::Message)),
            3 | 4 => ("greylisted", later(message, now + took, "450 greylisted")),
            5 | 6 => ("line lost before the dot", later(message, now + took, "line lost")),
            7 => return (self.slow("slow server", Span::minutes(4)), Offer::Ready),
            8 => {
                let (visit, attempt) = (message.visit, message.attempt);
                let detail = "the template fails".to_owned();
                ("not composed", Event::NotComposed { visit, attempt, missing_field: None, detail })
            }
            _ => ("put off", later(message, now + took, "421")),
        };
        self.coverage.note(fault, "offered");
        (took, Offer::Not(said))
    }

    fn slow(&mut self, fault: &'static str, most: Span) -> Span {
        self.coverage.note(fault, if most > Span::minutes(5) { "marked" } else { "offered" });
        self.chance.span(Span::minutes(1), most)
    }

    /// What the server makes of a whole message, and when it says so.
    pub fn past_the_dot(&mut self, message: &Outgoing) -> Held<(Span, AfterDot)> {
        let took = if self.scenario.pace == Pace::Coarse {
            Span::seconds(2)
        } else {
            Span::from_micros(200_000 + self.chance.below(2_000_000) as i64)
        };
        if !self.chance.percent(self.servers_share()) {
            self.take(message)?;
            return Ok((took, AfterDot::Taken));
        }
        let (fault, took, said, taken) = match self.chance.below(8) {
            0 => ("put off after the dot", took, AfterDot::Later, false),
            1 => ("recipient refused after the dot", took, AfterDot::Refused(Fault::Recipient), false),
            2 => ("message refused after the dot", took, AfterDot::Refused(Fault::Message), false),
            3 => ("answer lost, taken", took, AfterDot::Nothing, true),
            4 => ("answer lost, not taken", took, AfterDot::Nothing, false),
            5 => ("no answer in ten minutes, taken", Span::minutes(10), AfterDot::Nothing, true),
            _ => ("late answer", self.slow("slow answer", Span::minutes(9)), AfterDot::Taken, true),
        };
        self.coverage.note(fault, "marked");
        if taken {
            self.take(message)?;
        }
        Ok((took, said))
    }

    fn take(&mut self, message: &Outgoing) -> Held<()> {
        self.trace.line(self.now, format_args!("taken {} to {}", message.message_id, message.to));
        if message.mailbox.is_none() && self.scenario.pace == Pace::Fine {
            self.lies_in_the_sandbox(message)?;
        }
        self.check_taken(message)?;
        self.react(message);
        Ok(())
    }

    /// Texts go to the sandbox, where what it took can be looked up.
    fn lies_in_the_sandbox(&mut self, message: &Outgoing) -> Held<()> {
        let received = Received {
            mailbox: None,
            text: true,
            sender: "",
            recipient: &message.to,
            subject: "",
            message_id: &message.message_id,
            raw: b"",
        };
        let (now, door) = (self.now, &self.node.door);
        let w = message.workspace;
        Ok(self.stage.db().write(|tx| sandbox_messages::receive(tx, w, door.id(now), &received, now))?)
    }

    /// The event that an answer is.
    pub fn answer_event(&mut self, message: &Outgoing, said: AfterDot) -> Event {
        let (visit, attempt) = (message.visit, message.attempt);
        match said {
            AfterDot::Taken => Event::Sent { visit, attempt },
            AfterDot::Later => later(message, self.now, "451"),
            AfterDot::Refused(fault) => refused(message, fault),
            // A planted bug: what may have been taken is tried again.
            AfterDot::Nothing if self.scenario.is(Plant::LostAnswerSentAgain) => later(message, self.now, "no answer"),
            AfterDot::Nothing => Event::Unknown { visit, attempt, detail: "no answer to the dot".into() },
        }
    }

    /// Now and then the same answer is heard twice, or one of long ago comes after all.
    pub fn later_words(&mut self, message: &Outgoing, put: &Put) {
        if self.scenario.pace == Pace::Coarse || !self.chance.percent(self.servers_share() / 2) {
            return;
        }
        let (fault, after) = match self.chance.below(3) {
            0 => ("answer twice at once", Span::ZERO),
            1 => ("answer again soon", self.chance.span(Span::seconds(1), Span::minutes(3))),
            _ => ("answer again days later", self.chance.span(Span::hours(2), Span::days(4))),
        };
        self.coverage.note(fault, "settle");
        let at = self.now + after;
        self.thinks(at, Happening::Stale { workspace: message.workspace, put: put.clone() });
    }
}
