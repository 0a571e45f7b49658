//! Mailboxes that sign in by OAuth 2, from the token endpoint to the mail: servers that take the newest token only, endpoints that
//! refuse, fail and talk nonsense.

mod endpoint;
mod token_server;

use crate::engine::house::{House, MONDAY, ONE_MAIL};
use crate::imap_server::{ImapServer, World};
use crate::smtp_server::{Script, SmtpServer};
use cadenza::actions::mailboxes as actions;
use cadenza::engine::Reading;
use cadenza::seal::Place;
use cadenza_core::ids::{EnrollmentId, MailboxId};
use cadenza_core::time::{Span, Time};
use cadenza_store::mailbox_grants::{self, Grant};
use cadenza_store::mailboxes::{self, Auth, Mailbox, Security, Server};
use serde_json::json;
use std::time::Duration;
use token_server::{CLIENT, REFRESH, Reply, SECRET, TokenServer};

/// A mailbox at servers that take the newest token only.
struct Site {
    house: House,
    tokens: TokenServer,
    smtp: SmtpServer,
    imap: ImapServer,
    id: MailboxId,
}

impl Site {
    async fn new() -> Site {
        let tokens = TokenServer::start().await;
        let roots = format!("[mail]\nroot_certificates = {:?}\n", tokens.root().display().to_string());
        let mut house = House::sqlite_told(&roots).await;
        house.limits.reading =
            Reading { poll: Duration::from_millis(50), pause: Duration::from_millis(10), ..Reading::default() };
        let smtp = SmtpServer::start(Script::new().with_sign_in("XOAUTH2", "ada", "none yet")).await;
        let world = World::new("ada").offering("IMAP4rev1 SASL-IR IDLE AUTH=XOAUTH2", "IMAP4rev1 IDLE");
        let imap = ImapServer::start(world).await;
        imap.world().password = "none yet".into();
        tokens.tell(smtp.password_setter());
        tokens.tell(imap.password_setter());
        let id = mailbox(&house, &tokens, smtp.port(), imap.port()).await;
        Site { house, tokens, smtp, imap, id }
    }

    async fn row(&self) -> Mailbox {
        let (w, id) = (self.house.workspace, self.id);
        self.house.app.db.read_async(move |q| mailboxes::get(q, w, id)).await.unwrap()
    }

    /// A new process: every connection is made anew.
    async fn again(&mut self) {
        self.house.stop().await;
        self.house.reopen().await;
        self.house.start().await;
    }

    /// Another contact in the sequence, once all that can be done for them is done.
    async fn write_to(&self, number: u32, first: EnrollmentId) -> EnrollmentId {
        let sequence = self.house.enrollment(first).await.sequence;
        let ids = self.house.enroll(sequence, self.house.contacts(number..=number).await).await;
        self.house.rest().await;
        ids[0]
    }

    /// Waits until the inbox was looked at since then.
    async fn until_read(&self, since: Time) {
        let id = self.id;
        self.house
            .until("the inbox is read", |house| {
                let w = house.workspace;
                Box::pin(async move {
                    let row = house.app.db.read_async(move |q| mailboxes::get(q, w, id)).await.unwrap();
                    row.read_failure.is_none() && row.read_at.is_some_and(|at| at >= since)
                })
            })
            .await;
    }

    /// Waits until it is said that the inbox is not read, and why.
    async fn until_unread(&self, why: &'static str) {
        let id = self.id;
        self.house
            .until("it is said why the inbox is not read", |house| {
                let w = house.workspace;
                Box::pin(async move {
                    let row = house.app.db.read_async(move |q| mailboxes::get(q, w, id)).await.unwrap();
                    row.read_failure.is_some_and(|said| said.contains(why))
                })
            })
            .await;
    }

