use std::{env, net::IpAddr};

use http::Uri;

/// Which proxies lead outside, as Go programs read it from `HTTP_PROXY`, `HTTPS_PROXY` and
/// `NO_PROXY`, in capitals or small letters.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    exempt: Vec<Exempt>,
}

/// How to get to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    HttpProxy,
    HttpsProxy,
}

/// The proxy that leads to a URL.
///
/// Its own URL may hold a password, so `variable` is what may be told.
#[derive(Clone, Copy)]
pub(crate) struct NamedProxy<'a> {
    pub(crate) variable: &'static str,
    pub(crate) url: &'a str,
}

/// A part of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    Address(IpAddr, Option<u16>),
    /// `.example.com`, and whether `example.com` itself is meant too.
    Domain {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
    Everything,
    /// An address, and how many of its first bits count.
    Network(IpAddr, u8),
}

impl Proxies {
    /// What the environment of this process says.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the binary, which hands it to the libraries"
    )]
    pub(crate) fn of_this_process() -> Self {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            [name.to_owned(), name.to_ascii_lowercase()]
                .iter()
                .filter_map(|name| variable(name))
                .find(|value| !value.is_empty())
        };
        Self {
            http: either("HTTP_PROXY"),
            https: either("HTTPS_PROXY"),
            exempt: either("NO_PROXY")
                .iter()
                .flat_map(|list| list.split(','))
                .filter_map(Exempt::parse)
                .collect(),
        }
    }

    /// The proxy for `http:` URLs.
    pub(crate) fn http(&self) -> Option<&str> {
        self.http.as_deref()
    }

    /// The proxy for `https:` URLs.
    pub(crate) fn https(&self) -> Option<&str> {
        self.https.as_deref()
    }

    /// The proxy for `url`, where there has to be one.
    pub(crate) fn proxy_for(&self, url: &str) -> Option<NamedProxy<'_>> {
        let (variable, proxy) = match self.way(url) {
            Way::Direct => return None,
            Way::HttpProxy => ("HTTP_PROXY", self.http()),
            Way::HttpsProxy => ("HTTPS_PROXY", self.https()),
        };
        proxy.map(|url| NamedProxy { variable, url })
    }

    /// How to get to `url`. This machine is always reached directly.
    pub(crate) fn way(&self, url: &str) -> Way {
        let Ok(uri) = url.parse::<Uri>() else {
            return Way::Direct;
        };
        let (way, proxy, default_port) = match uri.scheme_str() {
            Some("https") => (Way::HttpsProxy, &self.https, 443),
            Some("http") => (Way::HttpProxy, &self.http, 80),
            _ => return Way::Direct,
        };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(default_port);
        let address = host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .ok()
            .map(|address| address.to_canonical());
        let here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let exempt = |exempt: &Exempt| exempt.covers(&host, address, port);
        if proxy.is_none() || here || self.exempt.iter().any(exempt) {
            Way::Direct
        } else {
            way
        }
    }
}

impl core::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("exempt", &self.exempt)
            .finish()
    }
}

impl Exempt {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Some((address, bits)) = text.split_once('/')
            && let (Ok(address), Ok(bits)) = (address.parse(), bits.parse())
        {
            return Some(Self::Network(address, bits));
        }
        let bare = text.trim_matches(['[', ']']);
        if let Ok(address) = bare.parse() {
            return Some(Self::Address(address, None));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host.trim_matches(['[', ']']), Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        if let Ok(address) = host.parse() {
            return Some(Self::Address(address, port));
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        if host.is_empty() {
            return None;
        }
        let itself = !host.starts_with('.');
        Some(Self::Domain {
            suffix: if itself {
                format!(".{host}")
            } else {
                host.to_owned()
            },
            itself,
            port,
        })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match (self, address) {
            (Self::Everything, _) => true,
            (Self::Address(exempt, wanted), Some(address)) => {
                *exempt == address && same_port(wanted)
            }
            (Self::Network(network, bits), Some(address)) => is_within(address, *network, *bits),
            (
                Self::Domain {
                    suffix,
                    itself,
                    port,
                },
                None,
            ) => {
                let is_it = *itself && suffix.strip_prefix('.') == Some(host);
                (host.ends_with(suffix) || is_it) && same_port(port)
            }
            (Self::Address(..) | Self::Network(..), None) | (Self::Domain { .. }, Some(_)) => false,
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (
            u128::from(address.to_bits()),
            u128::from(network.to_bits()),
            32,
        ),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let ignored = u32::from(width - bits.min(width));
    address.checked_shr(ignored) == network.checked_shr(ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(no_proxy: &'static str) -> Proxies {
        Proxies::from_variables(|name| match name {
            "HTTPS_PROXY" => Some("http://secure.example.com:3128".to_owned()),
            "http_proxy" => Some("plain.example.com:3128".to_owned()),
            "NO_PROXY" => Some(String::new()),
            "no_proxy" => Some(no_proxy.to_owned()),
            _ => None,
        })
    }

    /// The expected ways are those of `httpproxy.FromEnvironment` in Go's golang.org/x/net.
    #[test]
    fn chooses_the_way_that_go_chooses() {
        use Way::{Direct, HttpProxy, HttpsProxy};
        for (no_proxy, url, way) in [
            ("", "https://issuer.example.com/", HttpsProxy),
            ("", "http://issuer.example.com/", HttpProxy),
            ("", "http://localhost:8080/", Direct),
            ("", "https://127.8.9.1/", Direct),
            ("", "https://[::1]/", Direct),
            ("*", "https://issuer.example.com/", Direct),
            ("example.com", "https://example.com/", Direct),
            ("example.com", "https://issuer.example.com/", Direct),
            ("example.com", "https://notexample.com/", HttpsProxy),
            (".example.com", "https://issuer.example.com/", Direct),
            (".example.com", "https://example.com/", HttpsProxy),
            ("*.example.com", "https://issuer.example.com/", Direct),
            ("*.example.com", "https://example.com/", HttpsProxy),
            (" a.com , Example.COM ", "https://EXAMPLE.com/", Direct),
            ("example.com:443", "https://example.com/", Direct),
            ("example.com:80", "https://example.com/", HttpsProxy),
            ("10.0.0.0/8", "https://10.9.8.7/", Direct),
            ("10.0.0.0/8", "https://11.9.8.7/", HttpsProxy),
            ("0.0.0.0/0", "https://11.9.8.7/", Direct),
            ("10.1.2.3", "http://10.1.2.3/", Direct),
            ("10.1.2.3:81", "http://10.1.2.3/", HttpProxy),
            ("fd00::/8", "https://[fd12::1]/", Direct),
            ("fd00::/8", "https://[fe12::1]/", HttpsProxy),
            ("[fd12::1]:443", "https://[fd12::1]/", Direct),
            ("8.8.8.8", "https://issuer.8.8.8.8.example.com/", HttpsProxy),
        ] {
            assert_eq!(proxies(no_proxy).way(url), way, "{no_proxy} {url}");
        }
    }

    #[test]
    fn goes_directly_without_a_proxy() {
        let none = Proxies::from_variables(|_| None);
        assert_eq!(none.way("https://issuer.example.com/"), Way::Direct);
    }
}
