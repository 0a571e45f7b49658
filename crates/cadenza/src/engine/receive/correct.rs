//! A person says what a message is (REC-6), or whose: what it had done under the wrong verdict is taken back, and what the right
//! one asks is done, in one transaction. It is the way of adopting later rules too (REC-12).

use super::meaning::{self, Meaning, What};
use super::whose::Match;
use super::{event_for, put};
use crate::app::App;
use cadenza_core::calendar::Date;
use cadenza_core::enrollment::{Finish, Life, Subject};
use cadenza_core::ids::{EnrollmentId, UserId, WorkspaceId};
use cadenza_core::inbound::{Kind, Verdict};
use cadenza_core::machine::{Actor, BounceClass, Correctable, Event, Incoming, Otherwise, Reach, Refusal};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Time;
use cadenza_store::door::{self, Outgoing, Put};
use cadenza_store::history::{self, Line};
use cadenza_store::inbound_messages::{self, Class, Inbound, Owner, Source, Told};
use cadenza_store::matching::{self, Candidate};
use cadenza_store::track_record::{self, Of};
use cadenza_store::{Query, StoreError, Tx, companies, contacts, sends, suppression};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What a person says that a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "class")]
pub enum Correction {
    Reply,
    OutOfOffice {
        /// The first day the person is back.
        #[serde(default)]
        until: Option<Date>,
    },
    /// Any other automatic mail.
    Other,
    Bounce {
        #[serde(default)]
        bounce: Severity,
    },
    Complaint,
    OptOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    #[default]
    Hard,
    Soft,
}

/// What a correction did.
#[derive(Debug, Default)]
pub struct Corrected {
    /// Those that were told of it.
    pub enrollments: Vec<EnrollmentId>,
    /// Others that had heard of it: the contact's other sequences, colleagues.
    pub others: Vec<EnrollmentId>,
    /// Addresses that may be written to again.
    pub allowed: u64,
    pub outgoing: Vec<Outgoing>,
}

/// Why nothing was corrected.
#[derive(Debug, thiserror::Error)]
pub enum NotCorrected {
    /// It cannot go back to where it stood.
    #[error("{0}")]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Correction {
    pub fn class(self) -> Class {
        match self {
            Correction::Reply => Class::Reply,
            Correction::OutOfOffice { .. } => Class::OutOfOffice,
            Correction::Other => Class::Other,
            Correction::Bounce { .. } => Class::Bounce,
            Correction::Complaint => Class::Complaint,
            Correction::OptOut => Class::OptOut,
        }
    }

    fn what(self) -> What {
        match self {
            Correction::Reply => What::Reply,
            Correction::OutOfOffice { until } => What::OutOfOffice { until },
            Correction::Other => What::Noted,
            Correction::Bounce { bounce } => What::Bounce {
                class: match bounce {
                    Severity::Hard => BounceClass::Hard,
                    Severity::Soft => BounceClass::Soft,
                },
                detail: "corrected by hand".into(),
            },
            Correction::Complaint => What::Complaint,
            Correction::OptOut => What::OptOut { reach: Reach::Channel },
        }
    }
}

/// Sets a message right.
///
/// # Errors
/// `Refused` where an enrollment cannot go back; nothing was done then.
pub fn correct(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    right: Correction,
    by: UserId,
) -> Result<Corrected, NotCorrected> {
    let now = app.clock.now();
    let meaning = Meaning { class: right.class(), what: right.what(), channel: channel_of(message) };
    let done = if says_the_same(&meaning_of(message), &meaning) {
        Corrected::default()
    } else {
        let told = told_or_found(tx, w, message)?;
        instead(app, tx, w, message, &told, &meaning, by)?
    };
    let json = serde_json::json!(right).to_string();
    inbound_messages::correct(tx, w, message.id, meaning.class, &json, (by, now))?;
    settle(tx, w, message, meaning.class, now)?;
    Ok(done)
}

