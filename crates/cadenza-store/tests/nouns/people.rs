//! Workspaces, users and how they sign in, mailboxes, the audit log.

use crate::world::{World, at, someone, workspace};
use cadenza_core::absence::{AwayRules, Meanwhile};
use cadenza_core::ids::{AbsenceId, AuditId, MailboxId, SessionId, TeamId, TokenId, UserId, WorkspaceId};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::Span;
use cadenza_store::absences::{self, Absence};
use cadenza_store::api_tokens::{self, ApiToken};
use cadenza_store::audit::{self, Filter, Line};
use cadenza_store::mailbox_grants::{self, Access, Grant};
use cadenza_store::mailboxes::{self, Auth, Caps, Inbox, Mailbox, Position, Security, Server};
use cadenza_store::roles::{self, Role};
use cadenza_store::sessions::{self, Session};
use cadenza_store::teams::{self, Team};
use cadenza_store::users::{self, Invitation, PasswordHash, UserState};
use cadenza_store::{Rule, StoreError, workspaces};
use serde_json::json;

pub fn a_workspace_comes_back_as_it_was_made(world: &World) {
    let w = WorkspaceId(77);
    let made = workspace(w, "Third");
    assert!(world.read(workspaces::any));
    world.write(|tx| workspaces::create(tx, &made));
    assert_eq!(world.read(|q| workspaces::get(q, w)), made);
    let settings = WorkspaceSettings { steps_max: 7, ..WorkspaceSettings::default() };
    world.write(|tx| {
        workspaces::save_settings(tx, w, &settings)?;
        workspaces::save_identity(tx, w, "Drei", "Street 1", "https://x.test")?;
        workspaces::set_clock_ahead(tx, w, Span::hours(5))?;
        workspaces::set_clock_ahead(tx, w, Span::hours(3))
    });
    assert_eq!(world.read(|q| workspaces::settings(q, w)), settings);
    let read = world.read(|q| workspaces::get(q, w));
    assert_eq!((read.name.as_str(), read.clock_ahead), ("Drei", Span::hours(5)), "the clock never goes back");
    assert_eq!(world.write(workspaces::hold_all), 3);
    world.write(|tx| workspaces::set_restore_hold(tx, w, false));
    let holds: Vec<_> = world.read(workspaces::all).iter().map(|x| x.restore_hold).collect();
    assert_eq!(holds, [true, true, false]);
    assert!(matches!(world.db.read(|q| workspaces::get(q, WorkspaceId(9))), Err(StoreError::Missing { .. })));
}

pub fn a_sign_in_address_belongs_to_one_user_of_all_workspaces(world: &World) {
    let taken = someone(UserId(11), "ulla@acme.test");
    let error = world.refused(|tx| users::create(tx, world.other, &taken, None));
    assert!(error.is_conflict_on("sign_in_pkey"), "{error}");
    let found = world.read(|q| users::signs_in_as(q, "ulla@acme.test"));
    assert_eq!(found, Some((world.w, world.user)));
    world.write(|tx| users::set_address(tx, world.w, world.user, "ulla@new.test"));
    assert_eq!(world.read(|q| users::signs_in_as(q, "ulla@acme.test")), None);
    assert_eq!(world.read(|q| users::signs_in_as(q, "ulla@new.test")), found);
    assert_eq!(world.read(|q| users::get(q, world.w, world.user)).address, "ulla@new.test");
    assert!(matches!(world.db.read(|q| users::get(q, world.other, world.user)), Err(StoreError::Missing { .. })));
}

pub fn an_invited_user_becomes_active_with_a_password(world: &World) {
    let id = UserId(12);
    let mut user = someone(id, "ivo@acme.test");
    user.state = UserState::Invited;
    let invitation = |hash: &str| Invitation {
        user: id,
        token_hash: hash.into(),
        invited_by: world.user,
        created_at: at(0),
        expires_at: at(100),
    };
    world.write(|tx| {
        users::create(tx, world.w, &user, None)?;
        users::invite(tx, world.w, &invitation("first"))?;
        users::invite(tx, world.w, &invitation("second"))
    });
    let invited = |hash: &str, now| world.read(|q| users::invited(q, world.w, hash, at(now)));
    assert_eq!(invited("first", 1), None, "the later invitation counts");
    assert_eq!(invited("second", 100), None, "expired");
    assert_eq!(invited("second", 99), Some(id));
    assert_eq!(world.read(|q| users::password(q, world.w, id)), None);
    world.write(|tx| {
        users::set_password(tx, world.w, id, &PasswordHash("phc".into()))?;
        users::end_invitation(tx, world.w, id)?;
        users::note_seen(tx, world.w, id, at(5))
    });
    assert_eq!(world.read(|q| users::password(q, world.w, id)), Some(PasswordHash("phc".into())));
    user.state = UserState::Active;
    user.seen_at = Some(at(5));
    assert_eq!(world.read(|q| users::get(q, world.w, id)), user);
    user.zone = None;
    user.settings = json!({ "pinned": ["queue"] });
    user.state = UserState::Departed;
    world.write(|tx| users::update(tx, world.w, &user));
    assert_eq!(world.read(|q| users::all(q, world.w))[0], user);
}

