//! Every mark, every dot and every message that a server has taken, held against what is true of the world: nothing after a
//! stop (INV-1), outside the window, above a cap or to whoever asked for silence (INV-2), twice or out of order (INV-3), or
//! from one workspace into another (INV-8).

use crate::breach::{Breach, Held, holds};
use crate::truth::{Recorded, Taken, Truth, number_of};
use crate::world::World;
use cadenza_core::calendar::Date;
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::Channel;
use cadenza_core::ids::{EnrollmentId, MailboxId, WorkspaceId};
use cadenza_core::pacing::hash_text;
use cadenza_core::settings::{Per, Rate, ZoneOf};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::Outgoing;

const HOUR: i64 = 3_600_000_000;

impl World {
    /// A message may pass its mark.
    pub fn check_mark(&mut self, w: WorkspaceId, id: EnrollmentId, visit: u32, attempt: u32) -> Held<()> {
        let op = self.op;
        let Some(recorded) = self.truth.recorded.get_mut(&(id, visit, attempt)) else {
            return Err(Breach::of("INV-3", format!("{}.{visit}.{attempt}: marked, and never recorded", id.0)));
        };
        let before = recorded.permit.replace(op);
        let recorded = recorded.clone();
        let node = self.node.door.node();
        holds("SND-5", self.truth.signs.contains_key(&node.epoch), || {
            format!("{}.{visit}.{attempt}: marked by node {} whose epoch {} is over", id.0, node.number, node.epoch)
        })?;
        let other = self.other.as_ref().filter(|other| other.in_hand.contains(&(id, visit, attempt)));
        holds("SND-5", other.is_none(), || format!("{}.{visit}.{attempt}: marked, and in another's hands", id.0))?;
        holds("INV-3", before.is_none(), || format!("{}.{visit}.{attempt}: marked twice", id.0))?;
        self.nothing_stands_against(w, id, visit, &recorded, op)?;
        self.in_window(w, id, visit, &recorded)
    }

    /// The final dot is written.
    pub fn check_dot(&mut self, message: &Outgoing) -> Held<()> {
        let (w, id, visit) = (message.workspace, message.enrollment, message.visit);
        let Some(recorded) = self.truth.recorded.get(&(id, visit, message.attempt)).cloned() else {
            return Err(Breach::of("INV-3", format!("{}.{visit}: sent, and never recorded", id.0)));
        };
        // What was put on record after the mark comes too late for this one; without a mark, nothing does.
        match recorded.permit {
            Some(permit) => self.nothing_stands_against(w, id, visit, &recorded, permit),
            None => {
                let gone = !self.truth.signs.contains_key(&self.node.door.node().epoch);
                holds("SND-5", !gone, || format!("{}.{visit}: no mark, and a dot of a node that is gone", id.0))?;
                self.nothing_stands_against(w, id, visit, &recorded, u64::MAX)?;
                self.in_window(w, id, visit, &recorded)
            }
        }
    }

    /// Was anything on record before `op` that stops it?
    fn nothing_stands_against(
        &mut self,
        w: WorkspaceId,
        id: EnrollmentId,
        visit: u32,
        recorded: &Recorded,
        op: u64,
    ) -> Held<()> {
        let what = format!("{}.{visit} ({}) by transaction {op}", id.0, recorded.step);
        holds("SND-12", !self.truth.is_held, || format!("{what}: from a database that was put back"))?;
        let story = self.truth.story((w, id));
        if let Some((since, by)) = story.stopped.as_ref().filter(|(since, _)| *since < op) {
            return Err(Breach::of("INV-1", format!("{what}: ended since {since} by {by}")));
        }
        let held = story.held.iter().find(|(_, since)| **since < op).map(|(cause, since)| (*cause, *since));
        if let Some((cause, since)) = held.filter(|_| recorded.automatic) {
            return Err(Breach::of("INV-1", format!("{what}: paused since {since}: {cause}")));
        }
        let course = self.truth.course(w, recorded.sequence);
        let runs = course.state == SequenceState::Active || course.rests_since >= op;
        holds("INV-1", runs || !recorded.automatic, || format!("{what}: its sequence is {}", course.state))?;
        match self.truth.silent_since(w, &recorded.to) {
            Some(since) if since < op => Err(Breach::of("INV-2", format!("{what}: {} asked for silence", recorded.to))),
            _ => Ok(()),
        }
    }

