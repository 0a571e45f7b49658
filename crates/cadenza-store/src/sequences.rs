//! Sequences: a flow put to work with settings. The row itself and who sees it; structure and content are in `flows`, the
//! lists of sequences that people look at in `overview`. Every change of a sequence, its structure or its content moves
//! its `version`, by which others keep what they have read.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::flows::{self, Saved};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::facts::SequenceFacts;
use cadenza_core::flow::{Flow, Priority};
use cadenza_core::ids::{ListId, SequenceId, TeamId, TemplateId, UserId, WorkspaceId};
use cadenza_core::settings::Settings;
use cadenza_core::time::Time;

words! {
    /// Whom a sequence, a template or a list is for.
    SubjectType ("type of contacts or companies") {
        Contacts = "contacts";
        Companies = "companies";
    }
}

words! {
    /// What ended a sequence; only an end by date can be taken back (SEQ-7).
    EndedBy ("cause of an end") {
        Hand = "hand";
        Date = "date";
        AllFinished = "all_finished";
    }
}

words! {
    /// Who sees a sequence beside its owner and its team (SEQ-10).
    Sharing ("way of sharing") {
        Private = "private";
        /// With the members who see it.
        Chosen = "some";
        Everyone = "everyone";
    }
}

/// A sequence, without its flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    pub id: SequenceId,
    /// Unique in the workspace, whatever its case.
    pub name: String,
    pub description: String,
    pub of: SubjectType,
    pub state: SequenceState,
    pub begin: Option<Time>,
    pub end: Option<Time>,
    /// When and by what it ended; both or neither.
    pub ended: Option<(Time, EndedBy)>,
    /// Why it paused itself (SND-10).
    pub held: Option<String>,
    pub primary_user: UserId,
    pub list: Option<ListId>,
    pub template: Option<TemplateId>,
    pub priority: Priority,
    pub settings: Settings,
    /// The newest structure.
    pub flow_version: u32,
    pub sharing: Sharing,
    pub created_by: UserId,
    pub created_at: Time,
    pub activated_at: Option<Time>,
    pub updated_at: Time,
    /// Moves with every change, of its flow too.
    pub version: i64,
}

/// A member of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    User(UserId),
    Team(TeamId),
}

words! {
    /// What a member does.
    MemberRole ("role in a sequence") {
        /// Additional team members: they see and do its tasks (PRM-2).
        Works = "works";
        /// It is shared with them.
        Sees = "sees";
    }
}

/// Who asks: what they may see of sequences is decided by it (SEQ-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Sees everything of the workspace.
    All,
    /// Sees what they own, work on, or what is shared with them.
    User(UserId),
}

impl Viewer {
    /// A condition on `sequence s`, begun with AND; nothing where all are seen.
    pub(crate) fn sees(self, args: &mut crate::scope::Args) -> String {
        let Viewer::User(user) = self else { return String::new() };
        let user = args.push(user);
        format!(
            " AND (s.sharing = 'everyone' OR s.primary_user_id = {user} OR EXISTS (SELECT 1 FROM sequence_member m
                 WHERE m.workspace_id = $1 AND m.sequence_id = s.id AND (m.subject = 'user' AND m.subject_id = {user}
                     OR m.subject = 'team' AND m.subject_id IN (SELECT t.team_id FROM team_member t
                         WHERE t.workspace_id = $1 AND t.user_id = {user}))))"
        )
    }
}

/// The sequences whose tasks a user does beside their own (PRM-2): a subselect of ids.
pub(crate) fn worked_on_by(user: &str) -> String {
    format!(
        "(SELECT m.sequence_id FROM sequence_member m WHERE m.workspace_id = $1 AND m.role = 'works'
             AND (m.subject = 'user' AND m.subject_id = {user}
                 OR m.subject = 'team' AND m.subject_id IN (SELECT t.team_id FROM team_member t
                     WHERE t.workspace_id = $1 AND t.user_id = {user})))"
    )
}

const COLUMNS: &str = "id, name, description, type, state, begin_at, end_at, ended_at, ended_by, held, primary_user_id, \
     list_id, template_id, priority, settings, flow_version, sharing, created_by, created_at, activated_at, updated_at, version";

fn read(row: &Row) -> Result<Sequence> {
    let mut c = Cells::of(row, "sequence");
    Ok(Sequence {
        id: c.id(SequenceId)?,
        name: c.string()?,
        description: c.string()?,
        of: c.word(SubjectType::named)?,
        state: c.word(SequenceState::named)?,
        begin: c.opt_time()?,
        end: c.opt_time()?,
        ended: match (c.opt_time()?, c.opt_word(EndedBy::named)?) {
            (Some(at), Some(by)) => Some((at, by)),
            (None, None) => None,
            _ => return Err(c.bad("ended_at and ended_by go together")),
        },
        held: c.opt_string()?,
        primary_user: c.id(UserId)?,
        list: c.opt_id(ListId)?,
        template: c.opt_id(TemplateId)?,
        priority: priority(c.int()?).ok_or_else(|| c.bad("not a priority"))?,
        settings: c.json()?,
        flow_version: c.count()?,
        sharing: c.word(Sharing::named)?,
        created_by: c.id(UserId)?,
        created_at: c.time()?,
        activated_at: c.opt_time()?,
        updated_at: c.time()?,
        version: c.int()?,
    })
}

