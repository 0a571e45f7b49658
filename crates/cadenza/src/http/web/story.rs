//! What happened to an enrollment and what comes, as lines that a person reads: what was executed by its activities, the rest
//! by its history. The engine's own steps in between (timers, marks) are left out.

use super::kind::KindIcon;
use super::parts::{Moment, Watch};
use super::rows::Names;
use cadenza_core::flow::{Flow, Outcome};
use cadenza_core::machine::{Actor, Level};
use cadenza_core::time::Time;
use cadenza_store::activities::{Activity, ActivityPhase};
use cadenza_store::history::Line;
use cadenza_store::log_entries::LogEntry;

/// A line of a timeline.
#[derive(Debug, Clone)]
pub struct Entry {
    pub icon: &'static str,
    /// A class of the style sheet; empty for none.
    pub tone: &'static str,
    pub text: String,
    pub detail: String,
    pub when: Moment,
    pub planned: bool,
}

/// Newest first, what is planned on top.
pub fn entries(flow: &Flow, activities: &[Activity], lines: &[Line], names: &Names, watch: &Watch) -> Vec<Entry> {
    let mut all: Vec<(Time, bool, Entry)> = Vec::new();
    for activity in activities {
        all.push(of_activity(flow, activity, names, watch));
    }
    for line in lines {
        if let Some(entry) = of_line(line, names, watch) {
            all.push((line.at, false, entry));
        }
    }
    all.sort_by_key(|(at, planned, _)| std::cmp::Reverse((*planned, *at)));
    all.into_iter().map(|(_, _, entry)| entry).collect()
}

fn of_activity(flow: &Flow, a: &Activity, names: &Names, watch: &Watch) -> (Time, bool, Entry) {
    let name = flow.spot(&a.step).map_or(a.kind.label(), |s| s.step.content.name.as_str());
    let name = if name.is_empty() { a.kind.label() } else { name };
    let icon = KindIcon(a.kind).icon();
    match &a.phase {
        ActivityPhase::Closed { outcome, at, by } => {
            let tone = match outcome {
                Outcome::Cancelled | Outcome::Skipped => "",
                Outcome::Failed => "red",
                _ if a.kind.is_automatic() => "blue",
                _ => "green",
            };
            let who = by.parse().map(|user| names.of(Some(user))).unwrap_or_default();
            let text = format!("{name}: {}", outcome.label().to_lowercase());
            (*at, false, Entry { icon, tone, text, detail: who, when: watch.near(*at), planned: false })
        }
        phase => {
            let detail = match phase {
                ActivityPhase::Waiting => "Planned",
                ActivityPhase::Due => "Due",
                _ => "Being sent",
            };
            let entry = Entry {
                icon,
                tone: "",
                text: name.to_owned(),
                detail: detail.into(),
                when: watch.near(a.due),
                planned: true,
            };
            (a.due, true, entry)
        }
    }
}

/// `None` for what is told by the activities, or is nobody's business.
pub fn of_line(line: &Line, names: &Names, watch: &Watch) -> Option<Entry> {
    let (icon, tone, text) = words(&line.event)?;
    let tone = match line.level {
        Level::Info => tone,
        Level::Warning => "amber",
        Level::Error => "red",
    };
    let actor = match line.actor {
        Actor::User(user) => names.of(Some(user)),
        Actor::Engine | Actor::Contact | Actor::Server => String::new(),
    };
    let cause = line.cause.as_deref().map(cause_words).unwrap_or_default();
    let parts = [actor.as_str(), cause, line.detail.as_deref().unwrap_or_default()];
    let detail = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
    Some(Entry { icon, tone, text: text.to_owned(), detail, when: watch.near(line.at), planned: false })
}

/// What was executed, and when.
pub fn executed(flow: &Flow, activities: &[Activity], names: &Names, watch: &Watch) -> Vec<(Time, Entry)> {
    let closed =
        |a: &&Activity| matches!(&a.phase, ActivityPhase::Closed { outcome, .. } if *outcome != Outcome::Cancelled);
    let entry = |a| {
        let (at, _, entry) = of_activity(flow, a, names, watch);
        (at, entry)
    };
    activities.iter().filter(closed).map(entry).collect()
}

/// What ended an enrollment at that moment, for *Why?*: an event, or how its last activity ended.
pub fn what_ended(
    at: Time,
    flow: Option<&Flow>,
    activities: &[Activity],
    lines: &[Line],
    names: &Names,
    watch: &Watch,
) -> Option<Entry> {
    let told = lines.iter().rev().filter(|line| line.at == at).find_map(|line| of_line(line, names, watch));
    let closed = |a: &&Activity| matches!(&a.phase, ActivityPhase::Closed { outcome, at: closed, .. } if *closed == at && *outcome != Outcome::Cancelled);
    let activity = || Some(of_activity(flow?, activities.iter().rfind(closed)?, names, watch).2);
    told.or_else(activity)
}

/// What paused it last.
pub fn what_paused(lines: &[Line], names: &Names, watch: &Watch) -> Option<Entry> {
    let latest = lines.iter().rev().find(|line| PAUSING.contains(&line.event.as_str()))?;
    of_line(latest, names, watch)
}

/// Events that pause an enrollment.
const PAUSING: [&str; 6] = ["pause", "reply", "out_of_office", "colleague_replied", "left_list", "absence_began"];

