//! What comes in: replies, absences, bounces, complaints, opt-outs, opens and clicks (SPEC §9, REC-11). A forged or unmatched
//! message can at most stop; nothing here starts or continues an enrollment, but for a condition on a message's own token.

use super::Level;
use super::effect::{Effect, Spread, SuppressWhat, SuppressWhy};
use super::event::{BounceClass, By, Event, Halt, Incoming, Reach};
use super::turn::Turn;
use crate::calendar::{Delay, DelayUnit};
use crate::enrollment::{Finish, Hold, Life, State};
use crate::flow::{Channel, Verdict, When};
use crate::settings::{Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OwnMail, ResumeAfter};
use crate::time::{Span, Time};

impl Turn<'_> {
    pub fn reply(&mut self, channel: Incoming, visit: Option<u32>) {
        self.settle_by_evidence(visit);
        self.note_reply();
        let settings = self.facts.settings();
        self.spread(
            settings.reply_others,
            |then| Spread::OtherSequences(Event::RepliedElsewhere { then }),
            channel,
            false,
        );
        self.spread(
            settings.reply_colleagues,
            |then| Spread::Colleagues(Event::ColleagueReplied { then }),
            channel,
            true,
        );
        if !self.e.is_live() {
            return;
        }
        if visit.is_some_and(|v| self.decide_wait(v, |when| *when == When::Replied)) {
            return;
        }
        match settings.reply {
            OnReply::Stop => self.finish(Finish::Replied, Verdict::None),
            OnReply::Pause => self.hold(Hold::Reply),
            OnReply::GoOn => {}
        }
    }

    pub fn note_reply(&mut self) {
        self.e.replies += 1;
        self.e.first_reply_at = self.e.first_reply_at.or(Some(self.now));
        self.e.last_reply_at = Some(self.now);
    }

    fn spread(&mut self, setting: OnElsewhere, news: impl Fn(Halt) -> Spread, channel: Incoming, colleagues: bool) {
        let spread = match setting {
            OnElsewhere::Nothing => return,
            OnElsewhere::Pause => news(Halt::Pause),
            OnElsewhere::Stop => news(Halt::Stop),
            OnElsewhere::Ask => Spread::Ask { colleagues, channel },
        };
        self.effects.push(Effect::Spread(spread));
    }

    pub fn out_of_office(&mut self, visit: Option<u32>, until: Option<Time>) {
        self.settle_by_evidence(visit);
        if self.e.life != Life::Running {
            return;
        }
        let rule = self.facts.settings().out_of_office;
        let resumes = match rule.resume {
            ResumeAfter::ByHand => None,
            ResumeAfter::Return => {
                let (from, days) = until.map_or((self.now, rule.days_without_date), |t| (t, rule.days_after_return));
                let calendar = self.facts.calendar();
                let at = calendar
                    .after(from.max(self.now), Delay::new(days, DelayUnit::Days).unwrap_or(Delay::NONE))
                    .unwrap_or(from);
                Some(calendar.next_open(at).unwrap_or(at))
            }
        };
        self.hold(Hold::OutOfOffice);
        // Of two messages the later return counts; one that names no end keeps it for a person.
        self.e.hold_until = resumes.map(|t| self.e.hold_until.map_or(t, |old| old.max(t)));
    }

    pub fn bounce(&mut self, visit: Option<u32>, class: BounceClass, detail: &str) {
        self.detail = Some(detail.to_owned());
        self.settle_by_evidence(visit);
        match class {
            BounceClass::Sender => {
                let runs = matches!(self.state(), State::Active | State::Blocked);
                if let Some(mailbox) = self.e.mailbox.filter(|_| runs) {
                    self.effects.push(Effect::HoldMailbox { mailbox, detail: detail.to_owned() });
                    self.say(Level::Warning, "sender_refused", None);
                }
            }
            BounceClass::Hard => self.hard_bounce(visit),
            BounceClass::Soft => self.soft_bounce(visit),
        }
    }

    fn hard_bounce(&mut self, visit: Option<u32>) {
        self.e.bounced = true;
        // Only a report that carries the send's own token suppresses: it may be forged otherwise.
        if visit.is_some() {
            self.suppress(SuppressWhat::Email { visit }, SuppressWhy::HardBounce);
        }
        self.end_bounced(visit);
    }

    fn end_bounced(&mut self, visit: Option<u32>) {
        if !self.e.is_live() || visit.is_some_and(|v| self.decide_wait(v, |when| *when == When::Bounced)) {
            return;
        }
        self.finish(Finish::Bounced, Verdict::None);
    }

    fn soft_bounce(&mut self, visit: Option<u32>) {
        let rule = self.facts.settings().soft_bounce;
        if self.e.life != Life::Running || self.is_marked() {
            return;
        }
        // A later step has gone out since, or the report names no message of ours: noted.
        if visit != Some(self.e.last_visit) {
            return;
        }
        let flow = self.flow;
        let Some(spot) = self.e.last_step.as_ref().and_then(|key| flow.spot(key)) else { return };
        self.e.soft_bounces += 1;
        let first = *self.e.soft_bounce_at.get_or_insert(self.now);
        if self.e.soft_bounces >= rule.tries || self.now - first > Span::hours(i64::from(rule.hours)) {
            self.e.bounced = true;
            self.say(Level::Warning, "soft_bounces_used_up", None);
            return self.end_bounced(visit);
        }
        let pause = Delay::new((rule.hours / rule.tries.max(1)).max(1), DelayUnit::Hours).unwrap_or(Delay::NONE);
        self.drop_planned();
        self.e.wait = None;
        self.plan(spot, self.now, Some(pause));
        self.say(Level::Warning, "tried_again", None);
    }

    pub fn complaint(&mut self, visit: Option<u32>) {
        self.settle_by_evidence(visit);
        self.e.opted_out = true;
        self.suppress(SuppressWhat::Email { visit }, SuppressWhy::Complaint);
        self.end_opted_out(visit, Incoming::Email);
    }

    pub fn opt_out(&mut self, channel: Incoming, visit: Option<u32>, reach: Reach) {
        self.settle_by_evidence(visit);
        self.e.opted_out = true;
        let what = match (reach, channel) {
            (Reach::Everything, _) => SuppressWhat::Everything,
            (Reach::Channel, Incoming::Text) => SuppressWhat::Phone { visit },
            (Reach::Channel, Incoming::Email | Incoming::ByHand) => SuppressWhat::Email { visit },
        };
        self.suppress(what, SuppressWhy::OptOut);
        let others = self.facts.settings().opt_out_suppresses == OptOutSuppresses::AddressOtherChannelsGoOn;
        if others && reach == Reach::Channel && self.has_other_channels(channel) {
            self.run_unsubscribed_actions(visit);
            if self.spot().is_some_and(|s| s.step.kind.channel() == channel_of(channel)) {
                self.withdraw();
            }
            return;
        }
        self.end_opted_out(visit, channel);
    }

    fn end_opted_out(&mut self, visit: Option<u32>, channel: Incoming) {
        self.run_unsubscribed_actions(visit);
        self.spread_opt_out(channel);
        if self.e.is_live() {
            self.finish(Finish::OptedOut, Verdict::None);
        }
    }

    /// By setting an opt-out ends the contact's other sequences too.
    pub fn spread_opt_out(&mut self, channel: Incoming) {
        if self.facts.settings().opt_out_ends == OptOutEnds::AllSequences {
            self.effects.push(Effect::Spread(Spread::OtherSequences(Event::OptedOutElsewhere { channel })));
        }
    }

    /// A condition on *unsubscribed* never leads on (FLOW-8); its side actions still run.
    fn run_unsubscribed_actions(&mut self, visit: Option<u32>) {
        let Some(wait) = self.e.wait.as_ref().filter(|w| Some(w.visit) == visit && self.e.is_live()) else { return };
        let flow = self.flow;
        let Some(spot) = flow.spot(&wait.step) else { return };
        let visit = wait.visit;
        if let Some(condition) = spot.step.conditions.iter().find(|c| c.when == When::Unsubscribed) {
            self.side_actions(visit, &condition.also);
        }
    }

    fn has_other_channels(&self, than: Incoming) -> bool {
        self.flow.steps().any(|s| s.kind.channel() != channel_of(than))
    }

    pub fn opened(&mut self, visit: u32, by: By) {
        self.settle_by_evidence(Some(visit));
        if by == By::Person {
            self.e.opens += 1;
            if self.e.life == Life::Running {
                self.decide_wait(visit, |when| *when == When::Opened);
            }
        }
    }

    pub fn clicked(&mut self, visit: u32, link: &str, by: By) {
        self.settle_by_evidence(Some(visit));
        if by == By::Person {
            self.e.clicks += 1;
            if self.e.life == Life::Running {
                self.decide_wait(
                    visit,
                    |when| matches!(when, When::Clicked(wanted) if wanted.as_deref().is_none_or(|w| w == link)),
                );
            }
        }
    }

    pub fn delivered(&mut self, visit: u32) {
        self.settle_by_evidence(Some(visit));
        if self.e.life == Life::Running {
            self.decide_wait(visit, |when| *when == When::Delivered);
        }
    }

    pub fn other_mail(&mut self, visit: Option<u32>) {
        self.settle_by_evidence(visit);
    }

    pub fn colleague_replied(&mut self, then: Halt) {
        if !self.e.is_live() {
            return;
        }
        match then {
            Halt::Pause => self.hold(Hold::Colleague),
            Halt::Stop => self.finish(Finish::Rule, Verdict::None),
        }
    }

    pub fn replied_elsewhere(&mut self, then: Halt) {
        if !self.e.is_live() {
            return;
        }
        match then {
            Halt::Pause => self.hold(Hold::Reply),
            Halt::Stop => self.finish(Finish::Replied, Verdict::None),
        }
    }

    pub fn opted_out_elsewhere(&mut self) {
        self.e.opted_out = true;
        if self.e.is_live() {
            self.finish(Finish::OptedOut, Verdict::None);
        }
    }

    pub fn own_mail(&mut self) {
        if self.facts.settings().own_mail == OwnMail::End && self.e.is_live() {
            self.finish(Finish::Rule, Verdict::None);
        }
    }

    pub fn meeting_booked(&mut self) {
        if self.facts.settings().meeting == Meeting::EndPositive && self.e.is_live() {
            self.finish(Finish::Rule, Verdict::Positive);
        }
    }
}

/// The channel that an opt-out by this way stops.
fn channel_of(incoming: Incoming) -> Channel {
    match incoming {
        Incoming::Text => Channel::Text,
        Incoming::Email | Incoming::ByHand => Channel::Email,
    }
}
