//! JSON as the wire has it: the proto3 mapping, as Fulcio's gateway reads and writes it.

mod answers;
mod bytes;
mod error;
mod int32;
mod legacy_request;
mod reader;
mod signing_request;
mod syntax;
mod text;
mod writer;

pub use answers::signing_certificate;
pub use error::{DecodeError, Position};
pub use legacy_request::LegacySigningRequest;
pub use signing_request::{KeyMaterial, SigningRequest};

pub(crate) use answers::{configuration, readiness, status, trust_bundle};
pub(crate) use writer::Writer;
