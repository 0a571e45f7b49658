//! Refusals as servers really word them, and what they must be taken for.

use super::*;

#[test]
fn enhanced_codes_stand_at_the_beginning_or_nowhere() {
    let code = |class, subject, detail| Some(Enhanced { class, subject, detail });
    assert_eq!(Enhanced::parse("5.1.1 no such user"), code(5, 1, 1));
    assert_eq!(Enhanced::parse("4.7.28\nmore"), code(4, 7, 28));
    assert_eq!(Enhanced::parse("5.7.515 Access denied"), code(5, 7, 515));
    for none in
        ["", "no 5.1.1 here", "5.1", "5.1.1.1 x", "3.1.1 x", "5.1.1000 x", "5..1 x", "+5.1.1", "5.1.1: x", "192.0.2.1"]
    {
        assert_eq!(Enhanced::parse(none), None, "{none}");
    }
}

#[test]
fn refusals_are_blamed_on_the_right_party() {
    use Blame::{Message, Recipient, Sender, Server};
    use Stage::{Auth, Body, Data, Dot, Greeting, Hello, Mail, Rcpt, Reset, StartTls};
    use Term::{ForGood, ForNow};
    for (stage, code, text, blame, term) in [
        // Recipients.
        (Rcpt, 550, "5.1.1 The email account that you tried to reach does not exist.", Recipient, ForGood),
        (Rcpt, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", Recipient, ForGood),
        (Rcpt, 556, "5.1.10 Recipient address has null MX", Recipient, ForGood),
        (Rcpt, 550, "5.2.1 The email account is disabled", Recipient, ForGood),
        (Rcpt, 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", Recipient, ForGood),
        (Rcpt, 550, "5.5.0 Requested action not taken: mailbox unavailable", Recipient, ForGood),
        (Rcpt, 550, "5.7.17 Mailbox owner has changed", Recipient, ForGood),
        (Rcpt, 550, "No such user here", Recipient, ForGood),
        (Rcpt, 550, "", Recipient, ForGood),
        (Rcpt, 553, "sorry, that domain isn't in my list", Recipient, ForGood),
        (Rcpt, 501, "bad address syntax", Recipient, ForGood),
        (Dot, 550, "user unknown", Recipient, ForGood),
        (Dot, 554, "5.1.1 no such user", Recipient, ForGood),
        // Full mailboxes, whatever the code says.
        (Rcpt, 452, "4.2.2 The email account that you tried to reach is over quota", Recipient, ForNow),
        (Rcpt, 552, "5.2.2 Mailbox full", Recipient, ForNow),
        (Rcpt, 552, "mailbox full", Recipient, ForNow),
        (Dot, 552, "5.2.2 Over quota", Recipient, ForNow),
        (Dot, 552, "user is over quota", Recipient, ForNow),
        (Rcpt, 554, "delivery error: This user is over quota", Recipient, ForNow),
        // Greylisting.
        (Rcpt, 450, "4.2.0 <b@x.example>: Recipient address rejected: Greylisted", Recipient, ForNow),
        (Rcpt, 451, "4.7.1 Greylisting in action, please come back later", Recipient, ForNow),
        (Rcpt, 450, "try again later", Recipient, ForNow),
        (Rcpt, 451, "graylisted", Recipient, ForNow),
        // Senders.
        (Mail, 553, "5.1.8 Sender address rejected: Domain not found", Sender, ForGood),
        (Mail, 550, "5.1.7 bad sender", Sender, ForGood),
        (Mail, 550, "sender rejected", Sender, ForGood),
        (Mail, 530, "5.7.0 Authentication Required", Sender, ForGood),
        (Rcpt, 554, "5.7.1 <b@x.example>: Relay access denied", Sender, ForGood),
        (Rcpt, 550, "relaying denied", Sender, ForGood),
        (Rcpt, 554, "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Sender, ForGood),
        (
            Dot,
            550,
            "5.7.515 Access denied, sending domain does not meet the required authentication level",
            Sender,
            ForGood,
        ),
        (Dot, 550, "5.7.26 This mail has been blocked because the sender is unauthenticated.", Sender, ForGood),
        (Dot, 421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail", Sender, ForNow),
        (Dot, 451, "4.7.650 The mail server has been temporarily rate limited", Sender, ForNow),
        (Dot, 554, "Message rejected due to DMARC policy", Sender, ForGood),
        (Auth, 535, "5.7.8 Username and Password not accepted", Sender, ForGood),
        // Messages.
        (Mail, 552, "5.3.4 Message size exceeds fixed limit", Message, ForGood),
        (Mail, 552, "too big", Message, ForGood),
        (Dot, 552, "5.3.4 Message too big", Message, ForGood),
        (Dot, 552, "message exceeds the limit", Message, ForGood),
        (Dot, 550, "5.6.0 malformed header", Message, ForGood),
        (Dot, 554, "transaction failed", Message, ForGood),
        (Body, 552, "5.2.3 Message length exceeds administrative limit", Message, ForGood),
        // Servers.
        (Greeting, 554, "no SMTP service here", Server, ForGood),
        (Greeting, 421, "too busy", Server, ForNow),
        (Hello, 550, "go away", Server, ForGood),
        (StartTls, 454, "TLS not available due to temporary reason", Server, ForNow),
        (Auth, 454, "4.7.0 Temporary authentication failure", Server, ForNow),
        (Mail, 452, "4.3.1 Insufficient system storage", Server, ForNow),
        (Mail, 451, "local error", Server, ForNow),
        (Rcpt, 452, "too many recipients", Server, ForNow),
        (Rcpt, 421, "4.3.2 shutting down", Server, ForNow),
        (Data, 451, "4.3.0 queue file write error", Server, ForNow),
        (Data, 503, "5.5.1 bad sequence of commands", Server, ForGood),
        (Dot, 421, "closing transmission channel", Server, ForNow),
        (Dot, 451, "4.4.1 connection timed out", Server, ForNow),
        (Dot, 450, "hm", Server, ForNow),
        (Reset, 502, "what?", Server, ForGood),
        (Rcpt, 502, "command not implemented", Server, ForGood),
    ] {
        let (found, refusal) = judge(stage, Reply { code, text: text.to_owned() });
        assert_eq!((refusal.blame, found), (blame, term), "{stage:?} {code} {text}");
        assert_eq!((refusal.code, refusal.text.as_str(), refusal.stage), (code, text, stage));
    }
}

#[test]
fn whatever_is_not_5xx_is_never_for_good_and_judging_is_total() {
    let stages = [
        Stage::Greeting,
        Stage::Hello,
        Stage::StartTls,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Body,
        Stage::Dot,
        Stage::Reset,
    ];
    for stage in stages {
        for code in 400..600 {
            for text in ["", "4.0.0", "5.9.9 odd", "5.7.1", "5.2.2", "quota"] {
                let (term, _) = judge(stage, Reply { code, text: text.to_owned() });
                assert!(code >= 500 || term == Term::ForNow, "{stage:?} {code} {text}");
            }
        }
    }
}
