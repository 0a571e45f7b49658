//! From the verdict on a mail to what it means: its class, and the event that its enrollments are told. Pure. What an address
//! alone vouches for is told without a message, so that it stops and does no more (REC-9).

use super::letter::Letter;
use super::whose::Match;
use cadenza_core::calendar::Date;
use cadenza_core::inbound::{self, AutoReply, Bounce, CalendarAnswer, Complaint, Evidence, FeedbackType, Kind};
use cadenza_core::machine::{Actor, BounceClass, Event, Incoming, Reach};
use cadenza_core::time::Time;
use cadenza_store::inbound_messages::{Class, MatchedBy};

/// What a message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub class: Class,
    pub what: What,
    pub channel: Incoming,
}

/// What the enrollments are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Reply,
    OptOut {
        reach: Reach,
    },
    OutOfOffice {
        until: Option<Date>,
    },
    Bounce {
        class: BounceClass,
        detail: String,
    },
    Complaint,
    Delivered,
    Meeting,
    OwnMail,
    /// A copy of what Cadenza sent.
    OwnCopy,
    /// Logged, changes nothing.
    Noted,
    /// Not even logged there.
    Nothing,
}

pub(super) fn of(letter: &Letter, found: &Match) -> Meaning {
    let mail = |class, what| Meaning { class, what, channel: Incoming::Email };
    if found.own {
        return mail(Class::OwnMail, What::OwnCopy);
    }
    if found.mailbox.is_some() {
        return mail(Class::OwnMail, What::OwnMail);
    }
    let (Some(kind), Ok(incoming)) = (letter.kind(), &letter.incoming) else {
        return mail(Class::Other, What::Nothing);
    };
    if found.unsubscribes && !matches!(kind, Kind::Bounce(_) | Kind::Complaint(_)) {
        return mail(Class::OptOut, What::OptOut { reach: Reach::Channel });
    }
    match kind {
        Kind::Reply(reply) if reply.opt_out => {
            let reach = reach(&incoming.verdict.evidence);
            mail(Class::OptOut, What::OptOut { reach })
        }
        Kind::Reply(_) => mail(Class::Reply, What::Reply),
        Kind::AutoReply(AutoReply::OutOfOffice { until }) => {
            mail(Class::OutOfOffice, What::OutOfOffice { until: until.map(Date::from_jiff) })
        }
        Kind::AutoReply(AutoReply::Calendar(CalendarAnswer::Accepted)) => mail(Class::Meeting, What::Meeting),
        Kind::AutoReply(_) | Kind::Other(_) => mail(Class::Other, What::Noted),
        Kind::Bounce(bounce) => of_bounce(bounce),
        Kind::Delivered(_) => mail(Class::Delivered, What::Delivered),
        Kind::Complaint(complaint) => of_complaint(complaint),
    }
}

pub(super) fn of_bounce(bounce: &Bounce) -> Meaning {
    // A warning: the server goes on trying, and writing again would write twice.
    if bounce.delayed {
        return Meaning { class: Class::Other, what: What::Noted, channel: Incoming::Email };
    }
    let class = match bounce.class {
        inbound::BounceClass::Hard => BounceClass::Hard,
        inbound::BounceClass::Sender => BounceClass::Sender,
        inbound::BounceClass::Soft | inbound::BounceClass::Unknown => BounceClass::Soft,
    };
    // The words of the other server may name the person, and the history keeps no personal data: they stay with the message.
    let detail = bounce.status.clone().unwrap_or_else(|| "no status code".to_owned());
    Meaning { class: Class::Bounce, what: What::Bounce { class, detail }, channel: Incoming::Email }
}

/// When the writer of an automatic answer is back.
pub(super) fn return_date(kind: &Kind) -> Option<Date> {
    match kind {
        Kind::AutoReply(AutoReply::OutOfOffice { until }) => until.map(Date::from_jiff),
        _ => None,
    }
}

fn of_complaint(complaint: &Complaint) -> Meaning {
    let (class, what) = match complaint.feedback_type {
        FeedbackType::OptOut => (Class::OptOut, What::OptOut { reach: Reach::Channel }),
        // The opposite of a complaint, and a statement about the mail's contents.
        FeedbackType::NotSpam | FeedbackType::Virus => (Class::Other, What::Noted),
        FeedbackType::Abuse | FeedbackType::Fraud | FeedbackType::Other => (Class::Complaint, What::Complaint),
    };
    Meaning { class, what, channel: Incoming::Email }
}

/// Does the wish go beyond mail? "Do not contact me" and its like do.
pub(super) fn reach(evidence: &[Evidence]) -> Reach {
    #[rustfmt::skip]
    const EVERYTHING: &[&str] = &[
        "contact", "kontakt", "leave me alone", "went away", "delete my data", "delete my details", "löschen sie meine", "contato", "contatta",
        "in ruhe", "tranquille", "en paz",
    ];
    let wide = evidence
        .iter()
        .filter(|e| e.rule.starts_with("opt_out") || e.rule.starts_with("text"))
        .any(|e| EVERYTHING.iter().any(|word| e.detail.contains(word)));
    if wide { Reach::Everything } else { Reach::Channel }
}

impl Meaning {
    /// Who puts the event: servers report, people write.
    pub fn actor(&self) -> Actor {
        match self.what {
            What::Bounce { .. } | What::Delivered | What::OwnCopy | What::Noted => Actor::Server,
            _ => Actor::Contact,
        }
    }

    /// The event for one enrollment; `until` is the return date as a moment there.
    pub fn event(&self, visit: Option<u32>, by: Option<MatchedBy>, until: Option<Time>) -> Option<Event> {
        let channel = self.channel;
        Some(match &self.what {
            What::Reply => Event::Reply { channel, visit },
            What::OptOut { reach } => Event::OptOut { channel, visit, reach: *reach },
            What::OutOfOffice { .. } => Event::OutOfOffice { visit, until },
            // It would hold the mailbox, for everybody: an address alone does not vouch for that.
            What::Bounce { class: BounceClass::Sender, .. } if by == Some(MatchedBy::Address) => {
                Event::OtherMail { visit: None }
            }
            What::Bounce { class, detail } => Event::Bounce { visit, class: *class, detail: detail.clone() },
            What::Complaint => Event::Complaint { visit },
            What::Delivered => Event::Delivered { visit: visit? },
            What::Meeting => Event::MeetingBooked,
            What::OwnMail => Event::OwnMail,
            What::Noted => Event::OtherMail { visit },
            What::OwnCopy | What::Nothing => return None,
        })
    }
}
