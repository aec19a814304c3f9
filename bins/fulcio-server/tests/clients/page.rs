use std::{fs, os::unix::fs::symlink, path::Path};

use fulcio_test_services::{component, full_component};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    tool::{Tool, search_path},
    witnesses::Witnesses,
};
use crate::common::{Server, path};

const PAGE: &str = include_str!("../../../../docs/clients.md");

/// The blocks of the page that are marked as `kind`, in their order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("\n```{kind}\n");
    PAGE.split(&opening)
        .skip(1)
        .map(|rest| rest.split_once("```\n").unwrap().0)
        .collect()
}

/// A server as the page's reader has started it, in a folder of the reader's.
struct Reader {
    folder: TempDir,
    server: Server,
}

impl Reader {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = format!("--data-dir={}", path(&folder.path().join("fulcio-data")));
        Self {
            server: Server::quickstart(&[&data]),
            folder,
        }
    }

    /// Types these commands into a shell, which stops at the first that fails. Programs are found in
    /// the folders of `installed` before all others.
    fn shell(&self, commands: &str, installed: &[&Path]) -> Tool {
        fs::write(self.folder.path().join("commands"), commands).unwrap();
        Tool::new(Path::new("bash"), self.folder.path())
            .args("-euo pipefail commands")
            .env("PATH", search_path(installed))
            .env("FULCIO", self.server.url(""))
    }
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let (Some(cosign), Some(packages), Some(sigstore), Some(rekor)) = (
        component("FULCIO_COSIGN"),
        component("FULCIO_SIGSTORE_JS"),
        component("FULCIO_SIGSTORE_PYTHON"),
        component("FULCIO_REKOR"),
    ) else {
        return;
    };
    let reader = Reader::new();
    let folder = reader.folder.path();
    symlink(packages, folder.join("node_modules")).unwrap();
    let witnesses = Witnesses::start(&rekor, folder);
    fs::rename(folder.join("stamps.pem"), folder.join("tsa.pem")).unwrap();
    let said = reader
        .shell(
            &blocks("sh").concat(),
            &[cosign.parent().unwrap(), &sigstore],
        )
        .env("REKOR", witnesses.rekor.url())
        .env("REKOR_ORIGIN", "127.0.0.1")
        .env("TSA", witnesses.stamps.url())
        .succeeds();
    assert_eq!(said.matches("Verified OK").count(), 3, "{said}");
    assert_eq!(said.matches("OK: hello.txt").count(), 1, "{said}");

    let Some(cosign_2) = full_component("FULCIO_COSIGN_2") else {
        return;
    };
    let said = reader
        .shell(
            &blocks("sh cosign-2").concat(),
            &[cosign_2.parent().unwrap()],
        )
        .succeeds();
    assert_eq!(said.matches("Verified OK").count(), 1, "{said}");
}

#[test]
fn the_command_that_quickstart_prints_has_cosign_sign() {
    let Some(cosign) = component("FULCIO_COSIGN") else {
        return;
    };
    let reader = Reader::new();
    fs::write(reader.folder.path().join("README.md"), "hello\n").unwrap();
    let printed = reader.server.stdout();
    let start = printed.find("  export SIGSTORE_ROOT_FILE").unwrap();
    reader
        .shell(&printed[start..], &[cosign.parent().unwrap()])
        .succeeds();
    let bundle = fs::read(reader.folder.path().join("bundle.json")).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let certificate = &bundle["verificationMaterial"]["certificate"]["rawBytes"];
    assert!(certificate.is_string(), "{bundle}");
}

#[test]
fn the_page_installs_the_versions_that_are_tested() {
    let components = include_str!("../../../../scripts/components");
    let packages: Value = serde_json::from_str(include_str!(
        "../../../../tests/components/sigstore-js/package.json"
    ))
    .unwrap();
    let requirements =
        include_str!("../../../../tests/components/sigstore-python/requirements.txt");
    let installed: Vec<String> = blocks("console")
        .concat()
        .split_whitespace()
        .filter(|word| word.contains("==") || word.rfind('@') > Some(0))
        .map(str::to_owned)
        .collect();
    let mut tested: Vec<_> = ["@sigstore/bundle", "@sigstore/sign"]
        .map(|name| {
            format!(
                "{name}@{}",
                packages["dependencies"][name].as_str().unwrap()
            )
        })
        .into();
    let python = requirements
        .lines()
        .find(|line| line.starts_with("sigstore=="));
    tested.push(python.unwrap().to_owned());
    let cosign = components
        .lines()
        .find_map(|line| line.strip_prefix("cosign="));
    let cosign = format!(
        "github.com/sigstore/cosign/v3/cmd/cosign@{}",
        cosign.unwrap()
    );
    tested.insert(0, cosign);
    assert_eq!(installed, tested);
}
