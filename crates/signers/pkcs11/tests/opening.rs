//! What the operator is told when a token or a key cannot be opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod softhsm;

use std::{fs, time::Duration};

use cryptoki::{
    context::Pkcs11,
    object::{Attribute, ObjectClass},
    session::UserType,
};
use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_pkcs11::{Config, Error, KeyReference, Token, TokenChoice};
use fulcio_test_services::causes;
use softhsm::{LABEL, PIN, SoftHsm, softhsm};

#[track_caller]
fn refused(hsm: &SoftHsm, config: Config, key: &KeyReference) -> Error {
    let opened = hsm.wait(async {
        let token = Token::open(config).await?;
        token.signer(key).await
    });
    let error = opened.map(|signer| panic!("{signer:?}")).unwrap_err();
    let text = causes(&error);
    assert!(!text.contains(PIN) && !text.contains("9999"), "{text}");
    error
}

fn key() -> KeyReference {
    KeyReference::label("PKCS11CA")
}

#[test]
fn names_a_module_that_is_missing_or_is_none() {
    softhsm(|hsm| {
        let mut config = hsm.config();
        config.module = "/nowhere/libsofthsm.so".into();
        let text = causes(&refused(hsm, config, &key()));
        assert!(
            text.contains("/nowhere/libsofthsm.so cannot be loaded"),
            "{text}"
        );
        assert!(text.contains("No such file"), "{text}");

        let text_file = hsm.path("module.so");
        fs::write(&text_file, "not a library").unwrap();
        let mut config = hsm.config();
        config.module = text_file;
        let text = causes(&refused(hsm, config, &key()));
        assert!(text.contains("module.so cannot be loaded"), "{text}");

        // A library, and not of this kind.
        fs::write(hsm.path("empty.c"), "int nothing;").unwrap();
        let library = hsm.path("empty.so");
        let cc = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &hsm.path("empty.c")])
            .status();
        assert!(cc.unwrap().success());
        let mut config = hsm.config();
        config.module = library;
        let text = causes(&refused(hsm, config, &key()));
        assert!(text.contains("C_GetFunctionList"), "{text}");
    });
}

#[test]
fn names_the_tokens_there_are_when_one_is_missing() {
    softhsm(|hsm| {
        for token in [
            TokenChoice::Label("other".into()),
            TokenChoice::Serial("0000".into()),
            TokenChoice::Slot(77),
        ] {
            let mut config = hsm.config();
            config.token = token.clone();
            let text = causes(&refused(hsm, config, &key()));
            let wanted = format!("no {token}; the tokens that it has are {LABEL:?}");
            assert!(text.contains(&wanted), "{text}");
        }
    });
}

#[test]
fn finds_a_token_by_its_serial_number_and_its_slot() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let slots = hsm.slots();
        let field = |name: &str| {
            let (_, rest) = slots.split_once(name).unwrap();
            rest.lines()
                .next()
                .unwrap()
                .trim_start_matches([' ', ':'])
                .trim()
                .to_owned()
        };
        let slot = field("Slot 0 (0x");
        let slot = u64::from_str_radix(slot.split(')').next().unwrap(), 16).unwrap();
        for token in [
            TokenChoice::Serial(field("serial num")),
            TokenChoice::Slot(slot),
        ] {
            let mut config = hsm.config();
            config.token = token;
            hsm.signer(config, "PKCS11CA").unwrap();
        }
    });
}

#[test]
fn does_not_choose_between_tokens_of_one_label() {
    softhsm(|hsm| {
        hsm.token(LABEL);
        let error = refused(hsm, hsm.config(), &key());
        assert!(
            matches!(error, Error::SeveralTokens { count: 2, .. }),
            "{error}"
        );
    });
}

#[test]
fn tries_a_wrong_pin_once_and_never_again() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        let mut wrong = hsm.faulty_config();
        wrong.pin = Some("9999".to_owned().into());
        for _ in 0..3 {
            let error = refused(hsm, wrong.clone(), &key());
            assert!(matches!(error, Error::PinRefused), "{error}");
        }
        assert_eq!(hsm.logins(), 1);
        // The right one is another one.
        hsm.signer(hsm.faulty_config(), "PKCS11CA").unwrap();
        assert_eq!(hsm.logins(), 2);
    });
}

#[test]
fn does_not_log_in_again_when_a_login_fails_for_reasons_of_its_own() {
    softhsm(|hsm| {
        hsm.tell("login-fails");
        let error = refused(hsm, hsm.faulty_config(), &key());
        assert!(matches!(error, Error::Login(_)), "{error}");
        assert_eq!(hsm.logins(), 1);
    });
}

#[test]
fn logs_in_once_for_all_sessions() {
    softhsm(|hsm| {
        hsm.key_pair("EC:prime256v1", "01", "PKCS11CA", &[]);
        let signer = hsm.signer(hsm.faulty_config(), "PKCS11CA").unwrap();
        hsm.wait(fulcio_testkit::signer_conformance(&signer));
        assert_eq!(hsm.logins(), 1);
    });
}

#[test]
fn does_not_use_up_the_last_try_for_the_pin() {
    softhsm(|hsm| {
        hsm.tell("last-try");
        let error = refused(hsm, hsm.faulty_config(), &key());
        assert!(matches!(error, Error::PinLastTry), "{error}");
        hsm.tell("locked");
        let error = refused(hsm, hsm.faulty_config(), &key());
        assert!(matches!(error, Error::PinLocked), "{error}");
        assert_eq!(hsm.logins(), 0);
    });
}

