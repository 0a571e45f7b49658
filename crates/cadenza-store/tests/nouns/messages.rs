//! What came in, what the sandbox holds, and what was opened and clicked.

use crate::world::{World, at, draft, flow};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::Channel;
use cadenza_core::ids::{ContactId, EnrollmentId, MessageId, SandboxMessageId, SequenceId, UserId};
use cadenza_store::inbound_messages::{self, Assigned, Class, Filter, Handled, Inbound, Source};
use cadenza_store::sandbox_messages::{self, Received};
use cadenza_store::sequences::{self, Sequence, Sharing, Viewer};
use cadenza_store::tracking::{self, TrackedKind, TrackingEvent, Who};

fn reply(world: &World, key: &str, contact: Option<i64>) -> Inbound {
    Inbound {
        id: MessageId(world.id()),
        dedupe_key: key.into(),
        source: Source::Imap,
        mailbox: None,
        received_at: at(5),
        message_id: Some("a@b.example".into()),
        from_address: Some("ada@example.test".into()),
        subject: Some("Re: Hello".into()),
        preview: "Yes, please".into(),
        class: Class::Reply,
        classification: "{}".into(),
        correction: None,
        corrected_by: None,
        corrected_at: None,
        matched_by: None,
        subject_of: contact.map(|c| Subject::Contact(ContactId(c))),
        sequence: None,
        enrollment: None,
        visit: None,
        assigned_to: Some(world.user),
        seen_at: None,
        handled_at: None,
    }
}

pub fn a_message_is_kept_once(world: &World) {
    let first = reply(world, "k1", Some(7));
    let again = Inbound { id: MessageId(world.id()), ..first.clone() };
    assert!(world.write(|tx| inbound_messages::insert(tx, world.w, &first, Some(b"raw"))));
    assert!(!world.write(|tx| inbound_messages::insert(tx, world.w, &again, Some(b"raw"))), "read twice");
    assert!(world.write(|tx| inbound_messages::insert(tx, world.other, &again, None)), "another workspace has its own");
    assert_eq!(world.read(|q| inbound_messages::get(q, world.w, first.id)), first);
    assert_eq!(world.read(|q| inbound_messages::raw(q, world.w, first.id)), Some(b"raw".to_vec()));
    assert_eq!(world.read(|q| inbound_messages::with_key(q, world.w, "k1")).unwrap().id, first.id);
}

pub fn messages_are_listed_newest_first_and_by_what_is_to_be_done(world: &World) {
    let all: Vec<Inbound> = (0..5).map(|n| reply(world, &format!("k{n}"), (n > 2).then_some(n))).collect();
    for message in &all {
        world.write(|tx| inbound_messages::insert(tx, world.w, message, None));
    }
    let every = Filter::new(Viewer::All);
    let ids = |filter: &Filter, before| {
        let page = world.read(|q| inbound_messages::list(q, world.w, filter, before, 2));
        (page.rows.iter().map(|l| l.message.id).collect::<Vec<_>>(), page.next.map(|n| MessageId(n.id)))
    };
    let (first, next) = ids(&every, None);
    assert_eq!(first, [all[4].id, all[3].id]);
    assert_eq!(ids(&every, next).0, [all[2].id, all[1].id]);
    assert_eq!(ids(&Filter { unmatched: true, ..every.clone() }, None).0, [all[2].id, all[1].id]);
    let said = r#"{"class":"other"}"#;
    world.write(|tx| {
        inbound_messages::set_handled(tx, world.w, all[4].id, Some(at(9)))?;
        inbound_messages::mark_seen(tx, world.w, all[3].id, at(8))?;
        inbound_messages::mark_seen(tx, world.w, all[3].id, at(9))?;
        inbound_messages::assign(tx, world.w, all[3].id, None)?;
        inbound_messages::correct(tx, world.w, all[3].id, Class::Other, said, (world.user, at(10)))
    });
    let open = Filter { handled: Handled::Open, classes: vec![Class::Reply, Class::Bounce], ..every.clone() };
    assert_eq!(world.read(|q| inbound_messages::counts(q, world.w, &open)), [(Class::Reply, 3)]);
    let counts = [(Class::Reply, 4), (Class::Other, 1)];
    assert_eq!(world.read(|q| inbound_messages::counts(q, world.w, &every)), counts);
    assert_eq!(ids(&Filter { handled: Handled::Done, ..every.clone() }, None).0, [all[4].id]);
    assert_eq!(ids(&Filter { assigned: Assigned::Nobody, ..every.clone() }, None).0, [all[3].id]);
    assert_eq!(ids(&Filter { assigned: Assigned::To(world.user), ..every.clone() }, None).0, [all[4].id, all[2].id]);
    let changed = world.read(|q| inbound_messages::get(q, world.w, all[3].id));
    assert_eq!((changed.seen_at, changed.assigned_to, changed.class), (Some(at(8)), None, Class::Other));
    assert_eq!((changed.corrected_by, changed.corrected_at), (Some(world.user), Some(at(10))));
    assert_eq!((changed.correction.as_deref(), changed.classification.as_str()), (Some(said), "{}"), "both are kept");
    assert_eq!(world.read(|q| inbound_messages::counts(q, world.other, &every)), []);
}

