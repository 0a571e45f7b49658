//! Contacts and companies, and finding them.

use crate::world::{World, at, flow, person, typed};
use cadenza_core::enrollment::{Enrollment, Life, SequenceState, State, Subject};
use cadenza_core::flow::AddressKind::{Other, Personal, Work};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, ListId, SequenceId, UserId};
use cadenza_core::suppression::Suppressible;
use cadenza_core::views::Stage;
use cadenza_store::addresses::{self, Reach};
use cadenza_store::companies::{self, Company};
use cadenza_store::contacts::{self, Contact, Filter, InSequences, Order};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::lists::{self, List};
use cadenza_store::sequences::{self, SubjectType};
use cadenza_store::suppression::{self, Suppress, Why};
use cadenza_store::{StoreError, page::After};

fn found(world: &World, filter: &Filter) -> Vec<String> {
    let page = world.read(|q| contacts::search(q, world.w, filter, Order::Name, None, 100, at(0)));
    let names: Vec<String> = page.rows.iter().map(|f| f.contact.full_name()).collect();
    assert_eq!(world.read(|q| contacts::count(q, world.w, filter, 100, at(0))), names.len() as i64);
    let ids = world.read(|q| contacts::ids(q, world.w, filter, None, 100, at(0)));
    let mut listed: Vec<ContactId> = page.rows.iter().map(|f| f.contact.id).collect();
    listed.sort_unstable();
    assert_eq!(ids, listed);
    names
}

fn typing(typed: &str) -> Filter {
    Filter { typed: typed.into(), ..Filter::default() }
}

fn company(id: i64, name: &str) -> Company {
    Company {
        id: CompanyId(id),
        name: name.into(),
        website: Some("https://acme.test".into()),
        owner: Some(UserId(3)),
        zone: Some("Asia/Kolkata".parse().unwrap()),
        country: Some("IN".into()),
        language: None,
        emails: vec![typed(Work, "office@acme.test")],
        phones: vec![typed(Work, "+911234567890")],
        custom: serde_json::Map::from_iter([("size".to_owned(), 7.into())]),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: Some(UserId(3)),
        created_at: at(0),
        updated_at: at(0),
        version: 1,
    }
}

pub fn contacts_come_back_as_they_were_made(world: &World) {
    let mut made = Contact {
        title: "Head of \"Sales\"".into(),
        company: Some(CompanyId(5)),
        owner: Some(world.user),
        zone: Some("America/New_York".parse().unwrap()),
        country: Some("US".into()),
        language: Some("en".into()),
        linkedin: Some("https://linkedin.test/in/anna".into()),
        phones: vec![typed(Personal, "+14155550100"), typed(Other, "+14155550100")],
        custom: serde_json::Map::from_iter([("plan".to_owned(), "gold".into())]),
        created_by: Some(world.user),
        ..person(ContactId(world.id()), "Anna Müller", "anna@example.com")
    };
    let second = person(ContactId(world.id()), "Bert", "");
    world.write(|tx| contacts::insert(tx, world.w, &[made.clone(), second.clone()]));
    assert_eq!(world.read(|q| contacts::get(q, world.w, made.id)), made);
    let mut many = world.read(|q| contacts::many(q, world.w, [second.id, made.id, ContactId(9)]));
    many.sort_by_key(|c| c.id);
    assert_eq!(many, [made.clone(), second]);
    assert!(matches!(world.db.read(|q| contacts::get(q, world.other, made.id)), Err(StoreError::Missing { .. })));
    made.first_name = "Anne".into();
    made.emails.clear();
    world.write(|tx| {
        contacts::lock(tx, world.w, made.id)?;
        contacts::update(tx, world.w, &made, at(5))
    });
    made.version = 2;
    made.updated_at = at(5);
    assert_eq!(world.read(|q| contacts::get(q, world.w, made.id)), made);
    assert!(matches!(world.refused(|tx| contacts::update(tx, world.other, &made, at(6))), StoreError::Missing { .. }));
    assert_eq!(world.read(|q| contacts::resume(q, world.w, made.id)), "");
    world.write(|tx| contacts::set_resume(tx, world.w, made.id, "Ten years of …", at(1)));
    world.write(|tx| contacts::set_resume(tx, world.w, made.id, "Eleven years of …", at(2)));
    assert_eq!(world.read(|q| contacts::resume(q, world.w, made.id)), "Eleven years of …");
}

