use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Extension, Principal};
use serde_json::Value;

use crate::{
    Error, Kind,
    fields::{Fields, extensions, named_by},
};

/// GitLab CI without templates: the type `gitlab-pipeline`.
///
/// Only gitlab.com itself, because most URLs begin with it; for other instances use templates.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GitlabPipeline;

impl GitlabPipeline {
    /// For gitlab.com.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

/// What all URLs begin with, but for that of a pipeline's configuration.
const BASE: &str = "https://gitlab.com/";

const REQUIRED: [&str; 12] = [
    "project_path",
    "pipeline_source",
    "pipeline_id",
    "ci_config_ref_uri",
    "job_id",
    "ref",
    "ref_type",
    "namespace_path",
    "namespace_id",
    "project_id",
    "sha",
    "runner_environment",
];

const OTHERS: [&str; 3] = ["ci_config_sha", "project_visibility", "runner_id"];

/// The extensions that are a claim as it is.
const COPIES: [(Extension, &str); 8] = [
    (Extension::BuildSignerDigest, "ci_config_sha"),
    (Extension::RunnerEnvironment, "runner_environment"),
    (Extension::SourceRepositoryDigest, "sha"),
    (Extension::SourceRepositoryIdentifier, "project_id"),
    (Extension::SourceRepositoryOwnerIdentifier, "namespace_id"),
    (Extension::BuildConfigDigest, "ci_config_sha"),
    (Extension::BuildTrigger, "pipeline_source"),
    (
        Extension::SourceRepositoryVisibilityAtSigning,
        "project_visibility",
    ),
];

impl Kind for GitlabPipeline {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let names: Vec<_> = REQUIRED.into_iter().chain(OTHERS).collect();
        let claims = Fields::of(token, &names)?;
        for name in REQUIRED {
            claims.required(name)?;
        }
        runner(claims)?;
        let mut extensions = extensions(token)?;
        for (extension, claim) in COPIES {
            extensions.set(extension, claims.text(claim)?);
        }
        extensions.set(Extension::SourceRepositoryRef, git_ref(claims)?);

        // The claim has no scheme of its own.
        let config = Url::parse(claims.text("ci_config_ref_uri")?).map_err(Error::Url)?;
        let config = config.with_scheme("https");
        let base = Url::parse(BASE).map_err(Error::Url)?;
        let url = |parts: &[&str]| base.join_path(parts).map_err(Error::Url);
        let project = claims.text("project_path")?;
        for (extension, url) in [
            (Extension::BuildSignerUri, &config),
            (Extension::BuildConfigUri, &config),
            (Extension::SourceRepositoryUri, &url(&[project])?),
            (
                Extension::SourceRepositoryOwnerUri,
                &url(&[claims.text("namespace_path")?])?,
            ),
            (
                Extension::RunInvocationUri,
                &url(&[project, "/-/jobs/", claims.text("job_id")?])?,
            ),
        ] {
            extensions.set(extension, url.to_string());
        }
        named_by(&config, token, extensions)
    }
}

/// Refuses tokens without the number of a runner, which nothing else needs.
fn runner(claims: Fields<'_>) -> Result<(), Error> {
    let name = "runner_id";
    match claims.value(name) {
        None => Err(Error::ClaimAbsent { name }),
        Some(Value::Number(number)) if number.as_i64() == Some(0) => {
            Err(Error::ClaimAbsent { name })
        }
        Some(Value::Number(number)) if number.is_i64() => Ok(()),
        Some(_) => Err(Error::ClaimType {
            name,
            expected: "an integer",
        }),
    }
}

/// The full name of the ref that was built.
fn git_ref(claims: Fields<'_>) -> Result<String, Error> {
    let short = claims.text("ref")?;
    match claims.text("ref_type")? {
        "branch" => Ok(format!("refs/heads/{short}")),
        "tag" => Ok(format!("refs/tags/{short}")),
        _ => Err(Error::RefType),
    }
}
