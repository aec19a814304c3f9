//! A certificate authority that issues through Google's CA Service.
//!
//! A [`Parent`] says which pool of authorities issues, or which authority of it; a [`GoogleConfig`]
//! where CA Service is and who asks; a [`GoogleCaService`] is the
//! [`CertificateAuthority`](fulcio_issuance::CertificateAuthority) of it. No key of ours is in play:
//! Google builds and signs the certificate.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use fulcio_google_ca_service::{Credentials, GoogleCaService, GoogleConfig, Parent};
//! use fulcio_issuance::CertificateIssuer;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let parent: Parent = "projects/example/locations/us-central1/caPools/fulcio".parse()?;
//! let config = GoogleConfig::new(Credentials::ApplicationDefault);
//! let authority = GoogleCaService::open(&parent, &config).await?;
//! let issuer = CertificateIssuer::new(Arc::new(authority));
//! # let _ = issuer;
//! # Ok(())
//! # }
//! ```
//!
//! # The pool
//!
//! | | |
//! |---|---|
//! | tier | DevOps or Enterprise; with DevOps, Google keeps no certificates |
//! | client keys | RSA and ECDSA; the caller is told so for another |
//! | name | an e-mail address, a URI, or the username as a custom name |
//! | issuance policy | must allow these names, additional extensions and the key usages digitalSignature and codeSigning, and add none; must not backdate by more than a minute |
//! | bundle | every authority of the pool that has a certificate and is not deleted; with a named one, that one |
//! | a named authority | must be enabled or staged |
//!
//! The credentials need `privateca.certificateAuthorities.list` and `privateca.certificates.create`
//! for the pool; where one authority is named, `privateca.certificateAuthorities.get` in place of
//! the first.
//!
//! # What comes back
//!
//! is given out only if it is for the right key, has an empty subject, the right name and usages and
//! every extension that was asked for, no other that is Fulcio's or critical, dates that are right
//! up to a minute (it may end earlier, with its authority), and a path to the root of a known
//! authority, whose chain comes with it. One from an authority that is not known makes the pool be
//! read again first. A certificate that fails is not given out and not revoked.
//!
//! # When Google fails
//!
//! | what happened | [`Error`] | [kind](Error::kind) | by itself |
//! |---|---|---|---|
//! | the service account may not do it | `Denied` | denied | when allowed |
//! | its token is not accepted | `CredentialsRefused` | denied | when accepted |
//! | there are no credentials; metadata service silent | `CredentialsMissing`; `Credentials` | denied; unavailable | no; yes |
//! | no such pool or authority | `NotFound` | invalid | when there |
//! | the authority was disabled, none is enabled | `State`; when opening `AuthorityState`, `NoneEnabled` | denied | when enabled; opening is not tried again |
//! | quota used up | `Throttled` in `Deadline` | unavailable | yes, tried again in time |
//! | not reached, hung up, status 5xx | `Network`, `Unavailable` in `Deadline` | unavailable | yes, tried again in time |
//! | no answer | `Late` in `Deadline` | unavailable | yes, tried again in time |
//! | an answer that is none | `Answer`, `AnswerIncomplete`, `AnswerMalformed` | invalid | the next one is asked for |
//! | another certificate | `OtherCertificate`, `Path` | invalid | the next one is asked for |
//! | an authority of no such pool | `OtherAuthority` | wrong key | the next one is asked for |
//!
//! # What is read besides the arguments
//!
//! Google's library trusts the TLS roots of the machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` of the
//! process where they are set), and uses the proxy that the environment names. With
//! [`Credentials::ApplicationDefault`] it reads what it says there, and `HOME`,
//! `GOOGLE_CLOUD_QUOTA_PROJECT` and `GOOGLE_CLOUD_UNIVERSE_DOMAIN`.

mod check;
mod config;
mod error;
mod failure;
mod key;
mod parent;
mod pool;
mod request;
mod service;

pub use check::Difference;
pub use config::{Credentials, GoogleConfig};
pub use error::Error;
pub use parent::Parent;
pub use service::GoogleCaService;
