//! What reading does for sending (REC-8, REC-10): a follow-up waits while a reply may be waiting, a reply ends the enrollment, and
//! so does what the user writes in the thread.

use super::{house, mailbox, row, two_mails};
use crate::engine::house::House;
use crate::imap_server::{Act, Folder, ImapServer, Message, Phase, World};
use crate::smtp_server::{Script, SmtpServer};
use cadenza_core::enrollment::{Finish, Phase as Doing};
use cadenza_core::ids::{EnrollmentId, MailboxId};
use cadenza_core::time::Span;

/// Somebody to whom the first mail went out, from a mailbox that is read.
async fn written(house: &mut House, world: World) -> (SmtpServer, ImapServer, MailboxId, EnrollmentId) {
    let smtp = SmtpServer::start(Script::new()).await;
    let imap = ImapServer::start(world).await;
    let port = smtp.port();
    let id = mailbox(house, "ada@agency.example", imap.port(), |m| {
        m.smtp.as_mut().unwrap().port = port;
        m.sent_folder = Some("Sent".into());
    })
    .await;
    house.start().await;
    let (_, enrollment) = house.one(&two_mails("own_mail = \"end\"")).await;
    house.until_sends("sent", 1).await;
    (smtp, imap, id, enrollment)
}

fn world() -> World {
    let mut world = World::new("ada");
    world.folders.insert("Sent".into(), Folder::empty(5));
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follow_up_waits_while_the_inbox_cannot_be_read() {
    let mut house = house().await;
    let world = world().at(Phase::SignIn, Act::Answer("NO [UNAVAILABLE] later"));
    let (smtp, imap, id, enrollment) = written(&mut house, world).await;
    assert_eq!(row(&house, id).await.read_at, None, "a first mail needs no inbox");
    house.clock.skip_ahead(Span::days(3));
    house
        .until("it stands in line", |h| Box::pin(async move { h.enrollment(enrollment).await.parked.is_some() }))
        .await;
    assert_eq!(house.enrollment(enrollment).await.place.map(|p| p.phase), Some(Doing::Due));
    assert_eq!(smtp.log().taken.len(), 1);
    imap.world().heal();
    house.until_sends("sent", 2).await;
    assert!(row(&house, id).await.read_at.is_some_and(|at| at == house.clock.now()));
    // Being read on, it goes stale no more, however the clock moves.
    house.ahead(Span::days(3)).await;
    house
        .until("it was read again", |h| Box::pin(async move { row(h, id).await.read_at == Some(h.clock.now()) }))
        .await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_and_the_users_own_mail_end_it_and_copies_of_our_own_do_not() {
    let mut house = house().await;
    let (smtp, imap, id, enrollment) = written(&mut house, world()).await;
    let sent = smtp.log().taken[0].body.clone();
    let text = String::from_utf8_lossy(&sent).into_owned();
    let thread = text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().to_owned();
    // The server files what went out, as many do.
    imap.change(|w| {
        w.folders.get_mut("Sent").unwrap().put(Message::of(sent.clone()));
    });
    house
        .until("the copy was fetched", |_| {
            Box::pin(async { imap.world().commands.iter().any(|c| c.starts_with("UID FETCH 1 (UID BODY.PEEK[]")) })
        })
        .await;
    house
        .until("its batch was noted", |h| {
            Box::pin(async {
                h.int("SELECT COUNT(*) FROM mailbox_folder WHERE folder = 'Sent' AND uid_next = 2", &[]).await == 1
            })
        })
        .await;
    assert_eq!(house.enrollment(enrollment).await.finish, None);
    assert_eq!(super::messages(&house, id).await, [], "a copy of our own is not kept");
    let own = format!(
        "From: Ada <ada@agency.example>\r\nTo: p1@people.example\r\nSubject: Re: Hello First1\r\nMessage-ID: <own@agency.example>\r\n\
         In-Reply-To: {thread}\r\n\r\nOne more thing, by hand.\r\n"
    );
    imap.change(|w| {
        w.folders.get_mut("Sent").unwrap().put(Message::of(own));
    });
    house.until("it ended", |h| Box::pin(async move { h.enrollment(enrollment).await.finish.is_some() })).await;
    let ended = house.enrollment(enrollment).await.finish;
    let reply = format!(
        "From: p1@people.example\r\nTo: ada@agency.example\r\nSubject: Re: Hello First1\r\nMessage-ID: <r@people.example>\r\n\
         In-Reply-To: {thread}\r\n\r\nGladly.\r\n"
    );
    imap.change(|w| {
        w.inbox().put(Message::of(reply));
    });
    house.until("the reply counts", |h| Box::pin(async move { h.enrollment(enrollment).await.replies == 1 })).await;
    assert_ne!(ended, Some(Finish::Replied), "the user's own mail came first");
    house.stop().await;
}
