//! What the tests share: the server as a child process, an identity provider, a CA made by
//! OpenSSL, and clients that show what is on the wire.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

mod ca;
mod ct_log;
mod grpc;
mod http;
mod idp;
mod issuance;
mod process;
mod scene;
mod secrets;
mod server;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use self::{
    ca::{CaFiles, openssl, path},
    ct_log::CtLog,
    grpc::{GrpcAnswer, grpc},
    http::{Answer, get, http, post_json},
    idp::{IdpServer, unix_now},
    issuance::{chain, issues, pems, request, signing_request},
    process::{Daemon, Finished, Process, finish, program, run, wait_until},
    scene::{Scene, Variables},
    secrets::Secrets,
    server::{NOBODY, Server, free_port},
};
