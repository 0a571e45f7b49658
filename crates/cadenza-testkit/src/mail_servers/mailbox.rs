//! Reads the mails in a Maildir, as files and not through IMAP, so that reading changes nothing.

use crate::error::{Doing, Result};
use std::fs;
use std::io;
use std::path::Path;

/// A mail as it lies in a mailbox: with the lines that the servers put above it (Return-Path, Delivered-To, Received).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMail {
    /// The address whose mailbox it is.
    pub mailbox: String,
    pub raw: Vec<u8>,
    /// Seconds and microseconds since 1970, then the file's name: what the order of arrival goes by.
    arrival: (u64, u64, String),
}

impl RawMail {
    /// The value of the first header of that name (in any case), unfolded (RFC 5322 section 2.2.3), else `None`. Encoded
    /// words stay encoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw);
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        let mut value = lines.find_map(|line| {
            let (this, value) = line.split_once(':')?;
            this.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })?;
        for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(line.trim());
        }
        Some(value)
    }

    /// The envelope's sender, empty for a bounce.
    pub fn return_path(&self) -> String {
        self.header("Return-Path").unwrap_or_default().trim_matches(['<', '>']).to_owned()
    }

    /// The whole mail as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }
}

/// The mails of one Maildir folder.
pub(super) fn read_in_order(mailbox: &str, maildir: &Path) -> Result<Vec<RawMail>> {
    let mut mails = Vec::new();
    for part in ["new", "cur"] {
        read_part(mailbox, &maildir.join(part), &mut mails)?;
    }
    // A mail that was read meanwhile stood in `new` first and in `cur` then.
    mails.sort_by(|a, b| a.arrival.cmp(&b.arrival));
    mails.dedup_by(|a, b| a.arrival == b.arrival);
    Ok(mails)
}

/// The inboxes of all mailboxes below `root`, which holds a folder a domain with a folder a local part.
pub(super) fn read_all(root: &Path) -> Result<Vec<RawMail>> {
    let mut mails = Vec::new();
    for domain in names(root)? {
        for local in names(&root.join(&domain))? {
            let maildir = root.join(&domain).join(&local).join("Maildir");
            mails.extend(read_in_order(&format!("{local}@{domain}"), &maildir)?);
        }
    }
    mails.sort_by(|a, b| a.arrival.cmp(&b.arrival));
    Ok(mails)
}

fn read_part(mailbox: &str, folder: &Path, mails: &mut Vec<RawMail>) -> Result<()> {
    for name in names(folder)? {
        let path = folder.join(&name);
        match fs::read(&path) {
            Ok(raw) => mails.push(RawMail { mailbox: mailbox.to_owned(), raw, arrival: arrival(&name) }),
            // Read by an IMAP client this moment, which moves it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing(|| format!("read {}", path.display())),
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).doing(|| format!("read {}", folder.display())),
    };
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Dovecot's file names are `seconds.MmicrosecondsPpid.host,sizes`, with `:2,flags` after them once read.
fn arrival(name: &str) -> (u64, u64, String) {
    let unique = name.split(':').next().unwrap_or(name);
    let mut parts = unique.split('.');
    let seconds = parts.next().and_then(|part| part.parse().ok()).unwrap_or_default();
    let digits = parts.next().map(|part| part.trim_start_matches('M')).unwrap_or_default();
    let micros = digits.split('P').next().and_then(|part| part.parse().ok()).unwrap_or_default();
    (seconds, micros, unique.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrival_is_read_off_the_file_name() {
        let name = "1795315164.M43758P15285.vm,S=552,W=569:2,S";
        assert_eq!(arrival(name), (1795315164, 43758, "1795315164.M43758P15285.vm,S=552,W=569".to_owned()));
    }

    #[test]
    fn headers_are_found_in_any_case_and_unfolded() {
        let raw = b"Return-Path: <a@b.test>\r\nSubject: one\r\n\ttwo\r\nTo: x\r\n\r\nSubject: body\r\n".to_vec();
        let mail = RawMail { mailbox: "x".into(), raw, arrival: (0, 0, String::new()) };
        assert_eq!(mail.header("subject").as_deref(), Some("one two"));
        assert_eq!(mail.header("Cc"), None);
        assert_eq!(mail.return_path(), "a@b.test");
    }
}
