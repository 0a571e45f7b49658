//! What a cell of the page claims, and what the machine did: both as the words of the page's legend, then compared. What
//! a cell does not claim must not have happened.

use crate::case::Case;
use cadenza_core::enrollment::{BlockReason, Enrollment, Hold, Life, Phase, State};
use cadenza_core::facts::Attempt;
use cadenza_core::flow::Outcome;
use cadenza_core::machine::{Decision, Effect, Refusal, Settled};
use std::collections::BTreeSet;

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    Nothing,
    Refused(Option<String>),
    Noted,
    /// The reason shown afterwards.
    Becomes(String),
    Holds(String),
    Lifts(String),
    Blocks(String),
    Unblocks,
    Closes(String),
    Plans(String),
    StartsAt(String),
    WaitEnds,
    Now,
    Again,
    Redue,
    Sends,
    Withdraws,
    Permits,
    Retries,
    Suppresses,
    HoldsMailbox,
    Spreads,
    OffTheList,
    Erases,
}

/// Reads one word of a cell; `None` where the legend has no such word. `state` is the column, for "lifts it".
fn word(text: &str, state: &str) -> Option<Word> {
    Some(match text {
        "–" | "done" => Word::Nothing,
        "refused" => Word::Refused(None),
        "over" => Word::Refused(Some("attempt_over".into())),
        "+" => Word::Noted,
        "unblocks" => Word::Unblocks,
        "the wait ends" => Word::WaitEnds,
        "now" => Word::Now,
        "again" => Word::Again,
        "redue" => Word::Redue,
        "sends" => Word::Sends,
        "withdraws" => Word::Withdraws,
        "permits" => Word::Permits,
        "retries" => Word::Retries,
        "suppresses" => Word::Suppresses,
        "holds mailbox" => Word::HoldsMailbox,
        "spreads" => Word::Spreads,
        "off the list" => Word::OffTheList,
        "erases" => Word::Erases,
        "lifts it" => Word::Lifts(state.to_owned()),
        _ => {
            let rest = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned).filter(|r| !r.is_empty());
            None.or_else(|| rest("refused: ").map(|c| Word::Refused(Some(c))))
                .or_else(|| rest("→ ").map(Word::Becomes))
                .or_else(|| rest("hold ").map(Word::Holds))
                .or_else(|| rest("lifts ").map(Word::Lifts))
                .or_else(|| rest("blocks ").map(Word::Blocks))
                .or_else(|| rest("closes ").map(Word::Closes))
                .or_else(|| rest("plans ").map(Word::Plans))
                .or_else(|| rest("starts at ").map(Word::StartsAt))?
        }
    })
}

/// The claims of a cell.
///
/// # Errors
/// The first word that the legend does not have.
pub fn claims(text: &str, state: &str) -> Result<BTreeSet<Word>, String> {
    let words = text.split(", ").map(|w| word(w, state).ok_or_else(|| format!("unknown word {w:?}")));
    words.collect()
}

/// Compares what a cell claims with what was decided; every difference in words.
pub fn differences(
    claimed: &BTreeSet<Word>,
    before: &Case,
    bounced: Option<&str>,
    result: &Result<Decision, Refusal>,
) -> Vec<String> {
    let decision = match result {
        Err(refusal) => return refused(claimed, before, refusal),
        Ok(decision) => decision,
    };
    if let Some(Word::Refused(_)) = claimed.iter().find(|w| matches!(w, Word::Refused(_))) {
        return vec![format!("it was not refused: {:?}", decision.effects)];
    }
    let quiet = same(&before.e, &decision.enrollment) && decision.effects.iter().all(is_idle);
    if claimed.contains(&Word::Nothing) {
        let seen = seen(before, decision);
        return if quiet { Vec::new() } else { vec![format!("something happened: {seen:?}"), diff(before, decision)] };
    }
    let mut wrong = Vec::new();
    let mut seen = seen(before, decision);
    for word in claimed {
        if let Some(why) = settle_claim(word, before, bounced, decision, &mut seen) {
            wrong.push(why);
        }
    }
    let wanted: BTreeSet<Word> = claimed.iter().filter(|w| !is_only_claimed(w)).cloned().collect();
    if wanted != seen {
        let missing: Vec<_> = wanted.difference(&seen).collect();
        let unsaid: Vec<_> = seen.difference(&wanted).collect();
        wrong.push(format!("did not happen: {missing:?}; happened unsaid: {unsaid:?}"));
    }
    wrong.extend(open_work(before, decision));
    wrong
}

