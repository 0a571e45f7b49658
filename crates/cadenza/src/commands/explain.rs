//! `cadenza explain`: asks every gate of an enrollment why nothing happens, or when it will (ENR-13).

use super::ask::{self, Saying, Who};
use super::{Ended, Failure};
use crate::actions::{Caller, enrollments};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::calendar::Zone;
use cadenza_core::ids::EnrollmentId;
use serde::{Deserialize, Serialize};

/// Say why an enrollment does or does not go on: every gate, and what would open it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "ENROLLMENT")]
    pub enrollment: EnrollmentId,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    enrollment: EnrollmentId,
    json: bool,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let Args { enrollment, json, who } = args;
    ask::ask(flags, &who, ask::Ask::Explain(Ask { enrollment, json })).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let why = enrollments::why(app, caller, ask.enrollment).await?;
    let (state, reason) = why.enrollment.state(why.sequence.facts.state);
    let e = &why.explanation;
    if ask.json {
        let object = serde_json::json!({
            "enrollment": ask.enrollment,
            "sequence": why.sequence.facts.name,
            "state": state,
            "reason": reason.as_str(),
            "step": why.enrollment.place.as_ref().map(|p| &p.step),
            "next_action_on": why.enrollment.next_action_on(),
            "explanation": e,
        });
        saying.line(object.to_string()).await;
        return Ok(Ended::Well);
    }
    let zone: Zone = e.zone.parse().unwrap_or_else(|_| Zone::utc());
    saying.line(&e.summary).await;
    saying.line(format!("In {:?}: {state} ({reason})", why.sequence.facts.name)).await;
    if let Some(at) = e.next_at {
        saying.line(format!("Next at {} ({}, of the {})", zone.wall(at), e.zone, e.zone_of)).await;
    }
    for line in &e.lines {
        let mark = if line.open { "open" } else { "SHUT" };
        let opens = line.opens_at.map(|t| format!("; opens {}", zone.wall(t))).unwrap_or_default();
        let remedy = line.remedy.map(|r| format!("; {r}")).unwrap_or_default();
        let fact = if line.open { String::new() } else { format!("{}{opens}{remedy} [{}]", line.fact, line.code) };
        saying.line(format!("  {mark}  {:18} {fact}", line.gate.label()).trim_end()).await;
    }
    Ok(Ended::Well)
}
