//! What scripts of other origins may do.

use super::{Case, Request, Stage, proof::V2, scene::Scene};

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    for origin in [
        "https://a.example.com",
        "null",
        "x",
        "",
        "*",
        "https://a.example.com, https://b.example.com",
    ] {
        for (name, request) in [
            ("v2", scene.key.csr().v2(&scene.token())),
            ("v1", scene.key.csr().v1(&scene.token())),
            ("refused", Request::post(V2).body("{")),
            ("bundle", Request::get("/api/v2/trustBundle")),
            ("HEAD", Request::new("HEAD", "/healthz")),
            ("PUT", Request::new("PUT", V2)),
            ("DELETE", Request::new("DELETE", V2)),
            ("OPTIONS", Request::new("OPTIONS", V2)),
            ("get", Request::new("get", "/healthz")),
            ("unknown", Request::get("/unknown")),
        ] {
            let case = Case::new(
                format!("cors/{name} from {origin:?}"),
                request.header("origin", origin),
            );
            stage.compare(&scene.pair, case);
        }
    }
    for origin in [None, Some("https://a.example.com"), Some("")] {
        for path in [V2, "/healthz", "/unknown", "*"] {
            for method in [
                None,
                Some("GET"),
                Some("POST"),
                Some("HEAD"),
                Some("OPTIONS"),
                Some("PUT"),
                Some("post"),
                Some("Post"),
                Some(""),
                Some("POST, GET"),
                Some(" POST "),
            ] {
                let mut request = Request::new("OPTIONS", path);
                if let Some(origin) = origin {
                    request = request.header("origin", origin);
                }
                if let Some(method) = method {
                    request = request.header("access-control-request-method", method);
                }
                let name = format!("preflight/{path} from {origin:?} for {method:?}");
                stage.compare(&scene.pair, Case::new(name, request));
            }
        }
    }
    let preflight = || {
        Request::new("OPTIONS", V2)
            .header("origin", "https://a.example.com")
            .header("access-control-request-method", "POST")
    };
    for headers in [
        &["content-type"][..],
        &["accept,content-type"],
        &["accept, content-type"],
        &["content-type,accept"],
        &["accept,content-type,x-requested-with"],
        &["accept,accept"],
        &["Content-Type"],
        &["authorization"],
        &["authorization,content-type"],
        &["content-type,x-unknown"],
        &["origin"],
        &["accept,origin"],
        &[""],
        &[","],
        &[",content-type"],
        &["content-type,"],
        &[" content-type "],
        &["\tcontent-type"],
        &["accept,  content-type"],
        &["accept,   content-type"],
        &["accept,,,,content-type"],
        &["accept,,,,,,,,,,,,,,,,,,,,content-type"],
        &["accept", "content-type"],
        &["content-type", "accept"],
        &["accept", "authorization"],
        &["x-requested-with", ""],
        &["range"],
        &["*"],
    ] {
        let request = headers.iter().fold(preflight(), |request, header| {
            request.header("access-control-request-headers", header)
        });
        let name = format!("preflight/headers {headers:?}");
        stage.compare(&scene.pair, Case::new(name, request));
    }
    for (name, value) in [
        ("access-control-request-private-network", "true"),
        ("access-control-request-method", "GET"),
        ("origin", "https://b.example.com"),
        ("authorization", "Bearer x"),
    ] {
        let request = preflight().header(name, value);
        stage.compare(
            &scene.pair,
            Case::new(format!("preflight/and {name}"), request),
        );
    }
    for method in ["GET", "POST", "HEAD"] {
        let mut request = preflight();
        request.method = method.to_owned();
        stage.compare(
            &scene.pair,
            Case::new(format!("preflight/by {method}"), request),
        );
    }
}
