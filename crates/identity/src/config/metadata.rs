use std::collections::BTreeMap;

use fulcio_principal::Extension;

/// How tokens of one CI provider become certificates: an entry of `ci-issuer-metadata`.
///
/// The templates are kept as they were written. One with `{{` in it is a template of Go's
/// `text/template`; another is the name of one claim or default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiMetadata {
    /// `default-template-values`: what stands in for claims that a token lacks.
    pub default_template_values: BTreeMap<String, String>,
    /// `extension-templates`: the value of each extension.
    pub extension_templates: BTreeMap<Extension, String>,
    /// `subject-alternative-name-template`.
    pub subject_alternative_name_template: String,
}
