use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process,
};

use anyhow::{Context as _, Result, bail};
use pki_types::{CertificateDer, CertificateSigningRequestDer, pem::PemObject as _};

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

/// The first certification request of a PEM file.
pub(crate) fn certification_request(path: &Path) -> Result<CertificateSigningRequestDer<'static>> {
    CertificateSigningRequestDer::from_pem_slice(&read(path)?)
        .with_context(|| format!("{} holds no PEM certificate request", path.display()))
}

/// Writes a new file that only its owner may read where it is secret. One that is there stays, unless
/// it may be overwritten; then it is replaced in one step.
pub(crate) fn write(path: &Path, contents: &str, secret: bool, overwrite: bool) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if !overwrite {
        return create(path, contents, secret).with_context(cannot);
    }
    // A new file, so that the mode is ours and no link is followed.
    let mut name = path.file_name().with_context(cannot)?.to_owned();
    name.push(format!(".{}.new", process::id()));
    let new = path.with_file_name(name);
    create(&new, contents, secret)
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_error| {
            // What is left of it is of no use; that it cannot be removed is not what went wrong.
            drop(fs::remove_file(&new));
        })
        .with_context(cannot)
}

fn create(path: &Path, contents: &str, secret: bool) -> io::Result<()> {
    let mode = if secret { 0o600 } else { 0o644 };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()
}
