//! Each finding on the smallest flow that has it; a sound flow has none.

use super::*;
use crate::calendar::{Delay, Holidays, LocalMinute, Window};
use crate::flow::file::{SequenceFile, parse};
use crate::flow::{Condition, Regarding, Then, When};
use crate::merge::Of;

/// Reads steps as they stand in a file, below a head that says no more than it must.
fn file(steps: &str) -> SequenceFile {
    let text = format!("name = \"T\"\n[[branch]]\nkey = \"main\"\nname = \"Main\"\n{steps}");
    parse(&text).unwrap_or_else(|e| panic!("{e:#?}"))
}
fn checked(file: &SequenceFile, settings: &Settings, steps_max: u32) -> Vec<Finding> {
    let known = file.known().with_custom(["skills"]);
    let from = "2027-03-01T08:00:00Z".parse().unwrap();
    check(&file.flow(), &Grounds { settings, known: &known, from, quiet: Quiet::default(), steps_max })
}
fn found(steps: &str) -> Vec<Finding> {
    checked(&file(steps), &Settings::default(), 100)
}
fn codes(findings: &[Finding]) -> Vec<(&'static str, Option<&str>)> {
    findings.iter().map(|f| (f.code, f.step.as_ref().map(Key::as_str))).collect()
}
/// The only finding of that code; panics where there is none or more than one.
fn the<'a>(findings: &'a [Finding], code: &str) -> &'a Finding {
    let all: Vec<&Finding> = findings.iter().filter(|f| f.code == code).collect();
    assert_eq!(all.len(), 1, "{code}: {findings:#?}");
    all[0]
}
/// An automatic email that is in order.
fn mail(key: &str, more: &str) -> String {
    format!(
        "[[branch.step]]\nkey = \"{key}\"\nkind = \"email_auto\"\nsubject = \"S\"\ntext = \"See https://a.example\"\n{more}"
    )
}
fn on(when: &str, more: &str) -> String {
    format!("[[branch.step.on]]\nwhen = \"{when}\"\n{more}")
}

#[test]
fn a_sound_flow_has_no_findings() {
    let steps = mail("a", &on("clicked", "within = \"2 days\"\nthen = \"step:c\"\n"))
        + &mail("b", "delay = \"1 day\"\n")
        + "[[branch.step]]\nkey = \"c\"\nkind = \"call\"\ninstructions = \"Call {{ contact.first_name | default('them') }}.\"\n";
    assert_eq!(found(&steps), []);
    assert!(may_run(&[]));
}

#[test]
fn findings_name_the_step_as_people_do() {
    let steps = mail("a", "") + "[[branch.step]]\nkey = \"b\"\nkind = \"sms_auto\"\nname = \"Ping\"\n";
    let findings = found(&steps);
    let finding = the(&findings, "no_content");
    assert_eq!(
        finding.message,
        "Step 2 “Ping” of branch “Main”: it has nothing to send: write a text or choose a template."
    );
    assert_eq!(
        (finding.branch.as_ref(), finding.step.as_ref()),
        (Some(&"main".parse().unwrap()), Some(&"b".parse().unwrap()))
    );
    assert!(!may_run(&findings));
    let json = serde_json::to_value(finding).unwrap();
    assert_eq!(json["severity"], "error");
    assert_eq!(json["step"], "b");
}

#[test]
fn sizes_and_keys() {
    let empty = SequenceFile::new("x");
    assert_eq!(codes(&checked(&empty, &Settings::default(), 100)), [("no_steps", None)]);
    let two = file(&(mail("a", "") + &mail("b", "")));
    let findings = checked(&two, &Settings::default(), 1);
    assert_eq!(the(&findings, "too_many_steps").message, "The flow has 2 steps: the limit “steps per sequence” is 1.");
    let mut twice = two.clone();
    twice.branches[0].steps[1].key = "a".parse().unwrap();
    twice.branches[0].key = "start".parse().unwrap();
    twice.branches.push(twice.branches[0].clone());
    twice.branches[1].steps.clear();
    let findings = checked(&twice, &Settings::default(), 100);
    for code in ["duplicate_key", "no_main_branch", "empty_branch"] {
        assert!(findings.iter().any(|f| f.code == code && f.severity == Severity::Error), "{code}");
    }
}

