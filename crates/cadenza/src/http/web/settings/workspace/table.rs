//! The settings of a workspace as a table: of each its name, words, unit, and how it is read from and written to the draft of a
//! form. The page and its reading follow this one list, so that neither can forget a setting.

use super::draft::Draft;
use crate::http::web::form::Input;

/// One setting.
pub struct Setting {
    pub name: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    pub unit: &'static str,
    pub input: fn() -> Input,
    /// As its control has it.
    pub show: fn(&Draft) -> String,
    /// What would be accepted, where it is not.
    pub set: fn(&mut Draft, &str) -> Result<(), String>,
}

/// Settings that belong together.
pub struct Group {
    pub label: &'static str,
    /// For what they hold.
    pub about: &'static str,
    pub settings: &'static [Setting],
}

const STARTS: &str = "A new sequence starts from these; sequences that exist keep theirs.";
const HOLDS: &str = "Over everything in the workspace, from the moment it is saved.";

/// The groups of what a sequence starts from, and may have otherwise.
pub fn of_sequences() -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(|g| g.about == STARTS)
}

macro_rules! choices {
    ($($value:literal = $label:literal),* $(,)?) => { || Input::choices(&[$(($value, $label)),*]) };
}

/// A number of the draft.
macro_rules! number {
    ($name:literal, $label:literal, $help:literal, $unit:literal, $($at:ident).+) => {
        Setting {
            name: $name, label: $label, help: $help, unit: $unit, input: || Input::Number,
            show: |d| d.$($at).+.to_string(),
            set: |d, text| { d.$($at).+ = super::draft::whole(text)?; Ok(()) },
        }
    };
}

/// A number, or nothing for no limit.
macro_rules! limit {
    ($name:literal, $label:literal, $help:literal, $unit:literal, $($at:ident).+) => {
        Setting {
            name: $name, label: $label, help: $help, unit: $unit, input: || Input::Number,
            show: |d| d.$($at).+.map(|n| n.to_string()).unwrap_or_default(),
            set: |d, text| {
                d.$($at).+ = if text.is_empty() { None } else { Some(super::draft::positive(text)?) };
                Ok(())
            },
        }
    };
}

/// A share, stored in thousandths and typed in per cent.
macro_rules! share {
    ($name:literal, $label:literal, $help:literal, $($at:ident).+) => {
        Setting {
            name: $name, label: $label, help: $help, unit: "%", input: || Input::Number,
            show: |d| super::draft::percent(d.$($at).+),
            set: |d, text| { d.$($at).+ = super::draft::per_mille(text)?; Ok(()) },
        }
    };
}

macro_rules! rate {
    ($name:literal, $label:literal, $help:literal, $($at:ident).+) => {
        Setting {
            name: $name, label: $label, help: $help, unit: "", input: || Input::Rate,
            show: |d| super::draft::rate(d.$($at).+),
            set: |d, text| { d.$($at).+ = super::draft::read_rate(text)?; Ok(()) },
        }
    };
}

macro_rules! flag {
    ($name:literal, $label:literal, $help:literal, $($at:ident).+) => {
        Setting {
            name: $name, label: $label, help: $help, unit: "", input: || Input::Check,
            show: |d| if d.$($at).+ { "on".into() } else { String::new() },
            set: |d, text| { d.$($at).+ = text == "on"; Ok(()) },
        }
    };
}

/// One of a few words.
macro_rules! word {
    ($name:literal, $label:literal, $help:literal, $($at:ident).+, [$($choice:tt)*]) => {
        Setting {
            name: $name, label: $label, help: $help, unit: "", input: choices![$($choice)*],
            show: |d| super::draft::word(&d.$($at).+),
            set: |d, text| { d.$($at).+ = super::draft::read_word(text)?; Ok(()) },
        }
    };
}

/// A text of the draft that is put together with others in the end.
macro_rules! text {
    ($name:literal, $label:literal, $help:literal, $input:expr, $at:ident) => {
        Setting {
            name: $name,
            label: $label,
            help: $help,
            unit: "",
            input: || $input,
            show: |d| d.$at.clone(),
            set: |d, text| {
                d.$at = text.to_owned();
                Ok(())
            },
        }
    };
}

