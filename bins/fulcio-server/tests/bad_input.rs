//! What is wrong before the first request, and what is wrong with requests: one clear line for the
//! operator, one exact answer for the caller.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod refused;
