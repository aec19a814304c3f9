//! What must hold for every body that a stranger may send.

use fulcio_api::json::{KeyMaterial, LegacySigningRequest, SigningRequest};
use proptest::{collection::vec, prelude::*};

fn key_material() -> impl Strategy<Value = KeyMaterial<'static>> {
    prop_oneof![
        vec(any::<u8>(), 0..200).prop_map(KeyMaterial::Csr),
        Just(KeyMaterial::None),
        (any::<String>(), vec(any::<u8>(), 0..80)).prop_map(|(content, proof)| {
            KeyMaterial::PublicKey {
                content: content.into(),
                proof,
            }
        }),
    ]
}

/// Pieces that together are often almost a request.
fn almost_a_body() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(&b"{"[..]),
        Just(&b"}"[..]),
        Just(&b"["[..]),
        Just(&b"]"[..]),
        Just(&b","[..]),
        Just(&b":"[..]),
        Just(&b" \n"[..]),
        Just(&b"\""[..]),
        Just(&b"null"[..]),
        Just(&b"tru"[..]),
        Just(&b"-1.5e3"[..]),
        Just(&b"\\ud83d"[..]),
        Just(&b"\\ude00"[..]),
        Just(&b"\\n"[..]),
        Just(&b"\xc3\xa9"[..]),
        Just(&b"\xff"[..]),
        Just(&b"\"credentials\":{"[..]),
        Just(&b"\"oidcIdentityToken\":\""[..]),
        Just(&b"\"publicKeyRequest\":{\"publicKey\":{\"algorithm\":"[..]),
        Just(&b"\"certificateSigningRequest\":\"AQID"[..]),
        Just(&b"\"signedEmailAddress\":"[..]),
        Just(&b"\"\\ud800\""[..]),
    ];
    vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_an_error_with_a_text(body in vec(any::<u8>(), 0..400)) {
        if let Err(error) = SigningRequest::from_json(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
        if let Err(error) = LegacySigningRequest::from_json(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn almost_right_bodies_are_a_request_or_an_error_with_a_text(body in almost_a_body()) {
        if let Err(error) = SigningRequest::from_json(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
        if let Err(error) = LegacySigningRequest::from_json(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_request_survives_json(token: String, key in key_material()) {
        let request = SigningRequest::new(token, key);
        let body = request.to_json();
        prop_assert_eq!(SigningRequest::from_json(&body), Ok(request));
    }

    #[test]
    fn a_request_reads_the_same_in_another_parser(token: String, csr in vec(any::<u8>(), 0..200)) {
        let request = SigningRequest::new(&*token, KeyMaterial::Csr(csr));
        let value: serde_json::Value = serde_json::from_slice(&request.to_json()).unwrap();
        prop_assert_eq!(value["credentials"]["oidcIdentityToken"].as_str(), Some(&*token));
        let reordered = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(SigningRequest::from_json(&reordered), Ok(request));
    }

    #[test]
    fn a_legacy_request_survives_json(
        csr in vec(any::<u8>(), 0..200),
        key in vec(any::<u8>(), 0..200),
        signature in vec(any::<u8>(), 0..80),
    ) {
        for request in [
            LegacySigningRequest::for_csr(csr),
            LegacySigningRequest::for_key(key, signature),
        ] {
            prop_assert_eq!(LegacySigningRequest::from_json(&request.to_json()), Ok(request));
        }
    }

    #[test]
    fn whatever_follows_the_request_is_not_read(token: String, rest in vec(any::<u8>(), 0..40)) {
        let request = SigningRequest::new(token, KeyMaterial::None);
        let body = [request.to_json(), rest].concat();
        prop_assert_eq!(SigningRequest::from_json(&body), Ok(request));
    }

    #[test]
    fn what_another_parser_reads_is_no_syntax_error(body in almost_a_body()) {
        let whole = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
        let complaint = SigningRequest::from_json(&body).err().map(|error| error.to_string());
        if whole && let Some(complaint) = complaint {
            prop_assert!(complaint.starts_with("proto: "), "{}", complaint);
        }
    }
}
