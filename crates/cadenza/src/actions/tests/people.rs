//! Mailboxes, settings, users and roles.

use super::world::World;
use crate::actions::mailboxes::{self, MailboxChange};
use crate::actions::settings::{self, Identity};
use crate::actions::users::{self, NewUser};
use crate::actions::{ActionError, Privilege, roles};
use crate::seal::Place;
use cadenza_core::settings::WorkspaceSettings;
use cadenza_store::users::UserState;
use serde_json::json;

fn mailbox(json: serde_json::Value) -> MailboxChange {
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn a_mailbox_is_sealed_and_its_password_is_shown_nowhere() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let smtp = json!({ "host": "smtp.acme.test", "port": 587, "security": "starttls", "auth": "password", "login": "ulla", "secret": "hunter2" });
    let made =
        mailboxes::create(app, admin, mailbox(json!({ "address": "Ulla@Acme.test", "smtp": smtp }))).await.unwrap();
    assert_eq!((made.address.as_str(), made.caps.day, made.readable), ("ulla@acme.test", Some(200), false));
    let sealed = made.smtp.as_ref().unwrap().secret.clone().unwrap();
    let place = |column| Place { workspace: world.w.0, table: "mailbox", row: made.id.0, column };
    assert_eq!(app.seal.open(place("smtp_secret"), &sealed).unwrap(), b"hunter2");
    assert!(app.seal.open(place("imap_secret"), &sealed).is_err(), "bound to its place");
    let lines = world.audited().await;
    assert!(!format!("{lines:?}").contains("hunter2"));
    // The password stays while the server does, and goes to no other.
    let port = json!({ "host": "smtp.acme.test", "port": 465, "security": "tls", "auth": "password", "login": "ulla" });
    let moved =
        mailboxes::update(app, admin, made.id, mailbox(json!({ "smtp": port, "day_cap": null }))).await.unwrap();
    assert_eq!((moved.smtp.unwrap().secret, moved.caps.day), (Some(sealed), None));
    let elsewhere = json!({ "host": "evil.test", "port": 465, "security": "tls", "auth": "password", "login": "ulla" });
    let error = mailboxes::update(app, admin, made.id, mailbox(json!({ "smtp": elsewhere }))).await.unwrap_err();
    assert!(error.to_string().contains("password"), "{error}");
    let same = mailboxes::create(app, admin, mailbox(json!({ "address": "ulla@acme.test", "smtp": smtp }))).await;
    assert_eq!(same.unwrap_err().code(), "address_taken");
    mailboxes::release(app, admin, made.id).await.unwrap();
    mailboxes::delete(app, admin, made.id).await.unwrap();
    assert_eq!(mailboxes::all(app, admin).await.unwrap().len(), 1, "the sandbox's");
}

#[tokio::test]
async fn a_mailbox_names_what_is_wrong() {
    let world = World::new().await;
    let smtp = json!({ "host": "not a host", "port": 0, "security": "none", "auth": "none" });
    let bad = mailbox(json!({ "address": "nobody", "smtp": smtp, "folders": [], "freshness_minutes": 0 }));
    let error = mailboxes::create(&world.app, &world.admin, bad).await.unwrap_err();
    let ActionError::Invalid(faults) = error else { panic!() };
    let named: Vec<_> = faults.iter().map(|f| f.field.as_str()).collect();
    for field in ["address", "smtp.host", "folders", "freshness_minutes"] {
        assert!(named.contains(&field), "{field}: {named:?}");
    }
    let open =
        json!({ "host": "x.test", "port": 25, "security": "none", "auth": "password", "login": "a", "secret": "b" });
    let bad = mailbox(json!({ "address": "a@x.test", "smtp": open }));
    let error = mailboxes::create(&world.app, &world.admin, bad).await.unwrap_err();
    assert!(error.to_string().contains("protected"), "{error}");
    let forbidden = mailboxes::create(&world.app, &world.viewer, MailboxChange::default()).await.unwrap_err();
    assert!(matches!(forbidden, ActionError::Forbidden(Privilege::MailboxesManage)));
}

#[tokio::test]
async fn settings_are_saved_by_those_who_may() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let new = WorkspaceSettings { steps_max: 7, ..WorkspaceSettings::default() };
    assert!(settings::save(app, &world.viewer, new.clone()).await.is_err());
    settings::save(app, admin, new.clone()).await.unwrap();
    assert_eq!(settings::workspace(app, admin).await.unwrap().settings, new);
    let identity = Identity {
        postal_address: Some("Street 2\nTown".into()),
        public_url: Some("mail.acme.test/".into()),
        name: None,
    };
    settings::set_identity(app, admin, identity).await.unwrap();
    let read = settings::workspace(app, admin).await.unwrap();
    assert_eq!((read.name.as_str(), read.postal_address.as_str()), ("Acme", "Street 2\nTown"));
    assert_eq!(read.public_url, "https://mail.acme.test");
    let bad = Identity { name: Some(" ".into()), public_url: Some("ftp://x".into()), postal_address: None };
    assert!(matches!(settings::set_identity(app, admin, bad).await, Err(ActionError::Invalid(f)) if f.len() == 2));
    settings::release_restored(app, admin).await.unwrap();
    let actions: Vec<_> = world.audited().await.into_iter().map(|l| l.action).collect();
    assert_eq!(actions, ["workspace.release_restored", "workspace.set_identity", "workspace.settings"]);
}

#[tokio::test]
async fn somebody_is_invited_and_departs_and_an_administrator_stays() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let invite = |address: &str, role: &str| {
        users::add(app, admin, NewUser { name: "Ben".into(), address: address.into(), role: role.into() })
    };
    let id = invite("Ben@acme.test", "Member").await.unwrap();
    assert_eq!(users::by_address(app, admin, "BEN@acme.test").await.unwrap(), id);
    let ben = users::all(app, admin).await.unwrap().into_iter().find(|u| u.id == id).unwrap();
    assert_eq!((ben.address.as_str(), ben.state), ("ben@acme.test", UserState::Invited));
    users::set_password(app, admin, id, "correct horse battery".into()).await.unwrap();
    assert_eq!(invite("ben@acme.test", "Member").await.unwrap_err().code(), "address_taken");
    let error = invite("x@acme.test", "Intern").await.unwrap_err();
    assert!(error.to_string().contains("Manager"), "{error}");
    assert_eq!(users::set_role(app, admin, admin.user, "Viewer".into()).await.unwrap_err().code(), "last_admin");
    assert_eq!(users::depart(app, admin, admin.user).await.unwrap_err().code(), "last_admin");
    roles::save(app, admin, "Caller".into(), [Privilege::TasksMine].into_iter().collect()).await.unwrap();
    users::set_role(app, admin, ben.id, "Caller".into()).await.unwrap();
    assert_eq!(roles::delete(app, admin, "Caller".into()).await.unwrap_err().code(), "in_use");
    assert_eq!(roles::delete(app, admin, "Viewer".into()).await.unwrap_err().code(), "built_in");
    let all = [Privilege::TasksMine].into_iter().collect();
    assert_eq!(roles::save(app, admin, "Admin".into(), all).await.unwrap_err().code(), "admin_stays");
    users::depart(app, admin, ben.id).await.unwrap();
    let departed = users::all(app, admin).await.unwrap().into_iter().find(|u| u.id == ben.id).unwrap();
    assert_eq!(departed.state, UserState::Departed);
    users::set_role(app, admin, ben.id, "Viewer".into()).await.unwrap();
    roles::delete(app, admin, "Caller".into()).await.unwrap();
    assert_eq!(roles::all(app, admin).await.unwrap().len(), 4);
}
