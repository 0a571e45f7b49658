//! What conditions asked for beyond their enrollment, one row each: read by the engine, done here with the row closed in the
//! same transaction, so that each is done exactly once.

use super::load::enrollment;
use super::scan::in_share;
use super::{Again, Door};
use crate::error::{Result, StoreError};
use crate::nodes::Share;
use crate::query::{Query, Tx};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::SideAction;
use cadenza_core::ids::{EnrollmentId, ListId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::Actor;
use cadenza_core::time::Time;

/// One thing that a condition asked for.
#[derive(Debug, Clone)]
pub struct SideJob {
    pub workspace: WorkspaceId,
    pub id: i64,
    pub enrollment: EnrollmentId,
    pub action: SideAction,
}

/// What is to be done by now, oldest first.
pub fn side_jobs(q: &mut Query, now: Time, most: usize, share: &Share) -> Result<Vec<SideJob>> {
    let sql = format!(
        "SELECT workspace_id, id, enrollment_id, payload FROM side_effect
         WHERE next_at IS NOT NULL AND next_at <= $1 AND {} ORDER BY next_at, id LIMIT $2",
        in_share(3)
    );
    let rows = q.query(&sql, &[now.into(), (most as i64).into(), share.as_param().into()])?;
    rows.iter()
        .map(|row| {
            let id = row.int(1)?;
            let bad = |e: serde_json::Error| StoreError::inconsistent("side_effect", id, e);
            Ok(SideJob {
                workspace: WorkspaceId(row.int(0)?),
                id,
                enrollment: EnrollmentId(row.int(2)?),
                action: serde_json::from_str(row.text(3)?).map_err(bad)?,
            })
        })
        .collect()
}

impl Door {
    /// Does one, and closes its row; what cannot be done is kept with the reason.
    pub fn do_side_job(&self, tx: &mut Tx, job: &SideJob, now: Time) -> Result<()> {
        // Another node may have done it since it was read, if its shard has just changed hands.
        let open = tx.query_opt(
            "SELECT id FROM side_effect WHERE workspace_id = $1 AND id = $2 AND next_at IS NOT NULL FOR UPDATE",
            &[job.workspace.into(), job.id.into()],
        )?;
        if open.is_none() {
            return Ok(());
        }
        let Some(e) = enrollment(tx, job.workspace, job.enrollment)? else { return close(tx, job, now, None) };
        let by = (e.enrolled_by, Actor::Engine);
        let failure = match &job.action {
            SideAction::Enroll(name) => self.enroll_elsewhere(tx, job, e.subject, name, by, now)?,
            SideAction::AddToList(name) => match list_named(tx, job.workspace, name)? {
                Some(list) => self.put_on_list(tx, job.workspace, list, &[e.subject], by, now).map(|_| None)?,
                None => Some(format!("there is no list {name:?}")),
            },
            SideAction::RemoveFromList(name) => match list_named(tx, job.workspace, name)? {
                Some(list) => self.take_off_list(tx, job.workspace, list, &[e.subject], by.1, now).map(|_| None)?,
                None => Some(format!("there is no list {name:?}")),
            },
            SideAction::SetWorkflowStage { workflow, stage } => set_stage(tx, job, e.subject, workflow, stage, now)?,
            SideAction::Notify { user, message } => self.notify(tx, job, e.subject, user, message, now)?,
            SideAction::CallWebhook(url) => Some(format!("webhooks are not sent by this version: {url}")),
            // Done with the event itself.
            SideAction::SetField { .. } | SideAction::AddTask { .. } => None,
        };
        close(tx, job, now, failure)
    }

    fn enroll_elsewhere(
        &self,
        tx: &mut Tx,
        job: &SideJob,
        subject: Subject,
        name: &str,
        by: (UserId, Actor),
        now: Time,
    ) -> Result<Option<String>> {
        let row = tx.query_opt(
            "SELECT id FROM sequence WHERE workspace_id = $1 AND (name = $2 OR id = $3)",
            &[job.workspace.into(), name.into(), name.parse::<SequenceId>().map_or(-1, |id| id.0).into()],
        )?;
        let Some(row) = row else { return Ok(Some(format!("there is no sequence {name:?}"))) };
        let sequence = SequenceId(row.int(0)?);
        let answers = self.enroll(tx, job.workspace, sequence, &[subject], by, Again::NotSaid, now)?;
        Ok(answers.into_iter().find_map(|(_, answer)| answer.err().map(|e| e.to_string())))
    }

    /// A notification is a task of the user that is told.
    fn notify(
        &self,
        tx: &mut Tx,
        job: &SideJob,
        subject: Subject,
        user: &str,
        message: &str,
        now: Time,
    ) -> Result<Option<String>> {
        let row = tx.query_opt(
            "SELECT id FROM user_account WHERE workspace_id = $1 AND address = $2",
            &[job.workspace.into(), user.to_lowercase().into()],
        )?;
        let Some(row) = row else { return Ok(Some(format!("there is no user {user:?}"))) };
        let (contact, company) = super::effects::subject_ids(subject);
        tx.exec(
            "INSERT INTO task (workspace_id, id, kind, owner_id, name, instructions, priority, due_at, contact_id, company_id,
                 enrollment_id, created_at)
             VALUES ($1, $2, 'task', $3, $4, '', 1, $5, $6, $7, $8, $5)",
            &[
                job.workspace.into(),
                self.id(now).into(),
                row.int(0)?.into(),
                message.into(),
                now.into(),
                contact.into(),
                company.into(),
                job.enrollment.into(),
            ],
        )?;
        Ok(None)
    }
}

