//! Key files that openssl writes are read, and openssl accepts what they sign.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod openssl;

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_file::FileSigner;
use fulcio_testkit::signer_conformance;
use openssl::Folder;
use zeroize::Zeroizing;

const ECDSA: [(&str, Algorithm); 3] = [
    ("P-256", Algorithm::EcdsaP256Sha256),
    ("P-384", Algorithm::EcdsaP384Sha384),
    ("P-521", Algorithm::EcdsaP521Sha512),
];
const PASSWORD: &str = "correct-horse";

/// Opens `name`, and lets openssl judge the key and a signature of it.
async fn judged(folder: &Folder, name: &str, algorithm: Algorithm) -> FileSigner {
    let password = Zeroizing::new(PASSWORD.to_owned());
    let signer = FileSigner::open(folder.file(name), Some(&password))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(signer.algorithm(), algorithm, "{name}");
    assert_eq!(
        signer.public_key().as_ref(),
        folder.public_key_of(name, PASSWORD),
        "{name}"
    );
    let message = b"to be signed";
    let signature = signer.sign(message).await.unwrap();
    assert!(folder.accepts(&signer, message, &signature.0), "{name}");
    assert!(!folder.accepts(&signer, b"another", &signature.0), "{name}");
    signer
}

#[tokio::test]
async fn reads_ecdsa_in_pkcs8_and_in_sec1() {
    let folder = Folder::new();
    for (curve, algorithm) in ECDSA {
        folder.openssl(&format!(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve} -out pkcs8.pem"
        ));
        folder.openssl("ec -in pkcs8.pem -out sec1.pem");
        folder.openssl("ec -in pkcs8.pem -no_public -out bare.pem");
        let signer = judged(&folder, "pkcs8.pem", algorithm).await;
        signer_conformance(&signer).await;
        for name in ["sec1.pem", "bare.pem"] {
            let same = judged(&folder, name, algorithm).await;
            assert_eq!(same.public_key(), signer.public_key(), "{curve} {name}");
        }
    }
}

#[tokio::test]
async fn reads_ecdsa_behind_the_curve_that_openssl_writes_before_it() {
    let folder = Folder::new();
    folder.openssl("ecparam -name secp384r1 -genkey -out key.pem");
    let text = std::fs::read_to_string(folder.file("key.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN EC PARAMETERS-----"), "{text}");
    judged(&folder, "key.pem", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn reads_rsa_in_pkcs8_and_in_pkcs1() {
    let folder = Folder::new();
    for bits in [2048, 3072, 4096] {
        folder.openssl(&format!(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out pkcs8.pem"
        ));
        folder.openssl("rsa -in pkcs8.pem -traditional -out pkcs1.pem");
        let signer = judged(&folder, "pkcs8.pem", Algorithm::RsaPkcs1Sha256).await;
        let same = judged(&folder, "pkcs1.pem", Algorithm::RsaPkcs1Sha256).await;
        assert_eq!(same.public_key(), signer.public_key(), "{bits}");
        if bits == 2048 {
            signer_conformance(&signer).await;
        }
    }
}

#[tokio::test]
async fn reads_ed25519_without_its_public_half() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm ED25519 -out key.pem");
    let signer = judged(&folder, "key.pem", Algorithm::Ed25519).await;
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn reads_every_kind_of_key_under_a_password() {
    let folder = Folder::new();
    for (make, algorithm) in [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            Algorithm::EcdsaP256Sha256,
        ),
        ("-algorithm ED25519", Algorithm::Ed25519),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            Algorithm::RsaPkcs1Sha256,
        ),
    ] {
        folder.openssl(&format!(
            "genpkey {make} -aes256 -pass pass:{PASSWORD} -out key.pem"
        ));
        judged(&folder, "key.pem", algorithm).await;
    }
}

