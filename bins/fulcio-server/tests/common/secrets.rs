use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What a program must not print, whatever happens to it: tokens, private keys, and the passwords, PINs
/// and credentials that it was given, by its command line, by variables, or in files.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// Files and folders that it was told of.
    places: Vec<PathBuf>,
    known: BTreeSet<String>,
}

impl Secrets {
    /// Those of a program that is about to be started.
    pub(crate) fn given_to(command: &Command) -> Self {
        let folder = command.get_current_dir().unwrap_or(Path::new(""));
        let mut secrets = Self {
            places: Vec::new(),
            known: BTreeSet::new(),
        };
        let arguments: Vec<_> = command
            .get_args()
            .map(|argument| argument.to_string_lossy())
            .collect();
        let values = arguments
            .iter()
            .map(|argument| match argument.split_once('=') {
                Some((name, value)) => (name, value),
                None => ("", &**argument),
            });
        let variables: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
            .collect();
        let variables = variables.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in values.chain(variables) {
            let is_path = secrets.look_at(folder, value);
            let upper = name.to_ascii_uppercase();
            if !is_path && SECRET_NAMES.iter().any(|end| upper.ends_with(end)) {
                secrets.know(value);
            }
            // The password of a proxy.
            if let Some((user, _host)) = value.split_once('@')
                && let Some((_scheme, user)) = user.split_once("://")
                && let Some((_name, password)) = user.split_once(':')
            {
                secrets.know(password);
            }
        }
        secrets.read();
        secrets
    }

    /// Panics where one of them is in `printed`. What has come to the places meanwhile counts too.
    #[track_caller]
    pub(crate) fn assert_absent_from(&mut self, printed: &str) {
        self.read();
        if let Some(found) = self.found_in(printed) {
            panic!("a secret was printed: {found}\n{printed}");
        }
    }

    fn found_in(&self, printed: &str) -> Option<String> {
        if printed.contains("PRIVATE KEY-----") {
            return Some("a private key in PEM".to_owned());
        }
        let token = printed
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .find(|word| is_token(word));
        if let Some(token) = token {
            return Some(format!("the token {token}"));
        }
        let mut known = self.known.iter();
        known.find(|secret| contains(printed, secret)).cloned()
    }

    /// Remembers a value that names something on the disk.
    fn look_at(&mut self, folder: &Path, value: &str) -> bool {
        let value = value.strip_prefix("embedded:").unwrap_or(value);
        let path = folder.join(value);
        let is_path = !value.is_empty() && (value.contains('/') || path.exists());
        if is_path {
            self.places.push(path);
        }
        is_path
    }

    fn read(&mut self) {
        for place in self.places.clone() {
            self.read_place(&place, 3);
        }
    }

    fn read_place(&mut self, place: &Path, depth: u32) {
        let Ok(metadata) = fs::metadata(place) else {
            return;
        };
        if metadata.is_dir() {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            let inner = entries.filter(|entry| depth > 0 && entry.file_name() != "public");
            for entry in inner {
                self.read_place(&entry.path(), depth - 1);
            }
        } else if metadata.is_file()
            && metadata.len() < 1 << 16
            && let Ok(text) = fs::read_to_string(place)
        {
            self.read_file(place, &text);
        }
    }

    fn read_file(&mut self, path: &Path, text: &str) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("passw") {
            self.know(text.lines().next().unwrap_or_default());
        }
        let mut private = false;
        for line in text.lines() {
            if line.starts_with("-----") {
                private = line.starts_with("-----BEGIN") && line.contains("PRIVATE KEY");
            } else if private && line.len() > 20 {
                self.know(line);
            }
        }
        for name in ["\"Pin\"", "\"client_secret\"", "\"refresh_token\""] {
            let value = text
                .split_once(name)
                .map(|(_, rest)| rest.split('"').nth(1));
            self.know(value.flatten().unwrap_or_default());
        }
    }

    fn know(&mut self, secret: &str) {
        let secret = secret.trim();
        // What is shorter is in many texts by chance.
        if secret.len() >= 4 {
            self.known.insert(secret.to_owned());
        }
    }
}

/// Whether a secret stands in a text; a short one, such as a PIN, as a word of its own beside a quote or
/// behind "PIN", because numbers of four digits are everywhere.
fn contains(printed: &str, secret: &str) -> bool {
    if secret.len() > 6 {
        return printed.contains(secret);
    }
    printed.match_indices(secret).any(|(at, _)| {
        let before =
            printed[..at].trim_end_matches(|c: char| c.is_whitespace() || "=:\"'".contains(c));
        let quoted = printed[..at].ends_with(['"', '\''])
            && printed[at + secret.len()..].starts_with(['"', '\'']);
        quoted || before.to_ascii_lowercase().ends_with("pin")
    })
}

/// A JSON Web Token, also one without its signature: objects in base64url begin with `eyJ`.
fn is_token(word: &str) -> bool {
    let mut parts = word.trim_matches('.').split('.');
    let mut part = || parts.next().is_some_and(|part| part.len() >= 8);
    word.starts_with("eyJ") && part() && part()
}

/// How the names of flags and variables end that hold a secret and no path.
const SECRET_NAMES: [&str; 6] = [
    "PASSWD",
    "PASSWORD",
    "TOKEN",
    "SECRET",
    "SECRET_ACCESS_KEY",
    "IDENTITY_HEADER",
];
