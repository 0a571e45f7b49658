//! Which merge fields exist: the built-in ones, a workspace's custom fields and its snippets. Values are in `fields`.

use crate::nearest::nearest;
use std::collections::BTreeSet;

/// Of whom a sequence writes; a company's has no `contact` (ENR-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Contacts,
    Companies,
}

/// The built-in fields, each with what it means, as the editor offers them.
pub const FIELDS: &[(&str, &str)] = &[
    ("contact.first_name", "First name"),
    ("contact.last_name", "Last name"),
    ("contact.full_name", "First and last name"),
    ("contact.email", "The address this message goes to"),
    ("contact.phone", "The number this message goes to"),
    ("contact.title", "Job title"),
    ("contact.city", "City"),
    ("contact.region", "State or region"),
    ("contact.country", "Country"),
    ("contact.linkedin", "LinkedIn profile"),
    ("contact.language", "Language"),
    ("company.name", "Name of the company"),
    ("company.domain", "Internet domain"),
    ("company.website", "Website"),
    ("company.industry", "Industry"),
    ("company.city", "City"),
    ("company.region", "State or region"),
    ("company.country", "Country"),
    ("company.phone", "Main number"),
    ("company.email", "Main address"),
    ("company.linkedin", "LinkedIn page"),
    ("opportunity.name", "Name of the job or deal"),
    ("opportunity.description", "Description"),
    ("opportunity.location", "Place of work"),
    ("opportunity.url", "Link to the description"),
    ("opportunity.workflow_stage", "Workflow stage"),
    ("sender.name", "Name of who writes"),
    ("sender.first_name", "First name of who writes"),
    ("sender.email", "Address it is written from"),
    ("sender.title", "Job title of who writes"),
    ("sender.phone", "Number of who writes"),
    ("sender.signature", "Signature of the mailbox"),
    ("sequence.name", "Name of the sequence"),
    ("unsubscribe_url", "Link to unsubscribe; emails only"),
];

/// Fields that a send always has, so a template needs no fallback for them.
const ALWAYS: &[&str] = &["sender.name", "sender.email", "sequence.name", "unsubscribe_url"];

/// The fields that templates of one sequence may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    paths: BTreeSet<String>,
}

impl Known {
    /// The built-in fields.
    pub fn new(of: Of) -> Known {
        let exists = |path: &&str| of == Of::Contacts || !path.starts_with("contact.");
        Known { paths: FIELDS.iter().map(|(path, _)| *path).filter(exists).map(str::to_owned).collect() }
    }
    /// With `custom.<name>` for each.
    #[must_use]
    pub fn with_custom<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Known {
        self.paths.extend(names.into_iter().map(|name| format!("custom.{name}")));
        self
    }
    /// With `snippet.<name>` for each.
    #[must_use]
    pub fn with_snippets<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Known {
        self.paths.extend(names.into_iter().map(|name| format!("snippet.{name}")));
        self
    }
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
    /// The field that was probably meant.
    pub fn nearest(&self, path: &str) -> Option<&str> {
        let last_part = |p: &str| p.rsplit('.').next().unwrap_or_default().replace('_', "");
        nearest(path, self.paths()).or_else(|| self.paths().find(|p| last_part(p) == last_part(path)))
    }
    /// May a record lack it? A template without fallback then stops the send.
    pub fn may_be_empty(path: &str) -> bool {
        !ALWAYS.contains(&path) && !path.starts_with("snippet.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_was_meant_is_found() {
        let known = Known::new(Of::Contacts).with_custom(["skills"]).with_snippets(["intro"]);
        assert!(known.contains("custom.skills") && known.contains("snippet.intro"));
        assert_eq!(known.nearest("contact.firstname"), Some("contact.first_name"));
        assert_eq!(known.nearest("contcat.first_name"), Some("contact.first_name"));
        assert_eq!(known.nearest("firstname"), Some("contact.first_name"));
        assert_eq!(known.nearest("weather"), None);
        assert!(!Known::new(Of::Companies).contains("contact.email"));
        assert!(Known::may_be_empty("contact.first_name") && !Known::may_be_empty("sender.name"));
    }
}
