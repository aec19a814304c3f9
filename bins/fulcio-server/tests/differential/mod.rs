//! The harness of the differential, and its cases by part.

mod answer;
mod case;
mod configurations;
mod configurations_rules;
mod configurations_templates;
mod exchange;
mod identities;
mod identities_kinds;
mod identities_patterns;
mod identities_values;
mod idp_host;
mod leaf;
pub(crate) mod page;
mod pair;
mod proof;
mod reference;
mod request;
mod scene;
mod stage;
mod table;
mod verdict;
mod view;
mod wire_cors;
mod wire_grpc;
mod wire_http;
mod wire_json;
mod wire_keys;
mod wire_log;
mod wire_tokens;

#[allow(unused_imports, reason = "the parts use what they need")]
pub(crate) use self::{
    case::Case,
    idp_host::{IdpHost, Issuer},
    pair::{Pair, Setup},
    proof::{Proof, SigningKey},
    request::Request,
    stage::Stage,
};

/// Cases that belong together: their name, and what sends them.
pub(crate) type Part = (&'static str, fn(&Stage));

/// All parts.
pub(crate) const PARTS: [Part; 10] = [
    ("configurations", configurations::compare),
    ("identities", identities::compare),
    ("patterns", identities_patterns::compare),
    ("wire-cors", wire_cors::compare),
    ("wire-grpc", wire_grpc::compare),
    ("wire-http", wire_http::compare),
    ("wire-json", wire_json::compare),
    ("wire-keys", wire_keys::compare),
    ("wire-log", wire_log::compare),
    ("wire-tokens", wire_tokens::compare),
];
