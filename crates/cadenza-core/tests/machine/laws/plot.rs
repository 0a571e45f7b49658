//! A random simulation: the product's own, of a random file, people, script and surroundings, and what is done to the people
//! while it runs.

use super::flows::{ZONES, flow_of, settings};
use cadenza_core::absence::Away;
use cadenza_core::calendar::{Delay, DelayUnit, Quiet, Window, Zone};
use cadenza_core::enrollment::{Hold, Phase, SequenceState};
use cadenza_core::facts::{Address, Person};
use cadenza_core::flow::file::{SequenceFile, SettingsPatch};
use cadenza_core::flow::{AddressKind, Flow, StepKind};
use cadenza_core::ids::UserId;
use cadenza_core::machine::{Actor, Answer, BounceClass, By, DueChoice, Event, Incoming, Reach, StopReason, Target};
use cadenza_core::pacing::{Limit, ScopeKind, mix};
use cadenza_core::settings::{Per, Rate, Settings};
use cadenza_core::simulate::{
    Act, Contact, Moment, Reaction, Reactor, Script, ScriptReactor, ServerSays, Setup, Simulation, Who, World,
};
use cadenza_core::time::{Span, Time};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashMap;

/// The primary user of a simulation.
const USER: UserId = UserId(1);

/// Everything that is drawn before it begins.
#[derive(Debug, Clone)]
pub struct Plot {
    flow: Flow,
    settings: Settings,
    people: Vec<Somebody>,
    reactions: Vec<Reaction>,
    caps: HashMap<ScopeKind, Limit>,
    quiet: bool,
    begin: Option<Time>,
    end: Option<Time>,
    /// Until when the user is absent.
    away: Option<Time>,
    /// Of a hundred offers, how many the server puts off.
    put_off: u8,
    /// How long to run on each time, and what to do then.
    pub looks: Vec<(u16, u8)>,
}

#[derive(Debug, Clone)]
struct Somebody {
    zone: Option<Zone>,
    plausible: Vec<Zone>,
    has_email: bool,
    has_phone: bool,
    is_suppressed: bool,
}

/// The people and the mail server of the simulation.
pub struct Folk {
    script: ScriptReactor,
    put_off: u8,
}

impl Reactor for Folk {
    fn react(&mut self, moment: &Moment<'_>) -> Vec<(Time, Event, Actor)> {
        self.script.react(moment)
    }

    fn answer(&mut self, who: usize, visit: u32, attempt: u32) -> ServerSays {
        let draw = mix(who as u64 ^ u64::from(visit) << 20 ^ u64::from(attempt) << 40);
        if draw % 100 < u64::from(self.put_off) {
            return ServerSays::Later(Span::minutes((draw % 3000) as i64));
        }
        ServerSays::Taken
    }
}

fn start() -> Time {
    "2027-03-01T10:00:00Z".parse().unwrap()
}

fn zones() -> impl Strategy<Value = Zone> {
    select(ZONES).prop_map(|name| name.parse().unwrap())
}

fn after_start(share: f64, hours: std::ops::Range<i64>) -> impl Strategy<Value = Option<Time>> {
    proptest::option::weighted(share, hours.prop_map(|h| start() + Span::hours(h)))
}

fn caps() -> impl Strategy<Value = HashMap<ScopeKind, Limit>> {
    let rate = |count: u32, per| Limit::Rate { rate: Rate { count, per }, zone: Zone::utc() };
    let pers = vec![Per::Minute, Per::Hour, Per::Day, Per::Day];
    let one = (select(vec![1, 1, 2]), select(pers)).prop_map(move |(n, per)| rate(n, per));
    let gap = Limit::Gap { gap: Span::minutes(40), jitter: Span::minutes(20) };
    let kinds: Vec<ScopeKind> = ScopeKind::ALL.into_iter().filter(|k| *k != ScopeKind::MailboxGap).collect();
    let rates = proptest::collection::hash_map(select(kinds), one, 0..4);
    (rates, any::<bool>()).prop_map(move |(mut limits, with_gap)| {
        if with_gap {
            limits.insert(ScopeKind::MailboxGap, gap.clone());
        }
        limits
    })
}

fn somebody() -> impl Strategy<Value = Somebody> {
    let chance = |share| prop::bool::weighted(share);
    let zones = (proptest::option::of(zones()), proptest::collection::vec(zones(), 0..3));
    (zones, chance(0.95), chance(0.9), chance(0.1)).prop_map(
        |((zone, plausible), has_email, has_phone, is_suppressed)| Somebody {
            zone,
            plausible,
            has_email,
            has_phone,
            is_suppressed,
        },
    )
}

