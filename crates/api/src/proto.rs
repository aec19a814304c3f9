//! The protocol's messages and services, made from the files in `proto/`.

use core::fmt;

/// The files in `proto/`, compiled: an encoded `google.protobuf.FileDescriptorSet`, as server
/// reflection wants it.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// `google.api`, of which one message is used.
pub use packages::google::api;

/// `grpc.health.v1`, the gRPC health checking protocol.
pub use packages::grpc::health::v1 as health;

/// `dev.sigstore.fulcio.v1beta`, the first version of Fulcio's API.
pub use packages::dev::sigstore::fulcio::v1beta;

/// `dev.sigstore.fulcio.v2`, the second version of Fulcio's API.
pub use packages::dev::sigstore::fulcio::v2;

impl fmt::Debug for v2::Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("credentials", &self.credentials)
            .finish()
    }
}

/// Without the token.
impl fmt::Debug for v2::credentials::Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OidcIdentityToken(_token) => f.write_str("OidcIdentityToken([hidden])"),
        }
    }
}

mod packages {
    #![allow(
        clippy::all,
        clippy::exhaustive_enums,
        clippy::exhaustive_structs,
        clippy::missing_errors_doc,
        deprecated,
        missing_debug_implementations,
        missing_docs,
        unnameable_types,
        unreachable_pub,
        unused_qualifications,
        reason = "generated"
    )]
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}
