use std::{fs, thread, time::Duration};

use super::super::common::{CaFiles, IdpServer, Server, get, wait_until};

fn trust_bundle(server: &Server) -> String {
    get(&server.url("/api/v2/trustBundle")).text()
}

fn start(files: &CaFiles, more: &[&str]) -> Server {
    let config = IdpServer::start().write_config(files.folder());
    let mut flags = files.flags();
    flags.extend([
        format!("--config-path={config}"),
        "--ct-log-url=".to_owned(),
    ]);
    let mut flags: Vec<_> = flags.iter().map(String::as_str).collect();
    flags.extend(more);
    Server::start(&flags)
}

/// Puts the key and the chain of `other` where those of `files` are, one after the other.
fn replace(files: &CaFiles, other: &CaFiles) {
    for name in ["intermediate.key.pem", "chain.pem"] {
        let new = files.path("new");
        fs::copy(other.path(name), &new).unwrap();
        fs::rename(new, files.path(name)).unwrap();
    }
}

#[test]
fn a_changed_key_and_chain_are_used_at_once_and_a_bad_pair_changes_nothing() {
    let (files, other) = (CaFiles::create(), CaFiles::create());
    let server = start(&files, &[]);
    let before = trust_bundle(&server);

    files.write("chain.pem", "no PEM");
    wait_until("the bad chain to be refused", || {
        server.stdout().contains("stays as it was").then_some(())
    });
    let stdout = server.stdout();
    assert!(
        stdout.contains("the issuing key with its chain stays as it was, because --fileca-cert"),
        "{stdout}"
    );
    assert_eq!(trust_bundle(&server), before);

    replace(&files, &other);
    let after = wait_until("the new chain", || {
        let now = trust_bundle(&server);
        (now != before).then_some(now)
    });
    let root = other.read("root.pem");
    let line = root.lines().nth(5).unwrap();
    assert!(after.contains(line), "{after}");
    server.says("the issuing key with its chain has changed and is in use");
    let stdout = server.stdout();
    assert!(!stdout.contains(CaFiles::PASSWORD), "{stdout}");
}

#[test]
fn nothing_is_watched_when_that_is_asked_for() {
    let (files, other) = (CaFiles::create(), CaFiles::create());
    let server = start(&files, &["--fileca-watch=false"]);
    let before = trust_bundle(&server);
    replace(&files, &other);
    // Longer than a watching server would take.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(trust_bundle(&server), before);
}
