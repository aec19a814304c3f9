//! The API, health and everything else on the port for gRPC.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use prost::Message as _;

use super::{
    Case, Proof, Request, SigningKey, Stage,
    proof::GRPC,
    scene::{ADA, Scene},
};

const BUNDLE: &str = "/dev.sigstore.fulcio.v2.CA/GetTrustBundle";
const CONFIGURATION: &str = "/dev.sigstore.fulcio.v2.CA/GetConfiguration";
const CHECK: &str = "/grpc.health.v1.Health/Check";

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    methods(stage, &scene);
    health(stage, &scene);
    metadata(stage, &scene);
    messages(stage, &scene);
    framing(stage, &scene);
    requests(stage, &scene);
}

fn methods(stage: &Stage, scene: &Scene) {
    for path in [
        GRPC,
        BUNDLE,
        CONFIGURATION,
        CHECK,
        "/dev.sigstore.fulcio.v2.CA/Unknown",
        "/dev.sigstore.fulcio.v2.CA/",
        "/dev.sigstore.fulcio.v2.CA",
        "/dev.sigstore.fulcio.v2.ca/GetTrustBundle",
        "/dev.sigstore.fulcio.v2.CA/getTrustBundle",
        "/dev.sigstore.fulcio.v2.CA/GetTrustBundle/",
        "/dev.sigstore.fulcio.v2.CA/GetTrustBundle?x=1",
        "//GetTrustBundle",
        "/Unknown/Method",
        "/",
        "/x",
        "/api/v2/trustBundle",
        "/healthz",
        "/dev.sigstore.fulcio.v1beta.CA/CreateSigningCertificate",
        "/dev.sigstore.fulcio.v1beta.CA/GetRootCertificate",
        "/grpc.health.v1.Health/Unknown",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/grpc.channelz.v1.Channelz/GetServers",
    ] {
        let case = Case::new(format!("grpc/method {path}"), Request::grpc(path, &[]));
        stage.compare(&scene.pair, case);
    }
}

/// A message with one text in its first field.
fn text(value: &str) -> Vec<u8> {
    #[derive(prost::Message)]
    struct Text {
        #[prost(string, tag = "1")]
        value: String,
    }
    Text {
        value: value.to_owned(),
    }
    .encode_to_vec()
}

fn health(stage: &Stage, scene: &Scene) {
    for service in [
        "",
        "dev.sigstore.fulcio.v2.CA",
        "dev.sigstore.fulcio.v1beta.CA",
        "grpc.health.v1.Health",
        "nonsense",
        "\u{e4}",
    ] {
        let case = Case::new(
            format!("health/Check {service:?}"),
            Request::grpc(CHECK, &text(service)),
        );
        stage.compare(&scene.pair, case);
        let request = Request::grpc("/grpc.health.v1.Health/Watch", &text(service)).of_a_stream();
        let case = Case::new(format!("health/Watch {service:?}"), request);
        stage.compare(&scene.pair, case.differs("health-list-and-watch"));
    }
    let case = Case::new(
        "health/List",
        Request::grpc("/grpc.health.v1.Health/List", &[]),
    );
    stage.compare(&scene.pair, case.differs("health-list-and-watch"));
}

