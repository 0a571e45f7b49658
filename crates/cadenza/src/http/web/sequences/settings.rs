//! The settings of a sequence as a person reads them: each with its help, its value and its default (NAV-2, SPEC §14).

use super::super::parts::Watch;
use super::super::rows::Names;
use super::{Setting, SettingGroup};
use cadenza_core::settings::{
    Again, BlockedGoesOn, Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OwnMail, Per, Rate, ResumeAfter,
    Settings, ZoneOf,
};
use cadenza_store::sequences::{Sequence, Sharing};

/// All of them, in groups.
pub fn groups(
    sequence: &Sequence,
    names: &Names,
    list: Option<String>,
    template: Option<String>,
    watch: &Watch,
) -> Vec<SettingGroup> {
    let (own, default) = (&sequence.settings, &Settings::default());
    vec![
        who(sequence, names, list, template),
        when(sequence, own, default, watch),
        answers(own, default),
        sending(own, default),
        rules(own, default),
    ]
}

fn setting(label: &'static str, help: &'static str, value: impl Into<String>, default: impl Into<String>) -> Setting {
    Setting { label, help, value: value.into(), default: default.into(), required: false }
}

fn who(s: &Sequence, names: &Names, list: Option<String>, template: Option<String>) -> SettingGroup {
    let sharing = match s.sharing {
        Sharing::Private => "Private",
        Sharing::Chosen => "With those chosen",
        Sharing::Everyone => "With everyone",
    };
    let owner = setting(
        "Primary user",
        "Owns the sequence; works where a step's owner cannot be told.",
        names.of(Some(s.primary_user)),
        "who activates",
    );
    let made_from = template.map(|name| setting("Made from", "The template that was activated.", name, ""));
    let mut settings = vec![
        setting("Description", "", s.description.clone(), ""),
        Setting { required: true, ..owner },
        setting("List", "Whoever is put on it enters by themselves.", list.unwrap_or_else(|| "None".into()), "none"),
        setting("Shared", "Who sees it beside its owner and its team.", sharing, ""),
    ];
    settings.extend(made_from);
    SettingGroup { label: "Who", settings }
}

fn when(s: &Sequence, own: &Settings, default: &Settings, watch: &Watch) -> SettingGroup {
    let moment = |t: Option<cadenza_core::time::Time>, none: &str| t.map_or(none.to_owned(), |t| watch.exact(t).text);
    let zone_of = |z: ZoneOf| match z {
        ZoneOf::Sequence => "the sequence",
        ZoneOf::Contact => "the contact",
    };
    let zone = setting("Time zone", "In which the window is read.", own.zone.name(), "the primary user's");
    SettingGroup {
        label: "When",
        settings: vec![
            setting("Begin", "Nothing is executed before.", moment(s.begin, "At once"), "now"),
            setting(
                "End",
                "What is live then is finished, and open tasks are cancelled.",
                moment(s.end, "None"),
                "none",
            ),
            setting(
                "Window",
                "Automatic steps run, and tasks appear, on these days between these times.",
                own.window.to_string(),
                default.window.to_string(),
            ),
            Setting { required: true, ..zone },
            setting(
                "Window in the zone of",
                "The contact's zone is its own, else its company's, else the sequence's.",
                zone_of(own.zone_of),
                zone_of(default.zone_of),
            ),
            setting(
                "Held overdue after",
                "What a stop of the server delayed by more waits for a person.",
                format!("{} h", own.overdue_hours),
                format!("{} h", default.overdue_hours),
            ),
        ],
    }
}

