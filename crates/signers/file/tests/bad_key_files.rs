//! Each thing that is wrong with a key file has its own answer, which names the file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "nothing is signed here")]
mod openssl;

use std::{fs, path::PathBuf};

use fulcio_signer_file::{Error, FileSigner, KeyError};
use openssl::Folder;
use proptest::prelude::*;
use zeroize::Zeroizing;

fn password(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Opens with the password `right`, and gives what is wrong and how that reads.
fn refused(file: PathBuf) -> (KeyError, String) {
    match FileSigner::open(&file, Some(&password("right"))) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with(file.to_str().unwrap()), "{text}");
            assert!(!text.contains('\n'), "{text}");
            match error {
                Error::Key { source, .. } => (source, text),
                other => panic!("{other:?}"),
            }
        }
        Ok(signer) => panic!("{signer:?}"),
    }
}

macro_rules! assert_refused {
    ($file:expr, $pattern:pat, $hint:expr) => {{
        let (error, text) = refused($file);
        assert!(matches!(error, $pattern), "{error:?}");
        assert!(text.contains($hint), "{text}");
    }};
}

fn folder_with_key() -> Folder {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    folder
}

#[test]
fn refuses_a_wrong_password_and_a_missing_one() {
    let folder = folder_with_key();
    // Among these, some end in padding that looks right.
    for number in 0..8 {
        folder.openssl(&format!(
            "pkcs8 -topk8 -in key.pem -iter 100 -passout pass:wrong{number} -out closed.pem"
        ));
        assert_refused!(
            folder.file("closed.pem"),
            KeyError::WrongPassword,
            "password"
        );
    }
    let error = FileSigner::open(folder.file("closed.pem"), None).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Key {
                source: KeyError::PasswordMissing,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("give its password"), "{error}");
}

#[test]
fn refuses_a_file_that_cannot_be_read() {
    let folder = Folder::new();
    for file in [folder.file("absent.pem"), folder.file("")] {
        let error = FileSigner::open(&file, None).unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with(file.to_str().unwrap()), "{text}");
        assert!(text.contains("check the path"), "{text}");
    }
}

#[test]
fn refuses_a_file_without_a_private_key_and_says_what_it_has() {
    let folder = folder_with_key();
    folder.openssl("pkey -in key.pem -pubout -out public.pem");
    let key = fs::read(folder.file("key.pem")).unwrap();
    let text = String::from_utf8(key).unwrap();
    assert_refused!(
        folder.file("public.pem"),
        KeyError::NotAKey { found: Some(_) },
        "only PUBLIC KEY"
    );
    for (name, content) in [
        ("empty.pem", String::new()),
        ("noise.pem", "not a key at all".to_owned()),
        ("large.pem", "x".repeat(100_000)),
        ("late.pem", format!("{}{text}", "x".repeat(100_000))),
    ] {
        assert_refused!(
            folder.write(name, content),
            KeyError::NotAKey { found: None },
            "BEGIN PRIVATE KEY"
        );
    }
    assert_refused!(
        PathBuf::from("/dev/zero"),
        KeyError::NotAKey { found: None },
        "no private key"
    );
}

#[test]
fn says_how_to_convert_what_is_encrypted_in_an_old_way() {
    let folder = folder_with_key();
    folder.openssl("pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-3DES -passout pass:right -out pbes1.pem");
    folder.openssl("pkcs8 -topk8 -in key.pem -v2 des3 -passout pass:right -out des.pem");
    folder.openssl(
        "pkcs8 -topk8 -in key.pem -v2 aes-256-cbc -v2prf hmacWithSHA1 -passout pass:right -out sha1.pem",
    );
    for name in ["pbes1.pem", "des.pem", "sha1.pem"] {
        assert_refused!(
            folder.file(name),
            KeyError::EncryptionUnsupported { .. },
            "openssl pkcs8 -topk8"
        );
    }
}

