//! Proves the mail servers: delivery, bounces, vacation answers, TLS with a password, IMAP, and that nothing leaves.

use cadenza_testkit::{Dialogue, Error, MailServers, RawMail};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SENDER: &str = "ana@senders.test";

fn mail(to: &str, subject: &str) -> Vec<u8> {
    format!("From: {SENDER}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@senders.test>\r\n\r\n.dot\r\n")
        .into()
}

fn send(servers: &MailServers, to: &str, subject: &str) -> Result<(), Error> {
    let mut dialogue = Dialogue::smtp(servers.mx_port())?;
    dialogue.send(SENDER, to, &mail(to, subject))?;
    servers.wait_until_delivered(Duration::from_secs(20))
}

fn first(servers: &MailServers, address: &str) -> Result<RawMail, Error> {
    let none = || Error::Failed { what: "delivery".into(), why: format!("no mail for {address}"), log: servers.log() };
    servers.delivered(address)?.into_iter().next().ok_or_else(none)
}

#[test]
fn mail_is_delivered_as_it_was_sent() {
    let servers = MailServers::start().unwrap();
    let to = "User-1@recipients.test";
    send(&servers, to, "hello").unwrap();
    let arrived = servers.delivered(to).unwrap();
    assert_eq!(arrived.len(), 1, "{}", servers.log());
    assert_eq!(arrived[0].return_path(), SENDER);
    let sent = String::from_utf8(mail(to, "hello")).unwrap().replace("\r\n", "\n");
    assert!(arrived[0].text().replace("\r\n", "\n").ends_with(&sent), "{}", arrived[0].text());
    assert_eq!(servers.all_delivered().unwrap(), arrived);
}

#[test]
fn mail_for_nobody_comes_back_as_a_report() {
    let servers = MailServers::start().unwrap();
    send(&servers, "nobody-7@recipients.test", "lost").unwrap();
    let report = first(&servers, SENDER).unwrap();
    assert_eq!(report.return_path(), "");
    assert!(report.header("Content-Type").unwrap().starts_with("multipart/report; report-type=delivery-status"));
    for line in
        ["Final-Recipient: rfc822; nobody-7@recipients.test", "Status: 5.1.1", "Message-ID: <lost@senders.test>"]
    {
        assert!(report.text().contains(line), "{line} is not in {}", report.text());
    }
}

#[test]
fn a_full_mailbox_sends_mail_back() {
    let servers = MailServers::start().unwrap();
    let to = "full@recipients.test";
    servers.set_quota(to, 100).unwrap();
    send(&servers, to, "too-much").unwrap();
    assert!(first(&servers, SENDER).unwrap().text().contains("Status: 5.2.2"));
    assert_eq!(servers.delivered(to).unwrap(), []);
}

#[test]
fn some_names_are_refused_at_once() {
    let servers = MailServers::start().unwrap();
    let mut dialogue = Dialogue::smtp(servers.mx_port()).unwrap();
    dialogue.expect(&format!("MAIL FROM:<{SENDER}>")).unwrap();
    for (to, answer) in [
        ("refuse-1@recipients.test", "550 5.1.1"),
        ("defer-1@recipients.test", "450 4.2.1"),
        ("distrust-1@recipients.test", "550 5.7.1"),
        ("user-1@elsewhere.invalid", "554 5.7.1"),
    ] {
        let reply = dialogue.say(&format!("RCPT TO:<{to}>")).unwrap();
        assert!(reply.to_string().starts_with(answer), "{to}: {reply}");
    }
}

#[test]
fn people_on_leave_answer_once_a_sender() {
    let servers = MailServers::start().unwrap();
    let away = "away@recipients.test";
    servers.set_vacation(away, "Out of office", "Back on \"Monday\".").unwrap();
    send(&servers, away, "first").unwrap();
    let answer = first(&servers, SENDER).unwrap();
    assert_eq!(answer.header("Auto-Submitted").as_deref(), Some("auto-replied (vacation)"));
    assert_eq!(answer.header("Subject").as_deref(), Some("Out of office"));
    assert_eq!(answer.header("In-Reply-To").as_deref(), Some("<first@senders.test>"));
    assert!(answer.text().contains("Back on \"Monday\"."));
    send(&servers, away, "second").unwrap();
    assert_eq!(servers.delivered(away).unwrap().len(), 2, "the mail itself is kept");
    assert_eq!(servers.delivered(SENDER).unwrap().len(), 1, "no second answer");
}