#[test]
fn content_by_kind() {
    let step = |kind: &str, more: &str| format!("[[branch.step]]\nkey = \"x\"\nkind = \"{kind}\"\n{more}");
    let code = |steps: &str| codes(&found(steps)).iter().map(|(code, _)| *code).collect::<Vec<_>>();
    assert_eq!(code(&step("email_auto", "text = \"x\"\n")), ["no_subject"]);
    assert_eq!(code(&step("email_auto", "subject = \"x\"\n")), ["no_text"]);
    assert_eq!(code(&step("email_auto", "subject = \"x\"\nhtml = \"<p>x</p>\"\n")), Vec::<&str>::new());
    assert_eq!(code(&step("email_manual", "")), ["no_content"]);
    assert_eq!(code(&step("sms_manual", "")), ["no_content"]);
    assert_eq!(code(&step("sms_auto", "text = \"x\"\nsubject = \"y\"\n")), ["unused_content"]);
    assert_eq!(code(&step("task", "")), ["no_instructions"]);
    assert_eq!(code(&step("call", "script = \"Hello\"\ntext = \"x\"\n")), ["unused_content"]);
    assert_eq!(code(&step("call", "script = \"Hello\"\nsame_thread = true\n")), ["unused_content"]);
    assert_eq!(code(&step("sms_auto", "text = \"x\"\nregarding = \"opportunity\"\n")), ["regarding_on_text"]);
    assert_eq!(code(&step("email_auto", "template = \"Gone\"\n")), ["no_such_template"]);
    assert_eq!(code(&step("email_auto", "same_thread = true\ntext = \"x\"\n")), ["no_thread"]);
    assert_eq!(code(&(mail("a", "") + &step("email_auto", "same_thread = true\ntext = \"x\"\n"))), Vec::<&str>::new());
    let weights = "[[branch.step.variant]]\nkey = \"a\"\nweight = 0\nsubject = \"x\"\ntext = \"x\"\n";
    assert_eq!(code(&step("email_auto", weights)), ["no_weight"]);
    let mut twice = file(&mail("a", ""));
    let variants = &mut twice.branches[0].steps[0].content.variants;
    variants.push(variants[0].clone());
    assert_eq!(codes(&checked(&twice, &Settings::default(), 100)), [("duplicate_variant", Some("a"))]);
    assert_eq!(twice.branches[0].steps[0].content.regarding, Regarding::Nothing);
}

#[test]
fn templates_and_their_fields() {
    let text = |text: &str| {
        format!("[[branch.step]]\nkey = \"x\"\nkind = \"email_auto\"\nsubject = \"S\"\ntext = '''{text}'''\n")
    };
    let findings = found(&text("Hi {{ contact.firstname }}, {{ contact.title }} {{ custom.skills | default('x') }}"));
    assert_eq!(codes(&findings), [("unknown_field", Some("x")), ("no_fallback", Some("x"))]);
    assert!(
        findings[0].message.ends_with("there is no merge field contact.firstname; did you mean contact.first_name?")
    );
    assert!(findings[1].message.contains("{{ contact.title | default(\"…\") }}"));
    let findings = found(&text("one\n{% for x in y %}"));
    assert!(
        the(&findings, "invalid_template")
            .message
            .contains("in the text, line 2: {% for x in y %} is not possible here")
    );
    assert_eq!(codes(&found(&text("{{ sender.name }} {{ unsubscribe_url }} {{ sequence.name }}"))), []);
    assert_eq!(the(&found(&text("{{ snippet.gone }}")), "unknown_field").severity, Severity::Error);
    let sms = "[[branch.step]]\nkey = \"x\"\nkind = \"sms_auto\"\ntext = \"{{ unsubscribe_url }}\"\n";
    assert!(the(&found(sms), "unknown_field").message.ends_with("unsubscribe_url exists in emails only."));
    let mut companies = file(&text("{{ contact.first_name | default('x') }}"));
    companies.of = Of::Companies;
    assert_eq!(codes(&checked(&companies, &Settings::default(), 100)), [("unknown_field", Some("x"))]);
    let subject = "[[branch.step]]\nkey = \"x\"\nkind = \"email_auto\"\nsubject = \"a\\nb\"\ntext = \"x\"\n";
    assert!(the(&found(subject), "invalid_template").message.ends_with("the subject must be one line."));
}

