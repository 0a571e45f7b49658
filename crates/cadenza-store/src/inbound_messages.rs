//! Messages that came in, whatever way: kept once (REC-7), with the verdict on what they are and the enrollment they were
//! matched to, shown in the replies inbox (REC-6). What a verdict does is put through the door by whoever received it. How they
//! are found is in `listing`, whom they were told to in `told`.

mod listing;
mod told;

pub use listing::{Assigned, COUNTED_AT_MOST, Filter, Handled, Listed, counts, list};
pub use told::{Told, note_told, told_by};

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::folding::words as words_of;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
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
        /// A person said whose it is.
        Hand = "hand";
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
    /// What a person said that it is instead, JSON.
    pub correction: Option<String>,
    pub corrected_by: Option<UserId>,
    pub corrected_at: Option<Time>,
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

const COLUMNS: &str = "m.id, m.dedupe_key, m.source, m.mailbox_id, m.received_at, m.message_id, m.from_address, m.subject, \
     m.preview, m.class, m.classification, m.correction, m.corrected_by, m.corrected_at, m.matched_by, m.contact_id, \
     m.company_id, m.sequence_id, m.enrollment_id, m.visit, m.assigned_to, m.seen_at, m.handled_at";

fn read(row: &Row) -> Result<Inbound> {
    read_from(&mut Cells::of(row, "inbound_message"))
}

fn read_from(c: &mut Cells<'_>) -> Result<Inbound> {
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
        correction: c.opt_string()?,
        corrected_by: c.opt_id(UserId)?,
        corrected_at: c.opt_time()?,
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
    let (contact, company) = ids_of(m.subject_of);
    let changed = tx.of(w).exec(
        "INSERT INTO inbound_message (workspace_id, id, dedupe_key, source, mailbox_id, received_at, message_id,
             from_address, subject, preview, class, classification, correction, corrected_by, corrected_at, matched_by,
             contact_id, company_id, sequence_id, enrollment_id, visit, assigned_to, seen_at, handled_at, raw)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             $24, $25)
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
            m.correction.as_deref(),
            m.corrected_by,
            m.corrected_at,
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
    if changed == 1 {
        let texts = m.from_address.iter().chain(&m.subject).map(String::as_str);
        let words = words_of(texts);
        tx.of(w).exec_rows(
            "INSERT INTO search_word (workspace_id, subject, word, subject_id)
             SELECT $1, 'message', r.word, $2 FROM rows(word TEXT) AS r",
            &Columns::new().texts(words.iter().map(String::as_str)),
            args![m.id],
        )?;
    }
    Ok(changed == 1)
}

fn ids_of(subject: Option<Subject>) -> (Option<ContactId>, Option<CompanyId>) {
    match subject {
        Some(Subject::Contact(c)) => (Some(c), None),
        Some(Subject::Company(c)) => (None, Some(c)),
        None => (None, None),
    }
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: MessageId) -> Result<Inbound> {
    let sql = format!("SELECT {COLUMNS} FROM inbound_message m WHERE m.workspace_id = $1 AND m.id = $2");
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
    let sql = format!("SELECT {COLUMNS} FROM inbound_message m WHERE m.workspace_id = $1 AND m.dedupe_key = $2");
    q.of(w).opt(&sql, args![dedupe_key])?.as_ref().map(read).transpose()
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

/// As [`get`], for a transaction in which nobody else may change it meanwhile. Errors: `Missing`.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: MessageId) -> Result<Inbound> {
    let sql = format!("SELECT {COLUMNS} FROM inbound_message m WHERE m.workspace_id = $1 AND m.id = $2 FOR UPDATE");
    let row = tx.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("inbound_message", id))?;
    read(&row)
}

/// What came in for one enrollment, newest first.
pub fn of_enrollment(q: &mut Query, w: WorkspaceId, id: EnrollmentId, limit: usize) -> Result<Vec<Inbound>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM inbound_message m WHERE m.workspace_id = $1 AND m.enrollment_id = $2 ORDER BY m.id DESC LIMIT $3"
    );
    q.of(w).all(&sql, args![id, limit as i64])?.iter().map(read).collect()
}

/// Those whose bytes are kept and that nobody corrected by hand, in the order in which they came, from behind `after`.
pub fn kept_raw(q: &mut Query, w: WorkspaceId, after: MessageId, limit: usize) -> Result<Vec<(Inbound, Vec<u8>)>> {
    let sql = format!(
        "SELECT {COLUMNS}, m.raw FROM inbound_message m
         WHERE m.workspace_id = $1 AND m.id > $2 AND m.raw IS NOT NULL AND m.corrected_by IS NULL ORDER BY m.id LIMIT $3"
    );
    let rows = q.of(w).all(&sql, args![after, limit as i64])?;
    let both = |row: &Row| {
        let mut c = Cells::of(row, "inbound_message");
        Ok((read_from(&mut c)?, c.opt_blob()?.unwrap_or_default()))
    };
    rows.iter().map(both).collect()
}

/// How many [`kept_raw`] gives in all.
pub fn count_kept_raw(q: &mut Query, w: WorkspaceId) -> Result<i64> {
    let sql =
        "SELECT count(*) FROM inbound_message WHERE workspace_id = $1 AND raw IS NOT NULL AND corrected_by IS NULL";
    q.of(w).one(sql, args![])?.int(0)
}

/// A person set its class right; `correction` is what they said. Errors: `Missing`.
pub fn correct(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MessageId,
    class: Class,
    correction: &str,
    (by, at): (UserId, Time),
) -> Result<()> {
    let sql = "UPDATE inbound_message SET class = $3, correction = $4, corrected_by = $5, corrected_at = $6
         WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, class.as_str(), correction, by, at], "inbound_message", id)
}

/// The rules were applied anew. Errors: `Missing`.
pub fn judge_anew(tx: &mut Tx, w: WorkspaceId, id: MessageId, class: Class, classification: &str) -> Result<()> {
    let sql = "UPDATE inbound_message SET class = $3, classification = $4 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, class.as_str(), classification], "inbound_message", id)
}

/// Whose a message is, as a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub subject: Subject,
    /// The first of the enrollments that it is told to.
    pub enrollment: Option<(EnrollmentId, SequenceId)>,
}

/// A person said whose it is. Errors: `Missing`.
pub fn set_owner(tx: &mut Tx, w: WorkspaceId, id: MessageId, owner: Owner) -> Result<()> {
    let (contact, company) = ids_of(Some(owner.subject));
    let (enrollment, sequence) = owner.enrollment.unzip();
    let sql = "UPDATE inbound_message SET matched_by = 'hand', contact_id = $3, company_id = $4, sequence_id = $5,
             enrollment_id = $6, visit = NULL
         WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, contact, company, sequence, enrollment], "inbound_message", id)
}
