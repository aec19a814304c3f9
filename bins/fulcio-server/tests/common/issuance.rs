use std::{fs, path::Path};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_client::ClientKey;
use serde_json::{Value, json};

use super::{Answer, IdpServer, Server, openssl, post_json};

/// A request for a certificate of ada@example.com, with a new key.
pub(crate) fn signing_request(idp: &IdpServer) -> Value {
    let csr = ClientKey::generate()
        .unwrap()
        .certificate_request()
        .unwrap();
    json!({
        "credentials": {"oidcIdentityToken": idp.token("ada@example.com")},
        "certificateSigningRequest": BASE64_STANDARD.encode(csr),
    })
}

/// Asks for a certificate of ada@example.com.
#[track_caller]
pub(crate) fn request(server: &Server, idp: &IdpServer) -> Answer {
    let request = signing_request(idp);
    post_json(&server.url("/api/v2/signingCert"), &request)
}

/// The chain in a good answer, in PEM, the new certificate first.
#[track_caller]
pub(crate) fn chain(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    // With a log, the timestamp is in the certificate.
    let kinds = [
        "signedCertificateDetachedSct",
        "signedCertificateEmbeddedSct",
    ];
    let answer = kinds.into_iter().find_map(|kind| answer.get(kind));
    pems(&answer.unwrap()["chain"])
}

/// The certificates of one chain.
pub(crate) fn pems(chain: &Value) -> Vec<String> {
    serde_json::from_value(chain["certificates"].clone()).unwrap()
}

/// Asks for a certificate, which OpenSSL verifies by the root in a file of `folder`.
#[track_caller]
pub(crate) fn issues(server: &Server, idp: &IdpServer, folder: &Path, root: &str) {
    let answer = request(server, idp);
    assert_eq!(answer.status, 200, "{}{}", answer.text(), server.output());
    let chain = chain(&answer);
    let wanted = fs::read_to_string(folder.join(root)).unwrap();
    assert_eq!(chain.last().unwrap().trim(), wanted.trim());
    fs::write(folder.join("leaf.pem"), &chain[0]).unwrap();
    let verify = ["verify", "-x509_strict", "-CAfile", root];
    openssl(
        folder,
        &[&verify[..], &["-purpose", "any", "leaf.pem"]].concat(),
    );
    let shown = openssl(folder, &["x509", "-in", "leaf.pem", "-noout", "-text"]);
    assert!(shown.contains("email:ada@example.com"), "{shown}");
}
