use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context as _, Result, bail, ensure};

/// A program that was started. It is killed, and waited for, when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts `program` on these cores (as for `taskset -c`; all when there are none). What it writes goes
    /// into a file, as what a service writes does.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        output: PathBuf,
        cores: Option<&str>,
    ) -> Result<Self> {
        Self::start_with(program, arguments, output, cores, &[])
    }

    /// The same with these variables, which are all that it has.
    pub(crate) fn start_with(
        program: &Path,
        arguments: &[String],
        output: PathBuf,
        cores: Option<&str>,
        variables: &[(&str, String)],
    ) -> Result<Self> {
        let mut command = match cores {
            Some(cores) => {
                // It becomes the program, so the process is the same.
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let file = File::create(&output).with_context(|| output.display().to_string())?;
        let child = command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let name = program.display().to_string();
        Ok(Self {
            child,
            name,
            output,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// What it has written.
    pub(crate) fn output(&self) -> Result<String> {
        fs::read_to_string(&self.output).with_context(|| self.output.display().to_string())
    }

    /// Sends it a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let mut kill = Command::new("kill");
        let status = kill.args(["-s", name, &self.id().to_string()]).status()?;
        ensure!(status.success(), "{} takes no {name}", self.name);
        Ok(())
    }

    /// Fails, with the end of what it wrote, when it has ended.
    pub(crate) fn assert_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let output = fs::read_to_string(&self.output).unwrap_or_default();
            let lines: Vec<_> = output.lines().collect();
            let end = lines[lines.len().saturating_sub(5)..].join("\n");
            bail!("{} ended with {status}:\n{end}", self.name);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended and was waited for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port of the loopback device that nothing listens on now, for programs that cannot choose one
/// themselves; below those that connections are made from.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(17_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port >= 20_000 {
            bail!("there is no free port");
        }
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}
