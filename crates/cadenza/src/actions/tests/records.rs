//! Contacts, companies and lists.

use super::world::World;
use crate::actions::companies::{self, CompanyChange};
use crate::actions::contacts::{self, ContactChange};
use crate::actions::{ActionError, lists};
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::ContactId;
use cadenza_core::suppression::Suppressible;
use cadenza_store::contacts::{Filter, Order};
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use cadenza_store::sequences::SubjectType;
use cadenza_store::suppression;
use serde_json::json;

fn change(json: serde_json::Value) -> ContactChange {
    serde_json::from_value(json).unwrap()
}

fn fields(e: &ActionError) -> Vec<&str> {
    let ActionError::Invalid(faults) = e else { panic!("{e:?}") };
    faults.iter().map(|f| f.field.as_str()).collect()
}

#[tokio::test]
async fn a_contact_is_made_changed_and_found_with_its_audit_lines() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let new = change(json!({
        "first_name": " Ada ", "last_name": "Byron", "company": "Engines", "owner": "ulla@acme.test",
        "time_zone": "Europe/London", "emails": [{ "value": "ADA@Engines.test" }], "phones": [{ "kind": "personal", "value": "+44 20 7946 0123" }],
        "custom": { "plan": "gold" },
    }));
    let ada = contacts::create(app, admin, new).await.unwrap();
    assert_eq!((ada.first_name.as_str(), ada.emails[0].value.as_str()), ("Ada", "ada@engines.test"));
    assert_eq!((ada.owner, ada.phones[0].value.as_str()), (Some(admin.user), "+442079460123"));
    let company = companies::get(app, admin, ada.company.unwrap()).await.unwrap();
    assert_eq!(company.name, "Engines");
    let same = change(json!({ "company": "ENGINES", "title": "Countess" }));
    let ada = contacts::update(app, admin, ada.id, same).await.unwrap();
    assert_eq!((ada.company, ada.title.as_str(), ada.version), (Some(company.id), "Countess", 2));
    let nothing = contacts::update(app, admin, ada.id, change(json!({ "title": "Countess" }))).await.unwrap();
    assert_eq!(nothing.version, 2, "nothing changed");
    let filter = Filter { typed: "engines by".into(), ..Filter::default() };
    let found = contacts::search(app, &world.viewer, filter, Order::Name, None, 9).await.unwrap();
    assert_eq!(found.rows[0].contact, ada);
    let audited = world.audited().await;
    let actions: Vec<_> = audited.iter().map(|l| l.action.as_str()).collect();
    assert_eq!(actions, ["contact.update", "contact.create", "company.create"]);
    assert_eq!(audited[0].before, Some(json!({ "title": "" })));
    assert_eq!(audited[0].after, Some(json!({ "title": "Countess" })), "what is the same is left out");
    assert_eq!(audited[0].user, Some(admin.user));
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_nothing_is_done() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let bad = change(json!({
        "company": "New Company", "owner": "nobody@acme.test", "time_zone": "Mars/Olympus", "emails": [{ "value": "nobody" }],
        "phones": [{ "value": "030 1" }], "language": "german", "linkedin": "javascript:alert(1)", "custom": { "Bad Name": 1 },
    }));
    let error = contacts::create(app, admin, bad).await.unwrap_err();
    assert_eq!(
        fields(&error),
        ["time_zone", "language", "linkedin", "emails.0", "phones.0", "owner", "custom.Bad Name"]
    );
    let error = contacts::create(app, admin, ContactChange::default()).await.unwrap_err();
    assert_eq!(fields(&error), ["last_name"]);
    assert!(companies::search(app, admin, String::new(), None, 9).await.unwrap().rows.is_empty());
    assert!(world.audited().await.is_empty());
    let forbidden = contacts::create(app, &world.viewer, ContactChange::default()).await.unwrap_err();
    assert!(matches!(forbidden, ActionError::Forbidden(_)));
    let missing = contacts::update(app, admin, ContactId(1), ContactChange::default()).await.unwrap_err();
    assert!(matches!(missing, ActionError::Missing { what: "contact", .. }), "{missing:?}");
}

