use super::super::common::{NOBODY, Scene, Variables};

/// What each service's keys are written as.
const SHAPES: [&str; 3] = ["awskms:///KEY", "hashivault://KEY", "openbao://KEY"];

#[test]
fn says_which_references_there_are() {
    let scene = Scene::new();
    for (reference, part) in [
        ("fulcio", "names no key service"),
        ("hashivault:fulcio", "names no key service"),
        ("file:///etc/fulcio/key.pem", "names no key service"),
        ("ephemeral:", "names no key service"),
        ("yubikey://slot", "names no key service"),
    ] {
        let (code, said, _log) = scene.ends(scene.serving(reference, &Variables::new()));
        assert_eq!(code, Some(2), "{said}");
        for part in ["--kms-resource", reference, part].iter().chain(&SHAPES) {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }
}

#[test]
fn shows_the_right_shape_of_a_wrong_reference() {
    let scene = Scene::new();
    let variables = Variables::from([
        ("AWS_REGION", "us-east-2".to_owned()),
        ("VAULT_ADDR", format!("http://{NOBODY}")),
        ("VAULT_TOKEN", "secret".to_owned()),
    ]);
    for (reference, shape) in [
        ("awskms://alias/fulcio", "awskms:///KEY"),
        ("awskms:///fulcio", "alias/NAME"),
        ("awskms:///arn:aws:s3:::bucket", "the ARN of one"),
        ("hashivault://", "hashivault://KEY"),
        ("openbao://a/b", "openbao://KEY"),
    ] {
        let (code, said, _log) = scene.ends(scene.serving(reference, &variables));
        assert_eq!(code, Some(2), "{said}");
        for part in ["--kms-resource", reference, "names no key", shape] {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }
}

#[test]
fn tells_no_password_that_is_in_a_reference() {
    let scene = Scene::new();
    for reference in ["awskms://user:horse@kms:1/alias/x", "what://horse@x"] {
        let (code, said, log) = scene.ends(scene.serving(reference, &Variables::new()));
        assert_eq!(code, Some(2), "{said}");
        assert!(!said.contains("horse") && !log.contains("horse"), "{said}");
    }
}
