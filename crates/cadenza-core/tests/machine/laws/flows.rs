//! Random flows and settings: any kinds, delays, conditions, branches and loops; any window, zone, holidays and rules.

use crate::case::{branch, key, step};
use cadenza_core::calendar::{Days, Delay, DelayUnit, HolidayDate, Holidays, LocalMinute, Window, Zone};
use cadenza_core::flow::{Condition, Flow, Outcome, SideAction, Step, StepKind, Then, Verdict, When};
use cadenza_core::settings::{
    BlockedGoesOn, Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OutOfOffice, OwnMail, ResumeAfter,
    Settings, SoftBounce, ZoneOf,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::ops::Range;

pub const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Santiago",
];

fn delay() -> impl Strategy<Value = Delay> {
    let unit = select(vec![DelayUnit::Minutes, DelayUnit::Hours, DelayUnit::Days, DelayUnit::BusinessDays]);
    prop_oneof![1 => Just(Delay::NONE), 4 => (0u32..5, unit).prop_map(|(n, unit)| Delay::new(n, unit).unwrap())]
}

/// A wait is never empty, so that no loop turns without time passing.
fn within() -> impl Strategy<Value = Delay> {
    (1u32..5, select(vec![DelayUnit::Hours, DelayUnit::Days])).prop_map(|(n, unit)| Delay::new(n, unit).unwrap())
}

/// Ways that lead no further back than to the next step.
fn onward() -> BoxedStrategy<Then> {
    let verdict = select(vec![Verdict::None, Verdict::Positive, Verdict::Negative]);
    prop_oneof![3 => Just(Then::Next), 1 => verdict.prop_map(Then::End), 1 => Just(Then::Pause), 1 => Just(Then::OptOut)]
        .boxed()
}

/// Ways that lead anywhere.
fn anywhere(steps: usize) -> BoxedStrategy<Then> {
    let to = (0..steps, proptest::option::of(delay()));
    prop_oneof![
        4 => onward(),
        2 => to.prop_map(|(n, delay)| Then::Step { step: key(&format!("s{n}")), delay }),
        2 => proptest::option::of(delay()).prop_map(|delay| Then::Branch { branch: key("side"), delay }),
    ]
    .boxed()
}

fn condition(then: BoxedStrategy<Then>) -> impl Strategy<Value = Condition> {
    let when = select(vec![
        When::Opened,
        When::Clicked(None),
        When::Clicked(Some("https://example.com/a".into())),
        When::Replied,
        When::Bounced,
        When::Unsubscribed,
        When::Delivered,
        When::Delivered,
        When::Failed,
        When::Nothing,
    ]);
    let also = proptest::collection::vec(Just(SideAction::AddToList("hot".into())), 0..2);
    (when, within(), then, also).prop_map(|(when, within, then, also)| {
        let within = if when == When::Failed { None } else { Some(within) };
        Condition { when, within, then, also }
    })
}

fn outcome(then: BoxedStrategy<Then>) -> impl Strategy<Value = Condition> {
    let outcome = select(vec![Outcome::NoAnswer, Outcome::None, Outcome::Done, Outcome::Custom("later".into())]);
    (outcome, then).prop_map(|(outcome, then)| Condition {
        when: When::Outcome(outcome),
        within: None,
        then,
        also: Vec::new(),
    })
}

fn a_step(n: usize, then: BoxedStrategy<Then>) -> impl Strategy<Value = Step> {
    let automatic = (
        select(vec![StepKind::EmailAuto, StepKind::EmailAuto, StepKind::SmsAuto]),
        delay(),
        proptest::collection::vec(condition(then.clone()), 0..4),
    );
    let manual = (
        select(vec![StepKind::Call, StepKind::Task, StepKind::EmailManual, StepKind::SmsManual, StepKind::Linkedin]),
        delay(),
        proptest::collection::vec(outcome(then), 0..2),
    );
    prop_oneof![3 => automatic.boxed(), 1 => manual.boxed()]
        .prop_map(move |(kind, delay, conditions)| step(&format!("s{n}"), kind, delay, conditions))
}

