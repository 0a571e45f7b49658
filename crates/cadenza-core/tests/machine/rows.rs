//! The events of the page's rows. `kinds!` lists every event there is, so that a new one cannot be left off the page.

use crate::case::{COLLEAGUE, Case, OTHER_MAILBOX, USER, days, key, person};
use crate::columns::{day_cap, full};
use cadenza_core::absence::{Away, Meanwhile};
use cadenza_core::enrollment::{Finish, Mark, SequenceState};
use cadenza_core::facts::NewerLive;
use cadenza_core::flow::{Outcome, StepKind};
use cadenza_core::ids::UserId;
use cadenza_core::machine::{
    Answer, BounceClass, By, Correctable, DueChoice, Event, Fault, Halt, Incoming, Otherwise, Reach, StopReason, Target,
};
use cadenza_core::pacing::{Ledger, Used};
use cadenza_core::settings::{
    BlockedGoesOn, Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OwnMail, ResumeAfter, Settings,
};
use cadenza_core::time::{Span, Time};

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// Every kind of event.
        pub const KINDS: &[&str] = &[$(stringify!($kind)),*];
        /// The kind of an event; without a wildcard, so a new kind does not compile until it is listed.
        pub fn kind(event: &Event) -> &'static str {
            match event { $(Event::$kind { .. } => stringify!($kind)),* }
        }
    };
}

kinds! {
    Wake Drawn DotMark Sent Deferred Refused Unknown Returned NotComposed Reply OutOfOffice Bounce Complaint OptOut Opened Clicked
    Delivered OtherMail ColleagueReplied RepliedElsewhere OptedOutElsewhere OwnMail MeetingBooked EnrollAgain Pause Resume
    Stop Reactivate Retry MarkStatus UndoMark MarkTask SendByHand MoveNow Skip Jump SetOwner SetMailbox Remove Erase
    MarkSent SendAgain Release TakeBack LeftList BackOnList SequenceEnded SequenceReopened MoveToVersion Retimed Mended
    AbsenceBegan AbsenceEnded
}

/// One row: what it is about and how it is put.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub label: &'static str,
    /// Settings that hold while the state is reached.
    pub settings: fn(&mut Settings),
    /// Arranges what the row is about and names the event.
    pub event: fn(&mut Case) -> Event,
}

const fn row(label: &'static str, event: fn(&mut Case) -> Event) -> Row {
    Row { label, settings: |_| {}, event }
}

/// The rows of one source, in the page's order.
pub fn of_source(source: &str) -> Option<&'static [Row]> {
    Some(match source {
        "The clock" => CLOCK,
        "Sending" => SENDING,
        "What comes in" => INCOMING,
        "What people do" => PEOPLE,
        "The surroundings" => SURROUNDINGS,
        _ => return None,
    })
}

pub const SOURCES: &[&str] = &["The clock", "Sending", "What comes in", "What people do", "The surroundings"];

const CLOCK: &[Row] = &[
    row("wake, early", |_| Event::Wake),
    row("wake, its moment", |c| {
        c.await_its_moment();
        Event::Wake
    }),
    row("wake, its moment, sequence paused", |c| {
        c.await_its_moment();
        c.sequence.state = SequenceState::Paused;
        Event::Wake
    }),
    Row {
        label: "wake, out of office is over",
        settings: |s| s.out_of_office.resume = ResumeAfter::Return,
        event: |c| {
            c.now = c.e.hold_until.unwrap_or(c.now);
            Event::Wake
        },
    },
    row("drawn, there is room", |c| {
        let (scope, limit) = day_cap();
        c.ledger = Ledger::default();
        c.ledger.put(scope, limit, Used::default());
        Event::Drawn
    }),
    row("drawn, no room after all", |c| {
        c.ledger = full(c);
        Event::Drawn
    }),
];

