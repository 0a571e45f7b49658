//! Opportunities: jobs or deals, and the contacts in their workflow stages.

use crate::cells::{Cells, to_json};
use crate::contacts::Custom;
use crate::error::{Result, StoreError};
use crate::folding::{end_of, fold};
use crate::page::{After, Page};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{CompanyId, ContactId, OpportunityId, UserId, WorkflowId, WorkflowStageId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// What an opportunity is.
    OpportunityKind ("kind of opportunity") {
        Job = "job";
        Deal = "deal";
    }
}

/// A job or a deal.
#[derive(Debug, Clone, PartialEq)]
pub struct Opportunity {
    pub id: OpportunityId,
    pub name: String,
    pub kind: OpportunityKind,
    pub company: Option<CompanyId>,
    pub owner: Option<UserId>,
    pub workflow: WorkflowId,
    pub custom: Custom,
    pub created_at: Time,
    pub updated_at: Time,
    pub closed_at: Option<Time>,
    pub version: i64,
}

/// A contact in an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub contact: ContactId,
    pub stage: WorkflowStageId,
    /// In this workflow stage.
    pub since: Time,
    pub added_by: Option<UserId>,
}

const COLUMNS: &str = "o.id, o.name, o.kind, o.company_id, o.owner_id, o.workflow_id, o.custom, o.created_at, o.updated_at, o.closed_at, o.version";

fn read(row: &Row) -> Result<Opportunity> {
    let mut c = Cells::of(row, "opportunity");
    Ok(Opportunity {
        id: c.id(OpportunityId)?,
        name: c.string()?,
        kind: c.word(OpportunityKind::named)?,
        company: c.opt_id(CompanyId)?,
        owner: c.opt_id(UserId)?,
        workflow: c.id(WorkflowId)?,
        custom: c.json()?,
        created_at: c.time()?,
        updated_at: c.time()?,
        closed_at: c.opt_time()?,
        version: c.int()?,
    })
}

/// Errors: `Violation` where there is no such workflow.
pub fn create(tx: &mut Tx, w: WorkspaceId, opportunity: &Opportunity) -> Result<()> {
    let o = opportunity;
    tx.of(w).exec(
        "INSERT INTO opportunity (workspace_id, id, name, sort_name, kind, company_id, owner_id, workflow_id, custom,
             created_at, updated_at, closed_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)",
        args![
            o.id,
            &o.name,
            fold(&o.name),
            o.kind.as_str(),
            o.company,
            o.owner,
            o.workflow,
            to_json(&o.custom, "opportunity", o.id)?,
            o.created_at,
            o.updated_at,
            o.closed_at,
        ],
    )?;
    Ok(())
}

