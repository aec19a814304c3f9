use core::net::IpAddr;

use http::{Uri, uri::Scheme};

use crate::proxy::Proxies;

/// What the operator is told of a service that signs, or that holds the key.
#[derive(Clone, Debug)]
pub(crate) struct KeyService {
    /// Where it is; `None` where that is not known.
    pub(crate) address: Option<String>,
    pub(crate) name: &'static str,
    /// Whether anybody's TLS certificate is taken for that of the service.
    pub(crate) trusts_anyone: bool,
    /// Whether it is asked through the proxies that the environment names.
    pub(crate) uses_proxies: bool,
}

impl From<&fulcio_signer_backends::KeyService> for KeyService {
    fn from(service: &fulcio_signer_backends::KeyService) -> Self {
        Self {
            address: service.address.clone(),
            name: service.name,
            trusts_anyone: service.trusts_anyone,
            uses_proxies: service.uses_proxies,
        }
    }
}

impl KeyService {
    /// Host and port; the rest of an address that cannot be meant may hold a password.
    pub(crate) fn host(&self) -> Option<String> {
        let uri = self.uri()?;
        let authority = uri.authority()?.as_str();
        let (_user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Some(host.to_owned())
    }

    /// Warns of what an attacker on the way to it could use, and of a proxy that is not used.
    pub(crate) fn warn(&self, proxies: &Proxies) {
        let (name, host) = (self.name, self.host());
        if self.is_readable() {
            tracing::warn!(
                host,
                "the address of {name} begins with http://, so whoever is on the way can read \
                 what is sent, tokens too; use https://"
            );
        }
        if self.trusts_anyone {
            tracing::warn!(
                host,
                "whoever answers is taken for {name}, because AWS_TLS_INSECURE_SKIP_VERIFY is 1"
            );
        }
        let address = self
            .address
            .as_deref()
            .filter(|_address| !self.uses_proxies);
        if let Some(proxy) = address.and_then(|address| proxies.proxy_for(address)) {
            let variable = proxy.variable;
            tracing::warn!(host, "requests to {name} do not go through {variable}");
        }
    }

    /// Whether requests go over a network without TLS.
    fn is_readable(&self) -> bool {
        self.uri().is_some_and(|uri| {
            let host = uri.host().unwrap_or_default();
            uri.scheme() == Some(&Scheme::HTTP) && !is_this_machine(host)
        })
    }

    fn uri(&self) -> Option<Uri> {
        self.address.as_ref()?.parse().ok()
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> KeyService {
        KeyService {
            address: Some(address.to_owned()),
            name: "Vault",
            trusts_anyone: false,
            uses_proxies: false,
        }
    }

    #[test]
    fn a_token_may_be_read_where_it_leaves_this_machine_without_tls() {
        for (text, readable) in [
            ("http://127.0.0.1:8200", false),
            ("http://127.1.2.3", false),
            ("http://[::1]:8200/vault", false),
            ("http://LOCALHOST:8200", false),
            ("https://vault.example.com:8200", false),
            ("http://vault.example.com:8200", true),
            ("HTTP://vault.example.com", true),
            ("http://localhost.example.com", true),
            ("http://10.0.0.1:8200", true),
            ("http://0.0.0.0:8200", true),
        ] {
            assert_eq!(at(text).is_readable(), readable, "{text}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_told() {
        let service = at("http://user:horse@vault.example.com:8200/x");
        assert_eq!(service.host().as_deref(), Some("vault.example.com:8200"));
    }
}
