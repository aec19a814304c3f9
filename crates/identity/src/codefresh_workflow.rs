use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Extension, Principal};

use crate::{
    Error, Kind,
    fields::{Fields, extensions, named_by},
};

/// Codefresh without templates: the type `codefresh-workflow`.
///
/// The name in the certificate has the names of account and pipeline, which may change, and then
/// their identifiers, which do not.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CodefreshWorkflow;

impl CodefreshWorkflow {
    /// For any platform: tokens tell the URL of theirs.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

/// The platform of tokens that tell none.
const PLATFORM: &str = "https://g.codefresh.io";

const REQUIRED: [&str; 3] = ["account_id", "pipeline_id", "workflow_id"];

const OTHERS: [&str; 9] = [
    "account_name",
    "initiator",
    "pipeline_name",
    "platform_url",
    "runner_environment",
    "scm_pull_request_target_branch",
    "scm_ref",
    "scm_repo_url",
    "scm_user_name",
];

impl Kind for CodefreshWorkflow {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let names: Vec<_> = REQUIRED.into_iter().chain(OTHERS).collect();
        let claims = Fields::of(token, &names)?;
        for name in REQUIRED {
            claims.required(name)?;
        }
        for name in OTHERS {
            claims.text(name)?;
        }
        let platform = match claims.text("platform_url")? {
            "" => PLATFORM,
            platform => platform,
        };
        let base = Url::parse(platform).map_err(Error::Url)?;
        let url = |parts: &[&str]| base.join_path(parts).map_err(Error::Url);
        let pipeline = claims.text("pipeline_id")?;
        let build = url(&["build", claims.text("workflow_id")?])?.to_string();

        let mut extensions = extensions(token)?;
        extensions.set(Extension::BuildSignerUri, build.as_str());
        extensions.set(
            Extension::RunnerEnvironment,
            claims.text("runner_environment")?,
        );
        extensions.set(Extension::SourceRepositoryUri, claims.text("scm_repo_url")?);
        extensions.set(Extension::SourceRepositoryRef, claims.text("scm_ref")?);
        let config = url(&["api", "pipelines", pipeline])?;
        extensions.set(Extension::BuildConfigUri, config.to_string());
        extensions.set(Extension::RunInvocationUri, build);

        let name = format!(
            "{}:{}/{pipeline}",
            claims.text("pipeline_name")?,
            claims.text("account_id")?
        );
        let uri = url(&[claims.text("account_name")?, &name])?;
        named_by(&uri, token, extensions)
    }
}
