//! One request to a token endpoint, and what may come back.

use super::token_server::{CLIENT, REFRESH, Reply, SECRET, TokenServer};
use cadenza::mail::oauth::{self, Refusal, Request};
use cadenza::reach::{Reach, Trust};
use std::time::Duration;

fn request(server: &TokenServer) -> Request {
    Request {
        endpoint: server.url().parse().unwrap(),
        client_id: CLIENT.into(),
        client_secret: Some(SECRET.into()),
        refresh_token: REFRESH.into(),
        limit: Duration::from_secs(20),
    }
}

#[tokio::test]
async fn whatever_an_endpoint_answers_is_over_in_time_and_repeats_nothing() {
    let server = TokenServer::start().await;
    let trust = Trust::with_root(&server.root_pem()).unwrap();
    let reach = Reach::default().with_loopback();
    for (reply, limit, why) in [
        (Reply::Says(500, "canary".into()), 20, "it answers 500"),
        (Reply::Says(200, "<html>canary".into()), 20, "not understood"),
        (Reply::Says(200, "{}".into()), 20, "no access token"),
        (Reply::Says(200, format!(r#"{{"access_token":"{}"}}"#, "canary".repeat(20_000))), 20, "more than 65536 bytes"),
        (Reply::Redirects, 20, "not followed"),
        (Reply::Close, 20, "cannot be reached"),
        (Reply::Silence, 1, "no answer within 1 s"),
    ] {
        let before = server.asked().len();
        server.next([reply.clone()]);
        let asked = Request { limit: Duration::from_secs(limit), ..request(&server) };
        let refusal = oauth::ask(&asked, &reach, &trust).await.unwrap_err();
        assert!(refusal.is_passing() && refusal.to_string().contains(why), "{reply:?}: {refusal}");
        assert!(!format!("{refusal} {refusal:?} {asked:?}").contains("canary"), "{reply:?}: {refusal:?}");
        assert_eq!(server.asked().len(), before + 1, "{reply:?}: once, and nowhere else");
    }
    let issued = oauth::ask(&request(&server), &reach, &trust).await.unwrap();
    assert_eq!(issued.access_token, "access-canary-1");
    assert!(issued.refresh_token.is_some() && issued.lifetime == Duration::from_secs(3600));
    // Each is good once.
    let refusal = oauth::ask(&request(&server), &reach, &trust).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Grant { .. }), "{refusal}");
    let stranger = Request { client_secret: None, ..request(&server) };
    assert!(matches!(oauth::ask(&stranger, &reach, &trust).await, Err(Refusal::Client { .. })));
}

#[tokio::test]
async fn an_endpoint_behind_the_firewall_or_of_a_stranger_gets_no_secret() {
    let server = TokenServer::start().await;
    let trust = Trust::with_root(&server.root_pem()).unwrap();
    let port = server.url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    for host in ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let endpoint = oauth::endpoint(&format!("https://{host}:{port}/token")).unwrap();
        let asked = Request { endpoint, ..request(&server) };
        let refusal = oauth::ask(&asked, &Reach::default(), &trust).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Forbidden(_)) && !refusal.is_passing(), "{host}: {refusal}");
        assert!(refusal.to_string().contains("server.private_addresses"), "{refusal}");
    }
    let reach = Reach::default().with_loopback();
    let refusal = oauth::ask(&request(&server), &reach, &Trust::system().unwrap()).await.unwrap_err();
    assert!(refusal.is_passing() && refusal.to_string().contains("certificate"), "{refusal}");
    // The name in the certificate is the host's, whatever address it has.
    let other = oauth::endpoint(&format!("https://127.0.0.2:{port}/token")).unwrap();
    let forwarder = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let other = Request {
        endpoint: {
            let mut url = other;
            url.set_port(Some(forwarder.local_addr().unwrap().port())).unwrap();
            url
        },
        ..request(&server)
    };
    let target: u16 = port.parse().unwrap();
    tokio::spawn(async move {
        let (mut here, _) = forwarder.accept().await.unwrap();
        let mut there = tokio::net::TcpStream::connect(("127.0.0.1", target)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
    });
    let refusal = oauth::ask(&other, &reach, &trust).await.unwrap_err();
    assert!(refusal.to_string().contains("certificate"), "{refusal}");
    assert!(server.asked().is_empty());
}
