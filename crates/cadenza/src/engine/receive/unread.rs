//! Mail that is in a mailbox and cannot be read: noted once, and open until a person has looked.

use crate::app::App;
use cadenza_core::ids::{MailboxId, MessageId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::inbound_messages::{self, Class, Inbound, Source};
use cadenza_store::{StoreError, mailboxes};

/// A message of which no more is known than where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub mailbox: MailboxId,
    pub folder: String,
    pub uid_validity: u32,
    pub uid: u32,
    /// A sentence, for people.
    pub why: String,
    pub arrived: Time,
}

/// Notes it, the first time.
///
/// # Errors
/// Those of the store.
pub async fn keep_unread(app: &App, w: WorkspaceId, unread: Unread) -> Result<(), StoreError> {
    let app2 = app.clone();
    app.db
        .write_async(move |tx| {
            let owner = mailboxes::get(tx, w, unread.mailbox)?.owner;
            let Unread { mailbox, folder, uid_validity, uid, why, arrived } = unread.clone();
            let message = Inbound {
                id: MessageId(app2.door.id(app2.clock.now())),
                dedupe_key: format!("imap:{mailbox}:{uid_validity}:{uid}:{folder}"),
                source: Source::Imap,
                mailbox: Some(mailbox),
                received_at: arrived,
                message_id: None,
                from_address: None,
                subject: None,
                classification: serde_json::json!({ "unreadable": why }).to_string(),
                preview: why,
                class: Class::Other,
                correction: None,
                corrected_by: None,
                corrected_at: None,
                matched_by: None,
                subject_of: None,
                sequence: None,
                enrollment: None,
                visit: None,
                assigned_to: Some(owner),
                seen_at: None,
                handled_at: None,
            };
            inbound_messages::insert(tx, w, &message, None).map(drop)
        })
        .await
}
