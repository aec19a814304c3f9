//! Tokens of OpenID providers that others wrote become certificates, for who logs in as a person does.
//!
//! The test command installs the providers and tells where they are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
#[path = "providers/mod.rs"]
mod providers;
