//! The commands of one mail before its body: RSET where needed, MAIL, RCPT, DATA, in one group or one by one, up to the
//! server's 354. Keeps track of whether the line can be used again after a refusal.

use super::account::Timeouts;
use super::envelope::{Envelope, write_mail, write_rcpt};
use super::extensions::Extensions;
use super::outcome::{Lost, Setback, Stage};
use super::wire::Wire;
use std::time::Duration;

pub(super) struct Transaction<'a> {
    pub envelope: &'a Envelope,
    pub body: &'a [u8],
    pub offered: &'a Extensions,
    /// The server may hold an earlier transaction.
    pub stale: bool,
}

/// A transaction that did not get to its body.
pub(super) struct Ended {
    pub stage: Stage,
    pub setback: Setback,
    pub line: Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Usable,
    Spent,
}

/// A command, and for RCPT the recipient's number.
#[derive(Debug, Clone, Copy)]
enum Command {
    Reset,
    Mail,
    Rcpt(usize),
    Data,
}

impl Ended {
    fn new(stage: Stage, setback: Setback) -> Ended {
        let line = if setback.leaves_the_line_usable() { Line::Usable } else { Line::Spent };
        Ended { stage, setback, line }
    }
}

impl Transaction<'_> {
    /// Ends well when the server has said 354.
    pub async fn run(&self, wire: &mut Wire, limits: &Timeouts) -> Result<(), Ended> {
        if self.offered.pipelining { self.as_a_group(wire, limits).await } else { self.one_by_one(wire, limits).await }
    }

    async fn one_by_one(&self, wire: &mut Wire, limits: &Timeouts) -> Result<(), Ended> {
        for command in self.before_data().chain([Command::Data]) {
            self.write(&mut wire.outbox, command);
            send(wire, command, limits).await?;
            answer(wire, command, limits).await?;
        }
        Ok(())
    }

    /// All answers are read, also after a refusal, so that the next mail's are not mistaken.
    async fn as_a_group(&self, wire: &mut Wire, limits: &Timeouts) -> Result<(), Ended> {
        // With several recipients DATA waits: some may be refused, and a 354 cannot be taken back but by hanging up.
        let data_too = self.envelope.to.len() == 1;
        self.before_data().for_each(|command| self.write(&mut wire.outbox, command));
        if data_too {
            self.write(&mut wire.outbox, Command::Data);
        }
        send(wire, Command::Mail, limits).await?;
        let mut first: Option<Ended> = None;
        for command in self.before_data() {
            if let Err(ended) = answer(wire, command, limits).await {
                let line = ended.line;
                let first = first.get_or_insert(ended);
                first.line = line;
                if line == Line::Spent {
                    break;
                }
            }
        }
        match first {
            None if data_too => answer(wire, Command::Data, limits).await,
            None => {
                self.write(&mut wire.outbox, Command::Data);
                send(wire, Command::Data, limits).await?;
                answer(wire, Command::Data, limits).await
            }
            Some(mut first) => {
                if data_too && first.line == Line::Usable {
                    // Told to go ahead in spite of the refusal, only hanging up is left: the server waits for a body,
                    // and a dot at once could be taken for an empty mail (RFC 2920 §3.1).
                    let data = answer(wire, Command::Data, limits).await;
                    first.line = data.map_or_else(|ended| ended.line, |()| Line::Spent);
                }
                Err(first)
            }
        }
    }

    fn before_data(&self) -> impl Iterator<Item = Command> + use<> {
        let reset = self.stale.then_some(Command::Reset);
        reset.into_iter().chain([Command::Mail]).chain((0..self.envelope.to.len()).map(Command::Rcpt))
    }

    fn write(&self, out: &mut Vec<u8>, command: Command) {
        match command {
            Command::Reset => out.extend_from_slice(b"RSET\r\n"),
            Command::Mail => write_mail(out, self.envelope, self.body, self.offered),
            Command::Rcpt(i) => write_rcpt(out, &self.envelope.to[i], &self.envelope.reports, self.offered),
            Command::Data => out.extend_from_slice(b"DATA\r\n"),
        }
    }
}

impl Command {
    fn stage(self) -> Stage {
        match self {
            Command::Reset => Stage::Reset,
            Command::Mail => Stage::Mail,
            Command::Rcpt(_) => Stage::Rcpt,
            Command::Data => Stage::Data,
        }
    }
    fn limit(self, limits: &Timeouts) -> Duration {
        if matches!(self, Command::Data) { limits.data } else { limits.command }
    }
}

async fn send(wire: &mut Wire, command: Command, limits: &Timeouts) -> Result<(), Ended> {
    let lost = |why: Lost| Ended::new(command.stage(), Setback::Lost(why));
    wire.send(limits.command).await.map_err(lost)
}

/// Reads the answer to a command: 354 to DATA, 2xx to the others, or how it ended.
async fn answer(wire: &mut Wire, command: Command, limits: &Timeouts) -> Result<(), Ended> {
    let stage = command.stage();
    let reply = match wire.reply(command.limit(limits)).await {
        Ok(reply) => reply,
        Err(why) => return Err(Ended::new(stage, Setback::Lost(why))),
    };
    let good = if matches!(command, Command::Data) { reply.code == 354 } else { reply.is_positive() };
    if good {
        return Ok(());
    }
    Err(Ended::new(
        stage,
        match command {
            // No refusal of this mail: a server that cannot forget the last one is of no use for the next.
            Command::Reset => Setback::Lost(Lost::Garbage(format!("{} {}", reply.code, reply.text))),
            Command::Mail | Command::Rcpt(_) | Command::Data => Setback::of(stage, reply),
        },
    ))
}
