use std::path::Path;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer::Algorithm;
use fulcio_signer_file::{EphemeralSigner, FileSigner};
use zeroize::Zeroizing;

use crate::{
    data_dir::{DataDir, Mode},
    input_file::read_password,
};

const CHAIN: &str = "ca/chain.pem";
const INTERMEDIATE_KEY: &str = "ca/intermediate.key.pem";
const PASSWORD: &str = "password";
const ROOT_KEY: &str = "ca/root.key.pem";

/// Opens the private CA in the folder; a folder without one gets one.
pub(crate) async fn open(dir: &DataDir, password_file: Option<&Path>) -> Result<IssuingKey> {
    let password = password(dir, password_file)?;
    // The chain is written last: where it is, everything is.
    let chain = match dir.read(CHAIN)? {
        Some(chain) => chain.to_vec(),
        None => create(dir, &password).await?,
    };
    let path = dir.path(CHAIN);
    let chain =
        CaChain::from_pem(&chain, SystemClock.now()).with_context(|| path.display().to_string())?;
    let signer = FileSigner::open(dir.path(INTERMEDIATE_KEY), Some(&password))
        .with_context(|| password_file.map_or_else(|| dir.shown(PASSWORD), flag))?;
    IssuingKey::new(chain, Box::new(signer)).with_context(|| {
        format!(
            "{} and {}",
            path.display(),
            dir.path(INTERMEDIATE_KEY).display()
        )
    })
}

/// Makes root and intermediate, both on P-384, and returns their chain in PEM.
async fn create(dir: &DataDir, password: &Zeroizing<String>) -> Result<Vec<u8>> {
    let root_key = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;
    let intermediate_key = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;

    let (serials, now) = (RandomSerialNumbers::default(), SystemClock.now());
    let name = |common_name| DistinguishedName::new("Fulcio quickstart", common_name);
    let template = CaTemplate::root(name("Fulcio quickstart root"));
    let root = ca_certificate(&template, &root_key, None, serials.next()?, now).await?;
    let root_chain = CaChain::new(vec![root.clone()], now)?;
    let parent = Some((root_chain.issuer(), &root_key as _));
    let template = CaTemplate::intermediate(name("Fulcio quickstart intermediate"));
    let serial = serials.next()?;
    let intermediate = ca_certificate(&template, &intermediate_key, parent, serial, now).await?;
    let chain = CaChain::new(vec![intermediate, root], now)?.pem();

    let encrypted = |key: &EphemeralSigner| key.to_encrypted_pem(password);
    dir.write(ROOT_KEY, encrypted(&root_key)?.as_bytes(), Mode::Secret)?;
    dir.write(
        INTERMEDIATE_KEY,
        encrypted(&intermediate_key)?.as_bytes(),
        Mode::Secret,
    )?;
    dir.write(CHAIN, chain.as_bytes(), Mode::Public)?;
    Ok(chain.into_bytes())
}

/// The password in `file`, or the one that is kept in the folder, which a new CA makes up.
fn password(dir: &DataDir, file: Option<&Path>) -> Result<Zeroizing<String>> {
    if let Some(file) = file {
        return read_password(&flag(file), file);
    }
    if dir.read(PASSWORD)?.is_none() {
        if dir.read(CHAIN)?.is_some() {
            bail!(
                "the CA in {} was made with a password of its own: give it with --password-file",
                dir.shown("ca")
            );
        }
        make_up_password(dir)?;
    }
    read_password(&dir.shown(PASSWORD), &dir.path(PASSWORD))
}

fn make_up_password(dir: &DataDir) -> Result<()> {
    let mut random = Zeroizing::new([0; 32]);
    SystemRandom::new()
        .fill(&mut *random)
        .context("no random password could be made")?;
    let mut line = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*random));
    line.push('\n');
    dir.write(PASSWORD, line.as_bytes(), Mode::Secret)?;
    println!(
        "A random password for the CA's keys is in {}. It protects copies of the keys only, \
         not who can read this folder.\n",
        dir.shown(PASSWORD)
    );
    Ok(())
}

fn flag(file: &Path) -> String {
    format!("--password-file {}", file.display())
}
