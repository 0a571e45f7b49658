//! How a template stands in an answer: as a row of a list, and whole.

use crate::actions::ActionError;
use crate::actions::templates::Listed;
use crate::http::api::schema;
use cadenza_core::flow::Priority;
use cadenza_core::flow::file::SettingsPatch;
use cadenza_core::ids::{TemplateId, UserId};
use cadenza_core::time::Time;
use cadenza_store::sequences::SubjectType;
use cadenza_store::templates::{self as store, Source};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A template as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateRow {
    #[schema(value_type = String, example = "tpl_00dk3v9xk000t")]
    id: TemplateId,
    /// Unique in the workspace.
    name: String,
    description: String,
    #[schema(value_type = String, example = "usr_00dk3v9xk0004")]
    owner: UserId,
    #[serde(rename = "type")]
    #[schema(schema_with = schema::subject_type)]
    of: SubjectType,
    /// Who enters its sequences: whoever is on a list, or who is enrolled one by one.
    #[schema(schema_with = schema::template_source)]
    source: Source,
    /// `high`, `normal` or `low`.
    #[schema(value_type = String)]
    priority: Priority,
    /// With everybody; else its owner alone sees it.
    shared: bool,
    steps: usize,
    /// How many that you see were made from it; in the list of all templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequences: Option<usize>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// Moves with every change.
    version: i64,
}

/// A whole template.
#[derive(Debug, Serialize, ToSchema)]
pub struct Template {
    #[serde(flatten)]
    row: TemplateRow,
    /// Those that it states, each as `docs/sequence-file.md` names it; the rest is the workspace's at activation.
    #[schema(value_type = Object)]
    settings: SettingsPatch,
    /// Each with its key, name and steps; the first is `main`. The words are those of `docs/sequence-file.md`.
    #[schema(value_type = Vec<Object>)]
    branches: Value,
}

impl From<store::Template> for TemplateRow {
    fn from(t: store::Template) -> TemplateRow {
        TemplateRow {
            id: t.id,
            steps: t.flow.steps().count(),
            name: t.name,
            description: t.description,
            owner: t.owner,
            of: t.of,
            source: t.source,
            priority: t.priority,
            shared: t.shared,
            sequences: None,
            created_at: t.created_at,
            updated_at: t.updated_at,
            version: t.version,
        }
    }
}

impl From<Listed> for TemplateRow {
    fn from(l: Listed) -> TemplateRow {
        TemplateRow { sequences: Some(l.sequences), ..l.template.into() }
    }
}

impl TryFrom<store::Template> for Template {
    type Error = ActionError;
    fn try_from(t: store::Template) -> Result<Template, ActionError> {
        let branches = serde_json::to_value(&t.flow.branches).map_err(ActionError::internal)?;
        Ok(Template { settings: t.settings.clone(), branches, row: t.into() })
    }
}
