use core::str::{self, FromStr};
use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies and balancers in front of the server whose word on who sent a request counts.
///
/// Everybody can write `X-Forwarded-For`; each proxy adds the address that it was asked from at the end. So it is read
/// from there, as far as those who wrote it are trusted. `Forwarded` (RFC 7239) is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Why a text is not a network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as 10.0.0.0/8")]
#[non_exhaustive]
pub struct NotANetwork(String);

impl TrustedProxies {
    /// Reads networks such as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, NotANetwork> {
        let network = |text: &'a str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let network = address.or_else(|_| IpNet::from_str(text));
            network.map_err(|_neither| NotANetwork(text.to_owned()))
        };
        networks
            .into_iter()
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a proxy has this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came from `peer` with these headers: the last one in `X-Forwarded-For` that is not a
    /// trusted proxy, or the first of all if all are. The port is 0 where it is not told.
    ///
    /// What is not an address ends the reading: the trusted proxy that wrote it is then the client.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.contains(client.ip()) {
            match hops.next().and_then(address) {
                Some(hop) => client = hop,
                None => break,
            }
        }
        client
    }
}

const FORWARDED_FOR: &str = "x-forwarded-for";

/// One address as proxies write it: with a port or without, one of IPv6 in brackets or not.
fn address(text: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let bare = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        Some(SocketAddr::new(address.to_canonical(), 0))
    };
    if let Some(found) = bare(text) {
        return Some(found);
    }
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        return bare(inner).filter(|_| inner.contains(':'));
    }
    let with_port: SocketAddr = text.parse().ok()?;
    Some(SocketAddr::new(
        with_port.ip().to_canonical(),
        with_port.port(),
    ))
}
