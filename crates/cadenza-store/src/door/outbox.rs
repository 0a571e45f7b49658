//! The outbox as the sender sees it: messages just recorded, attempts left open by a crash, threads to continue.

use super::load::{self, Look};
use super::sequence::{SequenceInfo, load_flow, load_sequence};
use super::workspace::load_workspace;
use super::{Door, SHARDS};
use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::Query;
use crate::row::Row;
use crate::suppression::Key as SigningKey;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{AttachmentRef, Channel, Flow, Key};
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::merge::Fields;
use cadenza_core::time::Time;
use std::sync::Arc;

/// A recorded attempt, with all that composing its message needs.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
    pub sequence: SequenceId,
    pub subject: Subject,
    pub visit: u32,
    pub attempt: u32,
    pub channel: Channel,
    pub mailbox: Option<MailboxId>,
    pub to: String,
    /// Without angle brackets; the same at every attempt of a visit.
    pub message_id: String,
    pub step: Key,
    pub variant: Key,
    pub same_thread: bool,
    pub fields: Fields,
    /// A person's own subject and body, JSON, where a person wrote it.
    pub by_hand: Option<String>,
    pub claimed_at: Time,
    pub flow: Arc<Flow>,
    pub info: Arc<SequenceInfo>,
}

/// An attempt that nobody works on, found at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSend {
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub attempt: u32,
    /// Past its final mark: nobody can know whether the server took it.
    pub marked: bool,
}

/// The Message-ID of a visit, fixed before its first attempt and the same at every one. Nobody can guess it who has not
/// seen the mail: what answers to it answers the mail.
pub(super) fn message_id(key: &SigningKey, enrollment: EnrollmentId, visit: u32, domain: &str) -> String {
    let name = format!("{enrollment}.{visit}");
    format!("{name}.{}@{domain}", key.sign(&format!("message {name}")))
}

/// The enrollment and visit that one of our own Message-IDs names. Whether it is ours is not asked.
pub fn parse_message_id(id: &str) -> Option<(EnrollmentId, u32)> {
    let local = id.trim_matches(['<', '>', ' ']).split('@').next()?;
    let mut parts = local.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Attempts that are claimed or marked by runs that are over, of every workspace: what a crash has left.
pub fn left_behind(q: &mut Query) -> Result<Vec<OpenSend>> {
    let rows = q.query(
        "SELECT workspace_id, enrollment_id, visit, attempt, state FROM send
         WHERE settled_at IS NULL AND shard >= 0 AND shard < $1
             AND NOT EXISTS (SELECT 1 FROM node WHERE node.epoch = send.epoch AND node.state <> 'gone')
         ORDER BY shard, claimed_at",
        &[SHARDS.into()],
    )?;
    rows.iter().map(open_send).collect()
}

pub(super) fn open_send(row: &Row) -> Result<OpenSend> {
    Ok(OpenSend {
        workspace: WorkspaceId(row.int(0)?),
        enrollment: EnrollmentId(row.int(1)?),
        visit: number(row.int(2)?)?,
        attempt: number(row.int(3)?)?,
        marked: row.text(4)? == "marked",
    })
}

/// The mails that a mail of this visit continues: the last one that began a thread, and those that continued it since.
pub fn thread_of(
    q: &mut Query,
    workspace: WorkspaceId,
    enrollment: EnrollmentId,
    before: u32,
) -> Result<Vec<ThreadMail>> {
    let rows = q.query(
        "SELECT visit, message_id, same_thread, subject FROM send
         WHERE workspace_id = $1 AND enrollment_id = $2 AND visit < $3 AND channel = 'email' AND state IN ('sent', 'unknown')
         ORDER BY visit, attempt",
        &[workspace.into(), enrollment.into(), before.into()],
    )?;
    let mut thread = Vec::new();
    for row in rows {
        if !row.flag(2)? {
            thread.clear();
        }
        thread.push(ThreadMail {
            visit: number(row.int(0)?)?,
            message_id: row.text(1)?.to_owned(),
            subject: row.opt_text(3)?.map(str::to_owned),
        });
    }
    Ok(thread)
}

/// An earlier mail of the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadMail {
    pub visit: u32,
    pub message_id: String,
    /// `None` of those that continue a thread.
    pub subject: Option<String>,
}

impl Door {
    /// The sequence and flow of an enrollment, for what is said of it outside an advance ("why?", previews).
    pub fn look(
        &self,
        q: &mut Query,
        workspace: WorkspaceId,
        id: EnrollmentId,
        now: Time,
    ) -> Result<(Arc<SequenceInfo>, Arc<Flow>)> {
        let e = load::enrollment(q, workspace, id)?.ok_or_else(|| StoreError::missing("enrollment", id))?;
        let ws = load_workspace(self, q, workspace, now, Look::Only)?;
        let info = load_sequence(self, q, &ws, e.sequence, Look::Only)?;
        let flow = load_flow(q, workspace, &info, e.flow_version)?;
        Ok((info, flow))
    }

