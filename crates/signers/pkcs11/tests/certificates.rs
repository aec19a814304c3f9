//! Certificates in a token.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod softhsm;

use std::fs;

use fulcio_signer_pkcs11::{Error, Token};
use pki_types::CertificateDer;
use softhsm::{SoftHsm, softhsm};

fn certificate(hsm: &SoftHsm) -> CertificateDer<'static> {
    hsm.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -set_serial 0xF00F \
         -subj /O=Example/CN=root -outform DER -out cert.der",
    );
    fs::read(hsm.path("cert.der")).unwrap().into()
}

#[test]
fn stores_a_certificate_where_other_tools_find_it() {
    softhsm(|hsm| {
        let certificate = certificate(hsm);
        hsm.wait(async {
            let token = Token::open(hsm.config()).await.unwrap();
            assert_eq!(token.certificate(b"99").await.unwrap(), None);
            token
                .import_certificate(b"99", "PKCS11CA", &certificate)
                .await
                .unwrap();
            assert_eq!(
                token.certificate(b"99").await.unwrap().unwrap(),
                certificate
            );
            assert_eq!(token.certificate(b"98").await.unwrap(), None);
        });
        let shown = hsm.pkcs11_tool(&["--list-objects", "--type", "cert"]);
        for wanted in ["PKCS11CA", "O=Example, CN=root", "serial:     F00F", "3939"] {
            assert!(shown.contains(wanted), "{wanted} is missing: {shown}");
        }
        let file = hsm.path("read.der");
        let read = [
            "--read-object",
            "--type",
            "cert",
            "--id",
            "3939",
            "--output-file",
        ];
        hsm.pkcs11_tool(&[&read[..], &[file.to_str().unwrap()]].concat());
        assert_eq!(fs::read(file).unwrap(), certificate.as_ref());
    });
}

#[test]
fn stores_nothing_that_is_no_certificate() {
    softhsm(|hsm| {
        hsm.wait(async {
            let token = Token::open(hsm.config()).await.unwrap();
            let garbage = CertificateDer::from(vec![0x30, 0]);
            let refused = token.import_certificate(b"99", "x", &garbage).await;
            assert!(matches!(refused, Err(Error::CertificateMalformed { .. })));
            assert_eq!(token.certificate(b"99").await.unwrap(), None);
        });
    });
}
