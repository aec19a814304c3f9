//! The form of a token, and its registered claims.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};

use fulcio_oidc_verify::{
    Algorithm, AlgorithmSet, Error, Expectation, KeySet, UnverifiedToken, VerifiedToken,
};
use fulcio_testkit::idp::{Draft, FakeIdp, FakeKey};
use serde_json::{Value, json};

fn idp() -> FakeIdp {
    FakeIdp::new(FakeKey::generate(Algorithm::Es256).named("k"))
}

fn verify_at(idp: &FakeIdp, token: &str, now: SystemTime) -> Result<VerifiedToken, Error> {
    let keys = KeySet::parse(idp.jwks().to_string().as_bytes())?;
    let expected = Expectation::new(idp.issuer(), idp.audience(), AlgorithmSet::ALL);
    UnverifiedToken::parse(token)?.verify(&keys, &expected, now)
}

fn verify(idp: &FakeIdp, token: &str) -> Result<VerifiedToken, Error> {
    verify_at(idp, token, FakeIdp::now())
}

/// How `change` ends: the reason of the error, or `accepted`.
fn outcome(change: impl FnOnce(Draft) -> Draft) -> &'static str {
    let idp = idp();
    match verify(&idp, &change(idp.draft()).mint()) {
        Ok(_) => "accepted",
        Err(error) => error.reason(),
    }
}

fn at(seconds: i64) -> SystemTime {
    let offset = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        FakeIdp::now() - offset
    } else {
        FakeIdp::now() + offset
    }
}

#[test]
fn reads_a_good_token() {
    let idp = idp();
    let raw = idp.token();
    let token = UnverifiedToken::parse(&raw).unwrap();
    assert_eq!(token.issuer(), idp.issuer());
    assert_eq!(token.audiences(), [idp.audience()]);
    assert_eq!(token.key_id(), Some("k"));
    assert_eq!(token.algorithm(), Algorithm::Es256);

    let token = verify(&idp, &raw).unwrap();
    assert_eq!(token.issuer(), idp.issuer());
    assert_eq!(token.subject(), "1234");
    assert_eq!(token.claim("email_verified"), Some(&Value::Bool(true)));
    assert_eq!(token.claims().len(), 7);
    assert_eq!(token.claim("Email"), None);
}