fn metadata(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    let token = scene.token();
    let with = |message: Option<&str>, metadata: &[(&str, &str)]| {
        let request = Request::grpc(GRPC, &csr.message(message));
        metadata.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    };
    const NAME: &str = "oidcidentitytoken";
    let bearer = format!("Bearer {token}");
    for (what, message, metadata) in [
        ("token in metadata", None, &[(NAME, token.as_str())][..]),
        (
            "empty token, token in metadata",
            Some(""),
            &[(NAME, &token)],
        ),
        (
            "token in message, bad one in metadata",
            Some(token.as_str()),
            &[(NAME, "a.b.c")],
        ),
        (
            "bad token in message, good one in metadata",
            Some("a.b.c"),
            &[(NAME, &token)],
        ),
        (
            "token in metadata twice",
            None,
            &[(NAME, &token), (NAME, &token)],
        ),
        (
            "token and an empty one in metadata",
            None,
            &[(NAME, &token), (NAME, "")],
        ),
        (
            "bad and good token in metadata",
            None,
            &[(NAME, "a.b.c"), (NAME, &token)],
        ),
        ("empty metadata", None, &[(NAME, "")]),
        ("nowhere", None, &[]),
        ("bearer in metadata", None, &[(NAME, &bearer)]),
        ("authorization", None, &[("authorization", &bearer)]),
        (
            "binary metadata",
            None,
            &[("oidcidentitytoken-bin", "AQID")],
        ),
        (
            "bad binary metadata",
            Some(&token),
            &[("x-bin", "not base64!")],
        ),
        ("request id", Some(&token), &[("x-request-id", "mine")]),
        (
            "two request ids",
            Some(&token),
            &[("x-request-id", "a"), ("x-request-id", "b")],
        ),
        ("timeout", Some(&token), &[("grpc-timeout", "10S")]),
        ("no time", Some(&token), &[("grpc-timeout", "1n")]),
        ("zero time", Some(&token), &[("grpc-timeout", "0S")]),
        ("bad timeout", Some(&token), &[("grpc-timeout", "x")]),
        (
            "long timeout",
            Some(&token),
            &[("grpc-timeout", "999999999S")],
        ),
        (
            "accepted encodings",
            Some(&token),
            &[("grpc-accept-encoding", "gzip,identity")],
        ),
        (
            "unknown accepted encoding",
            Some(&token),
            &[("grpc-accept-encoding", "br")],
        ),
        (
            "user agent",
            Some(&token),
            &[("user-agent", "grpc-go/1.80")],
        ),
        ("x-http-code", Some(&token), &[("x-http-code", "418")]),
        ("reserved metadata", Some(&token), &[("grpc-status", "5")]),
        (
            "origin",
            Some(&token),
            &[("origin", "https://a.example.com")],
        ),
    ] {
        stage.compare(
            &scene.pair,
            Case::new(format!("metadata/{what}"), with(message, metadata)),
        );
    }
}

/// The rows of the table that a message, or its frame, is one of.
fn rows_of(what: &str) -> &'static [&'static str] {
    match what {
        "JSON"
        | "compressed without an encoding"
        | "cut"
        | "cut in the tag"
        | "end without group"
        | "field 0"
        | "garbage"
        | "group without end"
        | "half a head"
        | "half a message"
        | "huge length of a field"
        | "key of no UTF-8"
        | "length beyond the end"
        | "long varint"
        | "nested"
        | "token of no UTF-8"
        | "unknown flag"
        | "wire type 7"
        | "wrong wire type of credentials"
        | "wrong wire type of the csr" => &["unreadable-call"],
        "a message and rubbish" => &["rubbish-after-message"],
        "nothing" => &["call-without-message"],
        _ => &[],
    }
}

