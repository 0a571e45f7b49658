//! Forgets a contact for good (CRM-4): the record and everything that was kept about it. The enrollments are erased by
//! the door before; what goes on refusing is in `suppression`.

use crate::addresses;
use crate::error::Result;
use crate::query::Tx;
use crate::scope::{Args, args};
use crate::search_words;
use crate::suppression::{self, Key};
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, WorkspaceId};
use cadenza_core::suppression::Suppressible;

/// Rows that are about one contact alone. They go.
const DELETED: [&str; 6] = ["log_entry", "task", "attachment", "inbound_message", "opportunity_contact", "resume"];

/// Deletes a contact with its timeline, tasks, files, messages and places, takes what the suppression list and the audit
/// log say of it away, and keeps their bare facts.
///
/// Errors: `Missing`.
pub fn erase(tx: &mut Tx, w: WorkspaceId, key: &Key, id: ContactId) -> Result<()> {
    let contact = super::lock(tx, w, id)?;
    let values: Vec<(Suppressible, &str)> = contact
        .emails
        .iter()
        .map(|a| (Suppressible::Email, a.value.as_str()))
        .chain(contact.phones.iter().map(|a| (Suppressible::Phone, a.value.as_str())))
        .collect();
    suppression::forget_values(tx, w, key, &values)?;
    forget_words(tx, w, "contact_id = $2", args![id])?;
    for table in DELETED {
        tx.of(w).exec(&format!("DELETE FROM {table} WHERE workspace_id = $1 AND contact_id = $2"), args![id])?;
    }
    for address in &contact.emails {
        let sql = "DELETE FROM sandbox_message WHERE workspace_id = $1 AND recipient = $2";
        tx.of(w).exec(sql, args![&address.value])?;
        // What came in from them and was not matched to them.
        forget_words(tx, w, "lower(from_address) = $2", args![address.value.to_lowercase()])?;
        let sql = "DELETE FROM inbound_message WHERE workspace_id = $1 AND lower(from_address) = $2";
        tx.of(w).exec(sql, args![address.value.to_lowercase()])?;
    }
    let sql = "DELETE FROM list_member WHERE workspace_id = $1 AND subject_id = $2";
    tx.of(w).exec(sql, args![id])?;
    crate::audit::forget_contents(tx, w, "contact", id.0)?;
    addresses::delete(tx, w, [Subject::Contact(id)])?;
    search_words::delete(tx, w, [Subject::Contact(id)])?;
    tx.of(w).exec_one("DELETE FROM contact WHERE workspace_id = $1 AND id = $2", args![id], "contact", id)
}

/// The words that messages are found by go before them.
fn forget_words(tx: &mut Tx, w: WorkspaceId, of: &str, args: Args) -> Result<()> {
    let sql = format!(
        "DELETE FROM search_word WHERE workspace_id = $1 AND subject = 'message'
         AND subject_id IN (SELECT id FROM inbound_message WHERE workspace_id = $1 AND {of})"
    );
    tx.of(w).exec(&sql, args).map(drop)
}
