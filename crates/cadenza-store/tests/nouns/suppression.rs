//! The suppression list.

use crate::world::{World, at};
use cadenza_core::suppression::Suppressible::{Domain, Email, Phone};
use cadenza_store::suppression::{self, Key, Suppress, Why};

fn entry(kind: cadenza_core::suppression::Suppressible, value: &str, why: Why) -> Suppress {
    Suppress { kind, value: value.into(), why, by: None }
}

fn key(world: &World) -> Key {
    world.read(|q| suppression::key(q, world.w))
}

pub fn a_value_is_refused_by_itself_or_its_domain(world: &World) {
    let key = key(world);
    let what = [
        entry(Email, "Anna@example.com", Why::OptOut),
        entry(Email, "anna@EXAMPLE.com", Why::Complaint),
        entry(Domain, "blocked.test", Why::ByHand),
        entry(Phone, "+49 30 1", Why::OptOut),
    ];
    assert_eq!(world.write(|tx| suppression::add(tx, world.w, &key, &what, at(0))), 3);
    assert_eq!(world.write(|tx| suppression::add(tx, world.w, &key, &what[..1], at(9))), 0, "once is enough");
    let asked = [
        (Email, "anna@example.com"),
        (Email, "bert@example.com"),
        (Email, "x@blocked.test"),
        (Email, "x@sub.blocked.test"),
        (Phone, "+49301"),
    ];
    let found = world.read(|q| suppression::check(q, world.w, &key, asked));
    let why = |kind, value: &str| found.get(&(kind, value.to_owned())).copied();
    assert_eq!(why(Email, "anna@example.com"), Some(Why::OptOut));
    assert_eq!(why(Email, "bert@example.com"), None);
    assert_eq!(why(Email, "x@blocked.test"), Some(Why::ByHand));
    assert_eq!(why(Email, "x@sub.blocked.test"), None, "a domain is exactly that domain");
    assert_eq!(why(Phone, "+49301"), Some(Why::OptOut));
    assert!(world.read(|q| suppression::check(q, world.other, &key, asked)).is_empty());
    let all = world.read(|q| suppression::list(q, world.w, None, 10));
    assert_eq!(all.len(), 3);
    let rest = world.read(|q| suppression::list(q, world.w, Some((all[0].kind, &all[0].hash)), 10));
    assert_eq!(rest, all[1..]);
    assert_eq!(world.read(|q| suppression::counts(q, world.w)), [(Domain, 1), (Email, 1), (Phone, 1)]);
    assert!(world.write(|tx| suppression::remove(tx, world.w, &key, Domain, "BLOCKED.test")));
    assert!(!world.write(|tx| suppression::remove(tx, world.w, &key, Domain, "blocked.test")));
}

pub fn what_is_erased_goes_on_refusing(world: &World) {
    let key = key(world);
    let what = [entry(Email, "anna@example.com", Why::OptOut)];
    world.write(|tx| suppression::add(tx, world.w, &key, &what, at(0)));
    let values = [(Email, "anna@example.com"), (Email, "never@listed.test")];
    assert_eq!(world.write(|tx| suppression::forget_values(tx, world.w, &key, &values)), 1);
    let listed = world.read(|q| suppression::list(q, world.w, None, 10));
    assert_eq!(listed.iter().map(|e| e.value.as_deref()).collect::<Vec<_>>(), [None]);
    let found = world.read(|q| suppression::check(q, world.w, &key, [(Email, "Anna@example.com")]));
    assert_eq!(found.len(), 1, "an import does not bring them back");
    let import = [entry(Email, "anna@example.com", Why::Import)];
    world.write(|tx| suppression::add(tx, world.w, &key, &import, at(1)));
    assert_eq!(world.read(|q| suppression::list(q, world.w, None, 10)), listed);
}

pub fn a_mark_taken_back_leaves_other_entries(world: &World) {
    let key = key(world);
    let what = [entry(Email, "a@x.test", Why::Mark), entry(Email, "b@x.test", Why::HardBounce)];
    world.write(|tx| suppression::add(tx, world.w, &key, &what, at(0)));
    let values = [(Email, "a@x.test"), (Email, "b@x.test")];
    assert_eq!(world.write(|tx| suppression::remove_where(tx, world.w, &key, &values, Why::Mark)), 1);
    let left = world.read(|q| suppression::list(q, world.w, None, 10));
    assert_eq!(left.iter().map(|e| e.value.as_deref()).collect::<Vec<_>>(), [Some("b@x.test")]);
}
