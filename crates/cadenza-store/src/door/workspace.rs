//! What holds over a whole workspace while a batch is decided: settings, mailboxes, users, absences.

use super::Door;
use super::load::Look;
use super::sequence::Words;
use crate::error::{Result, StoreError};
use crate::hashed::HashMap;
use crate::query::Query;
use crate::suppression::Key;
use cadenza_core::absence::Away;
use cadenza_core::facts::{Inbox, MailboxFacts, Surroundings};
use cadenza_core::ids::{MailboxId, UserId, WorkspaceId};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::{Span, Time};

/// What holds over a whole workspace.
#[derive(Debug)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub settings: WorkspaceSettings,
    pub around: Surroundings,
    pub mailboxes: HashMap<MailboxId, MailboxRow>,
    pub(super) users: HashMap<UserId, Writer>,
    pub(super) words: Words,
    pub(super) key: Key,
}

/// Of a mailbox, what limits it and what its messages say of the sender.
#[derive(Debug, Clone)]
pub struct MailboxRow {
    pub address: String,
    pub name: String,
    pub signature: String,
    pub sandbox: bool,
    pub owner: UserId,
    pub day_cap: Option<i64>,
    pub hour_cap: Option<i64>,
    pub gap_seconds: Option<i64>,
    pub jitter_seconds: Option<i64>,
    /// How many messages it takes at present, whatever its caps.
    pub room: u32,
    pub version: i64,
}

/// What messages may say of the user who writes them.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    pub name: String,
    pub title: Option<String>,
    pub phone: Option<String>,
}

pub(super) fn load_workspace(
    door: &Door,
    q: &mut Query,
    workspace: WorkspaceId,
    now: Time,
    look: Look,
) -> Result<Workspace> {
    let mut sql = String::from(
        "SELECT w.settings, w.restore_hold, w.signing_key,
             (SELECT COUNT(*) FROM message_template t WHERE t.workspace_id = $1),
             (SELECT COALESCE(CAST(SUM(t.version) AS BIGINT), 0) FROM message_template t WHERE t.workspace_id = $1),
             (SELECT COALESCE(MAX(t.updated_at), 0) FROM message_template t WHERE t.workspace_id = $1)
         FROM workspace w WHERE w.workspace_id = $1",
    );
    if look == Look::Held {
        sql.push_str(" FOR SHARE OF w");
    }
    let row = q.query_opt(&sql, &[workspace.into()])?.ok_or_else(|| StoreError::missing("workspace", workspace))?;
    let settings: WorkspaceSettings =
        serde_json::from_str(row.text(0)?).map_err(|why| StoreError::inconsistent("workspace", workspace, why))?;
    let mut loaded = Workspace {
        id: workspace,
        around: Surroundings {
            restore_hold: row.flag(1)?,
            outage: door.outage(),
            quiet: Some(settings.quiet),
            ..Surroundings::default()
        },
        settings,
        mailboxes: HashMap::default(),
        users: HashMap::default(),
        words: Words { count: row.int(3)?, versions: row.int(4)?, updated_at: row.int(5)? },
        key: Key::new(row.blob(2)?),
    };
    load_mailboxes(door, q, &mut loaded, now)?;
    load_users(q, &mut loaded, now)?;
    Ok(loaded)
}

fn load_mailboxes(door: &Door, q: &mut Query, w: &mut Workspace, now: Time) -> Result<()> {
    let rows = q.query(
        "SELECT id, address, owner_id, sandbox, held, readable, read_at, freshness_minutes, name, signature,
                day_cap, hour_cap, gap_seconds, jitter_seconds, version,
                CASE WHEN journaled = 1 AND imap_host IS NULL THEN 1 ELSE 0 END
         FROM mailbox WHERE workspace_id = $1 ORDER BY id",
        &[w.id.into()],
    )?;
    for row in rows {
        let id = MailboxId(row.int(0)?);
        let sandbox = row.flag(3)?;
        let fresh_since = now - Span::minutes(row.int(7)?);
        let inbox = match row.opt_time(6)? {
            _ if sandbox => Inbox::Fresh,
            _ if !row.flag(5)? => Inbox::Unreadable,
            // Whoever posts what arrives tries until it is taken; nobody asks, so nothing is stale.
            _ if row.flag(15)? => Inbox::Fresh,
            Some(read_at) if read_at >= fresh_since => Inbox::Fresh,
            read_at => Inbox::Stale { read_at: read_at.unwrap_or(Time::from_micros(0)) },
        };
        let (address, owner) = (row.text(1)?.to_owned(), UserId(row.int(2)?));
        w.around.mailboxes.push(MailboxFacts {
            id,
            address: address.clone(),
            owner,
            sandbox,
            held: row.opt_text(4)?.map(str::to_owned),
            inbox,
        });
        let kept = MailboxRow {
            address,
            name: row.text(8)?.to_owned(),
            signature: row.text(9)?.to_owned(),
            sandbox,
            owner,
            day_cap: row.opt_int(10)?,
            hour_cap: row.opt_int(11)?,
            gap_seconds: row.opt_int(12)?,
            jitter_seconds: row.opt_int(13)?,
            room: door.room_of(w.id, id),
            version: row.int(14)?,
        };
        w.mailboxes.insert(id, kept);
    }
    Ok(())
}

fn load_users(q: &mut Query, w: &mut Workspace, now: Time) -> Result<()> {
    let rows =
        q.query("SELECT address, id, name, settings FROM user_account WHERE workspace_id = $1", &[w.id.into()])?;
    for row in rows {
        let id = UserId(row.int(1)?);
        w.around.users.push((row.text(0)?.to_owned(), id));
        let json = row.text(3)?;
        let mut writer = Writer { name: row.text(2)?.to_owned(), ..Writer::default() };
        if json != "{}" {
            let settings: serde_json::Value =
                serde_json::from_str(json).map_err(|why| StoreError::inconsistent("user_account", id, why))?;
            let of = |name: &str| settings.get(name).and_then(|v| v.as_str()).map(str::to_owned);
            (writer.title, writer.phone) = (of("title"), of("phone"));
        }
        w.users.insert(id, writer);
    }
    let absent = q.query(
        "SELECT user_id, until_at, rules FROM absence WHERE workspace_id = $1 AND from_at <= $2 AND (until_at IS NULL OR until_at > $2)",
        &[w.id.into(), now.into()],
    )?;
    for row in absent {
        let user = UserId(row.int(0)?);
        let rules = serde_json::from_str(row.text(2)?).map_err(|e| StoreError::inconsistent("absence", user, e))?;
        w.around.absences.push(Away { user, until: row.opt_time(1)?, rules });
    }
    Ok(())
}
