//! Files read and write, mistakes are named where they stand, plans say what changes, and the example holds.

use super::*;
use crate::calendar::{Delay, Window};
use crate::flow::check::{Finding, Grounds, Severity, check};
use crate::flow::{
    AddressKind, AttachmentRef, Condition, Content, Key, Outcome, OwnerRule, Regarding, SenderRule, SideAction, Step,
    StepKind, Then, Tracking, Variant, Verdict, When,
};
use crate::settings::{
    Again, OnElsewhere, OnReply, OutOfOffice, Per, Rate, ResumeAfter, Settings, SoftBounce, WorkspaceSettings, ZoneOf,
};
use proptest::prelude::*;

const OUTREACH: &str = include_str!("../../../../../examples/outreach.toml");

fn key(text: &str) -> Key {
    text.parse().unwrap()
}
fn errors(text: &str) -> Vec<String> {
    parse(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}
pub(super) fn findings(file: &SequenceFile) -> Vec<Finding> {
    let workspace = WorkspaceSettings::default();
    let settings = file.settings.over(&workspace.sequence);
    let known = file.known();
    let from = "2027-03-01T08:00:00Z".parse().unwrap();
    let grounds =
        Grounds { settings: &settings, known: &known, from, quiet: workspace.quiet, steps_max: workspace.steps_max };
    check(&file.flow(), &grounds)
}
fn messages(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.message.as_str()).collect()
}

/// The shortest file that is whole, with `more` in its only step.
fn small(more: &str) -> String {
    format!(
        "name = \"Small\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         subject = \"Hello\"\ntext = \"Hello\"\n{more}"
    )
}

#[test]
fn the_example_reads_checks_and_uses_every_kind_of_step() {
    let file = parse(OUTREACH).unwrap_or_else(|e| panic!("{e:#?}"));
    let found = findings(&file);
    let wrong: Vec<&Finding> = found.iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found.is_empty(), "an example should not even be doubtful: {:#?}", messages(&found));
    let flow = file.flow();
    for kind in StepKind::ALL {
        assert!(flow.steps().any(|s| s.kind == kind), "{kind:?}");
    }
    let goodbye = flow.spot(&key("goodbye")).unwrap().step;
    assert_eq!(goodbye.content.variants[0].subject, "Shall I close your file?");
    assert_eq!(parse(&write(&file)), Ok(file.clone()), "{}", write(&file));
    assert_eq!(write(&parse(&write(&file)).unwrap()), write(&file));
}

