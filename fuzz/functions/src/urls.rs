use fulcio_go_url::{CertificateUri, Url};

/// A URL: what is written is read as the same, and a URI for a certificate is ASCII and unchanged.
pub fn url(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(url) = Url::parse(text) {
        let written = url.to_string();
        // Where there is no host, Go may write a path as what it would read as one; and it escapes what is
        // not ASCII in the zone of an address, where it reads no such escape.
        let host = url.host();
        let is_readable = !host.is_empty() && (host.is_ascii() || !host.starts_with(b"["));
        if is_readable {
            let again = Url::parse(&written).expect("what was written");
            assert_eq!(again.to_string(), written, "{text:?}");
            assert_eq!(again.host(), url.host(), "{text:?}");
        }
        if let Ok(joined) = url.join_path(&["a/../b", "c"]) {
            let again = Url::parse(&joined.to_string());
            assert!(!is_readable || again.is_ok(), "{text:?}");
        }
    }
    if let Ok(uri) = CertificateUri::parse(text) {
        assert_eq!(uri.as_str(), text);
        assert!(text.is_ascii());
    }
}
