//! Which addresses this installation connects to where somebody who uses it has named the server: hosts of mailboxes, token
//! endpoints. The administrator trusts nobody's host name with the network behind the firewall, so only the public Internet is
//! reached unless the configuration says more. What kinds of addresses there are is in `kind`; asking the name servers, so that
//! what was judged is what is connected to, is in `find`, requests by HTTP are in `post`, and whose certificates are believed in
//! `trust`.

mod find;
mod kind;
mod network;
mod post;
mod trust;

pub use find::{NotFound, find};
pub use kind::Kind;
pub use network::Network;
pub use post::{Answer, NoAnswer, Post};
pub use trust::{InvalidTrust, Trust};

use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The setting that decides, as error messages name it.
pub const SETTING: &str = "server.private_addresses";
const REFUSE: &str = "refuse";
const LOOPBACK: &str = "loopback";
const ALLOW: &str = "allow";

/// What may be connected to beside the public Internet. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Reach {
    loopback: bool,
    /// All private networks, this machine among them.
    private: bool,
    networks: Vec<Network>,
}

/// An address that is not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} leads to {address}, {kind}, and this installation connects to no such address; whoever runs it may allow it: {}",
    way_out(*address)
)]
pub struct Forbidden {
    pub host: String,
    pub address: IpAddr,
    pub kind: Kind,
}

/// Why a text does not say what may be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?}: {why}; expected {REFUSE}, or a list with commas of {LOOPBACK}, {ALLOW} and networks such as 10.0.0.0/8"
)]
pub struct InvalidReach {
    pub found: String,
    pub why: String,
}

impl Reach {
    /// This machine too: for rehearsals, benches and tests, whose servers are here.
    #[must_use]
    pub fn with_loopback(mut self) -> Reach {
        self.loopback = true;
        self
    }

    /// # Errors
    /// What kind of address it is, where it is not connected to.
    pub fn judge(&self, address: IpAddr) -> Result<(), Kind> {
        let inner = kind::carried(address);
        let named = |n: &Network| n.holds(address) || inner.is_some_and(|inner| n.holds(IpAddr::V4(inner)));
        match Kind::of(address) {
            None => Ok(()),
            Some(Kind::Loopback) if self.loopback || self.private => Ok(()),
            Some(kind) if kind.is_private() && self.private => Ok(()),
            Some(_) if self.networks.iter().any(named) => Ok(()),
            Some(kind) => Err(kind),
        }
    }

    /// Judges a host as far as that needs no name server: an address in numbers, and the names of this machine.
    ///
    /// # Errors
    /// The host leads to an address that is not connected to.
    pub fn judge_host(&self, host: &str) -> Result<(), Forbidden> {
        let Some(addresses) = known(host) else { return Ok(()) };
        let mut refused = None;
        for address in addresses {
            match self.judge(address) {
                Ok(()) => return Ok(()),
                Err(kind) => refused = refused.or(Some(Forbidden { host: host.to_owned(), address, kind })),
            }
        }
        refused.map_or(Ok(()), Err)
    }
}

/// The addresses that a host has for certain.
fn known(host: &str) -> Option<Vec<IpAddr>> {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        // RFC 6761 §6.3.
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(&name);
    Some(vec![bare.parse().ok()?])
}

fn way_out(address: IpAddr) -> String {
    format!("{SETTING} in its cadenza.toml, or --private-addresses {address}")
}

impl FromStr for Reach {
    type Err = InvalidReach;

    fn from_str(text: &str) -> Result<Reach, InvalidReach> {
        let invalid = |why: String| InvalidReach { found: text.to_owned(), why };
        let items: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty()).collect();
        let mut reach = Reach::default();
        for item in &items {
            match *item {
                REFUSE if items.len() == 1 => {}
                REFUSE => return Err(invalid(format!("{REFUSE} stands alone"))),
                LOOPBACK => reach.loopback = true,
                ALLOW => reach.private = true,
                network => reach.networks.push(network.parse().map_err(invalid)?),
            }
        }
        if items.is_empty() { Err(invalid("nothing is said".to_owned())) } else { Ok(reach) }
    }
}

impl TryFrom<String> for Reach {
    type Error = InvalidReach;
    fn try_from(text: String) -> Result<Reach, InvalidReach> {
        text.parse()
    }
}

/// As it is read.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items: Vec<String> = Vec::new();
        items.extend(self.loopback.then(|| LOOPBACK.to_owned()));
        items.extend(self.private.then(|| ALLOW.to_owned()));
        items.extend(self.networks.iter().map(Network::to_string));
        if items.is_empty() { f.write_str(REFUSE) } else { f.write_str(&items.join(",")) }
    }
}

#[cfg(test)]
mod tests;