    /// No secret stands anywhere but in its place, sealed.
    async fn keeps_its_secrets(&self) {
        for sql in [
            "SELECT COUNT(*) FROM audit WHERE COALESCE(before, '') || COALESCE(after, '') LIKE '%canary%'",
            "SELECT COUNT(*) FROM mailbox WHERE COALESCE(held, '') || COALESCE(read_failure, '') LIKE '%canary%'",
            "SELECT COUNT(*) FROM mailbox_grant WHERE COALESCE(failure, '') LIKE '%canary%'",
            "SELECT COUNT(*) FROM send WHERE COALESCE(answer, '') LIKE '%canary%'",
            "SELECT COUNT(*) FROM mailbox_grant WHERE CAST(refresh_token AS TEXT) LIKE '%canary%'
                 OR CAST(access_token AS TEXT) LIKE '%canary%' OR CAST(client_secret AS TEXT) LIKE '%canary%'",
        ] {
            assert_eq!(self.house.int(sql, &[]).await, 0, "{sql}");
        }
        assert_eq!(self.house.int("SELECT COUNT(*) FROM mailbox_grant", &[]).await, 1);
    }
}

async fn mailbox(house: &House, tokens: &TokenServer, smtp: u16, imap: u16) -> MailboxId {
    let server = |port| Server {
        host: "127.0.0.1".into(),
        port,
        // To this machine a token goes without TLS; a person could not save it so.
        security: Security::None,
        auth: Auth::Xoauth2,
        login: Some("ada".into()),
        secret: None,
    };
    let id = house
        .mailbox_with("ada@agency.example", smtp, |m| {
            (m.smtp, m.imap) = (Some(server(smtp)), Some(server(imap)));
            (m.folders, m.readable) = (vec!["INBOX".into()], true);
        })
        .await;
    let w = house.workspace;
    let seal = |column, secret: &str| {
        let place = Place { workspace: w.0, table: "mailbox_grant", row: id.0, column };
        house.app.seal.seal(&house.clock, place, secret.as_bytes())
    };
    let grant = Grant {
        token_endpoint: tokens.url(),
        client_id: CLIENT.into(),
        client_secret: Some(seal("client_secret", SECRET)),
        refresh_token: seal("refresh_token", REFRESH),
        access: None,
        failure: None,
        version: 1,
    };
    house.write(move |tx| mailbox_grants::set(tx, w, id, &grant)).await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_serves_sending_and_reading_and_is_renewed_before_its_end() {
    let mut site = Site::new().await;
    site.house.start().await;
    let (_, first) = site.house.one(ONE_MAIL).await;
    site.house.rest().await;
    site.until_read(MONDAY.parse().unwrap()).await;
    assert_eq!(site.house.sends(first).await, ["1.1 sent"]);
    assert_eq!(site.tokens.asked(), [REFRESH], "both needed one at the same moment");

    // Well before its end a new process goes on with it.
    site.house.clock.pass(Span::minutes(50));
    let since = site.house.clock.now();
    site.again().await;
    let second = site.write_to(2, first).await;
    site.until_read(since).await;
    assert_eq!(site.house.sends(second).await, ["1.1 sent"]);
    assert_eq!(site.tokens.asked(), [REFRESH], "it is kept");

    // Shortly before its end another is fetched, with the refresh token that came with it.
    site.house.clock.pass(Span::minutes(6));
    let since = site.house.clock.now();
    site.again().await;
    let third = site.write_to(3, first).await;
    site.until_read(since).await;
    assert_eq!(site.house.sends(third).await, ["1.1 sent"]);
    assert_eq!(site.tokens.asked(), [REFRESH.to_owned(), format!("{REFRESH}-1")]);
    assert_eq!(site.smtp.log().taken.len(), 3);
    site.keeps_its_secrets().await;
    site.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_is_renewed_once() {
    let mut site = Site::new().await;
    site.house.start().await;
    let (_, first) = site.house.one(ONE_MAIL).await;
    site.house.rest().await;
    site.until_read(MONDAY.parse().unwrap()).await;
    site.house.stop().await;

    // The provider has ended it before its time; whoever comes second finds the next one.
    (site.smtp.password_setter())("another");
    (site.imap.password_setter())("another");
    site.house.clock.pass(Span::minutes(1));
    let since = site.house.clock.now();
    site.house.reopen().await;
    site.house.start().await;
    let second = site.write_to(2, first).await;
    site.until_read(since).await;
    assert_eq!(site.house.sends(second).await, ["1.1 sent"]);
    assert_eq!(site.tokens.asked().len(), 2, "{:?}", site.tokens.asked());
    site.house.stop().await;

    // A server that takes none is asked with two and no more: then a person has to look.
    let refusing = SmtpServer::start(Script::new().with_sign_in("XOAUTH2", "ada", "never")).await;
    let (w, id, port) = (site.house.workspace, site.id, refusing.port());
    let change = move |tx: &mut cadenza_store::Tx| {
        let mut row = mailboxes::get(tx, w, id)?;
        row.smtp.as_mut().unwrap().port = port;
        row.imap = None;
        mailboxes::update(tx, w, &row)
    };
    site.house.write(change).await;
    site.house.clock.pass(Span::minutes(1));
    site.house.reopen().await;
    site.house.start().await;
    site.write_to(3, first).await;
    let held = site.row().await.held.unwrap().0;
    assert!(held.contains("535"), "{held}");
    assert_eq!((refusing.log().connections, site.tokens.asked().len()), (2, 3));
    site.keeps_its_secrets().await;
    site.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_is_good_no_more_holds_the_mailbox_and_says_what_to_do() {
    let mut site = Site::new().await;
    site.tokens.next([Reply::Says(400, r#"{"error":"invalid_grant","error_description":"refresh-canary"}"#.into())]);
    site.house.start().await;
    let (_, first) = site.house.one(ONE_MAIL).await;
    site.house.rest().await;
    let held = site.row().await.held.unwrap().0;
    for part in ["localhost", "invalid_grant", "paste a new one"] {
        assert!(held.contains(part), "{held}");
    }
    site.until_unread("paste a new one").await;
    site.again().await;
    site.house.clock.pass(Span::hours(2));
    site.house.rest().await;
    assert_eq!(site.tokens.asked(), [REFRESH], "what was refused is not asked for again");
    assert_eq!(site.smtp.log().connections, 0);

    // Another one, and the mailbox released: it goes on.
    let caller = site.house.caller();
    let typed =
        json!({ "oauth": { "token_endpoint": site.tokens.url(), "client_id": CLIENT, "refresh_token": REFRESH } });
    actions::update(&site.house.app, &caller, site.id, serde_json::from_value(typed).unwrap()).await.unwrap();
    assert!(site.row().await.held.is_some(), "that is for a person to say");
    let since = site.house.clock.now();
    actions::release(&site.house.app, &caller, site.id).await.unwrap();
    site.house.rest().await;
    site.until_read(since).await;
    assert!(site.row().await.held.is_none());
    assert!(site.house.sends(first).await.last().unwrap().ends_with("sent"), "{:?}", site.house.sends(first).await);
    site.keeps_its_secrets().await;
    site.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_in_trouble_is_asked_again_after_a_pause_and_holds_nobody() {
    let mut site = Site::new().await;
    site.tokens.next([Reply::Says(500, "{}".into()), Reply::Close]);
    site.house.start().await;
    let (_, first) = site.house.one(ONE_MAIL).await;
    site.house.rest().await;
    assert_eq!(site.house.sends(first).await, ["1.1 deferred"]);
    site.until_unread("it answers 500").await;
    assert_eq!(site.tokens.asked().len(), 1, "the reader and the sender have both wanted one");
    // The second failure, and then a token.
    for asked in [2, 3] {
        site.house.clock.pass(Span::minutes(6));
        let server = &site.tokens;
        let give_up = std::time::Instant::now() + crate::engine::house::LONG;
        while server.asked().len() < asked {
            assert!(std::time::Instant::now() < give_up, "it is not asked again: {:?}", server.asked());
            site.house.rest().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    site.house.clock.pass(Span::minutes(6));
    site.house.rest().await;
    site.until_read(MONDAY.parse().unwrap()).await;
    assert!(site.house.sends(first).await.last().unwrap().ends_with("sent"), "{:?}", site.house.sends(first).await);
    assert!(site.row().await.held.is_none());

    // A token that should be renewed by now does while the endpoint is in trouble.
    site.house.clock.pass(Span::minutes(50));
    site.tokens.next([Reply::Says(503, "busy".into())]);
    site.again().await;
    let second = site.write_to(2, first).await;
    assert_eq!(site.house.sends(second).await, ["1.1 sent"]);
    assert_eq!(site.tokens.asked().len(), 4);
    site.keeps_its_secrets().await;
    site.house.stop().await;
}
