//! Debian's Postfix and Dovecot as throw-away servers on loopback: real submission, real delivery, real bounces, real
//! vacation answers, real IMAP. They take mail for the domains reserved for tests (`.test`, `.example`, `example.com`
//! and its siblings) and can send nothing anywhere else. Needs root, as Postfix does.
//!
//! | local part | what happens to mail for it |
//! | --- | --- |
//! | `nobody…` | taken, then bounced: 5.1.1, no such mailbox |
//! | `refuse…` · `defer…` · `distrust…` | refused at RCPT: 550 5.1.1 · 450 4.2.1 · 550 5.7.1 |
//! | any other | delivered; the mailbox exists by being written to or signed in to |

mod mailbox;

pub use mailbox::RawMail;

use crate::dialogue::Dialogue;
use crate::error::{Doing, Error, Result};
use crate::keeper::{Keeper, need, run};
use crate::port::free_port;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Where a mail may be between being taken and being in a mailbox or back.
const QUEUES: [&str; 4] = ["maildrop", "incoming", "active", "deferred"];

/// Postfix and Dovecot, running until dropped or until the test's process ends in any way.
#[derive(Debug)]
pub struct MailServers {
    keeper: Keeper,
    ports: Ports,
    root_pem: String,
}

#[derive(Debug)]
struct Ports {
    smtp: u16,
    smtps: u16,
    mx: u16,
    imap: u16,
    imaps: u16,
}

impl MailServers {
    /// The password of every mailbox; the user's name is its whole address.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts both servers, in about half a second, and returns when all their ports answer.
    pub fn start() -> Result<Self> {
        need("/usr/lib/postfix/sbin/master", "postfix")?;
        need("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")?;
        need("/usr/lib/dovecot/imap", "dovecot-imapd")?;
        need("/usr/lib/dovecot/modules/lib90_sieve_plugin.so", "dovecot-sieve")?;
        need("/usr/bin/openssl", "openssl")?;
        let ports = Ports {
            smtp: free_port()?,
            smtps: free_port()?,
            mx: free_port()?,
            imap: free_port()?,
            imaps: free_port()?,
        };
        let mut keeper = Keeper::new("mail")?;
        lay_out(keeper.folder(), &ports)?;
        make_certificates(keeper.folder())?;
        let root = keeper.folder().join("root.pem");
        let root_pem = fs::read_to_string(&root).doing(|| format!("read {}", root.display()))?;
        let folder = keeper.folder().display().to_string();
        keeper.start(&[
            format!("/usr/sbin/dovecot -F -c {folder}/dovecot.conf"),
            format!("/usr/lib/postfix/sbin/master -c {folder}/postfix -d"),
        ])?;
        let servers = MailServers { keeper, ports, root_pem };
        for (what, port) in [
            ("Dovecot", servers.ports.imap),
            ("Dovecot", servers.ports.imaps),
            ("Postfix", servers.ports.smtp),
            ("Postfix", servers.ports.smtps),
            ("Postfix", servers.ports.mx),
        ] {
            servers.keeper.wait_for_port(what, port, Duration::from_secs(20))?;
        }
        Ok(servers)
    }

    /// Submission: STARTTLS, then AUTH PLAIN or LOGIN.
    pub fn smtp_port(&self) -> u16 {
        self.ports.smtp
    }

    /// Submission with TLS from the first byte.
    pub fn smtps_port(&self) -> u16 {
        self.ports.smtps
    }

    /// As a mail server of another organisation would deliver: no password, no TLS asked for, reserved domains only.
    pub fn mx_port(&self) -> u16 {
        self.ports.mx
    }

    /// IMAP with STARTTLS; from loopback Dovecot takes passwords without it too.
    pub fn imap_port(&self) -> u16 {
        self.ports.imap
    }

    /// IMAP with TLS from the first byte.
    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    /// The certificate authority that a client must trust. The servers' certificate is for `localhost`, 127.0.0.1 and
    /// `mx.example.test`.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Puts a mail into a mailbox and returns when it is there. It comes from the null sender, so nothing answers it;
    /// for a mail that should be answered or bounced, send through `mx_port` or `smtp_port`.
    pub fn deliver_to(&self, address: &str, raw: &[u8]) -> Result<()> {
        let mut dialogue = Dialogue::lmtp(&self.keeper.folder().join("lmtp"))?;
        dialogue.send("", address, raw).map(|_| ())
    }

