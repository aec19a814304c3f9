use std::collections::BTreeMap;

use fulcio_principal::Extension;

use crate::Template;

/// How tokens of one CI provider become certificates: an entry of `ci-issuer-metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiMetadata {
    /// `default-template-values`: what stands in for claims that a token lacks.
    pub default_template_values: BTreeMap<String, String>,
    /// `extension-templates`: the value of each extension.
    pub extension_templates: BTreeMap<Extension, Template>,
    /// `subject-alternative-name-template`; a blank one makes every request fail.
    pub subject_alternative_name_template: Template,
}
