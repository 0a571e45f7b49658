//! What conditions and effects ask for beside the enrollment: suppression, mailboxes held, lists, fields, tasks, the contact's
//! own dates, erasure. Webhooks and notifications are recorded to be done after the commit.

use super::Door;
use super::effects::subject_ids;
use super::load::Round;
use super::write::Suppressed;
use crate::error::Result;
use crate::query::Tx;
use crate::suppression::{self, Suppress, Why};
use crate::value::Columns;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::SideAction;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::machine::{SuppressWhat, SuppressWhy};
use cadenza_core::suppression::Suppressible;
use std::collections::BTreeSet;

pub(super) fn write(door: &Door, tx: &mut Tx, round: &mut Round) -> Result<()> {
    for suppressed in std::mem::take(&mut round.writes.suppress) {
        suppress(tx, round, &suppressed)?;
    }
    for subject in std::mem::take(&mut round.writes.unsuppress) {
        unsuppress(tx, round, subject)?;
    }
    for (mailbox, detail) in std::mem::take(&mut round.writes.hold_mailboxes) {
        tx.exec(
            "UPDATE mailbox SET held = $3, held_at = $4, version = version + 1
             WHERE workspace_id = $1 AND id = $2 AND held IS NULL",
            &[round.workspace.into(), mailbox.into(), detail.into(), round.now.into()],
        )?;
    }
    touch_people(tx, round)?;
    for (list, subject) in std::mem::take(&mut round.writes.off_list) {
        let (contact, company) = subject_ids(subject);
        tx.exec(
            "DELETE FROM list_member WHERE workspace_id = $1 AND list_id = $2 AND subject_id = $3",
            &[round.workspace.into(), list.into(), contact.or(company).into()],
        )?;
    }
    for (enrollment, colleagues) in std::mem::take(&mut round.writes.questions) {
        question(door, tx, round, enrollment, colleagues)?;
    }
    for (enrollment, visit, action) in std::mem::take(&mut round.writes.sides) {
        side_action(door, tx, round, enrollment, visit, &action)?;
    }
    for enrollment in std::mem::take(&mut round.writes.erase) {
        erase(tx, round, enrollment)?;
    }
    Ok(())
}

fn suppress(tx: &mut Tx, round: &Round, s: &Suppressed) -> Result<()> {
    let person = round.people.get(&s.subject);
    let emails = || person.iter().flat_map(|p| p.person.emails.iter()).map(|a| (Suppressible::Email, a.value.clone()));
    let phones = || person.iter().flat_map(|p| p.person.phones.iter()).map(|a| (Suppressible::Phone, a.value.clone()));
    let mut values: BTreeSet<(Suppressible, String)> = BTreeSet::new();
    match s.what {
        SuppressWhat::Email { visit } => match sent_to(tx, round, s.enrollment, visit, "email")? {
            Some(address) => {
                values.insert((Suppressible::Email, address));
            }
            None => values.extend(emails()),
        },
        SuppressWhat::Phone { visit } => match sent_to(tx, round, s.enrollment, visit, "text")? {
            Some(number) => {
                values.insert((Suppressible::Phone, number));
            }
            None => values.extend(phones()),
        },
        SuppressWhat::Everything => values.extend(emails().chain(phones())),
    }
    let why = match s.why {
        SuppressWhy::OptOut => Why::OptOut,
        SuppressWhy::HardBounce => Why::HardBounce,
        SuppressWhy::Complaint => Why::Complaint,
        SuppressWhy::Mark => Why::Mark,
    };
    let rows: Vec<Suppress> =
        values.iter().map(|(kind, value)| Suppress { kind: *kind, value: value.clone(), why, by: None }).collect();
    suppression::insert(tx, round.workspace, &round.ws.key, &rows, round.now)?;
    // A final mark that was asked before this commit must notice: the version of everybody concerned moves. Of all who are
    // live, not only of those whose message is recorded already: one may be recorded this moment.
    let columns = Columns::new()
        .texts(values.iter().map(|(kind, _)| kind.as_str()))
        .texts(values.iter().map(|(kind, value)| kind.folded(value)));
    for (of, column) in [("contact", "contact_id"), ("company", "company_id")] {
        let rows = tx.query_rows(&of_address(of, column), &columns, &[round.workspace.into()])?;
        let concerned = rows.iter().map(|row| row.int(0)).collect::<Result<BTreeSet<i64>>>()?;
        tx.exec_rows(
            "UPDATE enrollment SET version = version + 1 FROM rows(id BIGINT) AS r
             WHERE enrollment.workspace_id = $1 AND enrollment.id = r.id AND enrollment.life = 1 AND enrollment.id <> $2",
            &Columns::new().ints(concerned),
            &[round.workspace.into(), s.enrollment.into()],
        )?;
    }
    Ok(())
}