    /// What goes by itself goes inside the window, as it stands now.
    fn in_window(&mut self, w: WorkspaceId, id: EnrollmentId, visit: u32, recorded: &Recorded) -> Held<()> {
        let free = self.truth.story((w, id)).free_of_window.contains(&visit);
        if !recorded.automatic || free {
            return Ok(());
        }
        let now = self.now;
        let course = self.truth.course(w, recorded.sequence);
        let zone = self.zone_of(w, recorded.subject, course.settings.zone_of);
        let zone = zone.unwrap_or_else(|| course.settings.zone.name().to_owned());
        let local = now.to_jiff().to_zoned(jiff::tz::TimeZone::get(&zone).unwrap());
        let window = course.settings.window;
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let today = local.weekday().to_monday_zero_offset() as usize;
        let day = window.days().iter().any(|day| day as usize == today);
        let inside = window.start().minutes() <= minute && minute < window.stop().minutes();
        let feast = course.settings.holidays.contains(Date::from_jiff(local.date()));
        holds("INV-2", day && inside && !feast, || {
            format!("{}.{visit}: sent at {local}, and the window is {window} there", id.0)
        })?;
        holds("INV-1", course.end.is_none_or(|end| end > now), || format!("{}.{visit}: after the end date", id.0))
    }

    /// The zone of a person or their company, where the window is read in it.
    fn zone_of(&self, w: WorkspaceId, subject: Subject, of: ZoneOf) -> Option<String> {
        if of == ZoneOf::Sequence {
            return None;
        }
        let Subject::Contact(id) = subject else { return None };
        let (_, contact) = self.house.contacts.iter().find(|(of, c)| *of == w && c.id == id)?;
        contact.zone.as_ref().map(|zone| zone.name().to_owned())
    }

    /// A server takes a message.
    pub fn check_taken(&mut self, message: &Outgoing) -> Held<()> {
        let (w, id, visit) = (message.workspace, message.enrollment, message.visit);
        let what = format!("{} ({} of sequence {})", message.message_id, message.step, message.sequence.0);
        let story = self.truth.story((w, id));
        let before = story.taken.iter().filter(|t| t.visit == visit).count() as u32;
        let again = story.again.get(&visit).copied().unwrap_or(0);
        // What a node was asleep over for some minutes may come after a person has passed over it.
        let passed = story.decided.contains(&visit);
        let later = story.taken.iter().map(|t| t.visit).max().filter(|last| *last > visit && !passed);
        story.taken.push(Taken { visit, at: self.now });
        holds("INV-3", before <= again, || format!("{what}: taken {} times", before + 1))?;
        holds("INV-3", later.is_none(), || format!("{what}: after visit {later:?}"))?;
        self.once_a_step(message, &what)?;
        let own = Truth::is_of(w, &message.to)
            && message.mailbox.is_none_or(|id| self.house.mailboxes.iter().any(|(of, m)| *of == w && m.id == id));
        holds("INV-8", own, || format!("{what}: to {} from workspace {}", message.to, w.0))?;
        self.under_caps(message)
    }