/// A person who says what was taken for true confirms it, and nothing is done twice.
fn says_the_same(before: &Meaning, right: &Meaning) -> bool {
    let by_class = !matches!(right.class, Class::Bounce | Class::OutOfOffice);
    let alike = match (&before.what, &right.what) {
        (What::Bounce { class: before, .. }, What::Bounce { class: right, .. }) => before == right,
        (before, right) => before == right,
    };
    before.class == right.class && (by_class || alike)
}

/// Says whose a message is. What it had told others is taken back, and the right ones are told.
///
/// # Errors
/// As [`correct`]; `Missing` where there is no such contact, company or enrollment.
pub fn give(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    to: (Subject, Option<EnrollmentId>),
    by: UserId,
) -> Result<Corrected, NotCorrected> {
    let now = app.clock.now();
    let (subject, enrollment) = to;
    let candidates = match enrollment {
        Some(id) => {
            let of = matching::lock(tx, w, id)?.ok_or_else(|| StoreError::missing("enrollment", id))?;
            vec![of]
        }
        None => matching::hearing(tx, w, subject)?,
    };
    let meaning = meaning_of(message);
    let told = inbound_messages::told_by(tx, w, message.id)?;
    let mut done = take_back(app, tx, w, message, &told, by)?;
    tell(app, tx, w, (message, None), &candidates, &meaning, by, &mut done)?;
    inbound_messages::note_told(tx, w, message.id, done.enrollments.iter().copied(), now)?;
    let first = candidates.first().map(|c| (c.enrollment, c.sequence));
    inbound_messages::set_owner(tx, w, message.id, Owner { subject, enrollment: first })?;
    if message.assigned_to.is_none() {
        let owner = candidates.first().map(|c| c.owner.unwrap_or(c.enrolled_by));
        inbound_messages::assign(tx, w, message.id, owner)?;
    }
    Ok(done)
}

/// Takes back what a message did and does what another meaning asks, for the same enrollments.
pub(super) fn instead(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    told: &[Told],
    meaning: &Meaning,
    by: UserId,
) -> Result<Corrected, NotCorrected> {
    let now = app.clock.now();
    let mut done = take_back(app, tx, w, message, told, by)?;
    let mut candidates = Vec::with_capacity(told.len());
    for one in told {
        candidates.extend(matching::enrollment(tx, w, one.enrollment)?);
    }
    tell(app, tx, w, (message, message.visit), &candidates, meaning, by, &mut done)?;
    inbound_messages::note_told(tx, w, message.id, done.enrollments.iter().copied(), now)?;
    Ok(done)
}

/// A reply waits for a person, machine mail does not.
pub(super) fn settle(tx: &mut Tx, w: WorkspaceId, m: &Inbound, class: Class, now: Time) -> Result<(), StoreError> {
    match (m.class.asks_for_a_person(), class.asks_for_a_person()) {
        (false, true) => inbound_messages::set_handled(tx, w, m.id, None),
        (true, false) if m.handled_at.is_none() => inbound_messages::set_handled(tx, w, m.id, Some(now)),
        _ => Ok(()),
    }
}

/// Whom it was told to; a message that asked nothing of anybody was told to whoever it is matched to.
pub(super) fn told_or_found(q: &mut Query, w: WorkspaceId, message: &Inbound) -> Result<Vec<Told>, StoreError> {
    let told = inbound_messages::told_by(q, w, message.id)?;
    Ok(match message.enrollment {
        Some(enrollment) if told.is_empty() => vec![Told { enrollment, at: message.received_at }],
        _ => told,
    })
}

#[expect(clippy::too_many_arguments, reason = "one step of a transaction, named apart for its two callers")]
fn tell(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    (message, visit): (&Inbound, Option<u32>),
    candidates: &[Candidate],
    meaning: &Meaning,
    by: UserId,
    done: &mut Corrected,
) -> Result<(), NotCorrected> {
    let found = Match { by: message.matched_by, ..Match::default() };
    let mut puts = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let visit = visit.filter(|_| place == 0 && Some(candidate.enrollment) == message.enrollment);
        if let Some(event) = event_for(tx, w, candidate, meaning, (&found, visit))? {
            puts.push(Put { enrollment: candidate.enrollment, event, actor: Actor::User(by) });
        }
    }
    done.enrollments = puts.iter().map(|p| p.enrollment).collect();
    done.outgoing.extend(put(app, tx, w, puts, app.clock.now())?);
    Ok(())
}