pub fn a_contact_is_found_by_any_beginning_of_its_words(world: &World) {
    let mut anna = world.contact("Anna-Lena Müller", "anna.mueller@example.com");
    anna.phones = vec![typed(Work, "+4930123456")];
    world.write(|tx| contacts::update(tx, world.w, &anna, at(1)));
    world.contact("Bert Meyer", "bert@other.test");
    for typed in ["mull", "MÜLLER an", "le", "anna.mueller@example", "example.com", "4930123", "a mu"] {
        assert_eq!(found(world, &typing(typed)), ["Anna-Lena Müller"], "{typed}");
    }
    assert_eq!(found(world, &typing("m")), ["Bert Meyer", "Anna-Lena Müller"], "by last name");
    for typed in ["uller", "anna meyer", "30123", "%", "anna_"] {
        let expected: &[&str] = if typed == "anna_" { &["Anna-Lena Müller"] } else { &[] };
        let expected = if typed == "%" { &["Bert Meyer", "Anna-Lena Müller"][..] } else { expected };
        assert_eq!(found(world, &typing(typed)), expected, "{typed}");
    }
    anna.last_name = "Schulz".into();
    world.write(|tx| contacts::update(tx, world.w, &anna, at(2)));
    assert_eq!(found(world, &typing("müller")), Vec::<String>::new());
}

pub fn a_contact_is_found_by_its_company_even_renamed(world: &World) {
    let mut acme = company(50, "Acme Iron");
    world.write(|tx| companies::insert(tx, world.w, &[acme.clone()]));
    let mut anna = person(ContactId(world.id()), "Anna Smith", "");
    anna.company = Some(acme.id);
    world.write(|tx| contacts::insert(tx, world.w, &[anna.clone()]));
    let page = world.read(|q| contacts::search(q, world.w, &typing("iron"), Order::Name, None, 9, at(0)));
    assert_eq!(page.rows[0].company_name.as_deref(), Some("Acme Iron"));
    acme.name = "Acme Steel".into();
    world.write(|tx| companies::update(tx, world.w, &acme, at(1)));
    assert_eq!(found(world, &typing("iron")), Vec::<String>::new());
    assert_eq!(found(world, &typing("steel smi")), ["Anna Smith"]);
    assert_eq!(world.read(|q| contacts::of_company(q, world.w, acme.id)), [anna]);
}

pub fn pages_follow_each_other_without_gap_or_repetition(world: &World) {
    let people: Vec<Contact> =
        (0..23).map(|n| person(ContactId(world.id()), &format!("Same{} Name", n % 2), "")).collect();
    world.write(|tx| contacts::insert(tx, world.w, &people));
    for order in [Order::Name, Order::Newest] {
        let mut seen = Vec::new();
        let mut after: Option<After<String>> = None;
        loop {
            let page =
                world.read(|q| contacts::search(q, world.w, &Filter::default(), order, after.as_ref(), 5, at(0)));
            seen.extend(page.rows.iter().map(|f| f.contact.id));
            after = page.next;
            if after.is_none() {
                break;
            }
            assert_eq!(page.rows.len(), 5);
        }
        let mut expected: Vec<&Contact> = people.iter().collect();
        match order {
            Order::Name => expected.sort_by_key(|c| (c.first_name.clone(), c.id)),
            Order::Newest => expected.reverse(),
        }
        assert_eq!(seen, expected.iter().map(|c| c.id).collect::<Vec<_>>(), "{order:?}");
    }
    assert_eq!(world.read(|q| contacts::count(q, world.w, &Filter::default(), 10, at(0))), 10, "no further");
}

