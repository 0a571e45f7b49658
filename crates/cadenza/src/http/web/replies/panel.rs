//! Fills the open message: whose it is, what it was taken for and why, the thread.

use super::super::kind::{message_badge, state_badge};
use super::super::lists::Link;
use super::super::page::query_value;
use super::super::parts::{Badge, Tone};
use super::super::rows::{Names, subject_path};
use super::super::viewer::Viewer;
use super::read::{Asked, NEXT};
use super::{AboutEnrollment, Answering, Letter, ReplyPanel, SettleForm, Verdict};
use crate::App;
use crate::actions::replies::{self, Correction, Item, ItemOf, Severity, Thread};
use crate::actions::{ActionError, Privilege};
use crate::http::error::Result;
use cadenza_core::enrollment::{Mark, State};
use cadenza_core::ids::MessageId;
use cadenza_core::inbound as judged;
use cadenza_store::answers::State as AnswerState;
use cadenza_store::enrollments::Listed;
use cadenza_store::inbound_messages::{Class, Inbound, MatchedBy};

/// The panel of a message; `None` where it is not there, or not for the viewer.
pub async fn read(
    app: &App,
    viewer: &Viewer,
    asked: &Asked,
    id: MessageId,
    names: &Names,
) -> Result<Option<ReplyPanel>> {
    match replies::thread(app, &viewer.caller, id).await {
        Ok(thread) => {
            let answer = replies::prepare(app, &viewer.caller, id).await?;
            Ok(Some(ReplyPanel { answer: answer.map(answering), ..of(thread, viewer, asked, names) }))
        }
        Err(ActionError::Missing { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn of(thread: Thread, viewer: &Viewer, asked: &Asked, names: &Names) -> ReplyPanel {
    let Thread { message: m, items, enrollments, subject_name } = thread;
    let (own, others): (Vec<Item>, Vec<Item>) =
        items.into_iter().partition(|i| matches!(i.of, ItemOf::Received { id, .. } if id == m.id));
    let opened = own.into_iter().next().map_or_else(|| of_nothing(&m, viewer), |i| letter(i, &m, viewer, names));
    let mut all = enrollments.iter().map(|l| about(l, viewer));
    let first = all.next().filter(|_| m.enrollment.is_some());
    let sender = || m.from_address.clone().unwrap_or_else(|| "Unknown sender".into());
    let mut badges = vec![message_badge(m.class)];
    if m.handled_at.is_some() {
        badges.push(Badge::new(Tone::Grey, "Handled"));
    }
    ReplyPanel {
        path: format!("/replies/{}", m.id),
        back_query: query_value(&asked.with_message(NEXT)),
        back: asked.with_message(NEXT),
        who: subject_name.unwrap_or_else(sender),
        href: m.subject_of.map(subject_path).unwrap_or_default(),
        company: enrollments.first().and_then(|l| l.company_name.clone()).unwrap_or_default(),
        badges,
        others: all.collect(),
        enrollment: first,
        letter: opened,
        unseen: m.seen_at.is_none(),
        handled: m.handled_at.map(|t| viewer.watch.near(t).text),
        matched: matched(&m),
        is_matched: m.subject_of.is_some(),
        verdict: verdict(&m, names, viewer),
        may_act: viewer.caller.may(Privilege::SequencesEnroll),
        assigned: names.of(m.assigned_to),
        answer: None,
        thread: others.into_iter().rev().map(|i| letter(i, &m, viewer, names)).collect(),
    }
}

fn answering(prepared: replies::Prepared) -> Answering {
    let from = &prepared.from;
    Answering {
        from: if from.name.is_empty() { from.address.clone() } else { format!("{} <{}>", from.name, from.address) },
        to: prepared.to,
        subject: prepared.subject,
        text: if from.signature.trim().is_empty() { String::new() } else { format!("\n\n{}", from.signature.trim()) },
    }
}

fn about(listed: &Listed, viewer: &Viewer) -> AboutEnrollment {
    let e = &listed.enrollment;
    let (state, reason) = e.state(listed.sequence_state);
    let all = [
        (Mark::Success, "success", "Success", ""),
        (Mark::NotInterested, "not_interested", "Not interested", ""),
        (Mark::OptedOut, "opted_out", "Unsubscribed", "Suppress this person’s addresses? This cannot be taken back."),
        (Mark::Bounced, "bounced", "Bounced", ""),
    ];
    let marks = all.into_iter().filter(|(mark, ..)| e.mark != Some(*mark) && state != State::Removed);
    AboutEnrollment {
        id: e.id.to_string(),
        sequence: Link::new(format!("/sequences/{}", e.sequence), listed.sequence_name.clone()),
        badge: state_badge(state, reason, e.block_detail.as_deref()),
        status: listed.stage(viewer.watch.now).person_status().label().to_owned(),
        marks: marks.map(|(_, value, label, question)| (value, label, question)).collect(),
        marked: e.mark.is_some_and(|m| m != Mark::OptedOut),
    }
}

fn letter(item: Item, opened: &Inbound, viewer: &Viewer, names: &Names) -> Letter {
    let files = item.attachments.into_iter().map(|a| {
        let name = a.filename.filter(|n| !n.is_empty()).unwrap_or(a.media_type);
        format!("{name}, {} KB", a.size.div_ceil(1024))
    });
    let unknown = "It is not known whether this arrived.";
    let why = item.words.unwrap_or_default();
    let settle = match item.of {
        ItemOf::Answer { id, state: state @ (AnswerState::Unknown | AnswerState::Refused), .. } => Some(SettleForm {
            path: format!("/replies/{}/answers/{id}/settle", opened.id),
            may_have_arrived: state == AnswerState::Unknown,
        }),
        _ => None,
    };
    let (icon, tone, note) = match item.of {
        ItemOf::Sent { unknown: true, .. } => ("email", "red", unknown.to_owned()),
        ItemOf::Sent { .. } => ("email", "blue", String::new()),
        ItemOf::Received { class, .. } => (class_icon(class), class_tone(class), String::new()),
        ItemOf::Answer { state, .. } => match state {
            AnswerState::Sent => ("email_manual", "blue", String::new()),
            AnswerState::Queued | AnswerState::Claimed | AnswerState::Marked if why.is_empty() => {
                ("email_manual", "amber", "It is being sent.".to_owned())
            }
            AnswerState::Queued | AnswerState::Claimed | AnswerState::Marked => {
                ("email_manual", "amber", format!("It waits: {why}"))
            }
            AnswerState::Refused => ("email_manual", "red", format!("It was not sent: {why}")),
            AnswerState::Unknown => ("email_manual", "red", unknown.to_owned()),
        },
    };
    let from = match item.of {
        ItemOf::Answer { by, .. } => names.of(Some(by)),
        _ => item.from,
    };
    Letter {
        icon,
        tone,
        from,
        to: item.to,
        subject: item.subject,
        at: viewer.watch.near(item.at),
        text: item.text,
        whole: item.whole.unwrap_or_default(),
        attachments: files.collect(),
        note,
        settle: settle.filter(|_| viewer.caller.may(Privilege::SequencesEnroll)),
    }
}

fn of_nothing(m: &Inbound, viewer: &Viewer) -> Letter {
    Letter {
        icon: class_icon(m.class),
        tone: class_tone(m.class),
        from: m.from_address.clone().unwrap_or_default(),
        to: String::new(),
        subject: m.subject.clone().unwrap_or_default(),
        at: viewer.watch.near(m.received_at),
        text: m.preview.clone(),
        whole: String::new(),
        attachments: Vec::new(),
        note: String::new(),
        settle: None,
    }
}

fn class_icon(class: Class) -> &'static str {
    match class {
        Class::Bounce => "bounce",
        Class::OutOfOffice => "sun",
        Class::Complaint => "flag",
        Class::OptOut => "user_off",
        Class::Meeting => "calendar",
        _ => "replies",
    }
}

fn class_tone(class: Class) -> &'static str {
    match class {
        Class::Bounce | Class::Complaint | Class::OptOut => "red",
        Class::OutOfOffice => "amber",
        Class::Reply | Class::Meeting => "violet",
        _ => "",
    }
}

fn matched(m: &Inbound) -> String {
    match m.matched_by {
        None => "Matched to nobody",
        Some(MatchedBy::Token) => "Matched by the token of the message that it answers",
        Some(MatchedBy::Reference) => "Matched by the Message-ID that it answers to",
        Some(MatchedBy::Address) => "Matched by the address alone, which can be forged: it stops, and does no more",
        Some(MatchedBy::Hand) => "Matched by hand",
    }
    .to_owned()
}

fn verdict(m: &Inbound, names: &Names, viewer: &Viewer) -> Verdict {
    let read = serde_json::from_str::<judged::Verdict>(&m.classification).ok();
    let said = m.correction.as_deref().and_then(|json| serde_json::from_str::<Correction>(json).ok());
    let corrected = said.zip(m.corrected_at).map(|(said, at)| {
        format!("{}, said by {}, {}", correction_words(said), names.of(m.corrected_by), viewer.watch.near(at).text)
    });
    let evidence = read.as_ref().map(|v| v.evidence.clone()).unwrap_or_default();
    let text = serde_json::from_str::<serde_json::Value>(&m.classification).unwrap_or_default();
    let mut lines: Vec<_> = evidence.into_iter().map(|e| (e.rule, e.part, e.detail)).collect();
    if let Some(why) = text.get("unreadable").and_then(|v| v.as_str()) {
        lines.push(("unreadable".into(), "message".into(), why.to_owned()));
    }
    if let Ok(e) = serde_json::from_value::<judged::Evidence>(text.get("text").cloned().unwrap_or_default()) {
        lines.push((e.rule, e.part, e.detail));
    }
    Verdict {
        words: read.as_ref().map_or_else(|| message_badge(m.class).text, |v| kind_words(&v.kind)),
        corrected,
        evidence: lines,
        version: read.map(|v| format!("rules of version {}", v.version)).unwrap_or_default(),
    }
}

fn correction_words(said: Correction) -> String {
    match said {
        Correction::Reply => "A reply".into(),
        Correction::OutOfOffice { until: None } => "Out of office".into(),
        Correction::OutOfOffice { until: Some(day) } => format!("Out of office until {day}"),
        Correction::Other => "Other automatic mail".into(),
        Correction::Bounce { bounce: Severity::Hard } => "A bounce for good".into(),
        Correction::Bounce { bounce: Severity::Soft } => "A bounce for now".into(),
        Correction::Complaint => "A complaint".into(),
        Correction::OptOut => "An opt-out".into(),
    }
}

/// What the rules said, in a few words.
fn kind_words(kind: &judged::Kind) -> String {
    use judged::{AutoReply, BounceClass, Kind};
    match kind {
        Kind::Reply(reply) if reply.opt_out => "A reply that asks not to be written to any more".into(),
        Kind::Reply(_) => "Written by a person".into(),
        Kind::AutoReply(AutoReply::OutOfOffice { until: Some(day) }) => format!("Out of office until {day}"),
        Kind::AutoReply(AutoReply::OutOfOffice { until: None }) => "Out of office, without a date".into(),
        Kind::AutoReply(AutoReply::LeftCompany) => "Says that the person has left the company".into(),
        Kind::AutoReply(AutoReply::Ticket) => "A receipt of a help desk or form".into(),
        Kind::AutoReply(AutoReply::ReadReceipt) => "A read receipt".into(),
        Kind::AutoReply(AutoReply::Calendar(_)) => "An answer to an invitation".into(),
        Kind::AutoReply(AutoReply::Challenge) => "Asks the sender to prove being a person".into(),
        Kind::AutoReply(AutoReply::Unspecified) => "Automatic mail".into(),
        Kind::Bounce(bounce) => {
            let class = match bounce.class {
                BounceClass::Hard => "The address does not work",
                BounceClass::Soft => "It may work later",
                BounceClass::Sender => "The rejection blames the sender",
                BounceClass::Unknown => "A bounce that does not say for how long",
            };
            match &bounce.diagnostic {
                Some(words) => format!("{class}: {words}"),
                None => class.into(),
            }
        }
        Kind::Delivered(_) => "A report that the mail arrived".into(),
        Kind::Complaint(_) => "A complaint about unwanted mail".into(),
        Kind::Other(_) => "Other automatic mail".into(),
    }
}
