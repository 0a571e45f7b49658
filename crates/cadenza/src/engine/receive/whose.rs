//! Whose a mail is: by a signed token in its subject, by the Message-ID of what it answers, returns or reports on, by the signed
//! tag of the address that it came to, and last by the addresses in it. Only a token, tag or Message-ID says which message it is
//! about; an address alone never does (REC-9).

use super::letter::Letter;
use cadenza_core::address_tag::AddressTag;
use cadenza_core::compose::UNSUBSCRIBE_SUBJECT;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, MailboxId, WorkspaceId};
use cadenza_core::inbound::{Incoming, Kind};
use cadenza_core::tokens::{Purpose, Token};
use cadenza_store::addresses::{self, Reach};
use cadenza_store::inbound_messages::MatchedBy;
use cadenza_store::matching::{self, Among, Candidate};
use cadenza_store::{Query, StoreError, answers, workspaces};

/// Message-IDs of one mail that are looked up; a longer thread's middle is left out.
const IDS_MAX: usize = 60;
/// Addresses of one mail that are tried for a tag of ours.
const TAGS_MAX: usize = 20;

/// Whose a mail is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub by: Option<MatchedBy>,
    pub candidates: Vec<Candidate>,
    /// The message that it is about, of the first candidate.
    pub visit: Option<u32>,
    /// A contact or company whose address it is, where no enrollment was found.
    pub known: Option<Subject>,
    /// One of our mailboxes wrote it.
    pub mailbox: Option<MailboxId>,
    /// It is a mail of our own that went out.
    pub own: bool,
    /// The subject is a signed wish to be unsubscribed, as mail programs write it for the `mailto:` of the header.
    pub unsubscribes: bool,
}

pub(super) fn find(q: &mut Query, w: WorkspaceId, letter: &Letter) -> Result<Match, StoreError> {
    let Ok(incoming) = &letter.incoming else { return Ok(Match::default()) };
    let writers: Vec<String> = incoming.from.iter().take(5).map(|a| a.address.clone()).collect();
    let own = matching::own_addresses(q, w, &writers)?;
    if let Some((_, mailbox)) = own.first() {
        return of_own_mail(q, w, incoming, *mailbox);
    }
    if let Some(found) = by_wish(q, w, incoming)? {
        return Ok(found);
    }
    if let Some((candidate, visit)) = matching::sent_as(q, w, &message_ids(incoming))? {
        let (by, visit) = (Some(MatchedBy::Reference), Some(visit));
        return Ok(Match { by, candidates: vec![candidate], visit, ..Match::default() });
    }
    if let Some(found) = by_tag(q, w, incoming)? {
        return Ok(found);
    }
    by_address(q, w, incoming)
}

/// A token in the subject, as the header's `mailto:` asks for.
fn by_wish(q: &mut Query, w: WorkspaceId, incoming: &Incoming) -> Result<Option<Match>, StoreError> {
    let subject = incoming.subject.trim();
    let word = subject.get(..UNSUBSCRIBE_SUBJECT.len()).filter(|word| word.eq_ignore_ascii_case(UNSUBSCRIBE_SUBJECT));
    let Some(text) = word.map(|word| subject[word.len()..].trim()) else { return Ok(None) };
    if Token::workspace_of(text) != Ok(w) {
        return Ok(None);
    }
    let key = workspaces::get(q, w)?.signing_key;
    let Ok(token) = Token::verify(text, &key) else { return Ok(None) };
    let unsubscribes = token.purpose == Purpose::Unsubscribe;
    let found = of_message(q, w, token.enrollment, token.visit)?;
    Ok(found.map(|found| Match { unsubscribes, ..found }))
}

/// A tag behind the plus of an address that it came to: what a mail bears whose mailbox has plus addresses.
fn by_tag(q: &mut Query, w: WorkspaceId, incoming: &Incoming) -> Result<Option<Match>, StoreError> {
    let tags: Vec<&str> =
        incoming.delivered_to.iter().filter_map(|a| AddressTag::of_address(a)).take(TAGS_MAX).collect();
    if tags.is_empty() {
        return Ok(None);
    }
    let key = workspaces::get(q, w)?.signing_key;
    for tag in tags.into_iter().filter_map(|tag| AddressTag::verify(tag, w, &key)) {
        let Some(mut found) = of_message(q, w, tag.enrollment, tag.visit)? else { continue };
        // The address may be in an address book since: a new mail to it is about what lives now too.
        let written = matches!(incoming.verdict.kind, Kind::Reply(_) | Kind::AutoReply(_));
        if written && found.candidates.iter().all(|c| !c.live) {
            found.candidates.extend(by_address(q, w, incoming)?.candidates.into_iter().filter(|c| c.live));
        }
        return Ok(Some(found));
    }
    Ok(None)
}

/// What a signed token names.
fn of_message(q: &mut Query, w: WorkspaceId, id: EnrollmentId, visit: u32) -> Result<Option<Match>, StoreError> {
    let candidate = matching::enrollment(q, w, id)?;
    Ok(candidate.map(|candidate| Match {
        by: Some(MatchedBy::Token),
        candidates: vec![candidate],
        visit: Some(visit),
        ..Match::default()
    }))
}

