//! Sequences, their structures and their contents.

use crate::world::{World, at, draft, flow};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::{Flow, Key};
use cadenza_core::ids::{ListId, SequenceId, TeamId};
use cadenza_store::StoreError;
use cadenza_store::flows::{self, Saved};
use cadenza_store::sequences::{self, EndedBy, Member, MemberRole, Sequence};

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub fn a_new_sequence_has_its_flow_as_first_version(world: &World) {
    let flow = flow(&["intro email_auto", "ring call"]);
    let made = draft(SequenceId(world.id()), "Spring: Überblick", world.user);
    world.write(|tx| sequences::create(tx, world.w, &made, &flow));
    let read = world.read(|q| sequences::get(q, world.w, made.id));
    assert_eq!(read, made);
    let stored = world.read(|q| sequences::latest_flow(q, world.w, made.id));
    assert_eq!(stored.branches[0].steps[0].revision, 1);
    let mut expected = flow.clone();
    expected.branches[0].steps.iter_mut().for_each(|s| s.revision = 1);
    assert_eq!(stored, expected);
    assert_eq!(world.read(|q| sequences::named(q, world.w, "spring: UEBERBLICK")), None);
    assert_eq!(world.read(|q| sequences::named(q, world.w, " SPRING: uberblick")), Some(read));
    assert_eq!(world.read(|q| sequences::find(q, world.other, made.id)), None);
    assert!(world.db.read(|q| flows::flow_at(q, world.other, made.id, 1)).is_err());
}

pub fn a_name_is_taken_whatever_its_case(world: &World) {
    world.sequence("Spring", &flow(&["a task"]));
    let again = draft(SequenceId(world.id()), "SPRING", world.user);
    let error = world.refused(|tx| sequences::create(tx, world.w, &again, &flow(&["a task"])));
    assert!(error.is_conflict_on("sequence_name"), "{error}");
    world.write(|tx| sequences::create(tx, world.other, &again, &flow(&["a task"])));
}

pub fn a_list_feeds_one_live_sequence(world: &World) {
    let list = ListId(5);
    let mut one = world.sequence("One", &flow(&["a task"]));
    let mut two = world.sequence("Two", &flow(&["a task"]));
    for s in [&mut one, &mut two] {
        s.list = Some(list);
        world.write(|tx| sequences::update(tx, world.w, s, at(1)));
    }
    one.state = SequenceState::Active;
    world.write(|tx| sequences::update(tx, world.w, &one, at(2)));
    assert_eq!(world.read(|q| sequences::fed_by(q, world.w, list)).map(|s| s.id), Some(one.id));
    assert_eq!(world.read(|q| sequences::count_live(q, world.w)), 1);
    two.state = SequenceState::Paused;
    let error = world.refused(|tx| sequences::update(tx, world.w, &two, at(3)));
    assert!(error.is_conflict_on("sequence_list"), "{error}");
    one.state = SequenceState::Ended;
    one.ended = Some((at(4), EndedBy::Hand));
    world.write(|tx| sequences::update(tx, world.w, &one, at(4)));
    world.write(|tx| sequences::update(tx, world.w, &two, at(5)));
    let read = world.read(|q| sequences::get(q, world.w, one.id));
    assert_eq!(read, Sequence { version: 4, updated_at: at(4), ..one });
}

pub fn content_is_revised_and_reaches_every_version(world: &World) {
    let mut flow = flow(&["intro email_auto", "ring call"]);
    let made = world.sequence("One", &flow);
    let save =
        |flow: &Flow, time| world.write(|tx| sequences::save_flow(tx, world.w, made.id, flow, world.user, at(time)));
    assert_eq!(save(&flow, 1), Saved { version: 1, contents: 0 });
    assert_eq!(world.read(|q| sequences::get(q, world.w, made.id)), made, "nothing changed");
    flow.branches[0].steps[0].content.instructions = "Be brief.".into();
    assert_eq!(save(&flow, 2), Saved { version: 1, contents: 1 });
    let now = world.read(|q| flows::flow_at(q, world.w, made.id, 1));
    assert_eq!(now.branches[0].steps[0].content, flow.branches[0].steps[0].content);
    assert_eq!(now.steps().map(|s| s.revision).collect::<Vec<_>>(), [2, 1]);
    let revisions = world.read(|q| flows::revisions(q, world.w, made.id, &key("intro")));
    assert_eq!(revisions.iter().map(|r| (r.revision, r.created_at)).collect::<Vec<_>>(), [(2, at(2)), (1, at(0))]);
    assert!(world.read(|q| sequences::get(q, world.w, made.id)).version > made.version, "readers look again");
    let error = world.refused(|tx| sequences::save_flow(tx, world.other, made.id, &flow, world.user, at(3)));
    assert!(matches!(error, StoreError::Missing { table: "sequence", .. }), "{error}");
}

