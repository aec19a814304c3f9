use std::{
    ffi::OsString,
    path::Path,
    process::{Command, Stdio},
};

use fulcio_test_services::variable;

/// One run of a program of somebody else, in a folder that is its home too, with nothing of our
/// environment but the path to other programs.
#[derive(Debug)]
pub(crate) struct Tool(Command);

impl Tool {
    pub(crate) fn new(program: &Path, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", search_path(&[]))
            .env("HOME", folder)
            .stdin(Stdio::null());
        Self(command)
    }

    /// Arguments, separated by spaces.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        self.0.args(arguments.split_whitespace());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.env(name, value.into());
        self
    }

    /// Runs it to its end, which has to be a good one; returns all that it printed.
    #[track_caller]
    pub(crate) fn succeeds(self) -> String {
        let (success, printed) = self.run();
        assert!(success, "{printed}");
        printed
    }

    /// Runs it to its end, which has to be a bad one, with a reason that contains `reason`.
    #[track_caller]
    pub(crate) fn refuses(self, reason: &str) {
        let (success, printed) = self.run();
        assert!(!success, "it did not refuse: {printed}");
        assert!(printed.contains(reason), "{reason}: {printed}");
    }

    #[track_caller]
    fn run(mut self) -> (bool, String) {
        let done = self
            .0
            .output()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.0));
        let printed = format!(
            "{:?}\n{}{}",
            self.0.get_args().collect::<Vec<_>>(),
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        (done.status.success(), printed)
    }
}

/// Where programs are looked for: in these folders before all others.
pub(crate) fn search_path(first: &[&Path]) -> OsString {
    let others = variable("PATH").unwrap_or_default();
    let first = first.iter().map(|folder| folder.to_path_buf());
    std::env::join_paths(first.chain(std::env::split_paths(&others))).unwrap()
}
