use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses an [`HttpFetch`](crate::HttpFetch) may connect to.
///
/// What counts is the address that the connection is made to, after every look-up of a name and for every redirect, so
/// that nothing is gained by a name that means another machine a moment later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Addresses {
    /// All: whoever configured the URL has chosen the machine.
    #[default]
    Any,
    /// Those that all the Internet can reach, and loopback; for URLs whose host a caller chooses.
    ///
    /// Refused are the networks of RFC 1918, shared space (RFC 6598), link-local addresses with the metadata services
    /// of clouds behind them, unique local addresses (RFC 4193), and all others that are not globally reachable (RFC
    /// 6890), in whichever form an address of IPv6 holds them.
    Public,
}

impl Addresses {
    pub(crate) fn permit(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Public => is_public(address),
        }
    }
}

/// A name that means no address that may be connected to; the first of them is told.
#[derive(Debug)]
pub(crate) struct Unpermitted(pub(crate) IpAddr);

impl fmt::Display for Unpermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not an address of the Internet", self.0)
    }
}

impl core::error::Error for Unpermitted {}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        address if address.is_loopback() => true,
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, shared space, protocol assignments, the old 6to4 relays, benchmarks.
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] => true,
        [100, second, ..] => second & 0xc0 == 64,
        [198, second, ..] => second & 0xfe == 18 || address.is_documentation(),
        // Multicast, reserved, broadcast.
        [first, ..] => first >= 224,
    };
    !(special
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast (RFC 4291 section 2.4) is all that is assigned; an address that carries one of IPv4 is as public as
/// that.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_global_v4(embedded(high, low)),
        [0x2002, high, low, ..] => is_global_v4(embedded(high, low)),
        // Protocol assignments, Teredo among them; documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_internet_reaches_and_loopback_are_permitted_and_nothing_else() {
        let permitted = "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 8.8.8.8 100.63.255.255 100.128.0.0 \
             172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 169.253.0.1 198.17.0.1 198.20.0.1 \
             223.255.255.255 2001:4860:4860::8888 2a00:1450::1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 \
             2002:808:808::1";
        let refused = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 169.254.169.254 \
             172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 \
             198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::10.0.0.1 ::8.8.8.8 ::ffff:10.0.0.1 \
             ::ffff:169.254.169.254 ::ffff:0.0.0.0 64:ff9b::a00:1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 \
             2001:db8::1 2002:a00:1::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        for (list, expected) in [(permitted, true), (refused, false)] {
            for text in list.split_whitespace() {
                let address = text.parse().unwrap();
                assert_eq!(Addresses::Public.permit(address), expected, "{text}");
                assert!(Addresses::Any.permit(address), "{text}");
            }
        }
    }
}