#[tokio::test]
async fn one_address_belongs_to_one_contact() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let of = |address: &str| change(json!({ "emails": [{ "value": address }] }));
    let ada = contacts::create(app, admin, of("ada@x.test")).await.unwrap();
    let error = contacts::create(app, admin, of("ADA@x.test")).await.unwrap_err();
    assert_eq!(error.code(), "duplicate");
    assert!(error.to_string().contains(&ada.id.to_string()), "{error}");
    let bert = contacts::create(app, admin, of("bert@x.test")).await.unwrap();
    assert_eq!(contacts::update(app, admin, bert.id, of("ada@x.test")).await.unwrap_err().code(), "duplicate");
}

#[tokio::test]
async fn custom_values_are_of_the_kind_of_their_field() {
    let world = World::new().await;
    let (app, admin, w) = (&world.app, &world.admin, world.w);
    let field = |name: &str, kind, choices: &[&str]| CustomField {
        of: FieldOf::Contact,
        name: name.into(),
        label: name.into(),
        kind,
        choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        position: 0,
    };
    let defined = [
        field("size", FieldKind::Number, &[]),
        field("plan", FieldKind::Choice, &["gold", "silver"]),
        field("since", FieldKind::Date, &[]),
        field("vip", FieldKind::Flag, &[]),
    ];
    app.db.write_async(move |tx| defined.iter().try_for_each(|f| custom_fields::save(tx, w, f))).await.unwrap();
    let of = |custom: serde_json::Value| change(json!({ "last_name": "Ada", "custom": custom }));
    let good = json!({ "size": "38", "plan": "gold", "since": "2027-03-01", "vip": "yes", "free": "text" });
    let ada = contacts::create(app, admin, of(good)).await.unwrap();
    let expected = json!({ "size": 38, "plan": "gold", "since": "2027-03-01", "vip": true, "free": "text" });
    assert_eq!(serde_json::Value::Object(ada.custom), expected);
    let bad = json!({ "size": "large", "plan": "iron", "since": "yesterday", "vip": "maybe" });
    let error = contacts::update(app, admin, ada.id, of(bad)).await.unwrap_err();
    let mut named = fields(&error);
    named.sort_unstable();
    assert_eq!(named, ["custom.plan", "custom.since", "custom.size", "custom.vip"]);
    let less = contacts::update(app, admin, ada.id, of(json!({ "size": null, "free": "" }))).await.unwrap();
    assert_eq!(less.custom.len(), 3);
}

