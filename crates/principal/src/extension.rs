use std::collections::BTreeMap;

/// An X.509 extension below [`Extension::ARC`], none of them critical.
///
/// The discriminant is the last arc of the OID. Arc 7 is not here: it is the type of a name, see
/// [`SubjectAltName::USERNAME_OID`](crate::SubjectAltName::USERNAME_OID). A new extension is one
/// variant and one row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Extension {
    /// The `iss` of the token, without DER inside (deprecated, always present).
    IssuerV1 = 1,
    /// The event that started a GitHub workflow (deprecated).
    GithubWorkflowTrigger = 2,
    /// The commit a GitHub workflow ran for (deprecated).
    GithubWorkflowSha = 3,
    /// The name of a GitHub workflow (deprecated).
    GithubWorkflowName = 4,
    /// The repository a GitHub workflow ran in (deprecated).
    GithubWorkflowRepository = 5,
    /// The git ref a GitHub workflow ran for (deprecated).
    GithubWorkflowRef = 6,
    /// The `iss` of the token (always present).
    IssuerV2 = 8,
    /// The build instructions that signed.
    BuildSignerUri = 9,
    /// The version of the build instructions that signed.
    BuildSignerDigest = 10,
    /// Whether the build ran on the provider's machines or the user's own.
    RunnerEnvironment = 11,
    /// The repository that was built.
    SourceRepositoryUri = 12,
    /// The commit that was built.
    SourceRepositoryDigest = 13,
    /// The ref that was built.
    SourceRepositoryRef = 14,
    /// The repository's immutable identifier.
    SourceRepositoryIdentifier = 15,
    /// The repository's owner.
    SourceRepositoryOwnerUri = 16,
    /// The owner's immutable identifier.
    SourceRepositoryOwnerIdentifier = 17,
    /// The top-level build instructions.
    BuildConfigUri = 18,
    /// The version of the top-level build instructions.
    BuildConfigDigest = 19,
    /// The event that started the build.
    BuildTrigger = 20,
    /// The run of the build.
    RunInvocationUri = 21,
    /// Whether the repository was public when the build signed.
    SourceRepositoryVisibilityAtSigning = 22,
    /// The environment that the build deploys to.
    DeploymentEnvironment = 23,
    /// The `sub` of the token.
    TokenSubject = 24,
}

/// How the value of an [`Extension`] lies in its `extnValue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what has been issued cannot change"
)]
pub enum Encoding {
    /// The UTF-8 bytes themselves, with no DER inside.
    Raw,
    /// A DER `UTF8String`.
    Utf8String,
}

/// One row of the table.
struct Row {
    extension: Extension,
    oid: &'static str,
    title: &'static str,
    encoding: Encoding,
    /// The keys in the `extension-templates` of an issuer configuration, as YAML and as JSON.
    keys: Option<(&'static str, &'static str)>,
}

