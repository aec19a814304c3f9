//! What holds for every text that somebody might send.

use fulcio_go_url::{CertificateUri, Url, quote};
use proptest::prelude::*;

fn texts() -> impl Strategy<Value = String> {
    let part = "https?:|//|/|[a-z.]{1,5}|%[0-9a-fA-F]{0,2}|[?#@:\\[\\]%]|\\PC|\\.\\.?/|:[0-9x]{1,2}|[:.%0-9a-f]{1,6}";
    proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in texts(), element in texts()) {
        let _ = CertificateUri::parse(&text);
        if let Ok(url) = Url::parse(&text) {
            let _ = url.join_path(&[&element]);
            let _ = (url.hostname(), url.scheme());
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same(text in texts()) {
        if let Ok(url) = Url::parse(&text) {
            let written = url.to_string();
            // A host with a quote or an empty user can be written in a way that is not read again.
            if let Ok(again) = Url::parse(&written) {
                prop_assert_eq!(again.to_string(), written);
            }
        }
    }

    #[test]
    fn what_is_written_without_a_query_is_ascii(text in "[^?]{0,40}") {
        if let Ok(url) = Url::parse(&format!("https://{text}")) {
            prop_assert!(url.to_string().is_ascii());
        }
    }

    #[test]
    fn a_joined_path_has_no_dots_and_no_double_slashes(elements in proptest::collection::vec("[a./]{0,6}", 0..4)) {
        let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
        let base = Url::parse("https://a.example/base");
        let joined = base.and_then(|base| base.join_path(&elements)).map(|url| url.to_string());
        let path = joined.as_deref().map(|joined| &joined["https://a.example".len()..]);
        let path = path.map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert!(path.starts_with('/') && !path.contains("//"), "{}", path);
        prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{}", path);
    }

    #[test]
    fn a_quoted_text_is_between_quotes_and_on_one_line(bytes: Vec<u8>) {
        let quoted = quote(&bytes);
        prop_assert!(quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"'));
        prop_assert!(!quoted.contains(|c: char| c.is_control()));
    }
}