const SENDING: &[Row] = &[
    row("dot mark", |c| {
        let (visit, attempt) = c.last_attempt;
        Event::DotMark { visit, attempt }
    }),
    row("sent", |c| {
        let (visit, attempt) = c.last_attempt;
        Event::Sent { visit, attempt }
    }),
    row("deferred", |c| {
        let (visit, attempt) = c.last_attempt;
        Event::Deferred { visit, attempt, not_before: c.now + Span::minutes(10), detail: "451".into() }
    }),
    row("refused, blames the recipient", |c| refused(c, Fault::Recipient)),
    row("refused, blames the sender", |c| refused(c, Fault::Sender)),
    row("refused, blames the message", |c| refused(c, Fault::Message)),
    row("unknown", |c| {
        let (visit, attempt) = c.last_attempt;
        Event::Unknown { visit, attempt, detail: "connection lost".into() }
    }),
    row("returned", |c| {
        let (visit, attempt) = c.last_attempt;
        Event::Returned { visit, attempt }
    }),
    row("not composed, an empty field", |c| not_composed(c, Some("contact.first_name"))),
    row("not composed, a broken template", |c| not_composed(c, None)),
];

fn refused(c: &Case, fault: Fault) -> Event {
    let (visit, attempt) = c.last_attempt;
    Event::Refused { visit, attempt, fault, detail: "550".into() }
}

fn not_composed(c: &Case, missing: Option<&str>) -> Event {
    let (visit, attempt) = c.last_attempt;
    Event::NotComposed { visit, attempt, missing_field: missing.map(str::to_owned), detail: "cannot be merged".into() }
}

const INCOMING: &[Row] = &[
    row("reply, stop", |c| reply(c, |s| s.reply = OnReply::Stop)),
    row("reply, stop, matched by its sender", |_| Event::Reply { channel: Incoming::Email, visit: None }),
    row("reply, pause", |c| reply(c, |s| s.reply = OnReply::Pause)),
    row("reply, go on", |c| reply(c, |s| s.reply = OnReply::GoOn)),
    row("reply, the others pause", |c| reply(c, |s| s.reply_others = OnElsewhere::Pause)),
    row("out of office", |c| Event::OutOfOffice { visit: c.last_message, until: None }),
    row("bounce, hard", |c| bounce(c, BounceClass::Hard)),
    row("bounce, hard, matched by its sender", |_| Event::Bounce {
        visit: None,
        class: BounceClass::Hard,
        detail: "550".into(),
    }),
    row("bounce, soft", |c| bounce(c, BounceClass::Soft)),
    row("bounce, soft, tries used up", |c| {
        c.sequence.settings.soft_bounce.tries = 1;
        bounce(c, BounceClass::Soft)
    }),
    row("bounce, blames the sender", |c| bounce(c, BounceClass::Sender)),
    row("complaint", |c| Event::Complaint { visit: c.last_message }),
    row("opt-out", |c| opt_out(c, Incoming::Email, Reach::Channel)),
    row("opt-out, this sequence only", |c| {
        c.sequence.settings.opt_out_ends = OptOutEnds::ThisSequence;
        opt_out(c, Incoming::Email, Reach::Channel)
    }),
    row("opt-out, other channels go on", |c| {
        c.sequence.settings.opt_out_suppresses = OptOutSuppresses::AddressOtherChannelsGoOn;
        opt_out(c, Incoming::Email, Reach::Channel)
    }),
    row("opt-out, by text", |_| Event::OptOut { channel: Incoming::Text, visit: None, reach: Reach::Channel }),
    row("opt-out, of everything", |c| opt_out(c, Incoming::Email, Reach::Everything)),
    row("opened by a person", |c| Event::Opened { visit: c.last_message.unwrap_or(1), by: By::Person }),
    row("opened by a machine", |c| Event::Opened { visit: c.last_message.unwrap_or(1), by: By::Machine }),
    row("clicked by a person", |c| clicked(c, By::Person)),
    row("clicked by a machine", |c| clicked(c, By::Machine)),
    row("delivered", |c| Event::Delivered { visit: c.last_message.unwrap_or(1) }),
    row("other automatic mail", |c| Event::OtherMail { visit: c.last_message }),
    row("colleague replied, pause", |_| Event::ColleagueReplied { then: Halt::Pause }),
    row("colleague replied, stop", |_| Event::ColleagueReplied { then: Halt::Stop }),
    row("replied elsewhere, pause", |_| Event::RepliedElsewhere { then: Halt::Pause }),
    row("replied elsewhere, stop", |_| Event::RepliedElsewhere { then: Halt::Stop }),
    row("opted out elsewhere", |_| Event::OptedOutElsewhere { channel: Incoming::Email }),
    row("own mail, do nothing", |_| Event::OwnMail),
    row("own mail, end", |c| {
        c.sequence.settings.own_mail = OwnMail::End;
        Event::OwnMail
    }),
    row("meeting booked, do nothing", |c| {
        c.sequence.settings.meeting = Meeting::Nothing;
        Event::MeetingBooked
    }),
    row("meeting booked, end", |_| Event::MeetingBooked),
];