#[test]
fn shows_no_token_in_what_is_printed() {
    let idp = idp();
    let raw = idp.token();
    let unverified = UnverifiedToken::parse(&raw).unwrap();
    let printed = format!("{unverified:?}{:?}", verify(&idp, &raw).unwrap());
    for secret in raw.split('.').chain(["ada@example.com"]) {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn refuses_what_has_not_three_parts() {
    let idp = idp();
    let good = idp.token();
    let (signed, _) = good.rsplit_once('.').unwrap();
    for raw in [
        "",
        ".",
        "..",
        "a",
        "a.b",
        signed,
        &format!("{good}."),
        &format!(".{good}"),
        &format!("{good}.{good}"),
    ] {
        assert_eq!(
            verify(&idp, raw).unwrap_err().reason(),
            "malformed",
            "{raw}"
        );
    }
}

#[test]
fn refuses_other_alphabets_padding_and_white_space() {
    let idp = idp();
    let good = idp.token();
    for raw in [
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("Bearer {good}"),
        good.replacen('.', "=.", 1),
        format!("{good}é"),
        good.replacen('J', "+", 1),
    ] {
        assert_eq!(
            verify(&idp, &raw).unwrap_err().reason(),
            "malformed",
            "{raw}"
        );
    }
}

#[test]
fn refuses_every_other_spelling_of_the_same_signature() {
    let idp = idp();
    let good = idp.token();
    // 64 octets leave four bits of the last letter unused.
    let last = good.as_bytes()[good.len() - 1];
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
        let raw = format!("{}{}", &good[..good.len() - 1], char::from(*letter));
        assert_eq!(verify(&idp, &raw).is_ok(), *letter == last);
    }
}

#[test]
fn refuses_a_header_that_is_not_one() {
    for (header, reason) in [
        ("", "malformed"),
        ("null", "malformed"),
        ("[]", "malformed"),
        ("{}", "algorithm"),
        (r#"{"alg":"ES256"} "#, "accepted"),
        (r#"{"alg":"ES256","kid":null}"#, "accepted"),
        (r#"{"alg":"ES256","kid":7}"#, "malformed"),
        (r#"{"alg":["ES256"]}"#, "malformed"),
        (r#"{"alg":"ES256"}{}"#, "malformed"),
        (r#"{"alg":"ES256","alg":"ES256"}"#, "malformed"),
        (r#"{"alg":"ES256","kid":"k","kid":"k"}"#, "malformed"),
        (r#"{"alg":"ES256","x":1,"x":1}"#, "malformed"),
        (r#"{"alg":"ES256","crit":[]}"#, "malformed"),
        (r#"{"alg":"ES256","crit":null}"#, "malformed"),
        (r#"{"alg":"ES256","b64":true}"#, "accepted"),
        (r#"{"alg":"ES256","b64":0}"#, "malformed"),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, "accepted"),
        (r#"{"alg":"ES256","kid":"\ud800"}"#, "malformed"),
        (r#"{"alg":"ES256","jwk":{"kty":"EC"}}"#, "malformed"),
        (r#"{"alg":"ES256","jwk":{}}"#, "malformed"),
        (r#"{"alg":"ES256","jwk":"k"}"#, "malformed"),
        (r#"{"alg":"ES256","jwk":null}"#, "malformed"),
        (r#"{"alg":"ES256","x5c":["MIIB"]}"#, "malformed"),
        (r#"{"alg":"ES256","x5c":7}"#, "malformed"),
        (r#"{"alg":"ES256","jku":7,"x5u":[],"x5t":{}}"#, "accepted"),
        (r#"{"alg":"ES256","nonce":"n"}"#, "accepted"),
        (r#"{"alg":"ES256","nonce":null}"#, "accepted"),
        (r#"{"alg":"ES256","nonce":7}"#, "malformed"),
    ] {
        assert_eq!(outcome(|draft| draft.header(header)), reason, "{header}");
    }
}

#[test]
fn refuses_a_payload_that_is_not_claims() {
    for payload in [
        "",
        "null",
        "7",
        "[]",
        "\"x\"",
        "{",
        "{}}",
        "{} {}",
        "{\"iss\":}",
        "\u{feff}{}",
    ] {
        assert_eq!(
            outcome(|draft| draft.payload(payload)),
            "malformed",
            "{payload}"
        );
    }
    assert_eq!(outcome(|draft| draft.payload("{}")), "issuer");
}

#[test]
fn refuses_a_registered_claim_of_another_type() {
    for (name, value, reason) in [
        ("iss", json!(7), "malformed"),
        ("iss", json!(["https://issuer.example.com"]), "malformed"),
        ("iss", json!(null), "issuer"),
        ("sub", json!(1234), "malformed"),
        ("sub", json!(null), "accepted"),
        ("aud", json!(7), "malformed"),
        ("aud", json!({}), "malformed"),
        ("aud", json!(["sigstore", 7]), "malformed"),
        ("aud", json!(null), "audience"),
        ("exp", json!(null), "malformed"),
        ("exp", json!(true), "malformed"),
        ("exp", json!([1_800_000_600]), "malformed"),
        ("exp", json!("tomorrow"), "malformed"),
        ("exp", json!(""), "malformed"),
        ("exp", json!(" 1800000600"), "malformed"),
        ("exp", json!("1800000600"), "accepted"),
        ("exp", json!("1.8000006e9"), "accepted"),
        ("exp", json!(1_800_000_600.7), "accepted"),
        ("exp", json!(u64::MAX), "malformed"),
        ("exp", json!(i64::MAX), "malformed"),
        ("exp", json!(1e300), "malformed"),
        ("exp", json!(-1), "expired"),
        ("iat", json!("yesterday"), "malformed"),
        ("iat", json!(null), "malformed"),
        ("iat", json!(4_000_000_000_u64), "accepted"),
        ("nbf", json!(null), "accepted"),
        ("nbf", json!({}), "malformed"),
        ("nonce", json!(7), "malformed"),
        ("nonce", json!("n"), "accepted"),
        ("at_hash", json!([]), "malformed"),
        ("_claim_names", json!({"groups": "src1"}), "malformed"),
        ("_claim_names", json!([]), "malformed"),
        (
            "_claim_sources",
            json!({"src1": {"endpoint": 7}}),
            "malformed",
        ),
        (
            "_claim_sources",
            json!({"src1": {"endpoint": "https://x.example"}}),
            "accepted",
        ),
        ("email", json!({"any": ["thing"]}), "accepted"),
    ] {
        assert_eq!(
            outcome(|draft| draft.claim(name, value.clone())),
            reason,
            "{name}: {value}"
        );
    }
}

#[test]
fn follows_distributed_claims_to_their_source_but_no_further() {
    let sources = json!({"src1": {"endpoint": "https://groups.example", "access_token": "t"}});
    let reason = outcome(|draft| {
        draft
            .claim("_claim_names", json!({"groups": "src1"}))
            .claim("_claim_sources", sources)
    });
    assert_eq!(reason, "accepted");
}

/// Fulcio takes the last of them, and refuses some such tokens for the type of the first.
#[test]
fn refuses_a_claim_that_stands_there_twice_at_any_depth() {
    for (ending, reason) in [
        (r#","email":"eve@example.com""#, "malformed"),
        (r#","email":"ada@example.com""#, "malformed"),
        (r#","email":null"#, "malformed"),
        (r#","em\u0061il":"eve@example.com""#, "malformed"),
        (r#","sub":"4321""#, "malformed"),
        (r#","iss":"https://issuer.example.com""#, "malformed"),
        (r#","aud":["sigstore"]"#, "malformed"),
        (r#","exp":1800000600"#, "malformed"),
        (r#","x":7,"x":"7""#, "malformed"),
        (r#","x":{"y":1,"y":2}"#, "malformed"),
        (r#","x":[[{"y":[],"y":[]}]]"#, "malformed"),
        (r#","aud":"elsewhere""#, "audience"),
        (r#","iss":"https://other.example""#, "issuer"),
        (r#","iss":null"#, "issuer"),
        (r#","exp":1"#, "expired"),
        (r#","x":{"y":1},"y":{"x":1}"#, "accepted"),
        (r#","x":[{"y":1},{"y":1}]"#, "accepted"),
        (r#","x":1,"X":1"#, "accepted"),
    ] {
        assert_eq!(
            outcome(|draft| draft.claims_ending_in(ending)),
            reason,
            "{ending}"
        );
    }
}

#[test]
fn claims_are_read_as_they_are_written() {
    let idp = idp();
    let ending = r#","x":[null,true,-7,18446744073709551615,1.5,-0,1e20,"é\u00e9",{"y":{}},[]]"#;
    let raw = idp.draft().claims_ending_in(ending).mint();
    let token = verify(&idp, &raw).unwrap();
    let read = token.claim("x").unwrap().to_string();
    assert_eq!(
        read,
        r#"[null,true,-7,18446744073709551615,1.5,-0.0,1e+20,"éé",{"y":{}},[]]"#
    );
}

#[test]
fn refuses_a_registered_claim_in_another_case() {
    for name in [
        "ISS",
        "Aud",
        "EXP",
        "nBf",
        "ſub",
        "iſſ",
        "Nonce",
        "_claim_Names",
    ] {
        assert_eq!(
            outcome(|draft| draft.claim(name, "x")),
            "malformed",
            "{name}"
        );
    }
    for name in ["ISSUER", "ıss", "is", "isss", "Email", "a\u{308}ud"] {
        assert_eq!(
            outcome(|draft| draft.claim(name, "x")),
            "accepted",
            "{name}"
        );
    }
}

#[test]
fn half_a_surrogate_pair_is_a_replacement_character() {
    let idp = idp();
    let raw = idp
        .draft()
        .claims_ending_in(r#","name":"\ud83dx\ud83d\ude00""#)
        .mint();
    let token = verify(&idp, &raw).unwrap();
    assert_eq!(token.claim("name").unwrap(), "\u{fffd}x😀");
}

#[test]
fn refuses_claims_that_are_not_utf8() {
    let payload = [
        br#"{"iss":"https://issuer.example.com","aud":"sigstore","exp":1800000600,"x":""#,
        &b"\xff"[..],
        b"\"}",
    ]
    .concat();
    assert_eq!(outcome(|draft| draft.payload(payload)), "malformed");
}

#[test]
fn accepts_a_claim_of_a_mebibyte() {
    let idp = idp();
    let long = "x".repeat(1 << 20);
    let token = verify(&idp, &idp.draft().claim("long", long.as_str()).mint()).unwrap();
    assert_eq!(token.claim("long").unwrap(), &long);
}

#[test]
fn refuses_a_token_of_more_than_two_mebibytes_before_it_looks_at_it() {
    let token = |length: usize| format!("{}.e30.", "A".repeat(length - 5));
    let cause = |length: usize| {
        let error = UnverifiedToken::parse(&token(length)).unwrap_err();
        error.source().unwrap().to_string()
    };
    assert_eq!(
        cause((2 << 20) + 1),
        "the token is longer than 2097152 bytes"
    );
    assert_ne!(cause(2 << 20), "the token is longer than 2097152 bytes");
}

#[test]
fn refuses_more_values_than_anybody_needs_signed_or_not() {
    let many = |count| format!(r#","many":[{}0]"#, "0,".repeat(count));
    assert_eq!(
        outcome(|draft| draft.claims_ending_in(&many(49_000))),
        "accepted"
    );
    assert_eq!(
        outcome(|draft| draft.claims_ending_in(&many(50_000))),
        "malformed"
    );
    let members = |count| {
        (0..count)
            .map(|name| format!(r#","x{name}":0"#))
            .collect::<String>()
    };
    assert_eq!(
        outcome(|draft| draft.claims_ending_in(&members(49_000))),
        "accepted"
    );
    assert_eq!(
        outcome(|draft| draft.claims_ending_in(&members(50_000))),
        "malformed"
    );
    let names: Vec<String> = (0..50_000).map(|name| format!("x{name}")).collect();
    assert_eq!(outcome(|draft| draft.parameter("many", names)), "malformed");
}

#[test]
fn refuses_deep_nesting_without_deep_recursion() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth| {
            let inner = if close == "}" { "0" } else { "" };
            format!(
                r#","deep":{}{inner}{}"#,
                open.repeat(depth),
                close.repeat(depth)
            )
        };
        assert_eq!(
            outcome(|draft| draft.claims_ending_in(&nested(100))),
            "accepted"
        );
        assert_eq!(
            outcome(|draft| draft.claims_ending_in(&nested(200))),
            "malformed"
        );
        assert_eq!(
            outcome(|draft| draft.claims_ending_in(&nested(100_000))),
            "malformed"
        );
    }
    // Not signed by anybody, and still no overflow.
    let idp = idp();
    let stranger = FakeKey::generate(Algorithm::Es256);
    let raw = idp
        .draft()
        .claims_ending_in(&format!(r#","deep":{}"#, "[".repeat(1 << 20)));
    assert!(verify(&idp, &raw.signed_by(&stranger).mint()).is_err());
}

#[test]
fn the_issuer_must_be_equal() {
    for issuer in [
        "https://issuer.example.com/",
        "https://ISSUER.example.com",
        "issuer.example.com",
        "",
    ] {
        assert_eq!(
            outcome(|draft| draft.claim("iss", issuer)),
            "issuer",
            "{issuer}"
        );
    }
}

#[test]
fn google_may_leave_out_its_scheme() {
    let google = idp().issued_by("https://accounts.google.com");
    let raw = google.draft().claim("iss", "accounts.google.com").mint();
    assert_eq!(
        verify(&google, &raw).unwrap().issuer(),
        "accounts.google.com"
    );
    let other = idp().issued_by("https://accounts.example.com");
    let raw = other.draft().claim("iss", "accounts.example.com").mint();
    assert!(matches!(verify(&other, &raw), Err(Error::Issuer)));
    let scheme_less = idp().issued_by("accounts.google.com");
    let raw = scheme_less
        .draft()
        .claim("iss", "https://accounts.google.com")
        .mint();
    assert!(matches!(verify(&scheme_less, &raw), Err(Error::Issuer)));
}

#[test]
fn one_of_the_audiences_must_be_ours() {
    assert_eq!(
        outcome(|draft| draft.claim("aud", json!(["a", "sigstore", "b"]))),
        "accepted"
    );
    for audience in [
        json!([]),
        json!(["a"]),
        json!("Sigstore"),
        json!(""),
        json!("sigstore "),
    ] {
        assert_eq!(
            outcome(|draft| draft.claim("aud", audience.clone())),
            "audience",
            "{audience}"
        );
    }
    assert_eq!(outcome(|draft| draft.without_claim("aud")), "audience");
}

#[test]
fn an_empty_audience_refuses_every_token() {
    let idp = idp().for_audience("");
    assert!(matches!(verify(&idp, &idp.token()), Err(Error::Audience)));
}

#[test]
fn expires_after_its_last_moment() {
    let idp = idp();
    let raw = idp.token();
    assert!(verify_at(&idp, &raw, at(600)).is_ok());
    let later = at(600) + Duration::from_nanos(1);
    assert!(matches!(verify_at(&idp, &raw, later), Err(Error::Expired)));
    assert!(verify_at(&idp, &raw, at(-1_000_000)).is_ok());
    assert_eq!(outcome(|draft| draft.without_claim("exp")), "expired");
}

#[test]
fn may_begin_five_minutes_from_now() {
    let idp = idp();
    let raw = idp.draft().claim("nbf", 1_800_000_000).mint();
    assert!(verify_at(&idp, &raw, at(-300)).is_ok());
    let earlier = at(-300) - Duration::from_nanos(1);
    assert!(matches!(
        verify_at(&idp, &raw, earlier),
        Err(Error::NotYetValid)
    ));
}

#[test]
fn works_before_1970_too() {
    let idp = idp();
    let early = SystemTime::UNIX_EPOCH - Duration::from_secs(10);
    let token = |expiry: i64| idp.draft().claim("exp", expiry).mint();
    assert!(verify_at(&idp, &token(-10), early).is_ok());
    assert!(matches!(
        verify_at(&idp, &token(-11), early),
        Err(Error::Expired)
    ));
}

#[test]
fn a_good_token_of_another_key_is_refused() {
    let stranger = FakeKey::generate(Algorithm::Es256).named("k");
    assert_eq!(outcome(|draft| draft.signed_by(&stranger)), "signature");
}
