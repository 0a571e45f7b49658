//! Conditions on enrollments, for every list that is filtered by them (OPS-11, ENL-1): the views of the core, told in SQL.
//! A test holds the two against each other.

use crate::scope::Args;
use cadenza_core::enrollment::State;
use cadenza_core::flow::Key;
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Time;
use cadenza_core::views::{Stage, StatusReason};

/// Which enrollments are meant. Empty lists mean all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Enrolled {
    pub when: When,
    pub sequences: Vec<SequenceId>,
    pub states: Vec<State>,
    pub stages: Vec<Stage>,
    pub statuses: Vec<StatusReason>,
    /// The step it stands at.
    pub steps: Vec<Key>,
}

/// Of what time a question is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// Live now.
    #[default]
    Now,
    /// Live or finished; the removed are shown nowhere.
    Ever,
}

impl Enrolled {
    /// Conditions on `enrollment e`, each begun with AND. They read `sequence s` where [`Enrolled::needs_sequence`].
    pub(crate) fn conditions(&self, now: Time, args: &mut Args) -> String {
        let mut sql = match self.when {
            When::Now => " AND e.life IN (0, 1)".to_owned(),
            When::Ever => " AND e.life <> 3".to_owned(),
        };
        let mut among = |expression: &str, values: Vec<crate::value::Val>, args: &mut Args| {
            if !values.is_empty() {
                let names: Vec<String> = values.into_iter().map(|v| args.push(v)).collect();
                sql.push_str(&format!(" AND {expression} IN ({})", names.join(", ")));
            }
        };
        among("e.sequence_id", self.sequences.iter().map(|s| (*s).into()).collect(), args);
        among("e.state", self.states.iter().map(|s| s.as_str().into()).collect(), args);
        among("e.step", self.steps.iter().map(|s| s.as_str().into()).collect(), args);
        if !self.stages.is_empty() {
            let now = args.push(now);
            among(&stage(&now), self.stages.iter().map(|s| s.as_str().into()).collect(), args);
        }
        among(STATUS, self.statuses.iter().map(|s| s.as_str().into()).collect(), args);
        sql
    }

    pub(crate) fn needs_sequence(&self) -> bool {
        !self.stages.is_empty()
    }
}

/// ENR-4 of `enrollment e` in `sequence s` at the moment that the parameter `now` holds.
pub(crate) fn stage(now: &str) -> String {
    format!(
        "(CASE WHEN e.opted_out = 1 OR e.mark = 'opted_out' THEN 'opted_out'
             WHEN e.bounced = 1 OR e.mark = 'bounced' THEN 'bounced'
             WHEN e.outcome = 1 THEN 'success' WHEN e.outcome = 2 THEN 'not_interested'
             WHEN e.last_email_at IS NOT NULL AND COALESCE(e.last_reply_at < e.last_email_at, TRUE)
                 AND e.steps_executed <= e.steps_at_last_email
                 AND e.last_email_at + json_int(s.settings, 'unresponsive_days') * 86400000000 <= {now}
                 THEN 'unresponsive'
             WHEN e.steps_executed > 0 THEN 'approaching'
             WHEN s.state <> 'active' OR e.life <> 1 OR COALESCE(e.visit, 0) = 0 THEN 'not_started'
             ELSE 'started' END)"
    )
}

/// ENR-3 of `enrollment e`; NULL for the removed. Holds are bits in the order in which one is shown: reply is the third,
/// out of office the fifth.
pub(crate) const STATUS: &str = "(CASE WHEN e.life = 3 THEN NULL
     WHEN e.life = 2 THEN CASE e.finish WHEN 'replied' THEN 'replied' WHEN 'opted_out' THEN 'opt_out'
         WHEN 'bounced' THEN 'bounced' WHEN 'stopped' THEN 'cancelled' WHEN 'sequence_ended' THEN 'cancelled'
         ELSE CASE WHEN e.first_reply_at <= e.finished_at THEN 'replied'
             WHEN e.finish = 'judged' THEN 'cancelled' ELSE 'completed' END END
     WHEN e.holds & 7 = 4 THEN 'replied' WHEN e.holds & 31 = 16 THEN 'out_of_office_reply'
     WHEN e.holds <> 0 OR e.block IS NOT NULL THEN 'paused'
     WHEN e.life = 0 THEN 'pending_start'
     WHEN e.first_reply_at IS NOT NULL THEN 'replied' ELSE 'running' END)";
