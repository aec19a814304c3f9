//! `serve` with each service that holds keys (kmsca), decrypts them (tinkca) or issues itself
//! (googleca), from the first certificate to a service that goes away and comes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "kms/mod.rs"]
mod cases;
