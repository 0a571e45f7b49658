//! Can delays be kept: does the window open at all, and does it open outside the quiet hours of texts?

use super::{At, Findings, Grounds, Severity};
use crate::calendar::{Calendar, Delay, DelayUnit};
use crate::flow::{Channel, Flow, StepKind, Then};

/// The window by itself, once a flow.
pub(super) fn calendar(flow: &Flow, grounds: &Grounds<'_>, findings: &mut Findings) {
    let calendar = of(grounds);
    let texts = flow.steps().any(|s| s.kind == StepKind::SmsAuto);
    if calendar.next_open(grounds.from).is_ok()
        && let Some(closure) = calendar.long_closure(grounds.settings.zone.local_date(grounds.from))
    {
        let message = format!(
            "Nothing can run from {} to {}: all allowed days are holidays. What falls due then waits.",
            closure.first, closure.last
        );
        findings.flow(Severity::Warning, "long_closure", message);
    }
    if texts && quiet_always(grounds) {
        let (window, quiet) = (grounds.settings.window, grounds.quiet);
        let message = format!(
            "Texts could never go out: the window {window} lies within the quiet hours {}–{}.",
            quiet.from(),
            quiet.to()
        );
        findings.flow(Severity::Error, "always_quiet", message);
    }
}

/// The delays that lead to and from a step.
pub(super) fn step(at: At<'_>, grounds: &Grounds<'_>, findings: &mut Findings) {
    let calendar = of(grounds);
    let mut delays = vec![at.step.content.delay];
    for c in &at.step.conditions {
        delays.extend(c.within);
        if let Then::Step { delay: Some(delay), .. } | Then::Branch { delay: Some(delay), .. } = &c.then {
            delays.push(*delay);
        }
    }
    if let Some(never) =
        delays.into_iter().find_map(|delay| calendar.due(grounds.from, delay).err().map(|e| (delay, e)))
    {
        let (delay, why) = never;
        let after = if delay.is_none() { String::new() } else { format!(" after {delay}") };
        findings.error("never_fits_window", at, format!("it could never run{after}: {why}."));
    }
    if at.step.kind.channel() == Channel::Text && !at.step.kind.is_automatic() && quiet_always(grounds) {
        findings.warning(
            "always_quiet",
            at,
            "the window lies within the quiet hours, so its text could not be sent when it is due.",
        );
    }
}

/// Minutes, a day counted as 24 hours; to compare delays of different units.
pub(super) fn rough_minutes(delay: Delay) -> u64 {
    let amount = u64::from(delay.amount());
    match delay.unit() {
        DelayUnit::Minutes => amount,
        DelayUnit::Hours => amount * 60,
        DelayUnit::Days | DelayUnit::BusinessDays => amount * 24 * 60,
    }
}

fn of(grounds: &Grounds<'_>) -> Calendar {
    let settings = grounds.settings;
    Calendar { zone: settings.zone.clone(), window: settings.window, holidays: settings.holidays.clone() }
}

/// Every minute of the window is a quiet one.
fn quiet_always(grounds: &Grounds<'_>) -> bool {
    let (from, to) = (grounds.quiet.from().minutes(), grounds.quiet.to().minutes());
    let quiet = |minute: u16| if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to };
    let window = grounds.settings.window;
    (window.start().minutes()..window.stop().minutes()).all(quiet)
}
