//! Asks the linker for short relocations (DT_RELR), which are read at each start, where they are understood.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_native = variable("HOST") == variable("TARGET");
    let has_glibc = variable("CARGO_CFG_TARGET_ENV").as_deref() == Some("gnu");
    if is_native && has_glibc && glibc() >= Some(FIRST) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The first glibc that understands them.
const FIRST: (u32, u32) = (2, 36);

/// The version of this machine's glibc, if it can be found.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let output = String::from_utf8(output.ok()?.stdout).ok()?;
    let (major, minor) = output.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how cargo speaks to build scripts"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
