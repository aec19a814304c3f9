//! The program, and what it answers.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr, "");
        self.stdout
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) {
        assert_eq!(self.code, code, "{}", self.stderr);
    }

    /// It failed with this exit code and one line, which is given without the program's name.
    #[track_caller]
    pub(crate) fn bad(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("fulcio: ").unwrap().to_owned()
    }
}

pub(crate) fn fulcio() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio"));
    command.env_clear();
    command
}

#[track_caller]
pub(crate) fn run(command: &mut Command) -> Done {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Done {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