fn reply(c: &mut Case, settings: fn(&mut Settings)) -> Event {
    settings(&mut c.sequence.settings);
    Event::Reply { channel: Incoming::Email, visit: c.last_message }
}

fn bounce(c: &Case, class: BounceClass) -> Event {
    Event::Bounce { visit: c.last_message, class, detail: "a report".into() }
}

fn opt_out(c: &Case, channel: Incoming, reach: Reach) -> Event {
    Event::OptOut { channel, visit: c.last_message, reach }
}

fn clicked(c: &Case, by: By) -> Event {
    Event::Clicked { visit: c.last_message.unwrap_or(1), link: "https://example.com/offer".into(), by }
}

const PEOPLE: &[Row] = &[
    row("enroll again", |_| Event::EnrollAgain),
    row("enroll again, a newer one is live", |c| newer(c, Event::EnrollAgain)),
    row("pause", |_| Event::Pause),
    row("resume", |_| Event::Resume),
    row("stop", |_| Event::Stop { reason: StopReason::Called }),
    row("stop, answered", |_| Event::Stop { reason: StopReason::Answered }),
    row("reactivate, old date", |_| Event::Reactivate { due: DueChoice::Old }),
    row("reactivate, now", |_| Event::Reactivate { due: DueChoice::Now }),
    row("reactivate, a newer one is live", |c| {
        c.person = person();
        newer(c, Event::Reactivate { due: DueChoice::Old })
    }),
    row("retry", |_| Event::Retry),
    row("mark success", |_| Event::MarkStatus { mark: Mark::Success }),
    row("mark not interested", |_| Event::MarkStatus { mark: Mark::NotInterested }),
    row("mark unsubscribed", |_| Event::MarkStatus { mark: Mark::OptedOut }),
    row("mark bounced", |_| Event::MarkStatus { mark: Mark::Bounced }),
    row("undo mark", |_| Event::UndoMark),
    row("mark task, it goes on", |c| {
        let outcome = match c.e.place.as_ref().and_then(|p| c.flow.spot(&p.step)).map(|s| s.step.kind) {
            Some(StepKind::EmailManual) => Outcome::Done,
            _ => Outcome::NoAnswer,
        };
        Event::MarkTask { visit: c.current_visit(), outcome }
    }),
    row("mark task, positive", |c| Event::MarkTask { visit: c.current_visit(), outcome: Outcome::Interested }),
    row("mark task, the one done last", |c| Event::MarkTask { visit: c.e.last_visit, outcome: Outcome::NoAnswer }),
    row("mark task, none of its own", |_| Event::MarkTask { visit: 99, outcome: Outcome::NoAnswer }),
    row("send by hand", |c| Event::SendByHand { visit: c.current_visit() }),
    row("move now", |_| Event::MoveNow { outside_window: Answer::NotAsked }),
    row("skip", |_| Event::Skip),
    row("jump to note", |_| Event::Jump { to: Target::Step(key("note")) }),
    row("jump to nowhere", |_| Event::Jump { to: Target::Step(key("nowhere")) }),
    row("set owner", |_| Event::SetOwner { owner: Some(UserId(9)) }),
    row("set mailbox", |_| Event::SetMailbox { mailbox: OTHER_MAILBOX }),
    row("remove", |_| Event::Remove),
    row("erase", |_| Event::Erase),
    row("mark sent", |_| Event::MarkSent),
    row("send again", |_| Event::SendAgain),
    row("release", |_| Event::Release),
    row("take back a reply", |_| take_back(Correctable::Reply)),
    row("take back a reply, a newer one is live", |c| newer(c, take_back(Correctable::Reply))),
    row("take back an out of office", |_| take_back(Correctable::OutOfOffice)),
    row("take back a reply, another stands", |_| Event::TakeBack {
        what: Correctable::Reply,
        at: Time::from_seconds(1),
        otherwise: Otherwise::Stands,
    }),
    row("take back a reply, the sequence is over", |c| {
        c.sequence.state = SequenceState::Ended;
        take_back(Correctable::Reply)
    }),
    row("take back a reply elsewhere", |_| take_back(Correctable::ReplyElsewhere)),
    row("take back a colleague's reply", |_| take_back(Correctable::ColleagueReply)),
    row("take back a bounce", |_| take_back(Correctable::Bounce)),
    row("take back a bounce, it opted out since", |_| Event::TakeBack {
        what: Correctable::Bounce,
        at: Time::from_seconds(1),
        otherwise: Otherwise::Since(Finish::OptedOut),
    }),
    row("take back a soft bounce", |c| {
        let soft = bounce(c, BounceClass::Soft);
        c.must(soft);
        take_back(Correctable::SoftBounce)
    }),
    row("take back an opt-out", |_| take_back(Correctable::OptOut)),
    row("take back a meeting", |_| take_back(Correctable::Meeting)),
];

