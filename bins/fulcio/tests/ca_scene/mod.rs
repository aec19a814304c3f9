//! A folder in which `fulcio ca` is run, and what others say of what it writes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fulcio_test_services::{component, openssl};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Scene(TempDir);

/// How the program ended.
pub(crate) struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With an unencrypted P-384 key file for each name.
    pub(crate) fn with_keys(names: &[&str]) -> Self {
        let scene = Self::new();
        for name in names {
            scene.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out {name}.key"
            ));
        }
        scene
    }

    /// With a root and its key.
    pub(crate) fn with_root(more: &str) -> Self {
        let scene = Self::with_keys(&["root", "key"]);
        scene.ca(&format!("{ROOT} {more}")).good();
        scene
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `fulcio ca` with arguments that are separated by spaces; `_` stands for a space in one.
    pub(crate) fn ca(&self, arguments: &str) -> Done {
        self.ca_with(arguments, &[])
    }

    pub(crate) fn ca_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Done {
        self.fulcio_with(&format!("ca {arguments}"), variables)
    }

    /// Runs `fulcio` in the same way.
    pub(crate) fn fulcio(&self, arguments: &str) -> Done {
        self.fulcio_with(arguments, &[])
    }

    fn fulcio_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Done {
        let arguments = arguments.split_whitespace();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio"));
        command
            .args(arguments.map(|argument| argument.replace('_', " ")))
            .current_dir(self.folder())
            .env_clear()
            .envs(variables.iter().copied());
        run(&mut command)
    }

    /// Runs OpenSSL in the folder; it must succeed.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        openssl(self.folder(), arguments)
    }

    /// What OpenSSL shows of the first certificate of a file.
    #[track_caller]
    pub(crate) fn shown(&self, name: &str) -> String {
        self.openssl(&format!("x509 -in {name} -noout -text"))
    }

    /// OpenSSL verifies the first certificate of `chain` by `root`, with whatever is between.
    #[track_caller]
    pub(crate) fn verifies(&self, root: &str, chain: &str) {
        let said = self.openssl(&format!(
            "verify -x509_strict -purpose any -CAfile {root} -untrusted {chain} {chain}"
        ));
        assert_eq!(said, format!("{chain}: OK\n"));
    }

    /// Signs a leaf for code signing with this name by the key file, and lets OpenSSL verify it.
    pub(crate) fn leaf(
        &self,
        root: &str,
        chain: &str,
        key: &str,
        name: &str,
    ) -> Result<(), String> {
        self.write(
            "leaf.cnf",
            &format!(
                "[leaf]\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = codeSigning\n\
                 subjectAltName = critical, {name}\nsubjectKeyIdentifier = hash\n\
                 authorityKeyIdentifier = keyid\n"
            ),
        );
        self.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key");
        self.openssl("req -new -key leaf.key -subj / -out leaf.csr");
        self.openssl(&format!(
            "x509 -req -in leaf.csr -CA {chain} -CAkey {key} -CAcreateserial -days 1 -sha384 \
             -extfile leaf.cnf -extensions leaf -out leaf.pem"
        ));
        let mut command = Command::new("openssl");
        command
            .args(["verify", "-x509_strict", "-purpose", "any", "-CAfile", root])
            .args(["-untrusted", chain, "leaf.pem"])
            .current_dir(self.folder());
        let done = run(&mut command);
        match done.code {
            0 => Ok(()),
            _ => Err(done.stdout + &done.stderr),
        }
    }

    /// pkilint finds nothing in the certificates of the file but how the identifier was made.
    #[track_caller]
    pub(crate) fn lints(&self, name: &str) {
        let Some(programs) = component("FULCIO_PKILINT") else {
            return;
        };
        let text = self.read(name);
        let blocks = text.split_inclusive("-----END CERTIFICATE-----\n");
        let count = blocks
            .map(|block| {
                self.write("linted.pem", block);
                let mut lint = Command::new(programs.join("lint_pkix_cert"));
                lint.args(["lint", "-f", "JSON", "-s", "ALL", "linted.pem"])
                    .current_dir(self.folder());
                let done = run(&mut lint);
                let answer: Value = serde_json::from_str(&done.stdout).unwrap();
                let results = answer["results"].as_array().unwrap().iter();
                let found: Vec<_> = results
                    .flat_map(|result| result["finding_descriptions"].as_array().unwrap())
                    .map(|finding| finding["code"].as_str().unwrap().to_owned())
                    .collect();
                assert_eq!(
                    found,
                    ["pkix.subject_key_identifier_rfc7093_method_1_identified"],
                    "{block}"
                );
            })
            .count();
        fs::remove_file(self.path("linted.pem")).unwrap();
        assert!(count > 0);
    }
}

/// A root for `root.key`.
pub(crate) const ROOT: &str =
    "root --key file:root.key --org Example --common-name Example_root --out root.pem";

/// An intermediate for `key.key` below it.
pub(crate) const INTERMEDIATE: &str = "intermediate --key file:key.key --parent-key file:root.key \
     --parent root.pem --org Example --common-name Example_intermediate --out chain.pem";

/// A request by `key.key`.
pub(crate) const CSR: &str =
    "csr --key file:key.key --org Example --common-name Asked_for --out request.pem";

pub(crate) fn run(command: &mut Command) -> Done {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Done {
    /// It was done, and there is nothing to warn of.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(
            (self.code, self.stderr.as_str()),
            (0, ""),
            "{}",
            self.stdout
        );
        self.stdout
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// It was done; these are the warnings.
    #[track_caller]
    pub(crate) fn warned(self) -> Vec<String> {
        assert_eq!(self.code, 0, "{}", self.stderr);
        let warnings = self.stderr.lines();
        warnings
            .map(|line| line.strip_prefix("fulcio: warning: ").unwrap().to_owned())
            .collect()
    }

    /// It failed with one line, which is given without the program's name.
    #[track_caller]
    pub(crate) fn bad(self) -> String {
        assert_eq!(self.code, 1, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("fulcio: ").unwrap().to_owned()
    }

    /// It was done, and the certificate is not to be trusted.
    #[track_caller]
    pub(crate) fn untrusted(self) {
        assert_eq!(self.code, 3, "{}{}", self.stdout, self.stderr);
    }

    /// The command line was refused.
    #[track_caller]
    pub(crate) fn usage(self) -> String {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        self.stderr
    }
}
