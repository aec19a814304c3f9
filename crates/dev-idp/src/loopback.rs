use core::net::IpAddr;

use url::{Host, Url};

use crate::IssuerUrlError;

/// The URL of an issuer on this machine. Only [`parse`](Self::parse) makes one.
#[derive(Clone, Debug)]
pub(crate) struct LoopbackUrl {
    text: String,
    path: String,
}

impl LoopbackUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, IssuerUrlError> {
        let url = Url::parse(text).map_err(|_not_url| IssuerUrlError::Unusable)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url
            .host()
            .filter(|_| plain)
            .ok_or(IssuerUrlError::Unusable)?;
        if !is_loopback(&host) {
            return Err(IssuerUrlError::NotLoopback);
        }
        let canonical = url.as_str().trim_end_matches('/');
        if text != canonical {
            return Err(IssuerUrlError::Form(canonical.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the provider is mounted: empty, or a path without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// Whether a client may be sent back to `url` with a code: a native application that listens on
/// this machine (RFC 8252 section 7.3).
pub(crate) fn is_loopback_redirect(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    url.scheme() == "http"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.host().is_some_and(|host| is_loopback(&host))
}

/// Whether the value of a `Host` header, or the authority of a URI, names this machine.
pub(crate) fn is_loopback_authority(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']'),
        None => match authority.find(':') {
            Some(colon) => Some(authority.split_at(colon)),
            None => Some((authority, "")),
        },
    };
    host.is_some_and(|(host, port)| {
        let port_is_number = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
            None => port.is_empty(),
        };
        let is_address = |host: &str| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        port_is_number && (host.eq_ignore_ascii_case("localhost") || is_address(host))
    })
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_this_machine_are_issuers() {
        for url in [
            "http://127.0.0.1:5555/dev-idp",
            "http://localhost:5555",
            "https://[::1]:5555/a/b",
            "http://127.8.9.10/x",
        ] {
            assert_eq!(LoopbackUrl::parse(url).unwrap().as_str(), url);
        }
        for url in [
            "https://accounts.example.com",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0:5555",
            "http://192.168.0.1",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert_eq!(
                LoopbackUrl::parse(url).unwrap_err(),
                IssuerUrlError::NotLoopback
            );
        }
        for url in [
            "",
            "127.0.0.1",
            "ftp://127.0.0.1",
            "http://user@127.0.0.1/",
            "http://127.0.0.1/?x",
            "http://127.0.0.1/#x",
        ] {
            assert_eq!(
                LoopbackUrl::parse(url).unwrap_err(),
                IssuerUrlError::Unusable
            );
        }
    }

    #[test]
    fn an_issuer_is_written_in_one_way_only() {
        let form = |text: &str| IssuerUrlError::Form(text.to_owned());
        for (url, wanted) in [
            ("http://127.1:5555/a", "http://127.0.0.1:5555/a"),
            ("HTTP://LOCALHOST/a/", "http://localhost/a"),
            ("http://localhost:80/a/../b", "http://localhost/b"),
        ] {
            assert_eq!(LoopbackUrl::parse(url).unwrap_err(), form(wanted));
        }
    }

    #[test]
    fn only_names_of_this_machine_are_its_authorities() {
        for authority in [
            "127.0.0.1",
            "127.0.0.1:5555",
            "[::1]",
            "[::1]:80",
            "LocalHost:1",
        ] {
            assert!(is_loopback_authority(authority), "{authority}");
        }
        for authority in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:80@evil.example",
            "localhost:evil",
            "[::1",
            "[::1]evil",
            "::1",
            "0.0.0.0",
        ] {
            assert!(!is_loopback_authority(authority), "{authority}");
        }
    }
}
