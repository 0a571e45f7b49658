//! `cadenza reclassify`: the present rules over the mail that is kept, what they judge otherwise, and adopting it (REC-12).

use super::ask::{self, Saying, Who};
use super::{Ended, Failure};
use crate::actions::{Caller, reclassify};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::ids::MessageId;
use cadenza_store::reclassified::State;
use serde::{Deserialize, Serialize};

/// Differences read at once.
const PAGE: usize = 500;

/// Read the kept mail again by the present rules, and show or adopt what differs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Adopt what differs: the enrollments follow
    #[arg(long)]
    pub adopt: bool,
    /// With --adopt: only these messages
    #[arg(value_name = "MESSAGE", requires = "adopt")]
    pub messages: Vec<MessageId>,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    adopt: bool,
    messages: Vec<MessageId>,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let ask = Ask { adopt: args.adopt, messages: args.messages };
    ask::ask(flags, &args.who, ask::Ask::Reclassify(ask)).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let id = reclassify::start(app, caller).await?;
    let mut standing = reclassify::see_through(app, caller, id).await?;
    let read = standing.job.done;
    if let Some(why) = &standing.job.failure {
        return Err(Failure::said(format!("reading stopped after {read} messages: {why}")));
    }
    if ask.adopt {
        let only = (!ask.messages.is_empty()).then_some(ask.messages);
        standing = reclassify::adopt(app, caller, id, only).await?;
    }
    let mut after = None;
    loop {
        let found = reclassify::differences(app, caller, id, after, PAGE).await?;
        let Some(last) = found.last() else { break };
        after = Some(last.difference.message);
        for listed in &found {
            let d = &listed.difference;
            let follow = match d.enrollments {
                0 => "no enrollment".to_owned(),
                1 => "1 enrollment".to_owned(),
                n => format!("{n} enrollments"),
            };
            let from = listed.from.as_deref().unwrap_or("unknown sender");
            let state = match (d.state, &d.why) {
                (State::Found, _) => String::new(),
                (state, None) => format!(" [{state}]"),
                (state, Some(why)) => format!(" [{state}: {why}]"),
            };
            saying.line(format!("{}  {} -> {}  {from}  {follow}{state}", d.message, d.before, d.now)).await;
        }
    }
    let count = |wanted| standing.counts.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, n)| *n);
    let (found, adopted, refused) = (count(State::Found), count(State::Adopted), count(State::Refused));
    saying
        .note(format!("{read} read, {} differ, {adopted} adopted, {refused} refused", found + adopted + refused))
        .await;
    Ok(if refused > 0 { Ended::Badly } else { Ended::Well })
}