/// In the order in which a certificate holds them.
const TABLE: [Row; 23] = [
    Row {
        extension: Extension::IssuerV1,
        oid: "1.3.6.1.4.1.57264.1.1",
        title: "Issuer",
        encoding: Encoding::Raw,
        keys: None,
    },
    Row {
        extension: Extension::GithubWorkflowTrigger,
        oid: "1.3.6.1.4.1.57264.1.2",
        title: "GitHub Workflow Trigger",
        encoding: Encoding::Raw,
        keys: Some(("github-workflow-trigger", "GithubWorkflowTrigger")),
    },
    Row {
        extension: Extension::GithubWorkflowSha,
        oid: "1.3.6.1.4.1.57264.1.3",
        title: "GitHub Workflow SHA",
        encoding: Encoding::Raw,
        keys: Some(("github-workflow-sha", "GithubWorkflowSHA")),
    },
    Row {
        extension: Extension::GithubWorkflowName,
        oid: "1.3.6.1.4.1.57264.1.4",
        title: "GitHub Workflow Name",
        encoding: Encoding::Raw,
        keys: Some(("github-workflow-name", "GithubWorkflowName")),
    },
    Row {
        extension: Extension::GithubWorkflowRepository,
        oid: "1.3.6.1.4.1.57264.1.5",
        title: "GitHub Workflow Repository",
        encoding: Encoding::Raw,
        keys: Some(("github-workflow-repository", "GithubWorkflowRepository")),
    },
    Row {
        extension: Extension::GithubWorkflowRef,
        oid: "1.3.6.1.4.1.57264.1.6",
        title: "GitHub Workflow Ref",
        encoding: Encoding::Raw,
        keys: Some(("github-workflow-ref", "GithubWorkflowRef")),
    },
    Row {
        extension: Extension::IssuerV2,
        oid: "1.3.6.1.4.1.57264.1.8",
        title: "Issuer (V2)",
        encoding: Encoding::Utf8String,
        keys: None,
    },
    Row {
        extension: Extension::BuildSignerUri,
        oid: "1.3.6.1.4.1.57264.1.9",
        title: "Build Signer URI",
        encoding: Encoding::Utf8String,
        keys: Some(("build-signer-uri", "BuildSignerURI")),
    },
    Row {
        extension: Extension::BuildSignerDigest,
        oid: "1.3.6.1.4.1.57264.1.10",
        title: "Build Signer Digest",
        encoding: Encoding::Utf8String,
        keys: Some(("build-signer-digest", "BuildSignerDigest")),
    },
    Row {
        extension: Extension::RunnerEnvironment,
        oid: "1.3.6.1.4.1.57264.1.11",
        title: "Runner Environment",
        encoding: Encoding::Utf8String,
        keys: Some(("runner-environment", "RunnerEnvironment")),
    },
    Row {
        extension: Extension::SourceRepositoryUri,
        oid: "1.3.6.1.4.1.57264.1.12",
        title: "Source Repository URI",
        encoding: Encoding::Utf8String,
        keys: Some(("source-repository-uri", "SourceRepositoryURI")),
    },
    Row {
        extension: Extension::SourceRepositoryDigest,
        oid: "1.3.6.1.4.1.57264.1.13",
        title: "Source Repository Digest",
        encoding: Encoding::Utf8String,
        keys: Some(("source-repository-digest", "SourceRepositoryDigest")),
    },
    Row {
        extension: Extension::SourceRepositoryRef,
        oid: "1.3.6.1.4.1.57264.1.14",
        title: "Source Repository Ref",
        encoding: Encoding::Utf8String,
        keys: Some(("source-repository-ref", "SourceRepositoryRef")),
    },
    Row {
        extension: Extension::SourceRepositoryIdentifier,
        oid: "1.3.6.1.4.1.57264.1.15",
        title: "Source Repository Identifier",
        encoding: Encoding::Utf8String,
        keys: Some(("source-repository-identifier", "SourceRepositoryIdentifier")),
    },
    Row {
        extension: Extension::SourceRepositoryOwnerUri,
        oid: "1.3.6.1.4.1.57264.1.16",
        title: "Source Repository Owner URI",
        encoding: Encoding::Utf8String,
        keys: Some(("source-repository-owner-uri", "SourceRepositoryOwnerURI")),
    },
    Row {
        extension: Extension::SourceRepositoryOwnerIdentifier,
        oid: "1.3.6.1.4.1.57264.1.17",
        title: "Source Repository Owner Identifier",
        encoding: Encoding::Utf8String,
        keys: Some((
            "source-repository-owner-identifier",
            "SourceRepositoryOwnerIdentifier",
        )),
    },
    Row {
        extension: Extension::BuildConfigUri,
        oid: "1.3.6.1.4.1.57264.1.18",
        title: "Build Config URI",
        encoding: Encoding::Utf8String,
        keys: Some(("build-config-uri", "BuildConfigURI")),
    },
    Row {
        extension: Extension::BuildConfigDigest,
        oid: "1.3.6.1.4.1.57264.1.19",
        title: "Build Config Digest",
        encoding: Encoding::Utf8String,
        keys: Some(("build-config-digest", "BuildConfigDigest")),
    },
    Row {
        extension: Extension::BuildTrigger,
        oid: "1.3.6.1.4.1.57264.1.20",
        title: "Build Trigger",
        encoding: Encoding::Utf8String,
        keys: Some(("build-trigger", "BuildTrigger")),
    },
    Row {
        extension: Extension::RunInvocationUri,
        oid: "1.3.6.1.4.1.57264.1.21",
        title: "Run Invocation URI",
        encoding: Encoding::Utf8String,
        keys: Some(("run-invocation-uri", "RunInvocationURI")),
    },
    Row {
        extension: Extension::SourceRepositoryVisibilityAtSigning,
        oid: "1.3.6.1.4.1.57264.1.22",
        title: "Source Repository Visibility At Signing",
        encoding: Encoding::Utf8String,
        keys: Some((
            "source-repository-visibility-at-signing",
            "SourceRepositoryVisibilityAtSigning",
        )),
    },
    Row {
        extension: Extension::DeploymentEnvironment,
        oid: "1.3.6.1.4.1.57264.1.23",
        title: "Deployment Environment",
        encoding: Encoding::Utf8String,
        keys: Some(("deployment-environment", "DeploymentEnvironment")),
    },
    Row {
        extension: Extension::TokenSubject,
        oid: "1.3.6.1.4.1.57264.1.24",
        title: "Token Subject",
        encoding: Encoding::Utf8String,
        keys: None,
    },
];

