//! What a decision may know beside the enrollment itself: sequence, person, mailboxes, room. Loaded by the shell (or made up
//! by the simulator), never looked up from here.

use crate::absence::{Away, Meanwhile};
use crate::calendar::{Calendar, Quiet, Zone};
use crate::enrollment::{Enrollment, SequenceState};
use crate::flow::{AddressKind, Channel, OwnerRule, Priority, SenderRule, Step};
use crate::ids::{MailboxId, UserId};
use crate::pacing::{Ledger, Scope, mix, scopes_of};
use crate::settings::{Settings, ZoneOf};
use crate::time::Time;

/// Of the sequence.
#[derive(Debug, Clone)]
pub struct SequenceFacts {
    pub state: SequenceState,
    pub name: String,
    pub begin: Option<Time>,
    pub end: Option<Time>,
    pub primary_user: UserId,
    pub priority: Priority,
    pub settings: Settings,
}

/// One email address or number of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub kind: AddressKind,
    /// Normalised: an email address with its domain in lower case, a number as E.164.
    pub value: String,
    /// Why it is suppressed, if it is (SND-9).
    pub suppressed: Option<String>,
}

/// Of the contact or company.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub emails: Vec<Address>,
    pub phones: Vec<Address>,
    pub zone: Option<Zone>,
    pub company_zone: Option<Zone>,
    /// Every zone the person may be in, for quiet hours: own, by address, by area code.
    pub plausible_zones: Vec<Zone>,
    pub owner: Option<UserId>,
    pub company_owner: Option<UserId>,
}

/// Of one mailbox of the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct MailboxFacts {
    pub id: MailboxId,
    pub address: String,
    pub owner: UserId,
    pub sandbox: bool,
    /// Why it sends nothing at present: held after a rejection, a breaker, sign-in refused, switched off.
    pub held: Option<String>,
    pub inbox: Inbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbox {
    /// Read lately enough (REC-8), or the sandbox's.
    Fresh,
    /// Not read since; follow-ups wait.
    Stale { read_at: Time },
    /// Cannot be read at all; activation asked to confirm.
    Unreadable,
}

/// A stop of the whole server: from its last sign of life to its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    pub from: Time,
    pub to: Time,
}

/// Of the workspace, shared by a whole batch.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// A restored or copied database holds all sending until released (SND-12).
    pub restore_hold: bool,
    pub outage: Option<Outage>,
    pub mailboxes: Vec<MailboxFacts>,
    /// Sign-in address, in lower case, to user.
    pub users: Vec<(String, UserId)>,
    /// Users who are away now, until when, and what becomes of their work.
    pub absences: Vec<Away>,
    pub quiet: Option<Quiet>,
}

/// Of the attempt that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attempt {
    #[default]
    None,
    /// Recorded, before its final mark.
    Claimed,
    /// Past its final mark: only its result may follow.
    Marked,
}

/// All a decision may know.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub sequence: &'a SequenceFacts,
    pub around: &'a Surroundings,
    pub person: &'a Person,
    /// A merge field of the current step that is unknown or empty without fallback.
    pub missing_field: Option<&'a str>,
    pub attempt: Attempt,
    /// A newer live enrollment of the same contact in the same sequence exists (ENR-2).
    pub newer_live: NewerLive,
    pub ledger: &'a Ledger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewerLive {
    #[default]
    No,
    Yes,
}

