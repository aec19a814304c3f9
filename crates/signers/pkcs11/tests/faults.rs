//! What becomes of a login, of sessions and of a token that is pulled out, and the suite with a
//! token that is made to fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod softhsm;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use fulcio_cert_builder::CaChain;
use fulcio_issuance::{Clock as _, IssuingKey, IssuingKeyError, SystemClock};
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_pkcs11::{FULCIO_KEY_LABEL, Token};
use fulcio_test_services::{causes, openssl_verifies};
use fulcio_testkit::{signer::Suite, signer_conformance};
use pki_types::CertificateDer;
use softhsm::{PIN, softhsm};

const MESSAGE: &[u8] = b"a certificate to be signed";

#[test]
fn conforms_whatever_its_token_does() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.faulty_config(), "PKCS11CA").unwrap();
        let mut hasty = hsm.faulty_config();
        hasty.deadline = Duration::from_millis(700);
        let hasty = hsm.signer(hasty, "PKCS11CA").unwrap();
        let suite = Suite::new();
        let report = hsm.wait(async {
            let mut report = suite.inspect(&signer).await;
            for garbage in ["garbage", "short"] {
                hsm.tell(garbage);
                report = report.and(suite.wrong_key(&signer).await);
            }
            for (fault, kind) in [
                ("broken", ErrorKind::Unavailable),
                ("denied", ErrorKind::Denied),
                ("exhausted", ErrorKind::Throttled),
                ("no-mechanism", ErrorKind::Invalid),
            ] {
                hsm.tell(fault);
                report = report.and(suite.failing(&signer, kind).await);
            }
            hsm.tell("slow");
            report.and(suite.slow(&hasty).await)
        });
        println!("{report}");
        assert!(report.conforms(), "{report}");
    });
}

#[test]
fn says_that_the_token_was_pulled_out_and_signs_when_it_is_back() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.faulty_config(), "PKCS11CA").unwrap();
        hsm.wait(signer.sign(MESSAGE)).unwrap();

        hsm.tell("removed");
        for _ in 0..3 {
            let error = hsm.wait(signer.sign(MESSAGE)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", causes(&error));
            let text = causes(&error);
            assert!(text.contains("no token labelled \"fulcio\""), "{text}");
        }
        hsm.tell("");
        let signature = hsm.wait(signer.sign(MESSAGE)).unwrap();
        openssl_verifies(&signer, MESSAGE, &signature.0);
        // Whether the token kept the login or not, it was asked for once more at most.
        assert!(hsm.logins() <= 2, "{}", hsm.logins());
    });
}

#[test]
fn tries_a_pin_once_that_was_changed_while_it_signed() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.faulty_config(), "PKCS11CA").unwrap();
        hsm.wait(signer.sign(MESSAGE)).unwrap();
        assert_eq!(hsm.logins(), 1);

        // Nobody is logged in any longer, and the PIN is another one.
        hsm.tell("pin-changed");
        for _ in 0..20 {
            let error = hsm.wait(signer.sign(MESSAGE)).unwrap_err();
            let text = causes(&error);
            assert_eq!(error.kind(), ErrorKind::Denied, "{text}");
            assert!(text.contains("does not take the PIN"), "{text}");
            assert!(!text.contains(PIN), "{text}");
        }
        assert_eq!(hsm.logins(), 2);
    });
}

#[test]
fn issues_nothing_under_the_certificate_of_another_key() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        hsm.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout key.pem \
             -subj /O=Example/CN=root -addext keyUsage=critical,keyCertSign,cRLSign \
             -outform DER -out cert.der",
        );
        let certificate = CertificateDer::from(fs::read(hsm.path("cert.der")).unwrap());
        let (signer, stored) = hsm.wait(async {
            let token = Token::open(hsm.config()).await.unwrap();
            let label = FULCIO_KEY_LABEL;
            let done = token.import_certificate(b"99", label, &certificate).await;
            done.unwrap();
            let signer = token.fulcio_signer(label, b"99").await.unwrap();
            (signer, token.certificate(b"99").await.unwrap().unwrap())
        });
        let chain = CaChain::new(vec![stored], SystemClock.now()).unwrap();
        let error = IssuingKey::new(chain, Box::new(signer)).unwrap_err();
        assert!(matches!(error, IssuingKeyError::KeyMismatch), "{error}");
    });
}

#[test]
fn opens_no_more_sessions_than_it_may_and_keeps_them() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let mut config = hsm.faulty_config();
        config.max_sessions = 4;
        let signer = hsm.signer(config, "PKCS11CA").unwrap();
        // Three to sign in, and the one that keeps the login.
        wait_until(|| (threads(), hsm.sessions()) == (3, 4));
        for _ in 0..3 {
            hsm.wait(signer_conformance(&signer));
        }
        assert_eq!((threads(), hsm.sessions()), (3, 4));
        drop(signer);
        wait_until(|| threads() == 0);
    });
}

#[track_caller]
fn wait_until(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(5));
    }
}

/// How many threads of this process sign in a token.
fn threads() -> usize {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")).ok())
        .filter(|name| name.trim_end() == "pkcs11-sign")
        .count()
}