pub fn contacts_are_filtered_by_owner_company_and_list(world: &World) {
    let mut people: Vec<Contact> = ["A", "B", "C"].iter().map(|n| person(ContactId(world.id()), n, "")).collect();
    people[0].owner = Some(world.user);
    people[1].company = Some(CompanyId(5));
    world.write(|tx| contacts::insert(tx, world.w, &people));
    let list = List { id: ListId(8), name: "VIP".into(), of: SubjectType::Contacts, owner: None, created_at: at(0) };
    world.write(|tx| {
        lists::create(tx, world.w, &list)?;
        lists::add(tx, world.w, list.id, &[people[2].id.0], None, at(0))
    });
    assert_eq!(found(world, &Filter { owner: Some(world.user), ..Filter::default() }), ["A"]);
    assert_eq!(found(world, &Filter { company: Some(CompanyId(5)), ..Filter::default() }), ["B"]);
    assert_eq!(found(world, &Filter { list: Some(list.id), ..Filter::default() }), ["C"]);
    assert!(found(world, &Filter { list: Some(list.id), owner: Some(world.user), ..Filter::default() }).is_empty());
}

pub fn contacts_are_filtered_by_what_they_do_in_sequences(world: &World) {
    let mut one = world.sequence("One", &flow(&["intro email_auto"]));
    let two = world.sequence("Two", &flow(&["intro email_auto"]));
    one.state = SequenceState::Active;
    world.write(|tx| sequences::update(tx, world.w, &one, at(0)));
    let names = ["Live", "Finished", "Removed", "Never"];
    let people: Vec<Contact> = names.iter().map(|n| world.contact(n, "")).collect();
    let enrolled = |n: usize, sequence: SequenceId, life| {
        let subject = Subject::Contact(people[n].id);
        let mut e = Enrollment::new(EnrollmentId(world.id()), sequence, subject, 1, world.user, at(0));
        e.life = life;
        if life == Life::Finished {
            e.finish = Some(cadenza_core::enrollment::Finish::OptedOut);
            e.finished_at = Some(at(1));
            e.opted_out = true;
        }
        world.enrollment(&e, SequenceState::Active);
    };
    enrolled(0, one.id, Life::Pending);
    enrolled(1, one.id, Life::Finished);
    enrolled(1, two.id, Life::Finished);
    enrolled(2, two.id, Life::Removed);
    let some = |e: Enrolled| Filter { sequences: InSequences::Some(e), ..Filter::default() };
    let none = |e: Enrolled| Filter { sequences: InSequences::None(e), ..Filter::default() };
    let ever = || Enrolled { when: When::Ever, ..Enrolled::default() };
    assert_eq!(found(world, &some(Enrolled::default())), ["Live"]);
    assert_eq!(found(world, &some(ever())), ["Finished", "Live"]);
    assert_eq!(found(world, &none(Enrolled::default())), ["Finished", "Never", "Removed"]);
    assert_eq!(found(world, &none(ever())), ["Never", "Removed"]);
    assert_eq!(found(world, &some(Enrolled { sequences: vec![two.id], ..ever() })), ["Finished"]);
    assert_eq!(found(world, &none(Enrolled { sequences: vec![two.id], ..ever() })), ["Live", "Never", "Removed"]);
    assert_eq!(found(world, &some(Enrolled { states: vec![State::Finished], ..ever() })), ["Finished"]);
    assert_eq!(found(world, &some(Enrolled { stages: vec![Stage::OptedOut], ..ever() })), ["Finished"]);
    assert_eq!(found(world, &some(Enrolled { stages: vec![Stage::NotStarted], ..ever() })), ["Live"]);
}

