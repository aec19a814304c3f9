use core::{convert::Infallible, fmt, str::FromStr};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Where to listen, as Go understands it: an address, with brackets or without, or a name.
///
/// Nothing, `0.0.0.0` and `::` all mean every address of the machine, IPv4 and IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    All,
    Name(String),
}

impl Host {
    /// Where a listener for this host and this port has to be.
    pub(crate) async fn address(&self, port: u16) -> io::Result<SocketAddr> {
        match self {
            Self::Address(address) => Ok(SocketAddr::new(*address, port)),
            Self::All => Ok(SocketAddr::new(all_addresses(), port)),
            Self::Name(name) => {
                let found: Vec<_> = tokio::net::lookup_host((name.as_str(), port))
                    .await?
                    .collect();
                let preferred = found.iter().find(|address| address.is_ipv4());
                preferred
                    .or(found.first())
                    .copied()
                    .ok_or_else(|| io::Error::other("the name has no address"))
            }
        }
    }
}

impl FromStr for Host {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        Ok(match bare.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Self::All,
            Ok(address) => Self::Address(address),
            Err(_) if text.is_empty() => Self::All,
            Err(_) => Self::Name(text.to_owned()),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::All => f.write_str("0.0.0.0"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// An IPv6 socket takes IPv4 as well, unless the system has no IPv6 or keeps the two apart.
fn all_addresses() -> IpAddr {
    match fs::read_to_string("/proc/sys/net/ipv6/bindv6only") {
        Ok(apart) if apart.trim() == "0" => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_addresses_with_brackets_and_the_ways_to_write_all_of_them() {
        let host = |text: &str| text.parse::<Host>().unwrap_or(Host::All);
        for all in ["", "0.0.0.0", "::", "[::]"] {
            assert_eq!(host(all), Host::All, "{all}");
        }
        let loopback = Host::Address(Ipv6Addr::LOCALHOST.into());
        assert_eq!(host("::1"), loopback);
        assert_eq!(host("[::1]"), loopback);
        assert_eq!(host("localhost"), Host::Name("localhost".to_owned()));
    }
}
