//! Who owns a host name: the rules that tie subjects to the issuer that speaks for them.

use core::net::IpAddr;

use fulcio_go_url::Url;

/// A URL's scheme, in lower case, and its host as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: String,
    pub(super) host: String,
}

impl Origin {
    /// Reads them from a URL as Go does; user, port, path and query are dropped.
    pub(super) fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = str::from_utf8(url.hostname()).ok()?;
        (!url.scheme().is_empty() && !host.is_empty()).then(|| Self {
            scheme: url.scheme().to_owned(),
            host: host.to_owned(),
        })
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || (self.host.parse::<IpAddr>()).is_ok_and(|address| address.is_loopback())
    }
}

/// Whether two hosts have one owner, by the public suffix list, which letter case does not concern.
pub(super) fn same_owner(one: &str, other: &str) -> bool {
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok();
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    if one == other || is_address(&one) || is_address(&other) {
        return one == other;
    }
    psl::domain_str(&one).is_some_and(|domain| psl::domain_str(&other) == Some(domain))
}

/// Whether two hosts are the same or end in the same two labels, byte by byte.
///
/// That is Fulcio's rule, for which `a.co.uk` and `b.co.uk` are one, but `a.example.com` and
/// `Example.com` are not.
pub(super) fn same_end(one: &str, other: &str) -> bool {
    one == other || last_labels(one).is_some_and(|labels| last_labels(other) == Some(labels))
}

fn last_labels(host: &str) -> Option<(&str, &str)> {
    let (before, last) = host.rsplit_once('.')?;
    Some((before.rsplit('.').next()?, last))
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
        assert!(same_owner("Users.example.com", "accounts.EXAMPLE.com"));
    }

    #[test]
    fn hosts_with_one_end_are_spelt_alike_there() {
        assert!(same_end("a.example.com", "b.example.com"));
        assert!(same_end("localhost", "localhost"));
        assert!(!same_end("a.example.com", "Example.com"));
        assert!(!same_end("a.example.com", "example.com."));
        assert!(!same_end("one", "other"));
        assert!(!same_end("com", "example.com"));
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
            origin("https", "A.example")
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
