//! A sequence as a file (SEQ-11): everything that `apply` reads, so that applying what was exported changes nothing.

use super::{Caller, Privilege, Result};
use crate::app::App;
use cadenza_core::flow::file::{EmailTemplate, Form, SequenceFile, SettingsPatch, Snippet, TextTemplate};
use cadenza_core::flow::{Flow, StepKind};
use cadenza_core::ids::{SequenceId, WorkspaceId};
use cadenza_core::merge::{Of, fields_used};
use cadenza_store::message_templates::{self, MessageKind, MessageTemplate};
use cadenza_store::sequences::{self, Member, MemberRole, Sequence, SubjectType};
use cadenza_store::{Query, StoreError, lists, users, workspaces};
use std::collections::BTreeSet;

/// Writes a sequence as a file.
pub async fn export(app: &App, caller: &Caller, id: SequenceId) -> Result<SequenceFile> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let file = app.db.read_async(move |q| {
        let sequence = sequences::get(q, w, id)?;
        file_of(q, w, &sequence)
    });
    Ok(file.await?)
}

/// The file of a stored sequence.
pub(super) fn file_of(q: &mut Query, w: WorkspaceId, s: &Sequence) -> Result<SequenceFile, StoreError> {
    let settings = workspaces::settings(q, w)?;
    let people = users::all(q, w)?;
    let address = |id| people.iter().find(|u| u.id == id).map(|u| u.address.clone());
    let mut flow = sequences::latest_flow(q, w, s.id)?;
    let mut file = SequenceFile::new(&s.name);
    let all = message_templates::all(q, w)?;
    wordings(&mut file, &all, &flow);
    without_wordings(&mut flow);
    file.description.clone_from(&s.description);
    file.of = match s.of {
        SubjectType::Contacts => Of::Contacts,
        SubjectType::Companies => Of::Companies,
    };
    file.form = Form::Sequence;
    file.primary_user = address(s.primary_user);
    let works = sequences::members(q, w, s.id, MemberRole::Works)?;
    file.team = works.into_iter().filter_map(|m| if let Member::User(u) = m { address(u) } else { None }).collect();
    file.team.sort();
    file.list = s.list.map(|list| lists::get(q, w, list)).transpose()?.map(|list| list.name);
    (file.begin, file.end, file.priority) = (s.begin, s.end, s.priority);
    file.settings = SettingsPatch::between(&settings.sequence, &s.settings);
    file.branches = flow.branches;
    Ok(file)
}

/// The templates and snippets that a flow uses, and the snippets that these use.
pub(in crate::actions) fn wordings(file: &mut SequenceFile, all: &[MessageTemplate], flow: &Flow) {
    let mut texts: Vec<String> = Vec::new();
    let mut named: BTreeSet<(MessageKind, String)> = BTreeSet::new();
    for step in flow.steps() {
        for variant in &step.content.variants {
            texts.extend([variant.subject.clone(), variant.text.clone(), variant.html.clone()]);
            if let Some(name) = &variant.template {
                let text = matches!(step.kind, StepKind::SmsAuto | StepKind::SmsManual);
                named.insert((if text { MessageKind::Text } else { MessageKind::Email }, name.clone()));
            }
        }
    }
    for t in all.iter().filter(|t| named.contains(&(t.kind, t.name.clone()))) {
        texts.extend([t.subject.clone(), t.body.clone(), t.html.clone()]);
        let (name, subject, text, html) = (t.name.clone(), t.subject.clone(), t.body.clone(), t.html.clone());
        match t.kind {
            MessageKind::Email => file.email_templates.push(EmailTemplate { name, subject, text, html }),
            _ => file.text_templates.push(TextTemplate { name, text }),
        }
    }
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    while let Some(text) = texts.pop() {
        for field in fields_used(&text) {
            let Some(name) = field.path.strip_prefix("snippet.") else { continue };
            let found = all.iter().find(|t| t.kind == MessageKind::Snippet && t.name == name);
            if let Some(found) = found.filter(|_| wanted.insert(name.to_owned())) {
                texts.push(found.body.clone());
                file.snippets.push(Snippet { name: name.to_owned(), text: found.body.clone() });
            }
        }
    }
    file.snippets.sort_by(|a, b| a.name.cmp(&b.name));
}

/// What a step keeps of a template is not its own.
pub(in crate::actions) fn without_wordings(flow: &mut Flow) {
    for step in flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        step.revision = 0;
        for variant in step.content.variants.iter_mut().filter(|v| v.template.is_some()) {
            variant.subject.clear();
            variant.text.clear();
            variant.html.clear();
        }
    }
}
