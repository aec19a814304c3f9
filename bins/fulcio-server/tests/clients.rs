//! Sigstore's own clients get certificates from our server, sign with them and verify, and refuse what
//! is wrong.
//!
//! Each is the program or the library that its users install; the test command tells where they are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "clients/mod.rs"]
mod clients;
mod common;
