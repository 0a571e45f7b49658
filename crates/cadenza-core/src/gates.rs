//! The gates (ENR-13): the one ordered list of conditions for the current activity to run. The sender asks it before it
//! claims and again before the final dot; "why?" prints it. Asked in order, each answers open, or shut with why and until when.

use crate::absence::Meanwhile;
use crate::calendar::Shut as CalendarShut;
use crate::enrollment::{BlockReason, Enrollment, Finish, Hold, Life, Phase, Released, SequenceState};
use crate::facts::{Attempt, Facts, Inbox};
use crate::flow::{Channel, Flow, Spot, Step};
use crate::pacing::{Scope, ScopeKind};
use crate::settings::BlockedGoesOn;
use crate::time::Time;

crate::enrollment::words! {
    /// In the order asked.
    Gate ("gate") {
        RestoreHold = "restore_hold", "Restored database";
        Sequence = "sequence", "Sequence";
        EndDate = "end_date", "End date";
        Holds = "holds", "Pauses";
        Absence = "absence", "Absence";
        Step = "step", "Step";
        Conditions = "conditions", "Conditions";
        Delay = "delay", "Delay";
        Window = "window", "Window";
        Holiday = "holiday", "Holiday";
        QuietHours = "quiet_hours", "Quiet hours";
        MissingData = "missing_data", "Missing data";
        Suppression = "suppression", "Suppression";
        InboxFreshness = "inbox_freshness", "Inbox freshness";
        Mailbox = "mailbox", "Mailbox";
        SequenceLimiter = "sequence_limiter", "Sequence limiter";
        ContactCap = "contact_cap", "Contact cap";
        MailboxCap = "mailbox_cap", "Mailbox cap";
        DomainCap = "domain_cap", "Domain cap";
        WorkspaceCap = "workspace_cap", "Workspace cap";
    }
}

/// When a shut gate opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    At(Time),
    /// When somebody or something mends it; the clock alone does not.
    Mended,
    /// Never for this activity.
    Never,
}

/// What shuts a gate, as data; words are made of it in `explain`.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    RestoreHold,
    SequenceState(SequenceState),
    NotBegun(Time),
    Ended(Time),
    Held(Hold, Option<Time>),
    Absent(Option<Time>),
    /// The owner is away, and such steps are skipped meanwhile.
    SkippedWhileAway(Option<Time>),
    Pending,
    Finished(Finish),
    Removed,
    NoStep,
    Blocked(BlockReason),
    TaskOpen,
    Executing,
    WaitOpen(Time),
    Due(Time),
    Backoff(Time),
    Window(CalendarShut),
    Holiday(String),
    NeverOpens,
    Quiet(Time),
    NoAddress(Channel),
    MissingField(String),
    Suppressed {
        address: String,
        why: String,
    },
    InboxStale {
        mailbox: String,
        read_at: Time,
    },
    NoMailbox,
    MailboxHeld {
        mailbox: String,
        why: String,
    },
    Cap(ScopeKind),
}

/// One shut gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Shut {
    pub gate: Gate,
    pub until: Until,
    pub cause: Cause,
    /// The limiter whose queue to stand in, where a cap shuts.
    pub scope: Option<Scope>,
}

impl Shut {
    fn new(gate: Gate, until: Until, cause: Cause) -> Shut {
        Shut { gate, until, cause, scope: None }
    }
}

/// On what occasion the gates are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Before an attempt is recorded, or a task shown.
    Claim,
    /// Before the final dot: the attempt is under way and its room reserved.
    FinalMark,
    /// "Why?"
    Explain,
}

/// What the gates are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub enrollment: &'a Enrollment,
    pub flow: &'a Flow,
    pub facts: Facts<'a>,
    pub now: Time,
    pub occasion: Occasion,
}