#[test]
fn a_file_means_what_it_says() {
    let file = parse(OUTREACH).unwrap();
    assert_eq!(file.name, "Backend engineers, Berlin");
    let settings = file.settings.over(&Settings::default());
    assert_eq!(settings.zone.name(), "Europe/Berlin");
    assert_eq!(settings.zone_of, ZoneOf::Contact);
    assert_eq!(settings.window.to_string(), "Mon–Fri 09:00–17:30");
    assert_eq!(settings.out_of_office.resume, ResumeAfter::Return);
    assert_eq!(settings.email_rate, Some(Rate { count: 60, per: Per::Hour }));
    assert_eq!(settings.again, Again::AfterDays(180));
    assert_eq!(settings.holidays.len(), 6);
    let flow = file.flow();
    let intro = flow.first().unwrap().step;
    assert_eq!(intro.content.address, AddressKind::Work);
    assert_eq!(intro.content.variants.iter().map(|v| v.weight).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(intro.conditions[1].when, When::Clicked(Some("https://jobs.example.com/berlin-backend".into())));
    let hours = |n| Delay::new(n, crate::calendar::DelayUnit::Hours).unwrap();
    assert_eq!(intro.conditions[1].then, Then::Branch { branch: key("interested"), delay: Some(hours(4)) });
    let talk = flow.spot(&key("talk")).unwrap().step;
    assert_eq!(talk.conditions[2].when, When::Outcome(Outcome::Custom("call back later".into())));
    assert_eq!(talk.content.owner, OwnerRule::ContactOwner);
}

#[test]
fn the_shortest_file_needs_no_more_than_name_branch_and_step() {
    let file = parse(&small("")).unwrap();
    assert!(file.settings.is_empty());
    assert_eq!(write(&file), small("").replace("\"Small\"\n", "\"Small\"\n\n").replace("\"main\"\n", "\"main\"\n\n"));
}

#[test]
fn mistakes_are_named_where_they_stand() {
    let text = small("delya = \"3 days\"\npriority = \"urgent\"\nweight = 2\nsame_thread = \"yes\"\n")
        + "[[branch.step.on]]\nwhen = \"clickd\"\nwithin = \"3 weeks\"\nthen = \"branch:intrested\"\n"
        + "[[branch.step.on]]\nwhen = \"replied\"\nwithin = \"3 days\"\nthen = \"end:postive\"\n"
        + "[[branch]]\nkey = \"interested\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"call\"\n"
        + "[[branch.step.on]]\nwhen = \"clicked\"\nthen = \"step:itnro\"\ndelay = \"soon\"\n"
        + "[[branch.step]]\nkind = \"email_atuo\"\n";
    assert_eq!(
        errors(&text),
        [
            "9:1: branch.main.step.intro.delya: there is no \"delya\" here; did you mean \"delay\"?",
            "10:12: branch.main.step.intro.priority: \"urgent\" is not possible here: expected high, normal or low",
            "11:10: branch.main.step.intro.weight: a weight is a variant's: expected it in a [[branch.step.variant]]",
            "12:15: branch.main.step.intro.same_thread: expected true or false, found a text",
            "14:8: branch.main.step.intro.on[1].when: \"clickd\" is not possible here: expected opened, clicked, replied, \
             bounced, unsubscribed, delivered, failed or nothing; did you mean \"clicked\"?",
            "15:10: branch.main.step.intro.on[1].within: \"3 weeks\" is not a delay: expected a whole number and a unit \
             (minutes, hours, days or business days), such as \"90 minutes\" or \"2 business days\", or \"none\"",
            "16:8: branch.main.step.intro.on[1].then: there is no branch with the key \"intrested\"; did you mean \
             \"branch:interested\"?",
            "20:8: branch.main.step.intro.on[2].then: \"end:postive\" is not possible here: expected next, end, end:positive, \
             end:negative, pause, opt_out, step:<key> or branch:<key>; did you mean \"end:positive\"?",
            "24:7: branch.interested.step.intro.key: there is a step with the key \"intro\" already: keys must differ over \
             the whole file",
            "28:8: branch.interested.step.intro.on[1].then: there is no step with the key \"itnro\"; did you mean \
             \"step:intro\"?",
            "29:9: branch.interested.step.intro.on[1].delay: \"soon\" is not a delay: expected a whole number and a unit \
             (minutes, hours, days or business days), such as \"90 minutes\" or \"2 business days\", or \"none\"",
            "30:1: branch.interested.step[2]: key is missing: expected a permanent name such as \"intro\"",
            "31:8: branch.interested.step[2].kind: \"email_atuo\" is not possible here: expected email_auto, email_manual, \
             call, sms_auto, sms_manual, linkedin or task; did you mean \"email_auto\"?",
        ]
    );
}

#[test]
fn mistakes_of_the_top_and_of_settings() {
    let text = "descripton = \"x\"\nform = \"template\"\nlist = \"L\"\nbegin = 2027-03-01\nteam = [\"a\", 5]\n[settings]\n\
                zone = \"Europe/Berln\"\nreply = \"halt\"\nwindow = { days = \"mon-fri\", start = \"18:00\" }\n\
                email_rate = \"many\"\nagain = \"sometimes\"\nholidays = [\"13-01\", { name = \"x\" }]\ntrack_open = true\n\
                [[branch]]\nkey = \"Main\"\n[[branch]]\nkey = \"second\"\n[[snippet]]\nname = \"bad name\"\n[[snippet]]\n\
                name = \"ok\"\n[[snippet]]\nname = \"ok\"\n";
    let found = errors(text);
    let expected = [
        "1:1: name is missing: expected the name of the sequence",
        "1:1: descripton: there is no \"descripton\" here; did you mean \"description\"?",
        "3:8: list: a template never runs itself",
        "4:9: begin: \"2027-03-01\" is not a moment: expected RFC 3339, such as 2027-03-01T09:00:00Z",
        "4:9: begin: a template never runs itself",
        "5:8: team: a template never runs itself",
        "5:14: team[2]: expected a text in quotes, found a whole number",
        "7:8: settings.zone: \"Europe/Berln\" is not a time zone: expected an IANA name such as Europe/Berlin; did you mean \
         Europe/Berlin?",
        "8:9: settings.reply: \"halt\" is not possible here: expected stop, pause or go_on",
        "9:10: settings.window: a window must stop after it starts",
        "10:14: settings.email_rate: \"many\" is no rate: expected a number per minute, hour or day, such as \"40 per hour\"",
        "11:9: settings.again: \"sometimes\" is not possible here: expected \"ask\", \"never\" or such as \"after 90 days\"",
        "12:13: settings.holidays[1]: \"13-01\" is not a holiday",
        "12:22: settings.holidays[2]: date is missing",
        "13:1: settings.track_open: there is no \"track_open\" here; did you mean \"track_opens\"?",
        "15:7: branch.Main.key: \"Main\" is not a valid key",
        "19:8: snippet.bad name.name: a snippet's name stands in templates",
        "22:1: snippet.ok: there are two snippets called \"ok\"",
    ];
    for wanted in expected {
        assert!(found.iter().any(|f| f.starts_with(wanted)), "{wanted}\nis not in\n{}", found.join("\n"));
    }
    let rest = found.iter().filter(|f| !expected.iter().any(|w| f.starts_with(w)));
    assert_eq!(rest.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn wordings_stand_in_one_place() {
    let both = small("template = \"T\"\n");
    assert!(errors(&both)[0].contains("expected either template or this"), "{:?}", errors(&both));
    let mixed = small("[[branch.step.variant]]\nkey = \"b\"\ntext = \"x\"\n[[branch.step.variant]]\nkey = \"b\"\n");
    let found = errors(&mixed);
    assert!(found[0].contains("this step has variants: expected the wording in each"), "{found:?}");
    assert!(found.iter().any(|e| e.contains("a variant with the key \"b\" already")), "{found:?}");
}

#[test]
fn side_actions_are_one_a_table() {
    let with =
        |also: &str| small(&format!("[[branch.step.on]]\nwhen = \"replied\"\nwithin = \"1 day\"\nalso = [{also}]\n"));
    assert!(errors(&with("{ enrol = \"x\" }")).iter().any(|e| e.contains("did you mean \"enroll\"?")));
    assert!(errors(&with("{ enroll = \"x\", add_to_list = \"y\" }"))[0].contains("one side action a table"));
    assert!(errors(&with("{ set_field = \"x\" }"))[0].contains("value is missing"));
    assert!(errors(&with("{ set_workflow_stage = \"x\" }"))[0].contains("workflow is missing"));
    assert!(errors(&with("{ enroll = \"x\", message = \"y\" }"))[0].contains("there is no \"message\" here"));
    assert!(errors(&with("\"enroll\""))[0].contains("expected a table, found a text"));
}

#[test]
fn settings_state_only_what_differs() {
    let base = Settings::default();
    let own = Settings { reply: OnReply::GoOn, email_rate: Some(Rate { count: 5, per: Per::Minute }), ..base.clone() };
    let patch = SettingsPatch::between(&base, &own);
    assert_eq!(patch.stated(), [("reply", "\"go_on\"".to_owned()), ("email_rate", "\"5 per minute\"".to_owned())]);
    assert_eq!(patch.over(&base), own);
    let back = SettingsPatch::between(&own, &base);
    assert_eq!(back.stated()[1], ("email_rate", "\"none\"".to_owned()));
    assert_eq!(back.over(&own), base);
}

#[test]
fn a_plan_says_in_words_what_changes() {
    let old = parse(OUTREACH).unwrap();
    assert_eq!(plan(Some(&old), &old), []);
    let text = OUTREACH
        .replace("reply = \"stop\"", "reply = \"pause\"")
        .replace("again = \"after 180 days\"\n", "")
        .replace("delay = \"3 business days\"", "delay = \"4 business days\"")
        .replace("Shall I close your file?", "A last question")
        .replace("then = \"branch:by-phone\"", "then = \"end\"")
        .replace("weight = 2", "weight = 3");
    let mut new = parse(&text).unwrap();
    let file = new.branches[1].steps.remove(4);
    new.branches[1].steps.insert(0, file);
    let ping = Step { key: key("ping"), ..new.branches[0].steps[1].clone() };
    new.branches[0].steps.insert(1, ping);
    new.branches[2].steps.remove(1);
    let lines: Vec<String> = plan(Some(&old), &new)
        .iter()
        .map(|c| format!("{} {}", if c.is_structural() { '!' } else { ' ' }, c.message))
        .collect();
    assert_eq!(
        lines,
        [
            "  setting reply: \"stop\" becomes \"pause\"",
            "  setting again: \"after 180 days\" becomes the workspace's default",
            "! step cold-call is gone",
            "  step intro: weight of variant short 2 becomes 3",
            "! step ping is new after intro (automatic email)",
            "! step reminder: condition nothing becomes end within 2 days",
            "  step reminder: delay 3 business days becomes 4 business days",
            "! step file moves to the start of branch interested",
            "  email template \"Goodbye\" changed",
        ]
    );
    let all = plan(None, &old);
    assert_eq!(all[0].message, "sequence \"Backend engineers, Berlin\" is new");
    assert!(all.iter().any(|c| c.message == "step reminder is new after intro (automatic email)"));
    assert!(all.iter().any(|c| c.message == "snippet \"closing\" is new"));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zäß \"'\\\\{}#=\\[\\]]{0,20}", "([a-z\" \\\\]|\n|\r|\t|\\PC){0,30}", Just(String::new())]
}
fn delay() -> impl Strategy<Value = Delay> {
    use crate::calendar::DelayUnit::*;
    (0..2000u32, prop_oneof![Just(Minutes), Just(Hours), Just(Days), Just(BusinessDays)])
        .prop_map(|(n, unit)| Delay::new(n, unit).unwrap())
}
fn when(automatic: bool) -> BoxedStrategy<When> {
    if !automatic {
        return prop_oneof![
            Just(When::Outcome(Outcome::Interested)),
            Just(When::Outcome(Outcome::Delivered)),
            "[a-z][a-z ]{0,8}[a-z]".prop_map(|n| When::Outcome(Outcome::named(&n))),
        ]
        .boxed();
    }
    prop_oneof![
        Just(When::Opened),
        Just(When::Clicked(None)),
        "https://[a-z]{1,9}".prop_map(|l| When::Clicked(Some(l))),
        Just(When::Replied),
        Just(When::Failed),
        Just(When::Nothing),
    ]
    .boxed()
}
fn then() -> impl Strategy<Value = Then> {
    prop_oneof![
        Just(Then::Next),
        Just(Then::Pause),
        Just(Then::OptOut),
        prop_oneof![Just(Verdict::None), Just(Verdict::Positive), Just(Verdict::Negative)].prop_map(Then::End),
        proptest::option::of(delay()).prop_map(|delay| Then::Step { step: key("s0"), delay }),
        proptest::option::of(delay()).prop_map(|delay| Then::Branch { branch: key("main"), delay }),
    ]
}
fn action() -> impl Strategy<Value = SideAction> {
    prop_oneof![
        text().prop_map(SideAction::Enroll),
        text().prop_map(SideAction::AddToList),
        text().prop_map(SideAction::RemoveFromList),
        (text(), text()).prop_map(|(field, value)| SideAction::SetField { field, value }),
        (text(), text()).prop_map(|(workflow, stage)| SideAction::SetWorkflowStage { workflow, stage }),
        (text(), text()).prop_map(|(name, instructions)| SideAction::AddTask { name, instructions }),
        (text(), text()).prop_map(|(user, message)| SideAction::Notify { user, message }),
        text().prop_map(SideAction::CallWebhook),
    ]
}
fn condition(automatic: bool) -> impl Strategy<Value = Condition> {
    (when(automatic), proptest::option::of(delay()), then(), proptest::collection::vec(action(), 0..3))
        .prop_map(|(when, within, then, also)| Condition { when, within, then, also })
}
fn variant(n: usize) -> impl Strategy<Value = Variant> {
    (0..4u32, proptest::option::of(text()), text(), text(), text()).prop_map(
        move |(weight, template, subject, text, html)| {
            let own = template.is_none();
            let keep = |t: String| if own { t } else { String::new() };
            Variant {
                key: key(["a", "b", "c"][n]),
                weight,
                template,
                subject: keep(subject),
                text: keep(text),
                html: keep(html),
            }
        },
    )
}
fn content() -> impl Strategy<Value = Content> {
    let variants = (0..4usize).prop_flat_map(|n| (0..n).map(variant).collect::<Vec<_>>());
    let owner = prop_oneof![
        Just(OwnerRule::Enroller),
        Just(OwnerRule::ContactOwner),
        Just(OwnerRule::CompanyOwner),
        Just(OwnerRule::User("anna@example.org".into()))
    ];
    let sender = prop_oneof![Just(SenderRule::Owner), Just(SenderRule::Mailbox("jobs@example.org".into()))];
    let flag = || proptest::option::of(any::<bool>());
    let names = (text(), text(), text());
    (names, delay(), variants, owner, sender, (flag(), flag(), flag()), any::<bool>(), any::<bool>()).prop_map(
        |((name, instructions, script), delay, variants, owner, sender, flags, same_thread, more)| Content {
            name,
            delay,
            variants,
            instructions,
            script,
            priority: if more { Priority::High } else { Priority::Normal },
            owner,
            sender,
            address: if more { AddressKind::Personal } else { AddressKind::Any },
            regarding: if more { Regarding::Opportunity } else { Regarding::Nothing },
            tracking: Tracking { opens: flags.0, clicks: flags.1, unsubscribe: flags.2 },
            same_thread,
            attachments: if more {
                vec![AttachmentRef { id: crate::ids::AttachmentId(77), name: "cv \"x\".pdf".into() }]
            } else {
                Vec::new()
            },
        },
    )
}
fn step() -> impl Strategy<Value = Step> {
    (0..7usize).prop_flat_map(|kind| {
        let kind = StepKind::ALL[kind];
        let conditions = proptest::collection::vec(condition(kind.is_automatic()), 0..3);
        (content(), conditions).prop_map(move |(content, mut conditions)| {
            let mut seen = Vec::new();
            conditions.retain(|c| {
                !seen.contains(&c.when) && {
                    seen.push(c.when.clone());
                    true
                }
            });
            Step { key: key("s0"), kind, conditions, content, revision: 0 }
        })
    })
}
fn settings() -> impl Strategy<Value = SettingsPatch> {
    let own = prop_oneof![
        Just(Settings::default()),
        (any::<bool>(), 0..9u32, text()).prop_map(|(flag, n, name)| Settings {
            window: if flag { Window::always() } else { Window::default() },
            zone: "America/New_York".parse().unwrap(),
            holidays: crate::calendar::Holidays::none()
                .with("12-25".parse().unwrap(), Some(&name))
                .with("2027-03-26".parse().unwrap(), None),
            reply_others: OnElsewhere::Ask,
            out_of_office: OutOfOffice { resume: ResumeAfter::Return, days_after_return: n, days_without_date: 7 },
            soft_bounce: SoftBounce { tries: n, hours: 5 },
            unresponsive_days: n,
            track_opens: flag,
            text_rate: Some(Rate { count: n, per: Per::Day }),
            again: if flag { Again::AfterDays(n) } else { Again::Never },
            ..Settings::default()
        })
    ];
    own.prop_map(|own| SettingsPatch::between(&Settings::default(), &own))
}
fn file() -> impl Strategy<Value = SequenceFile> {
    let steps = proptest::collection::vec(proptest::collection::vec(step(), 1..4), 1..3);
    let name = "[a-zA-Z\"\\\\][a-z \"]{0,10}";
    (name, text(), steps, settings(), (0..4u32, 0..3usize), (text(), text(), text())).prop_map(
        |(name, description, steps, settings, (dates, form), (subject, body, html))| {
            let mut count = 0;
            let branches = steps.into_iter().enumerate().map(|(n, steps)| Branch {
                key: key(["main", "second"][n]),
                name: description.clone(),
                steps: steps
                    .into_iter()
                    .map(|s| {
                        count += 1;
                        Step { key: key(&format!("s{}", count - 1)), ..s }
                    })
                    .collect(),
            });
            let begin: Time = "2027-03-01T09:00:00.000001Z".parse().unwrap();
            let is_sequence = form == 0;
            SequenceFile {
                description: description.clone(),
                form: [Form::Sequence, Form::Template, Form::TemplateForList][form],
                of: if dates > 2 { Of::Companies } else { Of::Contacts },
                owner: (!is_sequence).then(|| "anna@example.org".to_owned()),
                primary_user: is_sequence.then(|| "ben@example.org".to_owned()),
                team: if is_sequence { vec!["cem \"c\"".into(), "dora".into()] } else { Vec::new() },
                list: is_sequence.then(|| description.clone()),
                begin: (is_sequence && dates > 0).then_some(begin),
                end: (is_sequence && dates > 1).then(|| begin + crate::time::Span::days(3)),
                priority: Priority::Low,
                settings,
                branches: branches.collect(),
                email_templates: vec![EmailTemplate { name: "E".into(), subject, text: body.clone(), html }],
                text_templates: vec![TextTemplate { name: "E".into(), text: body.clone() }],
                snippets: vec![Snippet { name: "s1".into(), text: body }],
                ..SequenceFile::new(&name)
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// What is written reads back as it was, and is written the same again.
    #[test]
    fn writing_then_reading_changes_nothing(file in file()) {
        let text = write(&file);
        let back = parse(&text);
        prop_assert_eq!(back.as_ref(), Ok(&file), "{}", text);
        prop_assert_eq!(write(&back.unwrap()), text);
    }

    /// A plan is empty exactly where nothing changes, and structural exactly where the structure does.
    #[test]
    fn a_plan_misses_nothing(old in file(), new in file()) {
        prop_assert_eq!(plan(Some(&old), &old), vec![]);
        let changes = plan(Some(&old), &new);
        prop_assert_eq!(changes.is_empty(), old == new);
        let structure = |f: &SequenceFile| -> Vec<_> {
            let of = |s: &Step| (s.key.clone(), s.kind, s.conditions.clone());
            f.branches.iter().map(|b| (b.key.clone(), b.steps.iter().map(of).collect::<Vec<_>>())).collect()
        };
        prop_assert_eq!(changes.iter().any(Change::is_structural), structure(&old) != structure(&new), "{:#?}", changes);
    }

    #[test]
    fn any_text_gives_an_answer(noise in "([a-z\"=\\[\\]{}.\n]|\\PC){0,60}", at in 0..4000usize) {
        let mut text = OUTREACH.to_owned();
        let at = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap();
        text.insert_str(at, &noise);
        if let Err(errors) = parse(&text) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|e| e.line >= 1 && e.column >= 1 && !e.message.is_empty()));
        }
    }
}
