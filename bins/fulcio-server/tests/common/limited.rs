use std::{fs, path::Path, process::Command};

use super::{Server, serving};

/// `serve` with these flags and so many ports, whose files can be kept from growing by [`limit_files`]: to be
/// started by [`Server::spawn`].
pub(crate) fn limited(flags: &[&str]) -> Command {
    in_shell("trap '' XFSZ; exec \"$@\"", &serving(flags, "127.0.0.2"))
}

/// The same program, started by a shell that does something first.
pub(crate) fn in_shell(script: &str, program: &Command) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear();
    command
}

/// Lets the files of the server grow to so many bytes, as on a disk that is full; `None` is without a limit.
#[track_caller]
pub(crate) fn limit_files(server: &Server, bytes: Option<u64>) {
    let bytes = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    limit(server, &format!("--fsize={bytes}:unlimited"));
}

/// Lets the server have so many bytes of address space and no more.
#[track_caller]
pub(crate) fn limit_memory(server: &Server, bytes: u64) {
    limit(server, &format!("--as={bytes}"));
}

#[track_caller]
fn limit(server: &Server, resource: &str) {
    let limited = Command::new("prlimit")
        .args([&format!("--pid={}", server.id()), resource])
        .status();
    assert!(limited.unwrap().success());
}

/// A little more than what a file has now, so that what is written next is written in part.
pub(crate) fn a_little_more(file: &Path) -> Option<u64> {
    Some(fs::metadata(file).unwrap().len() + 100)
}
