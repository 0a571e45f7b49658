//! Sequence templates and the wordings of messages.

use crate::world::{World, at, flow};
use cadenza_core::ids::{MessageTemplateId, TemplateId, UserId};
use cadenza_core::settings::Settings;
use cadenza_store::StoreError;
use cadenza_store::message_templates::{self, MessageKind, MessageTemplate};
use cadenza_store::sequences::SubjectType;
use cadenza_store::templates::{self, Source, Template};

pub fn a_template_keeps_its_flow(world: &World) {
    let mut made = Template {
        id: TemplateId(1),
        name: "Outreach".into(),
        description: "For everybody".into(),
        owner: world.user,
        of: SubjectType::Contacts,
        source: Source::OneByOne,
        flow: flow(&["intro email_auto", "ring call"]),
        settings: Settings { unresponsive_days: 9, ..Settings::default() },
        shared: false,
        created_at: at(0),
        updated_at: at(0),
        version: 1,
    };
    world.write(|tx| templates::create(tx, world.w, &made));
    assert_eq!(world.read(|q| templates::get(q, world.w, made.id)), made);
    let seen = |user| world.read(|q| templates::seen_by(q, world.w, user)).len();
    assert_eq!((seen(world.user), seen(UserId(77))), (1, 0));
    made.shared = true;
    made.source = Source::List;
    made.flow = flow(&["ring call"]);
    world.write(|tx| templates::update(tx, world.w, &made, at(5)));
    let made = Template { version: 2, updated_at: at(5), ..made };
    assert_eq!(world.read(|q| templates::get(q, world.w, made.id)), made);
    assert_eq!(seen(UserId(77)), 1);
    assert!(matches!(world.refused(|tx| templates::delete(tx, world.other, made.id)), StoreError::Missing { .. }));
    world.write(|tx| templates::delete(tx, world.w, made.id));
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
