//! The server with every back end, each beside the real thing or a double of it: `serve` with
//! Fulcio's own flags issues certificates, and OpenSSL verifies them.
//!
//! `cargo test -p fulcio-server --test back_ends -- --nocapture` shows the table, which is in
//! `target/tmp/back-ends.txt` afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "back_ends/mod.rs"]
mod back_ends;
mod common;
mod hsm;

use std::panic::{AssertUnwindSafe, catch_unwind};

use back_ends::{BACK_ENDS, Table};

#[test]
fn every_back_end_issues_certificates_that_openssl_verifies() {
    let table = Table::new();
    for (name, issues) in BACK_ENDS {
        // The others are of interest all the same.
        if catch_unwind(AssertUnwindSafe(|| issues(&table))).is_err() {
            table.fault(name);
        }
    }
    table.conclude();
}