fn messages(stage: &Stage, scene: &Scene) {
    let token = scene.token();
    let (csr, proof) = (scene.key.csr(), scene.proof());
    let good = csr.message(Some(&token));
    let key = proof.message(Some(&token));
    let field = |number: u8, bytes: &[u8]| {
        let mut all = vec![number << 3 | 2];
        prost::encode_length_delimiter(bytes.len(), &mut all).unwrap();
        all.extend_from_slice(bytes);
        all
    };
    let credentials = field(1, &field(1, token.as_bytes()));
    let (
        Proof::Csr(pem),
        Proof::Public {
            key: spki,
            signature,
        },
    ) = (&csr, &proof)
    else {
        unreachable!()
    };
    let arm = field(3, pem);
    let other = field(
        2,
        &[field(1, &field(2, spki)), field(2, signature)].concat(),
    );
    let split = field(2, &field(1, &field(2, spki)));
    let rest = field(2, &field(2, signature));
    let bad_arm = field(3, b"x");
    for (what, message) in [
        ("csr", good.clone()),
        ("key", key),
        ("empty", Vec::new()),
        ("csr then key", [&credentials[..], &arm, &other].concat()),
        ("key then csr", [&credentials[..], &other, &arm].concat()),
        (
            "key and an empty csr",
            [&credentials[..], &other, &field(3, b"")].concat(),
        ),
        (
            "csr and an empty key",
            [&credentials[..], &arm, &field(2, b"")].concat(),
        ),
        (
            "key in two parts",
            [&credentials[..], &split, &rest].concat(),
        ),
        (
            "key in two parts, csr between",
            [&credentials[..], &split, &arm, &rest].concat(),
        ),
        (
            "bad csr then good csr",
            [&credentials[..], &bad_arm, &arm].concat(),
        ),
        (
            "good csr then bad csr",
            [&credentials[..], &arm, &bad_arm].concat(),
        ),
        ("credentials last", [&arm[..], &credentials].concat()),
        (
            "credentials twice",
            [&credentials[..], &credentials, &arm].concat(),
        ),
        (
            "bad then good credentials",
            [&field(1, &field(1, b"x"))[..], &credentials, &arm].concat(),
        ),
        (
            "good then bad credentials",
            [&credentials[..], &field(1, &field(1, b"x")), &arm].concat(),
        ),
        (
            "good then empty credentials",
            [&credentials[..], &field(1, b""), &arm].concat(),
        ),
        ("unknown field", [&good[..], &field(15, b"x")].concat()),
        ("unknown varint", [&good[..], &[15 << 3, 1]].concat()),
        (
            "unknown fixed64",
            [&good[..], &[15 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]].concat(),
        ),
        (
            "unknown group",
            [&good[..], &[15 << 3 | 3, 15 << 3 | 4]].concat(),
        ),
        ("group without end", [&good[..], &[15 << 3 | 3]].concat()),
        ("end without group", [&good[..], &[15 << 3 | 4]].concat()),
        ("wire type 7", [&good[..], &[15 << 3 | 7]].concat()),
        ("field 0", [&good[..], &[2, 0]].concat()),
        (
            "wrong wire type of the csr",
            [&credentials[..], &[3 << 3, 1]].concat(),
        ),
        (
            "wrong wire type of credentials",
            [&[1 << 3, 1][..], &arm].concat(),
        ),
        ("cut", good[..good.len() - 1].to_vec()),
        ("cut in the tag", [&good[..], &[0x80]].concat()),
        (
            "length beyond the end",
            [&good[..], &[3 << 3 | 2, 0x7f]].concat(),
        ),
        (
            "huge length of a field",
            [
                &good[..],
                &[
                    3 << 3 | 2,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    1,
                ],
            ]
            .concat(),
        ),
        (
            "long varint",
            [
                &good[..],
                &[
                    15 << 3,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    0xff,
                    1,
                ],
            ]
            .concat(),
        ),
        (
            "token of no UTF-8",
            [&field(1, &field(1, b"\xff"))[..], &arm].concat(),
        ),
        (
            "key of no UTF-8",
            [&credentials[..], &field(2, &field(1, &field(2, b"\xff")))].concat(),
        ),
        (
            "algorithm",
            [
                &credentials[..],
                &field(
                    2,
                    &[
                        field(1, &[&[1 << 3, 2][..], &field(2, spki)].concat()),
                        field(2, signature),
                    ]
                    .concat(),
                ),
            ]
            .concat(),
        ),
        (
            "unknown algorithm",
            [
                &credentials[..],
                &field(
                    2,
                    &[
                        field(1, &[&[1 << 3, 99][..], &field(2, spki)].concat()),
                        field(2, signature),
                    ]
                    .concat(),
                ),
            ]
            .concat(),
        ),
        ("garbage", b"garbage".to_vec()),
        ("JSON", b"{}".to_vec()),
    ] {
        let case = Case::new(format!("message/{what}"), Request::grpc(GRPC, &message));
        stage.compare(&scene.pair, case.differing(rows_of(what)));
    }
    for path in [BUNDLE, CONFIGURATION] {
        for (what, message) in [
            ("unknown field", field(1, b"x")),
            ("garbage", b"garbage".to_vec()),
        ] {
            let rows: &[&str] = if what == "garbage" {
                &["unreadable-call"]
            } else {
                &[]
            };
            let case = Case::new(
                format!("message/{path} {what}"),
                Request::grpc(path, &message),
            );
            stage.compare(&scene.pair, case.differing(rows));
        }
    }
    for (what, length) in [
        ("under the limit", (4 << 20) - 20),
        ("the limit", (4 << 20) - 14),
        ("over the limit", 4 << 20),
        ("8 MiB", 8 << 20),
    ] {
        let message = Proof::Nothing.message(Some(&"a".repeat(length)));
        let name = format!("message/{what} ({})", message.len());
        stage.compare(&scene.pair, Case::new(name, Request::grpc(GRPC, &message)));
    }
    let deep = (0..20_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        if inner.len() > 60_000 {
            inner
        } else {
            field(1, &inner)
        }
    });
    let case = Case::new("message/nested", Request::grpc(GRPC, &deep));
    stage.compare(&scene.pair, case.differing(rows_of("nested")));
}

