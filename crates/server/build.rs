//! Tells the metric `fulcio_build_info` which compiler builds it.

use std::{env, process::Command};

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo tells build scripts what they need by the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    // Such as `rustc 1.95.0 (59807616e 2026-04-14)`, of which the first two words are told.
    let words: Vec<_> = version
        .iter()
        .flat_map(|text| text.split(' '))
        .take(2)
        .collect();
    println!(
        "cargo::rustc-env=FULCIO_COMPILER={}",
        words.join(" ").trim()
    );
}
