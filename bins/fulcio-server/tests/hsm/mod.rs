//! SoftHSM as in the walk-through, and programs that use it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use core::ops::Deref;
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::Command,
};

use fulcio_test_services::{SoftHsm, variable};

use super::common::{Finished, Server, finish};

/// A folder with `config/crypto11.conf` beside what SoftHSM has in it.
#[derive(Debug)]
pub(crate) struct Hsm(SoftHsm);

impl Deref for Hsm {
    type Target = SoftHsm;

    fn deref(&self) -> &SoftHsm {
        &self.0
    }
}

impl Hsm {
    /// A folder with nothing in it; nothing where SoftHSM is neither installed nor demanded.
    pub(crate) fn empty() -> Option<Self> {
        SoftHsm::empty().map(Self)
    }

    /// A token, and its configuration.
    pub(crate) fn with_token() -> Option<Self> {
        let hsm = Self(SoftHsm::new()?);
        hsm.token(SoftHsm::LABEL);
        hsm.configure(SoftHsm::LABEL, SoftHsm::PIN);
        Some(hsm)
    }

    /// The same with a key pair.
    pub(crate) fn with_key(kind: &str, label: &str) -> Option<Self> {
        let hsm = Self::with_token()?;
        hsm.key_pair(kind, "01", label, &[]);
        Some(hsm)
    }

    /// Says in `config/crypto11.conf` which token is meant.
    pub(crate) fn configure(&self, token: &str, pin: &str) {
        let module = self.module().display();
        let json = format!(r#"{{"Path": "{module}", "TokenLabel": "{token}", "Pin": "{pin}"}}"#);
        self.write("config/crypto11.conf", &json);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A program in the folder, that finds the tokens and our program.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.0.command(program);
        command.env("PATH", path_variable());
        command
    }

    /// Runs our program in the folder until it ends by itself.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = self.command(PROGRAM);
        command.args(arguments);
        finish(command)
    }

    /// The same, where it must succeed.
    #[track_caller]
    pub(crate) fn createca(&self, arguments: &[&str]) -> Finished {
        let ended = self.run(&[&["createca"], arguments].concat());
        assert!(ended.success(), "{ended:?}");
        ended
    }

    /// `serve` with these arguments, on ports of its own and without a log.
    pub(crate) fn serving(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        let ports = ["--port=0", "--grpc-port=0", "--metrics-port=0"];
        let hosts = ["--host=127.0.0.1", "--grpc-host=127.0.0.1"];
        command.arg("serve").args(hosts).args(ports);
        command.arg("--ct-log-url=").args(arguments);
        command
    }

    /// Starts what becomes a server on one port, and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(&self, command: Command) -> Server {
        Server::spawn(command, 2)
    }
}

/// Where programs are, ours among them.
fn path_variable() -> OsString {
    let ours = Path::new(PROGRAM).parent().unwrap().to_owned();
    let others = variable("PATH").unwrap();
    env::join_paths([ours].into_iter().chain(env::split_paths(&others))).unwrap()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_fulcio-server");
