//! What `fulcio-server` runs, and an embedder may: listeners, TLS, limits, reload, drain, metrics, and the
//! services of the certificate authority put together.
//!
//! A [`Snapshot`] is what a request needs; [`CurrentSnapshot`] is the back end of the wire protocol
//! and can be given a new one at any time. A [`Router`] puts the services of one port together, and
//! a [`Listener`] serves them until [`Shutdown`] begins, in [`Tls`] if it is given one. [`WatchedFiles`] tells when
//! files have been replaced, and [`Reload`] has what was made of them made anew.
//!
//! ```
//! use fulcio_server_core::{Limits, Listener, Metrics, Router, Shutdown};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let metrics = Metrics::new()?;
//! let router = Router::new().with_mount("/metrics", metrics.page());
//!
//! let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await?;
//! println!("http://{}/metrics", listener.address());
//! let shutdown = Shutdown::default();
//! let server = tokio::spawn(listener.serve(router, Limits::default(), shutdown.clone()));
//!
//! shutdown.begin();
//! server.await?;
//! # Ok(())
//! # }
//! ```

mod body;
mod chain_end;
mod client_key;
mod connection;
mod gate;
mod heads;
mod holders;
mod http_rules;
mod issuer_probe;
mod limits;
mod listener;
mod log_files;
mod log_journal;
mod log_probe;
mod metrics;
mod pace;
mod paced_stream;
mod probe;
mod protocols;
mod rate;
mod rate_limits;
mod reload;
mod router;
mod short_frames;
mod signer_probe;
mod snapshot;
mod tls;
mod tls_error;
mod tls_policy;
mod trusted_proxies;
mod watched_files;

pub use body::{BodyError, TimedBody};
pub use chain_end::{ChainEnd, Ending};
pub use gate::Gate;
pub use issuer_probe::IssuerProbe;
pub use limits::Limits;
pub use listener::{ListenError, Listener, Shutdown};
pub use log_files::LogFiles;
pub use log_journal::LogJournal;
pub use log_probe::{LogHealth, LogProbe, LogsHealth};
pub use metrics::{Metrics, MetricsPage, ReloadMetrics};
pub use probe::{ChainProbe, Probe};
pub use rate::{Rate, RateError};
pub use rate_limits::RateLimits;
pub use reload::{Reload, ReloadRequests};
pub use router::{Mount, Mounted, Router};
pub use signer_probe::{SignerFault, SignerHealth};
pub use snapshot::{CurrentSnapshot, Snapshot};
pub use tls::{Tls, TlsFiles};
pub use tls_error::{TlsCause, TlsError};
pub use tls_policy::{TlsPolicy, TlsVersion};
pub use trusted_proxies::{NotANetwork, TrustedProxies};
pub use watched_files::WatchedFiles;