/// The Message-IDs that a mail names, the most telling first.
fn message_ids(incoming: &Incoming) -> Vec<String> {
    let reported = match &incoming.verdict.kind {
        Kind::Bounce(b) => b.envelope_id.iter().chain(&b.original_message_id).cloned().collect(),
        Kind::Delivered(d) => d.envelope_id.iter().chain(&d.original_message_id).cloned().collect(),
        Kind::Complaint(c) => c.original_message_id.iter().cloned().collect(),
        _ => Vec::new(),
    };
    let mut ids: Vec<String> = Vec::new();
    let threads = incoming.in_reply_to.iter().chain(incoming.references.iter().rev()).cloned();
    for id in reported.into_iter().chain(threads).chain(incoming.original_message_id.clone()) {
        let id = id.trim_matches(['<', '>', ' ']).to_owned();
        if !id.is_empty() && !id.contains('\0') && !ids.contains(&id) && ids.len() < IDS_MAX {
            ids.push(id);
        }
    }
    ids
}

fn by_address(q: &mut Query, w: WorkspaceId, incoming: &Incoming) -> Result<Match, StoreError> {
    let (addresses, among): (Vec<&str>, _) = match &incoming.verdict.kind {
        Kind::Bounce(b) => {
            let failed =
                b.recipients.iter().flat_map(|r| [Some(r.recipient.as_str()), r.original_recipient.as_deref()]);
            (failed.flatten().collect(), Among::WrittenTo)
        }
        Kind::Complaint(c) => (c.recipients.iter().map(String::as_str).collect(), Among::WrittenTo),
        // A report of success that names no message of ours is of no use.
        Kind::Delivered(_) => (Vec::new(), Among::All),
        _ => (incoming.from.iter().chain(&incoming.reply_to).map(|a| a.address.as_str()).collect(), Among::All),
    };
    let mut values: Vec<String> = Vec::new();
    for address in addresses.into_iter().take(20).filter(|a| !a.contains('\0')) {
        for form in forms(address) {
            if !values.contains(&form) {
                values.push(form);
            }
        }
    }
    if values.is_empty() {
        return Ok(Match::default());
    }
    let candidates = matching::of_addresses(q, w, Reach::Email, &values, among)?;
    let known = match candidates.is_empty() {
        true => addresses::owners(q, w, Reach::Email, values.iter().map(String::as_str))?.first().map(|(_, s)| *s),
        false => None,
    };
    let by = (!candidates.is_empty() || known.is_some()).then_some(MatchedBy::Address);
    Ok(Match { by, candidates, known, ..Match::default() })
}

/// The mailbox that a message was written to, where it came by no mailbox and belongs to nobody: from there it is answered.
pub(super) fn addressed(q: &mut Query, w: WorkspaceId, letter: &Letter) -> Result<Option<MailboxId>, StoreError> {
    let Ok(incoming) = &letter.incoming else { return Ok(None) };
    let to = incoming.to.iter().chain(&incoming.cc).take(20).filter(|a| !a.address.contains('\0'));
    let to: Vec<String> = to.flat_map(|a| forms(&a.address)).collect();
    Ok(matching::own_addresses(q, w, &to)?.first().map(|(_, mailbox)| *mailbox))
}

/// The Message-IDs that a message speaks of, its own included.
pub(super) fn named_in(letter: &Letter) -> Vec<String> {
    let Ok(incoming) = &letter.incoming else { return Vec::new() };
    let mut ids = message_ids(incoming);
    ids.extend(incoming.message_id.iter().filter(|id| !id.contains('\0')).cloned());
    ids
}

/// An address in lower case, and without the tag that its owner may have added (`ada+lists@…`).
fn forms(address: &str) -> Vec<String> {
    let lower = address.to_lowercase();
    let bare = lower.rsplit_once('@').and_then(|(local, domain)| {
        let (name, _) = local.split_once('+')?;
        (!name.is_empty()).then(|| format!("{name}@{domain}"))
    });
    [Some(lower), bare].into_iter().flatten().collect()
}

/// Mail that one of our mailboxes wrote: a copy of what Cadenza sent, or what the user wrote to a contact (REC-10).
fn of_own_mail(q: &mut Query, w: WorkspaceId, incoming: &Incoming, mailbox: MailboxId) -> Result<Match, StoreError> {
    let itself: Vec<String> = incoming.message_id.iter().filter(|id| !id.contains('\0')).cloned().collect();
    if answers::is_own(q, w, &itself)? {
        return Ok(Match { mailbox: Some(mailbox), own: true, ..Match::default() });
    }
    if let Some((candidate, visit)) = matching::sent_as(q, w, &itself)? {
        let (by, visit) = (Some(MatchedBy::Reference), Some(visit));
        return Ok(Match {
            by,
            candidates: vec![candidate],
            visit,
            mailbox: Some(mailbox),
            own: true,
            ..Match::default()
        });
    }
    let found = match matching::sent_as(q, w, &message_ids(incoming))? {
        Some((candidate, visit)) => {
            let (by, visit) = (Some(MatchedBy::Reference), Some(visit));
            Match { by, candidates: vec![candidate], visit, ..Match::default() }
        }
        None => {
            let to = incoming.to.iter().chain(&incoming.cc).take(20).filter(|a| !a.address.contains('\0'));
            let values: Vec<String> = to.flat_map(|a| forms(&a.address)).collect();
            let mut candidates = matching::of_addresses(q, w, Reach::Email, &values, Among::WrittenTo)?;
            candidates.retain(|c| c.live);
            Match { by: (!candidates.is_empty()).then_some(MatchedBy::Address), candidates, ..Match::default() }
        }
    };
    Ok(Match { mailbox: Some(mailbox), ..found })
}

#[cfg(test)]
mod tests {
    use super::forms;

    #[test]
    fn an_address_is_looked_for_with_and_without_its_tag() {
        assert_eq!(forms("Ada+Lists@Example.Test"), ["ada+lists@example.test", "ada@example.test"]);
        assert_eq!(forms("+x@example.test"), ["+x@example.test"]);
        assert_eq!(forms("ada@example.test"), ["ada@example.test"]);
    }
}