    /// The inbox of an address, read or unread, in the order of arrival.
    pub fn delivered(&self, address: &str) -> Result<Vec<RawMail>> {
        self.in_folder(address, "INBOX")
    }

    /// One IMAP folder of an address, such as `Sent`, in the order of arrival. Empty where there is no such folder.
    pub fn in_folder(&self, address: &str, folder: &str) -> Result<Vec<RawMail>> {
        let maildir = self.home(address)?.join("Maildir");
        let folder = if folder == "INBOX" { maildir } else { maildir.join(format!(".{folder}")) };
        mailbox::read_in_order(&address.to_lowercase(), &folder)
    }

    /// The folder of all mailboxes: `DOMAIN/LOCAL-PART/Maildir/new` holds the mail of an address.
    pub fn folder(&self) -> PathBuf {
        self.keeper.folder().join("mail")
    }

    /// The inboxes of all addresses together, in the order of arrival.
    pub fn all_delivered(&self) -> Result<Vec<RawMail>> {
        mailbox::read_all(&self.keeper.folder().join("mail"))
    }

    /// Gives a mailbox a Sieve script (RFC 5228), which filters what arrives from now on.
    pub fn set_sieve(&self, address: &str, script: &str) -> Result<()> {
        let home = self.home(address)?;
        let path = home.join(".dovecot.sieve");
        // Dovecot keeps the compiled script beside it and takes it for current when both are of the same second.
        let compiled = home.join(".dovecot.svbin");
        let written = fs::create_dir_all(&home).and_then(|()| fs::write(&path, script));
        written.doing(|| format!("write {}", path.display()))?;
        if compiled.exists() {
            fs::remove_file(&compiled).doing(|| format!("remove {}", compiled.display()))?;
        }
        run(Command::new("chown").arg("-R").arg("nobody:nogroup").arg(self.keeper.folder().join("mail")))
    }

    /// Lets a mailbox answer every mail that is written to it by name, at most once a sender, as people on leave do
    /// (RFC 5230).
    pub fn set_vacation(&self, address: &str, subject: &str, text: &str) -> Result<()> {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let script = format!(
            "require \"vacation\";\nvacation :days 1 :addresses \"{}\" :subject \"{}\" \"{}\";\n",
            quoted(address),
            quoted(subject),
            quoted(text)
        );
        self.set_sieve(address, &script)
    }

    /// Limits a mailbox to so many bytes; mail that would pass them bounces with 5.2.2.
    pub fn set_quota(&self, address: &str, bytes: u64) -> Result<()> {
        let path = self.keeper.folder().join("people");
        let line = format!("{address}:{{PLAIN}}{}::::::userdb_quota_rule=*:bytes={bytes}\n", Self::PASSWORD);
        let file = File::options().append(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).doing(|| format!("write {}", path.display()))
    }

