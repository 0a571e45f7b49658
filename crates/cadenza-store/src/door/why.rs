//! "Why?" for one enrollment, from what is stored at this moment: the sender's own gates, asked without changing anything.

use super::load::{Look, Round};
use super::{Door, Put, effects, room};
use crate::error::{Result, StoreError};
use crate::query::Query;
use cadenza_core::enrollment::Enrollment;
use cadenza_core::explain::{Explanation, explain};
use cadenza_core::flow::Flow;
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Time;
use std::sync::Arc;

/// The answer, with what it is about.
#[derive(Debug, Clone)]
pub struct Why {
    pub enrollment: Enrollment,
    pub explanation: Explanation,
    pub flow: Arc<Flow>,
    pub sequence: Arc<super::SequenceInfo>,
}

impl Door {
    /// Asks every gate of an enrollment at `now`.
    ///
    /// # Errors
    /// `Missing` where there is no such enrollment.
    pub fn why(&self, q: &mut Query, workspace: WorkspaceId, id: EnrollmentId, now: Time) -> Result<Why> {
        let mut round = Round::new(self, q, workspace, now, Look::Only)?;
        // Asked as the clock would ask: with suppression and missing fields looked up.
        let put = Put { enrollment: id, event: Event::Wake, actor: Actor::Engine };
        round.load(self, q, std::slice::from_ref(&put))?;
        let e = round.enrollments.get(&id).ok_or_else(|| StoreError::missing("enrollment", id))?.now.clone();
        let info = round.sequence(e.sequence)?;
        let flow = info.flow_at(e.flow_version)?;
        room::make_room(self, q, &mut round, &e, &info, &flow)?;
        let missing = effects::missing_field(self, &round, &e, &info, &flow, &put.event);
        let facts = round.facts(&e, &info, missing.as_deref())?;
        let explanation = explain(&e, &flow, facts, now);
        Ok(Why { enrollment: e, explanation, flow, sequence: info })
    }
}
