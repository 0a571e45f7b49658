//! Postfix's `smtp-sink`: takes mail as fast as it comes and throws it away, or keeps every one. For measuring a sender,
//! for counting what it really sent across a crash, and for seeing how it meets a server that answers slowly, wrongly or
//! not at all. What real servers make of a mail is for `MailServers` to tell.

use crate::error::{Doing, Result};
use crate::keeper::{Keeper, need, run};
use crate::port::free_port;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// A running `smtp-sink`, ended when dropped.
#[derive(Debug)]
pub struct SmtpSink {
    keeper: Keeper,
    port: u16,
}

impl SmtpSink {
    /// Takes everything at once and keeps nothing.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// With options of smtp-sink(1), such as `-q DATA` (hang up there), `-f RCPT` (refuse for good), `-w 5` (answer DATA
    /// only after five seconds), `-W .:2` (and the final dot after two).
    pub fn start_with(options: &[&str]) -> Result<Self> {
        Self::start_in(Keeper::new("sink")?, &options.join(" "))
    }

    /// Keeps every mail for `mails`. Takes the same options.
    pub fn start_keeping(options: &[&str]) -> Result<Self> {
        let keeper = Keeper::new("sink")?;
        let mails = keeper.folder().join("mails");
        fs::create_dir(&mails).doing(|| format!("make {}", mails.display()))?;
        run(Command::new("chown").arg("nobody").arg(&mails))?;
        let options = format!("{} -d {}/%s.", options.join(" "), mails.display());
        Self::start_in(keeper, &options)
    }

    fn start_in(mut keeper: Keeper, options: &str) -> Result<Self> {
        need("/usr/sbin/smtp-sink", "postfix")?;
        let port = free_port()?;
        // A backlog of 1000, for senders with many connections. As root it asks to be told whom to become.
        keeper.start(&[format!("/usr/sbin/smtp-sink -u nobody {options} 127.0.0.1:{port} 1000")])?;
        keeper.wait_for_port("smtp-sink", port, Duration::from_secs(20))?;
        Ok(SmtpSink { keeper, port })
    }

    /// The mails that `start_keeping` kept, in no order, each below a few `X-` lines with the envelope (`X-Mail-Args`,
    /// `X-Rcpt-Args`). One whose final dot never came is not kept, but one that is just coming in may be here in part:
    /// ask when the sender has stopped. (One that is given up while the folder is read vanishes, and was none.)
    pub fn mails(&self) -> Result<Vec<Vec<u8>>> {
        let folder = self.keeper.folder().join("mails");
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.doing(|| format!("read {}; was it started to keep mails?", folder.display()))?;
        let mut mails = Vec::with_capacity(entries.len());
        for entry in &entries {
            match fs::read(entry.path()) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                read => mails.push(read.doing(|| format!("read {}", entry.path().display()))?),
            }
        }
        Ok(mails)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        self.keeper.log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::Dialogue;
    use crate::error::Error;

    #[test]
    fn real_mail_sink_takes_a_mail() {
        let sink = SmtpSink::start().unwrap();
        let mut dialogue = Dialogue::smtp(sink.port()).unwrap();
        assert_eq!(dialogue.send("a@example.test", "b@example.test", b"Subject: x\r\n\r\nx\r\n").unwrap().code, 250);
    }

    #[test]
    fn real_mail_sink_keeps_whole_mails_only() {
        let sink = SmtpSink::start_keeping(&[]).unwrap();
        let mut dialogue = Dialogue::smtp(sink.port()).unwrap();
        dialogue.send("a@example.test", "b@example.test", b"Subject: whole\r\n\r\n.dot\r\n").unwrap();
        for line in ["MAIL FROM:<a@example.test>", "RCPT TO:<c@example.test>", "DATA"] {
            dialogue.expect(line).unwrap();
        }
        drop(dialogue);
        let give_up = std::time::Instant::now() + Duration::from_secs(10);
        while sink.mails().unwrap().len() != 1 && std::time::Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(10));
        }
        let mails = sink.mails().unwrap();
        assert_eq!(mails.len(), 1);
        let mail = String::from_utf8_lossy(&mails[0]).into_owned();
        assert!(
            mail.contains("X-Rcpt-Args: <b@example.test>\n") && mail.contains("\nSubject: whole\n\n.dot\n"),
            "{mail}"
        );
    }

    #[test]
    fn real_mail_sink_refuses_when_told_to() {
        let sink = SmtpSink::start_with(&["-f", "RCPT"]).unwrap();
        let mut dialogue = Dialogue::smtp(sink.port()).unwrap();
        let refused = dialogue.send("a@example.test", "b@example.test", b"Subject: x\r\n\r\nx\r\n");
        assert!(
            matches!(&refused, Err(Error::Refused { sent, reply }) if sent.starts_with("RCPT") && reply.starts_with("5")),
            "{refused:?}"
        );
    }
}
