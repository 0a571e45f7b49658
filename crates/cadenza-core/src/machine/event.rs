//! Everything that can happen to an enrollment. What users do, what the clock brings, what mail servers and people answer:
//! each is one event, put to [`super::decide`].

use crate::enrollment::{Finish, Mark};
use crate::flow::{Key, Outcome};
use crate::ids::{MailboxId, UserId};
use crate::time::Time;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    // --- the clock ---
    /// Something planned may be due: the activity, an open wait, a hold that ends, the first step of a pending one.
    Wake,
    /// Its turn has come in the queue of a limiter (TIM-5).
    Drawn,

    // --- sending: what becomes of an attempt ---
    /// The message is composed and uploaded up to the final dot; may the dot be written? (RELIABILITY §1, T2.)
    DotMark {
        visit: u32,
        attempt: u32,
    },
    /// The server took responsibility.
    Sent {
        visit: u32,
        attempt: u32,
    },
    /// A temporary refusal, or provably never got whole: tried again, not before the given moment.
    Deferred {
        visit: u32,
        attempt: u32,
        not_before: Time,
        detail: String,
    },
    /// A permanent refusal.
    Refused {
        visit: u32,
        attempt: u32,
        fault: Fault,
        detail: String,
    },
    /// Nobody can know whether the server took it.
    Unknown {
        visit: u32,
        attempt: u32,
        detail: String,
    },
    /// Never given whole, and nobody's fault: the sender stops, or its mark could not be set. Due again at once; no try is
    /// counted.
    Returned {
        visit: u32,
        attempt: u32,
    },
    /// It could not be composed: a merge field without a value, a template that fails.
    NotComposed {
        visit: u32,
        attempt: u32,
        missing_field: Option<String>,
        detail: String,
    },

    // --- what comes in ---
    Reply {
        channel: Incoming,
        visit: Option<u32>,
    },
    OutOfOffice {
        visit: Option<u32>,
        until: Option<Time>,
    },
    /// A delivery report about a message that was accepted before.
    Bounce {
        visit: Option<u32>,
        class: BounceClass,
        detail: String,
    },
    Complaint {
        visit: Option<u32>,
    },
    OptOut {
        channel: Incoming,
        visit: Option<u32>,
        reach: Reach,
    },
    Opened {
        visit: u32,
        by: By,
    },
    Clicked {
        visit: u32,
        link: String,
        by: By,
    },
    Delivered {
        visit: u32,
    },
    /// Automatic mail that changes nothing (REC-5).
    OtherMail {
        visit: Option<u32>,
    },
    /// Somebody else at the same company replied (REC-1).
    ColleagueReplied {
        then: Halt,
    },
    /// The contact replied in another sequence (REC-1).
    RepliedElsewhere {
        then: Halt,
    },
    /// The contact opted out of everything, in another sequence.
    OptedOutElsewhere {
        channel: Incoming,
    },
    /// The user's own mail to the contact in the thread.
    OwnMail,
    MeetingBooked,

    // --- operations of a person ---
    /// Enroll somebody who was removed: goes on where it stood (OPS-6).
    EnrollAgain,
    Pause,
    Resume,
    Stop {
        reason: StopReason,
    },
    Reactivate {
        due: DueChoice,
    },
    Retry,
    MarkStatus {
        mark: Mark,
    },
    UndoMark,
    /// *Mark as* on the current activity.
    MarkTask {
        visit: u32,
        outcome: Outcome,
    },
    /// A person sends the manual message of the current activity.
    SendByHand {
        visit: u32,
    },
    /// Move to next task now (TIM-4).
    MoveNow {
        outside_window: Answer,
    },
    Skip,
    Jump {
        to: Target,
    },
    SetOwner {
        owner: Option<UserId>,
    },
    SetMailbox {
        mailbox: MailboxId,
    },
    Remove,
    Erase,
    /// Of a delivery that is unknown.
    MarkSent,
    SendAgain,
    /// Lets overdue work go on (TIM-6).
    Release,
    /// A message's classification was corrected (REC-6): what it had done is taken back before the right event follows.
    TakeBack {
        what: Correctable,
        /// When the message was told here: names the line of history that is taken back.
        at: Time,
        otherwise: Otherwise,
    },

    // --- the surroundings ---
    LeftList,
    BackOnList,
    SequenceEnded,
    SequenceReopened,
    /// A structural edit moves this enrollment to a newer version; `stand` is where it goes on if its step is gone,
    /// or begins while it has not begun.
    MoveToVersion {
        version: u32,
        stand: Option<Key>,
    },
    /// Content or timing was edited: a planned due date follows (ENR-12).
    Retimed,
    /// An address, field or mailbox that blocked may be mended.
    Mended,
    AbsenceBegan,
    AbsenceEnded,
}

/// Whom a permanent refusal blames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The recipient does not exist or takes no mail.
    Recipient,
    /// The sender or its reputation, 5.7.x: holds the mailbox, never the contact.
    Sender,
    /// This message: too large, refused content.
    Message,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceClass {
    Hard,
    Soft,
    /// Blames the sender, 5.7.x.
    Sender,
}

