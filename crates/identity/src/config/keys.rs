//! The vocabulary of the issuer configuration: every key in its YAML and its JSON spelling.

use fulcio_principal::Extension;

use super::document::Shape;

/// A key in both spellings; either may stand in either format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) yaml: &'static str,
    pub(super) json: &'static str,
}

const fn key(yaml: &'static str, json: &'static str) -> Key {
    Key { yaml, json }
}

pub(super) const OIDC_ISSUERS: Key = key("oidc-issuers", "OIDCIssuers");
pub(super) const META_ISSUERS: Key = key("meta-issuers", "MetaIssuers");
pub(super) const CI_ISSUER_METADATA: Key = key("ci-issuer-metadata", "CIIssuerMetadata");
/// Holds anchors for the rest of the file.
const DEFINE: Key = key("define", "define");

pub(super) const FILE: &[Key] = &[OIDC_ISSUERS, META_ISSUERS, CI_ISSUER_METADATA, DEFINE];

pub(super) const CA_CERT: Key = key("ca-cert", "CACert");
pub(super) const CHALLENGE_CLAIM: Key = key("challenge-claim", "ChallengeClaim");
pub(super) const CI_PROVIDER: Key = key("ci-provider", "CIProvider");
pub(super) const CLIENT_ID: Key = key("client-id", "ClientID");
pub(super) const CONTACT: Key = key("contact", "Contact");
pub(super) const DESCRIPTION: Key = key("description", "Description");
pub(super) const ENVIRONMENT: Key = key("environment", "Environment");
pub(super) const ISSUER_CLAIM: Key = key("issuer-claim", "IssuerClaim");
pub(super) const ISSUER_URL: Key = key("issuer-url", "IssuerURL");
pub(super) const SKIP_EMAIL_VERIFICATION: Key =
    key("skip-email-verification", "SkipEmailVerification");
pub(super) const SPIFFE_TRUST_DOMAIN: Key = key("spiffe-trust-domain", "SPIFFETrustDomain");
pub(super) const SUBJECT_DOMAIN: Key = key("subject-domain", "SubjectDomain");
pub(super) const TYPE: Key = key("type", "Type");

pub(super) const ISSUER: &[Key] = &[
    CA_CERT,
    CHALLENGE_CLAIM,
    CI_PROVIDER,
    CLIENT_ID,
    CONTACT,
    DESCRIPTION,
    ENVIRONMENT,
    ISSUER_CLAIM,
    ISSUER_URL,
    SKIP_EMAIL_VERIFICATION,
    SPIFFE_TRUST_DOMAIN,
    SUBJECT_DOMAIN,
    TYPE,
];

pub(super) const DEFAULT_TEMPLATE_VALUES: Key =
    key("default-template-values", "DefaultTemplateValues");
pub(super) const EXTENSION_TEMPLATES: Key = key("extension-templates", "ExtensionTemplates");
pub(super) const SUBJECT_ALTERNATIVE_NAME_TEMPLATE: Key = key(
    "subject-alternative-name-template",
    "SubjectAlternativeNameTemplate",
);

pub(super) const METADATA: &[Key] = &[
    DEFAULT_TEMPLATE_VALUES,
    EXTENSION_TEMPLATES,
    SUBJECT_ALTERNATIVE_NAME_TEMPLATE,
];

/// Extensions that a template may name, but that always come from the token.
pub(super) const FIXED_EXTENSIONS: &[Key] = &[key("issuer", "Issuer"), key("subject", "Subject")];

impl Key {
    /// The one of `known` that `written` spells.
    pub(super) fn find(known: &[Self], written: &str) -> Option<Self> {
        let spells = |key: &&Self| key.yaml == written || key.json == written;
        known.iter().find(spells).copied()
    }
}

/// The one of `known` that is most like `written`, if one is like it.
pub(super) fn nearest<T: AsRef<str>>(
    known: impl IntoIterator<Item = T>,
    written: &str,
) -> Option<T> {
    let simple = |text: &str| text.to_lowercase().replace('_', "-");
    let limit = 1 + written.chars().count() / 4;
    let distance = |key: &T| {
        let key = key.as_ref();
        let simply = strsim::damerau_levenshtein(&simple(key), &simple(written));
        // Of two spellings of one key, the one that is written like it.
        (simply, strsim::damerau_levenshtein(key, written))
    };
    known
        .into_iter()
        .map(|key| (distance(&key), key))
        .filter(|((simply, _), _)| *simply <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// Both spellings of all keys.
pub(super) fn spellings(known: &[Key]) -> impl Iterator<Item = &'static str> {
    known.iter().flat_map(|key| [key.yaml, key.json])
}

/// Both spellings of all extensions that templates set.
pub(super) fn extension_spellings() -> impl Iterator<Item = &'static str> {
    Extension::all()
        .flat_map(|extension| [extension.yaml_key(), extension.json_key()])
        .flatten()
}

/// The shape of what is behind a key at the top of the file.
pub(super) fn file_shape(written: &str) -> Shape {
    match Key::find(FILE, written) {
        Some(OIDC_ISSUERS | META_ISSUERS) => Shape::Table(|_| Shape::Table(issuer_shape)),
        Some(CI_ISSUER_METADATA) => Shape::Table(|_| Shape::Table(metadata_shape)),
        _ => Shape::Ignored,
    }
}

fn issuer_shape(written: &str) -> Shape {
    match Key::find(ISSUER, written) {
        Some(_) => Shape::Scalar,
        None => Shape::Ignored,
    }
}

fn metadata_shape(written: &str) -> Shape {
    match Key::find(METADATA, written) {
        Some(EXTENSION_TEMPLATES) => Shape::Table(|written| {
            let fixed = Key::find(FIXED_EXTENSIONS, written).is_some();
            if fixed || Extension::from_config_key(written).is_some() {
                Shape::Scalar
            } else {
                Shape::Ignored
            }
        }),
        Some(DEFAULT_TEMPLATE_VALUES) => Shape::Table(|_| Shape::Scalar),
        Some(_) => Shape::Scalar,
        None => Shape::Ignored,
    }
}
