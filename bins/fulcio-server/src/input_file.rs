use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use zeroize::Zeroizing;

/// The contents of the file at `path`, which `named` is about, such as a flag and its value.
pub(crate) fn read(named: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .with_context(|| format!("{named} cannot be read; check the path and its permissions"))
}

/// The same, where it must be text.
pub(crate) fn read_text(named: &str, path: &Path) -> Result<String> {
    let bytes = read(named, path)?;
    String::from_utf8(bytes).with_context(|| format!("{named} is not a text in UTF-8"))
}

/// The password in the first line of a file.
pub(crate) fn read_password(named: &str, path: &Path) -> Result<Zeroizing<String>> {
    let bytes = Zeroizing::new(read(named, path)?);
    let Ok(text) = core::str::from_utf8(&bytes) else {
        bail!("{named} is not a text in UTF-8, and a password is expected in its first line");
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("{named} has an empty first line, and a password is expected there");
    }
    Ok(Zeroizing::new(line.to_owned()))
}
