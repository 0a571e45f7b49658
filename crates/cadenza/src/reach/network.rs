//! A network as administrators write it: 10.0.0.0/8, fd00::/8, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Nothing is set behind the prefix.
    first: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn holds(&self, address: IpAddr) -> bool {
        let same_family = self.first.is_ipv4() == address.is_ipv4();
        same_family && (bits(self.first) ^ bits(address)) & mask(address, self.prefix) == 0
    }
}

/// The address as a number whose highest bit is the first.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn mask(address: IpAddr, prefix: u8) -> u128 {
    let width = if address.is_ipv4() { 32 } else { 128 };
    u128::MAX.checked_shl(128 - u32::from(prefix.min(width))).unwrap_or(0)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| format!("{text:?} is no network"))?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) => {
                let number = digits.parse::<u8>().ok().filter(|n| *n <= width);
                number.ok_or_else(|| format!("{text:?} has no prefix from 0 to {width}"))?
            }
        };
        if bits(first) & !mask(first, prefix) != 0 {
            return Err(format!("{text:?} has bits behind its prefix: name the first address of the network"));
        }
        Ok(Network { first, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}