/// What an event did, where that is more than its name; the rest of the codes are the events' own.
fn cause_words(code: &str) -> &str {
    match code {
        "condition_decided" => "a condition of the step decided",
        "no_condition_met" => "no condition was met",
        "noted_after_end" => "noted; it had ended already",
        "tried_again" => "tried again later",
        "soft_bounces_used_up" => "too many temporary bounces",
        "sender_refused" => "the server refused the sender, not the contact",
        "newer_live_enrollment" => "a newer enrollment goes on",
        "resumed_after_absence" => "resumed by itself",
        "skipped_suppressed" => "skipped: the address is suppressed",
        "skipped_while_away" => "skipped: its owner is away",
        "handed_over" => "somebody else’s meanwhile",
        "held_while_away" => "held until the return",
        "missing_address" => "no address for this step",
        "missing_field" => "a field is empty",
        "delivery_unknown" => "delivery unknown",
        "step_failed" => "the step failed",
        "failed_by_condition" => "a condition of the step took over",
        "no_way_on" => "the flow has no way on",
        "no_such_step" => "the step is not there any more",
        "not_a_reply" => "the message was no reply",
        "not_out_of_office" => "the message was no out-of-office notice",
        "not_a_bounce" => "the message was no bounce",
        "not_an_opt_out" => "the message was no opt-out or complaint",
        "not_a_meeting" => "no meeting was accepted",
        "mended" | "returned" | "overdue" => code,
        // Of the engine's own bookkeeping.
        "started" | "claimed" | "task_due" | "lined_up" => "",
        other => other,
    }
}

/// A line that somebody wrote on the record.
pub fn of_log(entry: &LogEntry, names: &Names, watch: &Watch) -> Entry {
    let (icon, tone) = match entry.kind.as_str() {
        "note" => ("note", "amber"),
        "call" => ("call", "green"),
        "email" => ("email", "blue"),
        "text" => ("text", "blue"),
        "meeting" => ("calendar", "violet"),
        _ => ("log", ""),
    };
    let result = entry.detail.as_ref().and_then(|d| d.get("result")).and_then(serde_json::Value::as_str);
    let parts = [result.filter(|r| *r != entry.body).unwrap_or_default().to_owned(), names.of(entry.user)];
    let detail = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
    Entry { icon, tone, text: entry.body.clone(), detail, when: watch.near(entry.at), planned: false }
}

/// The words of an event; `None` for those of the engine that say nothing to a person.
fn words(event: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match event {
        "enrolled" => ("enrollments", "violet", "Enrolled"),
        "enroll_again" => ("enrollments", "violet", "Added again"),
        "deferred" => ("retry", "amber", "The mail server asked to come back later"),
        "refused" => ("bounce", "red", "The mail server refused the message"),
        "unknown" => ("fix", "red", "It is not known whether the message was delivered"),
        "not_composed" => ("fix", "red", "The message could not be written"),
        "reply" => ("replies", "violet", "Replied"),
        "out_of_office" => ("sun", "amber", "Out of office"),
        "bounce" => ("bounce", "red", "Bounced"),
        "complaint" => ("flag", "red", "Complained"),
        "opt_out" => ("user_off", "red", "Opted out"),
        "opened" => ("open", "blue", "Opened"),
        "clicked" => ("click", "blue", "Clicked"),
        "other_mail" => ("email", "", "An automatic message came in"),
        "colleague_replied" => ("replies", "violet", "A colleague replied"),
        "replied_elsewhere" => ("replies", "violet", "Replied in another sequence"),
        "opted_out_elsewhere" => ("user_off", "red", "Opted out in another sequence"),
        "own_mail" => ("email_manual", "", "The user wrote by themselves"),
        "meeting_booked" => ("calendar", "green", "Booked a meeting"),
        "pause" => ("pause", "amber", "Paused"),
        "resume" => ("play", "green", "Resumed"),
        "stop" => ("stop", "", "Stopped"),
        "reactivate" => ("play", "green", "Reactivated"),
        "retry" => ("retry", "", "Retried"),
        "mark_status" => ("star", "violet", "Status marked"),
        "undo_mark" => ("undo", "", "Mark taken back"),
        "move_now" => ("forward", "", "Moved up"),
        "skip" => ("skip", "", "Step skipped"),
        "jump" => ("branch", "", "Moved to another step"),
        "set_owner" => ("contact", "", "Owner changed"),
        "set_mailbox" => ("mailbox", "", "Mailbox changed"),
        "remove" => ("trash", "", "Removed from the sequence"),
        "erase" => ("trash", "", "Removed and erased"),
        "mark_sent" => ("check", "green", "Marked as sent"),
        "send_again" => ("retry", "", "Sent again"),
        "release" => ("play", "green", "Released"),
        "take_back" => ("undo", "", "A classification was corrected"),
        "left_list" => ("lists", "amber", "Taken off the list"),
        "back_on_list" => ("lists", "green", "Put back on the list"),
        "sequence_ended" => ("stop", "", "The sequence ended"),
        "sequence_reopened" => ("play", "green", "The sequence was reopened"),
        "move_to_version" => ("branch", "", "Moved to a new version of the flow"),
        "absence_began" => ("sun", "amber", "The owner is away"),
        "absence_ended" => ("sun", "green", "The owner is back"),
        "mended" => ("check", "green", "What was missing was filled in"),
        // Told by the activities, or of the engine alone.
        _ => return None,
    })
}
