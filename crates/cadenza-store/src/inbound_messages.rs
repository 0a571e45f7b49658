//! Messages that came in, whatever way: kept once (REC-7), with the verdict on what they are and the enrollment they were
//! matched to, shown in the replies inbox (REC-6). What a verdict does is put through the door by whoever received it.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::page::{After, Page};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::{Args, args};
use crate::words::words;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, MessageId, SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// The way a message came.
    Source ("way a message came") {
        Imap = "imap";
        Http = "http";
        Sandbox = "sandbox";
        /// A text message, from a gateway or the sandbox.
        Text = "text";
    }
}

words! {
    /// What a message is, as people read and correct it.
    Class ("class of message") {
        Reply = "reply";
        OutOfOffice = "out_of_office";
        Bounce = "bounce";
        Complaint = "complaint";
        OptOut = "opt_out";
        /// A report that a mail arrived.
        Delivered = "delivered";
        /// The user's own mail to the contact.
        OwnMail = "own_mail";
        /// An invitation was accepted.
        Meeting = "meeting";
        /// A number asks to be written to again.
        OptIn = "opt_in";
        /// Any other automatic mail; changes nothing (REC-5).
        Other = "other";
    }
}

impl Class {
    /// Does a person have to look at it?
    pub fn asks_for_a_person(self) -> bool {
        matches!(self, Class::Reply | Class::OptOut | Class::Meeting)
    }
}

words! {
    /// By what a message was matched, the surest first.
    MatchedBy ("way of matching") {
        /// A signed token in an address or subject.
        Token = "token";
        /// The Message-ID that it answers to, or that a report encloses.
        Reference = "reference";
        /// The sender's or the failed address alone.
        Address = "address";
    }
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    pub id: MessageId,
    /// The same for the same message read twice.
    pub dedupe_key: String,
    pub source: Source,
    pub mailbox: Option<MailboxId>,
    pub received_at: Time,
    /// Without angle brackets.
    pub message_id: Option<String>,
    pub from_address: Option<String>,
    pub subject: Option<String>,
    /// The beginning of what the writer wrote.
    pub preview: String,
    pub class: Class,
    /// The verdict with its evidence, JSON.
    pub classification: String,
    pub corrected_by: Option<UserId>,
    pub matched_by: Option<MatchedBy>,
    pub subject_of: Option<Subject>,
    pub sequence: Option<SequenceId>,
    pub enrollment: Option<EnrollmentId>,
    /// Of the message that it is about, where that is known for sure.
    pub visit: Option<u32>,
    pub assigned_to: Option<UserId>,
    pub seen_at: Option<Time>,
    pub handled_at: Option<Time>,
}

/// Which messages are wanted. `None` and empty lists mean all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub classes: Vec<Class>,
    /// Not handled yet.
    pub open: bool,
    /// Matched to nobody.
    pub unmatched: bool,
    pub assigned_to: Option<UserId>,
    pub contact: Option<ContactId>,
    pub enrollment: Option<EnrollmentId>,
    pub sequence: Option<SequenceId>,
}

const COLUMNS: &str = "id, dedupe_key, source, mailbox_id, received_at, message_id, from_address, subject, preview, class, \
     classification, corrected_by, matched_by, contact_id, company_id, sequence_id, enrollment_id, visit, assigned_to, \
     seen_at, handled_at";

fn read(row: &Row) -> Result<Inbound> {
    let mut c = Cells::of(row, "inbound_message");
    Ok(Inbound {
        id: c.id(MessageId)?,
        dedupe_key: c.string()?,
        source: c.word(Source::named)?,
        mailbox: c.opt_id(MailboxId)?,
        received_at: c.time()?,
        message_id: c.opt_string()?,
        from_address: c.opt_string()?,
        subject: c.opt_string()?,
        preview: c.string()?,
        class: c.word(Class::named)?,
        classification: c.string()?,
        corrected_by: c.opt_id(UserId)?,
        matched_by: c.opt_word(MatchedBy::named)?,
        subject_of: match (c.opt_id(ContactId)?, c.opt_id(CompanyId)?) {
            (Some(contact), _) => Some(Subject::Contact(contact)),
            (None, company) => company.map(Subject::Company),
        },
        sequence: c.opt_id(SequenceId)?,
        enrollment: c.opt_id(EnrollmentId)?,
        visit: c.opt_count()?,
        assigned_to: c.opt_id(UserId)?,
        seen_at: c.opt_time()?,
        handled_at: c.opt_time()?,
    })
}