#[test]
fn wants_a_pin_where_the_token_does() {
    softhsm(|hsm| {
        let mut config = hsm.config();
        config.pin = None;
        let error = refused(hsm, config.clone(), &key());
        assert!(matches!(error, Error::PinMissing), "{error}");
        // Without a login no private key is to be seen.
        config.login = false;
        let text = causes(&refused(hsm, config, &key()));
        assert!(text.contains("its private keys are none"), "{text}");
    });
}

#[test]
fn names_the_keys_there_are_when_one_is_missing() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "3939", "FulcioCA", &[]);
        let text = causes(&refused(hsm, hsm.config(), &key()));
        assert_eq!(
            text,
            "the token has no private key labelled \"PKCS11CA\"; its private keys are \
             \"FulcioCA\" (id 3939 (\"99\"))"
        );
        let text = causes(&refused(hsm, hsm.config(), &KeyReference::id([1])));
        assert!(text.contains("no private key with the id 01;"), "{text}");
    });
}

#[test]
fn does_not_choose_between_keys_of_one_label_unless_the_id_does() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        hsm.key_pair("EC:prime256v1", "3939", "PKCS11CA", &[]);
        let text = causes(&refused(hsm, hsm.config(), &key()));
        assert!(text.contains("2 private keys"), "{text}");
        assert!(
            text.contains("01") && text.contains("3939 (\"99\")"),
            "{text}"
        );

        let algorithm = |key: KeyReference| {
            hsm.wait(async {
                let token = Token::open(hsm.config()).await.unwrap();
                token.signer(&key).await.unwrap().algorithm()
            })
        };
        assert_eq!(algorithm(key().with_id([1])), Algorithm::EcdsaP384Sha384);
        assert_eq!(
            algorithm(KeyReference::id(*b"99")),
            Algorithm::EcdsaP256Sha256
        );
    });
}

#[test]
fn finds_the_key_that_the_flags_of_fulcio_mean() {
    softhsm(|hsm| {
        let found = |label: &str, id: &[u8]| {
            hsm.wait(async {
                let token = Token::open(hsm.config()).await?;
                let signer = token.fulcio_signer(label, id).await?;
                Ok::<_, Error>(signer.algorithm())
            })
        };
        let text = causes(&found("PKCS11CA", b"99").unwrap_err());
        assert!(
            text.contains("no private key labelled \"PKCS11CA\""),
            "{text}"
        );
        // The label of long ago, and only where none was chosen.
        hsm.key_pair("EC:secp521r1", "01", "FulcioCA", &[]);
        assert_eq!(
            found("PKCS11CA", b"99").unwrap(),
            Algorithm::EcdsaP521Sha512
        );
        assert!(matches!(
            found("mine", b"99"),
            Err(Error::KeyNotFound { .. })
        ));
        // The right label goes first, and the id of the certificate decides.
        hsm.key_pair("EC:secp384r1", "02", "PKCS11CA", &[]);
        assert_eq!(
            found("PKCS11CA", b"99").unwrap(),
            Algorithm::EcdsaP384Sha384
        );
        hsm.key_pair("EC:prime256v1", "3939", "PKCS11CA", &[]);
        assert_eq!(
            found("PKCS11CA", b"99").unwrap(),
            Algorithm::EcdsaP256Sha256
        );
        assert!(matches!(
            found("PKCS11CA", b"98"),
            Err(Error::SeveralKeys { .. })
        ));
    });
}

#[test]
fn refuses_a_key_that_may_not_sign() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        hsm.signer(hsm.config(), "PKCS11CA").unwrap();
        forbid_signing(hsm);
        let error = refused(hsm, hsm.config(), &key());
        assert!(matches!(error, Error::MayNotSign { .. }), "{error}");
    });
}

/// The tool can make no such key, so it is changed through the module.
fn forbid_signing(hsm: &SoftHsm) {
    let module = Pkcs11::new(hsm.config().module).unwrap();
    // The token under test has initialized it.
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    // The signer of before may not have gone yet, and with it the login.
    drop(session.login(UserType::User, Some(&PIN.into())));
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]);
    session
        .update_attributes(keys.unwrap()[0], &[Attribute::Sign(false)])
        .unwrap();
}

#[test]
fn refuses_kinds_of_keys_that_no_authority_signs_with() {
    softhsm(|hsm| {
        for (place, (kind, wanted)) in [
            ("rsa:1024", "RSA key has 1024 bits"),
            ("EC:secp256k1", "on the curve 1.3.132.0.10"),
            ("EC:secp224r1", "on the curve"),
        ]
        .into_iter()
        .enumerate()
        {
            let label = format!("key{place}");
            hsm.key_pair(kind, &format!("0{place}"), &label, &[]);
            let text = causes(&refused(hsm, hsm.config(), &KeyReference::label(label)));
            assert!(text.contains(wanted), "{text}");
        }
    });
}

#[test]
fn refuses_a_private_key_without_its_public_half() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "01", "PKCS11CA", &[]);
        hsm.pkcs11_tool(&["--delete-object", "--type", "pubkey", "--id", "01"]);
        let error = refused(hsm, hsm.config(), &key());
        assert!(matches!(error, Error::NoPublicKey { .. }), "{error}");
    });
}

#[test]
fn does_not_wait_for_a_token_that_does_not_answer() {
    softhsm(|hsm| {
        let mut config = hsm.faulty_config();
        config.deadline = Duration::from_millis(300);
        hsm.tell("hang-at-open");
        let text = causes(&refused(hsm, config, &key()));
        assert_eq!(text, "the token did not answer within 0.3 s");
    });
}
