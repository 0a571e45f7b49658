//! TLS and sign-in: no fallback, no injected answers, no password in the clear, no certificate of strangers.

use super::*;
use crate::certificates::Certificates;
use crate::smtp_server::{Act, Phase, Script, SmtpServer, Tls, say};
use cadenza::mail::smtp::{Blame, ConnectFailure, LineFailure, Stage, probe};

struct Private {
    certificates: Certificates,
    trust: Trust,
}

impl Private {
    fn new() -> Private {
        let certificates = Certificates::make();
        let trust = Trust::with_root(&certificates.root_pem()).unwrap();
        Private { certificates, trust }
    }
    fn on_request(&self) -> Tls {
        Tls::OnRequest(self.certificates.server_config())
    }
    fn at_once(&self) -> Tls {
        Tls::FromTheStart(self.certificates.server_config())
    }
    fn account(&self, server: &SmtpServer, security: Security) -> Account {
        Account { security, trust: self.trust.clone(), ..patient(server.port()) }
    }
}

fn password(user: &str, password: &str) -> Auth {
    Auth::Password { user: user.to_owned(), password: password.to_owned() }
}

#[tokio::test]
async fn mail_goes_through_starttls_and_through_implicit_tls() {
    let private = Private::new();
    for (tls, security) in [(private.on_request(), Security::StartTls), (private.at_once(), Security::Tls)] {
        let server = SmtpServer::start(Script::new().with_tls(tls)).await;
        for host in ["127.0.0.1", "localhost"] {
            let account = Account { host: host.to_owned(), ..private.account(&server, security) };
            let mut connection = Connection::open(&account, &Clock::system()).await.unwrap();
            assert!(connection.tls().unwrap().starts_with("TLSv1_3 "), "{:?}", connection.tls());
            for _ in 0..2 {
                assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
            }
            assert!(!connection.is_idle_expired(), "session tickets are no words");
        }
        assert_eq!(server.log().taken.len(), 4);
    }
}

#[tokio::test]
async fn starttls_asked_for_and_not_had_is_no_connection() {
    let private = Private::new();
    for script in [
        Script::new(),
        Script::offering(&[]),
        Script::new().with_tls(private.on_request()).at(Phase::StartTls, say("454 4.7.0 TLS not available")),
        Script::new().with_tls(private.on_request()).at(Phase::StartTls, say("250 no need")),
        Script::new().with_tls(private.on_request()).at(Phase::Handshake, Act::Close),
    ] {
        let server = SmtpServer::start(script.with_sign_in("PLAIN", "ada", "secret")).await;
        let account = Account { auth: password("ada", "secret"), ..private.account(&server, Security::StartTls) };
        let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
        let commands: Vec<String> = server.log().groups.concat();
        assert!(!commands.iter().any(|c| c.starts_with("AUTH") || c.starts_with("MAIL")), "{failure}: {commands:?}");
    }
}

#[tokio::test]
async fn answers_injected_before_tls_are_not_believed() {
    let private = Private::new();
    let injected = "220 go ahead\r\n250-evil.example\r\n250-AUTH PLAIN\r\n250 X-INJECTED\r\n235 welcome";
    let script = Script::offering(&["PIPELINING"]).with_tls(private.on_request()).at(Phase::StartTls, say(injected));
    let server = SmtpServer::start(script).await;
    let mut connection =
        Connection::open(&private.account(&server, Security::StartTls), &Clock::system()).await.unwrap();
    assert_eq!(connection.offered().all, ["PIPELINING"]);
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
}

#[tokio::test]
async fn what_was_offered_before_tls_is_asked_again_inside() {
    let private = Private::new();
    let script = Script::new().with_tls(private.on_request()).at_nth(
        Phase::Hello,
        1,
        say("250-x\r\n250-SIZE 1\r\n250 STARTTLS"),
    );
    let server = SmtpServer::start(script).await;
    let connection = Connection::open(&private.account(&server, Security::StartTls), &Clock::system()).await.unwrap();
    assert_eq!(connection.offered().size_limit(), Some(1_000_000));
    assert!(!connection.offered().start_tls);
}

