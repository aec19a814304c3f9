use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer_pkcs11::FULCIO_KEY_LABEL;

use crate::pkcs11_ca;

/// Make the root certificate of a key that is in a PKCS#11 token.
///
/// The key pair must be there already. The certificate is stored in the token, printed, and
/// written to a file if there is --out; `serve --ca pkcs11ca` issues with it.
#[derive(Debug, Args)]
pub(crate) struct CreateCa {
    /// Organization of the authority.
    #[arg(long, default_value = "Fulcio Root CA")]
    org: String,
    /// Country of the authority, in two letters.
    #[arg(long, default_value = "", hide_default_value = true)]
    country: String,
    /// State or province of the authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    province: String,
    /// Locality of the authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    locality: String,
    /// Street address of the authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    street_address: String,
    /// Postal code of the authority.
    #[arg(long, default_value = "", hide_default_value = true)]
    postal_code: String,
    /// Common name of the authority, which Fulcio's createca does not have.
    #[arg(long, default_value = "", hide_default_value = true)]
    common_name: String,
    /// Where the key is: `aws` stores no certificate, because CloudHSM has no room for one.
    #[arg(long, value_enum, default_value = "softhsm")]
    hsm: Hsm,
    /// Id of the certificate in the token; its characters are the bytes of the id.
    #[arg(long, value_name = "ID", value_parser = not_empty)]
    hsm_caroot_id: String,
    /// Label of the key pair, and of the certificate.
    #[arg(long, value_name = "LABEL", default_value = FULCIO_KEY_LABEL)]
    hsm_key_label: String,
    /// How the token is reached: JSON as crypto11 reads it.
    #[arg(long, value_name = "FILE", default_value = "config/crypto11.conf")]
    pkcs11_config_path: PathBuf,
    /// Write the certificate to this file as well.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file of --out if it is there.
    #[arg(long, requires = "out")]
    overwrite: bool,
}

/// The values of `--hsm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum Hsm {
    /// Any token that stores certificates.
    SoftHsm,
    /// AWS CloudHSM.
    Aws,
}

impl CreateCa {
    pub(crate) async fn run(self) -> Result<()> {
        if let Some(out) = &self.out
            && !self.overwrite
            && out.exists()
        {
            bail!(
                "--out {} is there already; --overwrite writes over it",
                out.display()
            );
        }
        let token = pkcs11_ca::open(&self.pkcs11_config_path).await?;
        let id = self.hsm_caroot_id.as_bytes();
        let flag = || format!("--hsm-caroot-id {}", self.hsm_caroot_id);
        if token.certificate(id).await.with_context(flag)?.is_some() {
            bail!(
                "{}: the token has a certificate with this id already; choose another id, or \
                 delete that certificate with a tool of the token",
                flag()
            );
        }
        let signer = token
            .fulcio_signer(&self.hsm_key_label, id)
            .await
            .with_context(|| format!("--hsm-key-label {}", self.hsm_key_label))?;
        if self.common_name.is_empty() {
            eprintln!(
                "warning: a root should have a common name (certificate specification of \
                 Sigstore); give one with --common-name"
            );
        }

        let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
        let template = CaTemplate::root(self.subject());
        let root = ca_certificate(&template, &signer, None, serial, now).await?;
        // Whatever `serve` would refuse must not be stored.
        let chain = CaChain::new(vec![root.clone()], now)?;
        let pem = chain.pem();
        IssuingKey::new(chain, Box::new(signer))?;

        println!("{pem}");
        if self.hsm == Hsm::Aws {
            if self.out.is_none() {
                eprintln!("warning: there is no --out; keep the certificate that was printed");
            }
        } else {
            token
                .import_certificate(id, &self.hsm_key_label, &root)
                .await
                .with_context(flag)
                .context("the certificate could not be stored in the token")?;
            eprintln!(
                "The root certificate is in the token with the id {}.",
                self.hsm_caroot_id
            );
        }
        if let Some(out) = &self.out {
            write(out, self.overwrite, &pem).with_context(|| {
                let out = out.display();
                format!("--out {out} cannot be written; the certificate is the one printed")
            })?;
            eprintln!("The root certificate is in {}.", out.display());
        }
        Ok(())
    }

    fn subject(&self) -> DistinguishedName {
        let given = |value: &String| (!value.is_empty()).then(|| value.clone());
        let mut subject = DistinguishedName::default();
        subject.country = given(&self.country);
        subject.province = given(&self.province);
        subject.locality = given(&self.locality);
        subject.street_address = given(&self.street_address);
        subject.postal_code = given(&self.postal_code);
        subject.organization = given(&self.org);
        subject.common_name = given(&self.common_name);
        subject
    }
}

fn not_empty(value: &str) -> Result<String, &'static str> {
    match value {
        "" => Err("an id has at least one character"),
        id => Ok(id.to_owned()),
    }
}

fn write(out: &Path, overwrite: bool, pem: &str) -> std::io::Result<()> {
    let mut file = match overwrite {
        true => File::create(out)?,
        false => File::create_new(out)?,
    };
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}
