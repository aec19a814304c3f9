//! OpenSSL's opinion of what is written, and our opinion of what OpenSSL writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::{fs, path::Path};

use authority::{Authority, Key, ada, leaf, named, now, openssl};
use der::Decode;
use fulcio_cert_builder::{CaChain, CaTemplate, Error, pem};
use fulcio_principal::SubjectAltName;
use pki_types::{CertificateDer, pem::PemObject};
use x509_cert::Certificate;

const PROOF_TIME: &str = "1790000030";

fn write(folder: &Path, name: &str, certificate: &CertificateDer<'_>) {
    fs::write(folder.join(name), pem(certificate)).unwrap();
}

#[test]
fn openssl_verifies_leaves_of_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let chain = authority.chain();
    write(folder.path(), "root.pem", &authority.root);
    write(folder.path(), "intermediate.pem", &authority.intermediate);
    for name in [
        SubjectAltName::Email("ada@example.com".into()),
        SubjectAltName::Uri("https://example.com/ada".into()),
        SubjectAltName::Username("ada!example.com".into()),
    ] {
        let leaf = leaf(&named(name));
        let issued = leaf.issued_by(chain.issuer()).unwrap();
        let certificate = authority.key.sign(issued.certificate(None));
        write(folder.path(), "leaf.pem", &certificate);
        let verdict = openssl(
            folder.path(),
            &[
                "verify",
                "-x509_strict",
                "-purpose",
                "any",
                "-attime",
                PROOF_TIME,
                "-CAfile",
                "root.pem",
                "-untrusted",
                "intermediate.pem",
                "leaf.pem",
            ],
        );
        assert_eq!(verdict.unwrap(), "leaf.pem: OK\n");
    }
}

#[test]
fn openssl_verifies_a_leaf_of_the_ephemeral_root() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::p256();
    let root = CaTemplate::ephemeral()
        .unsigned(key.spki(), authority::serial(), now(), None)
        .unwrap();
    let root = key.sign(root);
    write(folder.path(), "root.pem", &root);
    let chain = CaChain::new(vec![root], now()).unwrap();
    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    write(
        folder.path(),
        "leaf.pem",
        &key.sign(issued.certificate(None)),
    );
    let verdict = openssl(
        folder.path(),
        &[
            "verify",
            "-x509_strict",
            "-attime",
            PROOF_TIME,
            "-CAfile",
            "root.pem",
            "leaf.pem",
        ],
    );
    assert_eq!(verdict.unwrap(), "leaf.pem: OK\n");
}

#[test]
fn openssl_refuses_a_precertificate_for_its_poison() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let chain = authority.chain();
    write(folder.path(), "root.pem", &authority.root);
    write(folder.path(), "intermediate.pem", &authority.intermediate);
    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    let precertificate = authority.key.sign(issued.precertificate());
    write(folder.path(), "leaf.pem", &precertificate);
    let verdict = openssl(
        folder.path(),
        &[
            "verify",
            "-attime",
            PROOF_TIME,
            "-CAfile",
            "root.pem",
            "-untrusted",
            "intermediate.pem",
            "leaf.pem",
        ],
    );
    let refusal = verdict.unwrap_err();
    assert!(
        refusal.contains("unhandled critical extension"),
        "{refusal}"
    );
}

#[test]
fn openssl_reads_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let chain = authority.chain();
    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    write(
        folder.path(),
        "leaf.pem",
        &authority.key.sign(issued.precertificate()),
    );
    let text = openssl(
        folder.path(),
        &["x509", "-noout", "-text", "-in", "leaf.pem"],
    )
    .unwrap();
    for expected in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA384",
        "Issuer: O = example.com, CN = intermediate",
        "Not Before: Sep 21 14:13:20 2026 GMT",
        "Not After : Sep 21 14:23:20 2026 GMT",
        "Subject: \n",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                Code Signing\n",
        "X509v3 Subject Key Identifier:",
        "X509v3 Authority Key Identifier:",
        "X509v3 Subject Alternative Name: critical\n                email:ada@example.com\n",
        "1.3.6.1.4.1.57264.1.8: \n                ..https://accounts.example.com\n",
        "CT Precertificate Poison: critical\n                NULL\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

