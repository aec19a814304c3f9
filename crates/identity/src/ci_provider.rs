use std::borrow::Cow;

use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Extension, Principal};

use crate::{
    CiMetadata, Error, Kind, Template,
    claim_text::text_of,
    fields::{extensions, named_by},
    template::Values,
};

/// CI systems whose certificates the configuration describes with templates: the type
/// `ci-provider`.
///
/// Templates see all claims of a token, and the defaults of those that it lacks. The caller signs
/// the `sub`.
#[derive(Clone, Debug)]
pub struct CiProvider {
    metadata: CiMetadata,
}

impl CiProvider {
    /// For the CI system that `metadata` describes.
    #[must_use]
    pub fn new(metadata: CiMetadata) -> Self {
        Self { metadata }
    }
}

impl Kind for CiProvider {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let name = &self.metadata.subject_alternative_name_template;
        if name.is_blank() {
            return Err(Error::NameTemplateBlank {
                issuer: token.issuer().to_owned(),
            });
        }
        let values = self.values(token);
        let value_of = |template: &Template, extension| {
            template.value(&values).map_err(|source| Error::Template {
                extension,
                issuer: token.issuer().to_owned(),
                source,
            })
        };
        let uri = value_of(name, None)?;
        let uri = Url::parse(&uri).map_err(Error::Url)?;
        let mut extensions = extensions(token)?;
        for (extension, template) in &self.metadata.extension_templates {
            // Whatever the file says, these tell the truth about the token.
            let fixed = matches!(
                extension,
                Extension::IssuerV1 | Extension::IssuerV2 | Extension::TokenSubject
            );
            if fixed {
                continue;
            }
            if template.is_blank() {
                // Fulcio leaves such a template as it is, and so it becomes the value.
                extensions.set(*extension, template.as_str());
            } else {
                extensions.set(*extension, value_of(template, Some(*extension))?);
            }
        }
        named_by(&uri, token, extensions)
    }
}

impl CiProvider {
    fn values<'a>(&'a self, token: &'a VerifiedToken) -> Values<'a> {
        let defaults = self.metadata.default_template_values.iter();
        let defaults = defaults.map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
        let claims = token.claims().iter().map(|(name, claim)| {
            let text = match claim {
                serde_json::Value::String(text) => Cow::Borrowed(text.as_str()),
                other => Cow::Owned(text_of(other)),
            };
            (name.as_str(), text)
        });
        defaults.chain(claims).collect()
    }
}
