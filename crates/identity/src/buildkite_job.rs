use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::Principal;

use crate::{
    Error, Kind,
    fields::{Fields, extensions, named_by},
};

/// Buildkite without templates: the type `buildkite-job`.
///
/// The name in the certificate is the URL of the pipeline.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BuildkiteJob;

impl BuildkiteJob {
    /// For buildkite.com.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Kind for BuildkiteJob {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let claims = Fields::of(token, &["organization_slug", "pipeline_slug"])?;
        let organization = claims.required("organization_slug")?;
        let pipeline = claims.required("pipeline_slug")?;
        let uri = Url::parse(&format!("https://buildkite.com/{organization}/{pipeline}"))
            .map_err(Error::Url)?;
        named_by(&uri, token, extensions(token)?)
    }
}