pub fn sessions_end_singly_and_together(world: &World) {
    let session = |n: i64| Session {
        id: SessionId(n),
        user: world.user,
        created_at: at(0),
        seen_at: at(n),
        expires_at: at(100),
        from: Some("192.0.2.7".into()),
        user_agent: None,
    };
    world.write(|tx| (1..=4).try_for_each(|n| sessions::create(tx, world.w, &session(n), &format!("hash{n}"))));
    let with = |hash: &str, now| world.read(|q| sessions::with_token(q, world.w, hash, at(now)));
    assert_eq!(with("hash1", 1), Some(session(1)));
    assert_eq!(with("hash1", 100), None);
    assert_eq!(world.read(|q| sessions::with_token(q, world.other, "hash1", at(1))), None);
    world.write(|tx| sessions::note_seen(tx, world.w, SessionId(1), at(50), at(200)));
    assert_eq!(with("hash1", 150).map(|s| s.seen_at), Some(at(50)));
    assert!(!world.write(|tx| sessions::end(tx, world.w, UserId(99), SessionId(2))), "not that user's");
    assert!(world.write(|tx| sessions::end(tx, world.w, world.user, SessionId(2))));
    let open = world.read(|q| sessions::of_user(q, world.w, world.user, at(60)));
    assert_eq!(open.iter().map(|s| s.id.0).collect::<Vec<_>>(), [1, 4, 3]);
    assert_eq!(world.write(|tx| sessions::sweep(tx, world.w, at(100))), 2);
    world.write(|tx| sessions::create(tx, world.w, &session(5), "hash5"));
    assert_eq!(world.write(|tx| sessions::end_all_but(tx, world.w, world.user, Some(SessionId(1)))), 1);
    assert_eq!(world.write(|tx| sessions::end_all_but(tx, world.w, world.user, None)), 1);
}

pub fn a_token_is_found_until_it_ends(world: &World) {
    let token = |n: i64, expires| ApiToken {
        id: TokenId(n),
        user: world.user,
        name: "CI".into(),
        scopes: vec!["tasks.mine".into()],
        created_at: at(0),
        expires_at: expires,
        used_at: None,
        ended_at: None,
    };
    world.write(|tx| {
        api_tokens::create(tx, world.w, &token(1, None), "h1")?;
        api_tokens::create(tx, world.w, &token(2, Some(at(10))), "h2")
    });
    let with = |hash: &str, now| world.read(|q| api_tokens::with_hash(q, world.w, hash, at(now)));
    assert_eq!(with("h1", 1), Some(token(1, None)));
    assert_eq!(with("h2", 9), Some(token(2, Some(at(10)))));
    assert_eq!(with("h2", 10), None);
    assert_eq!(world.read(|q| api_tokens::with_hash(q, world.other, "h1", at(1))), None);
    world.write(|tx| {
        api_tokens::note_used(tx, world.w, TokenId(1), at(3))?;
        api_tokens::end(tx, world.w, TokenId(1), at(4))?;
        api_tokens::end(tx, world.w, TokenId(1), at(5))
    });
    assert_eq!(with("h1", 5), None);
    let all = world.read(|q| api_tokens::list(q, world.w, None));
    assert_eq!(
        all.iter().map(|t| (t.id.0, t.used_at, t.ended_at)).collect::<Vec<_>>(),
        [(2, None, None), (1, Some(at(3)), Some(at(4)))]
    );
    assert_eq!(world.read(|q| api_tokens::list(q, world.w, Some(UserId(99)))), []);
}

