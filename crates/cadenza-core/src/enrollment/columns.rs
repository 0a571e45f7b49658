//! An enrollment as a flat row: the one list of its columns, used by the store to read and write it and by the history to
//! record what changed and to replay it (INV-5). Adding a field means adding it here, and nowhere else.

use super::{BlockReason, Enrollment, Finish, Holds, Life, Mark, Phase, Place, Released, Subject, Wait};
use crate::calendar::Delay;
use crate::flow::{Key, Verdict};
use crate::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use crate::time::Time;

/// The value of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flat {
    Null,
    Int(i64),
    Text(String),
}

/// A stored row that is no enrollment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {found} is not a valid value")]
pub struct BadColumn {
    pub column: &'static str,
    pub found: String,
}

/// A type that is one column.
trait Cell: Sized {
    /// Is it stored as text? Everything else is a number.
    const TEXT: bool = false;
    fn put(&self) -> Flat;
    /// `None` where the value is no such cell.
    fn get(flat: &Flat) -> Option<Self>;
}

impl Cell for i64 {
    fn put(&self) -> Flat {
        Flat::Int(*self)
    }
    fn get(flat: &Flat) -> Option<Self> {
        if let Flat::Int(n) = flat { Some(*n) } else { None }
    }
}
impl Cell for u32 {
    fn put(&self) -> Flat {
        Flat::Int(i64::from(*self))
    }
    fn get(flat: &Flat) -> Option<Self> {
        i64::get(flat).and_then(|n| u32::try_from(n).ok())
    }
}
impl Cell for bool {
    fn put(&self) -> Flat {
        Flat::Int(i64::from(*self))
    }
    fn get(flat: &Flat) -> Option<Self> {
        match i64::get(flat)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}
impl Cell for Time {
    fn put(&self) -> Flat {
        Flat::Int(self.micros())
    }
    fn get(flat: &Flat) -> Option<Self> {
        i64::get(flat).map(Time::from_micros)
    }
}
impl Cell for String {
    const TEXT: bool = true;
    fn put(&self) -> Flat {
        Flat::Text(self.clone())
    }
    fn get(flat: &Flat) -> Option<Self> {
        if let Flat::Text(t) = flat { Some(t.clone()) } else { None }
    }
}
impl Cell for Key {
    const TEXT: bool = true;
    fn put(&self) -> Flat {
        Flat::Text(self.as_str().to_owned())
    }
    fn get(flat: &Flat) -> Option<Self> {
        if let Flat::Text(t) = flat { t.parse().ok() } else { None }
    }
}
impl Cell for Delay {
    const TEXT: bool = true;
    fn put(&self) -> Flat {
        Flat::Text(self.to_string())
    }
    fn get(flat: &Flat) -> Option<Self> {
        if let Flat::Text(t) = flat { t.parse().ok() } else { None }
    }
}
impl Cell for Holds {
    fn put(&self) -> Flat {
        Flat::Int(self.bits())
    }
    fn get(flat: &Flat) -> Option<Self> {
        i64::get(flat).and_then(Holds::from_bits)
    }
}
impl<T: Cell> Cell for Option<T> {
    const TEXT: bool = T::TEXT;
    fn put(&self) -> Flat {
        self.as_ref().map_or(Flat::Null, Cell::put)
    }
    fn get(flat: &Flat) -> Option<Self> {
        if *flat == Flat::Null { Some(None) } else { T::get(flat).map(Some) }
    }
}

macro_rules! id_cells {
    ($($id:ident)*) => {$(impl Cell for $id {
        fn put(&self) -> Flat { Flat::Int(self.0) }
        fn get(flat: &Flat) -> Option<Self> { i64::get(flat).map($id) }
    })*};
}
id_cells! { EnrollmentId SequenceId ContactId CompanyId UserId MailboxId }

macro_rules! word_cells {
    ($($word:ident)*) => {$(impl Cell for $word {
        const TEXT: bool = true;
        fn put(&self) -> Flat { Flat::Text(self.as_str().to_owned()) }
        fn get(flat: &Flat) -> Option<Self> {
            if let Flat::Text(t) = flat { $word::named(t).ok() } else { None }
        }
    })*};
}
word_cells! { BlockReason Finish Mark }

macro_rules! number_cells {
    ($($name:ident { $($variant:ident = $n:literal),* })*) => {$(impl Cell for $name {
        fn put(&self) -> Flat { Flat::Int(match self { $($name::$variant => $n),* }) }
        fn get(flat: &Flat) -> Option<Self> {
            match i64::get(flat)? { $($n => Some($name::$variant),)* _ => None }
        }
    })*};
}
number_cells! {
    Life { Pending = 0, Running = 1, Finished = 2, Removed = 3 }
    Phase { Waiting = 0, Due = 1, Executing = 2 }
    Released { No = 0, Delay = 1, Window = 2 }
    Verdict { None = 0, Positive = 1, Negative = 2 }
}

macro_rules! columns {
    ($($name:ident : $ty:ty = |$e:ident| $get:expr;)*) => {
        /// The columns of an enrollment, in the order of [`Enrollment::to_flat`].
        pub const COLUMNS: &[&str] = &[$(stringify!($name)),*];

        /// Which of [`COLUMNS`] hold text; the others hold numbers.
        pub const TEXT_COLUMNS: &[bool] = &[$(<$ty as Cell>::TEXT),*];

        /// The same row with every column typed, before places and waits are put together.
        struct Typed { $($name: $ty),* }

        impl Enrollment {
            pub fn to_flat(&self) -> Vec<Flat> {
                vec![$({ let $e = self; let value: $ty = $get; value.put() }),*]
            }
        }

        impl Typed {
            fn from_flat(row: &[Flat]) -> Result<Typed, BadColumn> {
                let mut cells = row.iter();
                Ok(Typed { $($name: {
                    let cell = cells.next().unwrap_or(&Flat::Null);
                    <$ty as Cell>::get(cell)
                        .ok_or_else(|| BadColumn { column: stringify!($name), found: format!("{cell:?}") })?
                }),* })
            }
        }
    };
}

columns! {
    id: EnrollmentId = |e| e.id;
    sequence_id: SequenceId = |e| e.sequence;
    contact_id: Option<ContactId> = |e| if let Subject::Contact(c) = e.subject { Some(c) } else { None };
    company_id: Option<CompanyId> = |e| if let Subject::Company(c) = e.subject { Some(c) } else { None };
    flow_version: u32 = |e| e.flow_version;
    enrolled_by: UserId = |e| e.enrolled_by;
    enrolled_at: Time = |e| e.enrolled_at;
    life: Life = |e| e.life;
    holds: Holds = |e| e.holds;
    hold_until: Option<Time> = |e| e.hold_until;
    block: Option<BlockReason> = |e| e.block;
    block_detail: Option<String> = |e| e.block_detail.clone();
    branch: Option<Key> = |e| e.place.as_ref().map(|p| p.branch.clone());
    step: Option<Key> = |e| e.place.as_ref().map(|p| p.step.clone());
    visit: Option<u32> = |e| e.place.as_ref().map(|p| p.visit);
    base_at: Option<Time> = |e| e.place.as_ref().map(|p| p.base);
    delay: Option<Delay> = |e| e.place.as_ref().and_then(|p| p.delay);
    due_at: Option<Time> = |e| e.place.as_ref().map(|p| p.due);
    phase: Option<Phase> = |e| e.place.as_ref().map(|p| p.phase);
    released: Option<Released> = |e| e.place.as_ref().map(|p| p.released);
    attempt: Option<u32> = |e| e.place.as_ref().map(|p| p.attempt);
    tries: Option<u32> = |e| e.place.as_ref().map(|p| p.tries);
    not_before: Option<Time> = |e| e.place.as_ref().and_then(|p| p.not_before);
    wait_branch: Option<Key> = |e| e.wait.as_ref().map(|w| w.branch.clone());
    wait_step: Option<Key> = |e| e.wait.as_ref().map(|w| w.step.clone());
    wait_visit: Option<u32> = |e| e.wait.as_ref().map(|w| w.visit);
    wait_from: Option<Time> = |e| e.wait.as_ref().map(|w| w.sent_at);
    wait_until: Option<Time> = |e| e.wait.as_ref().map(|w| w.until);
    finish: Option<Finish> = |e| e.finish;
    finished_at: Option<Time> = |e| e.finished_at;
    outcome: Verdict = |e| e.outcome;
    mark: Option<Mark> = |e| e.mark;
    mark_finished: bool = |e| e.mark_finished;
    mark_outcome_before: Verdict = |e| e.mark_outcome_before;
    visits: u32 = |e| e.visits;
    steps_executed: u32 = |e| e.steps_executed;
    last_action_at: Option<Time> = |e| e.last_action_at;
    last_visit: u32 = |e| e.last_visit;
    last_step: Option<Key> = |e| e.last_step.clone();
    last_email_at: Option<Time> = |e| e.last_email_at;
    steps_at_last_email: u32 = |e| e.steps_at_last_email;
    first_reply_at: Option<Time> = |e| e.first_reply_at;
    last_reply_at: Option<Time> = |e| e.last_reply_at;
    opted_out: bool = |e| e.opted_out;
    bounced: bool = |e| e.bounced;
    soft_bounces: u32 = |e| e.soft_bounces;
    soft_bounce_at: Option<Time> = |e| e.soft_bounce_at;
    mailbox_id: Option<MailboxId> = |e| e.mailbox;
    owner_id: Option<UserId> = |e| e.owner;
    emails: u32 = |e| e.emails;
    texts: u32 = |e| e.texts;
    opens: u32 = |e| e.opens;
    clicks: u32 = |e| e.clicks;
    replies: u32 = |e| e.replies;
    calls: u32 = |e| e.calls;
    tasks: u32 = |e| e.tasks;
    parked: Option<i64> = |e| e.parked;
    version: i64 = |e| e.version;
}

impl Enrollment {
    /// Reads a row in the order of [`COLUMNS`].
    pub fn from_flat(row: &[Flat]) -> Result<Enrollment, BadColumn> {
        let t = Typed::from_flat(row)?;
        let missing = |column: &'static str| BadColumn { column, found: "nothing".into() };
        let subject = match (t.contact_id, t.company_id) {
            (Some(c), None) => Subject::Contact(c),
            (None, Some(c)) => Subject::Company(c),
            _ => return Err(missing("contact_id")),
        };
        let place = match t.step {
            None => None,
            Some(step) => Some(Place {
                branch: t.branch.ok_or_else(|| missing("branch"))?,
                step,
                visit: t.visit.ok_or_else(|| missing("visit"))?,
                base: t.base_at.ok_or_else(|| missing("base_at"))?,
                delay: t.delay,
                due: t.due_at.ok_or_else(|| missing("due_at"))?,
                phase: t.phase.ok_or_else(|| missing("phase"))?,
                released: t.released.unwrap_or_default(),
                attempt: t.attempt.unwrap_or(0),
                tries: t.tries.unwrap_or(0),
                not_before: t.not_before,
            }),
        };
        let wait = match t.wait_step {
            None => None,
            Some(step) => Some(Wait {
                branch: t.wait_branch.ok_or_else(|| missing("wait_branch"))?,
                step,
                visit: t.wait_visit.ok_or_else(|| missing("wait_visit"))?,
                sent_at: t.wait_from.ok_or_else(|| missing("wait_from"))?,
                until: t.wait_until.ok_or_else(|| missing("wait_until"))?,
            }),
        };
        Ok(Enrollment {
            id: t.id,
            sequence: t.sequence_id,
            subject,
            flow_version: t.flow_version,
            enrolled_by: t.enrolled_by,
            enrolled_at: t.enrolled_at,
            life: t.life,
            holds: t.holds,
            hold_until: t.hold_until,
            block: t.block,
            block_detail: t.block_detail,
            place,
            wait,
            finish: t.finish,
            finished_at: t.finished_at,
            outcome: t.outcome,
            mark: t.mark,
            mark_finished: t.mark_finished,
            mark_outcome_before: t.mark_outcome_before,
            visits: t.visits,
            steps_executed: t.steps_executed,
            last_action_at: t.last_action_at,
            last_visit: t.last_visit,
            last_step: t.last_step,
            last_email_at: t.last_email_at,
            steps_at_last_email: t.steps_at_last_email,
            first_reply_at: t.first_reply_at,
            last_reply_at: t.last_reply_at,
            opted_out: t.opted_out,
            bounced: t.bounced,
            soft_bounces: t.soft_bounces,
            soft_bounce_at: t.soft_bounce_at,
            mailbox: t.mailbox_id,
            owner: t.owner_id,
            emails: t.emails,
            texts: t.texts,
            opens: t.opens,
            clicks: t.clicks,
            replies: t.replies,
            calls: t.calls,
            tasks: t.tasks,
            parked: t.parked,
            version: t.version,
        })
    }
}