pub fn messages_are_found_by_sender_subject_and_whoever_they_are_of(world: &World) {
    let ada = world.contact("Ada Lovelace", "ada@analytic.test");
    let mine = Inbound { subject_of: Some(Subject::Contact(ada.id)), ..reply(world, "k1", None) };
    let other = Inbound {
        from_address: Some("grace@navy.example".into()),
        subject: Some("Offer for the Zürich office".into()),
        ..reply(world, "k2", None)
    };
    for message in [&mine, &other] {
        world.write(|tx| inbound_messages::insert(tx, world.w, message, None));
    }
    let found = |typed: &str| -> Vec<MessageId> {
        let filter = Filter { typed: typed.into(), ..Filter::new(Viewer::All) };
        let page = world.read(|q| inbound_messages::list(q, world.w, &filter, None, 10));
        page.rows.iter().map(|l| l.message.id).collect()
    };
    assert_eq!(found("grace@na"), [other.id]);
    assert_eq!(found("zurich off"), [other.id]);
    assert_eq!(found("lovel"), [mine.id], "by the contact's name");
    assert_eq!(found("lovel hello"), [mine.id], "by both");
    assert!(found("lovel zurich").is_empty());
    let page = world.read(|q| inbound_messages::list(q, world.w, &Filter::new(Viewer::All), None, 10));
    let names: Vec<_> = page.rows.iter().map(|l| l.subject_name.as_deref()).collect();
    assert_eq!(names, [None, Some("Ada Lovelace")]);
}

pub fn who_sees_which_messages(world: &World) {
    let private = Sequence { sharing: Sharing::Private, ..draft(SequenceId(world.id()), "Mine", world.user) };
    world.write(|tx| sequences::create(tx, world.w, &private, &flow(&["a email_auto"])));
    let of = |key: &str, sequence, assigned_to| Inbound { sequence, assigned_to, ..reply(world, key, None) };
    let (theirs, free) = (of("k1", Some(private.id), None), of("k2", None, None));
    let stranger = UserId(999);
    let given = of("k3", Some(private.id), Some(stranger));
    for message in [&theirs, &free, &given] {
        world.write(|tx| inbound_messages::insert(tx, world.w, message, None));
    }
    let seen = |viewer| -> Vec<MessageId> {
        let page = world.read(|q| inbound_messages::list(q, world.w, &Filter::new(viewer), None, 10));
        page.rows.iter().map(|l| l.message.id).collect()
    };
    assert_eq!(seen(Viewer::All), [given.id, free.id, theirs.id]);
    assert_eq!(seen(Viewer::User(world.user)), [given.id, free.id, theirs.id], "its primary user");
    assert_eq!(seen(Viewer::User(stranger)), [given.id, free.id], "what is theirs to handle, and what is nobody's");
}

pub fn the_sandbox_shows_each_recipient_their_messages(world: &World) {
    let message = |recipient, text| Received {
        mailbox: None,
        text,
        sender: "me@acme.test",
        recipient,
        subject: "Hello",
        message_id: "1@acme.test",
        raw: b"raw",
    };
    let ids: Vec<SandboxMessageId> = ["a@example.test", "b@example.test", "a@example.test", "+4930123456"]
        .iter()
        .enumerate()
        .map(|(n, recipient)| {
            let id = world.id();
            let text = recipient.starts_with('+');
            world.write(|tx| sandbox_messages::receive(tx, world.w, id, &message(recipient, text), at(n as i64)));
            SandboxMessageId(id)
        })
        .collect();
    let of = |recipient| world.read(|q| sandbox_messages::list(q, world.w, recipient, None, 10)).rows;
    assert_eq!(of(Some("a@example.test")).iter().map(|m| m.id).collect::<Vec<_>>(), [ids[2], ids[0]]);
    assert_eq!(of(None)[0].channel, Channel::Text);
    world.write(|tx| sandbox_messages::mark_read(tx, world.w, ids[0], at(50)));
    let people = world.read(|q| sandbox_messages::recipients(q, world.w, 10));
    assert_eq!(people.iter().map(|r| (r.messages, r.unread)).collect::<Vec<_>>(), [(1, 1), (2, 1), (1, 1)]);
    assert_eq!(world.read(|q| sandbox_messages::raw(q, world.w, ids[1])), b"raw");
    assert!(world.db.read(|q| sandbox_messages::get(q, world.other, ids[1])).is_err());
}

pub fn what_was_clicked_is_kept_with_its_verdict(world: &World) {
    let event = |id: i64, visit| TrackingEvent {
        id,
        enrollment: EnrollmentId(5),
        visit,
        kind: TrackedKind::Click,
        link: Some("https://example.com/".into()),
        at: at(id),
        from_address: Some("192.0.2.1".into()),
        user_agent: None,
        method: "GET".into(),
        who: Who::Person,
        why: "browser".into(),
    };
    world.write(|tx| {
        tracking::record(tx, world.w, &event(1, 1))?;
        tracking::record(tx, world.w, &event(2, 1))?;
        tracking::record(tx, world.w, &event(3, 2))?;
        tracking::correct(tx, world.w, &[1, 3], Who::Machine, "burst")
    });
    let of = world.read(|q| tracking::of_message(q, world.w, EnrollmentId(5), 1, 10));
    let corrected = TrackingEvent { who: Who::Machine, why: "burst".into(), ..event(1, 1) };
    assert_eq!(of, [event(2, 1), corrected]);
    assert_eq!(world.read(|q| tracking::of_message(q, world.other, EnrollmentId(5), 1, 10)), []);
}
