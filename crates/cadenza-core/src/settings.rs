//! The settings of a sequence that its enrollments obey (SPEC §14), each already resolved from workspace and sequence.

use crate::calendar::{Holidays, Window, Zone};
use serde::{Deserialize, Serialize};

/// What a sequence's enrollments obey. Every field has the default of SPEC §14.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub window: Window,
    pub zone: Zone,
    pub zone_of: ZoneOf,
    pub holidays: Holidays,
    pub reply: OnReply,
    /// The contact's other sequences, when the contact replies.
    pub reply_others: OnElsewhere,
    /// Live contacts of the same company, when one of them replies.
    pub reply_colleagues: OnElsewhere,
    pub out_of_office: OutOfOffice,
    pub soft_bounce: SoftBounce,
    pub own_mail: OwnMail,
    pub meeting: Meeting,
    pub opt_out_ends: OptOutEnds,
    pub opt_out_suppresses: OptOutSuppresses,
    /// Days after the last email step until a silent person counts as unresponsive.
    pub unresponsive_days: u32,
    pub unsubscribe_link: bool,
    pub track_opens: bool,
    pub track_clicks: bool,
    pub email_rate: Option<Rate>,
    pub text_rate: Option<Rate>,
    pub blocked_goes_on: BlockedGoesOn,
    /// What a stop of the server delayed by more is held for a person (TIM-6), hours.
    pub overdue_hours: u32,
    pub again: Again,
    pub structural_edits: StructuralEdits,
    pub end_when_all_finished: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            window: Window::default(),
            zone: Zone::utc(),
            zone_of: ZoneOf::Sequence,
            holidays: Holidays::default(),
            reply: OnReply::Stop,
            reply_others: OnElsewhere::Nothing,
            reply_colleagues: OnElsewhere::Nothing,
            out_of_office: OutOfOffice::default(),
            soft_bounce: SoftBounce::default(),
            own_mail: OwnMail::Nothing,
            meeting: Meeting::EndPositive,
            opt_out_ends: OptOutEnds::AllSequences,
            opt_out_suppresses: OptOutSuppresses::Address,
            unresponsive_days: 7,
            unsubscribe_link: true,
            track_opens: true,
            track_clicks: true,
            email_rate: None,
            text_rate: None,
            blocked_goes_on: BlockedGoesOn::ByItself,
            overdue_hours: 24,
            again: Again::Ask,
            structural_edits: StructuralEdits::WhenPaused,
            end_when_all_finished: false,
        }
    }
}

/// Whose zone the window is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneOf {
    #[default]
    Sequence,
    /// The contact's own, else its company's, else the sequence's.
    Contact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReply {
    #[default]
    Stop,
    Pause,
    GoOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnElsewhere {
    #[default]
    Nothing,
    Pause,
    Stop,
    /// A task asks a person.
    Ask,
}

/// What an out-of-office message does beside pausing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutOfOffice {
    pub resume: ResumeAfter,
    /// Days after the return date.
    pub days_after_return: u32,
    /// Days, where the message names no date.
    pub days_without_date: u32,
}
impl Default for OutOfOffice {
    fn default() -> Self {
        OutOfOffice { resume: ResumeAfter::ByHand, days_after_return: 1, days_without_date: 7 }
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumeAfter {
    #[default]
    ByHand,
    Return,
}

/// A soft bounce is tried again until one of the two is used up; then it counts as bounced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoftBounce {
    pub tries: u32,
    pub hours: u32,
}
impl Default for SoftBounce {
    fn default() -> Self {
        SoftBounce { tries: 3, hours: 72 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnMail {
    #[default]
    Nothing,
    End,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meeting {
    Nothing,
    #[default]
    EndPositive,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutEnds {
    #[default]
    AllSequences,
    ThisSequence,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutSuppresses {
    #[default]
    Address,
    /// The address is suppressed and steps on other channels of this sequence go on.
    AddressOtherChannelsGoOn,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedGoesOn {
    #[default]
    ByItself,
    ByRetry,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    #[default]
    Ask,
    Never,
    AfterDays(u32),
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuralEdits {
    #[default]
    WhenPaused,
    Never,
}

/// At most `count` in each `per`, counted in whole minutes, hours or days of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub count: u32,
    pub per: Per,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Minute,
    Hour,
    Day,
}

/// The settings of a workspace: the defaults its sequences start from, and what holds over all of them (SPEC §14).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkspaceSettings {
    /// What a new sequence starts from.
    pub sequence: Settings,
    pub at_a_time: AtATime,
    /// Least days since a contact was last touched, before it may be enrolled.
    pub touch_gap_days: Option<u32>,
    /// At most so many live contacts of one company.
    pub live_per_company: Option<u32>,
    pub domain_cap: Option<Rate>,
    pub workspace_cap: Option<Rate>,
    pub contact_cap: Option<Rate>,
    pub breaker: Breaker,
    /// For texts, in every zone plausible for the person.
    pub quiet: crate::calendar::Quiet,
    pub steps_max: u32,
    pub bulk_enroll_max: u32,
    pub live_sequences_max: u32,
}

impl Default for WorkspaceSettings {
    fn default() -> Self {
        WorkspaceSettings {
            sequence: Settings::default(),
            at_a_time: AtATime::Several,
            touch_gap_days: None,
            live_per_company: None,
            domain_cap: None,
            workspace_cap: None,
            contact_cap: None,
            breaker: Breaker::default(),
            quiet: crate::calendar::Quiet::default(),
            steps_max: 100,
            bulk_enroll_max: 100_000,
            live_sequences_max: 1_000,
        }
    }
}

/// In how many sequences a contact may be at once (ENR-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtATime {
    #[default]
    Several,
    One,
}

/// When bounces or complaints pause a sequence or mailbox (SND-10). Shares are in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    pub bounces_per_mille: u32,
    /// No verdict on fewer sends.
    pub bounces_floor: u32,
    pub days: u32,
    pub complaints_per_mille: u32,
    pub complaints_floor: u32,
}
impl Default for Breaker {
    fn default() -> Self {
        Breaker { bounces_per_mille: 50, bounces_floor: 50, days: 7, complaints_per_mille: 1, complaints_floor: 1_000 }
    }
}