// --- taking back ---

/// What a message means, as it stands: what a person said, else the verdict.
pub(super) fn meaning_of(message: &Inbound) -> Meaning {
    let channel = channel_of(message);
    let said = message.correction.as_deref().and_then(|json| serde_json::from_str::<Correction>(json).ok());
    if let Some(said) = said {
        return Meaning { class: said.class(), what: said.what(), channel };
    }
    let verdict = serde_json::from_str::<Verdict>(&message.classification).ok();
    let kind = verdict.as_ref().map(|v| &v.kind);
    let what = match message.class {
        Class::Reply => What::Reply,
        Class::OutOfOffice => What::OutOfOffice { until: kind.and_then(meaning::return_date) },
        Class::Bounce => match kind {
            Some(Kind::Bounce(bounce)) => meaning::of_bounce(bounce).what,
            _ => What::Bounce { class: BounceClass::Soft, detail: "no status code".into() },
        },
        Class::Complaint => What::Complaint,
        Class::OptOut => {
            let evidence = verdict.as_ref().map(|v| v.evidence.as_slice()).unwrap_or_default();
            What::OptOut { reach: meaning::reach(evidence) }
        }
        Class::Delivered => What::Delivered,
        Class::OwnMail => What::OwnMail,
        Class::Meeting => What::Meeting,
        Class::OptIn => What::Nothing,
        Class::Other => What::Noted,
    };
    Meaning { class: message.class, what, channel }
}

fn channel_of(message: &Inbound) -> Incoming {
    if message.source == Source::Text { Incoming::Text } else { Incoming::Email }
}

/// What the message did to those it was told to; nothing where it only was noted.
fn correctable(what: &What) -> Option<Correctable> {
    Some(match what {
        What::Reply => Correctable::Reply,
        What::OptOut { .. } | What::Complaint => Correctable::OptOut,
        What::OutOfOffice { .. } => Correctable::OutOfOffice,
        What::Bounce { class: BounceClass::Hard, .. } => Correctable::Bounce,
        What::Bounce { class: BounceClass::Soft, .. } => Correctable::SoftBounce,
        What::Meeting => Correctable::Meeting,
        // The mailbox is held until somebody has looked at it; the contact had no part in it.
        What::Bounce { class: BounceClass::Sender, .. } => return None,
        What::Delivered | What::OwnMail | What::OwnCopy | What::Noted | What::Nothing => return None,
    })
}

fn take_back(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    told: &[Told],
    by: UserId,
) -> Result<Corrected, NotCorrected> {
    let mut done = Corrected::default();
    let Some(what) = correctable(&meaning_of(message).what) else { return Ok(done) };
    let actor = Actor::User(by);
    let moments: HashSet<Time> = told.iter().map(|t| t.at).collect();
    let mut puts = Vec::new();
    for one in told {
        let otherwise = otherwise(tx, w, one.enrollment, what, one.at)?;
        if otherwise == Otherwise::Nothing && is_overtaken(tx, w, one.enrollment, what)? {
            return Err(NotCorrected::Refused(Refusal::NewerLive));
        }
        let event = Event::TakeBack { what, at: one.at, otherwise };
        puts.push(Put { enrollment: one.enrollment, event, actor });
    }
    let asked = puts.len();
    for at in &moments {
        for line in heard(tx, w, what, *at, told)? {
            let Some(what) = elsewhere(&line.event) else { continue };
            let otherwise = otherwise(tx, w, line.enrollment, what, *at)?;
            let event = Event::TakeBack { what, at: *at, otherwise };
            done.others.push(line.enrollment);
            puts.push(Put { enrollment: line.enrollment, event, actor });
        }
    }
    for at in &moments {
        done.allowed += allow(tx, w, message, what, *at, told)?;
    }
    if puts.is_empty() {
        return Ok(done);
    }
    if meaning_of(message).what == What::Complaint {
        uncount_complaint(app, tx, w, told)?;
    }
    for (place, answer) in app.door.advance(tx, w, puts, app.clock.now())?.into_iter().enumerate() {
        match answer {
            Ok(applied) => done.outgoing.extend(applied.outgoing),
            Err(refusal) if place < asked => return Err(NotCorrected::Refused(refusal)),
            // Another sequence, which a newer enrollment has taken over: it stays as it is.
            Err(refusal) => tracing::info!("a correction changes nothing there: {refusal}"),
        }
    }
    Ok(done)
}

