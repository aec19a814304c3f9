//! The HTTP API described to programs: two OpenAPI documents in the form of version 2.0, the one
//! that Fulcio publishes its API in.
//!
//! [`HttpApi`](crate::HttpApi) serves them beside what they describe. They are the files in
//! `docs/openapi/`.

/// The second version of the API, and what supervisors ask: `/api/v2/openapi.json`.
pub const V2: &str = include_str!("../../../docs/openapi/v2.json");

/// The first version of the API: `/api/v1/openapi.json`.
pub const V1: &str = include_str!("../../../docs/openapi/v1.json");