/// Two branches; conditions lead anywhere.
pub fn flow() -> impl Strategy<Value = Flow> {
    flow_of(1..5)
}

/// With so many steps in the first branch.
pub fn flow_of(main: Range<usize>) -> impl Strategy<Value = Flow> {
    (main, 1usize..3).prop_flat_map(|(main, side)| {
        let all = main + side;
        let steps: Vec<_> = (0..all).map(|n| a_step(n, anywhere(all))).collect();
        steps.prop_map(move |mut steps| {
            let tail = steps.split_off(main);
            Flow { version: 1, branches: vec![branch("main", steps), branch("side", tail)] }
        })
    })
}

/// One branch that nothing leads back in.
pub fn straight_flow() -> impl Strategy<Value = Flow> {
    (1usize..7).prop_flat_map(|count| {
        let steps: Vec<_> = (0..count).map(|n| a_step(n, onward())).collect();
        steps.prop_map(|steps| Flow { version: 1, branches: vec![branch("main", steps)] })
    })
}

fn window() -> impl Strategy<Value = Window> {
    let days = proptest::collection::vec(0usize..7, 1..6);
    (days, 0u16..20, 1u16..12).prop_map(|(days, from, hours)| {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let mut days: Vec<usize> = days;
        days.sort_unstable();
        days.dedup();
        let text = days.iter().map(|d| names[*d]).collect::<Vec<_>>().join(",");
        let days: Days = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        let minute = |h: u16| LocalMinute::new(h.min(24), 0).unwrap();
        Window::new(days, minute(from), minute((from + hours).min(24))).unwrap()
    })
}

/// The settings that decide when; for every law.
pub fn timing() -> impl Strategy<Value = Settings> {
    let holidays = proptest::collection::vec((1i8..4, 1i8..28), 0..6);
    (window(), select(ZONES), holidays, any::<bool>()).prop_map(|(window, zone, holidays, of_contact)| {
        let holidays = holidays.into_iter().fold(Holidays::none(), |all, (month, day)| {
            all.with(HolidayDate::yearly(month, day).unwrap(), Some("feast"))
        });
        Settings {
            window,
            zone: zone.parse::<Zone>().unwrap(),
            zone_of: if of_contact { ZoneOf::Contact } else { ZoneOf::Sequence },
            holidays,
            ..Settings::default()
        }
    })
}

/// Every setting that the machine reads.
pub fn settings() -> impl Strategy<Value = Settings> {
    let elsewhere = vec![OnElsewhere::Nothing, OnElsewhere::Pause, OnElsewhere::Stop, OnElsewhere::Ask];
    let replies = (select(vec![OnReply::Stop, OnReply::Pause, OnReply::GoOn]), select(elsewhere));
    let away = (select(vec![ResumeAfter::ByHand, ResumeAfter::Return]), 0u32..3, 1u32..9);
    let soft = (1u32..4, 1u32..100);
    let flags = proptest::collection::vec(any::<bool>(), 5);
    (timing(), replies, away, soft, flags).prop_map(|(timing, (reply, others), away, soft, flags)| Settings {
        reply,
        reply_others: others,
        reply_colleagues: others,
        out_of_office: OutOfOffice { resume: away.0, days_after_return: away.1, days_without_date: away.2 },
        soft_bounce: SoftBounce { tries: soft.0, hours: soft.1 },
        own_mail: if flags[0] { OwnMail::End } else { OwnMail::Nothing },
        meeting: if flags[1] { Meeting::EndPositive } else { Meeting::Nothing },
        opt_out_ends: if flags[2] { OptOutEnds::AllSequences } else { OptOutEnds::ThisSequence },
        opt_out_suppresses: if flags[3] {
            OptOutSuppresses::Address
        } else {
            OptOutSuppresses::AddressOtherChannelsGoOn
        },
        blocked_goes_on: if flags[4] { BlockedGoesOn::ByItself } else { BlockedGoesOn::ByRetry },
        ..timing
    })
}
