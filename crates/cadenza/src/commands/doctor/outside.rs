//! What can be seen without the database: the data folder and its disk, the key, the addresses.

use super::{Findings, Level, no_key};
use crate::config::Config;
use crate::seal::Seal;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Free space on a disk below which writing is about to fail, and below which it soon may: bytes.
const ROOM_LEAST: u64 = 256 * MIB;
const ROOM_LITTLE: u64 = 2_048 * MIB;
const MIB: u64 = 1024 * 1024;

/// Who listens on the server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// The server of this data folder, which answers.
    Served,
    Nobody,
}

/// The data folder and the disk that it is on.
pub fn folder(findings: &mut Findings, data: &Path) {
    match std::fs::metadata(data) {
        Ok(found) if !found.is_dir() => {
            findings.error("data folder", format!("{}: it is no folder", data.display()));
        }
        Ok(found) if found.permissions().readonly() => {
            findings.error("data folder", format!("{}: it cannot be written", data.display()));
        }
        Ok(found) => {
            open_to_others(findings, data, &found);
            disk(findings, data);
        }
        Err(e) => findings.error("data folder", format!("{}: {e}", data.display())),
    }
}

/// Whoever else may read the folder's files has the keys of the house.
#[cfg(unix)]
fn open_to_others(findings: &mut Findings, data: &Path, found: &std::fs::Metadata) {
    use std::os::unix::fs::PermissionsExt;
    if found.permissions().mode() & 0o002 != 0 {
        findings.error("data folder", format!("{}: everybody may write in it: chmod 700", data.display()));
    }
}
#[cfg(not(unix))]
fn open_to_others(_: &mut Findings, _: &Path, _: &std::fs::Metadata) {}

/// Asks df(1), whose -P form is the same everywhere (POSIX).
fn disk(findings: &mut Findings, data: &Path) {
    let told = Command::new("df").arg("-Pk").arg("--").arg(data).output();
    let free = told.ok().and_then(|told| {
        let text = String::from_utf8(told.stdout).ok()?;
        let line = text.lines().nth(1)?.to_owned();
        line.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let Some(free) = free else {
        return findings.warning("disk", "df does not say how much room there is");
    };
    let (level, judged) = judge_room(free);
    findings.add(level, "disk", format!("{} MiB are free beside {}{judged}", free / MIB, data.display()));
}

fn judge_room(free_bytes: u64) -> (Level, &'static str) {
    match free_bytes {
        ..ROOM_LEAST => (Level::Error, ": too little to go on writing"),
        ROOM_LEAST..ROOM_LITTLE => (Level::Warning, ": it is getting little"),
        _ => (Level::Ok, ""),
    }
}

/// The key that opens stored secrets; without one the rest is looked at with a key that opens nothing.
pub fn key(findings: &mut Findings, data: &Path) -> Option<Seal> {
    let file = Seal::file(data);
    match Seal::found(data) {
        Ok(Some(seal)) => {
            match readable_by_others(&file) {
                true => findings.error("key", format!("{}: others may read it: chmod 600", file.display())),
                false => findings.ok("key", format!("{} is there, its owner's alone", file.display())),
            }
            Some(seal)
        }
        Ok(None) => {
            let why = "stored passwords cannot be opened without it; put it back from where it is kept";
            findings.error("key", format!("{} is missing: {why}", file.display()));
            Some(no_key())
        }
        Err(e) => {
            findings.error("key", e.to_string());
            Some(no_key())
        }
    }
}

#[cfg(unix)]
fn readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}
#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}

/// Looking must not make a database: a file that is not there is said and not opened.
pub fn database_exists(findings: &mut Findings, config: &Config) -> bool {
    let url = config.database_url();
    let Some(path) = url.strip_prefix("sqlite:").filter(|path| *path != ":memory:") else { return true };
    let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    if !path.exists() {
        findings.error("database", format!("{}: there is no such file; the first start makes it", path.display()));
        return false;
    }
    true
}

/// Where the server listens, and what is said to browsers and recipients.
pub fn addresses(findings: &mut Findings, config: &Config, who: Listening) {
    let listen = config.server.listen;
    match who {
        Listening::Served => findings.ok("address", format!("listens on {listen}")),
        Listening::Nobody if listen.port() == 0 => findings.ok("address", "listens on any free port"),
        Listening::Nobody => match TcpListener::bind(listen) {
            Ok(_) => findings.ok("address", format!("{listen} is free to listen on")),
            Err(e) => findings.error("address", format!("{listen} cannot be listened on: {e}")),
        },
    }
    let url = config.public_url(listen);
    public_url(findings, "public URL", &url);
    if config.is_https() && !listen.ip().is_loopback() && config.server.trusted_proxies.is_empty() {
        let why = "name the proxy that speaks TLS in server.trusted_proxies, or its visitors count as one address";
        findings.warning("address", format!("{listen} is open to the network and no proxy is trusted: {why}"));
    }
}

/// Whether links under this address reach people: an unsubscribe link that does not is worse than none.
pub fn public_url(findings: &mut Findings, part: &str, url: &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = match rest.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => rest.split([':', '/']).next().unwrap_or_default(),
    };
    let private = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_unspecified() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => host == "localhost" || !host.contains('.'),
    };
    if private {
        let why = "links in mails lead to this machine alone; set server.public_url before real mail goes out";
        findings.warning(part, format!("{url}: {why}"));
    } else if !url.starts_with("https://") {
        let why = "one-click unsubscribe needs https (RFC 8058), and passwords pass in the clear";
        findings.warning(part, format!("{url}: {why}"));
    } else {
        findings.ok(part, url.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_told_in_time() {
        for (free_mib, level) in
            [(0, Level::Error), (255, Level::Error), (256, Level::Warning), (2_047, Level::Warning)]
        {
            assert_eq!(judge_room(free_mib * MIB).0, level, "{free_mib}");
        }
        assert_eq!(judge_room(2_048 * MIB), (Level::Ok, ""));
    }
}
