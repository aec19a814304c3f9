//! A recorded request: how it is sent again, and how the answers are compared.

pub(crate) mod certificate;
mod expectation;
mod grpc_json;
mod sample;
mod token;

pub(crate) use self::{
    expectation::{differences, mutations},
    sample::{Observed, Sample},
};
