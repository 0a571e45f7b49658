//! What holds of every stored enrollment, whatever happened: the constraints of its table, restated, and that it always has
//! a way out.

use cadenza_core::enrollment::{
    BlockReason, COLUMNS, Enrollment, Finish, Flat, Hold, Life, Mark, Phase, SequenceState, State,
};
use cadenza_core::flow::Flow;

/// Every broken rule, by the name of its constraint.
pub fn broken(e: &Enrollment, flow: &Flow) -> Vec<String> {
    let mut found = Vec::new();
    let row = e.to_flat();
    constraints(&row, &mut found);
    state_agrees(e, &mut found);
    way_out(e, flow, &mut found);
    match Enrollment::from_flat(&row) {
        Ok(back) if back == *e => {}
        Ok(_) => found.push("the row reads back as another enrollment".into()),
        Err(why) => found.push(format!("the row does not read back: {why}")),
    }
    found
}

fn constraints(row: &[Flat], found: &mut Vec<String>) {
    let at = |name: &str| {
        let i = COLUMNS.iter().position(|c| *c == name).unwrap_or_else(|| panic!("no column {name}"));
        &row[i]
    };
    let null = |name: &str| *at(name) == Flat::Null;
    let int = |name: &str| if let Flat::Int(n) = at(name) { Some(*n) } else { None };
    let text = |name: &str| if let Flat::Text(t) = at(name) { Some(t.as_str()) } else { None };
    let mut check = |name: &str, holds: bool| {
        if !holds {
            found.push(name.to_owned());
        }
    };
    // SQL lets a CHECK pass where it is unknown: a comparison with NULL.
    let known = |name: &str, test: &dyn Fn(i64) -> bool| int(name).is_none_or(test);

    check("enrollment_subject", null("contact_id") != null("company_id"));
    check("enrollment_life", known("life", &|n| (0..=3).contains(&n)));
    check("enrollment_holds", known("holds", &|n| (0..=255).contains(&n)));
    check("enrollment_block", text("block").is_none_or(|b| BlockReason::named(b).is_ok()));
    let no_step = null("step");
    let together = ["branch", "visit", "base_at", "due_at", "phase", "released", "attempt", "tries"];
    check(
        "enrollment_place",
        together.iter().all(|c| null(c) == no_step) && (!no_step || (null("delay") && null("not_before"))),
    );
    let visits = int("visits").unwrap_or(-1);
    check("enrollment_visit", known("visit", &|n| (0..=visits).contains(&n)));
    check("enrollment_phase", known("phase", &|n| (0..=2).contains(&n) && (n != 2 || int("attempt") > Some(0))));
    check("enrollment_released", known("released", &|n| (0..=2).contains(&n)));
    let no_wait = null("wait_step");
    let together = ["wait_branch", "wait_visit", "wait_from", "wait_until"];
    check("enrollment_wait", together.iter().all(|c| null(c) == no_wait));
    let life = int("life").unwrap_or(-1);
    check(
        "enrollment_finish",
        null("finish") == null("finished_at")
            && (life != 2 || !null("finish"))
            && (life > 1 || null("finish"))
            && text("finish").is_none_or(|f| Finish::named(f).is_ok()),
    );
    check("enrollment_mark", text("mark").is_none_or(|m| Mark::named(m).is_ok()));
    let counts = ["visits", "steps_executed", "emails", "texts", "opens", "clicks", "replies", "calls", "tasks"];
    check("enrollment_counts", counts.iter().chain(&["soft_bounces", "version"]).all(|c| int(c) >= Some(0)));
    check("enrollment_quiet", life <= 1 || null("parked"));
}

/// ENR-2: the state is the first that holds.
fn state_agrees(e: &Enrollment, found: &mut Vec<String>) {
    let expected = match (e.life, e.holds.is_empty(), e.block) {
        (Life::Removed, ..) => State::Removed,
        (Life::Finished, ..) => State::Finished,
        (_, false, _) => State::Paused,
        (_, true, Some(_)) => State::Blocked,
        (Life::Pending, true, None) => State::Pending,
        (Life::Running, true, None) => State::Active,
    };
    if e.state(SequenceState::Active).0 != expected {
        found.push(format!("enrollment_state: {expected}"));
    }
}

/// INV-4: active with an activity or an open wait; what is held or blocked has a way out.
fn way_out(e: &Enrollment, flow: &Flow, found: &mut Vec<String>) {
    let (state, _) = e.state(SequenceState::Active);
    if state == State::Active && e.place.is_none() && e.wait.is_none() {
        found.push("enrollment_active: neither an activity nor an open wait".into());
    }
    if state == State::Active && e.wait.is_none() {
        let known = e.place.as_ref().is_some_and(|p| flow.spot(&p.step).is_some());
        if !known {
            found.push("active on a step that the flow does not have".into());
        }
    }
    if e.life == Life::Pending && e.place.as_ref().is_some_and(|p| p.visit != 0) {
        found.push("pending with an activity".into());
    }
    if e.life == Life::Running && e.place.as_ref().is_some_and(|p| p.visit == 0) {
        found.push("running without a visit".into());
    }
    let executing = e.place.as_ref().is_some_and(|p| p.phase == Phase::Executing);
    if e.block == Some(BlockReason::DeliveryUnknown) && !executing {
        found.push("a delivery is unknown, but which?".into());
    }
    if e.block.is_some() && e.place.is_none() && e.is_live() {
        found.push("blocked on nothing".into());
    }
    if e.hold_until.is_some() && !e.holds.has(Hold::OutOfOffice) {
        found.push("an end of no hold".into());
    }
    if e.parked.is_some() && e.place.as_ref().is_none_or(|p| p.phase != Phase::Due) {
        found.push("in a queue with nothing due".into());
    }
    let due = e.place.as_ref().map(|p| p.due).or_else(|| e.wait.as_ref().map(|w| w.until));
    if e.is_live() && e.next_action_on() != due {
        found.push("next action on is not the due date".into());
    }
}
