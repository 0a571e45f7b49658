//! Activation where replies cannot stop a sequence, since a mailbox that it would write from cannot be read (REC-8).

use super::world::World;
use crate::actions::contacts;
use crate::actions::lists;
use crate::actions::mailboxes::{self, MailboxChange};
use crate::actions::sequences::{self, Arm, Senders, Start, Unreadable};
use crate::actions::templates::{self, Activation};
use crate::actions::users::{self, NewUser};
use crate::actions::{ActionError, Result};
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::file;
use cadenza_core::ids::{SequenceId, TemplateId, UserId};
use cadenza_store::sequences::SubjectType;
use serde_json::{Value, json};

const ACCEPTED: Start = Start { arm: Arm::Later, senders: Senders::Stay, unreadable: Unreadable::Accepted };

impl World {
    /// A mailbox of a mail server, that is read by IMAP or not at all.
    async fn mailbox(&self, address: &str, owner: UserId, read: bool) {
        let server = |port| json!({ "host": "mail.acme.test", "port": port, "security": "tls", "auth": "password", "login": "u", "secret": "s" });
        let mut new = json!({ "address": address, "owner": owner, "smtp": server(465) });
        if read {
            new["imap"] = server(993);
        }
        let new: MailboxChange = serde_json::from_value(new).unwrap();
        mailboxes::create(&self.app, &self.admin, new).await.unwrap();
    }

    async fn colleague(&self, name: &str) -> UserId {
        let new = NewUser { address: format!("{name}@acme.test"), name: name.into(), role: "Member".into() };
        users::add(&self.app, &self.admin, new).await.unwrap()
    }

    /// A draft of one mail; `top` are lines of the sequence, `step` of the mail.
    async fn draft(&self, name: &str, top: &str, step: &str) -> SequenceId {
        let file = file::parse(&text(name, top, step)).unwrap();
        sequences::create(&self.app, &self.admin, &file).await.unwrap()
    }

    async fn activate(&self, id: SequenceId, start: Start) -> Result<SequenceState> {
        sequences::activate_with(&self.app, &self.admin, id, start).await
    }

    /// Which addresses keep a draft from being activated.
    async fn asked(&self, id: SequenceId) -> Vec<String> {
        let found = sequences::unreadable(&self.app, &self.admin, id, Senders::Stay).await.unwrap();
        match self.activate(id, Start::default()).await {
            Ok(_) => assert!(found.is_empty(), "shown and not asked: {found:?}"),
            Err(ActionError::Refused { code: "unreadable_mailbox", message }) => {
                assert!(message.contains(&format!("write from {}, and", found.join(", "))), "{found:?}: {message}");
            }
            Err(e) => panic!("{e}"),
        }
        found
    }
}

fn text(name: &str, top: &str, step: &str) -> String {
    format!(
        "name = \"{name}\"\n{top}\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n{step}\n\
         subject = \"Hello\"\ntext = \"A letter.\"\n"
    )
}

