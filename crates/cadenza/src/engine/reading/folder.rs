//! One folder: which messages are new, fetched in small batches, each handed to `receive`, and how far it was read noted after
//! every batch. A crash between the two reads some again, which `receive` knows (REC-7). A message that cannot be fetched or
//! kept is noted as such and passed by: it never holds up those behind it.

use super::reader::{End, Reader};
use crate::engine::due::is_passing;
use crate::engine::receive::{Arrived, Source, Unread, keep_unread, receive, receive_together};
use crate::mail::imap::{Failure, Mail, Opened, Part, Session, Sized, Stage};
use cadenza_core::calendar::{Date, Zone};
use cadenza_core::time::{Span, Time};
use cadenza_store::StoreError;
use cadenza_store::mailboxes::{self, Inbox, Mailbox, Position};
use tokio::sync::OwnedSemaphorePermit;

/// Messages between two notes of how far a folder was read.
const BATCH: usize = 50;
/// What is fetched with one command, in bytes.
const TOGETHER: u64 = 1024 * 1024;
const MIB: u64 = 1024 * 1024;
/// A first reading goes back so far, and further where an enrollment that still lives began earlier.
const FIRST_DAYS: i64 = 30;
/// How far back a folder is read again whose messages were renumbered: to its last reading, and this, for SINCE knows days only and
/// no zones (RFC 9051 §6.4.4).
const MARGIN: Span = Span::days(2);
/// A header beyond this is cut.
const HEADER_MAX: u32 = 64 * 1024;
/// A message that was tried so often is asked for its header alone,
const HEADER_AFTER: u32 = 4;
/// and then passed by. A lost connection counts one, a refusal two.
const PASSED_AFTER: u32 = 6;

/// Messages at which the reading of a folder failed; forgotten once they are behind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    /// Up to this UID messages are fetched one by one, to find out which it is.
    careful_to: u32,
    /// The one, and how often.
    at: Option<(u32, u32)>,
}

/// A folder that is being read.
struct Place<'a> {
    row: &'a Mailbox,
    folder: &'a str,
    uid_validity: u32,
}

impl Reader {
    pub(super) async fn read_folder(&mut self, session: &mut Session, row: &Mailbox, folder: &str) -> Result<(), End> {
        let opened = session.examine(folder).await?;
        let (from, since) = self.beginning(row, folder, opened).await?;
        if since.is_none() && opened.uid_next == Some(from) {
            return Ok(());
        }
        let place = Place { row, folder, uid_validity: opened.uid_validity };
        let uids = session.numbers(from, since).await?;
        let uid_next = match opened.uid_next {
            // Nobody says where the older messages end, which are not to be read the next time either.
            None if since.is_some() => session.last_number().await?.map_or(1, |last| last.saturating_add(1)),
            said => said.unwrap_or(0),
        };
        let mut next = from;
        for batch in uids.chunks(BATCH) {
            self.read_batch(session, &place, batch).await?;
            next = batch.last().map_or(next, |last| last.saturating_add(1));
            self.save(&place, next).await?;
        }
        self.trouble.remove(folder);
        let end = next.max(uid_next);
        if end != next || since.is_some() {
            self.save(&place, end).await?;
        }
        Ok(())
    }

    /// From which UID on, and for a folder that is not known under these numbers, from which day on.
    async fn beginning(&self, row: &Mailbox, folder: &str, opened: Opened) -> Result<(u32, Option<Date>), StoreError> {
        let Inbox { workspace: w, mailbox, .. } = self.inbox;
        let name = folder.to_owned();
        let known = self.app.db.read_async(move |q| mailboxes::position(q, w, mailbox, &name)).await?;
        let now = self.app.clock.now();
        let from = match known {
            // A server that was put back to an earlier state counts from an earlier number.
            Some((at, _))
                if at.uid_validity == opened.uid_validity && opened.uid_next.is_none_or(|n| n >= at.uid_next) =>
            {
                return Ok((at.uid_next, None));
            }
            Some((_, read_at)) => read_at,
            None => {
                let oldest = self.app.db.read_async(move |q| mailboxes::oldest_live(q, w, mailbox)).await?;
                let usual = now - Span::days(FIRST_DAYS);
                oldest.map_or(usual, |oldest| oldest.min(usual)).max(row.created_at)
            }
        };
        // In the server's time, which is not that of a clock that was skipped ahead.
        let back = Span::from_micros((now - from).micros().max(0));
        Ok((1, Some(Zone::utc().local_date(self.app.clock.real() - back - MARGIN))))
    }