/// Keeps a message with its bytes; `false`, and nothing changed, where the same one is there already.
pub fn insert(tx: &mut Tx, w: WorkspaceId, message: &Inbound, raw: Option<&[u8]>) -> Result<bool> {
    let m = message;
    let (contact, company) = match m.subject_of {
        Some(Subject::Contact(c)) => (Some(c), None),
        Some(Subject::Company(c)) => (None, Some(c)),
        None => (None, None),
    };
    let changed = tx.of(w).exec(
        "INSERT INTO inbound_message (workspace_id, id, dedupe_key, source, mailbox_id, received_at, message_id,
             from_address, subject, preview, class, classification, corrected_by, matched_by, contact_id, company_id,
             sequence_id, enrollment_id, visit, assigned_to, seen_at, handled_at, raw)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
         ON CONFLICT (workspace_id, dedupe_key) DO NOTHING",
        args![
            m.id,
            &m.dedupe_key,
            m.source.as_str(),
            m.mailbox,
            m.received_at,
            m.message_id.as_deref(),
            m.from_address.as_deref(),
            m.subject.as_deref(),
            &m.preview,
            m.class.as_str(),
            &m.classification,
            m.corrected_by,
            m.matched_by.map(MatchedBy::as_str),
            contact,
            company,
            m.sequence,
            m.enrollment,
            m.visit,
            m.assigned_to,
            m.seen_at,
            m.handled_at,
            raw.map(<[u8]>::to_vec),
        ],
    )?;
    Ok(changed == 1)
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: MessageId) -> Result<Inbound> {
    let sql = format!("SELECT {COLUMNS} FROM inbound_message WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("inbound_message", id))?;
    read(&row)
}

/// The bytes as they came, where they are still kept. Errors: `Missing`.
pub fn raw(q: &mut Query, w: WorkspaceId, id: MessageId) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT raw FROM inbound_message WHERE workspace_id = $1 AND id = $2";
    let row = q.of(w).opt(sql, args![id])?.ok_or_else(|| StoreError::missing("inbound_message", id))?;
    Ok(row.opt_blob(0)?.map(<[u8]>::to_vec))
}

/// The message of that key, if it came before.
pub fn with_key(q: &mut Query, w: WorkspaceId, dedupe_key: &str) -> Result<Option<Inbound>> {
    let sql = format!("SELECT {COLUMNS} FROM inbound_message WHERE workspace_id = $1 AND dedupe_key = $2");
    q.of(w).opt(&sql, args![dedupe_key])?.as_ref().map(read).transpose()
}

/// Newest first, from behind `before`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Inbound, Time>> {
    let mut args = args![limit as i64 + 1];
    let mut conditions = filter.conditions(&mut args);
    if let Some(before) = before {
        let name = args.push(before);
        conditions.push_str(&format!(" AND id < {name}"));
    }
    let sql =
        format!("SELECT {COLUMNS} FROM inbound_message WHERE workspace_id = $1{conditions} ORDER BY id DESC LIMIT $2");
    let rows = q.of(w).all(&sql, args)?;
    Page::of(&rows, limit, |row| {
        let message = read(row)?;
        let after = After { key: message.received_at, id: message.id.0 };
        Ok((message, after))
    })
}

/// How many there are.
pub fn count(q: &mut Query, w: WorkspaceId, filter: &Filter) -> Result<i64> {
    let mut args = args![];
    let conditions = filter.conditions(&mut args);
    let sql = format!("SELECT count(*) FROM inbound_message WHERE workspace_id = $1{conditions}");
    q.of(w).one(&sql, args)?.int(0)
}

impl Filter {
    fn conditions(&self, args: &mut Args) -> String {
        let mut sql = String::new();
        if !self.classes.is_empty() {
            let names: Vec<String> = self.classes.iter().map(|c| args.push(c.as_str())).collect();
            sql.push_str(&format!(" AND class IN ({})", names.join(", ")));
        }
        if self.open {
            sql.push_str(" AND handled_at IS NULL");
        }
        if self.unmatched {
            sql.push_str(" AND contact_id IS NULL AND company_id IS NULL");
        }
        let ids = [
            ("assigned_to", self.assigned_to.map(|u| u.0)),
            ("contact_id", self.contact.map(|c| c.0)),
            ("enrollment_id", self.enrollment.map(|e| e.0)),
            ("sequence_id", self.sequence.map(|s| s.0)),
        ];
        for (column, id) in ids {
            if let Some(id) = id {
                let name = args.push(id);
                sql.push_str(&format!(" AND {column} = {name}"));
            }
        }
        sql
    }
}

/// Somebody read it; the first time counts. Errors: `Missing`.
pub fn mark_seen(tx: &mut Tx, w: WorkspaceId, id: MessageId, now: Time) -> Result<()> {
    let sql = "UPDATE inbound_message SET seen_at = COALESCE(seen_at, $3) WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now], "inbound_message", id)
}

/// `None` opens it again. Errors: `Missing`.
pub fn set_handled(tx: &mut Tx, w: WorkspaceId, id: MessageId, at: Option<Time>) -> Result<()> {
    let sql = "UPDATE inbound_message SET handled_at = $3 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, at], "inbound_message", id)
}

/// Hands it over. Errors: `Missing`.
pub fn assign(tx: &mut Tx, w: WorkspaceId, id: MessageId, to: Option<UserId>) -> Result<()> {
    let sql = "UPDATE inbound_message SET assigned_to = $3 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, to], "inbound_message", id)
}

/// A person set its class right, or the rules were applied anew (`by` is `None`); `classification` is the new verdict where
/// there is one. Errors: `Missing`.
pub fn set_class(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MessageId,
    class: Class,
    classification: Option<&str>,
    by: Option<UserId>,
) -> Result<()> {
    let sql = "UPDATE inbound_message SET class = $3, classification = COALESCE($4, classification), corrected_by = $5
         WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, class.as_str(), classification, by], "inbound_message", id)
}