/// The breakers of the sequences and mailboxes of those whom it was told to forget it (SND-10); of others it was never counted.
fn uncount_complaint(app: &App, tx: &mut Tx, w: WorkspaceId, told: &[Told]) -> Result<(), StoreError> {
    let (part, now) = (i64::from(app.door.node().number), app.clock.now());
    for one in told {
        let Some(of) = matching::enrollment(tx, w, one.enrollment)? else { continue };
        track_record::take_back_complaint(tx, w, Of::Sequence(of.sequence), part, now)?;
        if let Some(mailbox) = of.mailbox {
            track_record::take_back_complaint(tx, w, Of::Mailbox(mailbox), part, now)?;
        }
    }
    Ok(())
}

/// Would it go back to where it stood, though a newer enrollment of the same contact runs in the sequence? Asked before anything
/// is changed, so that whoever asks may go on in the same transaction.
fn is_overtaken(q: &mut Query, w: WorkspaceId, id: EnrollmentId, what: Correctable) -> Result<bool, StoreError> {
    let Some(e) = door::enrollment(q, w, id)? else { return Ok(false) };
    if e.life != Life::Finished || e.finish.is_none() || e.finish != what.ended_by() || e.mark.is_some() {
        return Ok(false);
    }
    let others = matching::of_subject(q, w, e.subject)?;
    Ok(others.iter().any(|c| c.live && c.sequence == e.sequence && c.enrollment != id))
}

/// Lines of that moment in other enrollments, which heard of the message from those it was told to.
fn heard(q: &mut Query, w: WorkspaceId, what: Correctable, at: Time, told: &[Told]) -> Result<Vec<Line>, StoreError> {
    if !matches!(what, Correctable::Reply | Correctable::OptOut) {
        return Ok(Vec::new());
    }
    let mut lines = history::at(q, w, at)?;
    lines.retain(|l| elsewhere(&l.event).is_some() && !told.iter().any(|t| t.enrollment == l.enrollment));
    Ok(lines)
}

fn elsewhere(event: &str) -> Option<Correctable> {
    Some(match event {
        "replied_elsewhere" => Correctable::ReplyElsewhere,
        "colleague_replied" => Correctable::ColleagueReply,
        "opted_out_elsewhere" => Correctable::OptOut,
        _ => return None,
    })
}

/// Does it hold for another reason all the same? Any line of history that says so, of another moment, and was not taken back
/// itself. Somebody who opted out anywhere has opted out: that is asked of all enrollments of the contact.
fn otherwise(
    q: &mut Query,
    w: WorkspaceId,
    id: EnrollmentId,
    what: Correctable,
    at: Time,
) -> Result<Otherwise, StoreError> {
    let of = match matching::enrollment(q, w, id)? {
        Some(candidate) if what == Correctable::OptOut => matching::of_subject(q, w, candidate.subject)?,
        Some(candidate) => vec![candidate],
        None => Vec::new(),
    };
    let mut since = None;
    for candidate in of {
        let lines = history::of_enrollment(q, w, candidate.enrollment)?;
        if standing(&lines, at).any(|line| says(line, what)) {
            return Ok(Otherwise::Stands);
        }
        if candidate.enrollment == id {
            since = ends_since(&lines, at);
        }
    }
    Ok(since.map_or(Otherwise::Nothing, Otherwise::Since))
}

/// Lines of other moments that were not taken back.
fn standing(lines: &[Line], at: Time) -> impl Iterator<Item = &Line> {
    let taken: HashSet<String> =
        lines.iter().filter(|l| l.event == "take_back").filter_map(|l| l.detail.clone()).collect();
    lines.iter().filter(move |line| line.at != at && !taken.contains(&line.at.to_string()))
}

