//! Compiles the protocol's messages and services, without `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 3] = [
    "fulcio.proto",
    "fulcio_legacy.proto",
    "grpc/health/v1/health.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = out_dir().ok_or("cargo sets OUT_DIR")?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .include_file("packages.rs")
        // It holds the token, so `src/proto.rs` writes it by hand.
        .skip_debug([".dev.sigstore.fulcio.v2.Credentials"])
        .compile_fds(descriptors)?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how cargo speaks to build scripts"
)]
fn out_dir() -> Option<PathBuf> {
    env::var_os("OUT_DIR").map(PathBuf::from)
}