fn refused(claimed: &BTreeSet<Word>, before: &Case, refusal: &Refusal) -> Vec<String> {
    let (state, _) = before.e.state(before.sequence.state);
    let code = refusal.code();
    let wanted = match claimed.first() {
        Some(Word::Refused(None)) if claimed.len() == 1 => format!("not_while_{state}"),
        Some(Word::Refused(Some(code))) if claimed.len() == 1 => code.clone(),
        _ => return vec![format!("it was refused ({code}): {refusal}")],
    };
    if code == wanted { Vec::new() } else { vec![format!("it was refused with {code}, not {wanted}: {refusal}")] }
}

/// Words that are checked by themselves and leave no mark among what is seen.
fn is_only_claimed(word: &Word) -> bool {
    matches!(word, Word::Noted | Word::Now | Word::Again | Word::WaitEnds)
}

/// Checks the words that say more than one thing, and takes what they cover out of what was seen.
fn settle_claim(
    word: &Word,
    before: &Case,
    bounced: Option<&str>,
    decision: &Decision,
    seen: &mut BTreeSet<Word>,
) -> Option<String> {
    let after = &decision.enrollment;
    match word {
        Word::Noted => {
            let plan_stays = before.e.place.is_some() == after.place.is_some() && before.e.wait == after.wait;
            (!plan_stays).then(|| "it was more than noted: plan or wait changed".into())
        }
        Word::Now => {
            seen.retain(|w| !matches!(w, Word::Redue));
            seen.retain(|w| !matches!(w, Word::Becomes(r) if ["waiting", "due", "executing"].contains(&r.as_str())));
            let at_once = decision.wake_at.is_some_and(|t| t <= before.now);
            (!at_once).then(|| format!("not now: the clock looks again at {:?}", decision.wake_at))
        }
        Word::Again => {
            seen.retain(|w| !matches!(w, Word::Plans(_)) && *w != Word::Closes("cancelled".into()));
            let place = after.place.as_ref()?;
            let right = Some(place.step.as_str()) == bounced && place.due > before.now && place.attempt == 0;
            (!right).then(|| format!("it stands at {}, due {}", place.step, place.due))
        }
        Word::Erases => {
            seen.retain(|w| !matches!(w, Word::Lifts(_) | Word::Unblocks));
            None
        }
        Word::WaitEnds => {
            let ended = before.e.wait.is_some() && after.wait.is_none();
            (!ended).then(|| "the wait did not end".into())
        }
        _ => None,
    }
}

/// All that happened, in words.
fn seen(before: &Case, decision: &Decision) -> BTreeSet<Word> {
    let (old, new) = (&before.e, &decision.enrollment);
    let mut seen = BTreeSet::new();
    states(before, decision, &mut seen);
    match (old.block, new.block) {
        (_, Some(block)) if old.block != new.block && shown(before, new).0 != State::Blocked => {
            seen.insert(Word::Blocks(block.to_string()));
        }
        (Some(_), None) => {
            seen.insert(Word::Unblocks);
        }
        _ => {}
    }
    activities(before, decision, &mut seen);
    let pending_at = |e: &Enrollment| e.place.as_ref().filter(|_| e.life == Life::Pending).map(|p| p.step.to_string());
    if pending_at(old) != pending_at(new)
        && let Some(step) = pending_at(new)
    {
        seen.insert(Word::StartsAt(step));
    }
    for effect in &decision.effects {
        let word = match effect {
            Effect::Redue { .. } => Word::Redue,
            Effect::Send(_) => Word::Sends,
            Effect::Withdraw { .. } => Word::Withdraws,
            Effect::Permit { .. } => Word::Permits,
            Effect::Suppress { .. } => Word::Suppresses,
            Effect::HoldMailbox { .. } => Word::HoldsMailbox,
            Effect::Spread(_) => Word::Spreads,
            Effect::TakeOffList => Word::OffTheList,
            Effect::Erase => Word::Erases,
            Effect::Settle { how: Settled::Deferred, .. } if new.is_live() => Word::Retries,
            _ => continue,
        };
        seen.insert(word);
    }
    seen
}

