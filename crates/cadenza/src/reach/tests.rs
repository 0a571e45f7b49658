//! Every range of addresses, in every spelling that carries it, under every setting.

use super::*;
use std::time::Duration;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn reach(text: &str) -> Reach {
    text.parse().unwrap()
}

/// Both ends of each range, and what lies right beside it.
const KINDS: &[(Option<Kind>, &[&str])] = &[
    (Some(Kind::Loopback), &["127.0.0.1", "127.0.0.0", "127.255.255.255", "::1"]),
    (
        Some(Kind::Private),
        &["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    ),
    (Some(Kind::Shared), &["100.64.0.0", "100.127.255.255"]),
    (Some(Kind::UniqueLocal), &["fc00::", "fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]),
    (Some(Kind::LinkLocal), &["169.254.0.0", "169.254.255.255", "fe80::1", "febf::1", "fec0::1", "feff::1"]),
    (
        Some(Kind::Metadata),
        &["169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    ),
    (Some(Kind::Multicast), &["224.0.0.1", "239.255.255.255", "ff02::1", "ff00::"]),
    (Some(Kind::Unspecified), &["0.0.0.0", "0.255.255.255", "::"]),
    (Some(Kind::Tunnel), &["2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:0:ffff::", "192.88.99.1"]),
    (
        Some(Kind::Reserved),
        &[
            "192.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.255",
            "198.18.0.0",
            "198.19.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "2001:db8::1",
            "2001:2::1",
            "2001:20::1",
            "2001:1ff::1",
            "3fff::1",
            "3fff:fff::1",
            "64:ff9b:1::7f00:1",
            "100::1",
            "5f00::1",
            "4000::1",
            "::7f00:1",
            "::ffff:0:127.0.0.1",
        ],
    ),
    (
        None,
        &[
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1",
            "2001:200::1",
            "2003::1",
            "2a00:1450::1",
            "3ffe::1",
        ],
    ),
];

#[test]
fn each_range_is_known_at_both_ends_and_ends_there() {
    for (kind, addresses) in KINDS {
        for address in *addresses {
            assert_eq!(Kind::of(ip(address)), *kind, "{address}");
            assert_eq!(Reach::default().judge(ip(address)).err(), *kind, "{address}: by default the Internet alone");
        }
    }
}

#[test]
fn an_address_of_ipv4_within_one_of_ipv6_is_of_its_kind() {
    let all = KINDS.iter().flat_map(|(kind, all)| all.iter().map(move |a| (*kind, *a)));
    let mut tried = 0;
    for (kind, address) in all.filter(|(_, a)| a.parse::<Ipv4Addr>().is_ok()) {
        for carrier in ["::ffff:", "64:ff9b::"] {
            let carried = ip(&format!("{carrier}{address}"));
            assert_eq!(Kind::of(carried), kind, "{carried}");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried}");
    // Written in hexadecimal it is the same address.
    assert_eq!(Kind::of(ip("::ffff:7f00:1")), Some(Kind::Loopback));
    assert_eq!(Kind::of(ip("64:ff9b::a9fe:a9fe")), Some(Kind::Metadata));
}

#[test]
fn allowing_private_networks_allows_nothing_else() {
    let allowing = reach("allow");
    for (kind, addresses) in KINDS {
        let open = kind.is_none_or(Kind::is_private);
        for address in *addresses {
            assert_eq!(allowing.judge(ip(address)).is_ok(), open, "{address}");
        }
    }
    let loopback = reach("loopback");
    assert_eq!(loopback, Reach::default().with_loopback());
    for (address, open) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("10.0.0.1", false),
        ("fd00::1", false),
        ("169.254.169.254", false),
    ] {
        assert_eq!(loopback.judge(ip(address)).is_ok(), open, "{address}");
    }
}

#[test]
fn a_network_that_is_named_is_allowed_whatever_it_is() {
    let named = reach("10.1.0.0/16, fd12:3456::/32,169.254.10.0/24 192.168.1.7");
    for (address, open) in [
        ("10.1.0.0", true),
        ("10.1.255.255", true),
        ("10.2.0.0", false),
        ("::ffff:10.1.2.3", true),
        ("64:ff9b::10.1.2.3", true),
        ("::ffff:10.2.0.0", false),
        ("fd12:3456:1::1", true),
        ("fd12:3457::1", false),
        ("169.254.10.1", true),
        ("169.254.169.254", false),
        ("192.168.1.7", true),
        ("192.168.1.8", false),
        ("8.8.8.8", true),
    ] {
        assert_eq!(named.judge(ip(address)).is_ok(), open, "{address}");
    }
    assert!(reach("::1").judge(ip("::1")).is_ok() && reach("::1").judge(ip("127.0.0.1")).is_err());
    assert!(reach("224.0.0.0/4").judge(ip("224.0.0.1")).is_ok());
}

#[test]
fn a_setting_is_read_and_written_alike_and_a_wrong_one_says_what_would_do() {
    for text in
        ["refuse", "loopback", "allow", "loopback,10.0.0.0/8", "allow,169.254.1.0/24,fd00::/8", "192.168.1.7/32"]
    {
        assert_eq!(reach(text).to_string(), text);
    }
    assert_eq!(reach("192.168.1.7").to_string(), "192.168.1.7/32");
    for (text, why) in [
        ("", "nothing is said"),
        ("refuse,allow", "stands alone"),
        ("yes", "\"yes\" is no network"),
        ("10.0.0.0/33", "prefix from 0 to 32"),
        ("10.0.0.0/x", "prefix from 0 to 32"),
        ("fd00::/129", "prefix from 0 to 128"),
        ("10.0.0.5/8", "bits behind its prefix"),
        ("127.1", "\"127.1\" is no network"),
    ] {
        let said = text.parse::<Reach>().unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("10.0.0.0/8"), "{text:?}: {said}");
    }
}

#[test]
fn a_host_that_needs_no_name_server_is_judged_at_once() {
    for (host, open) in [
        ("smtp.example.com", true),
        ("1.1.1.1", true),
        ("127.0.0.1", false),
        ("localhost", false),
        ("LOCALHOST.", false),
        ("mail.localhost", false),
        ("[::1]", false),
        ("::ffff:10.0.0.1", false),
        // Of spellings that are no address, the resolver makes what it makes; its answer is judged then.
        ("0x7f.1", true),
    ] {
        assert_eq!(Reach::default().judge_host(host).is_ok(), open, "{host}");
    }
    assert!(reach("::1").judge_host("localhost").is_ok(), "one way to it is enough");
    let said = Reach::default().judge_host("10.1.2.3").unwrap_err().to_string();
    for part in ["10.1.2.3", "a private address (RFC 1918)", "server.private_addresses", "--private-addresses 10.1.2.3"]
    {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn every_answer_of_the_resolver_is_judged() {
    let limit = Duration::from_secs(5);
    // Spellings of 127.0.0.1 that the resolver knows.
    for host in ["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "::ffff:127.0.0.1"] {
        match find(host, 25, &Reach::default(), limit).await {
            Err(NotFound::Forbidden(f)) => assert_eq!((f.host.as_str(), f.kind), (host, Kind::Loopback)),
            other => panic!("{host}: {other:?}"),
        }
    }
    let found = find("localhost", 25, &reach("loopback"), limit).await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|a| a.ip().is_loopback() && a.port() == 25), "{found:?}");
    assert!(matches!(find("no.such.invalid", 25, &reach("allow"), limit).await, Err(NotFound::Unresolved { .. })));
}