impl Extension {
    /// The OID arc that all these extensions lie below.
    pub const ARC: &'static str = "1.3.6.1.4.1.57264.1";

    /// All extensions, in the order in which a certificate holds them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.extension)
    }

    /// The extension with this dotted OID.
    #[must_use]
    pub fn from_oid(oid: &str) -> Option<Self> {
        Some(TABLE.iter().find(|row| row.oid == oid)?.extension)
    }

    /// The last arc of the OID.
    #[must_use]
    pub fn arc(self) -> u8 {
        self as u8
    }

    /// The OID in dotted form.
    #[must_use]
    pub fn oid(self) -> &'static str {
        self.row().oid
    }

    /// The name that people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// How the value is encoded.
    #[must_use]
    pub fn encoding(self) -> Encoding {
        self.row().encoding
    }

    /// The key in the `extension-templates` of a YAML configuration, if templates may set it.
    #[must_use]
    pub fn yaml_key(self) -> Option<&'static str> {
        self.row().keys.map(|(yaml, _)| yaml)
    }

    /// The key in the `ExtensionTemplates` of a JSON configuration, if templates may set it.
    #[must_use]
    pub fn json_key(self) -> Option<&'static str> {
        self.row().keys.map(|(_, json)| json)
    }

    fn row(self) -> &'static Row {
        let arc = usize::from(self.arc());
        // Arc 7 has no row, so what follows it stands one place earlier.
        &TABLE[if arc < 7 { arc - 1 } else { arc - 2 }]
    }
}

/// The extensions of one certificate and their values; an empty value is no value.
///
/// There is always an issuer, because every Fulcio certificate names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extensions(BTreeMap<Extension, String>);

impl Extensions {
    /// Starts with the two issuer extensions.
    #[must_use]
    pub fn for_issuer(issuer: &str) -> Self {
        let mut extensions = Self(BTreeMap::new());
        extensions.set(Extension::IssuerV1, issuer);
        extensions.set(Extension::IssuerV2, issuer);
        extensions
    }

    /// Sets a value; an empty one takes the extension away.
    pub fn set(&mut self, extension: Extension, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.0.remove(&extension);
        } else {
            self.0.insert(extension, value);
        }
    }

    /// The value of one extension.
    #[must_use]
    pub fn value(&self, extension: Extension) -> Option<&str> {
        self.0.get(&extension).map(String::as_str)
    }

    /// What is set, in the order in which a certificate holds it.
    pub fn iter(&self) -> impl Iterator<Item = (Extension, &str)> {
        self.0
            .iter()
            .map(|(extension, value)| (*extension, value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_finds_its_own_row() {
        for row in &TABLE {
            assert_eq!(row.extension.row().oid, row.oid);
            assert_eq!(
                row.oid,
                format!("{}.{}", Extension::ARC, row.extension.arc())
            );
            assert_eq!(Extension::from_oid(row.oid), Some(row.extension));
        }
    }

    #[test]
    fn both_spellings_of_a_configuration_key_are_the_same_words() {
        for (yaml, json) in TABLE.iter().filter_map(|row| row.keys) {
            assert_eq!(json.to_lowercase(), yaml.replace('-', ""));
        }
    }

    #[test]
    fn an_empty_value_is_no_value() {
        let mut extensions = Extensions::for_issuer("https://issuer.example");
        extensions.set(Extension::BuildTrigger, "push");
        extensions.set(Extension::BuildTrigger, "");
        assert_eq!(extensions.value(Extension::BuildTrigger), None);
        assert_eq!(extensions.iter().count(), 2);
    }
}
