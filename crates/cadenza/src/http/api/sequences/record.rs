//! How a sequence stands in an answer: as a row of a list, and whole.

use crate::actions::sequences::{Looked, named};
use crate::http::api::schema;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{ListId, SequenceId, TemplateId, UserId};
use cadenza_core::settings::Settings;
use cadenza_core::time::Time;
use cadenza_store::sequences::{self as store, EndedBy, Sharing, SubjectType};
use serde::Serialize;
use utoipa::ToSchema;

/// A sequence as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SequenceRow {
    #[schema(value_type = String, example = "seq_00dk3v9xk0009")]
    id: SequenceId,
    name: String,
    description: String,
    #[serde(rename = "type")]
    #[schema(schema_with = schema::subject_type)]
    of: SubjectType,
    #[schema(schema_with = schema::sequence_state)]
    state: SequenceState,
    /// Why it paused itself.
    held: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    begin: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Time>,
    /// `hand`, `date` or `all_finished` (by the setting `end_when_all_finished`).
    #[schema(value_type = Option<String>)]
    ended_by: Option<EndedBy>,
    #[schema(value_type = String, example = "usr_00dk3v9xk0004")]
    primary_user: UserId,
    /// Whoever is put on it enters.
    #[schema(value_type = Option<String>)]
    list: Option<ListId>,
    /// What it was made from.
    #[schema(value_type = Option<String>)]
    template: Option<TemplateId>,
    /// `high`, `normal` or `low`.
    #[schema(value_type = String)]
    priority: Priority,
    /// Grows with every structural edit.
    flow_version: u32,
    #[schema(schema_with = schema::sharing)]
    sharing: Sharing,
    #[schema(value_type = String)]
    created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Time>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// Moves with every change, of the flow too.
    version: i64,
}

/// A whole sequence.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sequence {
    #[serde(flatten)]
    row: SequenceRow,
    list_name: Option<String>,
    /// Additional team members: ids of users and teams, who see and do its tasks.
    team: Vec<String>,
    /// With whom it is shared, where `sharing` is `some`.
    shared_with: Vec<String>,
    /// All of them, each as `docs/sequence-file.md` names it.
    #[schema(value_type = Object)]
    settings: Settings,
}

impl From<store::Sequence> for SequenceRow {
    fn from(s: store::Sequence) -> SequenceRow {
        SequenceRow {
            id: s.id,
            name: s.name,
            description: s.description,
            of: s.of,
            state: s.state,
            held: s.held,
            begin: s.begin,
            end: s.end,
            ended_at: s.ended.map(|(at, _)| at),
            ended_by: s.ended.map(|(_, by)| by),
            primary_user: s.primary_user,
            list: s.list,
            template: s.template,
            priority: s.priority,
            flow_version: s.flow_version,
            sharing: s.sharing,
            created_by: s.created_by,
            created_at: s.created_at,
            activated_at: s.activated_at,
            updated_at: s.updated_at,
            version: s.version,
        }
    }
}

impl From<Looked> for Sequence {
    fn from(l: Looked) -> Sequence {
        Sequence {
            settings: l.sequence.settings.clone(),
            row: l.sequence.into(),
            list_name: l.list_name,
            team: l.team.iter().map(named).collect(),
            shared_with: l.shared_with.iter().map(named).collect(),
        }
    }
}
