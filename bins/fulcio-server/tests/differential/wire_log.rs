//! Certificates with a transparency log: timestamps in them.

use super::{Case, Setup, Stage, scene::Scene};

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set_with(stage, Setup::with_log);
    for (what, proof) in [("csr", scene.key.csr()), ("key", scene.proof())] {
        for (way, request) in [
            ("v1", proof.v1(&scene.token())),
            ("v2", proof.v2(&scene.token())),
            ("grpc", proof.grpc(&scene.token())),
        ] {
            stage.compare(&scene.pair, Case::new(format!("log/{what} {way}"), request));
        }
    }
    let refused = scene.issuer.draft().claim("exp", 1).mint();
    let request = scene.key.csr().v2(&refused);
    stage.compare(&scene.pair, Case::new("log/refused", request));
    for (way, request) in {
        let token = scene
            .issuer
            .draft()
            .claim("email", "\u{e4}@example.com")
            .mint();
        let csr = scene.key.csr();
        [
            ("v1", csr.v1(&token)),
            ("v2", csr.v2(&token)),
            ("grpc", csr.grpc(&token)),
        ]
    } {
        let case = Case::new(format!("log/name not ASCII {way}"), request);
        stage.compare(&scene.pair, case.differs("name-not-ascii"));
    }

    let scene = Scene::set_with(stage, Setup::with_log_of_another_key);
    let csr = scene.key.csr();
    for (way, request) in [
        ("v1", csr.v1(&scene.token())),
        ("v2", csr.v2(&scene.token())),
        ("grpc", csr.grpc(&scene.token())),
    ] {
        let name = format!("log/of another key {way}");
        stage.compare(&scene.pair, Case::new(name, request));
    }
}