#[test]
fn conditions_that_make_no_sense_for_their_step() {
    let auto = |on: String| codes(&found(&mail("a", &on))).iter().map(|(code, _)| *code).collect::<Vec<_>>();
    assert_eq!(auto(on("opened", "within = \"1 day\"\n")), ["opened_is_unreliable"]);
    assert_eq!(auto(on("outcome:interested", "")), ["outcome_on_automatic"]);
    assert_eq!(auto(on("replied", "")), ["no_within"]);
    assert_eq!(auto(on("replied", "within = \"0 days\"\n")), ["no_within"]);
    assert_eq!(auto(on("failed", "")), Vec::<&str>::new());
    assert_eq!(auto(on("unsubscribed", "within = \"1 day\"\nthen = \"next\"\n")), ["opt_out_always_ends"]);
    assert_eq!(auto(on("clicked", "within = \"1 day\"\nlink = \"https://b.example\"\n")), ["no_such_link"]);
    assert_eq!(auto("track_clicks = false\n".to_owned() + &on("clicked", "within = \"1 day\"\n")), ["not_tracked"]);
    let both = on("replied", "within = \"1 day\"\n") + &on("replied", "within = \"2 days\"\n");
    assert_eq!(auto(both), ["duplicate_condition"]);
    let any_first = on("clicked", "within = \"2 days\"\n")
        + &on("clicked", "link = \"https://a.example\"\nwithin = \"48 hours\"\n");
    assert_eq!(auto(any_first), ["shadowed_condition"]);
    let early = on("replied", "within = \"3 days\"\n") + &on("nothing", "within = \"1 day\"\n");
    assert_eq!(auto(early), ["decides_too_early"]);
    assert_eq!(
        auto(on("failed", "also = [{ call_webhook = \"ftp://x\" }, { enroll = \"\" }]\n")),
        ["incomplete_side_action"; 2]
    );

    let call = |on: String| format!("[[branch.step]]\nkey = \"a\"\nkind = \"call\"\nscript = \"x\"\n{on}");
    assert_eq!(codes(&found(&call(on("replied", "within = \"1 day\"\n")))), [("event_on_manual", Some("a"))]);
    assert_eq!(codes(&found(&call(on("interested", "within = \"1 day\"\n")))), [("within_on_outcome", Some("a"))]);
    assert_eq!(codes(&found(&call(on("outcome:sent", "")))), [("outcome_not_markable", Some("a"))]);
    let sms = "[[branch.step]]\nkey = \"a\"\nkind = \"sms_auto\"\ntext = \"x\"\n".to_owned();
    assert_eq!(codes(&found(&(sms + &on("opened", "within = \"1 day\"\n")))), [("event_on_text", Some("a"))]);
    let untracked = Settings { track_opens: false, ..Settings::default() };
    let findings = checked(&file(&mail("a", &on("opened", "within = \"1 day\"\n"))), &untracked, 100);
    assert_eq!(codes(&findings), [("not_tracked", Some("a")), ("opened_is_unreliable", Some("a"))]);
}

#[test]
fn ways_lead_somewhere() {
    let mut gone = file(&mail("a", ""));
    let condition = |then| Condition { when: When::Failed, within: None, then, also: Vec::new() };
    let gone_step = Then::Step { step: "gone".parse().unwrap(), delay: None };
    gone.branches[0].steps[0].conditions = vec![condition(gone_step)];
    assert_eq!(codes(&checked(&gone, &Settings::default(), 100)), [("no_such_step", Some("a"))]);
    let gone_branch = Then::Branch { branch: "gone".parse().unwrap(), delay: None };
    gone.branches[0].steps[0].conditions = vec![condition(gone_branch)];
    assert_eq!(codes(&checked(&gone, &Settings::default(), 100)), [("no_such_branch", Some("a"))]);

    let skipped = mail("a", &on("nothing", "then = \"step:c\"\n")) + &mail("b", "") + &mail("c", "");
    assert_eq!(codes(&found(&skipped)), [("unreachable", Some("b"))]);
    let branch = mail("a", "") + "[[branch]]\nkey = \"side\"\n" + &mail("b", "");
    assert_eq!(codes(&found(&branch)), [("unreachable", Some("b"))]);
}

#[test]
fn circles_need_a_wait_and_an_end() {
    let at_once = mail("a", "") + &mail("b", &on("failed", "then = \"step:a\"\n"));
    let findings = found(&at_once);
    assert_eq!(codes(&findings), [("loop_without_wait", Some("a"))]);
    assert_eq!(findings[0].severity, Severity::Error);
    assert!(
        findings[0].message.contains("through Step 2 “Automatic email” of branch “Main”"),
        "{}",
        findings[0].message
    );
    let with_delay = mail("a", "") + &mail("b", &on("failed", "then = \"step:a\"\ndelay = \"1 day\"\n"));
    assert_eq!(found(&with_delay), []);
    let waited =
        mail("a", "") + &mail("b", &(on("replied", "within = \"1 day\"\n") + &on("nothing", "then = \"step:a\"\n")));
    assert_eq!(found(&waited), []);
    let by_hand = "[[branch.step]]\nkey = \"a\"\nkind = \"call\"\nscript = \"x\"\n".to_owned()
        + &on("no_answer", "then = \"step:a\"\n");
    let findings = found(&by_hand);
    assert_eq!(codes(&findings), [("loop_without_wait", Some("a"))]);
    assert_eq!(findings[0].severity, Severity::Warning);
    let for_ever = mail("a", "delay = \"1 day\"\n") + &mail("b", &on("nothing", "then = \"step:a\"\n"));
    assert_eq!(codes(&found(&for_ever)), [("no_way_on", Some("a"))]);
    let itself = mail("a", &on("nothing", "then = \"step:a\"\n"));
    assert_eq!(codes(&found(&itself)), [("loop_without_wait", Some("a"))]);
}

