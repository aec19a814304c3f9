use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_cert_builder::{CaChain, Error};
use pki_types::{CertificateDer, pem::PemObject as _};

use crate::{input_file, values::Optional};

/// Which chains verifiers are told of, besides the one that is in use.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Certificate authority")]
pub(crate) struct Announced {
    /// Chains for the trust bundle besides the one in use, such as the next one and the one before:
    /// a PEM file with one chain, or a folder with a file NAME.pem for each. The chain in use may be
    /// among them.
    #[arg(long, value_name = "PATH", default_value = "")]
    announce_chain_path: Optional<PathBuf>,
}

impl Announced {
    /// Whether there can be such chains.
    pub(crate) fn is_given(&self) -> bool {
        self.announce_chain_path.as_ref().is_some()
    }

    /// The files with chains, in the order of their names.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let Some(path) = self.announce_chain_path.as_ref() else {
            return Vec::new();
        };
        // What is no folder is told of by whoever reads it.
        in_folder(path).unwrap_or_else(|_| vec![path.clone()])
    }

    /// Reads the chains. Their dates do not matter: one that is over still speaks for what was issued
    /// under it.
    pub(crate) fn read(&self, now: SystemTime) -> Result<Vec<Vec<CertificateDer<'static>>>> {
        let mut chains = Vec::new();
        for file in self.files() {
            let named = format!("--announce-chain-path {}", file.display());
            let pem = input_file::read(&named, &file)?;
            let certificates = CertificateDer::pem_slice_iter(&pem)
                .collect::<Result<Vec<_>, _>>()
                .with_context(|| named.clone())?;
            let chain = chain_of_any_time(certificates, now).context(named)?;
            chains.push(chain.certificates().to_vec());
        }
        Ok(chains)
    }
}

fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.ends_with(b".pem") && !name.starts_with(b".") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Checks a chain at a time when it is valid, which may be another than `now`.
fn chain_of_any_time(
    certificates: Vec<CertificateDer<'static>>,
    now: SystemTime,
) -> Result<CaChain, Error> {
    let mut at = now;
    // Each time another certificate may say when it is valid.
    for _certificate in &certificates {
        match CaChain::new(certificates.clone(), at) {
            Err(Error::Expired { not_after, .. }) => at = not_after,
            Err(Error::NotYetValid { not_before, .. }) => at = not_before,
            checked => return checked,
        }
    }
    CaChain::new(certificates, at)
}
