//! Tokens, and what issuers publish.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{Draft, FakeIdp, FakeKey};
use serde_json::{Value, json};

use super::{Case, IdpHost, Issuer, Pair, Proof, Setup, SigningKey, Stage, scene::Scene};
use crate::common::unix_now;

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    let tokens = Tokens {
        stage,
        scene: &scene,
        csr: scene.key.csr(),
    };
    tokens.shapes();
    tokens.encodings();
    tokens.headers();
    tokens.registered_claims();
    tokens.times();
    tokens.email();
    tokens.payloads();
    tokens.signatures();
    published_keys(stage);
    discovery(stage);
}

struct Tokens<'a> {
    stage: &'a Stage,
    scene: &'a Scene,
    csr: Proof,
}

/// The rows of the table that a token is one of.
fn rows_of(name: &str) -> &'static [&'static str] {
    match name {
        "shape line end"
        | "shape space"
        | "shape space before"
        | "shape line ends in it"
        | "shape line end in the header"
        | "shape carriage return in the signature" => &["token-white-space"],
        "shape in JSON" | "shape in JSON with a header" => &["token-in-json"],
        "header crit is null" | "header crit is array" | "header crit b64" | "header b64 true" => {
            &["strict-tokens"]
        }
        "header b64 is true" | "header b64 is false" => &[],
        "payload nested 127"
        | "payload nested 128"
        | "payload nested 129"
        | "payload nested 200"
        | "payload nested 9990"
        | "payload of no UTF-8"
        | "payload with a name of no UTF-8" => &["strict-tokens"],
        "claim nbf is huge"
        | "claim iat is huge"
        | "time exp large exponent"
        | "time nbf larger exponent"
        | "time nbf beyond 64 bits"
        | "time nbf largest"
        | "time iat large exponent"
        | "time iat larger exponent"
        | "time iat beyond 64 bits"
        | "time iat largest"
        | "payload a huge number"
        | "payload a long number" => &["token-numbers"],
        "aud array with null" => &["null-audience"],
        "payload iss twice"
        | "payload aud twice"
        | "payload sub twice"
        | "payload email twice"
        | "payload email null last"
        | "payload unknown twice"
        | "payload twice below"
        | "payload email escaped" => &["claim-twice"],
        "header jwk is null"
        | "header x5c is null"
        | "header x5c is array"
        | "header good with own jwk"
        | "header good with stranger's jwk" => &["embedded-key"],
        "email \"ada@b\u{fc}cher.example\"" | "email \"\u{e4}da@example.com\"" => {
            &["name-not-ascii"]
        }
        name if name.starts_with("header b64 is ") => &["strict-tokens"],
        name if name.starts_with("case ") => &["claim-case"],
        _ => &[],
    }
}

/// JSON values of every kind.
fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("null", json!(null)),
        ("true", json!(true)),
        ("false", json!(false)),
        ("zero", json!(0)),
        ("number", json!(1)),
        ("negative", json!(-1)),
        ("fraction", json!(1.5)),
        ("huge", json!(1e300)),
        ("large", json!(9_007_199_254_740_993_u64)),
        ("empty text", json!("")),
        ("space", json!(" ")),
        ("text", json!("x")),
        ("array", json!([])),
        ("array of texts", json!(["x", "y"])),
        ("nested", json!([["x"]])),
        ("object", json!({})),
        ("object with a member", json!({ "x": 1 })),
    ]
}