    async fn save(&self, place: &Place<'_>, uid_next: u32) -> Result<(), StoreError> {
        let Inbox { workspace, mailbox, .. } = self.inbox;
        let (folder, now) = (place.folder.to_owned(), self.app.clock.now());
        let position = Position { uid_validity: place.uid_validity, uid_next };
        let write =
            move |tx: &mut cadenza_store::Tx| mailboxes::set_position(tx, workspace, mailbox, &folder, position, now);
        self.app.db.write_async(write).await
    }

    async fn read_batch(&mut self, session: &mut Session, place: &Place<'_>, batch: &[u32]) -> Result<(), End> {
        let sizes = match session.sizes(batch).await {
            Ok(sizes) => sizes,
            // One of them cannot even be measured.
            Err(failure) if failure.leaves_the_line_usable() => {
                let unmeasured = |uid: &u32| Sized { uid: *uid, bytes: self.limits.beginning, arrived: None };
                let sizes: Vec<Sized> = batch.iter().map(unmeasured).collect();
                self.trouble.entry(place.folder.to_owned()).or_default().careful_to =
                    batch.last().copied().unwrap_or(0);
                sizes
            }
            Err(failure) => return Err(failure.into()),
        };
        let mut rest = sizes.as_slice();
        while !rest.is_empty() {
            let together = self.together(place, rest);
            let (group, others) = rest.split_at(together);
            rest = others;
            match group {
                [one] => self.read_one(session, place, *one).await?,
                group => self.read_group(session, place, group).await?,
            }
        }
        Ok(())
    }

    /// How many of these are fetched with one command.
    fn together(&self, place: &Place<'_>, sizes: &[Sized]) -> usize {
        let careful_to = self.trouble.get(place.folder).map_or(0, |t| t.careful_to);
        let mut bytes = 0;
        let fits = |m: &&Sized| {
            bytes += u64::from(m.bytes);
            bytes <= TOGETHER && m.bytes <= self.limits.whole_max && m.uid > careful_to
        };
        sizes.iter().take_while(fits).count().max(1)
    }

    async fn read_group(&mut self, session: &mut Session, place: &Place<'_>, group: &[Sized]) -> Result<(), End> {
        let uids: Vec<u32> = group.iter().map(|m| m.uid).collect();
        let bytes = group.iter().map(|m| u64::from(m.bytes)).sum();
        // Sizes are what the server says.
        let bytes_max = self.limits.whole_max.min(u32::try_from(TOGETHER).unwrap_or(u32::MAX));
        let memory = self.room(bytes).await;
        let room = usize::try_from(2 * TOGETHER).unwrap_or(usize::MAX);
        match session.mails(&uids, Part::Whole { bytes_max }, room).await {
            Ok(mut mails) => {
                // Deleted meanwhile, left out, or larger than was said.
                let (mut odd, mut whole) = (Vec::new(), Vec::with_capacity(group.len()));
                for message in group {
                    let mail = mails.iter_mut().find(|m| m.uid == message.uid).map(std::mem::take);
                    match mail.filter(|mail| mail.raw.len() < bytes_max as usize) {
                        Some(mail) => whole.push((mail, *message)),
                        None => odd.push(*message),
                    }
                }
                self.take_together(place, whole).await?;
                // Given back before more is asked for, or all readers could wait for each other.
                drop(memory);
                for message in odd {
                    self.read_one(session, place, message).await?;
                }
                Ok(())
            }
            Err(failure) => {
                let careful_to = uids.last().copied().unwrap_or(0);
                self.trouble.entry(place.folder.to_owned()).or_default().careful_to = careful_to;
                if !failure.leaves_the_line_usable() {
                    return Err(failure.into());
                }
                drop(memory);
                for one in group {
                    self.read_one(session, place, *one).await?;
                }
                Ok(())
            }
        }
    }

