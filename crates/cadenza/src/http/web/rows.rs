//! An enrollment as one row, wherever enrollments are listed, and what such lists have to look up: flows for the names of
//! steps, users for theirs.

use super::kind::{KindIcon, state_badge};
use super::lists::Link;
use super::parts::{Badge, Moment, Watch};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{Flow, Key};
use cadenza_core::ids::{SequenceId, UserId, WorkspaceId};
use cadenza_store::enrollments::Listed;
use cadenza_store::{Query, flows, users};
use std::collections::HashMap;

/// A step in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepName {
    pub kind: KindIcon,
    pub name: String,
}

/// One enrollment in a list (ENL-1).
#[derive(Debug, Clone)]
pub struct EnrollmentRow {
    pub id: String,
    pub who: String,
    pub company: String,
    pub sequence: Link,
    /// With its number in the branch: "3/6 First call".
    pub step: Option<StepName>,
    pub badge: Badge,
    pub status: String,
    pub stage: String,
    pub next: Option<Moment>,
    pub engaged: Option<Moment>,
    pub contacted: Option<Moment>,
}

/// The flows that a page's enrollments walk, each read once.
#[derive(Debug, Default)]
pub struct Flows {
    read: HashMap<(SequenceId, u32), Flow>,
}

impl Flows {
    /// Reads the flows of these enrollments that are not there yet.
    pub fn add<'e>(
        &mut self,
        q: &mut Query,
        w: WorkspaceId,
        listed: impl IntoIterator<Item = &'e Listed>,
    ) -> cadenza_store::Result<()> {
        for e in listed.into_iter().map(|l| &l.enrollment) {
            if let std::collections::hash_map::Entry::Vacant(place) = self.read.entry((e.sequence, e.flow_version)) {
                place.insert(flows::flow_at(q, w, e.sequence, e.flow_version)?);
            }
        }
        Ok(())
    }

    pub fn of(&self, listed: &Listed) -> Option<&Flow> {
        self.read.get(&(listed.enrollment.sequence, listed.enrollment.flow_version))
    }

    /// A step's name, for where it only is named.
    pub fn step(&self, listed: &Listed, key: &Key) -> Option<StepName> {
        let spot = self.of(listed)?.spot(key)?;
        Some(StepName { kind: KindIcon(spot.step.kind), name: named(&spot.step.content.name, spot.step.kind.label()) })
    }

    /// Where an enrollment stands, with the step's number in its branch.
    pub fn place(&self, listed: &Listed) -> Option<StepName> {
        let place = listed.enrollment.place.as_ref()?;
        let spot = self.of(listed)?.spot(&place.step)?;
        let name = named(&spot.step.content.name, spot.step.kind.label());
        let name = format!("{}/{} {name}", spot.index + 1, spot.branch.steps.len());
        Some(StepName { kind: KindIcon(spot.step.kind), name })
    }
}

fn named(name: &str, kind: &str) -> String {
    if name.is_empty() { kind.to_owned() } else { name.to_owned() }
}

/// The names of a workspace's users.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<UserId, String>);

impl Names {
    pub fn read(q: &mut Query, w: WorkspaceId) -> cadenza_store::Result<Names> {
        Ok(Names(users::all(q, w)?.into_iter().map(|u| (u.id, u.name)).collect()))
    }
    /// Empty for nobody.
    pub fn of(&self, user: Option<UserId>) -> String {
        user.and_then(|u| self.0.get(&u)).cloned().unwrap_or_default()
    }
    /// As choices of a filter, by name.
    pub fn choices(&self) -> Vec<super::lists::Choice> {
        let mut all: Vec<_> =
            self.0.iter().map(|(id, name)| super::lists::Choice::new(id.to_string(), name.clone())).collect();
        all.sort_by(|a, b| a.label.cmp(&b.label));
        all
    }
}

impl EnrollmentRow {
    pub fn of(listed: &Listed, flows: &Flows, watch: &Watch) -> EnrollmentRow {
        let e = &listed.enrollment;
        let (state, reason) = e.state(listed.sequence_state);
        let next = e.is_live().then(|| e.place.as_ref().map(|p| p.due).or(e.wait.as_ref().map(|w| w.until))).flatten();
        EnrollmentRow {
            id: e.id.to_string(),
            who: listed.subject_name.clone(),
            company: listed.company_name.clone().unwrap_or_default(),
            sequence: Link::new(format!("/sequences/{}", e.sequence), listed.sequence_name.clone()),
            step: flows.place(listed),
            badge: state_badge(state, reason, e.block_detail.as_deref()),
            status: listed.status().map(|s| s.label().to_owned()).unwrap_or_default(),
            stage: listed.stage(watch.now).label().to_owned(),
            next: next.map(|t| watch.near(t)),
            engaged: listed.last_engaged_at.map(|t| watch.near(t)),
            contacted: listed.last_contacted_at.map(|t| watch.near(t)),
        }
    }
}

/// Where a record is.
pub fn subject_path(subject: Subject) -> String {
    match subject {
        Subject::Contact(id) => format!("/contacts/{id}"),
        Subject::Company(id) => format!("/companies/{id}"),
    }
}