#[tokio::test]
async fn certificates_of_strangers_and_for_others_are_refused() {
    let private = Private::new();
    let server = SmtpServer::start(Script::new().with_tls(private.at_once())).await;
    let stranger = Account { trust: Trust::system().unwrap(), ..private.account(&server, Security::Tls) };
    let other_root = Account { trust: Private::new().trust, ..private.account(&server, Security::Tls) };
    let other_name = Account { host: "127.0.0.2".to_owned(), ..private.account(&server, Security::Tls) };
    for account in [stranger, other_root] {
        let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
        assert!(matches!(failure, ConnectFailure::Line(LineFailure::Certificate { .. })), "{failure}");
        assert!(!failure.is_passing(), "a person has to look at it");
    }
    // The server listens on 127.0.0.1 alone, so the other name has a forwarder.
    let forwarder = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let other_name = Account { port: forwarder.local_addr().unwrap().port(), ..other_name };
    let target = server.port();
    tokio::spawn(async move {
        let (mut here, _) = forwarder.accept().await.unwrap();
        let mut there = tokio::net::TcpStream::connect(("127.0.0.1", target)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
    });
    let failure = Connection::open(&other_name, &Clock::system()).await.unwrap_err();
    assert!(matches!(failure, ConnectFailure::Line(LineFailure::Certificate { .. })), "{failure}");
}

#[tokio::test]
async fn each_mechanism_signs_in_and_a_wrong_secret_is_blamed_on_the_sender() {
    let private = Private::new();
    let token = |token: &str| Auth::XOAuth2 { user: "ada".to_owned(), token: token.to_owned() };
    for (mechanisms, right, wrong) in [
        ("PLAIN LOGIN", password("ada", "geheim ü"), password("ada", "x")),
        ("LOGIN", password("ada", "geheim ü"), password("bob", "geheim ü")),
        ("XOAUTH2", token("geheim ü"), token("x")),
    ] {
        let script = Script::new().with_tls(private.at_once()).with_sign_in(mechanisms, "ada", "geheim ü");
        let server = SmtpServer::start(script).await;
        let account = Account { auth: right, ..private.account(&server, Security::Tls) };
        let mut connection = Connection::open(&account, &Clock::system()).await.unwrap();
        assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })), "{mechanisms}");
        let failure = Connection::open(&Account { auth: wrong, ..account }, &Clock::system()).await.unwrap_err();
        assert!(!failure.is_passing());
        let ConnectFailure::Refused(refusal) = failure else { panic!("{mechanisms}: {failure}") };
        assert_eq!((refusal.code, refusal.stage, refusal.blame), (535, Stage::Auth, Blame::Sender));
        assert_eq!(refusal.text.contains("401"), mechanisms == "XOAUTH2", "the cause is told: {}", refusal.text);
    }
}

#[tokio::test]
async fn a_server_without_a_fitting_mechanism_is_told_from_a_wrong_password() {
    let private = Private::new();
    let script = Script::new().with_tls(private.at_once()).with_sign_in("GSSAPI XOAUTH2", "ada", "x");
    let server = SmtpServer::start(script).await;
    let account = Account { auth: password("ada", "x"), ..private.account(&server, Security::Tls) };
    let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
    assert_eq!(failure.to_string(), "the server offers no way to sign in that fits: it offers GSSAPI XOAUTH2");
    let account = Account { auth: password("a\0b", "x"), ..account };
    assert_eq!(Connection::open(&account, &Clock::system()).await.unwrap_err(), LineFailure::Credentials.into());
}

#[tokio::test]
async fn a_temporary_failure_to_sign_in_passes() {
    let script = Script::new().with_sign_in("PLAIN", "ada", "x").at(Phase::Auth, say("454 4.7.0 try later"));
    let server = SmtpServer::start(script).await;
    let account = Account { auth: password("ada", "x"), ..patient(server.port()) };
    assert!(
        matches!(Connection::open(&account, &Clock::system()).await, Err(f @ ConnectFailure::Deferred(_)) if f.is_passing())
    );
}

#[tokio::test]
async fn a_probe_tells_what_the_server_offers_and_sends_nothing() {
    let private = Private::new();
    let script = Script::new().with_tls(private.on_request()).with_sign_in("PLAIN", "ada", "x");
    let server = SmtpServer::start(script.at(Phase::Mail, Act::Close)).await;
    let account = Account { auth: password("ada", "x"), ..private.account(&server, Security::StartTls) };
    let findings = probe(&account, &Clock::system()).await.unwrap();
    assert_eq!(findings.greeting, "fake.example ESMTP");
    assert!(findings.tls.is_some() && findings.offered.dsn && findings.offered.pipelining);
    assert_eq!(findings.offered.auth, ["PLAIN"]);
    assert_eq!(findings.peer.port(), server.port());
    assert_eq!(server.log().groups.last().unwrap()[..], ["QUIT"]);
}