    /// One message by itself: its whole, else its header, else the note that it could not be read.
    async fn read_one(&mut self, session: &mut Session, place: &Place<'_>, message: Sized) -> Result<(), End> {
        let uid = message.uid;
        loop {
            let tries =
                self.trouble.get(place.folder).and_then(|t| t.at).filter(|(at, _)| *at == uid).map_or(0, |(_, n)| n);
            if tries >= PASSED_AFTER {
                return self.pass_by(place, message, "its server does not hand it out").await;
            }
            let large = message.bytes > self.limits.whole_max;
            let (part, bytes_max) = match tries {
                n if n >= HEADER_AFTER => (Part::Header { bytes_max: HEADER_MAX }, 0),
                _ if large => (Part::Whole { bytes_max: self.limits.beginning }, self.limits.beginning),
                _ => (Part::Whole { bytes_max: self.limits.whole_max }, self.limits.whole_max),
            };
            let _memory = self.room(u64::from(message.bytes.min(self.limits.whole_max))).await;
            let room = usize::try_from(self.limits.whole_max).unwrap_or(usize::MAX);
            let failure = match session.mails(&[uid], part, room).await {
                Ok(mails) => match mails.into_iter().next() {
                    Some(mail) => {
                        let cut = mail.raw.len() >= bytes_max as usize;
                        return self.take(place, mail, message, cut.then_some(message.bytes)).await;
                    }
                    None if session.sizes(&[uid]).await.is_ok_and(|left| left.is_empty()) => return Ok(()),
                    None => Failure::Refused { stage: Stage::Fetch, text: "the message was left out".into() },
                },
                Err(failure) => failure,
            };
            let tries = match &failure {
                failure if failure.leaves_the_line_usable() => tries + 2,
                Failure::Oversized { .. } => tries.max(HEADER_AFTER - 1) + 1,
                _ => tries + 1,
            };
            self.trouble.entry(place.folder.to_owned()).or_default().at = Some((uid, tries));
            if !failure.leaves_the_line_usable() {
                return Err(failure.into());
            }
        }
    }

    /// Room in the memory that all readers share.
    async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let wanted = bytes.div_ceil(MIB).clamp(1, super::MEMORY as u64);
        // It is never closed.
        self.memory.clone().acquire_many_owned(u32::try_from(wanted).unwrap_or(1)).await.ok()
    }

    /// In one transaction; where one of them cannot be taken in, one by one, so that the others are.
    async fn take_together(&self, place: &Place<'_>, mails: Vec<(Mail, Sized)>) -> Result<(), End> {
        let source = Source::Imap { mailbox: self.inbox.mailbox, whole: None };
        let arrived = |(mail, message): &(Mail, Sized)| Arrived {
            raw: mail.raw.clone(),
            source,
            received_at: self.arrived(*message),
        };
        let together = mails.iter().map(arrived).collect();
        match receive_together(&self.app, self.inbox.workspace, together).await {
            Ok(_) => return Ok(()),
            Err(e) if is_passing(&e) => return Err(e.into()),
            Err(e) => tracing::debug!(mailbox = %self.inbox.mailbox, "mails are taken in one by one: {e}"),
        }
        for (mail, message) in mails {
            self.take(place, mail, message, None).await?;
        }
        Ok(())
    }

    /// `whole` is the size of a mail of which only a part was fetched.
    async fn take(&self, place: &Place<'_>, mail: Mail, message: Sized, whole: Option<u32>) -> Result<(), End> {
        let source = Source::Imap { mailbox: self.inbox.mailbox, whole };
        let arrived = self.arrived(message);
        match receive(&self.app, self.inbox.workspace, source, mail.raw, arrived).await {
            Ok(_) => Ok(()),
            Err(e) if is_passing(&e) => Err(e.into()),
            Err(e) => {
                tracing::error!(mailbox = %self.inbox.mailbox, uid = mail.uid, "a mail could not be taken in: {e}");
                self.pass_by(place, message, "it could not be taken in; the server's log says why").await
            }
        }
    }

    fn arrived(&self, message: Sized) -> Time {
        let now = self.app.clock.now();
        message.arrived.map_or(now, |at| at.min(now))
    }

    /// Notes a message that could not be read, for a person to look at, and goes on behind it.
    async fn pass_by(&self, place: &Place<'_>, message: Sized, why: &str) -> Result<(), End> {
        let unread = Unread {
            mailbox: self.inbox.mailbox,
            folder: place.folder.to_owned(),
            uid_validity: place.uid_validity,
            uid: message.uid,
            why: format!("A message in {} of {} could not be read: {why}.", place.folder, place.row.address),
            arrived: self.arrived(message),
        };
        match keep_unread(&self.app, self.inbox.workspace, unread).await {
            Err(e) if is_passing(&e) => Err(e.into()),
            Err(e) => {
                tracing::error!(mailbox = %self.inbox.mailbox, uid = message.uid, "a mail was passed by, and its note failed: {e}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