#[test]
fn refuses_a_wrong_password_for_a_key_in_the_old_pem_way() {
    let folder = folder_with_key();
    for number in 0..8 {
        for cipher in ["aes256", "des3"] {
            folder.openssl(&format!(
                "ec -in key.pem -{cipher} -passout pass:wrong{number} -out legacy.pem"
            ));
            assert_refused!(
                folder.file("legacy.pem"),
                KeyError::WrongPassword,
                "password"
            );
        }
    }
    let error = FileSigner::open(folder.file("legacy.pem"), None).unwrap_err();
    assert!(error.to_string().contains("give its password"), "{error}");
}

#[test]
fn refuses_headers_in_a_block_that_do_not_say_how_it_is_encrypted() {
    let folder = folder_with_key();
    folder.openssl("ec -in key.pem -aes256 -passout pass:right -out legacy.pem");
    let text = fs::read_to_string(folder.file("legacy.pem")).unwrap();
    let info = text
        .lines()
        .find(|line| line.starts_with("DEK-Info"))
        .unwrap();
    for (wrong, what) in [
        ("", "missing"),
        ("DEK-Info: AES-256-CBC", "DEK-Info"),
        ("DEK-Info: AES-256-CBC,", "DEK-Info"),
        ("DEK-Info: AES-256-CBC,00", "DEK-Info"),
        (
            "DEK-Info: AES-256-CBC,+0000000000000000000000000000000",
            "DEK-Info",
        ),
    ] {
        assert_refused!(
            folder.write("wrong.pem", text.replace(info, wrong)),
            KeyError::Malformed { .. },
            what
        );
    }
    for cipher in ["DES-CBC", "AES-256-GCM"] {
        let wrong = text.replace("AES-256-CBC", cipher);
        assert_refused!(
            folder.write("wrong.pem", wrong),
            KeyError::EncryptionUnsupported { .. },
            cipher
        );
    }
}

#[test]
fn refuses_a_wrong_password_and_a_damaged_box_for_a_key_of_cosign() {
    let folder = Folder::new();
    let json = |n: u32, cipher: &str, ciphertext: &str| {
        format!(
            r#"{{"kdf":{{"name":"scrypt","params":{{"N":{n},"r":8,"p":1}},"salt":"AAAA"}},
            "cipher":{{"name":"{cipher}","nonce":"{}"}},"ciphertext":"{ciphertext}"}}"#,
            "A".repeat(32)
        )
    };
    let block = |json: &str| {
        folder.write("json", json);
        folder.openssl("base64 -in json -out base64");
        let base64 = fs::read_to_string(folder.file("base64")).unwrap();
        let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
        let text = format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n");
        folder.write("cosign.key", text)
    };
    let data = "A".repeat(200);
    for (content, what) in [
        ("{}".to_owned(), "sigstore"),
        ("garbage".to_owned(), "sigstore"),
        (json(1 << 15, "aes", &data), "sigstore"),
        (json(1 << 15, "nacl/secretbox", "AAAA"), "sigstore"),
        (json(1 << 15, "nacl/secretbox", "*"), "sigstore"),
        (json(1 << 30, "nacl/secretbox", &data), "scrypt"),
        (json(3, "nacl/secretbox", &data), "scrypt"),
    ] {
        assert_refused!(block(&content), KeyError::Malformed { .. }, what);
    }
    let right_shape = json(1 << 15, "nacl/secretbox", &data);
    assert_refused!(
        block(&right_shape),
        KeyError::WrongPassword,
        "does not open"
    );

    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cosign/p256.key");
    assert_refused!(
        PathBuf::from(made),
        KeyError::WrongPassword,
        "does not open"
    );
    let error = FileSigner::open(made, None).unwrap_err();
    assert!(error.to_string().contains("give its password"), "{error}");
}