impl Tokens<'_> {
    fn draft(&self) -> Draft {
        self.scene.issuer.draft()
    }

    fn compare(&self, name: impl AsRef<str>, token: &str) {
        let name = name.as_ref();
        let case = Case::new(format!("token/{name}"), self.csr.v2(token));
        let case = case.differing(rows_of(name));
        self.stage.compare(&self.scene.pair, case);
    }

    fn shapes(&self) {
        let token = self.scene.token();
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            unreachable!()
        };
        let json = |more: &str| {
            format!(
                "{{\"payload\":\"{claims}\",\"protected\":\"{header}\",\"x\":\".{claims}.\",\"signature\":\"{signature}\"{more}}}"
            )
        };
        for (what, token) in [
            ("good", token.clone()),
            ("empty", String::new()),
            ("a word", "x".to_owned()),
            ("dots", "..".to_owned()),
            ("three dots", "...".to_owned()),
            ("without signature", format!("{header}.{claims}")),
            ("empty signature", format!("{header}.{claims}.")),
            ("empty header", format!(".{claims}.{signature}")),
            ("empty claims", format!("{header}..{signature}")),
            ("four parts", format!("{token}.x")),
            ("five parts", format!("{token}.x.y")),
            ("a dot more", format!("{token}.")),
            ("a dot before", format!(".{token}")),
            ("line end", format!("{token}\n")),
            ("space", format!("{token} ")),
            ("space before", format!(" {token}")),
            ("tab in it", format!("{header}.{claims}\t.{signature}")),
            (
                "line ends in it",
                format!("{header}.\n{claims}.\n{signature}"),
            ),
            (
                "line end in the header",
                format!("{}\n{}.{claims}.{signature}", &header[..4], &header[4..]),
            ),
            (
                "carriage return in the signature",
                format!(
                    "{header}.{claims}.{}\r\n{}",
                    &signature[..4],
                    &signature[4..]
                ),
            ),
            ("NUL", format!("{token}\0")),
            ("Bearer", format!("Bearer {token}")),
            ("quoted", format!("\"{token}\"")),
            ("twice", format!("{token}{token}")),
            ("in JSON", json("")),
            (
                "in JSON with a header",
                json(",\"header\":{\"kid\":\"ec1\"}"),
            ),
            ("parts exchanged", format!("{claims}.{header}.{signature}")),
        ] {
            self.compare(format!("shape {what}"), &token);
        }
    }

    fn encodings(&self) {
        let token = self.scene.token();
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        for (at, part) in ["header", "claims", "signature"].into_iter().enumerate() {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&parts[at]).unwrap();
            let last = parts[at].as_bytes()[parts[at].len() - 1];
            for (how, text) in [
                ("padded", BASE64_URL_SAFE.encode(&bytes)),
                ("standard", BASE64_STANDARD.encode(&bytes)),
                ("one = more", format!("{}=", parts[at])),
                ("one character more", format!("{}A", parts[at])),
                (
                    "one character less",
                    parts[at][..parts[at].len() - 1].to_owned(),
                ),
                ("an odd character", format!("{}!", parts[at])),
                ("percent", format!("{}%3D", parts[at])),
                (
                    "last character changed",
                    format!(
                        "{}{}",
                        &parts[at][..parts[at].len() - 1],
                        char::from(last ^ 1)
                    ),
                ),
            ] {
                let mut parts = parts.clone();
                parts[at] = text;
                self.compare(format!("encoding {part} {how}"), &parts.join("."));
            }
        }
        // Bits that are left over, in claims of each length.
        for filler in ["", "x", "xx"] {
            let draft = self.draft().claim("filler", filler);
            let token = draft.mint();
            let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
            for part in &mut parts[..2] {
                let spare = match part.len() % 4 {
                    2 => 4,
                    3 => 2,
                    _ => 0,
                };
                if spare > 0 {
                    let last = part.pop().unwrap();
                    // The next letter of the alphabet has the same leading bits.
                    part.push(char::from(u8::try_from(last).unwrap() + 1));
                }
            }
            let key = self.scene.issuer.key();
            let input = format!("{}.{}", parts[0], parts[1]);
            let signature = key.sign(Algorithm::Es256, input.as_bytes());
            let token = format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
            self.compare(format!("encoding loose bits, filler {filler:?}"), &token);
        }
    }

    fn headers(&self) {
        for name in [
            "alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "zip",
            "nonce", "enc", "unknown",
        ] {
            for (what, value) in values() {
                let draft = self.draft().parameter(name, value);
                self.compare(format!("header {name} is {what}"), &draft.mint());
            }
        }
        for algorithm in [
            "none", "None", "NONE", "HS256", "HS512", "RS256", "RS1", "ES384", "ES512", "es256",
            "ES256 ", "ES256K", "EdDSA", "Ed25519", "PS256", "dir", "A128KW",
        ] {
            let draft = self.draft().parameter("alg", algorithm);
            self.compare(format!("header alg {algorithm}"), &draft.mint());
        }
        self.compare(
            "header without alg",
            &self.draft().without_parameter("alg").mint(),
        );
        self.compare(
            "header without kid",
            &self.draft().without_parameter("kid").mint(),
        );
        self.compare("unsigned", &self.draft().mint_unsigned());
        self.compare("secret", &self.draft().mint_with_secret(b"secret"));
        for kid in [
            "ec1",
            "EC1",
            "ec1 ",
            "unknown",
            "\u{e4}",
            "../../etc/passwd",
        ] {
            self.compare(
                format!("header kid {kid:?}"),
                &self.draft().parameter("kid", kid).mint(),
            );
        }
        for kind in ["JWT", "jwt", "at+jwt", "application/jwt", "JWE"] {
            self.compare(
                format!("header typ {kind}"),
                &self.draft().parameter("typ", kind).mint(),
            );
        }
        for (what, crit) in [
            ("exp", json!(["exp"])),
            ("b64", json!(["b64"])),
            ("alg", json!(["alg"])),
            ("unknown", json!(["unknown"])),
        ] {
            let draft = self
                .draft()
                .parameter("crit", crit)
                .parameter("exp", 1)
                .parameter("unknown", 1);
            self.compare(format!("header crit {what}"), &draft.mint());
        }
        let b64 = self
            .draft()
            .parameter("b64", true)
            .parameter("crit", json!(["b64"]));
        self.compare("header b64 true", &b64.mint());
        let b64 = self
            .draft()
            .parameter("b64", false)
            .parameter("crit", json!(["b64"]));
        self.compare("header b64 false", &b64.mint());
        let stranger = FakeKey::generate(Algorithm::Es256).named("ec1");
        for (what, name, value) in [
            ("own jwk", "jwk", self.scene.issuer.key().jwk()),
            ("stranger's jwk", "jwk", stranger.jwk()),
            ("jku", "jku", json!("http://127.0.0.1:1/keys")),
            ("x5u", "x5u", json!("http://127.0.0.1:1/certificate")),
            ("x5c", "x5c", json!(["AAAA"])),
        ] {
            let draft = self.draft().parameter(name, value.clone());
            self.compare(format!("header good with {what}"), &draft.mint());
            let draft = draft.signed_by(&stranger);
            self.compare(format!("header stranger with {what}"), &draft.mint());
        }
        for (what, header) in [
            ("empty", ""),
            ("null", "null"),
            ("array", "[]"),
            ("text", "\"x\""),
            ("no JSON", "x"),
            ("cut", "{\"alg\":\"ES256\""),
            ("more", "{\"alg\":\"ES256\",\"kid\":\"ec1\"}x"),
            ("spaces", " { \"alg\" : \"ES256\" , \"kid\" : \"ec1\" } \n"),
            (
                "alg twice",
                "{\"alg\":\"ES256\",\"kid\":\"ec1\",\"alg\":\"ES256\"}",
            ),
            (
                "alg twice, none last",
                "{\"alg\":\"ES256\",\"kid\":\"ec1\",\"alg\":\"none\"}",
            ),
            (
                "alg twice, none first",
                "{\"alg\":\"none\",\"kid\":\"ec1\",\"alg\":\"ES256\"}",
            ),
            (
                "kid twice",
                "{\"alg\":\"ES256\",\"kid\":\"x\",\"kid\":\"ec1\"}",
            ),
            (
                "unknown twice",
                "{\"alg\":\"ES256\",\"kid\":\"ec1\",\"x\":1,\"x\":2}",
            ),
            ("Alg", "{\"Alg\":\"ES256\",\"kid\":\"ec1\"}"),
            (
                "ALG beside alg",
                "{\"ALG\":\"none\",\"alg\":\"ES256\",\"kid\":\"ec1\"}",
            ),
            ("KID", "{\"alg\":\"ES256\",\"KID\":\"ec1\"}"),
            ("escaped", "{\"\\u0061lg\":\"\\u0045S256\",\"kid\":\"ec1\"}"),
            (
                "byte order mark",
                "\u{feff}{\"alg\":\"ES256\",\"kid\":\"ec1\"}",
            ),
            (
                "surrogate",
                "{\"alg\":\"ES256\",\"kid\":\"ec1\",\"x\":\"\\ud800\"}",
            ),
        ] {
            self.compare(
                format!("header raw {what}"),
                &self.draft().header(header).mint(),
            );
        }
        let header = b"{\"alg\":\"ES256\",\"kid\":\"ec1\",\"x\":\"\xff\"}";
        self.compare(
            "header raw no UTF-8",
            &self.draft().header(&header[..]).mint(),
        );
        for depth in [50, 127, 200, 20_000] {
            let header = format!(
                "{{\"alg\":\"ES256\",\"kid\":\"ec1\",\"x\":{}{}}}",
                "[".repeat(depth),
                "]".repeat(depth)
            );
            self.compare(
                format!("header nested {depth}"),
                &self.draft().header(header).mint(),
            );
        }
        let long = self.draft().parameter("x", "a".repeat(1 << 20));
        self.compare("header of 1 MiB", &long.mint());
    }

    fn registered_claims(&self) {
        for name in [
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "azp",
            "nonce",
            "at_hash",
            "email",
            "email_verified",
            "_claim_names",
            "_claim_sources",
        ] {
            for (what, value) in values() {
                self.compare(
                    format!("claim {name} is {what}"),
                    &self.draft().claim(name, value).mint(),
                );
            }
            self.compare(
                format!("claim without {name}"),
                &self.draft().without_claim(name).mint(),
            );
        }
        let url = self.scene.issuer.url();
        for (what, iss) in [
            ("slash", format!("{url}/")),
            ("upper case", url.to_uppercase()),
            ("without scheme", url.replace("http://", "")),
            ("https", url.replace("http", "https")),
            ("query", format!("{url}?x=1")),
            ("fragment", format!("{url}#x")),
            ("space", format!("{url} ")),
            ("localhost", url.replace("127.0.0.1", "localhost")),
            ("another path", format!("{url}/x")),
            ("dot path", url.replace("/email", "/./email")),
            ("Google", "accounts.google.com".to_owned()),
        ] {
            self.compare(
                format!("iss {what}"),
                &self.draft().claim("iss", iss).mint(),
            );
        }
        for (what, aud) in [
            ("array", json!(["sigstore"])),
            ("array with another", json!(["other", "sigstore"])),
            ("array of others", json!(["other", "another"])),
            ("array with a number", json!(["sigstore", 1])),
            ("array with null", json!(["sigstore", null])),
            ("twice", json!(["sigstore", "sigstore"])),
            ("nested", json!([["sigstore"]])),
            ("object", json!({ "sigstore": 1 })),
            ("upper case", json!("Sigstore")),
            ("space", json!("sigstore ")),
            ("list in text", json!("other sigstore")),
        ] {
            self.compare(
                format!("aud {what}"),
                &self.draft().claim("aud", aud).mint(),
            );
        }
        for name in [
            "Iss",
            "Sub",
            "AUD",
            "Exp",
            "eXp",
            "Nbf",
            "Email",
            "EMAIL_VERIFIED",
        ] {
            let lower = name.to_lowercase();
            let value = match lower.as_str() {
                "iss" => json!(url),
                "sub" => json!("1234"),
                "aud" => json!("sigstore"),
                "exp" | "nbf" => json!(unix_now() + 60),
                "email" => json!("ada@example.com"),
                _ => json!(true),
            };
            let draft = self.draft().claim(name, value);
            self.compare(format!("case {name} beside {lower}"), &draft.mint());
            self.compare(
                format!("case {name} for {lower}"),
                &draft.without_claim(&lower).mint(),
            );
        }
    }

    fn times(&self) {
        let now = unix_now();
        for (name, offsets) in [
            ("exp", [-600, -30, -5, 30, 3600, 3_000_000_000]),
            ("nbf", [-600, -5, 30, 200, 400, 3600]),
            ("iat", [-3_000_000, -600, -5, 30, 3600, 3_000_000]),
        ] {
            for offset in offsets {
                let time = now.checked_add_signed(offset).unwrap();
                self.compare(
                    format!("time {name} {offset}"),
                    &self.draft().claim(name, time).mint(),
                );
            }
            for (what, value) in [
                ("fraction", format!("{now}.5")),
                ("fraction to come", format!("{}.5", now + 60)),
                ("exponent", "1e10".to_owned()),
                ("large exponent", "1e18".to_owned()),
                ("larger exponent", "1e19".to_owned()),
                ("huge exponent", "1e400".to_owned()),
                ("negative zero", "-0".to_owned()),
                ("beyond 64 bits", "18446744073709551616".to_owned()),
                ("largest", "9223372036854775807".to_owned()),
                ("smallest", "-9223372036854775808".to_owned()),
                ("text", format!("\"{}\"", now + 60)),
                ("year 9999", "253402300799".to_owned()),
                ("year 10000", "253402300800".to_owned()),
            ] {
                let draft = self.draft().without_claim(name);
                let draft = draft.claims_ending_in(&format!(",\"{name}\":{value}"));
                self.compare(format!("time {name} {what}"), &draft.mint());
            }
        }
    }

    fn email(&self) {
        for email in [
            "ada@example.com",
            "Ada@Example.COM",
            "ada+tag@example.com",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "\"ada lovelace\"@example.com",
            "ada@example",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "@example.com",
            "ada@",
            "ada",
            "ada@b@example.com",
            " ada@example.com",
            "ada@example.com ",
            "ada@example.com\n",
            "ada @example.com",
            "Ada <ada@example.com>",
            "ada@exa_mple.com",
            "ada@-example.com",
            "ada@xn--bcher-kva.example",
            "ada@b\u{fc}cher.example",
            "\u{e4}da@example.com",
            "ada@example.com.",
            "ada<x>&@example.com",
            "ada!x@example.com",
            "ada%40x@example.com",
            "ada@example.com\0",
            "ada'x@example.com",
            "ada/x@example.com",
        ] {
            let token = self.draft().claim("email", email).mint();
            self.compare(format!("email {email:?}"), &token);
        }
        let long = format!("{}@example.com", "a".repeat(300));
        self.compare(
            "email of 312 characters",
            &self.draft().claim("email", long).mint(),
        );
        for verified in [
            "true", "True", "TRUE", "false", "False", "1", "0", "t", "yes", " true",
        ] {
            let token = self.draft().claim("email_verified", verified).mint();
            self.compare(format!("email_verified {verified:?}"), &token);
        }
    }

    fn payloads(&self) {
        for (what, more) in [
            (
                "iss twice",
                format!(",\"iss\":\"{}\"", self.scene.issuer.url()),
            ),
            (
                "another iss last",
                ",\"iss\":\"https://other.example.com\"".to_owned(),
            ),
            ("aud twice", ",\"aud\":\"sigstore\"".to_owned()),
            ("another aud last", ",\"aud\":\"other\"".to_owned()),
            ("sub twice", ",\"sub\":\"other\"".to_owned()),
            ("exp twice", ",\"exp\":1".to_owned()),
            ("email twice", ",\"email\":\"eve@example.com\"".to_owned()),
            ("email null last", ",\"email\":null".to_owned()),
            (
                "email_verified twice",
                ",\"email_verified\":false".to_owned(),
            ),
            ("unknown twice", ",\"x\":1,\"x\":2".to_owned()),
            ("twice below", ",\"x\":{\"y\":1,\"y\":2}".to_owned()),
            (
                "email escaped",
                ",\"\\u0065mail\":\"eve@example.com\"".to_owned(),
            ),
            ("a surrogate", ",\"x\":\"\\ud800\"".to_owned()),
            ("a surrogate in a name", ",\"\\ud800\":1".to_owned()),
            ("a huge number", ",\"x\":1e400".to_owned()),
            ("a long number", format!(",\"x\":{}", "9".repeat(10_000))),
            ("a bad number", ",\"x\":01".to_owned()),
            ("NaN", ",\"x\":NaN".to_owned()),
            ("a control character", ",\"x\":\"\u{1}\"".to_owned()),
            ("a comma at the end", ",".to_owned()),
            ("a comment", "/**/".to_owned()),
            ("an object more", "}{".to_owned()),
            ("spaces", " \n\t\r ".to_owned()),
        ] {
            self.compare(
                format!("payload {what}"),
                &self.draft().claims_ending_in(&more).mint(),
            );
        }
        for depth in [100, 126, 127, 128, 129, 200, 9_990, 10_010, 100_000] {
            let more = format!(",\"x\":{}{}", "[".repeat(depth), "]".repeat(depth));
            self.compare(
                format!("payload nested {depth}"),
                &self.draft().claims_ending_in(&more).mint(),
            );
        }
        let long = format!(",\"x\":\"{}\"", "a".repeat(1 << 20));
        self.compare(
            "payload of 1 MiB",
            &self.draft().claims_ending_in(&long).mint(),
        );
        let many: String = (0..20_000)
            .map(|number| format!(",\"x{number}\":{number}"))
            .collect();
        self.compare(
            "payload of many claims",
            &self.draft().claims_ending_in(&many).mint(),
        );
        let long = format!("{}@example.com", "a".repeat(1 << 20));
        self.compare(
            "payload with an address of 1 MiB",
            &self.draft().claim("email", long).mint(),
        );
        for (what, payload) in [
            ("empty", &b""[..]),
            ("null", b"null"),
            ("array", b"[]"),
            ("text", b"\"x\""),
            ("number", b"1"),
            ("no JSON", b"x"),
            ("object", b"{}"),
            ("cut", b"{\"iss\":"),
        ] {
            self.compare(
                format!("payload {what}"),
                &self.draft().payload(payload).mint(),
            );
        }
        let claims = || {
            let token = self.scene.token();
            BASE64_URL_SAFE_NO_PAD
                .decode(token.split('.').nth(1).unwrap())
                .unwrap()
        };
        let with = |before: &[u8], after: &[u8]| {
            let payload = [before, &claims(), after].concat();
            self.draft().payload(payload).mint()
        };
        self.compare(
            "payload with a byte order mark",
            &with(b"\xef\xbb\xbf", b""),
        );
        self.compare("payload with spaces around", &with(b" \n", b"\t "));
        self.compare("payload with rubbish behind", &with(b"", b"x"));
        self.compare("payload with a brace behind", &with(b"", b"}"));
        let end = claims().len() - 1;
        let no_utf8 = [&claims()[..end], b",\"x\":\"\xff\"}"].concat();
        self.compare("payload of no UTF-8", &self.draft().payload(no_utf8).mint());
        let no_utf8 = [&claims()[..end], b",\"\xff\":1}"].concat();
        self.compare(
            "payload with a name of no UTF-8",
            &self.draft().payload(no_utf8).mint(),
        );
        let no_utf8 = [&claims()[..end], b",\"email\":\"a\xffa@example.com\"}"].concat();
        self.compare(
            "payload with an address of no UTF-8",
            &self.draft().payload(no_utf8).mint(),
        );
    }

    fn signatures(&self) {
        let token = self.scene.token();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let good = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let with =
            |signature: &[u8]| format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        let flipped = |at: usize| {
            let mut changed = good.clone();
            changed[at] ^= 1;
            changed
        };
        for (what, signature) in [
            ("good", good.clone()),
            ("first bit", flipped(0)),
            ("last bit", flipped(63)),
            ("a byte more", [&good[..], &[0]].concat()),
            ("a byte less", good[..63].to_vec()),
            ("zeros", vec![0; 64]),
            ("ones", vec![0xff; 64]),
            ("r only", good[..32].to_vec()),
            ("halves exchanged", [&good[32..], &good[..32]].concat()),
            (
                "wider halves",
                [&[0][..], &good[..32], &[0], &good[32..]].concat(),
            ),
            ("twice", [&good[..], &good].concat()),
            ("empty", Vec::new()),
        ] {
            self.compare(format!("signature {what}"), &with(&signature));
        }
        let stranger = FakeKey::generate(Algorithm::Es256).named("ec1");
        self.compare(
            "signature of a stranger",
            &self.draft().signed_by(&stranger).mint(),
        );
        for algorithm in [
            Algorithm::Rs256,
            Algorithm::Es384,
            Algorithm::EdDsa,
            Algorithm::Ps256,
        ] {
            let stranger = FakeKey::generate(algorithm).named("ec1");
            let draft = self.draft().signed_by(&stranger);
            self.compare(format!("signature by {algorithm} as ES256"), &draft.mint());
            let draft = draft.parameter("alg", algorithm.name());
            self.compare(format!("signature by {algorithm} as such"), &draft.mint());
        }
    }
}

