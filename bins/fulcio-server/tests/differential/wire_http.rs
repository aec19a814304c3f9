//! Paths, methods, headers and bodies of HTTP.

use serde_json::json;

use super::{
    Case, Proof, Request, Stage,
    proof::{V1, V2},
    scene::Scene,
};

const PATHS: [&str; 7] = [
    V2,
    "/api/v2/trustBundle",
    "/api/v2/configuration",
    V1,
    "/api/v1/rootCert",
    "/healthz",
    "/readyz",
];

const UNKNOWN_PATHS: [&str; 26] = [
    "/",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v2",
    "/api/v2/",
    "/api/v3/signingCert",
    "/api/v1/trustBundle",
    "/api/v2/rootCert",
    "/api/v2/signingCert/",
    "/api/v2/signingcert",
    "/api/v2/signingCert/x",
    "//api/v2/signingCert",
    "/api//v2/signingCert",
    "/api/v2/./trustBundle",
    "/api/v2/../v2/trustBundle",
    "/api/v2/%74rustBundle",
    "/api%2Fv2/trustBundle",
    "/api/v2/trustBundle%00",
    "/api/v2/trustBundle:verb",
    "/api/v2/trustBundle;x=1",
    "/api/v2/trustBundle:",
    "/api/v2/:verb",
    "/healthz/",
    "/metrics",
    "/v1/healthz",
];

const METHODS: [&str; 11] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "PURGE", "CONNECT",
];

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    paths_and_methods(stage, &scene);
    targets(stage, &scene);
    content_types(stage, &scene);
    method_override(stage, &scene);
    authorization(stage, &scene);
    forwarded_headers(stage, &scene);
    repeated_headers(stage, &scene);
    sizes(stage, &scene);
    broken_http(stage, &scene);
    http_2(stage, &scene);
}

fn paths_and_methods(stage: &Stage, scene: &Scene) {
    for path in PATHS.into_iter().chain(UNKNOWN_PATHS) {
        for method in METHODS {
            let target = if method == "CONNECT" {
                "x.example.com:443"
            } else {
                path
            };
            if method == "CONNECT" && path != PATHS[0] {
                continue;
            }
            let mut request = Request::new(method, target);
            if ["POST", "PUT", "PATCH"].contains(&method) {
                request = request.body("{}");
            }
            let mut case = Case::new(format!("http/{method} {path}"), request);
            if path == "/readyz" {
                case = case.differs("readyz");
            }
            stage.compare(&scene.pair, case);
        }
    }
}

/// Other forms of what is asked for (RFC 9112 section 3.2), and queries.
fn targets(stage: &Stage, scene: &Scene) {
    for target in [
        "/api/v2/trustBundle?x=1",
        "/api/v2/trustBundle?",
        "/api/v2/trustBundle?x=%zz",
        "/api/v2/trustBundle?a;b",
        "/api/v2/trustBundle?issuers=1",
        "/api/v2/trustBundle#x",
        "/healthz?service=x",
        "/healthz?service=",
        "/healthz?x=1",
        "/healthz?service=dev.sigstore.fulcio.v2.CA",
        "http://fulcio.example.com/api/v2/trustBundle",
        "HTTP://other.example.com/api/v2/trustBundle",
        "https://fulcio.example.com/healthz",
        "http://fulcio.example.com",
        "*",
        "api/v2/trustBundle",
        "/api/v2/trust%zzBundle",
        "/api/v2/trust\u{e4}Bundle",
        "",
    ] {
        let rows: &[&str] = match target {
            "/api/v2/trustBundle#x" | "api/v2/trustBundle" | "" => &["broken-http"],
            "http://fulcio.example.com" => &["host-alone"],
            _ => &[],
        };
        let case = Case::new(format!("http/target {target}"), Request::get(target));
        stage.compare(&scene.pair, case.differing(rows));
    }
    let case = Case::new("http/OPTIONS *", Request::new("OPTIONS", "*"));
    stage.compare(&scene.pair, case);
    let long = format!("/{}", "a".repeat(70_000));
    let case = Case::new("http/long target", Request::get(&long));
    stage.compare(&scene.pair, case.differs("broken-http"));
    let body = scene.key.csr().v2(&scene.token());
    let mut request = body.clone();
    request.target = format!("{V2}?publicKeyRequest.publicKey.content=x");
    stage.compare(&scene.pair, Case::new("http/query with a body", request));
}