/// The number by which priorities are stored: lower goes first.
pub fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
        Priority::Low => 2,
    }
}

pub(crate) fn priority(number: i64) -> Option<Priority> {
    [Priority::High, Priority::Normal, Priority::Low].into_iter().find(|p| priority_number(*p) == number)
}

/// A new sequence with its flow as structure 1 and each content as revision 1, whatever numbers they carry.
///
/// Errors: `Conflict` on `sequence_name` where the name is taken, on `sequence_list` where the list feeds another.
pub fn create(tx: &mut Tx, w: WorkspaceId, sequence: &Sequence, flow: &Flow) -> Result<()> {
    let s = sequence;
    let (ended_at, ended_by) = s.ended.map_or((None, None), |(at, by)| (Some(at), Some(by.as_str())));
    tx.of(w).exec(
        "INSERT INTO sequence (workspace_id, id, name, sort_name, description, type, state, begin_at, end_at, ended_at,
             ended_by, held, primary_user_id, list_id, template_id, priority, settings, flow_version, sharing, created_by,
             created_at, activated_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18, $19, $20, $21, $22, 1)",
        args![
            s.id,
            &s.name,
            fold(&s.name),
            &s.description,
            s.of.as_str(),
            s.state.as_str(),
            s.begin,
            s.end,
            ended_at,
            ended_by,
            s.held.as_deref(),
            s.primary_user,
            s.list,
            s.template,
            priority_number(s.priority),
            to_json(&s.settings, "sequence", s.id)?,
            s.sharing.as_str(),
            s.created_by,
            s.created_at,
            s.activated_at,
            s.updated_at,
        ],
    )?;
    flows::save_flow(tx, w, s.id, 0, flow, s.created_by, s.created_at).map(drop)
}

/// Makes `flow` the newest: a new version of the structure where that differs, a new revision of every content that does.
/// Saving the same again changes nothing. The numbers that `flow` carries are not read.
///
/// Errors: `Missing`.
pub fn save_flow(tx: &mut Tx, w: WorkspaceId, id: SequenceId, flow: &Flow, by: UserId, now: Time) -> Result<Saved> {
    let before = lock(tx, w, id)?.flow_version;
    let saved = flows::save_flow(tx, w, id, before, flow, by, now)?;
    if saved.version != before || saved.contents > 0 {
        let sql = "UPDATE sequence SET flow_version = $3, updated_at = $4, version = version + 1
             WHERE workspace_id = $1 AND id = $2";
        tx.of(w).exec_one(sql, args![id, saved.version, now], "sequence", id)?;
    }
    Ok(saved)
}

/// The newest structure with the newest contents.
///
/// Errors: `Missing`.
pub fn latest_flow(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<Flow> {
    let version = get(q, w, id)?.flow_version;
    flows::flow_at(q, w, id, version)
}

/// Writes everything of a sequence but its identity and its flow; `updated_at` and `version` are set here.
///
/// Errors: as [`create`]; `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, sequence: &Sequence, now: Time) -> Result<()> {
    let s = sequence;
    let (ended_at, ended_by) = s.ended.map_or((None, None), |(at, by)| (Some(at), Some(by.as_str())));
    tx.of(w).exec_one(
        "UPDATE sequence SET name = $3, sort_name = $4, description = $5, state = $6, begin_at = $7, end_at = $8,
             ended_at = $9, ended_by = $10, held = $11, primary_user_id = $12, list_id = $13, priority = $14, settings = $15,
             sharing = $16, activated_at = $17, updated_at = $18, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            s.id,
            &s.name,
            fold(&s.name),
            &s.description,
            s.state.as_str(),
            s.begin,
            s.end,
            ended_at,
            ended_by,
            s.held.as_deref(),
            s.primary_user,
            s.list,
            priority_number(s.priority),
            to_json(&s.settings, "sequence", s.id)?,
            s.sharing.as_str(),
            s.activated_at,
            now,
        ],
        "sequence",
        s.id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<Sequence> {
    find(q, w, id)?.ok_or_else(|| StoreError::missing("sequence", id))
}

/// As [`get`], for a transaction that will change it: nobody else does meanwhile.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: SequenceId) -> Result<Sequence> {
    let sql = format!("SELECT {COLUMNS} FROM sequence WHERE workspace_id = $1 AND id = $2 FOR UPDATE");
    let row = tx.of(w).opt(&sql, args![id])?;
    row.as_ref().map(read).transpose()?.ok_or_else(|| StoreError::missing("sequence", id))
}