pub fn a_new_version_keeps_what_did_not_change(world: &World) {
    let made = world.sequence("One", &flow(&["intro email_auto", "ring call"]));
    let mut next = flow(&["ring call", "write email_manual", "intro email_auto"]);
    next.branches[0].steps[2].content.script = "Say hello.".into();
    let saved = world.write(|tx| {
        let saved = sequences::save_flow(tx, world.w, made.id, &next, world.user, at(7))?;
        flows::set_note(tx, world.w, made.id, saved.version, "one more")?;
        Ok(saved)
    });
    assert_eq!(saved, Saved { version: 2, contents: 2 });
    let second = world.read(|q| sequences::latest_flow(q, world.w, made.id));
    let revisions: Vec<_> = second.steps().map(|s| (s.key.as_str().to_owned(), s.revision)).collect();
    assert_eq!(revisions, [("ring".to_owned(), 1), ("write".to_owned(), 1), ("intro".to_owned(), 2)]);
    let first = world.read(|q| flows::flow_at(q, world.w, made.id, 1));
    assert_eq!(first.steps().map(|s| s.key.as_str()).collect::<Vec<_>>(), ["intro", "ring"]);
    assert_eq!(first.branches[0].steps[0].content.script, "Say hello.", "content reaches everyone");
    let versions = world.read(|q| flows::versions(q, world.w, made.id));
    assert_eq!(versions.iter().map(|v| (v.version, v.note.as_str())).collect::<Vec<_>>(), [(2, "one more"), (1, "")]);
    assert_eq!(world.read(|q| sequences::get(q, world.w, made.id)).flow_version, 2);
    let missing = world.db.read(|q| flows::flow_at(q, world.w, made.id, 4)).unwrap_err();
    assert!(matches!(missing, StoreError::Missing { table: "flow_version", .. }), "{missing}");
}

pub fn members_are_replaced_by_role(world: &World) {
    let made = world.sequence("One", &flow(&["a task"]));
    let (user, team) = (Member::User(world.user), Member::Team(TeamId(4)));
    world.write(|tx| sequences::set_members(tx, world.w, made.id, MemberRole::Sees, &[team, user, team]));
    world.write(|tx| sequences::set_members(tx, world.w, made.id, MemberRole::Works, &[team]));
    world.write(|tx| sequences::set_members(tx, world.w, made.id, MemberRole::Works, &[user]));
    let of = |role| world.read(|q| sequences::members(q, world.w, made.id, role));
    assert_eq!(of(MemberRole::Sees), [team, user]);
    assert_eq!(of(MemberRole::Works), [user]);
    assert_eq!(world.read(|q| sequences::members(q, world.other, made.id, MemberRole::Sees)), []);
}

pub fn only_a_draft_is_deleted(world: &World) {
    let mut made = world.sequence("One", &flow(&["a task"]));
    made.state = SequenceState::Active;
    world.write(|tx| sequences::update(tx, world.w, &made, at(1)));
    assert!(matches!(world.refused(|tx| sequences::delete_draft(tx, world.w, made.id)), StoreError::Missing { .. }));
    let other = world.sequence("Two", &flow(&["a task"]));
    assert!(matches!(
        world.refused(|tx| sequences::delete_draft(tx, world.other, other.id)),
        StoreError::Missing { .. }
    ));
    world.write(|tx| sequences::delete_draft(tx, world.w, other.id));
    assert_eq!(world.read(|q| sequences::all(q, world.w)).iter().map(|s| s.id).collect::<Vec<_>>(), [made.id]);
}
