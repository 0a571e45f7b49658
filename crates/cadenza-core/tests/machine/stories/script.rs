//! Reads the lines of a story's timeline: a moment in the sequence's zone, who, and what happens.

use cadenza_core::calendar::{Date, LocalMinute, Zone};
use cadenza_core::enrollment::{Mark, SequenceState};
use cadenza_core::flow::{Key, Outcome};
use cadenza_core::machine::{
    Answer, BounceClass, By, Correctable, DueChoice, Event, Fault, Incoming, Otherwise, Reach, StopReason, Target,
};
use cadenza_core::simulate::ServerSays;
use cadenza_core::time::{Span, Time};

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: Time,
    /// Everybody, where nobody is named.
    pub who: Option<String>,
    pub text: String,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Enrolled,
    /// Needs the visit of the step's last message.
    OfMessage(Key, OfMessage),
    /// *Mark as* on the current task.
    Marked(Outcome),
    Put(Event),
    Sequence(SequenceState),
    End(Option<Time>),
    StandStill(Time),
    /// What the mail server says to the next message.
    Server(ServerSays),
    AddressGone,
    AddressFound,
    /// The flow becomes its later version; whoever stands on a step that is gone goes on at this one.
    Version(Option<Key>),
    Nothing,
}

/// What a message brings about.
#[derive(Debug, Clone, Copy)]
pub enum OfMessage {
    Reply,
    Opened,
    Clicked,
    Delivered,
    Bounced(BounceClass),
    OptedOut,
    OutOfOffice(Option<Time>),
}

pub fn read(timeline: &str, zone: &Zone) -> Vec<Line> {
    timeline.lines().filter(|l| !l.trim().is_empty()).map(|l| line(l, zone)).collect()
}

fn line(written: &str, zone: &Zone) -> Line {
    let mut words = written.splitn(3, ' ');
    let (date, time) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let rest = words.next().unwrap_or("").trim();
    let at = moment(&format!("{date} {time}"), zone);
    let (who, text) = match rest.split_once(": ") {
        Some((who, text)) => (Some(who.to_owned()), text),
        None => (None, rest),
    };
    Line { at, who, text: text.to_owned(), what: what(text, zone) }
}

/// `2027-03-01 10:00`, on the clock of the zone.
pub fn moment(text: &str, zone: &Zone) -> Time {
    let parsed = text.split_once(' ').and_then(|(date, time)| {
        let date: Date = date.parse().ok()?;
        let minute: LocalMinute = time.parse().ok()?;
        Some(zone.at(date, minute))
    });
    parsed.unwrap_or_else(|| panic!("{text:?} is no moment: expected one such as 2027-03-01 10:00"))
}

fn what(text: &str, zone: &Zone) -> What {
    use What::{OfMessage as Message, Put};
    let step = |name: &str| -> Key { name.trim().parse().unwrap_or_else(|e| panic!("{text:?}: {e}")) };
    if let Some((what, name)) =
        text.split_once(" to ").filter(|(w, _)| matches!(*w, "reply" | "jump" | "out of office"))
    {
        return match what {
            "reply" => Message(step(name), OfMessage::Reply),
            "jump" => Put(Event::Jump { to: Target::Step(step(name)) }),
            _ => match name.split_once(" until ") {
                Some((name, until)) => Message(step(name), OfMessage::OutOfOffice(Some(moment(until, zone)))),
                None => Message(step(name), OfMessage::OutOfOffice(None)),
            },
        };
    }
    if let Some((what, name)) = text.split_once(" of ") {
        let of = match what {
            "soft bounce" => OfMessage::Bounced(BounceClass::Soft),
            "hard bounce" => OfMessage::Bounced(BounceClass::Hard),
            other => panic!("{other:?} is nothing of a message"),
        };
        return Message(step(name), of);
    }
    if let Some((what, rest)) = text.split_once(' ') {
        match what {
            "opened" => return Message(step(rest), OfMessage::Opened),
            "clicked" => return Message(step(rest), OfMessage::Clicked),
            "delivered" => return Message(step(rest), OfMessage::Delivered),
            "unsubscribes" => return Message(step(rest), OfMessage::OptedOut),
            "marked" => return What::Marked(Outcome::named(rest)),
            "judged" => return Put(Event::MarkStatus { mark: Mark::named(rest).unwrap() }),
            _ => {}
        }
    }
    if let Some(until) = text.strip_prefix("the server stands still until ") {
        return What::StandStill(moment(until, zone));
    }
    if let Some(end) = text.strip_prefix("the end is moved to ") {
        return What::End(Some(moment(end, zone)));
    }
    if let Some(step_name) = text.strip_prefix("the later version, on to ") {
        return What::Version(Some(step(step_name)));
    }
    whole(text)
}

fn whole(text: &str) -> What {
    use What::{Put, Server};
    match text {
        "enrolled" => What::Enrolled,
        "" => What::Nothing,
        "pause" => Put(Event::Pause),
        "resume" => Put(Event::Resume),
        "stop" => Put(Event::Stop { reason: StopReason::Unsaid }),
        "stop, answered" => Put(Event::Stop { reason: StopReason::Answered }),
        "reactivate" => Put(Event::Reactivate { due: DueChoice::Old }),
        "reactivate now" => Put(Event::Reactivate { due: DueChoice::Now }),
        "retry" => Put(Event::Retry),
        "the mark is undone" => Put(Event::UndoMark),
        "move now" => Put(Event::MoveNow { outside_window: Answer::NotAsked }),
        "move now, window or not" => Put(Event::MoveNow { outside_window: Answer::Yes }),
        "skip" => Put(Event::Skip),
        "remove" => Put(Event::Remove),
        "enroll again" => Put(Event::EnrollAgain),
        "mark sent" => Put(Event::MarkSent),
        "send again" => Put(Event::SendAgain),
        "release" => Put(Event::Release),
        "complaint" => Put(Event::Complaint { visit: None }),
        "opts out by phone" => Put(Event::OptOut { channel: Incoming::ByHand, visit: None, reach: Reach::Everything }),
        "scanner opens" => Put(Event::Opened { visit: 1, by: By::Machine }),
        "the reply was none" => Put(Event::TakeBack {
            what: Correctable::Reply,
            at: cadenza_core::time::Time::from_seconds(0),
            otherwise: Otherwise::Nothing,
        }),
        "left the list" => Put(Event::LeftList),
        "back on the list" => Put(Event::BackOnList),
        "absence begins" => Put(Event::AbsenceBegan),
        "absence ends" => Put(Event::AbsenceEnded),
        "a meeting is booked" => Put(Event::MeetingBooked),
        "the sequence is paused" => What::Sequence(SequenceState::Paused),
        "the sequence is resumed" => What::Sequence(SequenceState::Active),
        "the address is gone" => What::AddressGone,
        "the address is found" => What::AddressFound,
        "the later version" => What::Version(None),
        "the mail server will not answer" => Server(ServerSays::Nothing),
        "the mail server will be busy" => Server(ServerSays::Later(Span::minutes(15))),
        "the mail server will refuse the message" => Server(ServerSays::Refused(Fault::Message)),
        other => panic!("{other:?} is nothing that happens in a story"),
    }
}
