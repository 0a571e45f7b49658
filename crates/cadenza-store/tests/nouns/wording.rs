//! Sequence templates and the wordings of messages.

use crate::world::{World, at, draft, flow};
use cadenza_core::flow::Priority;
use cadenza_core::flow::file::SettingsPatch;
use cadenza_core::ids::{MessageTemplateId, SequenceId, TemplateId, UserId};
use cadenza_store::StoreError;
use cadenza_store::message_templates::{self, MessageKind, MessageTemplate};
use cadenza_store::sequences::{self, Sequence, SubjectType, Viewer};
use cadenza_store::templates::{self, Source, Template};

pub fn a_template_keeps_its_flow(world: &World) {
    let mut made = Template {
        id: TemplateId(1),
        name: "Outreach".into(),
        description: "For everybody".into(),
        owner: world.user,
        of: SubjectType::Contacts,
        source: Source::OneByOne,
        priority: Priority::High,
        flow: flow(&["intro email_auto", "ring call"]),
        settings: SettingsPatch { unresponsive_days: Some(9), email_rate: Some(None), ..SettingsPatch::default() },
        shared: false,
        created_at: at(0),
        updated_at: at(0),
        version: 1,
    };
    world.write(|tx| templates::create(tx, world.w, &made));
    assert_eq!(world.read(|q| templates::get(q, world.w, made.id)), made);
    let seen = |viewer| world.read(|q| templates::seen(q, world.w, viewer)).len();
    let somebody = Viewer::User(UserId(77));
    assert_eq!((seen(Viewer::User(world.user)), seen(somebody), seen(Viewer::All)), (1, 0, 1));
    assert_eq!((made.is_seen_by(somebody), made.is_seen_by(Viewer::All)), (false, true));
    let found = world.read(|q| templates::named(q, world.w, "OUTreach")).map(|t| t.id);
    assert_eq!((found, world.read(|q| templates::named(q, world.other, "Outreach"))), (Some(made.id), None));
    let same = Template { id: TemplateId(2), name: "outreach".into(), ..made.clone() };
    assert!(world.refused(|tx| templates::create(tx, world.w, &same)).is_conflict_on("template_name"));
    made.shared = true;
    made.source = Source::List;
    made.flow = flow(&["ring call"]);
    world.write(|tx| templates::update(tx, world.w, &made, at(5)));
    let made = Template { version: 2, updated_at: at(5), ..made };
    assert_eq!(world.read(|q| templates::get(q, world.w, made.id)), made);
    assert_eq!(seen(somebody), 1);
    assert!(matches!(world.refused(|tx| templates::delete(tx, world.other, made.id)), StoreError::Missing { .. }));
    // What was made of it stays, and no longer names it.
    let sequence = Sequence { template: Some(made.id), ..draft(SequenceId(world.id()), "Spring", world.user) };
    world.write(|tx| sequences::create(tx, world.w, &sequence, &made.flow));
    let kept = || world.read(|q| sequences::get(q, world.w, sequence.id));
    assert_eq!(kept().template, Some(made.id));
    world.write(|tx| templates::delete(tx, world.w, made.id));
    assert_eq!(world.read(|q| templates::find(q, world.w, made.id)), None);
    assert_eq!((kept().template, kept().name.as_str()), (None, "Spring"));
}

pub fn a_wording_is_found_by_its_name(world: &World) {
    let wording = |id: i64, kind, name: &str| MessageTemplate {
        id: MessageTemplateId(id),
        kind,
        name: name.into(),
        subject: "Hi".into(),
        body: "Hello {{ contact.first_name }}".into(),
        html: String::new(),
        owner: world.user,
        shared: false,
        created_at: at(0),
        updated_at: at(0),
        version: 1,
    };
    let mail = wording(1, MessageKind::Email, "Intro");
    world.write(|tx| {
        message_templates::create(tx, world.w, &mail)?;
        message_templates::create(tx, world.w, &wording(2, MessageKind::Snippet, "Intro"))
    });
    let same = wording(3, MessageKind::Email, "INTRO");
    let error = world.refused(|tx| message_templates::create(tx, world.w, &same));
    assert!(error.is_conflict_on("message_template_name"), "{error}");
    let named = |kind, name: &str| world.read(|q| message_templates::named(q, world.w, kind, name));
    assert_eq!(named(MessageKind::Email, "intro"), Some(mail.clone()));
    assert_eq!(named(MessageKind::Text, "intro"), None);
    let seen = |user, kind| world.read(|q| message_templates::seen_by(q, world.w, user, kind)).len();
    assert_eq!((seen(world.user, None), seen(world.user, Some(MessageKind::Snippet))), (2, 1));
    assert_eq!(seen(UserId(77), None), 0);
    let changed = MessageTemplate { name: "Opening".into(), html: "<p>Hi".into(), shared: true, ..mail };
    world.write(|tx| message_templates::update(tx, world.w, &changed, at(3)));
    let changed = MessageTemplate { version: 2, updated_at: at(3), ..changed };
    assert_eq!(world.read(|q| message_templates::get(q, world.w, changed.id)), changed);
    assert_eq!(seen(UserId(77), None), 1);
    world.write(|tx| message_templates::delete(tx, world.w, changed.id));
    assert_eq!(named(MessageKind::Email, "opening"), None);
}
