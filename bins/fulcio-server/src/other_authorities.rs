use std::path::PathBuf;

use clap::{Args, ValueEnum as _};

use crate::{authority::CaKind, usage_error::UsageError, values::Optional};

/// Flags of authorities that this server does not have yet. They are understood, so that a command
/// line for Fulcio is one here too, and do nothing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate authorities that are not built yet")]
pub(crate) struct OtherAuthorityFlags {
    /// kmsca: how often a request to Google's KMS is repeated.
    #[arg(long, value_name = "COUNT", default_value = "0")]
    pub(crate) gcp_kms_retries: u32,
    /// kmsca: how long a request to Google's KMS may take, in seconds; 0 for as long as it likes.
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub(crate) gcp_kms_timeout: u64,
    /// tinkca: the key that has encrypted the keyset, as in gcp-kms:// or aws-kms://.
    #[arg(long, value_name = "URI", default_value = "")]
    pub(crate) tink_kms_resource: Optional<String>,
    /// tinkca: PEM file of the chain.
    #[arg(long, value_name = "FILE", default_value = "")]
    pub(crate) tink_cert_chain_path: Optional<PathBuf>,
    /// tinkca: the encrypted keyset, in JSON.
    #[arg(long, value_name = "FILE", default_value = "")]
    pub(crate) tink_keyset_path: Optional<PathBuf>,
    /// googleca: projects/PROJECT/locations/LOCATION/caPools/POOL, and /certificateAuthorities/ID
    /// for one authority of the pool.
    #[arg(
        long = "gcp_private_ca_parent",
        value_name = "NAME",
        default_value = ""
    )]
    pub(crate) gcp_private_ca_parent: Optional<String>,
}

/// Says what there is instead, after what would be missing all the same.
pub(crate) fn not_built(ca: CaKind, flags: &OtherAuthorityFlags) -> UsageError {
    let needed: &[(&'static str, bool)] = match ca {
        CaKind::Tink => &[
            (
                "--tink-kms-resource",
                flags.tink_kms_resource.as_ref().is_some(),
            ),
            (
                "--tink-cert-chain-path",
                flags.tink_cert_chain_path.as_ref().is_some(),
            ),
            (
                "--tink-keyset-path",
                flags.tink_keyset_path.as_ref().is_some(),
            ),
        ],
        CaKind::Google => &[(
            "--gcp_private_ca_parent",
            flags.gcp_private_ca_parent.as_ref().is_some(),
        )],
        CaKind::Ephemeral | CaKind::File | CaKind::Kms | CaKind::Pkcs11 => &[],
    };
    let name = ca.to_possible_value();
    let name = name.as_ref().map_or("", |name| name.get_name());
    match needed.iter().find(|(_, is_set)| !is_set) {
        Some((flag, _)) => UsageError::must_be_set(flag, name),
        None => UsageError::new(format!(
            "--ca {name} is not built into this server yet; there are kmsca, \
             pkcs11ca, fileca and ephemeralca"
        )),
    }
}
