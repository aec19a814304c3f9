use super::{Table, table::Signs};
use crate::{
    common::{Scene, Variables},
    hsm::Hsm,
};

/// With a root that `createca` has put beside the key.
pub(crate) fn softhsm(table: &Table) {
    for (kind, key) in [
        ("EC:prime256v1", "P-256"),
        ("EC:secp384r1", "P-384"),
        ("EC:secp521r1", "P-521"),
        ("EC:edwards25519", "Ed25519"),
        ("rsa:3072", "RSA 3072"),
    ] {
        let Some(hsm) = Hsm::with_key(kind, "PKCS11CA") else {
            return;
        };
        hsm.createca(&["--hsm-caroot-id=99"]);
        let signs = Signs {
            back_end: "pkcs11ca",
            key,
            component: "SoftHSM 2",
        };
        let scene = Scene::new();
        let config = hsm.path("config/crypto11.conf");
        let config = format!("--pkcs11-config-path={}", config.display());
        let flags = ["--ca=pkcs11ca", "--hsm-caroot-id=99", &config];
        let tokens = hsm.configuration().display().to_string();
        let variables = Variables::from([("SOFTHSM2_CONF", tokens)]);
        table.issues(&signs, &scene, scene.serve(&flags, &variables));
    }
}
