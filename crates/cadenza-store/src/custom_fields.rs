//! Fields that a workspace added to contacts, companies or opportunities (CRM-1). The values stand with the records.

use crate::cells::{Cells, to_json};
use crate::dialect::contains_pattern;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::scope::args;
use crate::words::words;
use cadenza_core::ids::WorkspaceId;

words! {
    /// What has the field.
    FieldOf ("record with custom fields") {
        Contact = "contact";
        Company = "company";
        Opportunity = "opportunity";
    }
}

words! {
    /// What a value of the field is.
    FieldKind ("kind of field") {
        Text = "text";
        Number = "number";
        /// As `2027-03-01`.
        Date = "date";
        /// One of `choices`.
        Choice = "choice";
        Flag = "flag";
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    pub of: FieldOf,
    /// As merge fields name it: `custom.name`.
    pub name: String,
    pub label: String,
    pub kind: FieldKind,
    pub choices: Vec<String>,
    pub position: i64,
}

/// Makes a field, or changes label, kind, choices and position.
pub fn save(tx: &mut Tx, w: WorkspaceId, field: &CustomField) -> Result<()> {
    let f = field;
    tx.of(w).exec(
        "INSERT INTO custom_field (workspace_id, subject, name, label, kind, choices, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (workspace_id, subject, name) DO UPDATE SET label = excluded.label, kind = excluded.kind,
             choices = excluded.choices, position = excluded.position",
        args![
            f.of.as_str(),
            &f.name,
            &f.label,
            f.kind.as_str(),
            to_json(&f.choices, "custom_field", &f.name)?,
            f.position
        ],
    )?;
    Ok(())
}

/// In their order.
pub fn all(q: &mut Query, w: WorkspaceId, of: FieldOf) -> Result<Vec<CustomField>> {
    let sql = "SELECT subject, name, label, kind, choices, position FROM custom_field
         WHERE workspace_id = $1 AND subject = $2 ORDER BY position, name";
    let rows = q.of(w).all(sql, args![of.as_str()])?;
    let field = |row| {
        let mut c = Cells::of(row, "custom_field");
        Ok(CustomField {
            of: c.word(FieldOf::named)?,
            name: c.string()?,
            label: c.string()?,
            kind: c.word(FieldKind::named)?,
            choices: c.json()?,
            position: c.int()?,
        })
    };
    rows.iter().map(field).collect()
}

/// Errors: `Missing`. The values stay with the records and are no longer shown.
pub fn delete(tx: &mut Tx, w: WorkspaceId, of: FieldOf, name: &str) -> Result<()> {
    let sql = "DELETE FROM custom_field WHERE workspace_id = $1 AND subject = $2 AND name = $3";
    tx.of(w).exec_one(sql, args![of.as_str(), name], "custom_field", name)
}

/// Those of the names that some contact or company carries a value of, declared or not: imports bring their own.
pub fn carried<'n>(q: &mut Query, w: WorkspaceId, names: impl IntoIterator<Item = &'n str>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in names {
        // As it stands in the JSON of the record.
        let like = contains_pattern(&format!("\"{name}\":"));
        for table in ["contact", "company"] {
            let sql = format!(
                "SELECT 1 FROM {table} WHERE workspace_id = $1 AND custom <> '{{}}' AND custom LIKE $2 ESCAPE '\\' LIMIT 1"
            );
            if q.of(w).opt(&sql, args![like.as_str()])?.is_some() {
                found.push(name.to_owned());
                break;
            }
        }
    }
    Ok(found)
}
