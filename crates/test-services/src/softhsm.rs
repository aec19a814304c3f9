use std::{
    any, env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{openssl, skipped, succeed, variable};

/// SoftHSM 2 with a folder of tokens of its own.
///
/// Its module learns from the environment where the tokens are, and there is one for a whole process.
/// So a test that only starts programs takes [`new`](Self::new), and one that loads the module itself
/// takes [`in_own_process`](Self::in_own_process).
#[derive(Debug)]
pub struct SoftHsm {
    folder: PathBuf,
    module: PathBuf,
    _kept: Option<TempDir>,
}

impl SoftHsm {
    /// The label of the token that is meant where none is named.
    pub const LABEL: &str = "fulcio";
    /// The PIN of every token.
    pub const PIN: &str = "2324";

    /// A folder with nothing in it; nothing where SoftHSM is not installed and this is a run without
    /// components.
    #[must_use]
    #[track_caller]
    pub fn empty() -> Option<Self> {
        let module = installed()?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self {
            folder: folder.path().to_owned(),
            module,
            _kept: Some(folder),
        })
    }

    /// A folder with `config/softhsm2.conf` and `tokens`, in which there is no token yet.
    #[must_use]
    #[track_caller]
    pub fn new() -> Option<Self> {
        let hsm = Self::empty()?;
        for folder in ["config", "tokens"] {
            fs::create_dir(hsm.path(folder)).unwrap();
        }
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            hsm.path("tokens").display()
        );
        fs::write(hsm.configuration(), text).unwrap();
        Some(hsm)
    }

    /// The same in a process of its own, which is this one when it returns something: `T` is the
    /// type of a closure in the test, and the process runs that test alone. It has run to a good end
    /// when this returns nothing.
    ///
    /// # Panics
    /// The test failed in its process.
    #[must_use]
    #[track_caller]
    pub fn in_own_process<T>() -> Option<Self> {
        if let Some(folder) = variable(FOLDER) {
            return Some(Self {
                folder: folder.into(),
                module: installed()?,
                _kept: None,
            });
        }
        let hsm = Self::new()?;
        // What libtest calls the test: the path of the closure without the crate and itself.
        let path = any::type_name::<T>();
        let (_crate, path) = path.split_once("::").unwrap();
        let name = path
            .split_once("::{{closure}}")
            .map_or(path, |(name, _closure)| name);
        let mut command = Command::new(env::current_exe().unwrap());
        let stdout = succeed(
            command
                .args(["--exact", name, "--nocapture"])
                .env(FOLDER, &hsm.folder)
                .env("SOFTHSM2_CONF", hsm.configuration()),
        );
        print!("{stdout}");
        assert!(stdout.contains("1 passed"), "there is no test {name}");
        None
    }

    /// Where the module is.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Where the programs of [`command`](Self::command) run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What `SOFTHSM2_CONF` has to say.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.path("config/softhsm2.conf")
    }

    /// Makes a token.
    #[track_caller]
    pub fn token(&self, label: &str) {
        let free = ["--init-token", "--free", "--so-pin", "1234"];
        let named = ["--pin", Self::PIN, "--label", label];
        succeed(self.command("softhsm2-util").args(free).args(named));
    }

    /// Makes a key pair in the token `fulcio`, and whatever else the arguments ask for.
    #[track_caller]
    pub fn key_pair(&self, kind: &str, id: &str, label: &str, more: &[&str]) {
        let pair = ["--keypairgen", "--key-type", kind];
        let named = ["--id", id, "--label", label];
        self.pkcs11_tool(&[&pair[..], &named, more].concat());
    }

    /// Runs pkcs11-tool in the token `fulcio`, logged in.
    #[track_caller]
    pub fn pkcs11_tool(&self, arguments: &[&str]) -> String {
        self.pkcs11_tool_in(Self::LABEL, arguments)
    }

    /// Runs pkcs11-tool in a token, logged in.
    #[track_caller]
    pub fn pkcs11_tool_in(&self, token: &str, arguments: &[&str]) -> String {
        let login = ["--token-label", token, "--login", "--pin", Self::PIN];
        succeed(
            self.command("pkcs11-tool")
                .arg("--module")
                .arg(&self.module)
                .args(login)
                .args(arguments),
        )
    }

    /// What pkcs11-tool says of the slots, without a login.
    #[must_use]
    #[track_caller]
    pub fn slots(&self) -> String {
        let mut command = self.command("pkcs11-tool");
        succeed(command.args(["--list-slots", "--module"]).arg(&self.module))
    }

    /// Compiles a module in C that stands before SoftHSM's, and tells where it is. `MODULE` is where
    /// that of SoftHSM is, and `TOLD` the file that [`tell`](Self::tell) writes.
    #[must_use]
    #[track_caller]
    pub fn faulty_module(&self, source: &Path) -> PathBuf {
        let module = self.path("faulty.so");
        if !module.exists() {
            let mut cc = Command::new("cc");
            succeed(
                cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror"])
                    .arg(format!("-DMODULE=\"{}\"", self.module.display()))
                    .arg(format!("-DTOLD=\"{}\"", self.path("told").display()))
                    .arg("-o")
                    .arg(&module)
                    .arg(source)
                    .arg("-ldl"),
            );
        }
        module
    }

    /// Says what goes wrong from now on in the [faulty module](Self::faulty_module); nothing when it
    /// is empty.
    pub fn tell(&self, fault: &str) {
        // In one step: the module may be reading.
        let (new, told) = (self.path("told.new"), self.path("told"));
        fs::write(&new, fault).unwrap();
        fs::rename(new, told).unwrap();
    }

    /// Runs OpenSSL in the folder; the arguments are separated by spaces.
    #[track_caller]
    pub fn openssl(&self, arguments: &str) -> String {
        openssl(&self.folder, arguments)
    }

    /// A program in the folder, which finds the tokens. No setting of whoever runs the tests reaches
    /// it but where programs are.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", variable("PATH").unwrap_or_default())
            .env("SOFTHSM2_CONF", self.configuration());
        command
    }
}

#[track_caller]
fn installed() -> Option<PathBuf> {
    const PLACES: [&str; 4] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let found = PLACES
        .into_iter()
        .map(PathBuf::from)
        .find(|place| place.exists());
    if found.is_none() {
        skipped("SoftHSM is not installed (Debian: softhsm2, opensc)");
    }
    found
}

const FOLDER: &str = "FULCIO_TEST_SOFTHSM_FOLDER";
