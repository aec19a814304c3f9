use core::{fmt, time::Duration};
use std::sync::Arc;

#[cfg(feature = "aws-kms")]
use fulcio_signer_aws_kms::AwsConfig;
#[cfg(feature = "azure-keyvault")]
use fulcio_signer_azure_keyvault::AzureConfig;
#[cfg(feature = "gcp-kms")]
use fulcio_signer_gcp_kms::GcpKmsConfig;
#[cfg(feature = "hashivault")]
use fulcio_signer_hashivault::VaultConfig;
use pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::Error;

/// What a back end may need besides the URI.
///
/// A key service is configured by [variables](Self::with_variables), as its own tools are, unless
/// its configuration is given here. No back end is asked for what belongs to another.
#[derive(Clone, Default)]
pub struct OpenOptions {
    #[cfg(feature = "aws-kms")]
    aws: Option<AwsConfig>,
    #[cfg(feature = "azure-keyvault")]
    azure: Option<AzureConfig>,
    #[cfg(feature = "gcp-kms")]
    gcp: Option<GcpKmsConfig>,
    password: Option<Zeroizing<String>>,
    roots: Vec<CertificateDer<'static>>,
    timeouts: Option<(Duration, Duration)>,
    variables: Option<Arc<Variables>>,
    #[cfg(feature = "hashivault")]
    vault: Option<VaultConfig>,
}

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

impl OpenOptions {
    /// Nothing besides the URI.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where AWS KMS is, and who asks, whatever the variables say.
    #[cfg(feature = "aws-kms")]
    #[must_use]
    pub fn with_aws(mut self, aws: AwsConfig) -> Self {
        self.aws = Some(aws);
        self
    }

    /// Who asks Azure Key Vault, and how, whatever the variables say.
    #[cfg(feature = "azure-keyvault")]
    #[must_use]
    pub fn with_azure(mut self, azure: AzureConfig) -> Self {
        self.azure = Some(azure);
        self
    }

    /// Where Google Cloud KMS is, and who asks, whatever the variables say.
    #[cfg(feature = "gcp-kms")]
    #[must_use]
    pub fn with_gcp(mut self, gcp: GcpKmsConfig) -> Self {
        self.gcp = Some(gcp);
        self
    }

    /// The password of the key, or the PIN of its token; a back end that needs none does not use it.
    #[must_use]
    pub fn with_password(mut self, password: Zeroizing<String>) -> Self {
        self.password = Some(password);
        self
    }

    /// The roots that key services are trusted by, where nothing says others: those of the machine.
    #[must_use]
    pub fn with_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.roots = roots;
        self
    }

    /// How long one try of a signature may take, and how long a signature with all tries, at a key
    /// service that variables configure; each service has times of its own otherwise.
    #[must_use]
    pub fn with_timeouts(mut self, one_try: Duration, all_tries: Duration) -> Self {
        self.timeouts = Some((one_try, all_tries));
        self
    }

    /// What says where a key service is and who asks: most likely the environment of the process.
    /// The `from_variables` of each back end lists what it asks for.
    #[must_use]
    pub fn with_variables(
        mut self,
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.variables = Some(Arc::new(variable));
        self
    }

    /// Where Vault is, and who asks, whatever the variables say.
    #[cfg(feature = "hashivault")]
    #[must_use]
    pub fn with_vault(mut self, vault: VaultConfig) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Where AWS KMS is, and who asks.
    #[cfg(feature = "aws-kms")]
    #[must_use]
    pub fn aws(&self) -> Option<&AwsConfig> {
        self.aws.as_ref()
    }

    /// Who asks Azure Key Vault, and how.
    #[cfg(feature = "azure-keyvault")]
    #[must_use]
    pub fn azure(&self) -> Option<&AzureConfig> {
        self.azure.as_ref()
    }

    /// Where Google Cloud KMS is, and who asks.
    #[cfg(feature = "gcp-kms")]
    #[must_use]
    pub fn gcp(&self) -> Option<&GcpKmsConfig> {
        self.gcp.as_ref()
    }

    /// The password of the key.
    #[must_use]
    pub fn password(&self) -> Option<&Zeroizing<String>> {
        self.password.as_ref()
    }

    /// The roots that key services are trusted by.
    #[must_use]
    pub fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    /// What says where the key service `service` is and who asks.
    ///
    /// # Errors
    /// Nothing does.
    pub fn variables(&self, service: &'static str) -> Result<&Variables, Error> {
        self.variables
            .as_deref()
            .ok_or(Error::Unconfigured { service })
    }

    /// How long one try of a signature may take, and how long a signature with all tries.
    #[must_use]
    pub fn timeouts(&self) -> Option<(Duration, Duration)> {
        self.timeouts
    }

    /// Where Vault is, and who asks.
    #[cfg(feature = "hashivault")]
    #[must_use]
    pub fn vault(&self) -> Option<&VaultConfig> {
        self.vault.as_ref()
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OpenOptions");
        #[cfg(feature = "aws-kms")]
        shown.field("aws", &self.aws);
        #[cfg(feature = "azure-keyvault")]
        shown.field("azure", &self.azure);
        #[cfg(feature = "gcp-kms")]
        shown.field("gcp", &self.gcp);
        let password = self.password.as_ref().map(|_secret| "[hidden]");
        shown.field("password", &password);
        shown.field("roots", &self.roots.len());
        shown.field("timeouts", &self.timeouts);
        shown.field("variables", &self.variables.is_some());
        #[cfg(feature = "hashivault")]
        shown.field("vault", &self.vault);
        shown.finish()
    }
}