#[test]
fn a_sieve_script_can_be_changed() {
    let servers = MailServers::start().unwrap();
    let to = "sorted@recipients.test";
    for folder in ["Junk", "Sent"] {
        servers.set_sieve(to, &format!("require \"fileinto\"; fileinto \"{folder}\";")).unwrap();
        servers.deliver_to(to, &mail(to, folder)).unwrap();
        let there = servers.in_folder(to, folder).unwrap();
        assert_eq!(there.len(), 1, "{}", servers.log());
        assert_eq!(there[0].header("Subject").as_deref(), Some(folder));
    }
    assert_eq!(servers.delivered(to).unwrap(), []);
}

/// A second opinion on what a mail program meets: Python's smtplib and imaplib, which check the certificate.
const PROGRAM: &str = r#"
import imaplib, smtplib, ssl, sys
root, smtp, smtps, imap, imaps, name, password = sys.argv[1:]
trusting = ssl.create_default_context(cafile=root)
mail = "From: %s\r\nTo: user-2@recipients.test\r\nSubject: %s\r\n\r\nhello\r\n"

server = smtplib.SMTP("localhost", int(smtp))
try: server.login(name, password); raise SystemExit("a password went over the wire in the clear")
except smtplib.SMTPNotSupportedError: pass
server.starttls(context=trusting)
try: server.login(name, "wrong"); raise SystemExit("a wrong password was taken")
except smtplib.SMTPAuthenticationError: pass
try: server.sendmail(name, ["user-2@recipients.test"], "x"); raise SystemExit("submission without a password")
except smtplib.SMTPRecipientsRefused: pass
server.login(name, password)
server.sendmail(name, ["user-2@recipients.test"], mail % (name, "starttls"))
# Taken, since a password was given, and then it has nowhere to go.
server.sendmail(name, ["user@elsewhere.invalid"], mail % (name, "outside"))

server = smtplib.SMTP_SSL("localhost", int(smtps), context=trusting)
server.login(name, password)
server.sendmail(name, ["user-2@recipients.test"], mail % (name, "tls"))

box = imaplib.IMAP4("localhost", int(imap))
box.starttls(ssl_context=trusting)
box = imaplib.IMAP4_SSL("localhost", int(imaps), ssl_context=trusting)
box.login(name, password)
assert "IDLE" in box.capabilities, box.capabilities
print(*(line.decode() for line in box.list()[1]), sep="\n")
box.append("Sent", r"(\Seen)", None, b"Subject: kept\r\n\r\nhello\r\n")
"#;

#[test]
fn a_mail_program_signs_in_over_tls() {
    let servers = MailServers::start().unwrap();
    let root = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("root.pem");
    std::fs::write(&root, servers.root_pem()).unwrap();
    let ports = [servers.smtp_port(), servers.smtps_port(), servers.imap_port(), servers.imaps_port()];
    let mut program = Command::new("python3")
        .args(["-", root.to_str().unwrap()])
        .args(ports.map(|port| port.to_string()))
        .args([SENDER, MailServers::PASSWORD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(PROGRAM.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), servers.log());
    let folders = String::from_utf8(output.stdout).unwrap();
    assert!(folders.contains("\\Sent"), "{folders}");

    servers.wait_until_delivered(Duration::from_secs(20)).unwrap();
    let subjects: Vec<_> =
        servers.delivered("user-2@recipients.test").unwrap().iter().filter_map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["starttls", "tls"]);
    assert_eq!(servers.in_folder(SENDER, "Sent").unwrap().len(), 1);
    let report = first(&servers, SENDER).unwrap().text();
    assert!(report.contains("no mail leaves this machine"), "{report}");
}

#[test]
fn three_thousand_mails_all_arrive() {
    let servers = MailServers::start().unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let servers = &servers;
            scope.spawn(move || {
                let mut dialogue = Dialogue::smtp(servers.mx_port()).unwrap();
                for i in 0..750 {
                    let to = format!("user-{lane}-{i}@recipients.test");
                    dialogue.send(SENDER, &to, &mail(&to, &format!("{lane}-{i}"))).unwrap();
                }
            });
        }
    });
    servers.wait_until_delivered(Duration::from_secs(120)).unwrap();
    println!("3,000 mails in {:?}", began.elapsed());
    let arrived = servers.all_delivered().unwrap();
    assert_eq!(arrived.len(), 3_000);
    assert!(arrived.iter().all(|mail| mail.header("To").as_deref() == Some(&mail.mailbox)));
}