/// What was noted since and would have ended it, the gravest first.
fn ends_since(lines: &[Line], at: Time) -> Option<Finish> {
    let since: Vec<&Line> = standing(lines, at).filter(|line| line.at > at).collect();
    let noted = |says: &dyn Fn(&Line) -> bool| since.iter().any(|line| says(line));
    if noted(&opts_out) {
        Some(Finish::OptedOut)
    } else if noted(&|l| says(l, Correctable::Bounce)) {
        Some(Finish::Bounced)
    } else if noted(&|l| l.event == "reply") {
        Some(Finish::Replied)
    } else {
        None
    }
}

/// Does a line say the same as what is taken back?
fn says(line: &Line, what: Correctable) -> bool {
    let event = line.event.as_str();
    match what {
        Correctable::Reply | Correctable::ReplyElsewhere => {
            matches!(event, "reply" | "replied_elsewhere") || event == "stop" && line.changes.contains("\"replies\"")
        }
        Correctable::ColleagueReply => event == "colleague_replied",
        Correctable::OutOfOffice => event == "out_of_office",
        // Temporary ones that were tried again, and those that blame the sender, say nothing of the address.
        Correctable::Bounce | Correctable::SoftBounce => {
            let passing = matches!(line.cause.as_deref(), Some("tried_again" | "sender_refused"));
            event == "bounce" && !passing || event == "refused" && line.changes.contains("\"bounced\"")
        }
        Correctable::OptOut => opts_out(line),
        Correctable::Meeting => event == "meeting_booked",
    }
}

/// A link, a letter, a text, a person who was told, a step's outcome or a mark.
fn opts_out(line: &Line) -> bool {
    matches!(line.event.as_str(), "opt_out" | "complaint" | "opted_out_elsewhere")
        || line.event != "take_back" && line.changes.contains("\"opted_out\":1")
        || line.event == "mark_status" && line.changes.contains("opted_out")
}

/// What only this message had put on the suppression list comes off it, unless anything else says that the person is to be left
/// alone.
fn allow(
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    what: Correctable,
    at: Time,
    told: &[Told],
) -> Result<u64, StoreError> {
    if !matches!(what, Correctable::OptOut | Correctable::Bounce) {
        return Ok(0);
    }
    let mut values: Vec<(Suppressible, String)> = Vec::new();
    if message.source == Source::Text {
        let number = message.from_address.iter().map(|n| (Suppressible::Phone, n.clone()));
        values.extend(number);
    }
    let mut subjects: HashSet<Subject> = message.subject_of.into_iter().collect();
    for one in told {
        subjects.extend(matching::enrollment(tx, w, one.enrollment)?.map(|c| c.subject));
        let sent = sends::of_enrollment(tx, w, one.enrollment)?;
        values.extend(sent.into_iter().map(|s| match s.mailbox {
            Some(_) => (Suppressible::Email, s.to),
            None => (Suppressible::Phone, s.to),
        }));
    }
    for subject in subjects {
        for candidate in matching::of_subject(tx, w, subject)? {
            let lines = history::of_enrollment(tx, w, candidate.enrollment)?;
            if standing(&lines, at).any(|l| opts_out(l) || says(l, Correctable::Bounce)) {
                return Ok(0);
            }
        }
        let (emails, phones) = addresses_of(tx, w, subject)?;
        values.extend(emails.into_iter().map(|a| (Suppressible::Email, a)));
        values.extend(phones.into_iter().map(|a| (Suppressible::Phone, a)));
    }
    values.sort();
    values.dedup();
    let key = suppression::key(tx, w)?;
    suppression::remove_added_at(tx, w, &key, &values, at)
}

fn addresses_of(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let (emails, phones) = match subject {
        Subject::Contact(id) => contacts::get(q, w, id).map(|c| (c.emails, c.phones))?,
        Subject::Company(id) => companies::get(q, w, id).map(|c| (c.emails, c.phones))?,
    };
    let values = |all: Vec<cadenza_store::addresses::TypedAddress>| all.into_iter().map(|a| a.value).collect();
    Ok((values(emails), values(phones)))
}