fn answers(own: &Settings, default: &Settings) -> SettingGroup {
    let reply = |r: OnReply| match r {
        OnReply::Stop => "stop",
        OnReply::Pause => "pause",
        OnReply::GoOn => "go on",
    };
    let elsewhere = |e: OnElsewhere| match e {
        OnElsewhere::Nothing => "do nothing",
        OnElsewhere::Pause => "pause",
        OnElsewhere::Stop => "stop",
        OnElsewhere::Ask => "a task asks",
    };
    let out = |s: &Settings| match s.out_of_office.resume {
        ResumeAfter::ByHand => "hold until resumed".to_owned(),
        ResumeAfter::Return => {
            let o = s.out_of_office;
            format!("resume {} d after the return date, or after {} d", o.days_after_return, o.days_without_date)
        }
    };
    let mail = |m: OwnMail| if m == OwnMail::End { "end" } else { "do nothing" };
    let meeting = |m: Meeting| if m == Meeting::EndPositive { "end, positive" } else { "do nothing" };
    let ends = |o: OptOutEnds| if o == OptOutEnds::AllSequences { "all sequences" } else { "this sequence" };
    let suppresses = |o: OptOutSuppresses| match o {
        OptOutSuppresses::Address => "that address",
        OptOutSuppresses::AddressOtherChannelsGoOn => "that address; other channels go on",
    };
    SettingGroup {
        label: "Answers",
        settings: vec![
            setting("On a reply", "A genuine answer of the contact.", reply(own.reply), reply(default.reply)),
            setting(
                "The contact's other sequences",
                "When the contact replies here.",
                elsewhere(own.reply_others),
                elsewhere(default.reply_others),
            ),
            setting(
                "Colleagues",
                "Live contacts of the same company, when one replies.",
                elsewhere(own.reply_colleagues),
                elsewhere(default.reply_colleagues),
            ),
            setting("Out of office", "It is paused in any case.", out(own), out(default)),
            setting(
                "Own mail in the thread",
                "When the user writes by themselves.",
                mail(own.own_mail),
                mail(default.own_mail),
            ),
            setting(
                "Meeting booked",
                "When an invitation is accepted.",
                meeting(own.meeting),
                meeting(default.meeting),
            ),
            setting("Opt-out ends", "", ends(own.opt_out_ends), ends(default.opt_out_ends)),
            setting(
                "Opt-out suppresses",
                "",
                suppresses(own.opt_out_suppresses),
                suppresses(default.opt_out_suppresses),
            ),
        ],
    }
}

fn sending(own: &Settings, default: &Settings) -> SettingGroup {
    let on = |yes: bool| if yes { "on" } else { "off" };
    let rate = |r: Option<Rate>| r.map_or("none".to_owned(), |r| format!("{} {}", r.count, per(r.per)));
    let soft = |s: &Settings| format!("{} tries in {} h, then bounced", s.soft_bounce.tries, s.soft_bounce.hours);
    SettingGroup {
        label: "Sending",
        settings: vec![
            setting(
                "Emails at most",
                "What is held back goes out as room appears.",
                rate(own.email_rate),
                rate(default.email_rate),
            ),
            setting("Texts at most", "", rate(own.text_rate), rate(default.text_rate)),
            setting(
                "Unsubscribe link",
                "With the one-click header.",
                on(own.unsubscribe_link),
                on(default.unsubscribe_link),
            ),
            setting(
                "Opens are tracked",
                "By a pixel. Machines are told apart.",
                on(own.track_opens),
                on(default.track_opens),
            ),
            setting("Clicks are tracked", "By signed links.", on(own.track_clicks), on(default.track_clicks)),
            setting("Soft bounce", "A mail that could not be delivered for now.", soft(own), soft(default)),
        ],
    }
}

fn rules(own: &Settings, default: &Settings) -> SettingGroup {
    let again = |a: Again| match a {
        Again::Ask => "ask".to_owned(),
        Again::Never => "never".to_owned(),
        Again::AfterDays(n) => format!("after {n} days"),
    };
    let blocked = |b: BlockedGoesOn| if b == BlockedGoesOn::ByItself { "by itself" } else { "by Retry" };
    let on = |yes: bool| if yes { "on" } else { "off" };
    SettingGroup {
        label: "Rules",
        settings: vec![
            setting("Enroll again", "Somebody who finished here before.", again(own.again), again(default.again)),
            setting(
                "Blocked goes on",
                "Once what was missing is there.",
                blocked(own.blocked_goes_on),
                blocked(default.blocked_goes_on),
            ),
            setting(
                "Unresponsive after",
                "Since the last email step, without a reply.",
                format!("{} days", own.unresponsive_days),
                format!("{} days", default.unresponsive_days),
            ),
            setting(
                "Ends when all are finished",
                "A few minutes after the last one in it is finished, for good. A list that feeds it does not keep it open.",
                on(own.end_when_all_finished),
                on(default.end_when_all_finished),
            ),
        ],
    }
}

fn per(per: Per) -> &'static str {
    match per {
        Per::Minute => "a minute",
        Per::Hour => "an hour",
        Per::Day => "a day",
    }
}
