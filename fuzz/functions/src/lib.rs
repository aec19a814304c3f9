//! What must hold for everything that strangers send: one function for each fuzz target.
//!
//! A function takes any bytes and panics when something is not so that must be so. libFuzzer calls
//! it through the program of the same name in `fuzz_targets`, and `tests/replay.rs` calls it with
//! every file of the corpus. [`TARGETS`] is the list; `docs/fuzzing.md` says what each one asserts.

mod certificates;
mod configuration;
mod fixed;
mod identities;
mod keys;
mod log_files;
mod monitored;
mod requests;
mod timestamps;
mod tokens;
mod urls;

pub use certificates::{certificate, chain, log_proof};
pub use configuration::{config, template};
pub use fixed::{csr_of, pem_of, signed_token};
pub use identities::identity;
pub use keys::{csr, csr_content, proof, public_key};
pub use log_files::{checkpoint, log_path, tile, tile_leaf};
pub use monitored::get_entries;
pub use requests::{grpc, http, legacy_request, request};
pub use timestamps::{roots, sct, sct_list};
pub use tokens::{claims, discovery, key_set, token};
pub use urls::url;

/// What a fuzz target calls.
pub type Function = fn(&[u8]);

/// Every function, under the name of its target and of its folder in the corpus.
pub const TARGETS: &[(&str, Function)] = &[
    ("certificate", certificate),
    ("chain", chain),
    ("checkpoint", checkpoint),
    ("claims", claims),
    ("config", config),
    ("csr", csr),
    ("csr_content", csr_content),
    ("discovery", discovery),
    ("get_entries", get_entries),
    ("grpc", grpc),
    ("http", http),
    ("identity", identity),
    ("key_set", key_set),
    ("legacy_request", legacy_request),
    ("log_path", log_path),
    ("log_proof", log_proof),
    ("proof", proof),
    ("public_key", public_key),
    ("request", request),
    ("roots", roots),
    ("sct", sct),
    ("sct_list", sct_list),
    ("template", template),
    ("tile", tile),
    ("tile_leaf", tile_leaf),
    ("token", token),
    ("url", url),
];
