//! The Tasks screen: a day of work, a step in trouble, a mail to be sent, nothing to do.

use super::super::flow_picture::{Shown, draw};
use super::super::kind::{KindIcon, priority_badge};
use super::super::lists::{Choice, Empty, EmptyReason, Filter, Link};
use super::super::parts::{Badge, Tone};
use super::super::shell::Place;
use super::super::story::Entry;
use super::super::tasks::*;
use super::{flow, near, page, shell};
use cadenza_core::flow::{Priority, StepKind};

pub fn pages() -> Vec<(&'static str, String)> {
    let crowded = (0..40).flat_map(|_| rows()).collect();
    vec![
        page("tasks", &with(Some(call_panel()), groups())),
        page("tasks_trouble", &with(Some(trouble_panel()), groups())),
        page("tasks_mail", &with(Some(mail_panel()), groups())),
        page("tasks_closed", &with(None, groups())),
        page(
            "tasks_crowded",
            &with(Some(call_panel()), vec![Group { label: "Calls".into(), count: 4_812, rows: crowded }]),
        ),
        page("tasks_empty", &TasksPage { empty: Some(empty()), panel: None, ..with(None, Vec::new()) }),
    ]
}

fn with(panel: Option<TaskPanel>, groups: Vec<Group>) -> TasksPage {
    let tab =
        |label: &str, count, current| TypeTab { label: label.into(), count, href: "/tasks?type=x".into(), current };
    TasksPage {
        shell: shell(Place::Tasks),
        total: groups.iter().map(|g| g.count).sum(),
        filters: vec![
            filter("sequence", "Sequence", "", &["CTO outreach Q1", "Nurses Hamburg"]),
            filter("user", "User", "ann", &["ann", "ben"]),
            filter("due", "Due", "", &["Overdue", "Today", "This week"]),
            filter("priority", "Priority", "", &["High", "Normal", "Low"]),
        ],
        types: vec![
            tab("All", 37, true),
            tab("To mend", 2, false),
            tab("Calls", 21, false),
            tab("Emails", 9, false),
            tab("LinkedIn", 5, false),
        ],
        groups,
        more: Some(Link::new("/tasks?after=x", "Show 20 more calls")),
        panel,
        asked_for: true,
        list: "/tasks".into(),
        empty: None,
    }
}

fn filter(name: &'static str, label: &'static str, value: &str, choices: &[&str]) -> Filter {
    Filter { name, label, value: value.into(), choices: choices.iter().map(|c| Choice::new(*c, *c)).collect() }
}

fn row(who: &str, company: &str, what: &str, kind: Option<StepKind>, due: i64, badge: Option<Badge>) -> TaskRow {
    TaskRow {
        href: format!("/tasks?task={}", who.replace(' ', "-")),
        current: who == "Maria Sánchez",
        kind: kind.map(KindIcon),
        who: who.into(),
        company: company.into(),
        what: what.into(),
        sequence: "CTO outreach Q1".into(),
        due: Some(near(due)),
        overdue: due < 0,
        badge,
    }
}

fn rows() -> Vec<TaskRow> {
    vec![
        row(
            "Maria Sánchez",
            "Contoso Health",
            "First call",
            Some(StepKind::Call),
            -130,
            priority_badge(Priority::High),
        ),
        row("Tomasz Wiśniewski", "Fabrikam", "First call", Some(StepKind::Call), -20, None),
        row(
            "Priya Raman",
            "Adventure Works Cycles International",
            "Second call after the demo",
            Some(StepKind::Call),
            40,
            None,
        ),
        row(
            "Jean-Luc de la Fontaine-Beaumarchais",
            "",
            "First call",
            Some(StepKind::Call),
            300,
            priority_badge(Priority::Low),
        ),
    ]
}

fn groups() -> Vec<Group> {
    let broken = vec![
        row("Olaf Berg", "Litware", "Introduction – no work email", None, -60, None),
        row("Kim Novak", "Tailspin", "Nudge – the field “pain point” is empty", None, -10, None),
    ];
    let mails = vec![
        row("Ines Duarte", "Wingtip", "Goodbye, written by hand", Some(StepKind::EmailManual), 0, None),
        row(
            "Sam Okafor",
            "Proseware",
            "Proposal",
            Some(StepKind::EmailManual),
            120,
            Some(Badge::new(Tone::Amber, "Paused")),
        ),
    ];
    let other = vec![
        row("Lena Hoffmann", "Alpine Ski House", "Connect on LinkedIn", Some(StepKind::Linkedin), 10, None),
        row("Wei Zhang", "Graphic Design Institute", "Prepare the demo", Some(StepKind::Task), 1500, None),
        row("Amara Nwosu", "Relecloud", "Ask about the budget", Some(StepKind::SmsManual), 2000, None),
    ];
    let group = |label: &str, rows: Vec<TaskRow>| Group { label: label.into(), count: rows.len() as u64, rows };
    vec![group("To mend", broken), group("Calls", rows()), group("Emails", mails), group("Others", other)]
}

fn entry(icon: &'static str, tone: &'static str, text: &str, detail: &str, minutes: i64) -> Entry {
    Entry { icon, tone, text: text.into(), detail: detail.into(), when: near(minutes), planned: minutes > 0 }
}