/// The enrollments of whoever has an address, in steps that an index each serves: written as a join, all enrollments of the workspace
/// would be looked through.
fn of_address(of: &str, column: &str) -> String {
    format!(
        "SELECT e.id FROM rows(kind TEXT, value TEXT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.{column} IN
             (SELECT a.subject_id FROM address a
              WHERE a.workspace_id = $1 AND a.kind = r.kind AND a.value = r.value AND a.subject = '{of}')"
    )
}

/// Where the message of a visit went.
fn sent_to(tx: &mut Tx, round: &Round, e: EnrollmentId, visit: Option<u32>, channel: &str) -> Result<Option<String>> {
    let Some(visit) = visit else { return Ok(None) };
    let row = tx.query_opt(
        "SELECT address FROM send WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3 AND channel = $4
         ORDER BY attempt DESC LIMIT 1",
        &[round.workspace.into(), e.into(), visit.into(), channel.into()],
    )?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

/// A person took a mark of "bounced" back: what only that mark had suppressed may be written to again.
fn unsuppress(tx: &mut Tx, round: &Round, subject: Subject) -> Result<()> {
    let Some(person) = round.people.get(&subject) else { return Ok(()) };
    let values: Vec<_> = person.person.emails.iter().map(|a| (Suppressible::Email, a.value.as_str())).collect();
    suppression::remove_where(tx, round.workspace, &round.ws.key, &values, Why::Mark)?;
    Ok(())
}

/// Last contacted and last engaged, of contacts and companies.
fn touch_people(tx: &mut Tx, round: &mut Round) -> Result<()> {
    let mut touched: Vec<(Subject, (bool, bool))> =
        std::mem::take(&mut round.writes.touched_people).into_iter().collect();
    touched.sort_by_key(|(s, _)| subject_ids(*s));
    for (table, of_contacts) in [("contact", true), ("company", false)] {
        let of: Vec<_> = touched.iter().filter(|(s, _)| matches!(s, Subject::Contact(_)) == of_contacts).collect();
        let now = |yes: bool| yes.then_some(round.now);
        let columns = Columns::new()
            .ints(of.iter().filter_map(|(s, _)| subject_ids(*s).0.or(subject_ids(*s).1)))
            .opt_ints(of.iter().map(|(_, t)| now(t.0)))
            .opt_ints(of.iter().map(|(_, t)| now(t.1)));
        let sql = format!(
            "UPDATE {table} SET last_contacted_at = COALESCE(r.contacted, {table}.last_contacted_at),
                 last_engaged_at = COALESCE(r.engaged, {table}.last_engaged_at)
             FROM rows(id BIGINT, contacted BIGINT, engaged BIGINT) AS r WHERE {table}.workspace_id = $1 AND {table}.id = r.id"
        );
        tx.exec_rows(&sql, &columns, &[round.workspace.into()])?;
    }
    Ok(())
}

/// A task that asks a person what a reply means elsewhere (REC-1).
fn question(door: &Door, tx: &mut Tx, round: &Round, id: EnrollmentId, colleagues: bool) -> Result<()> {
    let about = if colleagues { "colleagues at the same company" } else { "the contact's other sequences" };
    let instructions = format!("A reply came in. Decide what it means for {about}.");
    own_task(door, tx, round, id, "question", "A reply came in: go on elsewhere?", &instructions)
}

fn own_task(
    door: &Door,
    tx: &mut Tx,
    round: &Round,
    id: EnrollmentId,
    kind: &str,
    name: &str,
    instructions: &str,
) -> Result<()> {
    let Some(loaded) = round.enrollments.get(&id) else { return Ok(()) };
    let e = &loaded.now;
    let owner = e.owner.unwrap_or(round.sequence(e.sequence)?.facts.primary_user);
    let (contact, company) = subject_ids(e.subject);
    tx.exec(
        "INSERT INTO task (workspace_id, id, kind, owner_id, name, instructions, priority, due_at, contact_id, company_id,
             enrollment_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $7)",
        &[
            round.workspace.into(),
            door.id(round.now).into(),
            kind.into(),
            owner.into(),
            name.into(),
            instructions.into(),
            round.now.into(),
            contact.into(),
            company.into(),
            id.into(),
        ],
    )?;
    Ok(())
}