fn close(tx: &mut Tx, job: &SideJob, now: Time, failure: Option<String>) -> Result<()> {
    tx.exec(
        "UPDATE side_effect SET next_at = NULL, tries = tries + 1, done_at = $3, failure = $4
         WHERE workspace_id = $1 AND id = $2",
        &[job.workspace.into(), job.id.into(), failure.is_none().then_some(now).into(), failure.into()],
    )?;
    Ok(())
}

fn list_named(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<Option<ListId>> {
    let id = name.parse::<ListId>().map_or(-1, |id| id.0);
    let row = tx.query_opt(
        "SELECT id FROM list WHERE workspace_id = $1 AND (name = $2 OR id = $3)",
        &[workspace.into(), name.into(), id.into()],
    )?;
    row.map(|r| r.int(0).map(ListId)).transpose()
}

/// Moves the contact to a workflow stage in every open opportunity of that workflow.
fn set_stage(
    tx: &mut Tx,
    job: &SideJob,
    subject: Subject,
    workflow: &str,
    stage: &str,
    now: Time,
) -> Result<Option<String>> {
    let Subject::Contact(contact) = subject else { return Ok(Some("only contacts stand in workflow stages".into())) };
    let row = tx.query_opt(
        "SELECT s.id, w.id FROM workflow w JOIN workflow_stage s ON s.workspace_id = $1 AND s.workflow_id = w.id
         WHERE w.workspace_id = $1 AND w.name = $2 AND s.name = $3",
        &[job.workspace.into(), workflow.into(), stage.into()],
    )?;
    let Some(row) = row else { return Ok(Some(format!("there is no stage {stage:?} in a workflow {workflow:?}"))) };
    tx.exec(
        "UPDATE opportunity_contact SET workflow_stage_id = $3, since_at = $5
         WHERE workspace_id = $1 AND contact_id = $2 AND opportunity_id IN
             (SELECT id FROM opportunity WHERE workspace_id = $1 AND workflow_id = $4 AND closed_at IS NULL)",
        &[job.workspace.into(), contact.into(), row.int(0)?.into(), row.int(1)?.into(), now.into()],
    )?;
    Ok(None)
}