    /// Whether Postfix has nothing left to deliver, to try again or to bounce.
    pub fn queue_is_empty(&self) -> Result<bool> {
        for queue in QUEUES {
            let path = self.keeper.folder().join("queue").join(queue);
            if holds_a_file(&path).doing(|| format!("read {}", path.display()))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until the queue is empty, or fails with the servers' logs.
    pub fn wait_until_delivered(&self, at_most: Duration) -> Result<()> {
        let give_up = Instant::now() + at_most;
        while !self.queue_is_empty()? {
            if Instant::now() >= give_up {
                let why = format!("there is mail in the queue after {} s", at_most.as_secs());
                return Err(Error::Failed { what: "Postfix".into(), why, log: self.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What both servers wrote to their logs so far.
    pub fn log(&self) -> String {
        self.keeper.log()
    }

    fn home(&self, address: &str) -> Result<PathBuf> {
        // Dovecot lower-cases names before it makes a path of them.
        let address = address.to_lowercase();
        match address.split_once('@') {
            Some((local, domain)) if !local.is_empty() && !address.contains('/') && !domain.starts_with('.') => {
                Ok(self.keeper.folder().join("mail").join(domain).join(local))
            }
            _ => Err(Error::Missing {
                what: format!("a mailbox for {address:?}"),
                remedy: "an address is local-part@domain without a slash".into(),
            }),
        }
    }
}

/// Everything both servers find at their start: settings, the queue's folders as Postfix wants them owned.
fn lay_out(folder: &Path, ports: &Ports) -> Result<()> {
    let fill = |text: &str| {
        text.replace("@FOLDER@", &folder.display().to_string())
            .replace("@PASSWORD@", MailServers::PASSWORD)
            .replace("@SMTP@", &ports.smtp.to_string())
            .replace("@SMTPS@", &ports.smtps.to_string())
            .replace("@MX@", &ports.mx.to_string())
            .replace("@IMAP@", &ports.imap.to_string())
            .replace("@IMAPS@", &ports.imaps.to_string())
    };
    let private =
        ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"];
    for name in ["postfix", "mail", "data", "queue", "queue/pid", "queue/maildrop", "queue/public"] {
        make_folder(&folder.join(name), 0o755)?;
    }
    for name in private {
        make_folder(&folder.join("queue").join(name), 0o700)?;
    }
    for (name, text) in [
        ("postfix/main.cf", include_str!("mail_servers/main.cf")),
        ("postfix/master.cf", include_str!("mail_servers/master.cf")),
        ("postfix/domains", include_str!("mail_servers/domains")),
        ("postfix/recipients", include_str!("mail_servers/recipients")),
        ("dovecot.conf", include_str!("mail_servers/dovecot.conf")),
        ("openssl.cnf", include_str!("mail_servers/openssl.cnf")),
        ("people", ""),
    ] {
        let path = folder.join(name);
        fs::write(&path, fill(text)).doing(|| format!("write {}", path.display()))?;
    }
    // Postfix waits two seconds for a settings file that looks as if it were being written just now.
    let earlier = SystemTime::now() - Duration::from_secs(10);
    let settings = File::options().write(true).open(folder.join("postfix/main.cf"));
    settings.and_then(|file| file.set_modified(earlier)).doing(|| "date Postfix's settings back".into())?;
    let own = |owner: &str, names: &[&str]| {
        run(Command::new("chown").current_dir(folder).arg(owner).args(names)).map_err(|error| match error {
            Error::Failed { log, .. } => Error::Missing {
                what: format!("the right to give files to {owner}"),
                remedy: format!("run the test as root, with postfix and dovecot installed ({})", log.trim()),
            },
            other => other,
        })
    };
    own("nobody:nogroup", &["mail"])?;
    own("postfix", &["data"])?;
    own("postfix", &private.map(|name| format!("queue/{name}")).each_ref().map(String::as_str))?;
    own("postfix:postdrop", &["queue/maildrop", "queue/public"])?;
    // Changing the owner takes the special bits away, so the modes come last.
    set_mode(&folder.join("queue/maildrop"), 0o1730)?;
    set_mode(&folder.join("queue/public"), 0o2710)
}

fn make_folder(path: &Path, mode: u32) -> Result<()> {
    fs::create_dir(path).doing(|| format!("make {}", path.display()))?;
    set_mode(path, mode)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).doing(|| format!("set the mode of {}", path.display()))
}

/// A root of our own and a certificate under it, since a client that checks chains takes no self-signed server.
fn make_certificates(folder: &Path) -> Result<()> {
    let request = |name: &str| {
        let mut command = Command::new("openssl");
        command.current_dir(folder).args(["req", "-x509", "-config", "openssl.cnf", "-extensions", name]);
        command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]);
        command.arg("-keyout").arg(format!("{name}.key")).arg("-out").arg(format!("{name}.pem"));
        command
    };
    run(&mut request("root"))?;
    run(request("server").args(["-CA", "root.pem", "-CAkey", "root.key", "-subj", "/CN=mx.example.test"]))
}

fn holds_a_file(folder: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            // Mail moves between the queues while we look.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        if !kind.is_dir() || holds_a_file(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}