fn take_back(what: Correctable) -> Event {
    Event::TakeBack { what, at: Time::from_seconds(1), otherwise: Otherwise::Nothing }
}

fn newer(c: &mut Case, event: Event) -> Event {
    c.newer_live = NewerLive::Yes;
    event
}

const SURROUNDINGS: &[Row] = &[
    row("left the list", |_| Event::LeftList),
    row("back on the list", |_| Event::BackOnList),
    row("sequence ended", |c| {
        c.sequence.state = SequenceState::Ended;
        Event::SequenceEnded
    }),
    row("sequence reopened", |c| {
        if c.sequence.state == SequenceState::Ended {
            c.sequence.state = SequenceState::Active;
        }
        Event::SequenceReopened
    }),
    row("moves to a version that keeps its step", |c| {
        c.flow.version = 2;
        Event::MoveToVersion { version: 2, stand: None }
    }),
    row("moves to a version without follow, on to note", |c| {
        c.flow.version = 2;
        c.flow.branches[0].steps.retain(|s| s.key != key("follow"));
        Event::MoveToVersion { version: 2, stand: Some(key("note")) }
    }),
    row("retimed to five days", |c| {
        for step in &mut c.flow.branches[0].steps {
            step.content.delay = days(5);
        }
        Event::Retimed
    }),
    row("mended", |c| {
        mend(c);
        Event::Mended
    }),
    row("mended, but it is not", |_| Event::Mended),
    row("mended, goes on by Retry", |c| {
        mend(c);
        c.sequence.settings.blocked_goes_on = BlockedGoesOn::ByRetry;
        Event::Mended
    }),
    row("absence began, what waits", |c| absence(c, Meanwhile::Hold)),
    row("absence began, what is skipped", |c| absence(c, Meanwhile::Skip)),
    row("absence began, what goes on or is another's", |c| absence(c, Meanwhile::Delegate(COLLEAGUE))),
    row("absence ended", |_| Event::AbsenceEnded),
];

fn absence(c: &mut Case, meanwhile: Meanwhile) -> Event {
    let mut away = Away::holding(USER, None);
    StepKind::ALL.into_iter().for_each(|kind| away.rules.set(kind, meanwhile));
    c.around.absences = vec![away];
    Event::AbsenceBegan
}

fn mend(c: &mut Case) {
    c.person = person();
    c.missing_field = None;
    for mailbox in &mut c.around.mailboxes {
        mailbox.held = None;
    }
}