fn shown(before: &Case, e: &Enrollment) -> (State, String) {
    let (state, reason) = e.state(before.sequence.state);
    (state, reason.to_string())
}

/// The reason that is shown, and the holds; a pause that a new hold explains needs no word of its own.
fn states(before: &Case, decision: &Decision, seen: &mut BTreeSet<Word>) {
    let (old, new) = (&before.e, &decision.enrollment);
    let added: Vec<Hold> = new.holds.iter().filter(|h| !old.holds.has(*h)).collect();
    let lifted: Vec<Hold> = old.holds.iter().filter(|h| !new.holds.has(*h)).collect();
    let (is, was) = (shown(before, new), shown(before, old));
    let explained = is.0 == State::Paused && !(added.is_empty() && lifted.is_empty());
    if is != was && !explained {
        seen.insert(Word::Becomes(is.1));
    }
    seen.extend(added.iter().map(|h| Word::Holds(h.to_string())));
    seen.extend(lifted.iter().map(|h| Word::Lifts(h.to_string())));
}

/// What was planned and closed, less what was planned and closed in the same decision.
fn activities(before: &Case, decision: &Decision, seen: &mut BTreeSet<Word>) {
    let planned: Vec<_> = plans(decision);
    let closed = closes(decision);
    for (visit, step) in &planned {
        if !closed.iter().any(|(v, _)| v == visit) {
            seen.insert(Word::Plans(step.clone()));
        }
    }
    let ended = before.e.is_live() && !decision.enrollment.is_live();
    for (visit, outcome) in &closed {
        let fleeting = planned.iter().any(|(v, _)| v == visit);
        if !(fleeting || ended && *outcome == Outcome::Cancelled) {
            seen.insert(Word::Closes(outcome.to_string()));
        }
    }
}

fn plans(decision: &Decision) -> Vec<(u32, String)> {
    let plan = |e: &Effect| if let Effect::Plan(p) = e { Some((p.visit, p.step.to_string())) } else { None };
    decision.effects.iter().filter_map(plan).collect()
}

fn closes(decision: &Decision) -> Vec<(u32, Outcome)> {
    let close =
        |e: &Effect| if let Effect::Close { visit, outcome, .. } = e { Some((*visit, outcome.clone())) } else { None };
    decision.effects.iter().filter_map(close).collect()
}

/// An open activity ends once, and with the enrollment at the latest, unless its message may have been delivered.
fn open_work(before: &Case, decision: &Decision) -> Vec<String> {
    let mut wrong = Vec::new();
    let closed = closes(decision);
    let mut visits: Vec<u32> = closed.iter().map(|(v, _)| *v).collect();
    visits.sort_unstable();
    if visits.windows(2).any(|w| w[0] == w[1]) {
        wrong.push(format!("an activity ends twice: {closed:?}"));
    }
    let ended = before.e.is_live() && !decision.enrollment.is_live();
    let Some(place) = before.e.place.as_ref().filter(|p| ended && p.visit > 0) else { return wrong };
    let marked = before.attempt == Attempt::Marked && place.phase == Phase::Executing;
    let open = marked || before.e.block == Some(BlockReason::DeliveryUnknown);
    let was_closed = visits.contains(&place.visit);
    let cancelled = closed.iter().any(|(v, o)| *v == place.visit && *o == Outcome::Cancelled);
    if open && cancelled {
        wrong.push("an activity whose message may have been delivered was cancelled".into());
    }
    if !open && !was_closed {
        wrong.push("the open activity did not end".into());
    }
    wrong
}

/// Nothing of the row differs.
fn same(a: &Enrollment, b: &Enrollment) -> bool {
    let mut b = b.clone();
    b.version = a.version;
    *a == b
}

/// Names the owner anew, whoever it is: no change by itself.
fn is_idle(effect: &Effect) -> bool {
    matches!(effect, Effect::Own { .. })
}

fn diff(before: &Case, decision: &Decision) -> String {
    cadenza_core::enrollment::changes(&before.e.to_flat(), &decision.enrollment.to_flat())
}