fn reaction() -> impl Strategy<Value = Reaction> {
    let act = prop_oneof![
        Just(Act::Reply),
        (0i64..20).prop_map(|d| Act::OutOfOffice { until: (d > 3).then(|| Span::days(d)) }),
        Just(Act::Open(By::Person)),
        Just(Act::Click { link: Some("https://example.com/a".into()), by: By::Person }),
        Just(Act::Click { link: None, by: By::Machine }),
        Just(Act::Deliver),
        select(vec![BounceClass::Soft, BounceClass::Hard, BounceClass::Sender]).prop_map(Act::Bounce),
        select(vec![Reach::Channel, Reach::Everything]).prop_map(Act::Unsubscribe),
        Just(Act::Meeting),
        Just(Act::Send),
    ];
    (act, 1i64..5000, 0i64..3000, 1u32..400_000).prop_map(|(act, least, more, share)| Reaction {
        name: format!("{act:?} after {least}"),
        contact: None,
        company: None,
        zone: None,
        share,
        lot: None,
        steps: Vec::new(),
        after: (Span::minutes(least), Span::minutes(least + more)),
        act,
        times: 2,
    })
}

/// A simulation of so many people.
pub fn plot(people: std::ops::Range<usize>) -> impl Strategy<Value = Plot> {
    let folk = (proptest::collection::vec(somebody(), people), proptest::collection::vec(reaction(), 0..4));
    let dates = (after_start(0.3, 0..400), after_start(0.4, 10..500), after_start(0.3, 0..300));
    let minutes = prop_oneof![1 => 1u16..200, 2 => 200u16..4000];
    let looks = proptest::collection::vec((minutes, any::<u8>()), 5..40);
    let world = (caps(), any::<bool>(), select(vec![0u8, 0, 30]));
    let flow = (flow_of(2..9), settings(), any::<bool>()).prop_map(|(flow, settings, brisk)| {
        let (flow, settings) = if brisk { brisker(flow, settings) } else { (flow, settings) };
        (flow, settings, if brisk { 10 } else { 1 })
    });
    (flow, folk, world, dates, looks).prop_map(
        |((flow, settings, pace), (people, reactions), (caps, quiet, put_off), (begin, end, away), looks)| Plot {
            flow,
            settings,
            people,
            reactions,
            caps,
            quiet,
            begin,
            end,
            away,
            put_off,
            looks: looks.into_iter().map(|(minutes, what)| (minutes / pace + 1, what)).collect(),
        },
    )
}

/// Steps within minutes and hours of each other at any time, every second a message that nothing follows from: that brings
/// them to their caps.
fn brisker(mut flow: Flow, mut settings: Settings) -> (Flow, Settings) {
    settings.window = Window::always();
    for (n, step) in flow.branches.iter_mut().flat_map(|b| &mut b.steps).enumerate() {
        if n.is_multiple_of(2) {
            step.kind = if n.is_multiple_of(4) { StepKind::EmailAuto } else { StepKind::SmsAuto };
            step.conditions.clear();
        }
        let delay = step.content.delay;
        if matches!(delay.unit(), DelayUnit::Days | DelayUnit::BusinessDays) {
            step.content.delay = Delay::new(delay.amount() * 7, DelayUnit::Minutes).unwrap();
        }
    }
    (flow, settings)
}

impl Plot {
    /// Where the server takes whatever it is offered: nobody's room is given back.
    pub fn all_taken(mut self) -> Plot {
        self.put_off = 0;
        self
    }

    /// The simulation that `cadenza simulate` would run, in this plot's surroundings.
    pub fn begin(&self) -> (World, Folk) {
        let mut file = SequenceFile::new("law");
        file.branches.clone_from(&self.flow.branches);
        file.settings = SettingsPatch::between(&Settings::default(), &self.settings);
        file.end = self.end;
        let contacts: Vec<Contact> = self.people.iter().enumerate().map(|(n, s)| s.contact(n)).collect();
        let script = Script { seed: 1, reactions: self.reactions.clone() };
        let setup = Setup { start: start(), days: 90, seed: None };
        let simulation = Simulation::new(&file, &contacts, &script, &setup).unwrap_or_else(|e| panic!("{e:?}"));
        let (mut world, mut folk) = (simulation.world, Folk { script: simulation.reactor, put_off: self.put_off });
        world.around.quiet = self.quiet.then(Quiet::default);
        world.around.absences = self.away.map(|until| Away::holding(USER, Some(until))).into_iter().collect();
        self.caps.iter().for_each(|(kind, limit)| world.limit(*kind, limit.clone()));
        if self.begin.is_some() {
            world.sequence.begin = self.begin;
            world.set_state(SequenceState::Scheduled, &mut folk);
        }
        (world, folk)
    }
}

