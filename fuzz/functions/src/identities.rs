use std::sync::{Arc, LazyLock};

use der::{Decode as _, Encode as _};
use fulcio_cert_builder::{CertificateProfile, Error, SerialNumber};
use fulcio_go_url::Url;
use fulcio_identity::{Config, Issuers};
use fulcio_oidc_verify::{Fetch, Fetching};
use fulcio_principal::{Encoding, Extension, Principal, SubjectAltName};
use serde_json::{Map, Value, json};
use x509_cert::{
    Certificate,
    ext::pkix::{SubjectAltName as SubjectAltNames, name::GeneralName},
};

use crate::{
    certificates::AUTHORITY,
    fixed::{AUDIENCE, NOW_SECONDS, key_set_json, line, now, p256_spki, signed_token},
    tokens::block_on,
};

/// Issuers of every kind.
const CONFIG: &str = include_str!("../../../crates/identity/tests/shapes/config.yaml");

static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| {
    let config = Config::parse(CONFIG, "config.yaml").expect("a configuration");
    Issuers::new(&config, &|_issuer| Ok(Arc::new(EveryProvider))).expect("issuers")
});

/// Every provider there is; each signs with the fixed key.
#[derive(Debug)]
struct EveryProvider;

impl Fetch for EveryProvider {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let answer = match url.strip_suffix("/.well-known/openid-configuration") {
            Some(issuer) => json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}/keys"),
                "id_token_signing_alg_values_supported": ["EdDSA"],
            })
            .to_string()
            .into_bytes(),
            None => key_set_json(),
        };
        Box::pin(async { Ok(answer) })
    }
}

/// An issuer's URL and, after a line end, the claims of a good token of this issuer. Who is accepted gets
/// a certificate that another parser reads: one name, which is the identity's and of a form that this
/// kind of issuer has, the extensions as they were derived, and nothing else of the token.
pub fn identity(data: &[u8]) {
    let (issuer, claims) = line(data);
    let Ok(issuer) = core::str::from_utf8(issuer) else {
        return;
    };
    let Ok(mut claims) = serde_json::from_slice::<Map<String, Value>>(claims) else {
        return;
    };
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("aud".to_owned(), AUDIENCE.into());
    claims.insert("exp".to_owned(), (NOW_SECONDS + 600).into());
    let payload = Value::Object(claims).to_string();
    let token = signed_token(br#"{"alg":"EdDSA"}"#, payload.as_bytes());
    let Ok(identity) = block_on(ISSUERS.authenticate(&token, now())) else {
        return;
    };
    let claims: Value = serde_json::from_str(&payload).expect("what was written");
    named_as_its_issuer_may(issuer, &claims, identity.principal());
    certified(identity.principal());
}

/// What Sigstore's specification of issuers says of names.
fn named_as_its_issuer_may(issuer: &str, claims: &Value, principal: &Principal) {
    let value = principal.extensions.value(Extension::IssuerV2);
    assert_eq!(value, principal.extensions.value(Extension::IssuerV1));
    let name = principal.subject.value();
    let claim = |name: &str| claims[name].as_str().unwrap_or_default();
    let begins = |start: &str| {
        assert!(
            matches!(principal.subject, SubjectAltName::Uri(_)),
            "{principal:?}"
        );
        assert!(name.starts_with(start), "{name:?}");
    };
    match issuer {
        "https://accounts.google.com" | "https://dex.example.com/auth" => {
            let verified = [Value::from(true), "true".into()];
            assert!(verified.contains(&claims["email_verified"]), "{claims}");
            assert_eq!(
                principal.subject,
                SubjectAltName::Email(claim("email").to_owned())
            );
            assert_eq!(principal.challenge, claim("email"));
        }
        "https://accounts.example.com" => {
            let expected = SubjectAltName::Username(format!("{}!example.com", claim("sub")));
            assert_eq!(principal.subject, expected);
        }
        "https://agent.buildkite.com" | "https://buildkite.legacy.example" => {
            begins("https://buildkite.com/")
        }
        "https://github.legacy.example" => begins("https://github.com/"),
        "https://id.example.com" => {
            // As Go writes it: with the scheme in lower case, for one.
            let written = Url::parse(claim("sub")).expect("a URL").to_string();
            assert_eq!(name, written);
            begins("https://example.com");
        }
        "https://issuer.enforce.dev" => begins("https://issuer.enforce.dev"),
        "https://spire.example.org" => {
            assert_eq!(name, claim("sub"));
            begins("spiffe://example.org/");
        }
        "https://token.actions.githubusercontent.com" => begins("https://github.com/"),
        _ if issuer.starts_with("https://container.googleapis.com/") => {
            begins("https://kubernetes.io/namespaces/");
        }
        _ => {}
    }
}

/// Has the certificate made, and reads it with another parser.
fn certified(principal: &Principal) {
    let serial = SerialNumber::from_random([3; 20]);
    let leaf = match CertificateProfile::CODE_SIGNING.leaf(principal, p256_spki(), serial, now()) {
        Ok(leaf) => leaf,
        // What no certificate can hold is refused.
        Err(Error::NotIa5(name)) => return assert!(!name.value().is_ascii()),
        Err(error) => panic!("{error}: {principal:?}"),
    };
    let issued = leaf.issued_by(AUTHORITY.issuer()).expect("an authority");
    let unsigned = issued.certificate(None);
    // Nobody verifies it here, and signing takes most of the time.
    let der = unsigned.signed(&[0x30, 6, 2, 1, 1, 2, 1, 1]);
    let certificate = Certificate::from_der(&der).expect("a certificate");
    assert_eq!(certificate.to_der().expect("what was read"), der.as_ref());
    let tbs = certificate.tbs_certificate();
    assert!(tbs.subject().is_empty());
    let extensions = tbs.extensions().map_or(&[][..], Vec::as_slice);
    let (mut names, mut facts) = (0, 0);
    for extension in extensions {
        let oid = extension.extn_id.to_string();
        let value = extension.extn_value.as_bytes();
        if oid == "2.5.29.17" {
            names += 1;
            let read = SubjectAltNames::from_der(value).expect("names").0;
            let [name] = &read[..] else {
                panic!("{read:?}");
            };
            let read = match (name, &principal.subject) {
                (GeneralName::Rfc822Name(name), SubjectAltName::Email(_))
                | (GeneralName::UniformResourceIdentifier(name), SubjectAltName::Uri(_)) => {
                    name.as_str().to_owned()
                }
                (GeneralName::OtherName(name), SubjectAltName::Username(_)) => {
                    assert_eq!(name.type_id.to_string(), SubjectAltName::USERNAME_OID);
                    let text = name.value.decode_as::<String>();
                    text.expect("a text")
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(read, principal.subject.value());
        } else if let Some(known) = Extension::from_oid(&oid) {
            facts += 1;
            let read = match known.encoding() {
                Encoding::Raw => String::from_utf8(value.to_vec()).expect("a text"),
                Encoding::Utf8String => String::from_der(value).expect("a text"),
            };
            assert_eq!(principal.extensions.value(known), Some(&*read), "{oid}");
        } else {
            let of_the_profile = ["2.5.29.14", "2.5.29.15", "2.5.29.35", "2.5.29.37"];
            assert!(of_the_profile.contains(&&*oid), "{oid}");
        }
    }
    assert_eq!((names, facts), (1, principal.extensions.iter().count()));
}
