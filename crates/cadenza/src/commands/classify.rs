//! `cadenza classify`: what raw messages are taken for, without a server and without a database. Reads files; changes nothing.

use super::{Ended, Failure, print};
use crate::clock::Clock;
use cadenza_core::inbound::{self, AutoReply, BounceClass, Incoming, Kind};
use cadenza_core::time::Time;
use std::path::{Path, PathBuf};

/// Say what raw messages are: replies, bounces, out-of-office notes, opt-outs, complaints
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files with one raw message each (.eml)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> Result<Ended, Failure> {
    // Stands in for a missing Date, against which "back on Monday" is counted.
    let now = Clock::system().now();
    let mut ended = Ended::Well;
    for path in &args.paths {
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
        match read(path, now) {
            Ok(incoming) if args.json => print::line(inbound::report::line(&name, &incoming))?,
            Ok(incoming) => print::line(format_args!("{name}: {}", sentence(&incoming.verdict.kind)))?,
            Err(why) => {
                print::error(&format!("{}: {why}", path.display()));
                ended = Ended::Badly;
            }
        }
    }
    Ok(ended)
}

fn read(path: &Path, now: Time) -> Result<Incoming, String> {
    let raw = std::fs::read(path).map_err(|e| e.to_string())?;
    inbound::read(&raw, now).map_err(|e| e.to_string())
}

fn sentence(kind: &Kind) -> String {
    match kind {
        Kind::Reply(reply) if reply.opt_out => "a reply that asks not to be written to again".into(),
        Kind::Reply(_) => "a reply".into(),
        Kind::AutoReply(AutoReply::OutOfOffice { until: Some(until) }) => format!("out of office until {until}"),
        Kind::AutoReply(AutoReply::OutOfOffice { until: None }) => "out of office, no return date".into(),
        Kind::AutoReply(_) => "an automatic reply".into(),
        Kind::Bounce(bounce) => {
            let class = match bounce.class {
                BounceClass::Hard => "a hard bounce",
                BounceClass::Soft => "a soft bounce",
                BounceClass::Sender => "a rejection that blames the sender",
                BounceClass::Unknown => "a bounce of unknown kind",
            };
            let of: Vec<&str> = bounce.recipients.iter().map(|r| r.recipient.as_str()).collect();
            if of.is_empty() { class.into() } else { format!("{class} of {}", of.join(", ")) }
        }
        Kind::Delivered(_) => "a report of successful delivery".into(),
        Kind::Complaint(_) => "a complaint".into(),
        Kind::Other(_) => "other mail, changes nothing".into(),
    }
}