    /// The message of a visit as its last attempt recorded it, to be composed once more: the same bytes come of it as long
    /// as neither its mailbox nor the words of its step were changed.
    ///
    /// # Errors
    /// `Missing` where nothing was sent on that visit.
    pub fn recorded(
        &self,
        q: &mut Query,
        workspace: WorkspaceId,
        id: EnrollmentId,
        visit: u32,
        now: Time,
    ) -> Result<Outgoing> {
        let (info, flow) = self.look(q, workspace, id, now)?;
        let e = load::enrollment(q, workspace, id)?.ok_or_else(|| StoreError::missing("enrollment", id))?;
        let row = q
            .query_opt(
                "SELECT attempt, mailbox_id, address, message_id, step, variant, same_thread, fields, by_hand, claimed_at
                 FROM send WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3 ORDER BY attempt DESC LIMIT 1",
                &[workspace.into(), id.into(), visit.into()],
            )?
            .ok_or_else(|| StoreError::missing("send", format!("{id}.{visit}")))?;
        let mut c = Cells::of(&row, "send");
        let (attempt, mailbox, to, message_id) = (c.count()?, c.opt_id(MailboxId)?, c.string()?, c.string()?);
        let (step, variant, same_thread) = (c.word(str::parse)?, c.word(str::parse)?, c.int()? != 0);
        let fields = c.opt_json()?.map_or_else(|| Ok(Fields::new()), |json| Fields::from_json(&json));
        Ok(Outgoing {
            workspace,
            enrollment: id,
            sequence: info.id,
            subject: e.subject,
            visit,
            attempt,
            channel: if mailbox.is_some() { Channel::Email } else { Channel::Text },
            mailbox,
            to,
            message_id,
            step,
            variant,
            same_thread,
            fields: fields.map_err(|why| StoreError::inconsistent("send", id, why))?,
            by_hand: c.opt_string()?,
            claimed_at: c.time()?,
            flow,
            info,
        })
    }
}

fn number(n: i64) -> Result<u32> {
    u32::try_from(n).map_err(|_| StoreError::inconsistent("send", n, "a negative number"))
}

/// A person's own wording of an earlier attempt of this visit.
pub(super) fn wording_before(
    q: &mut Query,
    workspace: WorkspaceId,
    enrollment: EnrollmentId,
    visit: u32,
) -> Result<Option<String>> {
    let row = q.query_opt(
        "SELECT by_hand FROM send WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3
         ORDER BY attempt DESC LIMIT 1",
        &[workspace.into(), enrollment.into(), visit.into()],
    )?;
    row.map_or(Ok(None), |row| row.opt_text(0).map(|t| t.map(str::to_owned)))
}

/// The subject in a person's own wording.
pub(super) fn subject_of(wording: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(wording).ok()?;
    json.get("subject")?.as_str().map(str::to_owned)
}

/// Has the sandbox received the message of this attempt?
pub fn is_in_sandbox(q: &mut Query, send: OpenSend) -> Result<bool> {
    let row = q.query_opt(
        "SELECT m.id FROM send s JOIN sandbox_message m ON m.workspace_id = $1 AND m.message_id = s.message_id
         WHERE s.workspace_id = $1 AND s.enrollment_id = $2 AND s.visit = $3 AND s.attempt = $4 LIMIT 1",
        &[send.workspace.into(), send.enrollment.into(), send.visit.into(), send.attempt.into()],
    )?;
    Ok(row.is_some())
}

/// A file to be sent along.
#[derive(Debug, Clone)]
pub struct StoredAttachment {
    pub name: String,
    pub media_type: String,
    pub content: Vec<u8>,
}

/// The files of a step's message, in the step's order.
pub fn attachments(q: &mut Query, workspace: WorkspaceId, refs: &[AttachmentRef]) -> Result<Vec<StoredAttachment>> {
    let mut files = Vec::with_capacity(refs.len());
    for wanted in refs {
        let row = q
            .query_opt(
                "SELECT media_type, content FROM attachment WHERE workspace_id = $1 AND id = $2",
                &[workspace.into(), wanted.id.into()],
            )?
            .ok_or_else(|| StoreError::missing("attachment", wanted.id))?;
        let (media_type, content) = (row.text(0)?.to_owned(), row.blob(1)?.to_vec());
        files.push(StoredAttachment { name: wanted.name.clone(), media_type, content });
    }
    Ok(files)
}
