//! Every misbehaviour at every phase, and the one thing that must hold whatever happens: what the server accepted is
//! reported accepted or unknown, and nothing else is reported accepted.

use super::*;
use crate::certificates::Certificates;
use crate::smtp_server::{Act, Phase, Script, SmtpServer, Tls, say};

/// How the client saw it end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Accepted,
    Refused,
    Deferred,
    /// Provably not accepted, without a refusal.
    Lost,
    Unknown,
}

/// `noticed` is waited for before the dot.
async fn attempt(account: &Account, noticed: impl Future<Output = ()>) -> End {
    use cadenza::mail::smtp::ConnectFailure;
    let mut connection = match Connection::open(account, &Clock::system()).await {
        Ok(connection) => connection,
        Err(ConnectFailure::Refused(_)) => return End::Refused,
        Err(ConnectFailure::Deferred(_)) => return End::Deferred,
        Err(_) => return End::Lost,
    };
    let at_dot = match connection.offer(&envelope(), BODY).await {
        Ok(at_dot) => at_dot,
        Err(OfferFailure::Refused(_)) => return End::Refused,
        Err(OfferFailure::Deferred(_)) => return End::Deferred,
        Err(_) => return End::Lost,
    };
    // Deciding about the dot takes a while; what the server does meanwhile must not be missed.
    noticed.await;
    match at_dot.finish().await {
        Answer::Accepted { .. } => End::Accepted,
        Answer::Refused(_) => End::Refused,
        Answer::Deferred(_) => End::Deferred,
        Answer::NotGiven { .. } => End::Lost,
        Answer::Unknown { .. } => End::Unknown,
    }
}

fn misbehaviours() -> Vec<(&'static str, Act)> {
    vec![
        ("close", Act::Close),
        ("reset", Act::Reset),
        ("silence", Act::Silence),
        ("421", Act::SayAndClose("421 4.3.2 shutting down".into())),
        ("4xx", say("451 4.3.0 try again later")),
        ("5xx", say("554 5.0.0 no")),
        ("many lines", say("554-5.0.0 no\r\n554-5.0.0 not\r\n554 5.0.0 never")),
        ("dribbled", Act::Dribble("451-4.3.0 later\r\n451 4.3.0 much later".into())),
        ("garbage", Act::SayAndClose("\u{0}\u{1}\u{ff} HTTP/1.1 400 Bad Request".into())),
        ("mixed codes", Act::SayAndClose("250-yes\r\n550 no".into())),
        ("long line", say(&format!("554 5.0.0 {}", "x".repeat(100_000)))),
        ("endless lines", Act::SayAndClose("554-no\r\n".repeat(150_000))),
    ]
}

/// What the end must be. `None`: nothing more than the rule that holds for all.
fn expected(phase: Phase, kind: &str) -> Option<End> {
    let before_dot = !matches!(phase, Phase::Dot | Phase::Accepted);
    Some(match kind {
        // No words: lost before the dot, unknown after it.
        "close" | "reset" | "silence" | "garbage" | "mixed codes" | "endless lines" if !before_dot => End::Unknown,
        // TLS alerts and handshakes answer in ways of their own; before the dot, silence is not noticed until later.
        _ if matches!(phase, Phase::Handshake | Phase::Connect) => return None,
        "silence" if phase == Phase::Body => End::Unknown,
        "close" | "reset" | "silence" | "garbage" | "mixed codes" | "endless lines" => End::Lost,
        "421" | "4xx" | "dribbled" => End::Deferred,
        // A 5xx to EHLO is answered with HELO, which then works, or not for want of STARTTLS and AUTH.
        _ if phase == Phase::Hello => return None,
        _ => End::Refused,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_wherever_nothing_is_believed_that_is_not_so() {
    let certificates = Certificates::make();
    let trust = Trust::with_root(&certificates.root_pem()).unwrap();
    // All at once, they would take each other for silent.
    let few = std::sync::Arc::new(tokio::sync::Semaphore::new(24));
    let mut cases = tokio::task::JoinSet::new();
    for phase in Phase::ALL {
        for (kind, act) in misbehaviours() {
            for extensions in [&["PIPELINING"][..], &[]] {
                let script = Script::offering(extensions)
                    .with_tls(Tls::OnRequest(certificates.server_config()))
                    .with_sign_in("PLAIN", "ada", "secret")
                    .at(phase, act.clone());
                let (trust, few) = (trust.clone(), few.clone());
                cases.spawn(async move {
                    let _turn = few.acquire().await.unwrap();
                    let server = SmtpServer::start(script).await;
                    let account = Account {
                        security: Security::StartTls,
                        auth: Auth::Password { user: "ada".into(), password: "secret".into() },
                        trust,
                        ..if kind == "silence" { account(server.port()) } else { patient(server.port()) }
                    };
                    let noticed = async {
                        if phase == Phase::Body && kind != "silence" {
                            server.misbehaved().await;
                        }
                    };
                    let end = attempt(&account, noticed).await;
                    (format!("{phase:?}, {kind}"), expected(phase, kind), end, server.log().taken.len())
                });
            }
        }
    }
    let mut seen = 0;
    while let Some(case) = cases.join_next().await {
        let (name, expected, end, taken) = case.unwrap();
        match end {
            End::Accepted => assert_eq!(taken, 1, "{name}: believed accepted, and was not"),
            End::Unknown => {}
            // The server of phase Accepted takes the mail and then refuses it, which is its contradiction, not ours.
            _ if name.starts_with("Accepted") => {}
            _ => assert_eq!(taken, 0, "{name}: believed not accepted ({end:?}), and was"),
        }
        assert!(expected.is_none_or(|e| e == end), "{name}: expected {expected:?}, found {end:?}");
        seen += 1;
    }
    assert_eq!(seen, 12 * 12 * 2);
}

#[tokio::test]
async fn the_same_holds_without_tls() {
    for phase in [Phase::Greeting, Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Body, Phase::Dot, Phase::Accepted] {
        for (kind, act) in [("close", Act::Close), ("reset", Act::Reset)] {
            let server = SmtpServer::start(Script::new().at(phase, act)).await;
            let noticed = async {
                if phase == Phase::Body {
                    server.misbehaved().await;
                }
            };
            let end = attempt(&patient(server.port()), noticed).await;
            assert_eq!(Some(end), expected(phase, kind), "{phase:?}, {kind}");
            assert!(end == End::Unknown || server.log().taken.is_empty());
        }
    }
}

#[tokio::test]
async fn a_good_answer_may_come_in_pieces_or_at_length() {
    for answer in [
        Act::Dribble("250-2.0.0 taken\r\n250 2.0.0 truly".into()),
        say(&format!("250 2.0.0 {}", "x".repeat(200_000))),
        say("250"),
    ] {
        let server = SmtpServer::start(Script::new().at(Phase::Accepted, answer)).await;
        assert_eq!(attempt(&patient(server.port()), async {}).await, End::Accepted);
    }
}