fn content_types(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    for kind in [
        None,
        Some(""),
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("application/json; charset=utf-16"),
        Some("text/plain"),
        Some("text/html"),
        Some("application/xml"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/octet-stream"),
        Some("application/grpc"),
        Some("application/grpc+json"),
        Some("application/grpc-web"),
        Some("application/x-protobuf"),
        Some("application/pem-certificate-chain"),
        Some("*/*"),
        Some("nonsense"),
        Some(";"),
    ] {
        for (version, good) in [
            ("v1", csr.v1(&scene.token())),
            ("v2", csr.v2(&scene.token())),
        ] {
            let mut request = good.without_header("content-type");
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let name = format!("http/{version} content-type {kind:?}");
            stage.compare(&scene.pair, Case::new(name, request));
        }
    }
    for (name, value) in [
        ("accept", "application/json"),
        ("accept", "text/html"),
        ("accept", "application/pem-certificate-chain"),
        ("accept", "application/x-protobuf"),
        ("accept", "application/grpc"),
        ("accept", "*/*"),
        ("accept", ""),
        ("accept-encoding", "gzip"),
        ("content-encoding", "gzip"),
        ("content-encoding", "identity"),
        ("if-none-match", "*"),
        ("range", "bytes=0-1"),
        ("cookie", "a=b"),
        ("expect", "100-continue"),
        ("expect", "nonsense"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
        ("te", "gzip"),
        ("trailer", "x"),
        ("x-requested-with", "XMLHttpRequest"),
    ] {
        let name_of = |what: &str| format!("http/{what} {name}: {value}");
        for (what, request) in [
            ("v1", csr.v1(&scene.token())),
            ("v2", csr.v2(&scene.token())),
            ("bundle", Request::get("/api/v2/trustBundle")),
            ("root", Request::get("/api/v1/rootCert")),
            ("health", Request::get("/healthz")),
            ("unknown", Request::get("/unknown")),
            ("refused", Request::post(V2).body("{")),
        ] {
            let request = request.header(name, value);
            stage.compare(&scene.pair, Case::new(name_of(what), request));
        }
    }
}

/// A form that is sent with POST may stand for another method (the gateway's way around long
/// queries).
fn method_override(stage: &Stage, scene: &Scene) {
    const FORM: &str = "application/x-www-form-urlencoded";
    for path in PATHS.into_iter().chain(["/unknown"]) {
        if path == "/readyz" {
            continue;
        }
        for (what, kind, method) in [
            ("form", FORM, None),
            ("form as GET", FORM, Some("GET")),
            ("form as get", FORM, Some("get")),
            ("form as PUT", FORM, Some("PUT")),
            ("form as POST", FORM, Some("POST")),
            ("form as nothing", FORM, Some("")),
            ("JSON as GET", "application/json", Some("GET")),
            (
                "form with charset as GET",
                "application/x-www-form-urlencoded; charset=utf-8",
                Some("GET"),
            ),
        ] {
            let mut request = Request::post(path).header("content-type", kind).body("a=b");
            if let Some(method) = method {
                request = request.header("x-http-method-override", method);
            }
            // Fulcio takes it for another method, or reads its body as a form.
            let turned = match method {
                _ if kind != FORM || path == "/unknown" => false,
                Some("PUT") => [V1, V2].contains(&path),
                None | Some("") => ![V1, V2].contains(&path),
                Some(_) => true,
            };
            let rows: &[&str] = if turned { &["forms"] } else { &[] };
            let case = Case::new(format!("http/{what} {path}"), request);
            stage.compare(&scene.pair, case.differing(rows));
        }
    }
    let request = Request::get(V2).header("x-http-method-override", "POST");
    stage.compare(&scene.pair, Case::new("http/GET as POST", request));
}

fn authorization(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    let token = scene.token();
    let bodies = [
        ("v1", V1, csr.v1_body()),
        ("v2", V2, csr.v2_body(None)),
        ("v2 with an empty token", V2, csr.v2_body(Some(""))),
        ("v2 with a bad token", V2, csr.v2_body(Some("a.b.c"))),
        ("v2 with a good token", V2, csr.v2_body(Some(&token))),
        ("v1 with credentials", V1, {
            let mut body = csr.v1_body();
            body["credentials"] = json!({ "oidcIdentityToken": token });
            body
        }),
    ];
    let shapes: [Option<String>; 21] = [
        None,
        Some(String::new()),
        Some(token.clone()),
        Some(format!("Bearer {token}")),
        Some(format!("bearer {token}")),
        Some(format!("BEARER {token}")),
        Some(format!("Bearer  {token}")),
        Some(format!("Bearer\t{token}")),
        Some(format!("Bearer {token} ")),
        Some(format!("  Bearer {token}")),
        Some(format!("Bearer{token}")),
        Some(format!("Bearer Bearer {token}")),
        Some(format!("{token}Bearer ")),
        Some(format!("Token {token}")),
        Some(format!("Basic {token}")),
        Some("Basic dXNlcjpwYXNz".to_owned()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer a.b.c".to_owned()),
        Some(format!("Bearer {token}, Bearer {token}")),
        Some("Bearer \u{e4}".to_owned()),
    ];
    for (what, path, body) in &bodies {
        for (number, shape) in shapes.iter().enumerate() {
            let mut request = Request::post(path).json(body);
            if let Some(shape) = shape {
                request = request.header("authorization", shape);
            }
            let shape = shape.as_ref().map(|shape| shape.replace(&token, "TOKEN"));
            // Where the token counts, and a space is before it.
            let spaced = shape.as_deref() == Some("Bearer  TOKEN");
            let counts = !["v2 with a bad token", "v2 with a good token"].contains(what);
            let rows: &[&str] = if spaced && counts {
                &["token-white-space"]
            } else {
                &[]
            };
            let name = format!("authorization/{what} {number} {shape:?}");
            stage.compare(&scene.pair, Case::new(name, request).differing(rows));
        }
    }
    for (what, first, second) in [
        (
            "good, bad",
            format!("Bearer {token}"),
            "Bearer a.b.c".to_owned(),
        ),
        (
            "bad, good",
            "Bearer a.b.c".to_owned(),
            format!("Bearer {token}"),
        ),
        ("empty, good", String::new(), format!("Bearer {token}")),
    ] {
        let request = Request::post(V2)
            .header("authorization", &first)
            .header("authorization", &second)
            .json(&csr.v2_body(None));
        stage.compare(
            &scene.pair,
            Case::new(format!("authorization/twice: {what}"), request),
        );
    }
    for name in [
        "proxy-authorization",
        "oidcidentitytoken",
        "x-authorization",
    ] {
        let request = Request::post(V2)
            .header(name, &format!("Bearer {token}"))
            .json(&csr.v2_body(None));
        stage.compare(
            &scene.pair,
            Case::new(format!("authorization/in {name}"), request),
        );
    }
}

/// What the gateway hands on, or makes something of.
fn forwarded_headers(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    let token = scene.token();
    let long = "r".repeat(2000);
    for (name, value) in [
        ("grpc-metadata-oidcidentitytoken", token.as_str()),
        ("grpc-metadata-oidcidentitytoken", ""),
        ("grpc-metadata-oidcidentitytoken", "a.b.c"),
        ("grpc-metadata-authorization", token.as_str()),
        ("grpc-metadata-x-request-id", "mine"),
        ("grpc-metadata-x-request-id", &long),
        ("grpc-metadata-x-http-code", "418"),
        ("grpc-metadata-x-sct", "mine"),
        ("grpc-metadata-", "x"),
        ("grpc-metadata-x-bin", "AQID"),
        ("grpc-metadata-x-bin", "not base64!"),
        ("grpc-metadata-grpc-timeout", "1n"),
        ("grpc-metadata-:authority", "x"),
        ("grpc-metadata-te", "x"),
        ("grpc-metadata-connection", "x"),
        ("grpc-metadata-content-type", "text/plain"),
        ("grpc-metadata-user-agent", "x"),
        ("grpc-metadata-x", "\u{e4}"),
        ("grpc-trailer-x", "x"),
        ("grpc-encoding", "gzip"),
        ("grpc-timeout", "10S"),
        ("grpc-timeout", "10"),
        ("grpc-timeout", "S"),
        ("grpc-timeout", ""),
        ("grpc-timeout", "-1S"),
        ("grpc-timeout", "0S"),
        ("grpc-timeout", "10x"),
        ("grpc-timeout", "99999999H"),
        ("grpc-timeout", "999999999S"),
        ("grpc-timeout", "1000000u"),
        ("x-request-id", "mine"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-host", "evil.example.com"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.1"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("x-http-code", "418"),
        ("x-sct", "mine"),
        ("user-agent", "cosign/v3"),
        ("via", "1.1 proxy"),
        ("content-language", "de"),
    ] {
        for (what, request) in [
            ("v1", Request::post(V1).json(&csr.v1_body())),
            ("v1 with a token", csr.v1(&token)),
            ("v2", Request::post(V2).json(&csr.v2_body(None))),
            ("v2 with a token", csr.v2(&token)),
            ("bundle", Request::get("/api/v2/trustBundle")),
            ("health", Request::get("/healthz")),
            ("unknown", Request::get("/unknown")),
        ] {
            let shown: String = value.replace(&token, "TOKEN").chars().take(40).collect();
            let title = format!("forwarded/{what} {name}: {shown} {}", value.len());
            stage.compare(&scene.pair, Case::new(title, request.header(name, value)));
        }
    }
}

fn repeated_headers(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    let token = scene.token();
    for (name, values) in [
        ("content-type", ["application/json", "text/plain"]),
        (
            "content-type",
            ["application/x-www-form-urlencoded", "application/json"],
        ),
        ("accept", ["application/json", "text/html"]),
        ("origin", ["https://a.example.com", "https://b.example.com"]),
        ("origin", ["", "https://b.example.com"]),
        ("host", ["fulcio.example.com", "fulcio.example.com"]),
        ("content-length", ["5", "6"]),
        ("te", ["gzip", "trailers"]),
        ("grpc-timeout", ["10S", "x"]),
        ("grpc-metadata-x-request-id", ["a", "b"]),
        ("x-request-id", ["a", "b"]),
    ] {
        let request = csr.v2(&token).without_header(name);
        let request = values
            .iter()
            .fold(request, |request, value| request.header(name, value));
        let rows: &[&str] = if name == "content-length" {
            &["broken-http"]
        } else {
            &[]
        };
        let name = format!("repeated/{name}: {}, {}", values[0], values[1]);
        stage.compare(&scene.pair, Case::new(name, request).differing(rows));
    }
}

const LIMIT: usize = 4 << 20;

fn sizes(stage: &Stage, scene: &Scene) {
    let body = |length: usize| {
        let frame = r#"{"x":""}"#.len();
        format!(r#"{{"x":"{}"}}"#, "a".repeat(length - frame))
    };
    for path in [V1, V2] {
        for (what, length) in [
            ("1 MiB", 1 << 20),
            ("the limit less 1", LIMIT - 1),
            ("the limit", LIMIT),
            ("the limit and 1", LIMIT + 1),
            ("5 MiB", 5 << 20),
        ] {
            let request = Request::post(path).body(body(length));
            stage.compare(
                &scene.pair,
                Case::new(format!("size/{path} {what}"), request),
            );
        }
        let spaces = format!("{{}}{}", " ".repeat(LIMIT));
        let request = Request::post(path).body(spaces);
        let case = Case::new(format!("size/{path} spaces at the end"), request);
        stage.compare(&scene.pair, case.differs("body-limit"));
        let spaces = format!("{}{{}}", " ".repeat(LIMIT - 2));
        let request = Request::post(path).body(spaces);
        stage.compare(
            &scene.pair,
            Case::new(format!("size/{path} spaces before"), request),
        );
        let request = Request::post(path)
            .header("authorization", &format!("Bearer {}", "a".repeat(5000)))
            .json(&Proof::Nothing.v2_body(None));
        stage.compare(
            &scene.pair,
            Case::new(format!("size/{path} long token"), request),
        );
    }
    let request = Request::get("/api/v2/trustBundle").body("{}");
    stage.compare(&scene.pair, Case::new("size/GET with a body", request));
    let request = Request::get("/api/v2/trustBundle").body(body(LIMIT + 1));
    stage.compare(
        &scene.pair,
        Case::new("size/GET with a large body", request),
    );
    let request = Request::get("/unknown").body(body(LIMIT + 1));
    stage.compare(
        &scene.pair,
        Case::new("size/unknown with a large body", request),
    );
    for (what, count, length) in [("many", 90, 10), ("a long", 1, 60_000)] {
        let request = (0..count).fold(Request::get("/api/v2/trustBundle"), |request, number| {
            request.header(&format!("x-{number}"), &"v".repeat(length))
        });
        stage.compare(
            &scene.pair,
            Case::new(format!("size/{what} headers"), request),
        );
    }
}

fn broken_http(stage: &Stage, scene: &Scene) {
    let chunked = |chunks: &str| {
        format!(
            "POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        )
    };
    for (what, bytes) in [
        ("chunked", chunked("2\r\n{}\r\n0\r\n\r\n")),
        ("chunks of one", chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")),
        ("chunk with extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n")),
        ("chunks with trailer", chunked("2\r\n{}\r\n0\r\nx: y\r\n\r\n")),
        ("a form", format!("POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b")),
        ("without length", format!("POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        ("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n".to_owned()),
        ("HTTP/1.0 with host", "GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n".to_owned()),
        ("line feeds only", "GET /healthz HTTP/1.1\nHost: x\nConnection: close\n\n".to_owned()),
        ("empty line first", "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
        ("two requests", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /unknown HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
        ("mixed-case names", format!("POST {V2} HTTP/1.1\r\nHOST: x\r\nCONNECTION: close\r\ncOnTeNt-LeNgTh: 2\r\n\r\n{{}}")),
        ("empty host", "GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n".to_owned()),
    ] {
        let case = Case::new(format!("raw/{what}"), Request::raw(bytes));
        let rows: &[&str] = if what == "empty line first" { &["broken-http"] } else { &[] };
        stage.compare(&scene.pair, case.differing(rows));
    }
    for (what, bytes) in [
        ("not HTTP", "nonsense\r\n\r\n".to_owned()),
        (
            "HTTP/1.1 without host",
            "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (
            "HTTP/3.0",
            "GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n".to_owned(),
        ),
        ("HTTP/0.9", "GET /healthz\r\n\r\n".to_owned()),
        (
            "space before colon",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nX : y\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        ("bad chunk length", chunked("x\r\n{}\r\n0\r\n\r\n")),
        ("chunks that break off", chunked("2\r\n{}\r\n")),
        (
            "length and chunks",
            format!(
                "POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
        ),
        (
            "unknown coding",
            format!(
                "POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n"
            ),
        ),
        (
            "length of no number",
            format!(
                "POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: x\r\n\r\n{{}}"
            ),
        ),
        (
            "negative length",
            format!(
                "POST {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -1\r\n\r\n{{}}"
            ),
        ),
        (
            "folded header",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nConnection: close\r\n\r\n"
                .to_owned(),
        ),
        (
            "control character in a header",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\u{1}b\r\nConnection: close\r\n\r\n"
                .to_owned(),
        ),
        (
            "space in the target",
            "GET /health z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (
            "bad method",
            "G@T /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (
            "bad host",
            "GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        ("TLS", "\u{16}\u{3}\u{1}\u{0}\u{5}hello".to_owned()),
        (
            "headers of 2 MB",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n",
                "a".repeat(2_000_000)
            ),
        ),
    ] {
        let rows: &[&str] = match what {
            "HTTP/1.1 without host" | "bad host" | "length and chunks" => &[],
            _ => &["broken-http"],
        };
        let mut request = Request::raw(bytes);
        if ["not HTTP", "TLS", "chunks that break off"].contains(&what) {
            request = request.that_breaks_off();
        }
        let case = Case::new(format!("raw/{what}"), request);
        stage.compare(&scene.pair, case.differing(rows));
    }
}

fn http_2(stage: &Stage, scene: &Scene) {
    let csr = scene.key.csr();
    for (what, request) in [
        ("health", Request::get("/healthz")),
        ("refused", csr.v2("a.b.c")),
        ("unreadable", Request::post(V2).body("{")),
    ] {
        let case = Case::new(format!("http2/{what}"), request.over_http2());
        stage.compare(&scene.pair, case.differs("http-2"));
    }
}
