//! What goes wrong while the signer is in use, and how it comes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod softhsm;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_pkcs11::Pkcs11Signer;
use fulcio_test_services::{causes, openssl_verifies};
use softhsm::{SoftHsm, softhsm};

const MESSAGE: &[u8] = b"a certificate to be signed";

fn faulty(hsm: &SoftHsm, deadline: Duration) -> Pkcs11Signer {
    hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
    let mut config = hsm.faulty_config();
    config.deadline = deadline;
    hsm.signer(config, "PKCS11CA").unwrap()
}

#[track_caller]
fn signs(hsm: &SoftHsm, signer: &Pkcs11Signer) {
    let signature = hsm.wait(signer.sign(MESSAGE));
    let signature = signature.unwrap_or_else(|error| panic!("{}", causes(&error)));
    openssl_verifies(signer, MESSAGE, &signature.0);
}

#[track_caller]
fn fails(hsm: &SoftHsm, signer: &Pkcs11Signer) -> (ErrorKind, String) {
    let error = hsm.wait(signer.sign(MESSAGE)).unwrap_err();
    (error.kind(), causes(&error))
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn gives_each_refusal_of_the_token_its_kind_and_goes_on_afterwards() {
    softhsm(|hsm| {
        let signer = faulty(hsm, LONG);
        signs(hsm, &signer);
        for (fault, kind, wanted) in [
            (
                "denied",
                ErrorKind::Denied,
                "C_SignInit answered KeyFunctionNotPermitted",
            ),
            ("exhausted", ErrorKind::Throttled, "DeviceMemory"),
            ("broken", ErrorKind::Unavailable, "DeviceError"),
            ("no-mechanism", ErrorKind::Invalid, "MechanismInvalid"),
        ] {
            hsm.tell(fault);
            let (found, text) = fails(hsm, &signer);
            assert_eq!(found, kind, "{text}");
            assert!(text.contains(wanted), "{text}");
            hsm.tell("");
            signs(hsm, &signer);
        }
    });
}

#[test]
fn never_gives_out_a_signature_that_does_not_verify() {
    softhsm(|hsm| {
        let signer = faulty(hsm, LONG);
        for fault in ["garbage", "short"] {
            hsm.tell(fault);
            let (kind, text) = fails(hsm, &signer);
            assert_eq!(kind, ErrorKind::WrongKey, "{text}");
        }
        hsm.tell("");
        signs(hsm, &signer);
    });
}

#[test]
fn signs_in_a_new_session_when_one_is_lost() {
    softhsm(|hsm| {
        let signer = faulty(hsm, LONG);
        signs(hsm, &signer);
        for _ in 0..8 {
            hsm.tell("lost-once");
            // The caller does not notice.
            signs(hsm, &signer);
            assert!(!hsm.path("told").exists(), "nothing was lost");
        }
        assert_eq!(hsm.logins(), 1);
    });
}

#[test]
fn logs_in_again_when_someone_has_logged_out() {
    softhsm(|hsm| {
        let signer = faulty(hsm, LONG);
        hsm.tell("logged-out");
        signs(hsm, &signer);
        assert_eq!(hsm.logins(), 2);
        // Every thread finds its way back.
        hsm.wait(fulcio_testkit::signer_conformance(&signer));
        assert_eq!(hsm.logins(), 2);
    });
}

#[test]
fn begins_anew_with_a_module_that_was_finalized() {
    softhsm(|hsm| {
        let signer = faulty(hsm, LONG);
        // No thread may be in the module when that is finalized.
        hsm.wait(fulcio_testkit::signer_conformance(&signer));
        hsm.tell("finalized");
        // At once, or as soon as it may begin anew.
        let begun = Instant::now();
        while let Err(error) = hsm.wait(signer.sign(MESSAGE)) {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", causes(&error));
            assert!(begun.elapsed() < LONG, "{}", causes(&error));
            thread::sleep(Duration::from_millis(50));
        }
        hsm.wait(fulcio_testkit::signer_conformance(&signer));
        assert_eq!(hsm.logins(), 2);
    });
}

#[test]
fn signs_nothing_with_a_key_that_was_destroyed_or_replaced() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.config(), "PKCS11CA").unwrap();
        signs(hsm, &signer);
        for kind in ["privkey", "pubkey"] {
            hsm.pkcs11_tool(&["--delete-object", "--type", kind, "--id", "01"]);
        }
        let (kind, text) = fails(hsm, &signer);
        assert_eq!(kind, ErrorKind::Invalid, "{text}");
        assert!(
            text.contains("no private key labelled \"PKCS11CA\""),
            "{text}"
        );

        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let (kind, text) = fails(hsm, &signer);
        assert_eq!(kind, ErrorKind::WrongKey, "{text}");
        assert!(text.contains("does not verify"), "{text}");
    });
}

#[test]
fn gives_up_on_a_token_that_is_slow_and_signs_when_it_is_not() {
    softhsm(|hsm| {
        let signer = faulty(hsm, Duration::from_millis(700));
        signs(hsm, &signer);
        hsm.tell("slow");
        let begun = Instant::now();
        let (kind, text) = fails(hsm, &signer);
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(kind, ErrorKind::Unavailable);
        assert!(text.contains("did not answer within 0.7 s"), "{text}");
        hsm.tell("");
        // Another thread signs while the first one waits for the token.
        signs(hsm, &signer);
    });
}

#[test]
fn does_not_let_signatures_wait_without_end() {
    softhsm(|hsm| {
        let signer = faulty(hsm, Duration::from_millis(200));
        hsm.tell("slow");
        let kinds = hsm.wait(async {
            let mut signings: Vec<_> = (0..1200).map(|_| signer.sign(MESSAGE)).collect();
            let mut kinds = Vec::new();
            // Each is begun before the first one is waited for.
            std::future::poll_fn(|context| {
                signings.retain_mut(|signing| match signing.as_mut().poll(context) {
                    std::task::Poll::Ready(answer) => {
                        kinds.push(answer.unwrap_err().kind());
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                match signings.is_empty() {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }
            })
            .await;
            kinds
        });
        let busy = kinds.iter().filter(|kind| **kind == ErrorKind::Throttled);
        assert!(busy.count() >= 150, "{kinds:?}");
    });
}

#[test]
fn finds_a_token_again_that_was_taken_out_and_put_back() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.config(), "PKCS11CA").unwrap();
        signs(hsm, &signer);

        let (there, away) = (hsm.path("tokens"), hsm.path("away"));
        fs::rename(&there, &away).unwrap();
        fs::create_dir(&there).unwrap();
        let (kind, text) = fails(hsm, &signer);
        println!("taken out: {kind:?} {text}");
        assert_ne!(kind, ErrorKind::WrongKey, "{text}");

        fs::remove_dir(&there).unwrap();
        fs::rename(&away, &there).unwrap();
        let begun = Instant::now();
        while let Err(error) = hsm.wait(signer.sign(MESSAGE)) {
            println!("put back: {}", causes(&error));
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{}",
                causes(&error)
            );
            thread::sleep(Duration::from_millis(100));
        }
        hsm.wait(fulcio_testkit::signer_conformance(&signer));
    });
}