/// Everything but its workflow.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, opportunity: &Opportunity, now: Time) -> Result<()> {
    let o = opportunity;
    tx.of(w).exec_one(
        "UPDATE opportunity SET name = $3, sort_name = $4, kind = $5, company_id = $6, owner_id = $7, custom = $8,
             updated_at = $9, closed_at = $10, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            o.id,
            &o.name,
            fold(&o.name),
            o.kind.as_str(),
            o.company,
            o.owner,
            to_json(&o.custom, "opportunity", o.id)?,
            now,
            o.closed_at,
        ],
        "opportunity",
        o.id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: OpportunityId) -> Result<Opportunity> {
    let sql = format!("SELECT {COLUMNS} FROM opportunity o WHERE o.workspace_id = $1 AND o.id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("opportunity", id))?;
    read(&row)
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: OpportunityId) -> Result<()> {
    let sql = "DELETE FROM opportunity WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id], "opportunity", id)
}

/// By name, from behind `after`; those whose name begins with `typed`, of an owner where that is said.
pub fn search(
    q: &mut Query,
    w: WorkspaceId,
    typed: &str,
    owner: Option<UserId>,
    after: Option<&After<String>>,
    limit: usize,
) -> Result<Page<Opportunity, String>> {
    let (name, id) = after.map_or(("", i64::MIN), |a| (a.key.as_str(), a.id));
    let typed = fold(typed);
    let mut args = args![name, id, limit as i64 + 1, typed.as_str(), end_of(&typed)];
    let mut sql = format!(
        "SELECT {COLUMNS}, o.sort_name FROM opportunity o
         WHERE o.workspace_id = $1 AND (o.sort_name, o.id) > ($2, $3) AND o.sort_name >= $5 AND o.sort_name < $6"
    );
    if let Some(owner) = owner {
        sql.push_str(&format!(" AND o.owner_id = {}", args.push(owner)));
    }
    sql.push_str(" ORDER BY o.sort_name, o.id LIMIT $4");
    let rows = q.of(w).all(&sql, args)?;
    let last = COLUMNS.split(',').count();
    Page::of(&rows, limit, |row| {
        let opportunity = read(row)?;
        let after = After { key: row.text(last)?.to_owned(), id: opportunity.id.0 };
        Ok((opportunity, after))
    })
}

/// The opportunities of a contact, the latest first, each with the contact's workflow stage.
pub fn of_contact(q: &mut Query, w: WorkspaceId, contact: ContactId) -> Result<Vec<(Opportunity, WorkflowStageId)>> {
    let sql = format!(
        "SELECT {COLUMNS}, p.workflow_stage_id FROM opportunity_contact p
         JOIN opportunity o ON o.workspace_id = $1 AND o.id = p.opportunity_id
         WHERE p.workspace_id = $1 AND p.contact_id = $2 ORDER BY o.id DESC"
    );
    let rows = q.of(w).all(&sql, args![contact])?;
    let last = COLUMNS.split(',').count();
    rows.iter().map(|row| Ok((read(row)?, WorkflowStageId(row.int(last)?)))).collect()
}

/// Puts contacts into a workflow stage: adds those who are not in the opportunity, moves those who are. Answers those who
/// were not in that workflow stage before: whom its sequence is offered to (OPS-10).
///
/// Errors: `Violation` where there is no such opportunity, contact or workflow stage.
pub fn put(
    tx: &mut Tx,
    w: WorkspaceId,
    id: OpportunityId,
    stage: WorkflowStageId,
    contacts: &[ContactId],
    by: Option<UserId>,
    now: Time,
) -> Result<Vec<ContactId>> {
    let mut contacts = contacts.to_vec();
    contacts.sort_unstable();
    contacts.dedup();
    let rows = tx.of(w).rows(
        "INSERT INTO opportunity_contact (workspace_id, opportunity_id, contact_id, workflow_stage_id, since_at, added_by)
         SELECT $1, $2, r.id, $3, $4, $5 FROM rows(id BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, opportunity_id, contact_id)
         DO UPDATE SET workflow_stage_id = excluded.workflow_stage_id, since_at = excluded.since_at
         WHERE opportunity_contact.workflow_stage_id <> excluded.workflow_stage_id
         RETURNING contact_id",
        &Columns::new().ints(contacts),
        args![id, stage, now, by],
    )?;
    let mut moved = rows.iter().map(|row| row.int(0).map(ContactId)).collect::<Result<Vec<_>>>()?;
    moved.sort_unstable();
    Ok(moved)
}

/// Takes contacts out of an opportunity; answers how many were in it.
pub fn take_out(tx: &mut Tx, w: WorkspaceId, id: OpportunityId, contacts: &[ContactId]) -> Result<u64> {
    tx.of(w).exec_rows(
        "DELETE FROM opportunity_contact USING rows(id BIGINT) AS r
         WHERE opportunity_contact.workspace_id = $1 AND opportunity_contact.opportunity_id = $2
           AND opportunity_contact.contact_id = r.id",
        &Columns::new().ints(contacts.iter().copied()),
        args![id],
    )
}

/// Who is in it, in the order in which they came to their workflow stages.
pub fn candidates(q: &mut Query, w: WorkspaceId, id: OpportunityId) -> Result<Vec<Candidate>> {
    let sql = "SELECT contact_id, workflow_stage_id, since_at, added_by FROM opportunity_contact
         WHERE workspace_id = $1 AND opportunity_id = $2 ORDER BY since_at, contact_id";
    let rows = q.of(w).all(sql, args![id])?;
    let candidate = |row| {
        let mut c = Cells::of(row, "opportunity_contact");
        Ok(Candidate {
            contact: c.id(ContactId)?,
            stage: c.id(WorkflowStageId)?,
            since: c.time()?,
            added_by: c.opt_id(UserId)?,
        })
    };
    rows.iter().map(candidate).collect()
}