/// Who opened or clicked (SND-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Person,
    Machine,
}

/// By which channel an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incoming {
    Email,
    Text,
    /// Noted by a person: said on the phone, written elsewhere.
    ByHand,
}

/// What an answer elsewhere does here, by the setting of the sequence that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    Pause,
    Stop,
}

/// What an opt-out asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The channel it came by.
    Channel,
    /// "Do not contact me any more": every channel.
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    #[default]
    Unsaid,
    Called,
    WroteElsewhere,
    Met,
    /// Counts as a reply.
    Answered,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DueChoice {
    #[default]
    Old,
    Now,
}

/// What a person answered when asked whether to pass the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Yes,
    #[default]
    NotAsked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Step(Key),
    Branch(Key),
}

/// What a message did under a verdict that was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correctable {
    Reply,
    /// The contact's reply in another sequence.
    ReplyElsewhere,
    ColleagueReply,
    OutOfOffice,
    Bounce,
    SoftBounce,
    /// A complaint too, and an opt-out in another sequence.
    OptOut,
    Meeting,
}

impl Correctable {
    /// How it ends an enrollment, where it does.
    pub fn ended_by(self) -> Option<Finish> {
        Some(match self {
            Correctable::Reply | Correctable::ReplyElsewhere => Finish::Replied,
            Correctable::ColleagueReply | Correctable::Meeting => Finish::Rule,
            Correctable::OutOfOffice => return None,
            Correctable::Bounce | Correctable::SoftBounce => Finish::Bounced,
            Correctable::OptOut => Finish::OptedOut,
        })
    }

    /// A code for what the message was not after all.
    pub fn cause(self) -> &'static str {
        match self {
            Correctable::Reply | Correctable::ReplyElsewhere | Correctable::ColleagueReply => "not_a_reply",
            Correctable::OutOfOffice => "not_out_of_office",
            Correctable::Bounce | Correctable::SoftBounce => "not_a_bounce",
            Correctable::OptOut => "not_an_opt_out",
            Correctable::Meeting => "not_a_meeting",
        }
    }
}

/// What is known beside a message that is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    Nothing,
    /// The same holds for another reason: another reply, the link to unsubscribe.
    Stands,
    /// Noted since it ended, and would have ended it by itself.
    Since(Finish),
}

/// Who put an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Cadenza itself: the clock, a rule.
    Engine,
    User(UserId),
    /// The contact: an answer, a click.
    Contact,
    /// A mail server or gateway.
    Server,
}

impl Event {
    /// The word that names the kind of event in history, event log and API.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Wake => "wake",
            Event::Drawn => "drawn",
            Event::DotMark { .. } => "dot_mark",
            Event::Sent { .. } => "sent",
            Event::Deferred { .. } => "deferred",
            Event::Refused { .. } => "refused",
            Event::Unknown { .. } => "unknown",
            Event::Returned { .. } => "returned",
            Event::NotComposed { .. } => "not_composed",
            Event::Reply { .. } => "reply",
            Event::OutOfOffice { .. } => "out_of_office",
            Event::Bounce { .. } => "bounce",
            Event::Complaint { .. } => "complaint",
            Event::OptOut { .. } => "opt_out",
            Event::Opened { .. } => "opened",
            Event::Clicked { .. } => "clicked",
            Event::Delivered { .. } => "delivered",
            Event::OtherMail { .. } => "other_mail",
            Event::ColleagueReplied { .. } => "colleague_replied",
            Event::RepliedElsewhere { .. } => "replied_elsewhere",
            Event::OptedOutElsewhere { .. } => "opted_out_elsewhere",
            Event::OwnMail => "own_mail",
            Event::MeetingBooked => "meeting_booked",
            Event::EnrollAgain => "enroll_again",
            Event::Pause => "pause",
            Event::Resume => "resume",
            Event::Stop { .. } => "stop",
            Event::Reactivate { .. } => "reactivate",
            Event::Retry => "retry",
            Event::MarkStatus { .. } => "mark_status",
            Event::UndoMark => "undo_mark",
            Event::MarkTask { .. } => "mark_task",
            Event::SendByHand { .. } => "send_by_hand",
            Event::MoveNow { .. } => "move_now",
            Event::Skip => "skip",
            Event::Jump { .. } => "jump",
            Event::SetOwner { .. } => "set_owner",
            Event::SetMailbox { .. } => "set_mailbox",
            Event::Remove => "remove",
            Event::Erase => "erase",
            Event::MarkSent => "mark_sent",
            Event::SendAgain => "send_again",
            Event::Release => "release",
            Event::TakeBack { .. } => "take_back",
            Event::LeftList => "left_list",
            Event::BackOnList => "back_on_list",
            Event::SequenceEnded => "sequence_ended",
            Event::SequenceReopened => "sequence_reopened",
            Event::MoveToVersion { .. } => "move_to_version",
            Event::Retimed => "retimed",
            Event::Mended => "mended",
            Event::AbsenceBegan => "absence_began",
            Event::AbsenceEnded => "absence_ended",
        }
    }
}