pub fn a_role_in_use_stays(world: &World) {
    let own = Role { name: "Caller".into(), privileges: vec!["tasks.mine".into()], built_in: false };
    world.write(|tx| roles::save(tx, world.w, &own));
    let mut user = world.read(|q| users::get(q, world.w, world.user));
    user.role = "Caller".into();
    world.write(|tx| users::update(tx, world.w, &user));
    assert_eq!(world.read(|q| roles::holders(q, world.w, "Caller")), 1);
    let error = world.refused(|tx| roles::delete(tx, world.w, "Caller"));
    assert!(matches!(error, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{error}");
    user.role = "Nobody".into();
    let error = world.refused(|tx| users::update(tx, world.w, &user));
    assert!(matches!(error, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{error}");
    user.role = "Member".into();
    world.write(|tx| users::update(tx, world.w, &user));
    world.write(|tx| roles::delete(tx, world.w, "Caller"));
    assert!(matches!(world.refused(|tx| roles::delete(tx, world.w, "Member")), StoreError::Missing { .. }));
    assert_eq!(world.read(|q| roles::all(q, world.w)).len(), 1);
}

pub fn teams_and_absences_are_replaced_as_a_whole(world: &World) {
    let mut team = Team { id: TeamId(3), name: "North".into(), members: [world.user].into() };
    world.write(|tx| teams::save(tx, world.w, &team));
    assert_eq!(world.read(|q| teams::all(q, world.w)), [team.clone()]);
    team.members.clear();
    team.name = "South".into();
    world.write(|tx| teams::save(tx, world.w, &team));
    assert_eq!(world.read(|q| teams::all(q, world.w)), [team.clone()]);
    let same = Team { id: TeamId(4), ..team };
    assert!(world.refused(|tx| teams::save(tx, world.w, &same)).is_conflict_on("team_name"));
    world.write(|tx| teams::delete(tx, world.w, TeamId(3)));
    assert_eq!(world.read(|q| teams::all(q, world.w)), []);

    let absence = |n: i64, until| Absence {
        id: AbsenceId(n),
        user: world.user,
        from: at(n),
        until,
        rules: AwayRules { call: Meanwhile::Delegate(world.user), ..AwayRules::default() },
        begun: n == 1,
        turn: Some(at(n)),
    };
    world.write(|tx| {
        absences::save(tx, world.w, &absence(2, None))?;
        absences::save(tx, world.w, &absence(1, Some(at(50))))
    });
    assert_eq!(world.read(|q| absences::from_now(q, world.w, at(49))), [absence(1, Some(at(50))), absence(2, None)]);
    assert_eq!(world.read(|q| absences::from_now(q, world.w, at(50))), [absence(2, None)]);
    let meeting = |from, until| world.read(|q| absences::meeting(q, world.w, world.user, at(from), until)).len();
    assert_eq!(
        (meeting(50, None), meeting(40, Some(at(50))), meeting(0, Some(at(1)))),
        (1, 2, 0),
        "the end is not in it"
    );
    let turning = |now| world.read(|q| absences::turning(q, at(now), 10));
    assert_eq!(turning(1), [(world.w, absence(1, Some(at(50))))]);
    world.write(|tx| absences::turned(tx, world.w, &absence(1, Some(at(49)))));
    assert_eq!(turning(1).len(), 1, "it was changed meanwhile");
    world.write(|tx| absences::turned(tx, world.w, &absence(1, Some(at(50)))));
    assert_eq!(turning(2), [(world.w, absence(2, None))], "its end was posted");
    world.write(|tx| absences::turned(tx, world.w, &absence(2, None)));
    assert_eq!(turning(1_000), [], "without an end it turns no more");
    world.write(|tx| absences::save(tx, world.w, &absence(2, Some(at(60)))));
    assert_eq!(world.read(|q| absences::from_now(q, world.w, at(55))), [absence(2, Some(at(60)))]);
    world.write(|tx| absences::delete(tx, world.w, AbsenceId(2)));
    assert!(matches!(world.refused(|tx| absences::delete(tx, world.w, AbsenceId(2))), StoreError::Missing { .. }));
}

fn mailbox(world: &World, id: MailboxId, address: &str) -> Mailbox {
    Mailbox {
        id,
        owner: world.user,
        address: address.into(),
        name: "Ulla".into(),
        sandbox: false,
        signature: "--\nUlla".into(),
        smtp: Some(Server {
            host: "smtp.acme.test".into(),
            port: 587,
            security: Security::Starttls,
            auth: Auth::Xoauth2,
            login: Some("ulla".into()),
            secret: None,
        }),
        imap: None,
        folders: vec!["INBOX".into()],
        sent_folder: None,
        caps: Caps { day: Some(200), hour: None, gap_seconds: Some(60), jitter_seconds: Some(30) },
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: false,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: at(0),
        version: 1,
    }
}

pub fn a_mailbox_keeps_its_servers_and_its_hold(world: &World) {
    let server = |host: &str, port| Server {
        host: host.into(),
        port,
        security: Security::Starttls,
        auth: Auth::Password,
        login: Some("ulla".into()),
        secret: Some(vec![1, 2, 3]),
    };
    let mut made =
        Mailbox { smtp: Some(server("smtp.acme.test", 587)), ..mailbox(world, MailboxId(1), "ulla@acme.test") };
    world.write(|tx| mailboxes::create(tx, world.w, &made));
    assert_eq!(world.read(|q| mailboxes::get(q, world.w, made.id)), made);
    assert!(!format!("{made:?}").contains("[1, 2, 3]"), "secrets stay out of logs");
    let same = Mailbox { id: MailboxId(2), ..made.clone() };
    assert!(world.refused(|tx| mailboxes::create(tx, world.w, &same)).is_conflict_on("mailbox_address"));
    made.imap = Some(server("imap.acme.test", 143));
    made.readable = true;
    made.plus_addresses = true;
    made.caps = Caps::default();
    made.version = 2;
    world.write(|tx| mailboxes::update(tx, world.w, &made));
    assert_eq!(world.read(|q| mailboxes::at_address(q, world.w, "ulla@acme.test")), Some(made.clone()));
    let inbox = Inbox { workspace: world.w, mailbox: made.id, version: 2 };
    assert_eq!(world.read(mailboxes::inboxes), [inbox]);
    assert_eq!(world.read(|q| mailboxes::oldest_live(q, world.w, made.id)), None);
    world.write(|tx| {
        mailboxes::hold(tx, world.w, made.id, "550 5.7.1", at(3))?;
        mailboxes::note_reading(tx, world.w, made.id, at(4), Ok(()))?;
        mailboxes::note_reading(tx, world.w, made.id, at(5), Err("no route"))
    });
    let read = &world.read(|q| mailboxes::all(q, world.w))[0];
    assert_eq!(read.held, Some(("550 5.7.1".into(), at(3))));
    assert_eq!((read.read_at, read.read_failure.as_deref()), (Some(at(4)), Some("no route")));
    world.write(|tx| mailboxes::release(tx, world.w, made.id));
    assert_eq!(world.read(|q| mailboxes::get(q, world.w, made.id)).held, None);
    let position = |n| Position { uid_validity: 9, uid_next: n };
    world.write(|tx| {
        mailboxes::set_position(tx, world.w, made.id, "INBOX", position(5), at(6))?;
        mailboxes::set_position(tx, world.w, made.id, "INBOX", position(8), at(7))
    });
    assert_eq!(world.read(|q| mailboxes::position(q, world.w, made.id, "INBOX")), Some((position(8), at(7))));
    assert_eq!(world.read(|q| mailboxes::position(q, world.w, made.id, "Junk")), None);
    world.write(|tx| mailboxes::forget_reading(tx, world.w, made.id));
    let read = world.read(|q| mailboxes::get(q, world.w, made.id));
    assert_eq!((read.read_at, read.read_failure), (None, None));
    assert_eq!(world.read(|q| mailboxes::position(q, world.w, made.id, "INBOX")), None);
    world.write(|tx| mailboxes::set_position(tx, world.w, made.id, "INBOX", position(9), at(8)));
    assert!(!world.read(|q| mailboxes::is_used(q, world.w, made.id)));
    let bare = Mailbox { id: MailboxId(3), address: "x@acme.test".into(), smtp: None, ..made.clone() };
    assert!(matches!(world.refused(|tx| mailboxes::create(tx, world.w, &bare)), StoreError::Violation { .. }));
    world.write(|tx| mailboxes::create(tx, world.w, &Mailbox { sandbox: true, ..bare.clone() }));
    world.write(|tx| mailboxes::delete(tx, world.w, made.id));
    assert_eq!(world.read(|q| mailboxes::position(q, world.w, made.id, "INBOX")), None);
}

pub fn a_grant_is_renewed_by_one_at_a_time_and_never_over_a_persons_change(world: &World) {
    let id = MailboxId(1);
    world.write(|tx| mailboxes::create(tx, world.w, &mailbox(world, id, "ulla@acme.test")));
    let get = || world.read(|q| mailbox_grants::get(q, world.w, id));
    assert_eq!(get(), None);
    let given = Grant {
        token_endpoint: "https://id.example.com/token".into(),
        client_id: "app".into(),
        client_secret: None,
        refresh_token: vec![1],
        access: None,
        failure: None,
        version: 1,
    };
    world.write(|tx| mailbox_grants::set(tx, world.w, id, &given));
    assert_eq!(get(), Some(given.clone()));
    assert_eq!(world.read(|q| mailbox_grants::get(q, world.other, id)), None);

    let claim =
        |version, now, until| world.write(|tx| mailbox_grants::claim(tx, world.w, id, version, at(now), at(until)));
    assert!(claim(1, 0, 30));
    assert!(!claim(1, 1, 31), "one at a time");
    assert!(!claim(2, 60, 90), "of another version");
    assert!(claim(1, 30, 60), "whoever had it is gone");
    world.write(|tx| mailbox_grants::give_back(tx, world.w, id, 1));
    assert!(claim(1, 31, 61));
    let access = Access { token: vec![9], renew_at: at(100), expires_at: at(200) };
    let renewed = |version| world.write(|tx| mailbox_grants::renewed(tx, world.w, id, version, &access, &[2]));
    assert!(renewed(1));
    let now = Grant { refresh_token: vec![2], access: Some(access.clone()), version: 2, ..given.clone() };
    assert_eq!(get(), Some(now));
    assert!(!renewed(1), "nor twice over");
    assert!(claim(2, 32, 62), "it was given back");

    // A person's change forgets what was fetched, and a renewal that began before writes nothing over it.
    let secret = Grant { client_secret: Some(vec![5]), refresh_token: vec![7], ..given.clone() };
    world.write(|tx| mailbox_grants::set(tx, world.w, id, &secret));
    assert!(!renewed(2));
    assert!(!world.write(|tx| mailbox_grants::failed(tx, world.w, id, 2, "of before")));
    assert_eq!(get(), Some(Grant { version: 3, ..secret.clone() }));

    assert!(world.write(|tx| mailbox_grants::failed(tx, world.w, id, 3, "revoked")));
    assert_eq!(get().unwrap().failure.as_deref(), Some("revoked"));
    world.write(|tx| mailbox_grants::forget_failure(tx, world.w, id));
    assert_eq!(get(), Some(Grant { version: 5, ..secret }));
    world.write(|tx| mailboxes::delete(tx, world.w, id));
    assert_eq!(get(), None, "it goes with its mailbox");
}

pub fn audit_lines_are_found_by_what_they_are_about(world: &World) {
    let line = |n: i64, object_id| Line {
        id: AuditId(n),
        at: at(n),
        user: Some(world.user),
        token: None,
        from: Some("192.0.2.1".into()),
        action: "contact.update".into(),
        object: "contact".into(),
        object_id: Some(object_id),
        before: Some(json!({ "title": "a" })),
        after: None,
    };
    world.write(|tx| {
        audit::add(tx, world.w, &line(1, 5))?;
        audit::add(tx, world.w, &line(2, 6))?;
        audit::add(tx, world.w, &line(3, 5))
    });
    let list = |filter: &Filter, before| world.read(|q| audit::list(q, world.w, filter, before, 10));
    assert_eq!(list(&Filter::default(), None), [line(3, 5), line(2, 6), line(1, 5)]);
    let about = Filter { object: Some("contact".into()), object_id: Some(5), user: Some(world.user) };
    assert_eq!(list(&about, Some(AuditId(3))), [line(1, 5)]);
    assert_eq!(world.write(|tx| audit::forget_contents(tx, world.w, "contact", 5)), 2);
    assert_eq!(list(&about, None).iter().filter_map(|l| l.before.clone()).count(), 0);
    assert_eq!(list(&Filter::default(), None).len(), 3, "that it happened stays");
    assert_eq!(world.read(|q| audit::list(q, world.other, &Filter::default(), None, 10)), []);
}