/// One issuer whose key set is `keys`, and whose token another signs.
struct Published {
    name: String,
    keys: Value,
    token: Box<dyn Fn(&Issuer) -> String>,
    rows: &'static [&'static str],
}

fn published_keys(stage: &Stage) {
    let ec = FakeKey::generate(Algorithm::Es256).named("k");
    let other = FakeKey::generate(Algorithm::Es256).named("k");
    let rsa = FakeKey::generate(Algorithm::Rs256).named("k");
    let mut all = Vec::new();
    let mut add = |name: &str, keys: Value, key: &FakeKey, rows: &'static [&'static str]| {
        let key = key.clone();
        all.push(Published {
            name: name.to_owned(),
            keys,
            token: Box::new(move |issuer| {
                let draft = issuer.draft().parameter("alg", key_algorithm(&key));
                draft.parameter("kid", "k").signed_by(&key).mint()
            }),
            rows,
        });
    };
    let set = |keys: &[Value]| json!({ "keys": keys });
    for algorithm in Algorithm::ALL {
        let key = FakeKey::generate(algorithm).named("k");
        add(&format!("{algorithm}"), set(&[key.jwk()]), &key, &[]);
    }
    for algorithm in [
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps512,
    ] {
        add(
            &format!("RS256 signing with {algorithm}"),
            set(&[rsa.jwk()]),
            &rsa.clone().signing_with(algorithm),
            &[],
        );
    }
    let rows: &[(&str, Value, &[&str])] = &[
        ("use sig", json!("sig"), &[]),
        ("use enc", json!("enc"), &["key-parameters"]),
        ("use empty", json!(""), &["key-parameters"]),
        ("use unknown", json!("x"), &["key-parameters"]),
        ("use null", json!(null), &[]),
        ("use number", json!(1), &[]),
    ];
    for (name, value, rows) in rows {
        add(name, set(&[with(&ec, "use", value.clone())]), &ec, rows);
    }
    let rows: &[(&str, Value, &[&str])] = &[
        ("alg ES256", json!("ES256"), &[]),
        ("alg ES384", json!("ES384"), &["key-parameters"]),
        ("alg RS256", json!("RS256"), &["key-parameters"]),
        ("alg empty", json!(""), &["key-parameters"]),
        ("alg unknown", json!("x"), &["key-parameters"]),
        ("alg number", json!(1), &[]),
    ];
    for (name, value, rows) in rows {
        add(name, set(&[with(&ec, "alg", value.clone())]), &ec, rows);
    }
    let rows: &[(&str, Value, &[&str])] = &[
        ("key_ops verify", json!(["verify"]), &[]),
        ("key_ops sign and verify", json!(["sign", "verify"]), &[]),
        ("key_ops encrypt", json!(["encrypt"]), &["key-parameters"]),
        ("key_ops empty", json!([]), &["key-parameters"]),
        ("key_ops text", json!("verify"), &[]),
    ];
    for (name, value, rows) in rows {
        add(name, set(&[with(&ec, "key_ops", value.clone())]), &ec, rows);
    }
    for (name, member, value) in [
        ("kid number", "kid", json!(1)),
        ("kid missing", "kid", json!(null)),
        ("kid empty", "kid", json!("")),
        ("kty missing", "kty", json!(null)),
        ("kty lower case", "kty", json!("ec")),
        ("kty RSA", "kty", json!("RSA")),
        ("crv missing", "crv", json!(null)),
        ("crv P-384", "crv", json!("P-384")),
        ("crv secp256k1", "crv", json!("secp256k1")),
        ("x missing", "x", json!(null)),
        ("x short", "x", json!("AAAA")),
        ("y missing", "y", json!(null)),
        ("y of x", "y", ec.jwk()["x"].clone()),
        (
            "x padded",
            "x",
            json!(format!("{}=", ec.jwk()["x"].as_str().unwrap())),
        ),
        (
            "x wide",
            "x",
            json!(format!("AAAA{}", ec.jwk()["x"].as_str().unwrap())),
        ),
        ("d present", "d", ec.jwk()["x"].clone()),
        ("x5c rubbish", "x5c", json!(["AAAA"])),
        ("x5c empty", "x5c", json!([])),
        ("x5t rubbish", "x5t", json!("AAAA")),
        ("x5u", "x5u", json!("http://127.0.0.1:1/x")),
        ("unknown member", "x-unknown", json!({})),
    ] {
        add(
            &format!("EC {name}"),
            set(&[with(&ec, member, value)]),
            &ec,
            &[],
        );
    }
    for (name, member, value) in [
        ("e 3", "e", json!("Aw")),
        ("e 1", "e", json!("AQ")),
        ("e leading zero", "e", json!("AAEAAQ")),
        ("e missing", "e", json!(null)),
        ("n leading zero", "n", json!(leading_zero(&rsa))),
        ("n missing", "n", json!(null)),
        (
            "n with padding",
            "n",
            json!(format!("{}==", rsa.jwk()["n"].as_str().unwrap())),
        ),
        ("d present", "d", json!("AQAB")),
    ] {
        add(
            &format!("RSA {name}"),
            set(&[with(&rsa, member, value)]),
            &rsa,
            &[],
        );
    }
    let encryption = with(&rsa, "alg", json!("RSA-OAEP"));
    for (name, keys, key) in [
        (
            "two of one kid, the second signs",
            set(&[other.jwk(), ec.jwk()]),
            &ec,
        ),
        (
            "two of one kid, the first signs",
            set(&[ec.jwk(), other.jwk()]),
            &ec,
        ),
        (
            "two kinds of one kid, RSA signs",
            set(&[ec.jwk(), rsa.jwk()]),
            &rsa,
        ),
        (
            "two kinds of one kid, EC signs",
            set(&[rsa.jwk(), ec.jwk()]),
            &ec,
        ),
        ("the same twice", set(&[ec.jwk(), ec.jwk()]), &ec),
        (
            "a secret beside",
            set(&[json!({ "kty": "oct", "k": "AAAA", "kid": "k" }), ec.jwk()]),
            &ec,
        ),
        (
            "an unknown kind beside",
            set(&[json!({ "kty": "x", "kid": "k" }), ec.jwk()]),
            &ec,
        ),
        ("an empty key beside", set(&[json!({}), ec.jwk()]), &ec),
        ("null beside", set(&[json!(null), ec.jwk()]), &ec),
        ("a text beside", set(&[json!("x"), ec.jwk()]), &ec),
        (
            "a broken key beside",
            set(&[with(&other, "x", json!("AAAA")), ec.jwk()]),
            &ec,
        ),
        (
            "a broken key behind",
            set(&[ec.jwk(), with(&other, "x", json!("AAAA"))]),
            &ec,
        ),
        (
            "an encryption key beside",
            set(&[encryption, ec.jwk()]),
            &ec,
        ),
        ("no keys", set(&[]), &ec),
        ("keys null", json!({ "keys": null }), &ec),
        ("keys missing", json!({}), &ec),
        ("keys object", json!({ "keys": {} }), &ec),
        ("an array", json!([ec.jwk()]), &ec),
        ("null", json!(null), &ec),
        ("a text", json!("x"), &ec),
        ("a key alone", ec.jwk(), &ec),
        ("more members", json!({ "keys": [ec.jwk()], "x": 1 }), &ec),
        ("another's", set(&[other.jwk()]), &ec),
    ] {
        add(&format!("set with {name}"), keys, key, &[]);
    }
    let keys = json!({ "Keys": [ec.jwk()] });
    add("set with Keys", keys, &ec, &["claim-case"]);
    let host = IdpHost::start();
    let issuers: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, published)| {
            let name = format!("keys{number}");
            let issuer = host.issuer(&name, FakeIdp::new(ec.clone()));
            host.document(&format!("/{name}/keys"), &published.keys.to_string());
            issuer
        })
        .collect();
    let pair = start(stage, &issuers);
    let key = SigningKey::p256();
    let csr = key.csr();
    for (issuer, published) in issuers.iter().zip(&all) {
        let request = csr.v2(&(published.token)(issuer));
        let case = Case::new(format!("keys published/{}", published.name), request);
        stage.compare(&pair, case.differing(published.rows));
    }
}