fn call_panel() -> TaskPanel {
    let flow = flow();
    let key = |name: &str| name.parse().unwrap();
    let shown = Shown { path: vec![key("intro"), key("connect")], place: Some(key("call")), ..Shown::default() };
    let outcome = |value: &str, label: &str, then: &str| OutcomeButton {
        value: value.into(),
        label: label.into(),
        then: then.into(),
    };
    let field = |name: &str, label: &str, value: &str, fixed| OverviewField {
        name: name.into(),
        label: label.into(),
        value: value.into(),
        fixed,
    };
    TaskPanel {
        path: "/tasks/enr_0000000000001.3".into(),
        back: "/tasks".into(),
        kind: Some(KindIcon(StepKind::Call)),
        title: "First call".into(),
        badges: priority_badge(Priority::High).into_iter().collect(),
        due: Some(near(-130)),
        step: "Step 3 of 6 in Main".into(),
        sequence: Some(Link::new("/sequences/x", "CTO outreach Q1")),
        enrollment: Some(Link::new("/enrollments/x", "Enrollment")),
        card: ContactCard {
            name: "Maria Sánchez".into(),
            href: "/contacts/x".into(),
            title: "Chief Technology Officer".into(),
            company: Some(Link::new("/companies/x", "Contoso Health")),
            local_time: "10:24 in Madrid".into(),
            phone: Some(("+34 912 345 678".into(), "+34912345678".into())),
        },
        trouble: None,
        instructions: "Ask how the new ward software is doing, and whether they still hire in spring.\nShe prefers Spanish.".into(),
        script: "Hola Maria, this is Ann from Northwind Talent. I wrote to you on Thursday about the two platform engineers.\n\nDo you have three minutes?".into(),
        compose: None,
        outcomes: vec![
            outcome("no_answer", "No Answer", "Goes on: Nudge in the same thread, after 3 days"),
            outcome("left_voicemail", "Left Voicemail", "Goes on: Nudge in the same thread, after 3 days"),
            outcome("interested", "Interested", "Ends it as positive"),
            outcome("not_interested", "Not Interested", "Ends it as negative"),
            outcome("Call back later", "Call back later", "Goes to the branch Later"),
        ],
        fields: vec![
            field("email", "Work email", "maria.sanchez@contoso.example", false),
            field("phone", "Work phone", "+34 912 345 678", false),
            field("title", "Title", "Chief Technology Officer", false),
            field("zone", "Time zone", "Europe/Madrid", false),
            field("owner", "Primary owner", "Ann Lindqvist", true),
            field("last_engaged", "Last engaged", "2 d ago", true),
            field("team_size", "Team size", "", false),
            field("source", "Source", "Conference", false),
        ],
        picture: Some(draw(&flow, &shown)),
        entries: vec![
            entry("call", "", "First call", "Planned", 30),
            entry("linkedin", "green", "Connect on LinkedIn: done", "Ann Lindqvist · CTO outreach Q1", -1500),
            entry("click", "blue", "Clicked “case study” in Introduction", "", -2900),
            entry("email", "blue", "Introduction sent", "Platform engineers for Contoso Health", -4400),
            entry("enrollments", "violet", "Enrolled in CTO outreach Q1", "by Ann Lindqvist from the list “CTOs Iberia”", -4410),
        ],
        notes: vec![entry("note", "amber", "Met her at the Madrid meetup; hires in spring.", "Ben Carter", -90_000)],
        resume: "2019–now Chief Technology Officer, Contoso Health\n2014–2019 Head of Platform, Fourth Coffee".into(),
    }
}

fn trouble_panel() -> TaskPanel {
    TaskPanel {
        kind: None,
        title: "Introduction".into(),
        trouble: Some(Trouble {
            text: "This email cannot be sent: Olaf Berg has no work email.".into(),
            field: Some(("work_email".into(), "Work email".into())),
            ways: vec![
                ("retry".into(), "Save and retry".into(), true),
                ("skip".into(), "Skip this step".into(), false),
                ("remove".into(), "Remove from the sequence".into(), false),
            ],
        }),
        outcomes: Vec::new(),
        instructions: String::new(),
        script: String::new(),
        picture: None,
        entries: Vec::new(),
        notes: Vec::new(),
        resume: String::new(),
        card: ContactCard {
            name: "Olaf Berg".into(),
            title: String::new(),
            phone: None,
            local_time: String::new(),
            ..call_panel().card
        },
        ..call_panel()
    }
}

fn mail_panel() -> TaskPanel {
    TaskPanel {
        kind: Some(KindIcon(StepKind::EmailManual)),
        title: "Goodbye, written by hand".into(),
        script: String::new(),
        compose: Some(Compose {
            from: "Ann Lindqvist <ann@northwind.example>".into(),
            to: "Ines Duarte <ines@wingtip.example>".into(),
            subject: Some("Re: Platform engineers for Wingtip".into()),
            body: "Hi Ines,\n\nI have not heard from you, so I close your file for now. If spring looks different, write me a line.\n\nAll the best\nAnn".into(),
            warnings: vec!["It is 19:40 in Lisbon: outside the sequence's window.".into()],
        }),
        outcomes: vec![OutcomeButton { value: "done".into(), label: "Done".into(), then: "Goes on".into() }],
        ..call_panel()
    }
}

fn empty() -> Empty {
    let reason =
        |text: &str, href: &str, label: &str| EmptyReason { text: text.into(), link: Some(Link::new(href, label)) };
    Empty {
        reasons: vec![
            reason("412 contacts wait for their next step.", "/queue", "Queue"),
            reason("18 tasks belong to other users.", "/tasks?user=all", "Show them"),
            reason("Your filters hide 7 tasks.", "/tasks", "Clear filters"),
            reason("2 sequences are paused.", "/overview?state=paused", "Overview"),
        ],
        ..Empty::new("tasks", "Nothing to do right now", "The window of CTO outreach Q1 opens tomorrow at 09:00.")
    }
}
