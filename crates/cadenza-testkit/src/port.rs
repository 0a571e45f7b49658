//! Free TCP ports on loopback for servers that must be told their port before they start. A server that can bind port
//! 0 itself should do that instead: it cannot lose a race.

use crate::error::{Doing, Result};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which Linux takes the local ports of outgoing connections, so that no connection of a test
/// running beside this one can take the port between now and the server's start.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port of 127.0.0.1 that nobody listens on, never the same one twice in a process. Processes begin their search at
/// places far apart, so tests that run at the same time do not meet.
pub fn free_port() -> Result<u16> {
    let start = std::process::id().wrapping_mul(7_919);
    let candidates = (0..COUNT).map(|_| {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        (FIRST + start.wrapping_add(turn) % COUNT) as u16
    });
    first_free(candidates).doing(|| format!("find a free port between {FIRST} and {}", FIRST + COUNT))
}

fn first_free(candidates: impl Iterator<Item = u16>) -> io::Result<u16> {
    let mut refused = io::Error::other("no port was tried");
    for port in candidates {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ports_are_distinct_and_can_be_bound() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = free_port().unwrap();
        assert_eq!(first_free([taken, free].into_iter()).unwrap(), free);
        assert!(first_free([taken].into_iter()).is_err());
    }
}
