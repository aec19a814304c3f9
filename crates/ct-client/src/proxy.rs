use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderValue, Uri,
    uri::{Authority, InvalidUri, PathAndQuery, Scheme},
};
use percent_encoding::percent_decode_str;

use crate::HttpLogError;

/// A proxy that leads to a log (RFC 9110 section 3.7), and what it wants to be told.
///
/// It looks up the log's name itself. `http` logs are asked through it with the whole URL in the
/// request (RFC 9112 section 3.2.2), `https` logs through a tunnel (`CONNECT`, RFC 9110 section
/// 9.3.6). Its password is in no `Debug` output and in no error.
#[derive(Clone, Debug)]
pub struct Proxy {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://proxy.example.com:3128`, perhaps with `user:password@` before the host.
    ///
    /// Without a scheme `http` is meant; a path means nothing. The user and the password may be
    /// percent-encoded, and are sent as `Basic` credentials (RFC 7617). An `https` proxy must be
    /// under one of the log's roots.
    ///
    /// # Errors
    /// It is no URL, has no host, or is neither `http` nor `https`.
    pub fn from_url(url: &str) -> Result<Self, HttpLogError> {
        let shape = || HttpLogError::Proxy(None);
        let not_a_url = |source: InvalidUri| HttpLogError::Proxy(Some(source));
        let url = match url.contains("://") {
            true => url.to_owned(),
            false => format!("http://{url}"),
        };
        let mut parts = url.parse::<Uri>().map_err(not_a_url)?.into_parts();
        if parts.scheme != Some(Scheme::HTTP) && parts.scheme != Some(Scheme::HTTPS) {
            return Err(shape());
        }
        let whole = parts.authority.ok_or_else(shape)?;
        let (user, place) = match whole.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, whole.as_str()),
        };
        let authority: Authority = place.parse().map_err(not_a_url)?;
        if !is_plain(&authority) {
            return Err(shape());
        }
        let authorization = user.map(basic);
        parts.authority = Some(authority);
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        let uri = Uri::from_parts(parts).expect("a URI has parts that fit");
        Ok(Self { uri, authorization })
    }

    /// Where it is; without the credentials.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The value of `Proxy-Authorization`.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

/// Whether it is a host, perhaps with a port, and nothing else.
pub(crate) fn is_plain(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_host = text.strip_prefix(authority.host());
    let has_port = authority.port_u16().is_some();
    !authority.host().is_empty() && after_host.is_some_and(|rest| has_port || rest.is_empty())
}

fn basic(user: &str) -> HeaderValue {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut credentials: Vec<u8> = percent_decode_str(user).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(password));
    let value = format!("Basic {}", STANDARD.encode(credentials));
    let mut value = HeaderValue::try_from(value).expect("base64 can stand in a header");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, Option<String>) {
        let proxy = Proxy::from_url(url).unwrap();
        let authorization = proxy
            .authorization()
            .map(|value| value.to_str().unwrap().to_owned());
        (proxy.uri().to_string(), authorization)
    }

    /// The credentials are those that Go's `net/http` sends.
    #[test]
    fn knows_where_it_is_and_what_it_wants_to_be_told() {
        for (url, uri, authorization) in [
            (
                "http://p.example.com:3128",
                "http://p.example.com:3128/",
                None,
            ),
            ("https://p.example.com/a?b", "https://p.example.com/", None),
            ("p.example.com:3128", "http://p.example.com:3128/", None),
            ("http://[::1]:3128", "http://[::1]:3128/", None),
            (
                "http://us%40er:p%3Ass@p.example.com",
                "http://p.example.com/",
                Some("Basic dXNAZXI6cDpzcw=="),
            ),
            (
                "user@p.example.com:1",
                "http://p.example.com:1/",
                Some("Basic dXNlcjo="),
            ),
        ] {
            let expected = (uri.to_owned(), authorization.map(str::to_owned));
            assert_eq!(read(url), expected, "{url}");
        }
    }

    #[test]
    fn shows_no_password() {
        let proxy = Proxy::from_url("http://user:secret@p.example.com").unwrap();
        let shown = format!("{proxy:?}");
        let encoded = proxy.authorization().unwrap().to_str().unwrap();
        assert!(shown.contains("p.example.com"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(!shown.contains(&encoded["Basic ".len()..]), "{shown}");
    }

    #[test]
    fn is_http_or_https_with_a_host() {
        for url in [
            "",
            "http://",
            "http://:3128",
            "http://user:secret@",
            "http://user:secret@:3128",
            "socks5://user:secret@p.example.com",
            "/secret",
            "http://user:secret@p example.com",
            "http://user:secret@p.example.com:port",
            "http://user:secret@p.example.com:65536",
        ] {
            let error = Proxy::from_url(url).unwrap_err();
            assert!(matches!(error, HttpLogError::Proxy(_)), "{url}: {error:?}");
            assert!(!format!("{error:?} {error}").contains("secret"), "{url}");
        }
    }
}
