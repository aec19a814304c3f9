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
mod limited;
mod process;
mod raw_http;
mod scene;
mod secrets;
mod server;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use self::{
    ca::{CaFiles, openssl, path},
    ct_log::CtLog,
    grpc::{GrpcAnswer, grpc},
    http::{Answer, get, http, post_json},
    idp::{IdpFault, IdpServer, unix_now},
    issuance::{chain, issues, pems, request, signing_request},
    limited::{a_little_more, in_shell, limit_files, limit_memory, limited},
    process::{Daemon, Finished, Process, finish, program, run, wait_until},
    raw_http::{ask_while, half, rest, whole},
    scene::{Scene, Variables},
    secrets::Secrets,
    server::{NOBODY, Server, free_port, serving},
};