    /// Where nothing leads back to it, a person gets a step once, by whatever enrollment.
    fn once_a_step(&mut self, message: &Outgoing, what: &str) -> Held<()> {
        let whose = (message.workspace, message.subject, message.sequence);
        let count = self.truth.steps.entry((whose.0, whose.1, whose.2, message.step.clone())).or_default();
        *count += 1;
        let count = *count;
        let allowed = self.truth.allowed.get(&whose).copied().unwrap_or(Some(0));
        let straight = self.truth.course(whose.0, whose.2).is_straight();
        let fine = allowed.is_none_or(|more| count <= 1 + more) || !straight;
        holds("INV-3", fine, || format!("{what}: the step was taken {count} times"))
    }

    fn under_caps(&mut self, message: &Outgoing) -> Held<()> {
        let (w, at, id) = (message.workspace, message.claimed_at, message.enrollment);
        let key = (id, message.visit, message.attempt);
        let automatic = self.truth.recorded.get(&key).is_some_and(|r| r.automatic);
        for (kind, of, rate) in self.rates(message) {
            let length = if rate.per == Per::Day { 24 * HOUR } else { HOUR };
            let bucket = self.truth.buckets.entry((w, kind, of, at.micros().div_euclid(length))).or_default();
            bucket.push((at, automatic));
            if !automatic || bucket.len() <= rate.count as usize {
                continue;
            }
            let earlier = bucket.iter().filter(|(t, auto)| *t < at || (*t == at && *auto)).count();
            holds("INV-2", earlier <= rate.count as usize, || {
                format!("{} ({}): the {earlier}th under a cap of {} ({kind})", message.message_id, at, rate.count)
            })?;
        }
        match message.mailbox {
            Some(mailbox) => self.after_the_gap(w, mailbox, at, automatic, &message.message_id),
            None => Ok(()),
        }
    }

    /// Every limit that a message has used.
    fn rates(&self, message: &Outgoing) -> Vec<(&'static str, i64, Rate)> {
        let course = self.truth.course(message.workspace, message.sequence);
        let settings = &self.house.settings;
        let mut all = Vec::new();
        let mut add = |kind, of, rate: Option<Rate>| all.extend(rate.map(|rate| (kind, of, rate)));
        let own =
            if message.channel == Channel::Email { course.settings.email_rate } else { course.settings.text_rate };
        add("sequence", message.sequence.0, own);
        add(
            "contact",
            number_of(message.subject) * 2 + i64::from(matches!(message.subject, Subject::Company(_))),
            settings.contact_cap,
        );
        add("workspace", 0, settings.workspace_cap);
        let domain = message.to.rsplit_once('@').map_or(0, |(_, domain)| hash_text(domain));
        add("domain", domain, settings.domain_cap.filter(|_| domain != 0));
        let mailbox =
            self.house.mailboxes.iter().find(|(w, m)| *w == message.workspace && Some(m.id) == message.mailbox);
        if let Some((_, mailbox)) = mailbox {
            let rate = |count: Option<u32>, per| count.map(|count| Rate { count, per });
            add("mailbox hour", mailbox.id.0, rate(mailbox.caps.hour, Per::Hour));
            add("mailbox day", mailbox.id.0, rate(mailbox.caps.day, Per::Day));
        }
        all
    }

    fn after_the_gap(&mut self, w: WorkspaceId, mailbox: MailboxId, at: Time, automatic: bool, what: &str) -> Held<()> {
        let made = self.house.mailboxes.iter().find(|(of, m)| *of == w && m.id == mailbox);
        let Some(caps) = made.map(|(_, m)| m.caps) else { return Ok(()) };
        let Some(gap) = caps.gap_seconds else { return Ok(()) };
        let least = Span::seconds(i64::from(gap) - i64::from(caps.jitter_seconds.unwrap_or(0).min(gap)));
        let all = self.truth.gaps.entry((w, mailbox)).or_default();
        let before = all.iter().rev().take(50).filter(|t| **t <= at).max().copied();
        all.push(at);
        let kept = before.is_none_or(|t| at - t >= least) || !automatic;
        holds("INV-2", kept, || format!("{what}: recorded at {at}, the one before at {before:?}"))
    }
}