fn start(stage: &Stage, issuers: &[Issuer]) -> Pair {
    let entries: String = issuers.iter().map(|issuer| issuer.entry("email")).collect();
    Setup::new(&format!("oidc-issuers:\n{entries}")).start(stage)
}

/// What its algorithm is called.
fn key_algorithm(key: &FakeKey) -> &'static str {
    let token = FakeIdp::new(key.clone()).token();
    let header = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let name = header["alg"].as_str().unwrap();
    Algorithm::from_name(name).unwrap().name()
}

fn with(key: &FakeKey, member: &str, value: Value) -> Value {
    key.clone().published_with(member, value).jwk()
}

fn leading_zero(key: &FakeKey) -> String {
    let n = BASE64_URL_SAFE_NO_PAD
        .decode(key.jwk()["n"].as_str().unwrap())
        .unwrap();
    BASE64_URL_SAFE_NO_PAD.encode([&[0][..], &n].concat())
}

fn discovery(stage: &Stage) {
    let ec = FakeKey::generate(Algorithm::Es256).named("k");
    let rsa = FakeKey::generate(Algorithm::Rs256).named("k");
    let algorithms = "id_token_signing_alg_values_supported";
    let host = IdpHost::start();
    let changes: Vec<(&str, &FakeKey, &str, Option<Value>)> = vec![
        ("as it should be", &ec, "x", None),
        ("without algorithms, RSA", &rsa, algorithms, None),
        ("without algorithms, EC", &ec, algorithms, None),
        ("no algorithms, RSA", &rsa, algorithms, Some(json!([]))),
        ("no algorithms, EC", &ec, algorithms, Some(json!([]))),
        (
            "unknown algorithms only, RSA",
            &rsa,
            algorithms,
            Some(json!(["x"])),
        ),
        (
            "unknown algorithms only, EC",
            &ec,
            algorithms,
            Some(json!(["x"])),
        ),
        ("another algorithm", &ec, algorithms, Some(json!(["RS256"]))),
        ("none too", &ec, algorithms, Some(json!(["none", "ES256"]))),
        ("HMAC too", &ec, algorithms, Some(json!(["HS256", "ES256"]))),
        ("algorithms null", &rsa, algorithms, Some(json!(null))),
        ("algorithms text", &ec, algorithms, Some(json!("ES256"))),
        (
            "algorithms with a number",
            &ec,
            algorithms,
            Some(json!(["ES256", 1])),
        ),
        (
            "another issuer",
            &ec,
            "issuer",
            Some(json!("https://other.example.com")),
        ),
        ("no issuer", &ec, "issuer", None),
        ("issuer null", &ec, "issuer", Some(json!(null))),
        ("issuer number", &ec, "issuer", Some(json!(1))),
        ("no jwks_uri", &ec, "jwks_uri", None),
        ("empty jwks_uri", &ec, "jwks_uri", Some(json!(""))),
        ("relative jwks_uri", &ec, "jwks_uri", Some(json!("/keys"))),
        (
            "jwks_uri of a file",
            &ec,
            "jwks_uri",
            Some(json!("file:///etc/passwd")),
        ),
        (
            "dead jwks_uri",
            &ec,
            "jwks_uri",
            Some(json!("http://127.0.0.1:1/keys")),
        ),
        ("no endpoints", &ec, "response_types_supported", None),
        (
            "number for an endpoint",
            &ec,
            "token_endpoint",
            Some(json!(1)),
        ),
        (
            "null for an endpoint",
            &ec,
            "token_endpoint",
            Some(json!(null)),
        ),
        ("a list", &ec, "userinfo_endpoint", Some(json!([]))),
        (
            "true for an endpoint",
            &ec,
            "device_authorization_endpoint",
            Some(json!(true)),
        ),
        ("an object", &ec, "authorization_endpoint", Some(json!({}))),
        (
            "algorithms with null",
            &ec,
            algorithms,
            Some(json!(["ES256", null])),
        ),
        (
            "number for a list",
            &ec,
            "subject_types_supported",
            Some(json!(1)),
        ),
        (
            "jwks_uri behind a space",
            &ec,
            "jwks_uri",
            Some(json!(" http://127.0.0.1:1/keys")),
        ),
        ("case of jwks_uri", &ec, "JWKS_URI", Some(json!(null))),
        (
            "case of an endpoint",
            &ec,
            "Token_endpoint",
            Some(json!("x")),
        ),
    ];
    let mut issuers = Vec::new();
    for (number, (_, key, member, value)) in changes.iter().enumerate() {
        let name = format!("d{number}");
        let issuer = host.issuer(&name, FakeIdp::new((*key).clone()));
        let idp = FakeIdp::new((*key).clone()).issued_by(issuer.url());
        let mut document = idp.discovery();
        match value {
            Some(value) => document[*member] = value.clone(),
            None => drop(document.as_object_mut().unwrap().remove(*member)),
        }
        host.document(
            &format!("/{name}/.well-known/openid-configuration"),
            &document.to_string(),
        );
        issuers.push(issuer);
    }
    let texts = ["", "x", "null", "[]", "{}", "\u{feff}{}"];
    for (number, text) in texts.iter().enumerate() {
        let name = format!("t{number}");
        issuers.push(host.issuer(&name, FakeIdp::new(ec.clone())));
        host.document(&format!("/{name}/.well-known/openid-configuration"), text);
    }
    let slash = host.issuer("slash/", FakeIdp::new(ec.clone()));
    let document = FakeIdp::new(ec.clone()).issued_by(slash.url()).discovery();
    host.document(
        "/slash/.well-known/openid-configuration",
        &document.to_string(),
    );
    host.document("/slash/keys", &FakeIdp::new(ec.clone()).jwks().to_string());
    issuers.push(slash);

    let pair = start(stage, &issuers);
    let csr = SigningKey::p256().csr();
    let names = changes.iter().map(|change| change.0.to_owned());
    let names = names.chain(texts.iter().map(|text| format!("text {text:?}")));
    let names = names.chain(["issuer with a slash".to_owned()]);
    for (name, issuer) in names.zip(&issuers) {
        let request = csr.v2(&issuer.draft().mint());
        let rows: &[&str] = match name.starts_with("case of") {
            true => &["claim-case"],
            false => &[],
        };
        let case = Case::new(format!("discovery/{name}"), request);
        stage.compare(&pair, case.differing(rows));
    }
}
