//! Templates: who may what, and what is refused before anything is done.

use super::world::World;
use crate::actions::sequences::{self, Expected};
use crate::actions::templates::{self, Activation, TemplateChange};
use crate::actions::users::{self, NewUser};
use crate::actions::{ActionError, Privilege};
use cadenza_core::flow::file::{self, SequenceFile};
use cadenza_core::ids::{SequenceId, TemplateId};

fn file(name: &str) -> SequenceFile {
    let steps = "[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n";
    file::parse(&format!("name = \"{name}\"\nform = \"template\"\n{steps}")).unwrap()
}

#[tokio::test]
async fn whoever_may_look_may_not_change_and_leaves_no_line() {
    let world = World::new().await;
    let (app, admin, viewer) = (&world.app, &world.admin, &world.viewer);
    let made = templates::create(app, admin, &file("Calls")).await.unwrap();
    let sequence = templates::activate(app, admin, made, named("Spring")).await.unwrap();
    let before = world.audited().await.len();
    assert_eq!(templates::list(app, viewer, "cal").await.unwrap().len(), 1);
    assert_eq!(templates::get(app, viewer, made).await.unwrap().name, "Calls");
    assert_eq!(templates::find(app, viewer, "CALLS").await.unwrap().id, made);
    let renamed = TemplateChange { name: Some("Mine".into()), ..TemplateChange::default() };
    let refused = [
        templates::create(app, viewer, &file("Mine")).await.unwrap_err(),
        templates::copy(app, viewer, made, None).await.unwrap_err(),
        templates::from_sequence(app, viewer, sequence, None).await.unwrap_err(),
        templates::update(app, viewer, made, renamed).await.unwrap_err(),
        templates::save_file(app, viewer, made, &file("Mine"), None).await.unwrap_err(),
        templates::activate(app, viewer, made, named("Mine")).await.unwrap_err(),
        templates::delete(app, viewer, made).await.unwrap_err(),
        templates::plan_file(app, viewer, &file("Mine")).await.unwrap_err(),
    ];
    for e in refused {
        assert_eq!(e, ActionError::Forbidden(Privilege::SequencesSave));
    }
    assert_eq!(world.audited().await.len(), before);
}

fn named(name: &str) -> Activation {
    Activation { name: name.into(), ..Activation::default() }
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_was_probably_meant() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    templates::create(app, admin, &file("Calls")).await.unwrap();
    let e = templates::find(app, admin, "Cals").await.unwrap_err();
    assert!(e.to_string().contains("did you mean \"Calls\""), "{e}");
    for e in [
        templates::get(app, admin, TemplateId(1)).await.unwrap_err(),
        templates::copy(app, admin, TemplateId(1), None).await.unwrap_err(),
        templates::activate(app, admin, TemplateId(1), named("Spring")).await.unwrap_err(),
        templates::delete(app, admin, TemplateId(1)).await.unwrap_err(),
        templates::from_sequence(app, admin, SequenceId(1), None).await.unwrap_err(),
    ] {
        assert_eq!(e.code(), "missing", "{e}");
    }
    let long = "x".repeat(300);
    let e = templates::create(app, admin, &file(&long)).await.unwrap_err();
    assert!(matches!(&e, ActionError::Invalid(faults) if faults[0].field == "name"), "{e:?}");
}

#[tokio::test]
async fn a_text_is_proofread_as_what_it_is_to_be() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let text = "name = \"Calls\"\nowner = \"nobody@acme.test\"\nform = \"template\"\n[[branch]]\nkey = \"main\"\n\
                [[branch.step]]\nkey = \"call\"\nkind = \"call\"\ninstructions = \"Ask.\"\n";
    let lines = async |text: &str, expected| {
        let proof = sequences::proofread(app, admin, text, expected).await.unwrap();
        proof.remarks.iter().map(|r| (r.line, r.message.clone())).collect::<Vec<_>>()
    };
    let said = lines(text, Expected::Template).await;
    assert_eq!(said, [(2, "Nobody signs in as \"nobody@acme.test\" in this workspace.".to_owned())]);
    let good = text.replace("nobody", "ulla");
    assert_eq!(lines(&good, Expected::Template).await, []);
    assert_eq!(lines(&good, Expected::Sequence).await[0].0, 3);
    let sequence = good.replace("owner", "primary_user").replace("form = \"template\"\n", "");
    assert_eq!(lines(&sequence, Expected::Sequence).await, []);
    assert!(lines(&sequence, Expected::Template).await[0].1.starts_with("This holds a sequence"));
}

#[tokio::test]
async fn the_template_of_somebody_who_left_is_kept_by_its_file_and_handed_over() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let new = NewUser { address: "ben@acme.test".into(), name: "Ben".into(), role: "Member".into() };
    let ben = users::add(app, admin, new).await.unwrap();
    let made = templates::create(app, admin, &file("Calls")).await.unwrap();
    let theirs = TemplateChange { owner: Some("ben@acme.test".into()), ..TemplateChange::default() };
    templates::update(app, admin, made, theirs.clone()).await.unwrap();
    let exported = templates::export(app, admin, made).await.unwrap();
    assert_eq!(exported.owner.as_deref(), Some("ben@acme.test"));
    users::depart(app, admin, ben).await.unwrap();
    // Named, they are nobody here any more; unnamed, the file can be applied and changes nothing of whose it is.
    let e = templates::plan_file(app, admin, &exported).await.unwrap_err();
    assert!(matches!(&e, ActionError::Invalid(faults) if faults[0].field == "owner"), "{e:?}");
    let exported = templates::export(app, admin, made).await.unwrap();
    let planned = templates::plan_file(app, admin, &exported).await.unwrap();
    assert!(exported.owner.is_none() && planned.changes.is_empty(), "{planned:?}");
    let described = SequenceFile { description: "Still here".into(), ..exported };
    templates::save_file(app, admin, made, &described, None).await.unwrap();
    let kept = templates::get(app, admin, made).await.unwrap();
    assert_eq!((kept.owner, kept.description.as_str()), (ben, "Still here"));
    let e = templates::update(app, admin, made, theirs).await.unwrap_err();
    assert!(matches!(&e, ActionError::Invalid(faults) if faults[0].field == "owner"), "{e:?}");
    let mine = TemplateChange { owner: Some("ulla@acme.test".into()), ..TemplateChange::default() };
    templates::update(app, admin, made, mine).await.unwrap();
    assert_eq!(templates::get(app, admin, made).await.unwrap().owner, admin.user);
}
