//! The vocabulary of the issuer configuration: every key in its YAML and its JSON spelling.

use fulcio_principal::Extension;

use super::document::{Format, Shape};

/// A key in both spellings. As in Fulcio, which of them is read depends on the format alone.
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
    pub(super) fn find(known: &[Self], written: &str, format: Format) -> Option<Self> {
        let spells = |key: &&Self| key.name(format) == written;
        known.iter().find(spells).copied()
    }

    /// Whether Fulcio takes `written` for one of `known`: in JSON, letter case does not matter to it.
    pub(super) fn is_meant(known: &[Self], written: &str, format: Format) -> bool {
        known
            .iter()
            .any(|key| is_spelling(key.name(format), written, format))
    }

    /// How a file of this format spells it.
    pub(super) fn name(self, format: Format) -> &'static str {
        match format {
            Format::Json => self.json,
            Format::Yaml => self.yaml,
        }
    }
}

/// Whether Fulcio takes `written` for the key `name`.
pub(super) fn is_spelling(name: &str, written: &str, format: Format) -> bool {
    let fold = |letter: char| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    match format {
        Format::Json => name.chars().map(fold).eq(written.chars().map(fold)),
        Format::Yaml => name == written,
    }
}

/// The one of `known` that is most like `written`, if one is like it.
pub(super) fn nearest<T: AsRef<str>>(
    known: impl IntoIterator<Item = T>,
    written: &str,
) -> Option<T> {
    let simple = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let limit = 1 + written.chars().count() / 4;
    let distance = |key: &T| strsim::damerau_levenshtein(&simple(key.as_ref()), &simple(written));
    known
        .into_iter()
        .map(|key| (distance(&key), key))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// How a file of this format spells each of `known`.
pub(super) fn spellings(known: &[Key], format: Format) -> impl Iterator<Item = &'static str> {
    known.iter().map(move |key| key.name(format))
}

/// The extension that `written` spells, if it is one that templates set.
pub(super) fn extension(written: &str, format: Format) -> Option<Extension> {
    Extension::all().find(|extension| extension_key(*extension, format) == Some(written))
}

/// How a file of this format spells all extensions that templates set.
pub(super) fn extension_spellings(format: Format) -> impl Iterator<Item = &'static str> {
    Extension::all().filter_map(move |extension| extension_key(extension, format))
}

fn extension_key(extension: Extension, format: Format) -> Option<&'static str> {
    match format {
        Format::Json => extension.json_key(),
        Format::Yaml => extension.yaml_key(),
    }
}

/// The shape of what is behind a key at the top of the file.
pub(super) fn file_shape(written: &str, format: Format) -> Shape {
    match Key::find(FILE, written, format) {
        Some(OIDC_ISSUERS | META_ISSUERS) => Shape::Table(|_, _| Shape::Table(issuer_shape)),
        Some(CI_ISSUER_METADATA) => Shape::Table(|_, _| Shape::Table(metadata_shape)),
        _ => Shape::Ignored,
    }
}

fn issuer_shape(written: &str, format: Format) -> Shape {
    match Key::find(ISSUER, written, format) {
        Some(SKIP_EMAIL_VERIFICATION) => Shape::Switch,
        Some(_) => Shape::Text,
        None => Shape::Ignored,
    }
}

fn metadata_shape(written: &str, format: Format) -> Shape {
    match Key::find(METADATA, written, format) {
        Some(EXTENSION_TEMPLATES) => Shape::Table(|written, format| {
            let fixed = Key::find(FIXED_EXTENSIONS, written, format).is_some();
            if fixed || extension(written, format).is_some() {
                Shape::Text
            } else {
                Shape::Ignored
            }
        }),
        Some(DEFAULT_TEMPLATE_VALUES) => Shape::Table(|_, _| Shape::Text),
        Some(_) => Shape::Text,
        None => Shape::Ignored,
    }
}