#[tokio::test]
async fn a_sequence_that_replies_cannot_stop_is_activated_when_that_is_accepted() {
    let world = World::new().await;
    world.mailbox("ulla@acme.test", world.admin.user, false).await;
    let id = world.draft("Letters", "", "").await;
    let refused = world.activate(id, Start::default()).await.unwrap_err();
    assert_eq!(refused.code(), "unreadable_mailbox");
    let said = refused.to_string();
    for word in ["ulla@acme.test", "IMAP", "/api/v1/inbound", "accept_unreadable"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let state = async || sequences::get(&world.app, &world.admin, id).await.unwrap().sequence.state;
    assert_eq!(state().await, SequenceState::Draft);
    assert_eq!(world.activate(id, ACCEPTED).await.unwrap(), SequenceState::Active);
    // It was confirmed: to go on needs no word more.
    sequences::pause(&world.app, &world.admin, id).await.unwrap();
    sequences::resume(&world.app, &world.admin, id).await.unwrap();
    assert_eq!(state().await, SequenceState::Active);
}

#[tokio::test]
async fn the_sandbox_and_mailboxes_that_are_read_ask_nothing() {
    let world = World::new().await;
    let id = world.draft("Played", "", "").await;
    assert_eq!(world.asked(id).await, Vec::<String>::new(), "the sandbox");
    world.mailbox("ulla@acme.test", world.admin.user, true).await;
    let id = world.draft("Read", "", "").await;
    assert_eq!(world.asked(id).await, Vec::<String>::new(), "by IMAP");
    // Of two in rotation the one that is not read is named.
    world.mailbox("ulla.2@acme.test", world.admin.user, false).await;
    let id = world.draft("Both", "", "").await;
    assert_eq!(world.asked(id).await, ["ulla.2@acme.test"]);
    let calls = "name = \"Calls\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n";
    let id = sequences::create(&world.app, &world.admin, &file::parse(calls).unwrap()).await.unwrap();
    assert_eq!(world.asked(id).await, Vec::<String>::new(), "it writes nothing");
}

#[tokio::test]
async fn only_mailboxes_that_it_may_write_from_are_asked_about() {
    let world = World::new().await;
    let (mary, paul) = (world.colleague("mary").await, world.colleague("paul").await);
    world.mailbox("ulla@acme.test", world.admin.user, true).await;
    world.mailbox("mary@acme.test", mary, false).await;
    world.mailbox("paul@acme.test", paul, false).await;
    let list = lists::create(&world.app, &world.admin, "Fair".into(), SubjectType::Contacts).await.unwrap();
    let contact = |new: Value| contacts::create(&world.app, &world.admin, serde_json::from_value(new).unwrap());
    let grace = contact(json!({ "first_name": "Grace", "owner": mary })).await.unwrap();
    let alan = contact(json!({ "first_name": "Alan" })).await.unwrap();
    let members = vec![Subject::Contact(grace.id), Subject::Contact(alan.id)];
    lists::add(&world.app, &world.admin, list.id, members).await.unwrap();
    let (marys, none) = (vec!["mary@acme.test".to_owned()], Vec::new());
    for (top, step, expected) in [
        ("", "", &none),
        ("", "sender = \"Mary@acme.test\"", &marys),
        ("", "sender = \"ulla@acme.test\"\nowner = \"mary@acme.test\"", &none),
        ("", "owner = \"mary@acme.test\"", &marys),
        ("", "owner = \"contact_owner\"", &none),
        ("primary_user = \"mary@acme.test\"", "", &marys),
        ("primary_user = \"mary@acme.test\"", "owner = \"contact_owner\"", &marys),
        ("list = \"Fair\"", "", &none),
        ("list = \"Fair\"", "owner = \"company_owner\"", &none),
        ("list = \"Fair\"", "owner = \"contact_owner\"", &marys),
    ] {
        let id = world.draft(&format!("Of {top} {step}").replace(['"', '\n'], ""), top, step).await;
        assert_eq!(&world.asked(id).await, expected, "{top} {step}");
        if expected.is_empty() {
            // A list feeds one live sequence.
            sequences::end(&world.app, &world.admin, id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn moved_senders_are_asked_about_where_they_move_to() {
    let world = World::new().await;
    let mary = world.colleague("mary").await;
    world.mailbox("ulla@acme.test", world.admin.user, true).await;
    world.mailbox("mary@acme.test", mary, false).await;
    let moving = Start { senders: Senders::PrimaryUser, ..Start::default() };
    let away = world.draft("Away", "", "sender = \"mary@acme.test\"").await;
    assert_eq!(world.activate(away, Start::default()).await.unwrap_err().code(), "unreadable_mailbox");
    assert_eq!(world.activate(away, moving).await.unwrap(), SequenceState::Active);
    let there = world.draft("There", "primary_user = \"mary@acme.test\"", "sender = \"ulla@acme.test\"").await;
    assert_eq!(world.activate(there, moving).await.unwrap_err().code(), "unreadable_mailbox");
    let flow = sequences::export(&world.app, &world.admin, there).await.unwrap();
    assert!(format!("{flow:?}").contains("ulla@acme.test"), "refused, and nothing moved: {flow:?}");
    assert_eq!(
        world.activate(there, Start { senders: Senders::PrimaryUser, ..ACCEPTED }).await.unwrap(),
        SequenceState::Active
    );
}

#[tokio::test]
async fn a_template_asks_as_well_and_makes_nothing_before() {
    let world = World::new().await;
    world.mailbox("ulla@acme.test", world.admin.user, false).await;
    let file = file::parse(&text("Letters", "form = \"template\"", "")).unwrap();
    let template: TemplateId = templates::create(&world.app, &world.admin, &file).await.unwrap();
    let new = Activation { name: "Spring".into(), ..Activation::default() };
    let refused = templates::activate(&world.app, &world.admin, template, new.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "unreadable_mailbox");
    assert!(sequences::all(&world.app, &world.admin).await.unwrap().is_empty());
    let accepted = Activation { accept_unreadable: Unreadable::Accepted, ..new };
    templates::activate(&world.app, &world.admin, template, accepted).await.unwrap();
    let all = sequences::all(&world.app, &world.admin).await.unwrap();
    assert_eq!(all.iter().map(|s| s.state).collect::<Vec<_>>(), [SequenceState::Active]);
}
