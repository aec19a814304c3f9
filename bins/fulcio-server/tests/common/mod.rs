//! What the tests share: the server as a child process, an identity provider, a CA made by
//! OpenSSL, and clients that show what is on the wire.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

mod ca;
mod ct_log;
mod full_disk;
mod grpc;
mod http;
mod idp;
mod issuance;
mod process;
mod raw_http;
mod scene;
mod secrets;
mod server;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use self::{
    ca::{CaFiles, openssl, path},
    ct_log::CtLog,
    full_disk::{a_little_more, in_shell, limit_files, limited},
    grpc::{GrpcAnswer, grpc},
    http::{Answer, get, http, post_json},
    idp::{IdpFault, IdpServer, unix_now},
    issuance::{chain, issues, pems, request, signing_request},
    process::{Daemon, Finished, Process, finish, program, run, wait_until},
    raw_http::{ask_while, half, rest},
    scene::{Scene, Variables},
    secrets::Secrets,
    server::{NOBODY, Server, free_port, serving},
};