#[tokio::test]
async fn reads_the_ways_in_which_openssl_encrypts_today() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out plain.pem");
    for way in [
        "-v2 aes-128-cbc",
        "-v2 aes-256-cbc -iter 10000",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 1000",
        "-scrypt -scrypt_N 1024",
    ] {
        folder.openssl(&format!(
            "pkcs8 -topk8 -in plain.pem {way} -passout pass:{PASSWORD} -out key.pem"
        ));
        judged(&folder, "key.pem", Algorithm::EcdsaP384Sha384).await;
    }
}

#[tokio::test]
async fn reads_a_key_among_certificates_and_with_windows_line_ends() {
    let folder = Folder::new();
    folder.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout key.pem -out certificate.pem",
    );
    let certificate = std::fs::read_to_string(folder.file("certificate.pem")).unwrap();
    let key = std::fs::read_to_string(folder.file("key.pem")).unwrap();
    folder.write("both.pem", format!("{certificate}{key}"));
    folder.write("windows.pem", key.replace('\n', "\r\n"));
    folder.write("text.pem", format!("a key of ours\n{key}"));
    for name in ["both.pem", "windows.pem", "text.pem"] {
        judged(&folder, name, Algorithm::EcdsaP256Sha256).await;
    }
}

#[tokio::test]
async fn does_not_use_a_password_that_is_not_needed() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm ED25519 -out key.pem");
    let password = Zeroizing::new("whatever".to_owned());
    FileSigner::open(folder.file("key.pem"), Some(&password)).unwrap();
    FileSigner::open(folder.file("key.pem"), None).unwrap();
}

#[tokio::test]
async fn reads_what_openssl_encrypted_before_pkcs8() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec.pem");
    folder.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    for (kind, algorithm) in [
        ("ec", Algorithm::EcdsaP384Sha384),
        ("rsa", Algorithm::RsaPkcs1Sha256),
    ] {
        for cipher in ["aes128", "aes192", "aes256", "des3"] {
            folder.openssl(&format!(
                "{kind} -in {kind}.pem -{cipher} -passout pass:{PASSWORD} -out {cipher}.pem {}",
                if kind == "rsa" { "-traditional" } else { "" }
            ));
            let file = format!("{cipher}.pem");
            let text = std::fs::read_to_string(folder.file(&file)).unwrap();
            assert!(text.contains("Proc-Type: 4,ENCRYPTED"), "{text}");
            judged(&folder, &file, algorithm).await;

            folder.write("crlf.pem", text.replace('\n', "\r\n"));
            judged(&folder, "crlf.pem", algorithm).await;
        }
    }
}

#[tokio::test]
async fn reads_what_cosign_encrypts() {
    let folder = Folder::new();
    let made = |name: &str| {
        let file = format!("{}/tests/cosign/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(file).unwrap()
    };
    let password = Zeroizing::new(PASSWORD.to_owned());
    for (name, algorithm) in [
        ("p256", Algorithm::EcdsaP256Sha256),
        ("p384", Algorithm::EcdsaP384Sha384),
        ("rsa", Algorithm::RsaPkcs1Sha256),
        ("ed25519", Algorithm::Ed25519),
    ] {
        let text = made(&format!("{name}.key"));
        // Its first versions had another name for the same.
        for label in ["SIGSTORE", "COSIGN"] {
            let file = folder.write("cosign.key", text.replace("SIGSTORE", label));
            let signer = FileSigner::open(file, Some(&password)).unwrap();
            assert_eq!(signer.algorithm(), algorithm, "{name}");
            folder.write("cosign.pub", made(&format!("{name}.pub")));
            folder.openssl("pkey -pubin -in cosign.pub -outform DER -out cosign.der");
            let public = std::fs::read(folder.file("cosign.der")).unwrap();
            assert_eq!(signer.public_key().as_ref(), public, "{name}");
            let signature = signer.sign(b"message").await.unwrap();
            assert!(folder.accepts(&signer, b"message", &signature.0), "{name}");
        }
    }
}