#[tokio::test]
async fn duplicates_are_merged_and_a_person_is_erased() {
    let world = World::new().await;
    let (app, admin, w) = (&world.app, &world.admin, world.w);
    let of = |json| contacts::create(app, admin, change(json));
    let kept = of(json!({ "first_name": "Ada", "emails": [{ "value": "ada@x.test" }] })).await.unwrap();
    let gone = of(json!({ "first_name": "A.", "title": "Countess", "emails": [{ "value": "a@x.test" }], "custom": { "plan": "gold" } }))
        .await
        .unwrap();
    contacts::set_resume(app, admin, gone.id, "Wrote the first program.".into()).await.unwrap();
    let list = lists::create(app, admin, "VIP".into(), SubjectType::Contacts).await.unwrap();
    lists::add(app, admin, list.id, vec![Subject::Contact(gone.id)]).await.unwrap();
    assert_eq!(fields(&contacts::merge(app, admin, kept.id, kept.id).await.unwrap_err()), ["from"]);
    let merged = contacts::merge(app, admin, gone.id, kept.id).await.unwrap();
    assert_eq!((merged.first_name.as_str(), merged.title.as_str()), ("Ada", "Countess"));
    let addresses: Vec<_> = merged.emails.iter().map(|a| a.value.as_str()).collect();
    assert_eq!(addresses, ["ada@x.test", "a@x.test"]);
    assert_eq!(contacts::resume(app, admin, kept.id).await.unwrap(), "Wrote the first program.");
    assert!(matches!(contacts::get(app, admin, gone.id).await, Err(ActionError::Missing { .. })));
    let of_list = app.db.read_async(move |q| cadenza_store::lists::members(q, w, list.id, None, 9)).await.unwrap();
    assert_eq!(of_list, [kept.id.0]);

    let entry = suppression::Suppress {
        kind: Suppressible::Email,
        value: "ada@x.test".into(),
        why: suppression::Why::OptOut,
        by: None,
    };
    app.db
        .write_async(move |tx| {
            let key = suppression::key(tx, w)?;
            suppression::add(tx, w, &key, std::slice::from_ref(&entry), "2027-03-01T09:00:00Z".parse().unwrap())
        })
        .await
        .unwrap();
    contacts::erase(app, admin, kept.id).await.unwrap();
    assert!(matches!(contacts::get(app, admin, kept.id).await, Err(ActionError::Missing { .. })));
    let left = app
        .db
        .read_async(move |q| {
            let key = suppression::key(q, w)?;
            Ok((
                suppression::check(q, w, &key, [(Suppressible::Email, "ada@x.test")])?.len(),
                suppression::list(q, w, None, 9)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((left.0, left.1[0].value.clone()), (1, None), "an import does not bring them back");
    let audited = world.audited().await;
    assert_eq!(audited[0].action, "contact.erase");
    let about = audited.iter().filter(|l| l.object_id == Some(kept.id.0) && l.action != "contact.erase");
    assert!(about.clone().count() > 0 && about.clone().all(|l| l.before.is_none() && l.after.is_none()));
}

#[tokio::test]
async fn companies_are_changed_and_named_once() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let of = |json| serde_json::from_value::<CompanyChange>(json).unwrap();
    let made =
        companies::create(app, admin, of(json!({ "name": "Engines", "website": "engines.test" }))).await.unwrap();
    assert_eq!(made.website.as_deref(), Some("https://engines.test"));
    assert_eq!(companies::create(app, admin, of(json!({ "name": "engines" }))).await.unwrap_err().code(), "duplicate");
    let error = companies::update(app, admin, made.id, of(json!({ "name": null, "website": "x" }))).await.unwrap_err();
    assert_eq!(fields(&error), ["name", "website"]);
    let changed =
        companies::update(app, admin, made.id, of(json!({ "name": "Looms", "website": null }))).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.website, changed.version), ("Looms", None, 2));
}

#[tokio::test]
async fn a_list_takes_who_is_of_its_type() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let list = lists::create(app, admin, "VIP".into(), SubjectType::Contacts).await.unwrap();
    assert_eq!(lists::create(app, admin, "vip".into(), SubjectType::Companies).await.unwrap_err().code(), "name_taken");
    let ada = contacts::create(app, admin, change(json!({ "last_name": "Ada" }))).await.unwrap();
    let company: CompanyChange = serde_json::from_value(json!({ "name": "Engines" })).unwrap();
    let company = companies::create(app, admin, company).await.unwrap();
    let wrong = lists::add(app, admin, list.id, vec![Subject::Company(company.id)]).await.unwrap_err();
    assert_eq!(fields(&wrong), ["members"]);
    let nobody = lists::add(app, admin, list.id, vec![Subject::Contact(ContactId(1))]).await.unwrap_err();
    assert!(matches!(nobody, ActionError::Missing { what: "contact", .. }));
    let added = lists::add(app, admin, list.id, vec![Subject::Contact(ada.id)]).await.unwrap();
    assert_eq!((added.added, added.enrolled.len()), (1, 0));
    assert_eq!(lists::add(app, admin, list.id, vec![Subject::Contact(ada.id)]).await.unwrap().added, 0);
    assert_eq!(lists::all(app, admin).await.unwrap(), [(list.clone(), 1)]);
    assert_eq!(lists::rename(app, admin, list.id, "Best".into()).await.unwrap().name, "Best");
    assert_eq!(lists::remove(app, admin, list.id, vec![Subject::Contact(ada.id)]).await.unwrap(), 1);
    lists::delete(app, admin, list.id).await.unwrap();
    assert!(matches!(lists::get(app, admin, list.id).await, Err(ActionError::Missing { .. })));
}