#[test]
fn delays_have_to_fit_the_window() {
    let with = |settings: Settings, steps: &str| checked(&file(steps), &settings, 100);
    // A window of one day of the week that is always a holiday.
    let sundays = Window::new("sun".parse().unwrap(), LocalMinute::hour(9), LocalMinute::hour(17)).unwrap();
    let mut all = Holidays::none();
    let first = "2027-03-01".parse::<crate::calendar::Date>().unwrap();
    for n in 0..420 {
        all = all.with(crate::calendar::HolidayDate::On(first.plus_days(n)), Some("shut"));
    }
    let shut = Settings { window: sundays, holidays: all.clone(), ..Settings::default() };
    let findings = with(shut, &mail("a", "delay = \"2 days\"\n"));
    let finding = the(&findings, "never_fits_window");
    assert!(
        finding.message.contains("it could never run after 2 days: nothing can run in the 400 days"),
        "{}",
        finding.message
    );
    let mut closed = Holidays::none();
    for n in 0..40 {
        closed = closed.with(crate::calendar::HolidayDate::On(first.plus_days(n)), None);
    }
    let findings = with(Settings { holidays: closed, ..Settings::default() }, &mail("a", ""));
    assert_eq!(codes(&findings), [("long_closure", None)]);
    let night = Window::new("mon-fri".parse().unwrap(), LocalMinute::hour(22), LocalMinute::END_OF_DAY).unwrap();
    let text = "[[branch.step]]\nkey = \"x\"\nkind = \"sms_auto\"\ntext = \"x\"\n";
    let findings = with(Settings { window: night, ..Settings::default() }, text);
    assert_eq!(
        the(&findings, "always_quiet").message,
        "Texts could never go out: the window Mon–Fri 22:00–24:00 lies within the quiet hours 21:00–08:00."
    );
    let by_hand = text.replace("sms_auto", "sms_manual");
    assert_eq!(
        the(&with(Settings { window: night, ..Settings::default() }, &by_hand), "always_quiet").severity,
        Severity::Warning
    );
    assert!(Delay::NONE.is_none());
}

#[test]
fn templates_and_snippets_are_checked_also_where_no_step_uses_them() {
    let text = format!(
        "name = \"T\"\n[[branch]]\nkey = \"main\"\n{}{}",
        mail("a", "").replace("See https://a.example", "{{ snippet.bye }} {{ snippet.gone }}"),
        "[[email_template]]\nname = \"E\"\nsubject = \"{{ contact.frist_name }}\"\ntext = \"{{ snippet.bye }}{{ x\"\n\
         [[text_template]]\nname = \"S\"\ntext = \"{{ snippet.knot }}\"\n\
         [[snippet]]\nname = \"bye\"\ntext = \"{{ contact.city }}\"\n\
         [[snippet]]\nname = \"knot\"\ntext = \"{{ snippet.knot }}\"\n"
    );
    let file = parse(&text).unwrap();
    let found = check_records(&file.email_templates, &file.text_templates, &file.snippets, &file.known());
    let messages: Vec<&str> = found.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Email template “E”: in the subject, line 1: there is no merge field contact.frist_name; did you mean \
             contact.first_name?",
            "Email template “E”: in the text, line 1: {{ is never closed: expected }}.",
            "Text template “S”: in the text, line 1: in snippet \"knot\", line 1: snippet \"knot\" stands in itself, or more \
             than 4 deep.",
            "Snippet “knot”: in the text, line 1: in snippet \"knot\", line 1: snippet \"knot\" stands in itself, or more \
             than 4 deep.",
        ]
    );
    // Of a step's wording, the fields of its snippets count too.
    let findings = checked(&file, &Settings::default(), 100);
    assert_eq!(codes(&findings), [("unknown_field", Some("a")), ("no_fallback", Some("a"))]);
    assert!(findings[0].message.ends_with("there is no merge field snippet.gone."), "{}", findings[0].message);
    assert!(findings[1].message.contains("contact.city may be empty"), "{}", findings[1].message);
}