/// An authority that OpenSSL makes: `algorithm` and its options for `genpkey`, and more arguments
/// for the signature and the certificates.
fn made_by_openssl(
    folder: &Path,
    algorithm: &[&str],
    signature: &[&str],
    root_extensions: &[&str],
) -> Result<CaChain, Error> {
    let run = |arguments: &[&[&str]]| {
        let arguments = arguments.concat();
        openssl(folder, &arguments).unwrap_or_else(|text| panic!("{arguments:?}: {text}"))
    };
    for key in ["root.key", "intermediate.key"] {
        run(&[&["genpkey", "-out", key], algorithm]);
    }
    let mut root = vec![
        "req",
        "-x509",
        "-new",
        "-key",
        "root.key",
        "-subj",
        "/O=OpenSSL/CN=root",
        "-days",
        "30",
        "-out",
        "root.pem",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    ];
    for extension in root_extensions {
        root.extend(["-addext", extension]);
    }
    run(&[&root, signature]);
    run(&[&[
        "req",
        "-new",
        "-key",
        "intermediate.key",
        "-subj",
        "/O=OpenSSL/CN=intermediate",
        "-out",
        "intermediate.csr",
    ]]);
    fs::write(
        folder.join("extensions"),
        "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
         extendedKeyUsage=codeSigning\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    )
    .unwrap();
    run(&[
        &[
            "x509",
            "-req",
            "-in",
            "intermediate.csr",
            "-CA",
            "root.pem",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "20",
            "-extfile",
            "extensions",
            "-out",
            "intermediate.pem",
        ],
        signature,
    ]);
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let text = read("intermediate.pem") + &read("root.pem");

    // OpenSSL's certificates begin when they are made; the intermediate is the younger one.
    let intermediate = CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
    let intermediate = Certificate::from_der(&intermediate).unwrap();
    let start = intermediate.tbs_certificate().validity().not_before;
    CaChain::from_pem(text.as_bytes(), start.to_system_time())
}

#[test]
fn chains_of_every_algorithm_are_accepted() {
    let p256 = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..];
    let p384 = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"][..];
    let p521 = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"][..];
    let rsa = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..];
    let ed25519 = &["-algorithm", "ED25519"][..];
    let pss = |hash| {
        [
            hash,
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:digest",
        ]
    };
    for (algorithm, signature) in [
        (p256, &["-sha256"][..]),
        (p256, &["-sha384"]),
        (p256, &["-sha512"]),
        (p384, &["-sha256"]),
        (p384, &["-sha384"]),
        (p384, &["-sha512"]),
        (p521, &["-sha256"]),
        (p521, &["-sha384"]),
        (p521, &["-sha512"]),
        (rsa, &["-sha256"]),
        (rsa, &["-sha384"]),
        (rsa, &["-sha512"]),
        (rsa, &pss("-sha256")),
        (rsa, &pss("-sha384")),
        (rsa, &pss("-sha512")),
        (ed25519, &[]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        made_by_openssl(folder.path(), algorithm, signature, &[])
            .unwrap_or_else(|error| panic!("{algorithm:?} {signature:?}: {error}"));
    }
}

#[test]
fn sha1_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let error = made_by_openssl(folder.path(), &p256, &["-sha1"], &[]).unwrap_err();
    assert!(
        matches!(&error, Error::SignatureAlgorithm { link, algorithm }
            if link.number == 1 && algorithm == "1.2.840.10045.4.1"),
        "{error}"
    );
}

#[test]
fn usual_name_constraints_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let usual = "nameConstraints=critical,permitted;email:example.com,excluded;DNS:example.org,\
                 permitted;URI:.example.com,permitted;IP:10.0.0.0/255.0.0.0";
    let chain = made_by_openssl(folder.path(), &p256, &["-sha256"], &[usual]).unwrap();
    let constraints: Vec<_> = chain.name_constraints().collect();
    assert_eq!(constraints.len(), 1);
    assert!(constraints[0].windows(11).any(|it| it == b"example.com"));
}

#[test]
fn critical_name_constraints_that_nobody_applies_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let odd = "nameConstraints=critical,permitted;RID:1.2.3.4";
    let error = made_by_openssl(folder.path(), &p256, &["-sha256"], &[odd]).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownCriticalExtension { oid, .. } if oid == "2.5.29.30"),
        "{error}"
    );
}