impl<'a> Question<'a> {
    /// The step of the current activity.
    pub fn spot(&self) -> Option<Spot<'a>> {
        let place = self.enrollment.place.as_ref()?;
        self.flow.spot(&place.step)
    }

    /// The first shut gate; the sender's question.
    pub fn first_shut(&self) -> Option<Shut> {
        Gate::ALL.iter().find_map(|gate| self.ask(*gate))
    }

    /// Every gate in order, with what shuts it.
    pub fn all(&self) -> Vec<(Gate, Option<Shut>)> {
        Gate::ALL.iter().map(|gate| (*gate, self.ask(*gate))).collect()
    }

    /// Asks one gate. `None`: open, or without meaning for this step.
    pub fn ask(&self, gate: Gate) -> Option<Shut> {
        if self.by_hand() && !self.holds_by_hand(gate) {
            return None;
        }
        let shut = |until, cause| Some(Shut::new(gate, until, cause));
        match gate {
            Gate::RestoreHold => {
                if !self.facts.around.restore_hold || !self.sends() {
                    return None;
                }
                shut(Until::Mended, Cause::RestoreHold)
            }
            Gate::Sequence => self.ask_sequence(),
            Gate::EndDate => {
                let end = self.facts.sequence.end.filter(|end| *end <= self.now)?;
                shut(Until::Never, Cause::Ended(end))
            }
            Gate::Holds => self.ask_holds(),
            Gate::Absence => self.ask_absence(),
            Gate::Step => self.ask_step(),
            Gate::Conditions => self.ask_conditions(),
            Gate::Delay => self.ask_delay(),
            Gate::Window | Gate::Holiday => self.ask_calendar(gate),
            Gate::QuietHours => self.ask_quiet(),
            Gate::MissingData => self.ask_data(),
            Gate::Suppression => self.ask_suppression(),
            Gate::InboxFreshness => self.ask_inbox(),
            Gate::Mailbox => self.ask_mailbox(),
            Gate::SequenceLimiter => self.ask_cap(gate, &[ScopeKind::SequenceEmails, ScopeKind::SequenceTexts]),
            Gate::ContactCap => self.ask_cap(gate, &[ScopeKind::Contact]),
            Gate::MailboxCap => {
                self.ask_cap(gate, &[ScopeKind::MailboxDay, ScopeKind::MailboxHour, ScopeKind::MailboxGap])
            }
            Gate::DomainCap => self.ask_cap(gate, &[ScopeKind::Domain]),
            Gate::WorkspaceCap => self.ask_cap(gate, &[ScopeKind::Workspace]),
        }
    }

    /// Does the current activity send by itself, or is a person's message on its way?
    fn sends(&self) -> bool {
        self.spot().is_some_and(|s| s.step.kind.is_automatic()) || self.by_hand()
    }

    /// A person's own message: refused for suppression only, else asked on the screen (INV-2).
    fn by_hand(&self) -> bool {
        let manual = self.spot().is_some_and(|s| !s.step.kind.is_automatic());
        match self.occasion {
            Occasion::FinalMark => manual,
            Occasion::Explain => manual && self.is_put_off(),
            Occasion::Claim => false,
        }
    }

    /// Which gates a person's own message has.
    fn holds_by_hand(&self, gate: Gate) -> bool {
        match gate {
            Gate::RestoreHold | Gate::Step | Gate::Suppression => true,
            // Before it is tried again, they keep the clock from it.
            Gate::Holds | Gate::Delay => self.occasion == Occasion::Explain,
            _ => false,
        }
    }

    /// Did a server put the message off, to be tried again by itself?
    fn is_put_off(&self) -> bool {
        self.enrollment.place.as_ref().is_some_and(|p| p.phase == Phase::Due && p.not_before.is_some())
    }

    fn ask_sequence(&self) -> Option<Shut> {
        let sequence = self.facts.sequence;
        let shut = |until, cause| Some(Shut::new(Gate::Sequence, until, cause));
        match sequence.state {
            SequenceState::Active => {
                let begin = sequence.begin.filter(|begin| *begin > self.now)?;
                shut(Until::At(begin), Cause::NotBegun(begin))
            }
            SequenceState::Scheduled => match sequence.begin {
                Some(begin) => shut(Until::At(begin), Cause::NotBegun(begin)),
                None => shut(Until::Mended, Cause::SequenceState(sequence.state)),
            },
            SequenceState::Draft | SequenceState::Paused => shut(Until::Mended, Cause::SequenceState(sequence.state)),
            SequenceState::Ended | SequenceState::Archived => shut(Until::Never, Cause::SequenceState(sequence.state)),
        }
    }

    fn ask_holds(&self) -> Option<Shut> {
        let e = self.enrollment;
        // The hold that lasts longest decides until when.
        let lasting = e.holds.iter().find(|h| *h != Hold::OutOfOffice || e.hold_until.is_none());
        if let Some(hold) = lasting {
            return Some(Shut::new(Gate::Holds, Until::Mended, Cause::Held(hold, None)));
        }
        let hold = e.holds.first()?;
        let until = e.hold_until.filter(|t| *t > self.now)?;
        Some(Shut::new(Gate::Holds, Until::At(until), Cause::Held(hold, Some(until))))
    }

    fn ask_absence(&self) -> Option<Shut> {
        let spot = self.spot()?;
        let over = |until: Option<Time>| until.is_some_and(|t| t <= self.now);
        if let Some((away, Meanwhile::Skip)) = self.facts.meanwhile(self.enrollment, spot.step) {
            // A task that has appeared stays for whoever does it.
            let open = self.occasion == Occasion::Explain && self.has_appeared(spot.step);
            let skips = !over(away.until) && !open;
            return skips.then(|| Shut::new(Gate::Absence, Until::Never, Cause::SkippedWhileAway(away.until)));
        }
        let away = self.facts.held_by(self.enrollment, spot.step).filter(|away| !over(away.until))?;
        let opens = away.until.map_or(Until::Mended, Until::At);
        Some(Shut::new(Gate::Absence, opens, Cause::Absent(away.until)))
    }

    fn has_appeared(&self, step: &Step) -> bool {
        !step.kind.is_automatic() && self.enrollment.place.as_ref().is_some_and(|p| p.phase == Phase::Due)
    }

    fn ask_step(&self) -> Option<Shut> {
        let e = self.enrollment;
        let shut = |until, cause| Some(Shut::new(Gate::Step, until, cause));
        match e.life {
            Life::Removed => return shut(Until::Mended, Cause::Removed),
            Life::Finished => return shut(Until::Never, Cause::Finished(e.finish.unwrap_or(Finish::Stopped))),
            Life::Pending => return shut(Until::At(self.now), Cause::Pending),
            Life::Running => {}
        }
        if let Some(block) = e.block {
            let waits_for_person =
                !block.mends_itself() || self.facts.settings().blocked_goes_on == BlockedGoesOn::ByRetry;
            if waits_for_person {
                return shut(Until::Mended, Cause::Blocked(block));
            }
        }
        let Some(spot) = self.spot() else {
            return if e.wait.is_some() { None } else { shut(Until::Never, Cause::NoStep) };
        };
        let phase = e.place.as_ref().map(|p| p.phase);
        match (self.occasion, phase) {
            (Occasion::FinalMark, Some(Phase::Executing)) => None,
            (_, Some(Phase::Executing)) => shut(Until::Mended, Cause::Executing),
            (Occasion::Explain, Some(Phase::Due)) if !spot.step.kind.is_automatic() && !self.is_put_off() => {
                shut(Until::Mended, Cause::TaskOpen)
            }
            _ => None,
        }
    }

    fn ask_conditions(&self) -> Option<Shut> {
        if self.occasion == Occasion::FinalMark {
            return None;
        }
        let e = self.enrollment;
        let wait = e.wait.as_ref()?;
        if e.place.as_ref().is_some_and(|p| p.released >= Released::Delay) || wait.until <= self.now {
            return None;
        }
        Some(Shut::new(Gate::Conditions, Until::At(wait.until), Cause::WaitOpen(wait.until)))
    }

    fn ask_delay(&self) -> Option<Shut> {
        let place = self.enrollment.place.as_ref()?;
        if self.occasion == Occasion::FinalMark {
            return None;
        }
        if let Some(t) = place.not_before.filter(|t| *t > self.now) {
            return Some(Shut::new(Gate::Delay, Until::At(t), Cause::Backoff(t)));
        }
        // Whoever sends by hand does not wait for the step to be due.
        if place.released >= Released::Delay || place.due <= self.now || self.by_hand() {
            return None;
        }
        Some(Shut::new(Gate::Delay, Until::At(place.due), Cause::Due(place.due)))
    }

    fn ask_calendar(&self, gate: Gate) -> Option<Shut> {
        let place = self.enrollment.place.as_ref()?;
        // A task stays once it has appeared (TIM-1), and a person's own mail is asked about on the screen.
        let manual = !self.spot()?.step.kind.is_automatic();
        if place.released == Released::Window || (manual && place.phase != Phase::Waiting) {
            return None;
        }
        let calendar = self.facts.calendar();
        let why = calendar.why_shut(self.now)?;
        let until = calendar.next_open(self.now).map_or(Until::Never, Until::At);
        match (gate, why) {
            (Gate::Holiday, CalendarShut::Holiday(name)) => Some(Shut::new(gate, until, Cause::Holiday(name))),
            (Gate::Window, CalendarShut::Holiday(_)) | (Gate::Holiday, _) => None,
            (_, why) => {
                Some(Shut::new(gate, until, if until == Until::Never { Cause::NeverOpens } else { Cause::Window(why) }))
            }
        }
    }

    fn ask_quiet(&self) -> Option<Shut> {
        let spot = self.spot()?;
        if spot.step.kind.channel() != Channel::Text || !self.sends() {
            return None;
        }
        let quiet = self.facts.around.quiet.as_ref()?;
        let own = [self.facts.zone().0.clone()];
        let plausible = &self.facts.person.plausible_zones;
        let zones: &[_] = if plausible.is_empty() { &own } else { plausible };
        if !quiet.is_quiet_anywhere(zones, self.now) {
            return None;
        }
        let (until, cause) = match quiet.next_allowed(zones, self.now) {
            Ok(t) => (Until::At(t), Cause::Quiet(t)),
            Err(_) => (Until::Never, Cause::NeverOpens),
        };
        Some(Shut::new(Gate::QuietHours, until, cause))
    }

    fn ask_data(&self) -> Option<Shut> {
        let spot = self.spot()?;
        if !self.sends() {
            return None;
        }
        let shut = |cause| Some(Shut::new(Gate::MissingData, Until::Mended, cause));
        if self.facts.address_for(spot.step).is_none() {
            return shut(Cause::NoAddress(spot.step.kind.channel()));
        }
        let field = self.facts.missing_field?;
        shut(Cause::MissingField(field.to_owned()))
    }

    fn ask_suppression(&self) -> Option<Shut> {
        let spot = self.spot()?;
        if !self.sends() {
            return None;
        }
        let address = self.facts.address_for(spot.step)?;
        let why = address.suppressed.clone()?;
        let cause = Cause::Suppressed { address: address.value.clone(), why };
        Some(Shut::new(Gate::Suppression, Until::Never, cause))
    }

    fn ask_inbox(&self) -> Option<Shut> {
        let spot = self.spot()?;
        if spot.step.kind.channel() != Channel::Email || !self.sends() || self.enrollment.steps_executed == 0 {
            return None;
        }
        let mailbox = self.facts.mailbox_for(self.enrollment, spot.step)?;
        let Inbox::Stale { read_at } = mailbox.inbox else { return None };
        let cause = Cause::InboxStale { mailbox: mailbox.address.clone(), read_at };
        Some(Shut::new(Gate::InboxFreshness, Until::Mended, cause))
    }

    fn ask_mailbox(&self) -> Option<Shut> {
        let spot = self.spot()?;
        if spot.step.kind.channel() != Channel::Email || !self.sends() {
            return None;
        }
        let Some(mailbox) = self.facts.mailbox_for(self.enrollment, spot.step) else {
            return Some(Shut::new(Gate::Mailbox, Until::Mended, Cause::NoMailbox));
        };
        let why = mailbox.held.clone()?;
        let cause = Cause::MailboxHeld { mailbox: mailbox.address.clone(), why };
        Some(Shut::new(Gate::Mailbox, Until::Mended, cause))
    }

    fn ask_cap(&self, gate: Gate, kinds: &[ScopeKind]) -> Option<Shut> {
        let spot = self.spot()?;
        // At the final mark the room is already reserved.
        if self.occasion == Occasion::FinalMark || self.facts.attempt != Attempt::None || !self.sends() {
            return None;
        }
        let mailbox = match spot.step.kind.channel() {
            Channel::Email => self.facts.mailbox_for(self.enrollment, spot.step).map(|m| m.id),
            _ => None,
        };
        let scopes = self.facts.scopes_for(self.enrollment, spot.step, mailbox);
        let shut = scopes
            .into_iter()
            .filter(|s| kinds.contains(&s.kind))
            .filter_map(|s| self.facts.ledger.opens_at(s, self.now).map(|t| (s, t)))
            .max_by_key(|(_, t)| *t)?;
        let (scope, opens) = shut;
        let until = if opens == Time::MAX { Until::Mended } else { Until::At(opens) };
        Some(Shut { gate, until, cause: Cause::Cap(scope.kind), scope: Some(scope) })
    }
}