pub const GROUPS: &[Group] = &[
    Group {
        label: "When work runs",
        about: STARTS,
        settings: &[
            text!("days", "Days", "On which automatic steps run and tasks appear.", Input::Days, days),
            text!("start", "Start sending at", "The first minute of the window, as 09:00.", Input::Time, start),
            text!("stop", "Stop sending at", "The first minute after it; the latest is 24:00.", Input::Time, stop),
            text!("zone", "Time zone", "In which the window is read, such as Europe/Berlin.", Input::Zone, zone),
            word!(
                "zone_of",
                "Window in the zone of",
                "The contact's zone is its own, else its company's, else the sequence's.",
                settings.sequence.zone_of,
                ["sequence" = "the sequence", "contact" = "the contact"]
            ),
            text!(
                "holidays",
                "Holidays",
                "One a line: 2027-03-26 Good Friday, or 12-25 Christmas for every year. Nothing runs on them.",
                Input::Area,
                holidays
            ),
            number!(
                "overdue_hours",
                "Held overdue after",
                "What a long stop of Cadenza delayed by more waits for a person to release it.",
                "hours",
                settings.sequence.overdue_hours
            ),
        ],
    },
    Group {
        label: "When somebody answers",
        about: STARTS,
        settings: &[
            word!(
                "reply",
                "On a reply",
                "A genuine answer, on any channel.",
                settings.sequence.reply,
                ["stop" = "stop", "pause" = "pause", "go_on" = "go on"]
            ),
            word!(
                "reply_others",
                "The contact's other sequences",
                "When they reply in one.",
                settings.sequence.reply_others,
                ["nothing" = "do nothing", "pause" = "pause", "stop" = "stop", "ask" = "a task that asks"]
            ),
            word!(
                "reply_colleagues",
                "Colleagues",
                "Live contacts of the same company, when one of them replies.",
                settings.sequence.reply_colleagues,
                ["nothing" = "do nothing", "pause" = "pause", "stop" = "stop", "ask" = "a task that asks"]
            ),
            word!(
                "out_of_office",
                "Out of office",
                "It is paused in any case; this says until when.",
                settings.sequence.out_of_office.resume,
                ["by_hand" = "hold until resumed", "return" = "resume at the return date"]
            ),
            number!(
                "days_after_return",
                "Resume after the return date",
                "Where it resumes by itself.",
                "days",
                settings.sequence.out_of_office.days_after_return
            ),
            number!(
                "days_without_date",
                "Resume where no date is given",
                "Where it resumes by itself.",
                "days",
                settings.sequence.out_of_office.days_without_date
            ),
            word!(
                "own_mail",
                "Own mail in the thread",
                "When the user writes to the contact by themselves.",
                settings.sequence.own_mail,
                ["nothing" = "do nothing", "end" = "end"]
            ),
            word!(
                "meeting",
                "Meeting booked",
                "When an invitation is accepted.",
                settings.sequence.meeting,
                ["nothing" = "do nothing", "end_positive" = "end, positive"]
            ),
            word!(
                "opt_out_ends",
                "An opt-out ends",
                "",
                settings.sequence.opt_out_ends,
                ["all_sequences" = "all sequences", "this_sequence" = "this sequence"]
            ),
            word!(
                "opt_out_suppresses",
                "An opt-out suppresses",
                "Steps to a suppressed address are skipped.",
                settings.sequence.opt_out_suppresses,
                ["address" = "that address", "address_other_channels_go_on" = "that address; other channels go on"]
            ),
        ],
    },
    Group {
        label: "What mails carry",
        about: STARTS,
        settings: &[
            flag!(
                "unsubscribe_link",
                "Unsubscribe link",
                "With the one-click header that large providers ask for.",
                settings.sequence.unsubscribe_link
            ),
            flag!(
                "track_opens",
                "Track opens",
                "By a pixel. Machines that open everything are told apart.",
                settings.sequence.track_opens
            ),
            flag!("track_clicks", "Track clicks", "By signed links.", settings.sequence.track_clicks),
            rate!(
                "email_rate",
                "Emails of a sequence",
                "What is held back goes out as room appears.",
                settings.sequence.email_rate
            ),
            rate!("text_rate", "Texts of a sequence", "", settings.sequence.text_rate),
            number!(
                "soft_tries",
                "Soft bounce: tries",
                "A mail that cannot be delivered for now.",
                "tries",
                settings.sequence.soft_bounce.tries
            ),
            number!(
                "soft_hours",
                "Soft bounce: at most",
                "Then it counts as bounced.",
                "hours",
                settings.sequence.soft_bounce.hours
            ),
        ],
    },
    Group {
        label: "Rules of a sequence",
        about: STARTS,
        settings: &[
            text!(
                "again",
                "Enroll again",
                "Somebody who finished here before.",
                Input::choices(&[("ask", "ask"), ("never", "never"), ("after_days", "after some days")]),
                again
            ),
            text!(
                "again_days",
                "Enroll again after",
                "Where it is after some days. Unit: days.",
                Input::Number,
                again_days
            ),
            word!(
                "blocked_goes_on",
                "Blocked goes on",
                "Once what was missing is there.",
                settings.sequence.blocked_goes_on,
                ["by_itself" = "by itself", "by_retry" = "by Retry"]
            ),
            number!(
                "unresponsive_days",
                "Unresponsive after",
                "Since the last email step, without a reply.",
                "days",
                settings.sequence.unresponsive_days
            ),
            word!(
                "structural_edits",
                "Structural edits while people are in it",
                "Adding, deleting and moving steps.",
                settings.sequence.structural_edits,
                ["when_paused" = "when paused", "never" = "never"]
            ),
            flag!(
                "end_when_all_finished",
                "Ends when all are finished",
                "A few minutes after the last one in it is finished, for good. A list that feeds it does not keep it open.",
                settings.sequence.end_when_all_finished
            ),
        ],
    },
    Group {
        label: "Caps",
        about: HOLDS,
        settings: &[
            rate!(
                "workspace_cap",
                "The workspace sends",
                "All mailboxes together. Empty: no cap.",
                settings.workspace_cap
            ),
            rate!("domain_cap", "To one recipient domain", "Empty: no cap.", settings.domain_cap),
            rate!("contact_cap", "To one contact", "Over all sequences. Empty: no cap.", settings.contact_cap),
            share!(
                "bounces",
                "Pause at bounces of",
                "A sequence or mailbox pauses itself and says so.",
                settings.breaker.bounces_per_mille
            ),
            number!("bounces_floor", "Of at least", "No verdict on fewer.", "sends", settings.breaker.bounces_floor),
            number!("breaker_days", "Within", "", "days", settings.breaker.days),
            share!("complaints", "Pause at complaints of", "", settings.breaker.complaints_per_mille),
            number!(
                "complaints_floor",
                "Complaints: of at least",
                "No verdict on fewer.",
                "sends",
                settings.breaker.complaints_floor
            ),
            text!(
                "quiet_from",
                "No texts from",
                "Quiet hours, in every zone the contact may be in. Nobody can pass them.",
                Input::Time,
                quiet_from
            ),
            text!("quiet_to", "No texts until", "", Input::Time, quiet_to),
        ],
    },
    Group {
        label: "Who may be enrolled",
        about: HOLDS,
        settings: &[
            word!(
                "at_a_time",
                "Sequences at a time",
                "In how many a contact may be at once.",
                settings.at_a_time,
                ["several" = "several", "one" = "one only"]
            ),
            limit!("touch_gap_days", "Least time since last touch", "Empty: off.", "days", settings.touch_gap_days),
            limit!(
                "live_per_company",
                "Live contacts of one company",
                "Empty: off.",
                "contacts",
                settings.live_per_company
            ),
        ],
    },
    Group {
        label: "Limits",
        about: "Passing one is refused with its name.",
        settings: &[
            number!("steps_max", "Steps of a sequence", "", "steps", settings.steps_max),
            number!("bulk_enroll_max", "Contacts of one bulk enroll", "", "contacts", settings.bulk_enroll_max),
            number!("live_sequences_max", "Live sequences", "", "sequences", settings.live_sequences_max),
        ],
    },
];
