//! From a verified token to an identity.
//!
//! [`Config`] is the issuer configuration file, as Fulcio has it: whose tokens are accepted, and
//! how each issuer names its callers. [`Issuers`] is built from it and is an
//! [`Authenticator`](fulcio_principal::Authenticator): it finds the issuer of a token, has
//! `fulcio-oidc-verify` check the token, and lets the issuer's [`Kind`] read the principal.
//!
//! There is one implementation of [`Kind`] for each type that Fulcio has. Issuers of an unknown type
//! may stand in the file; [`Issuers::unserved`] tells which they are, and their tokens are refused.
//! [`CiProvider`] names its callers by [`Template`]s of the file.
//!
//! ```
//! use std::sync::Arc;
//! use fulcio_identity::{Config, Issuers};
//! # use fulcio_oidc_verify::{Fetch, FetchError, Fetching};
//! # #[derive(Debug)]
//! # struct Network;
//! # impl Fetch for Network {
//! #     fn fetch<'a>(&'a self, _url: &'a str) -> Fetching<'a> {
//! #         Box::pin(async { Err(FetchError::Status(404)) })
//! #     }
//! # }
//!
//! let text = "
//! oidc-issuers:
//!   https://accounts.example.com:
//!     issuer-url: https://accounts.example.com
//!     client-id: sigstore
//!     type: email
//! ";
//! let config = Config::parse(text, "config.yaml")?;
//! let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::new(Network)))?;
//! assert_eq!(issuers.unserved().count(), 0);
//!
//! let mistyped = text.replace("client-id", "cilent-id");
//! let error = Config::parse(&mistyped, "config.yaml").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "config.yaml:5: oidc-issuers.https://accounts.example.com.cilent-id: \
//!      is not a known key; did you mean `client-id`?",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buildkite_job;
mod chainguard_identity;
mod ci_provider;
mod claim_path;
mod claim_text;
mod codefresh_workflow;
mod config;
mod email;
mod email_address;
mod error;
mod fields;
mod github_workflow;
mod gitlab_pipeline;
mod issuer_observer;
mod issuers;
mod kind;
mod kubernetes;
mod pattern;
mod provider_cache;
mod spiffe;
mod spiffe_id;
mod template;
mod uri;
mod username;

pub use buildkite_job::BuildkiteJob;
pub use chainguard_identity::ChainguardIdentity;
pub use ci_provider::CiProvider;
pub use claim_path::{ClaimPath, ClaimPathError, ClaimPathMismatch};
pub use codefresh_workflow::CodefreshWorkflow;
pub use config::{
    CiMetadata, Concern, Config, ConfigError, IssuerAddress, IssuerConfig, IssuerKind, Place,
    Problem, UnknownKeys, Warning,
};
pub use email::Email;
pub use error::{Error, LoadError};
pub use github_workflow::GithubWorkflow;
pub use gitlab_pipeline::GitlabPipeline;
pub use issuer_observer::IssuerObserver;
pub use issuers::{FetchResult, Issuers, Observed, Unserved};
pub use kind::Kind;
pub use kubernetes::Kubernetes;
pub use pattern::IssuerPattern;
pub use spiffe::Spiffe;
pub use template::{CallError, Template, TemplateError, TemplateFault, ValueError};
pub use uri::Uri;
pub use username::Username;
