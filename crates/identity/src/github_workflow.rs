use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Extension, Principal};

use crate::{
    Error, Kind,
    fields::{Fields, extensions, named_by},
};

/// GitHub Actions without templates: the type `github-workflow`.
///
/// Only github.com itself, because all URLs begin with it; for GitHub Enterprise use templates.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GithubWorkflow;

impl GithubWorkflow {
    /// For github.com.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

/// What all URLs begin with.
const BASE: &str = "https://github.com/";

const CLAIMS: [&str; 16] = [
    "event_name",
    "job_workflow_ref",
    "job_workflow_sha",
    "ref",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "runner_environment",
    "sha",
    "workflow",
    "workflow_ref",
    "workflow_sha",
];

/// The extensions that are a claim as it is.
const COPIES: [(Extension, &str); 14] = [
    (Extension::GithubWorkflowTrigger, "event_name"),
    (Extension::GithubWorkflowSha, "sha"),
    (Extension::GithubWorkflowName, "workflow"),
    (Extension::GithubWorkflowRepository, "repository"),
    (Extension::GithubWorkflowRef, "ref"),
    (Extension::BuildSignerDigest, "job_workflow_sha"),
    (Extension::RunnerEnvironment, "runner_environment"),
    (Extension::SourceRepositoryDigest, "sha"),
    (Extension::SourceRepositoryRef, "ref"),
    (Extension::SourceRepositoryIdentifier, "repository_id"),
    (
        Extension::SourceRepositoryOwnerIdentifier,
        "repository_owner_id",
    ),
    (Extension::BuildConfigDigest, "workflow_sha"),
    (Extension::BuildTrigger, "event_name"),
    (
        Extension::SourceRepositoryVisibilityAtSigning,
        "repository_visibility",
    ),
];

impl Kind for GithubWorkflow {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let claims = Fields::of(token, &CLAIMS)?;
        for name in CLAIMS {
            claims.required(name)?;
        }
        let mut extensions = extensions(token)?;
        for (extension, claim) in COPIES {
            extensions.set(extension, claims.text(claim)?);
        }
        let base = Url::parse(BASE).map_err(Error::Url)?;
        let url = |parts: &[&str]| base.join_path(parts).map_err(Error::Url);
        let repository = claims.text("repository")?;
        let workflow = url(&[claims.text("job_workflow_ref")?])?;
        let run = [
            repository,
            "actions/runs",
            claims.text("run_id")?,
            "attempts",
            claims.text("run_attempt")?,
        ];
        for (extension, url) in [
            (Extension::BuildSignerUri, &workflow),
            (Extension::SourceRepositoryUri, &url(&[repository])?),
            (
                Extension::SourceRepositoryOwnerUri,
                &url(&[claims.text("repository_owner")?])?,
            ),
            (
                Extension::BuildConfigUri,
                &url(&[claims.text("workflow_ref")?])?,
            ),
            (Extension::RunInvocationUri, &url(&run)?),
        ] {
            extensions.set(extension, url.to_string());
        }
        named_by(&workflow, token, extensions)
    }
}
