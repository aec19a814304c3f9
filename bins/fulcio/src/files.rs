use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use pki_types::{CertificateDer, pem::PemObject as _};

/// Reads a file, or standard input where the path is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin()
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The certificates of a PEM file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} is not a PEM file of certificates", path.display()))?;
    if certificates.is_empty() {
        bail!("{} holds no PEM certificate", path.display());
    }
    Ok(certificates)
}

/// Writes a new file that only its owner may read where it is secret; overwrites only if told to.
pub(crate) fn write(path: &Path, contents: &str, secret: bool, overwrite: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(if secret { 0o600 } else { 0o644 });
    if overwrite {
        // A new file, so that the mode is ours and no link is followed.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", path.display()));
            }
            _ => {}
        }
    }
    let mut file = options.create_new(true).open(path).map_err(|error| {
        let exists = error.kind() == io::ErrorKind::AlreadyExists;
        let error = anyhow::Error::new(error).context(format!("cannot write {}", path.display()));
        if exists {
            error.context("use --force to replace files of an earlier request")
        } else {
            error
        }
    })?;
    file.write_all(contents.as_bytes())
        .and_then(|()| file.flush())
        .with_context(|| format!("cannot write {}", path.display()))
}
