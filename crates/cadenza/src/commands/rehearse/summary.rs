//! What a rehearsal came to, for people and for programs. Counted from the rows of the database and from what the people did;
//! the counters that the pages show are compared with them.

use super::Args;
use super::course::{Course, End};
use super::furnish::House;
use crate::app::App;
use crate::commands::Failure;
use cadenza_core::time::Time;
use cadenza_store::door;
use cadenza_store::tallies::{self, Tallies, Tally};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The end of a rehearsal.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub sequence: String,
    /// `rest`, `days` or `stopped`.
    pub end: &'static str,
    pub contacts: usize,
    pub enrolled: i64,
    pub mailboxes: usize,
    pub smtp: String,
    pub data: String,
    /// What the clock showed at the end.
    pub until: Time,
    pub simulated_days: f64,
    pub seconds: f64,
    /// How often the clock leapt over time in which nothing was to be done.
    pub leaps: usize,
    /// What people did, by kind; `too late` where it had no task or message left.
    pub people: BTreeMap<&'static str, usize>,
    #[serde(flatten)]
    pub tallies: Tallies,
    /// Counters that do not equal a recount, and histories that do not fold into the present; none are to be expected.
    pub wrong: usize,
}

pub(super) async fn of(
    app: &App,
    house: &House,
    course: &Course,
    end: End,
    took: Duration,
    (sequence, args): (&str, &Args),
) -> Result<Summary, Failure> {
    let (w, id) = (house.primary.workspace, house.sequence);
    let (tallies, wrong) = app
        .db
        .read_async(move |q| {
            let wrong = door::miscounted(q, w, id)?.len() + door::unfolded(q, w, id)?.len();
            Ok((tallies::of_sequence(q, w, id)?, wrong))
        })
        .await?;
    Ok(Summary {
        sequence: sequence.to_owned(),
        end: match end {
            End::Rest => "rest",
            End::Days => "days",
            End::Stopped => "stopped",
        },
        contacts: house.contacts.len(),
        enrolled: tallies.states.values().sum(),
        mailboxes: house.mailboxes,
        smtp: args.smtp.to_string(),
        data: app.config.server.data.display().to_string(),
        until: app.clock.now(),
        simulated_days: (app.clock.now() - course.began).micros() as f64 / 86_400e6,
        seconds: took.as_secs_f64(),
        leaps: course.leaps,
        people: course.done.clone(),
        tallies,
        wrong,
    })
}

impl Summary {
    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let sent = |channel: &str| self.tallies.sends.get(&format!("{channel}: sent")).copied().unwrap_or(0);
        let ended = match self.end {
            "rest" => "nobody has anything left to do",
            "days" => "the days that were asked for are over",
            _ => "it was stopped",
        };
        let mut lines = vec![
            format!(
                "{:?}: {} of {} contacts enrolled; {:.1} days in {:.1} s, then {ended}.",
                self.sequence, self.enrolled, self.contacts, self.simulated_days, self.seconds
            ),
            format!("{} mails were taken by {}, {} texts by the sandbox.", sent("email"), self.smtp, sent("text")),
        ];
        let tally = |title: &str, tally: &Tally, lines: &mut Vec<String>| {
            if !tally.is_empty() {
                lines.push(format!("\n{title}"));
                lines.extend(tally.iter().map(|(name, n)| format!("{n:>8}  {name}")));
            }
        };
        tally("How the enrollments stand:", &self.tallies.states, &mut lines);
        lines.push("\nSteps done, by outcome:".into());
        for (step, outcomes) in &self.tallies.steps {
            let each: Vec<String> = outcomes.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
            lines.push(format!("{:>8}  {step}: {}", outcomes.values().sum::<i64>(), each.join(", ")));
        }
        let people = self.people.iter().map(|(what, n)| ((*what).to_owned(), *n as i64)).collect();
        tally("What people did:", &people, &mut lines);
        tally("What came in, by what it was taken for:", &self.tallies.received, &mut lines);
        tally("Attempts to send:", &self.tallies.sends, &mut lines);
        tally("What conditions asked for and could not be done:", &self.tallies.failures, &mut lines);
        if self.wrong > 0 {
            lines.push(format!("\n{} counters or histories are wrong: please report it.", self.wrong));
        }
        lines.push(format!("\nThe data is in {}; `cadenza serve --data {0}` shows it.", self.data));
        lines
    }
}