impl Somebody {
    fn contact(&self, n: usize) -> Contact {
        let email = format!("p{n}@p{}.example", n / 2);
        let suppressed = self.is_suppressed.then(|| "imported".to_owned());
        let address = |value: String| Address { kind: AddressKind::Work, value, suppressed: suppressed.clone() };
        let person = Person {
            emails: self.has_email.then(|| address(email.clone())).into_iter().collect(),
            phones: self.has_phone.then(|| address(format!("+1555010{n:04}"))).into_iter().collect(),
            zone: self.zone.clone(),
            plausible_zones: self.plausible.clone(),
            ..Person::default()
        };
        let who = Who { email, company: format!("company {}", n / 2), zone: String::new() };
        Contact { who, person, ..Contact::default() }
    }
}

/// Pauses the sequence now and then, and resumes it. True where it did.
pub fn turn_sequence(world: &mut World, folk: &mut Folk, what: u8) -> bool {
    let to = match (world.sequence.state, what) {
        (SequenceState::Active, 0..=8) => SequenceState::Paused,
        (SequenceState::Paused, 9..=150) => SequenceState::Active,
        _ => return false,
    };
    world.set_state(to, folk);
    true
}

/// Does something to somebody, or nothing. True where what is known of them changed, whatever the enrollment makes of it.
pub fn interfere(world: &mut World, folk: &mut Folk, who: usize, what: u8) -> bool {
    let e = &world.enrollments[who];
    let place = e.place.as_ref();
    // What is being sent is left alone, so that no room is given back.
    if place.is_some_and(|p| p.phase == Phase::Executing) {
        return false;
    }
    let visit = place.map_or(0, |p| p.visit);
    let task = place.filter(|p| p.phase == Phase::Due);
    let menu = task.and_then(|p| world.flow.spot(&p.step)).map(|s| s.step.mark_as()).unwrap_or_default();
    let draw = mix(u64::from(what) << 8 ^ who as u64);
    let nth = (draw >> 32) as usize;
    let steps: Vec<_> = world.flow.steps().map(|s| s.key.clone()).collect();
    let event = match (draw % 80, menu.is_empty()) {
        (21..=40, _) if e.holds.has(Hold::LeftList) => Event::BackOnList,
        (21..=40, _) if !e.holds.is_empty() => Event::Resume,
        (21..=70, false) => Event::MarkTask { visit, outcome: menu[nth % menu.len()].clone() },
        (0, _) => Event::Pause,
        (1 | 2, _) => Event::Resume,
        (3, _) => Event::MoveNow { outside_window: Answer::NotAsked },
        (4, _) => Event::MoveNow { outside_window: Answer::Yes },
        (5 | 71..=73, _) => Event::OutOfOffice { visit: None, until: Some(world.now + Span::days(nth as i64 % 16)) },
        (6, _) => Event::Skip,
        (7, _) => Event::Reply { channel: Incoming::Email, visit: None },
        (8, _) => Event::Jump { to: Target::Step(steps[nth % steps.len()].clone()) },
        (9, _) => Event::LeftList,
        (10, _) => Event::BackOnList,
        (11, _) => Event::AbsenceBegan,
        (12, _) => Event::AbsenceEnded,
        (13, _) => Event::Reactivate { due: if nth.is_multiple_of(2) { DueChoice::Old } else { DueChoice::Now } },
        (14, _) => Event::Retry,
        (15, _) => Event::Remove,
        (16, _) => Event::EnrollAgain,
        (17, _) => Event::Stop { reason: StopReason::Met },
        (18, _) => Event::SendByHand { visit },
        (19, _) => Event::Opened { visit: e.last_visit, by: By::Person },
        (20, _) => {
            let kind = AddressKind::Work;
            let emails = vec![Address { kind, value: format!("new{who}@p.example"), suppressed: None }];
            let phones = vec![Address { kind, value: format!("+1555020{who:04}"), suppressed: None }];
            let person = &mut world.people[who].person;
            (person.emails, person.phones) = (emails, phones);
            Event::Mended
        }
        _ => return false,
    };
    world.put(who, &event, Actor::User(USER), folk);
    event == Event::Mended
}