impl<'a> Facts<'a> {
    pub fn settings(&self) -> &'a Settings {
        &self.sequence.settings
    }

    /// The zone the window is read in, and whose it is (TIM-1).
    pub fn zone(&self) -> (&'a Zone, ZoneSource) {
        let settings = self.settings();
        if settings.zone_of == ZoneOf::Contact {
            if let Some(zone) = &self.person.zone {
                return (zone, ZoneSource::Contact);
            }
            if let Some(zone) = &self.person.company_zone {
                return (zone, ZoneSource::Company);
            }
        }
        (&settings.zone, ZoneSource::Sequence)
    }

    pub fn calendar(&self) -> Calendar {
        let settings = self.settings();
        Calendar { zone: self.zone().0.clone(), window: settings.window, holidays: settings.holidays.clone() }
    }

    /// Whose work a step is, while they are away that of whom they named (TIM-7).
    pub fn owner_of(&self, e: &Enrollment, step: &Step) -> UserId {
        match self.meanwhile(e, step) {
            Some((_, Meanwhile::Delegate(to))) => to,
            _ => self.own_of(e, step),
        }
    }

    /// The absence of the step's owner, and what becomes of the step during it.
    pub fn meanwhile(&self, e: &Enrollment, step: &Step) -> Option<(&'a Away, Meanwhile)> {
        if self.around.absences.is_empty() {
            return None;
        }
        let away = self.away(self.own_of(e, step))?;
        Some((away, away.rules.of(step.kind)))
    }

    /// The absence for which a step waits: its owner's, or that of whom the owner named.
    pub fn held_by(&self, e: &Enrollment, step: &Step) -> Option<&'a Away> {
        let (away, meanwhile) = self.meanwhile(e, step)?;
        let holds = |away: &&Away| away.rules.of(step.kind) == Meanwhile::Hold;
        match meanwhile {
            Meanwhile::Hold => Some(away),
            Meanwhile::Delegate(to) => self.away(to).filter(holds),
            Meanwhile::GoOn | Meanwhile::Skip => None,
        }
    }

    fn away(&self, user: UserId) -> Option<&'a Away> {
        self.around.absences.iter().find(|away| away.user == user)
    }

    /// Whose work a step is when nobody is away (FLOW-2).
    fn own_of(&self, e: &Enrollment, step: &Step) -> UserId {
        if let Some(owner) = e.owner {
            return owner;
        }
        let resolved = match (&step.content.owner, e.subject) {
            (OwnerRule::CompanyOwner, _) => self.person.company_owner,
            (OwnerRule::ContactOwner, _) => self.person.owner,
            (OwnerRule::Enroller, _) => Some(e.enrolled_by),
            (OwnerRule::User(address), _) => {
                let wanted = address.to_lowercase();
                self.around.users.iter().find(|(a, _)| *a == wanted).map(|(_, id)| *id)
            }
        };
        resolved.unwrap_or(self.sequence.primary_user)
    }

    /// The address or number that a step uses: the first of the kind it asks for.
    pub fn address_for(&self, step: &Step) -> Option<&'a Address> {
        let all = match step.kind.channel() {
            Channel::Email => &self.person.emails,
            Channel::Text | Channel::Call => &self.person.phones,
            Channel::Linkedin | Channel::Task => return None,
        };
        let wanted = step.content.address;
        all.iter().find(|a| wanted == AddressKind::Any || a.kind == wanted)
    }

    pub fn mailbox(&self, id: MailboxId) -> Option<&'a MailboxFacts> {
        self.around.mailboxes.iter().find(|m| m.id == id)
    }

    /// The mailbox that writes this step: the one the enrollment has, else one of the step's sender in rotation (SND-8).
    /// A sandbox is used only where the workspace has no other mailbox, and never left again (API-5).
    pub fn mailbox_for(&self, e: &Enrollment, step: &Step) -> Option<&'a MailboxFacts> {
        if let Some(id) = e.mailbox {
            return self.mailbox(id);
        }
        let real = self.around.mailboxes.iter().any(|m| !m.sandbox);
        let owner = self.owner_of(e, step);
        let fits = |m: &&MailboxFacts| {
            if m.sandbox {
                return !real;
            }
            match &step.content.sender {
                SenderRule::Mailbox(address) => m.address.eq_ignore_ascii_case(address),
                SenderRule::Owner => m.owner == owner,
            }
        };
        let candidates = || self.around.mailboxes.iter().filter(fits);
        let usable = candidates().filter(|m| m.held.is_none()).count();
        if usable == 0 {
            return candidates().next();
        }
        let turn = (mix(e.id.0 as u64) % usable as u64) as usize;
        candidates().filter(|m| m.held.is_none()).nth(turn)
    }

    /// The limiters that a send of this step would use.
    pub fn scopes_for(&self, e: &Enrollment, step: &Step, mailbox: Option<MailboxId>) -> Vec<Scope> {
        let subject = match e.subject {
            crate::enrollment::Subject::Contact(c) => c.0,
            crate::enrollment::Subject::Company(c) => c.0,
        };
        let domain = match step.kind.channel() {
            Channel::Email => self.address_for(step).and_then(|a| a.value.rsplit_once('@')).map(|(_, d)| d),
            _ => None,
        };
        let channel = step.kind.channel();
        // Texts go by the gateway: the mailbox that the enrollment has for its emails does not limit them.
        let mailbox = mailbox.filter(|_| channel == Channel::Email);
        scopes_of(channel, e.sequence.0, subject, mailbox.map(|m| m.0), domain)
    }
}

/// Whose zone is used; the screen says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneSource {
    Contact,
    Company,
    Sequence,
}

impl Step {
    /// The wording that this enrollment gets: drawn by weight from a hash of ids, the same at every look.
    pub fn variant_for(&self, e: &Enrollment, visit: u32) -> Option<&crate::flow::Variant> {
        let total: u64 = self.content.variants.iter().map(|v| u64::from(v.weight)).sum();
        if total == 0 {
            return self.content.variants.first();
        }
        let mut draw =
            mix(e.id.0 as u64 ^ (u64::from(visit) << 40) ^ crate::pacing::hash_text(self.key.as_str()) as u64) % total;
        self.content.variants.iter().find(|v| {
            let weight = u64::from(v.weight);
            if draw < weight {
                return true;
            }
            draw -= weight;
            false
        })
    }
}
