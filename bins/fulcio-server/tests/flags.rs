//! The flags of `serve`, and what may stand in for them: variables and the settings file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "flags/mod.rs"]
mod cases;