#[test]
fn refuses_keys_of_other_kinds() {
    let folder = Folder::new();
    for (make, what) in [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "1.3.132.0.10",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
            "1.3.132.0.33",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            "not named",
        ),
        ("-algorithm X25519", "1.3.101.110"),
        (
            "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
            "1.2.840.113549.1.1.10",
        ),
    ] {
        folder.openssl(&format!("genpkey {make} -out other.pem"));
        assert_refused!(folder.file("other.pem"), KeyError::Unsupported { .. }, what);
    }
    let openssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    assert_refused!(
        folder.write("ssh.pem", openssh),
        KeyError::Unsupported { .. },
        "OPENSSH"
    );
}

#[test]
fn refuses_rsa_keys_that_are_too_short_or_too_long() {
    let folder = Folder::new();
    for bits in [1024, 2047, 4104] {
        folder.openssl(&format!("genrsa -out rsa.pem {bits}"));
        let hint = format!("{bits} bits");
        assert_refused!(
            folder.file("rsa.pem"),
            KeyError::RsaLength { .. },
            hint.as_str()
        );
    }
}

#[test]
fn refuses_a_key_that_is_damaged() {
    let folder = folder_with_key();
    let text = fs::read_to_string(folder.file("key.pem")).unwrap();
    let cut = &text[..text.len() / 2];
    assert_refused!(
        folder.write("cut.pem", cut),
        KeyError::Malformed { .. },
        "END line"
    );
    assert_refused!(
        folder.write("base64.pem", text.replacen('M', "*", 1)),
        KeyError::Malformed { .. },
        "base64"
    );
    let label = "EC PRIVATE KEY";
    assert_refused!(
        folder.write("label.pem", text.replace("PRIVATE KEY", label)),
        KeyError::Malformed { .. },
        "SEC 1"
    );
}

#[test]
fn refuses_a_key_whose_halves_are_of_different_keys() {
    let folder = folder_with_key();
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem");
    folder.openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    folder.openssl("pkcs8 -topk8 -nocrypt -in other.pem -outform DER -out other.der");
    let mut der = fs::read(folder.file("key.der")).unwrap();
    let other = fs::read(folder.file("other.der")).unwrap();
    let public = der.len() - 64;
    der[public..].copy_from_slice(&other[public..]);
    folder.write("mixed.der", &der);
    folder.openssl("base64 -in mixed.der -out mixed.b64");
    let base64 = fs::read_to_string(folder.file("mixed.b64")).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}-----END PRIVATE KEY-----\n");
    assert_refused!(
        folder.write("mixed.pem", pem),
        KeyError::Rejected(_),
        "not a valid key"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn survives_any_file(content in proptest::collection::vec(any::<u8>(), 0..400)) {
        let folder = Folder::new();
        refused(folder.write("any.pem", content));
    }

    #[test]
    fn survives_any_block(
        label in "[A-Z ]{0,30}|(EC |RSA |ENCRYPTED )?PRIVATE KEY",
        body in "[A-Za-z0-9+/=\r\n -]{0,200}",
    ) {
        let folder = Folder::new();
        let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        refused(folder.write("any.pem", text));
    }

    #[test]
    fn survives_any_header(
        label in "(EC |RSA |ENCRYPTED |ENCRYPTED SIGSTORE )?PRIVATE KEY",
        headers in proptest::collection::vec(
            "(Proc-Type: ?4,ENCRYPTED|DEK-Info: ?(AES-(128|192|256)|DES-EDE3)-CBC,([0-9A-F]{16}|[0-9A-F]{32})|[!-~]{0,9}:[ -~]{0,20})?",
            0..4,
        ),
        body in "(([A-Za-z0-9+/]{4}){0,16}\n){0,4}",
    ) {
        let folder = Folder::new();
        let headers = headers.join("\n");
        let text = format!("-----BEGIN {label}-----\n{headers}\n\n{body}-----END {label}-----\n");
        refused(folder.write("any.pem", text));
    }
}
