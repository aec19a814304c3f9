use std::{fs, os::unix::fs::symlink, path::Path};

use fulcio_test_services::component;

use super::{authority::Authority, cosign::Cosign, tool::Tool, witnesses::Witnesses};

/// Has the program beside this file sign in the client's folder and judge what it signed.
fn signs_and_verifies(authority: &Authority, packages: &Path, arguments: &str) {
    let folder = authority.folder();
    symlink(packages, folder.join("node_modules")).unwrap();
    fs::write(folder.join("sigstore.mjs"), include_str!("sigstore.mjs")).unwrap();
    let (url, issuer) = (authority.url(""), authority.idp().issuer());
    Tool::new(Path::new("node"), folder)
        .args(&format!("sigstore.mjs {url} {issuer} {arguments}"))
        .succeeds();
}

#[test]
fn sigstore_js_signs_and_verifies_what_cosign_verifies_too() {
    let (Some(packages), Some(cosign), Some(rekor), Some(log)) = (
        component("FULCIO_SIGSTORE_JS"),
        component("FULCIO_COSIGN"),
        component("FULCIO_REKOR"),
        component("FULCIO_CTLOG"),
    ) else {
        return;
    };
    for authority in [
        Authority::with_embedded_log(),
        Authority::with_rfc6962_log(&log),
    ] {
        let witnesses = Witnesses::start(&rekor, authority.folder());
        let cosign = Cosign::equipped(&cosign, &authority, Some(&witnesses));
        let arguments = format!("{} {}", witnesses.stamps.url(), witnesses.rekor.url());
        signs_and_verifies(&authority, &packages, &arguments);
        cosign.judges("js.json");
    }
}

#[test]
fn sigstore_js_signs_and_verifies_with_timestamps_alone() {
    let (Some(packages), Some(cosign), Some(rekor)) = (
        component("FULCIO_SIGSTORE_JS"),
        component("FULCIO_COSIGN"),
        component("FULCIO_REKOR"),
    ) else {
        return;
    };
    let authority = Authority::with_embedded_log();
    let witnesses = Witnesses::start(&rekor, authority.folder());
    Cosign::equipped(&cosign, &authority, Some(&witnesses));
    signs_and_verifies(&authority, &packages, &witnesses.stamps.url());
}