pub fn an_address_tells_its_owners(world: &World) {
    let anna = world.contact("Anna", "Shared@Example.com");
    let bert = world.contact("Bert", "shared@example.com");
    let mut acme = company(60, "Acme");
    acme.emails = vec![typed(Work, "shared@example.com"), typed(Other, "SHARED@example.com")];
    world.write(|tx| companies::insert(tx, world.w, &[acme.clone()]));
    let owners = |reach, values: Vec<&str>| world.read(|q| addresses::owners(q, world.w, reach, values));
    let shared = "shared@example.com".to_owned();
    assert_eq!(
        owners(Reach::Email, vec!["SHARED@example.com", "x@y.z"]),
        [
            (shared.clone(), Subject::Contact(anna.id)),
            (shared.clone(), Subject::Contact(bert.id)),
            (shared, Subject::Company(acme.id)),
        ]
    );
    assert_eq!(owners(Reach::Phone, vec!["+911234567890"]).len(), 1);
    assert_eq!(owners(Reach::Phone, vec!["shared@example.com"]), []);
    assert_eq!(world.read(|q| addresses::owners(q, world.other, Reach::Email, ["shared@example.com"])), []);
}

pub fn an_erased_contact_leaves_only_its_refusal(world: &World) {
    let anna = world.contact("Anna", "anna@example.com");
    let key = world.read(|q| suppression::key(q, world.w));
    let entry = Suppress { kind: Suppressible::Email, value: "anna@example.com".into(), why: Why::OptOut, by: None };
    world.write(|tx| {
        suppression::add(tx, world.w, &key, std::slice::from_ref(&entry), at(0))?;
        contacts::set_resume(tx, world.w, anna.id, "all about Anna", at(0))
    });
    let error = world.refused(|tx| contacts::erase(tx, world.other, &key, anna.id));
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    world.write(|tx| contacts::erase(tx, world.w, &key, anna.id));
    assert!(matches!(world.db.read(|q| contacts::get(q, world.w, anna.id)), Err(StoreError::Missing { .. })));
    assert_eq!(found(world, &typing("anna")), Vec::<String>::new());
    let asked = [(Suppressible::Email, "anna@example.com")];
    assert_eq!(world.read(|q| suppression::check(q, world.w, &key, asked)).len(), 1);
    assert_eq!(world.read(|q| suppression::list(q, world.w, None, 9))[0].value, None);
    assert_eq!(world.read(|q| addresses::owners(q, world.w, Reach::Email, ["anna@example.com"])), []);
}

pub fn companies_come_back_and_are_found(world: &World) {
    let made = company(70, "Ærø Works");
    world.write(|tx| companies::insert(tx, world.w, &[made.clone(), company(71, "Zeta"), company(72, "Zeta")]));
    assert_eq!(world.read(|q| companies::get(q, world.w, made.id)), made);
    assert_eq!(world.read(|q| companies::many(q, world.w, [made.id, CompanyId(1)])), std::slice::from_ref(&made));
    let names = world.read(|q| companies::named(q, world.w, ["AERO works", "zeta", "none"]));
    assert_eq!(names, [("aero works".to_owned(), made.id), ("zeta".to_owned(), CompanyId(71))]);
    let search =
        |typed: &str, after: Option<&After<String>>| world.read(|q| companies::search(q, world.w, typed, after, 2));
    let first = search("", None);
    assert_eq!(first.rows.iter().map(|c| c.id.0).collect::<Vec<_>>(), [70, 71]);
    assert_eq!(search("", first.next.as_ref()).rows.iter().map(|c| c.id.0).collect::<Vec<_>>(), [72]);
    assert_eq!(search("wor aer", None).rows, [made]);
    assert_eq!(search("acme.test", None).rows.len(), 2);
    assert!(world.read(|q| companies::search(q, world.other, "", None, 9)).rows.is_empty());
}
