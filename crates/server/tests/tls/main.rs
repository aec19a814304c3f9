//! What TLS clients of a listener see: OpenSSL, curl and rustls.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod certificates;
mod errors;
mod openssl;
mod policy;
mod reload;
mod server;
mod slow;