pub fn find(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<Option<Sequence>> {
    let sql = format!("SELECT {COLUMNS} FROM sequence WHERE workspace_id = $1 AND id = $2");
    q.of(w).opt(&sql, args![id])?.as_ref().map(read).transpose()
}

/// By its name, whatever its case.
pub fn named(q: &mut Query, w: WorkspaceId, name: &str) -> Result<Option<Sequence>> {
    let sql = format!("SELECT {COLUMNS} FROM sequence WHERE workspace_id = $1 AND sort_name = $2");
    q.of(w).opt(&sql, args![fold(name)])?.as_ref().map(read).transpose()
}

/// All sequences of a workspace by name, the archived too.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Sequence>> {
    let sql = format!("SELECT {COLUMNS} FROM sequence WHERE workspace_id = $1 ORDER BY sort_name, id");
    q.of(w).all(&sql, args![])?.iter().map(read).collect()
}

/// Those that a user sees (SEQ-10), by name, the archived too.
pub fn seen(q: &mut Query, w: WorkspaceId, viewer: Viewer) -> Result<Vec<Sequence>> {
    let mut args = args![];
    let sees = viewer.sees(&mut args);
    let sql = format!("SELECT {COLUMNS} FROM sequence s WHERE s.workspace_id = $1{sees} ORDER BY sort_name, id");
    q.of(w).all(&sql, args)?.iter().map(read).collect()
}

/// The live sequence that a list feeds (SEQ-5).
pub fn fed_by(q: &mut Query, w: WorkspaceId, list: ListId) -> Result<Option<Sequence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sequence
         WHERE workspace_id = $1 AND list_id = $2 AND state IN ('scheduled', 'active', 'paused')"
    );
    q.of(w).opt(&sql, args![list])?.as_ref().map(read).transpose()
}

/// Whether a user sees a sequence.
pub fn is_seen_by(q: &mut Query, w: WorkspaceId, id: SequenceId, viewer: Viewer) -> Result<bool> {
    let mut args = args![id];
    let sees = viewer.sees(&mut args);
    let sql = format!("SELECT 1 FROM sequence s WHERE s.workspace_id = $1 AND s.id = $2{sees}");
    Ok(q.of(w).opt(&sql, args)?.is_some())
}

/// How many are live (LIM-1).
pub fn count_live(q: &mut Query, w: WorkspaceId) -> Result<i64> {
    let sql = "SELECT count(*) FROM sequence WHERE workspace_id = $1 AND state IN ('scheduled', 'active', 'paused')";
    q.of(w).one(sql, args![])?.int(0)
}

/// Messages of it that were sent, by its counters.
pub fn sent(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<i64> {
    let sql = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counter
         WHERE workspace_id = $1 AND sequence_id = $2 AND name = 'sent'";
    q.query_one(sql, &[w.into(), id.into()])?.int(0)
}

/// Was anybody ever enrolled in it? The removed count, their history speaks of it; the erased do not.
pub fn has_enrollments(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<bool> {
    let sql = "SELECT 1 FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 LIMIT 1";
    Ok(q.of(w).opt(sql, args![id])?.is_some())
}

/// Deletes a draft with its flow.
///
/// Errors: `Missing` where there is no draft of that id.
pub fn delete_draft(tx: &mut Tx, w: WorkspaceId, id: SequenceId) -> Result<()> {
    let sql = "DELETE FROM sequence WHERE workspace_id = $1 AND id = $2 AND state = 'draft'";
    tx.of(w).exec_one(sql, args![id], "sequence", id)
}

/// What decisions read of a sequence.
pub fn facts(sequence: &Sequence) -> SequenceFacts {
    SequenceFacts {
        state: sequence.state,
        name: sequence.name.clone(),
        begin: sequence.begin,
        end: sequence.end,
        primary_user: sequence.primary_user,
        priority: sequence.priority,
        settings: sequence.settings.clone(),
    }
}

pub fn members(q: &mut Query, w: WorkspaceId, id: SequenceId, role: MemberRole) -> Result<Vec<Member>> {
    let sql =
        "SELECT subject, subject_id FROM sequence_member WHERE workspace_id = $1 AND sequence_id = $2 AND role = $3
         ORDER BY subject, subject_id";
    let rows = q.of(w).all(sql, args![id, role.as_str()])?;
    let member = |row: &Row| {
        let id = row.int(1)?;
        Ok(if row.text(0)? == "team" { Member::Team(TeamId(id)) } else { Member::User(UserId(id)) })
    };
    rows.iter().map(member).collect()
}

/// Sets who works on a sequence or who sees it.
pub fn set_members(tx: &mut Tx, w: WorkspaceId, id: SequenceId, role: MemberRole, members: &[Member]) -> Result<()> {
    let delete = "DELETE FROM sequence_member WHERE workspace_id = $1 AND sequence_id = $2 AND role = $3";
    tx.of(w).exec(delete, args![id, role.as_str()])?;
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    let columns = Columns::new()
        .texts(members.iter().map(|m| if matches!(m, Member::Team(_)) { "team" } else { "user" }))
        .ints(members.iter().map(|m| match m {
            Member::User(u) => u.0,
            Member::Team(t) => t.0,
        }));
    let insert = "INSERT INTO sequence_member (workspace_id, sequence_id, role, subject, subject_id)
         SELECT $1, $2, $3, r.subject, r.subject_id FROM rows(subject TEXT, subject_id BIGINT) AS r";
    tx.of(w).exec_rows(insert, &columns, args![id, role.as_str()]).map(drop)
}
