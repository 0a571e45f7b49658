//! What kind of address one is, by the registries of special addresses (RFC 6890 and IANA's lists). An address of IPv6 that
//! carries one of IPv4 is of that one's kind.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that is not of the public Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Loopback,
    /// RFC 1918.
    Private,
    /// Behind a carrier's NAT (RFC 6598).
    Shared,
    /// RFC 4193.
    UniqueLocal,
    LinkLocal,
    /// Where a cloud hands out its machines' credentials to whoever asks.
    Metadata,
    Multicast,
    Unspecified,
    /// 6to4 and Teredo, by which a packet for one address ends at another.
    Tunnel,
    /// For documentation, measuring, protocols, or nothing yet.
    Reserved,
}

/// Beside 169.254.0.0/16: AWS on IPv6, Google on IPv6, Alibaba, Oracle, Azure. Some lie in networks that may be allowed, and
/// one in the public Internet.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

impl Kind {
    /// `None` for an address of the public Internet.
    pub fn of(address: IpAddr) -> Option<Kind> {
        if METADATA.contains(&address) {
            return Some(Kind::Metadata);
        }
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => match carried(address) {
                Some(inner) => Kind::of(IpAddr::V4(inner)),
                None => of_v6(v6),
            },
        }
    }

    /// Whether it is of a network that an administrator may have behind a firewall.
    pub fn is_private(self) -> bool {
        matches!(self, Kind::Loopback | Kind::Private | Kind::Shared | Kind::UniqueLocal)
    }
}

/// The address of IPv4 that a packet for this one of IPv6 ends at: mapped (RFC 4291 §2.5.5.2), or through NAT64 (RFC 6052).
pub(super) fn carried(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

fn of_v4(v4: Ipv4Addr) -> Option<Kind> {
    Some(match v4.octets() {
        [127, ..] => Kind::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Kind::Private,
        [100, 64..=127, ..] => Kind::Shared,
        [169, 254, ..] => Kind::LinkLocal,
        [224..=239, ..] => Kind::Multicast,
        [0, ..] => Kind::Unspecified,
        [192, 88, 99, _] => Kind::Tunnel,
        [192, 0, 0, _]
        | [192, 0, 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [198, 18 | 19, ..]
        | [240..=255, ..] => Kind::Reserved,
        _ => return None,
    })
}

/// Only 2000::/3 is given out to the Internet; the rest is told by its name where it has one.
fn of_v6(v6: Ipv6Addr) -> Option<Kind> {
    Some(match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Kind::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        [0xfc00..=0xfdff, ..] => Kind::UniqueLocal,
        // With fec0::/10, which was site-local.
        [0xfe80..=0xfeff, ..] => Kind::LinkLocal,
        [0xff00..=0xffff, ..] => Kind::Multicast,
        [0x2002, ..] | [0x2001, 0, ..] => Kind::Tunnel,
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Kind::Reserved,
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Loopback => "an address of the server itself (loopback)",
            Kind::Private => "a private address (RFC 1918)",
            Kind::Shared => "a private address (behind a carrier's NAT)",
            Kind::UniqueLocal => "a private address (unique local)",
            Kind::LinkLocal => "an address of the local link",
            Kind::Metadata => "where a cloud hands out credentials",
            Kind::Multicast => "a multicast address",
            Kind::Unspecified => "no address of a server",
            Kind::Tunnel => "an address that tunnels to another (6to4, Teredo)",
            Kind::Reserved => "a reserved address",
        })
    }
}
