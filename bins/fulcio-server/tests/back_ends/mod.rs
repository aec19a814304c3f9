mod ca_service;
mod files;
mod keysets;
mod services;
mod table;
mod tokens;

pub(crate) use table::Table;

/// Adds the rows of one back end; none where its component is neither there nor demanded.
type Issues = fn(&Table);

/// By the place where the key is.
pub(crate) const BACK_ENDS: [(&str, Issues); 13] = [
    ("ephemeral", files::ephemeral),
    ("files", files::of_openssl),
    ("cosign", files::of_cosign),
    ("PKCS#11", tokens::softhsm),
    ("Vault", services::vault),
    ("AWS KMS", services::aws),
    ("AWS KMS, Ed25519", services::aws_ed25519),
    ("Google Cloud KMS", services::gcp),
    ("Azure Key Vault", services::azure),
    ("Tink by AWS KMS", keysets::by_aws),
    ("Tink by Vault", keysets::by_vault),
    ("Tink by Google Cloud KMS", keysets::by_gcp),
    ("Google CA Service", ca_service::google),
];
