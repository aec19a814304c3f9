//! Who owns a host name: the rules that tie subjects to the issuer that speaks for them.

use core::net::IpAddr;

/// A URL's scheme and host, both in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: String,
    pub(super) host: String,
}

impl Origin {
    /// Reads them from `scheme://host…`; user, port, path and query are dropped.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host_and_port = authority.rsplit('@').next()?;
        let host = match host_and_port.strip_prefix('[') {
            Some(ipv6) => ipv6.split_once(']')?.0,
            None => host_and_port.split(':').next()?,
        };
        let scheme_is_name = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        (scheme_is_name && !host.is_empty()).then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
        })
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || (self.host.parse::<IpAddr>()).is_ok_and(|address| address.is_loopback())
    }
}

/// Whether two hosts have one owner, by the public suffix list.
///
/// Fulcio compares the last two labels, for which `a.co.uk` and `b.co.uk` are one.
pub(super) fn same_owner(one: &str, other: &str) -> bool {
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok();
    if one == other || is_address(one) || is_address(other) {
        return one == other;
    }
    psl::domain_str(one).is_some_and(|domain| psl::domain_str(other) == Some(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_below_one_registrable_domain_have_one_owner() {
        assert!(same_owner("users.example.com", "accounts.example.com"));
        assert!(same_owner("example.co.uk", "id.example.co.uk"));
        assert!(same_owner("one.corp.internal", "two.corp.internal"));
        assert!(same_owner("localhost", "localhost"));
    }

    #[test]
    fn hosts_below_a_public_suffix_have_different_owners() {
        assert!(!same_owner("a.co.uk", "b.co.uk"));
        assert!(!same_owner("ada.github.io", "eve.github.io"));
        assert!(!same_owner("example.com", "example.org"));
        assert!(!same_owner("co.uk", "a.co.uk"));
    }

    #[test]
    fn addresses_have_one_owner_only_when_they_are_the_same() {
        assert!(same_owner("10.0.0.1", "10.0.0.1"));
        assert!(!same_owner("10.0.0.1", "192.168.0.1"));
    }

    #[test]
    fn the_origin_of_a_url_is_its_scheme_and_host() {
        let origin = |scheme: &str, host: &str| {
            Some(Origin {
                scheme: scheme.into(),
                host: host.into(),
            })
        };
        assert_eq!(
            Origin::of("HTTPS://A.example:8443/x?y#z"),
            origin("https", "a.example")
        );
        assert_eq!(Origin::of("http://[::1]:80"), origin("http", "::1"));
        assert_eq!(
            Origin::of("https://user@a.example"),
            origin("https", "a.example")
        );
        assert_eq!(Origin::of("a.example"), None);
        assert_eq!(Origin::of("://a.example"), None);
        assert_eq!(Origin::of("https:///path"), None);
    }
}
