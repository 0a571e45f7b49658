//! The flows of a run: drawn ones, of every kind of step, with branches, conditions and loops, as the laws of the core draw
//! them; and plain ones in which every day has its step.

use crate::flows::{flow_of, settings};
use crate::seeded::sample;
use cadenza_core::calendar::{Delay, DelayUnit, Window, Zone};
use cadenza_core::flow::{Condition, Flow, Step, StepKind, Then, When};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::pacing::mix;
use cadenza_core::settings::{Per, Rate, Settings};

pub use crate::flows::ZONES;

/// A flow and settings made from the seed.
pub fn drawn(seed: u64, w: WorkspaceId, n: usize) -> (Flow, Settings) {
    let seed = mix(seed ^ (w.0 as u64) << 40 ^ (n as u64) << 50);
    let mut flow = sample(&flow_of(2..7), seed);
    let mut settings = sample(&settings(), seed);
    for step in flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        say(step);
    }
    if n == 0 || seed.is_multiple_of(2) {
        straighten(&mut flow);
    }
    if seed.is_multiple_of(3) {
        settings.window = Window::always();
    }
    if seed.is_multiple_of(4) {
        settings.email_rate = Some(Rate { count: 3, per: Per::Hour });
    }
    (flow, settings)
}

/// No condition leads to another step or branch: whoever gets a step twice then got it wrongly.
fn straighten(flow: &mut Flow) {
    for condition in flow.branches.iter_mut().flat_map(|b| &mut b.steps).flat_map(|s| &mut s.conditions) {
        if matches!(condition.then, Then::Step { .. } | Then::Branch { .. }) {
            condition.then = Then::Next;
        }
    }
}

/// What a message says; a contact without a first name blocks it.
fn say(step: &mut Step) {
    for variant in &mut step.content.variants {
        variant.text = format!("Dear {{{{ contact.first_name | default('you') }}}}, {}", variant.text);
        if step.key.as_str() == "s1" {
            variant.text = "Dear {{ contact.first_name }}".into();
        }
    }
}

/// Ten steps a day apart: mails with and without conditions, texts, calls and tasks.
pub fn plain(n: usize) -> (Flow, Settings) {
    use StepKind::{Call, EmailAuto, SmsAuto, Task};
    let kinds: &[StepKind] = match n % 4 {
        0 => &[EmailAuto, Task, EmailAuto, Call, Task, EmailAuto, Task, Call, EmailAuto, Task, SmsAuto, Task],
        1 => &[Task, Call, Task, EmailAuto, Call, Task, Task, SmsAuto, Task, Call, EmailAuto, Task],
        2 => &[EmailAuto, Call, Task, Task, Call, EmailAuto, Task, Call, Task, EmailAuto, Call, Task],
        _ => &[SmsAuto, Task, Task, EmailAuto, Task, Call, Task, Task, EmailAuto, Call, Task, Task],
    };
    let day = Delay::new(1, DelayUnit::Days).unwrap();
    let steps = kinds
        .iter()
        .enumerate()
        .map(|(i, kind)| {
            let clicked = Condition {
                when: When::Clicked(None),
                within: Some(Delay::new(2, DelayUnit::Days).unwrap()),
                then: Then::Next,
                also: Vec::new(),
            };
            let conditions = if *kind == EmailAuto && i % 5 == 2 { vec![clicked] } else { Vec::new() };
            let mut step =
                crate::case::step(&format!("s{i}"), *kind, if i == 0 { Delay::NONE } else { day }, conditions);
            say(&mut step);
            step
        })
        .collect();
    let flow = Flow { version: 1, branches: vec![crate::case::branch("main", steps)] };
    let window = if n.is_multiple_of(2) { Window::always() } else { Window::default() };
    (flow, Settings { window, zone: Zone::utc(), ..Settings::default() })
}