fn side_action(
    door: &Door,
    tx: &mut Tx,
    round: &Round,
    id: EnrollmentId,
    visit: u32,
    action: &SideAction,
) -> Result<()> {
    match action {
        SideAction::AddTask { name, instructions } => own_task(door, tx, round, id, "task", name, instructions),
        SideAction::SetField { field, value } => set_field(tx, round, id, field, value),
        // The others reach beyond this enrollment: they are done right after the commit, by the engine, in order.
        other => {
            let payload = serde_json::to_string(other).unwrap_or_default();
            let kind = match other {
                SideAction::Enroll(_) => "enroll",
                SideAction::AddToList(_) => "add_to_list",
                SideAction::RemoveFromList(_) => "remove_from_list",
                SideAction::SetWorkflowStage { .. } => "set_workflow_stage",
                SideAction::Notify { .. } => "notify",
                _ => "webhook",
            };
            tx.exec(
                "INSERT INTO side_effect (workspace_id, id, enrollment_id, visit, kind, payload, created_at, next_at, tries, shard)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, $8)",
                &[
                    round.workspace.into(),
                    door.id(round.now).into(),
                    id.into(),
                    visit.into(),
                    kind.into(),
                    payload.into(),
                    round.now.into(),
                    super::write::shard(id.0).into(),
                ],
            )?;
            Ok(())
        }
    }
}

/// Sets a field of the contact: one of its own columns, else a custom one.
fn set_field(tx: &mut Tx, round: &Round, id: EnrollmentId, field: &str, value: &str) -> Result<()> {
    let Some(Subject::Contact(contact)) = round.enrollments.get(&id).map(|l| l.now.subject) else { return Ok(()) };
    let name = field.trim_start_matches("contact.").trim_start_matches("custom.");
    if matches!(name, "title" | "country" | "linkedin" | "first_name" | "last_name") {
        let sql = format!("UPDATE contact SET {name} = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2");
        tx.exec(&sql, &[round.workspace.into(), contact.into(), value.into()])?;
        return Ok(());
    }
    let row = tx.query_one(
        "SELECT custom FROM contact WHERE workspace_id = $1 AND id = $2",
        &[round.workspace.into(), contact.into()],
    )?;
    let mut custom: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row.text(0)?).unwrap_or_default();
    custom.insert(name.to_owned(), value.into());
    let json = serde_json::Value::Object(custom).to_string();
    tx.exec(
        "UPDATE contact SET custom = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2",
        &[round.workspace.into(), contact.into(), json.into()],
    )?;
    Ok(())
}

/// Everything but the completed activities goes, and one line without personal data stays (OPS-7).
fn erase(tx: &mut Tx, round: &Round, id: EnrollmentId) -> Result<()> {
    let of = [round.workspace.into(), id.into()];
    tx.exec("DELETE FROM activity WHERE workspace_id = $1 AND enrollment_id = $2 AND outcome IN ('cancelled', 'skipped', 'failed')", &of)?;
    tx.exec("DELETE FROM send WHERE workspace_id = $1 AND enrollment_id = $2 AND state NOT IN ('sent', 'marked', 'unknown')", &of)?;
    tx.exec(
        "UPDATE send SET fields = NULL, by_hand = NULL, subject = NULL, answer = NULL WHERE workspace_id = $1 AND enrollment_id = $2",
        &of,
    )?;
    tx.exec("DELETE FROM tracking_event WHERE workspace_id = $1 AND enrollment_id = $2", &of)?;
    tx.exec("DELETE FROM side_effect WHERE workspace_id = $1 AND enrollment_id = $2", &of)?;
    let Some(loaded) = round.enrollments.get(&id) else { return Ok(()) };
    let e = &loaded.now;
    if e.place.is_none() {
        // Of a delivery that nobody could know about: its activity was still open.
        tx.exec("DELETE FROM activity WHERE workspace_id = $1 AND enrollment_id = $2 AND phase < 3", &of)?;
    }
    // What is left of the history is one line with the whole row as it stands.
    tx.exec(
        "DELETE FROM history WHERE workspace_id = $1 AND enrollment_id = $2 AND version < $3",
        &[round.workspace.into(), id.into(), e.version.into()],
    )?;
    tx.exec(
        "UPDATE history SET detail = NULL, changes = $4 WHERE workspace_id = $1 AND enrollment_id = $2 AND version = $3",
        &[round.workspace.into(), id.into(), e.version.into(), cadenza_core::enrollment::first_changes(&e.to_flat()).into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::tests::plan_of;
    use crate::value::Columns;

    /// Each opt-out and hard bounce asks this.
    #[test]
    fn who_has_an_address_is_found_without_looking_through_the_workspace() {
        let rows = Columns::new().texts(["email"]).texts(["a@b.example"]);
        let plan = plan_of(&super::of_address("contact", "contact_id"), Some(rows), 1);
        assert!(plan.contains("enrollment_contact (workspace_id=? AND contact_id=?)"), "{plan}");
        assert!(plan.contains("(workspace_id=? AND kind=? AND value=? AND subject=?)"), "{plan}");
    }
}
