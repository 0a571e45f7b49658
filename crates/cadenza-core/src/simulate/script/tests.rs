//! Scripts read, mistakes are named, draws keep their shares and repeat.

use super::*;
use crate::flow::file::parse;

const REACTIONS: &str = include_str!("../../../../../examples/reactions.toml");
const OUTREACH: &str = include_str!("../../../../../examples/outreach.toml");

fn who(n: usize) -> Who {
    Who { email: format!("c{n}@example.org"), company: "Acme Ltd".into(), zone: "Europe/Berlin".into() }
}
fn errors(text: &str) -> Vec<String> {
    Script::parse(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_reads_and_fits_its_sequence() {
    let script = Script::parse(REACTIONS).unwrap_or_else(|e| panic!("{e:#?}"));
    let flow = parse(OUTREACH).unwrap().flow();
    assert_eq!(script.check(&flow), Vec::<String>::new());
    assert_eq!(script.seed, 7);
    let away = script.reactions.iter().find(|r| r.name == "is away").unwrap();
    assert_eq!(away.act, Act::OutOfOffice { until: Some(Span::days(9)) });
    let back = script.reactions.iter().find(|r| r.name == "a bad moment").unwrap();
    assert_eq!(back.act, Act::Mark(Outcome::Custom("call back later".into())));
    // Every step that a person does is done by somebody, so no simulated contact stands still for ever.
    for step in flow.steps().filter(|s| !s.kind.is_automatic()) {
        assert!(script.reactions.iter().any(|r| r.steps.contains(&step.key) && r.act.is_on_task()), "{}", step.key);
    }
}

#[test]
fn mistakes_are_named_where_they_stand() {
    let text = "sed = 1\n[[reaction]]\ndo = \"replay\"\nshare = 1.5\nafter = \"3 days..2 hours\"\n[[reaction]]\nstep = \"Intro\"\n\
                after = \"2 business days\"\n[[reaction]]\ndo = \"mark\"\nlink = \"x\"\n[[reaction]]\nlot = \"a\"\nshare = 0.7\n\
                do = \"open\"\n[[reaction]]\nlot = \"a\"\nshare = 0.4\ndo = \"click\"\nby = \"robot\"\n";
    assert_eq!(
        errors(text),
        [
            "1:1: sed: there is no \"sed\" here; did you mean \"seed\"?",
            "3:6: reaction[1].do: \"replay\" is not possible here: expected reply, out_of_office, open, click, bounce, deliver, \
             unsubscribe, complain, meeting, own_mail, mark or send; did you mean \"reply\"?",
            "4:9: reaction[1].share: expected a share from 0 to 1, such as 0.15, found 1.5",
            "5:9: reaction[1].after: \"3 days..2 hours\" ends before it begins: expected the shorter time first",
            "6:1: reaction[2]: do is missing: expected what is done, such as \"reply\"",
            "7:8: reaction[2].step: \"Intro\" is not a valid key: expected 1 to 40 characters of a-z, 0-9, - and _, the first a \
             letter or digit",
            "8:9: reaction[2].after: people do not wait in business days: expected minutes, hours or days",
            "9:1: reaction[3]: outcome is missing: expected how the task is marked, such as \"no_answer\"",
            "11:1: reaction[3].link: there is no \"link\" here: expected name, contact, company, zone, share, lot, step, after, \
             times, do or outcome",
            "16:1: reaction[5]: the shares of the lot \"a\" come to more than 1",
            "20:6: reaction[5].by: \"robot\" is not possible here: expected person or machine",
        ]
    );
    assert!(errors("")[0].contains("reaction is missing"));
    assert!(
        errors("[[reaction]]\nname = \"x\"\ndo = \"open\"\n[[reaction]]\nname = \"x\"\ndo = \"open\"\n")[0]
            .contains("there is a reaction called \"x\" already")
    );
}

#[test]
fn what_does_not_fit_the_flow_is_said() {
    let flow = parse(OUTREACH).unwrap().flow();
    let script = "[[reaction]]\nstep = \"intor\"\ndo = \"reply\"\n[[reaction]]\nstep = \"connect\"\ndo = \"mark\"\n\
                  outcome = \"left_voicemail\"\n[[reaction]]\nstep = \"intro\"\ndo = \"send\"\n";
    assert_eq!(
        Script::parse(script).unwrap().check(&flow),
        [
            "reaction 1: the flow has no step intor; did you mean \"intro\"?",
            "reaction 2: step connect cannot be marked left_voicemail: expected done",
            "reaction 3: step intro is automatic; nobody sends it by hand",
        ]
    );
}

#[test]
fn shares_are_kept_and_lots_exclude_each_other() {
    let text = "[[reaction]]\nname = \"a\"\nlot = \"l\"\nshare = 0.15\ndo = \"reply\"\n[[reaction]]\nname = \"b\"\nlot = \"l\"\n\
                share = 0.25\ndo = \"open\"\n[[reaction]]\nname = \"c\"\nshare = 0.5\ndo = \"open\"\n";
    let script = Script::parse(text).unwrap();
    let other = Script { seed: 8, ..script.clone() };
    let people = 20_000;
    let mut counts = [0; 3];
    let (mut both, mut with_c, mut moved) = (0, 0, 0);
    for n in 0..people {
        let draws: Vec<bool> = (0..3).map(|rule| script.draws(rule, &who(n))).collect();
        assert_eq!(draws, (0..3).map(|rule| script.draws(rule, &who(n))).collect::<Vec<_>>());
        draws.iter().enumerate().filter(|(_, d)| **d).for_each(|(i, _)| counts[i] += 1);
        both += usize::from(draws[0] && draws[1]);
        with_c += usize::from(draws[0] && draws[2]);
        moved += usize::from(other.draws(0, &who(n)) != draws[0]);
    }
    let near = |found: usize, share: f64| (found as f64 - people as f64 * share).abs() < people as f64 * 0.01;
    assert!(near(counts[0], 0.15) && near(counts[1], 0.25) && near(counts[2], 0.5), "{counts:?}");
    assert_eq!(both, 0);
    assert!(near(with_c, 0.075), "rules draw on their own: {with_c}");
    assert!(near(moved, 2.0 * 0.15 * 0.85), "another seed is another story: {moved}");
}

#[test]
fn patterns() {
    let cases = [
        ("*@bank.example", "Ada@Bank.example", true),
        ("*@bank.example", "ada@bank.example.org", false),
        ("ada*", "ada@x", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false),
        ("ada@x", "ada@x", true),
        ("ada@x", "ada@xy", false),
        ("*ab*ab", "ab", false),
        ("", "", true),
    ];
    for (pattern, value, fits) in cases {
        assert_eq!(matches_pattern(pattern, value), fits, "{pattern} {value}");
    }
}

#[test]
fn reactions_come_in_their_time_and_no_more_often_than_said() {
    let text = "[[reaction]]\nstep = \"intro\"\nafter = \"1 hour..2 hours\"\ntimes = 2\ndo = \"click\"\n\
                [[reaction]]\ncontact = \"c1@*\"\ndo = \"out_of_office\"\nuntil = \"+5 days\"\n\
                [[reaction]]\ndo = \"mark\"\noutcome = \"no_answer\"\n";
    let script = Script::parse(text).unwrap();
    let flow = parse(OUTREACH).unwrap().flow();
    let user = UserId(5);
    let mut reactor = ScriptReactor::new(script, vec![who(0), who(1)], user);
    let now = Time::from_seconds(1_800_000_000);
    let e = crate::enrollment::Enrollment::new(
        crate::ids::EnrollmentId(1),
        crate::ids::SequenceId(1),
        crate::enrollment::Subject::Contact(crate::ids::ContactId(1)),
        1,
        user,
        now,
    );
    let step = |key: &str| flow.spot(&key.parse().unwrap()).unwrap().step;
    let mut react = |who, happened| reactor.react(&Moment { now, who, enrollment: &e, happened });
    let first = react(0, Happened::Sent { step: step("intro"), visit: 1 });
    assert_eq!(first.len(), 1);
    assert!(first[0].0 >= now + Span::hours(1) && first[0].0 <= now + Span::hours(2));
    let link = "https://jobs.example.com/berlin-backend".to_owned();
    assert_eq!(first[0].1, Event::Clicked { visit: 1, link, by: By::Person });
    assert_eq!(react(0, Happened::Sent { step: step("intro"), visit: 2 }).len(), 1);
    assert_eq!(react(0, Happened::Sent { step: step("intro"), visit: 3 }), [], "twice at most");
    assert_eq!(react(0, Happened::Sent { step: step("reminder"), visit: 4 }), [], "another step");
    let away = react(1, Happened::Sent { step: step("reminder"), visit: 1 });
    let until = Some(now + Span::days(5));
    assert_eq!(away, [(now, Event::OutOfOffice { visit: Some(1), until }, Actor::Contact)]);
    assert_eq!(react(1, Happened::Sent { step: step("heads-up"), visit: 2 }), [], "no text is out of office");
    let marked = react(0, Happened::TaskDue { step: step("talk"), visit: 9 });
    assert_eq!(marked, [(now, Event::MarkTask { visit: 9, outcome: Outcome::NoAnswer }, Actor::User(user))]);
    assert_eq!(react(0, Happened::TaskDue { step: step("file"), visit: 9 }), [], "a task knows no such outcome");
}

/// The example's sequence with the example's script, for a year.
fn year(seed: u64, people: usize) -> (crate::simulate::World, Vec<String>) {
    use crate::calendar::Zone;
    use crate::enrollment::SequenceState;
    use crate::facts::{Address, Inbox, MailboxFacts, Person, SequenceFacts, Surroundings};
    use crate::flow::{AddressKind, Priority};
    let file = parse(OUTREACH).unwrap();
    let user = UserId(5);
    let sequence = SequenceFacts {
        state: SequenceState::Active,
        name: file.name.clone(),
        begin: None,
        end: None,
        primary_user: user,
        priority: Priority::Normal,
        settings: file.settings.over(&crate::settings::Settings::default()),
    };
    let mailbox = MailboxFacts {
        id: crate::ids::MailboxId(1),
        address: "anna@agency.example".into(),
        owner: user,
        sandbox: false,
        held: None,
        inbox: Inbox::Fresh,
    };
    let around = Surroundings { mailboxes: vec![mailbox], ..Surroundings::default() };
    let start: Time = "2027-03-01T08:00:00Z".parse().unwrap();
    let mut world = crate::simulate::World::new(start, sequence, file.flow().into(), around, HashMap::new());
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    let address = |value: String, kind| vec![Address { kind, value, suppressed: None }];
    for n in 0..people {
        let person = Person {
            emails: address(who(n).email, AddressKind::Work),
            phones: address(format!("+49301234{n:04}"), AddressKind::Work),
            zone: Some(zone.clone()),
            plausible_zones: vec![zone.clone()],
            owner: Some(user),
            ..Person::default()
        };
        world.enroll(crate::simulate::Actors { person, missing: HashMap::new() }, user);
    }
    let script = Script { seed, ..Script::parse(REACTIONS).unwrap() };
    let mut reactor = ScriptReactor::new(script, (0..people).map(who).collect(), user);
    world.run(start + Span::days(365), &mut reactor);
    let ends = world.enrollments.iter().map(|e| format!("{:?} {:?} {:?}", e.life, e.finish, e.outcome)).collect();
    (world, ends)
}

#[test]
fn a_year_of_the_example_ends_for_everybody_and_repeats() {
    let (world, ends) = year(7, 300);
    let open: Vec<&String> = ends.iter().filter(|e| !e.starts_with("Finished")).collect();
    let paused = world.enrollments.iter().filter(|e| !e.holds.is_empty() && e.finish.is_none()).count();
    assert_eq!(open.len(), paused, "who is not finished is held by a rule of the flow: {open:?}");
    let of = |word: &str| ends.iter().filter(|e| e.contains(word)).count();
    assert!(of("Completed") > 0 && of("Positive") > 0 && of("Negative") > 0, "{ends:?}");
    let all = || world.enrollments.iter();
    assert!(all().any(|e| e.bounced) && all().any(|e| e.opted_out) && all().any(|e| e.clicks > 0), "{ends:?}");
    let (again, same) = year(7, 300);
    assert_eq!(again.timeline, world.timeline);
    assert_eq!(same, ends);
    assert_ne!(year(8, 300).1, ends);
}