fn framing(stage: &Stage, scene: &Scene) {
    let good = scene.key.csr().message(Some(&scene.token()));
    let frame = |flag: u8, message: &[u8]| {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[flag], &length[..], message].concat()
    };
    for (what, data) in [
        ("nothing", Vec::new()),
        ("half a head", vec![0, 0]),
        ("half a message", frame(0, &good)[..40].to_vec()),
        ("two messages", [frame(0, &good), frame(0, &good)].concat()),
        (
            "a message and rubbish",
            [&frame(0, &good)[..], b"x"].concat(),
        ),
        ("compressed without an encoding", frame(1, &good)),
        ("unknown flag", frame(2, &good)),
        ("huge length", vec![0, 0xff, 0xff, 0xff, 0xff]),
    ] {
        let mut request = Request::grpc_bytes(GRPC, data);
        if what == "nothing" {
            request = request.that_waits_for_nothing();
        }
        let case = Case::new(format!("framing/{what}"), request);
        stage.compare(&scene.pair, case.differing(rows_of(what)));
    }
    let gzipped = |message: &[u8]| {
        let mut writer = GzEncoder::new(Vec::new(), Compression::default());
        writer.write_all(message).unwrap();
        writer.finish().unwrap()
    };
    for (encoding, flag, message) in [
        ("gzip", 1, &*gzipped(b"")),
        ("gzip", 1, b"x"),
        ("gzip", 0, b""),
        ("identity", 0, b""),
        ("identity", 1, b""),
        ("br", 1, b"x"),
        ("br", 0, b""),
    ] {
        let request =
            Request::grpc_bytes(BUNDLE, frame(flag, message)).header("grpc-encoding", encoding);
        let rows: &[&str] = match (encoding, flag, message) {
            ("identity", 1, _) | ("gzip", 1, b"x") => &["unreadable-call"],
            _ => &[],
        };
        let name = format!("framing/{encoding} {flag} {}", message.len());
        stage.compare(&scene.pair, Case::new(name, request).differing(rows));
    }
    for (what, path, message, rows) in [
        ("a certificate", GRPC, good, &[][..]),
        (
            "a bad token",
            GRPC,
            scene.key.csr().message(Some("a.b.c")),
            &[],
        ),
        ("5 MiB", GRPC, vec![0; 5 << 20], &["unreadable-call"]),
        (
            "an unknown method",
            "/dev.sigstore.fulcio.v2.CA/Unknown",
            Vec::new(),
            &[],
        ),
        ("an unknown service", "/Unknown/Method", Vec::new(), &[]),
        ("health", CHECK, Vec::new(), &[]),
    ] {
        let request = Request::grpc_bytes(path, frame(1, &gzipped(&message)))
            .header("grpc-encoding", "gzip")
            .header("grpc-accept-encoding", "gzip");
        let case = Case::new(format!("framing/gzip for {what}"), request);
        stage.compare(&scene.pair, case.differing(rows));
    }
    let request = Request::grpc("/dev.sigstore.fulcio.v2.CA/Unknown", &[]);
    let request = request.header("grpc-encoding", "br");
    stage.compare(
        &scene.pair,
        Case::new("framing/br for an unknown method", request),
    );
}

/// What is around a call.
fn requests(stage: &Stage, scene: &Scene) {
    for kind in [
        None,
        Some("application/grpc"),
        Some("application/grpc+proto"),
        Some("application/grpc+json"),
        Some("application/grpc;charset=utf-8"),
        Some("application/grpc-web"),
        Some("application/grpc-web+proto"),
        Some("application/grpcx"),
        Some("Application/gRPC"),
        Some("application/json"),
        Some("text/plain"),
        Some(""),
    ] {
        let mut request = Request::grpc(BUNDLE, &[]).without_header("content-type");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        stage.compare(
            &scene.pair,
            Case::new(format!("call/content-type {kind:?}"), request),
        );
    }
    let request = Request::grpc(BUNDLE, &[]).without_header("te");
    stage.compare(&scene.pair, Case::new("call/without te", request));
    for method in ["GET", "PUT", "OPTIONS", "HEAD", "DELETE"] {
        let mut request = Request::grpc(BUNDLE, &[]);
        request.method = method.to_owned();
        stage.compare(&scene.pair, Case::new(format!("call/{method}"), request));
    }
    let key = SigningKey::p256();
    for (what, proof) in [
        ("csr", key.csr()),
        ("key", key.proof(ADA)),
        ("another challenge", key.proof("eve@example.com")),
        ("nothing", Proof::Nothing),
    ] {
        stage.compare(
            &scene.pair,
            Case::new(format!("call/{what}"), proof.grpc(&scene.token())),
        );
        stage.compare(
            &scene.pair,
            Case::new(format!("call/{what} bad token"), proof.grpc("a.b.c")),
        );
    }
}
