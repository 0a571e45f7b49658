//! Lists and who is on them.

use crate::world::{World, at};
use cadenza_core::ids::ListId;
use cadenza_store::lists::{self, List};
use cadenza_store::sequences::SubjectType;
use cadenza_store::{Rule, StoreError};

fn list(id: i64, name: &str) -> List {
    List { id: ListId(id), name: name.into(), of: SubjectType::Contacts, owner: None, created_at: at(0) }
}

pub fn members_come_and_go_once(world: &World) {
    world.write(|tx| lists::create(tx, world.w, &list(1, "VIP")));
    let add = |ids: &[i64]| {
        let mut new = world.write(|tx| lists::add(tx, world.w, ListId(1), ids, Some(world.user), at(0)));
        new.sort_unstable();
        new
    };
    assert_eq!(add(&[3, 1, 2, 3]), [1, 2, 3]);
    assert_eq!(add(&[3, 4]), [4], "only who was not on it");
    let members = |after, limit| world.read(|q| lists::members(q, world.w, ListId(1), after, limit));
    assert_eq!(members(None, 2), [1, 2]);
    assert_eq!(members(Some(2), 9), [3, 4]);
    assert_eq!(world.read(|q| lists::all(q, world.w)), [(list(1, "VIP"), 4)]);
    assert_eq!(world.read(|q| lists::of_member(q, world.w, 4)), [list(1, "VIP")]);
    assert_eq!(world.write(|tx| lists::remove(tx, world.w, ListId(1), &[4, 9])), [4]);
    assert_eq!(world.write(|tx| lists::remove(tx, world.other, ListId(1), &[1])), Vec::<i64>::new());
    let error = world.refused(|tx| lists::add(tx, world.other, ListId(1), &[1], None, at(0)));
    assert!(matches!(error, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{error}");
    world.write(|tx| lists::delete(tx, world.w, ListId(1)));
    assert_eq!(members(None, 9), Vec::<i64>::new());
}

pub fn a_list_name_is_taken_whatever_its_case(world: &World) {
    world.write(|tx| lists::create(tx, world.w, &list(1, "Überblick")));
    let error = world.refused(|tx| lists::create(tx, world.w, &list(2, "überblick")));
    assert!(error.is_conflict_on("list_name"), "{error}");
    world.write(|tx| lists::create(tx, world.w, &list(2, "Zwei")));
    let error = world.refused(|tx| lists::update(tx, world.w, &list(2, "UBERBLICK")));
    assert!(error.is_conflict_on("list_name"), "{error}");
    world.write(|tx| lists::update(tx, world.w, &list(2, "Drei")));
    assert_eq!(world.read(|q| lists::named(q, world.w, "DREI")), Some(list(2, "Drei")));
    assert_eq!(world.read(|q| lists::get(q, world.w, ListId(1))), list(1, "Überblick"));
    assert!(matches!(world.db.read(|q| lists::get(q, world.other, ListId(1))), Err(StoreError::Missing { .. })));
}
