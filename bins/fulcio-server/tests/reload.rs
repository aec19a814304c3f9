//! What is read again while the server runs: configuration, keys, chains, logs, TLS files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod load;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::Path,
    thread,
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::{CaFiles, IdpServer, NOBODY, Server, get, request, wait_until};
use load::Load;
use serde_json::{Value, json};

/// How a file comes to have new contents.
#[derive(Clone, Copy, Debug)]
enum Way {
    InPlace,
    Renamed,
    /// As Kubernetes does it.
    SymbolicLink,
}

/// A folder with `key.pem`, `chain.pem`, `config.yaml` and `announced`, all reached through the
/// symbolic link `current`.
struct Files {
    ca: CaFiles,
    idp: IdpServer,
}

impl Files {
    const NAMES: [&str; 4] = ["key.pem", "chain.pem", "config.yaml", "announced.pem"];

    fn new(versions: &[&str]) -> Self {
        let files = Self {
            ca: CaFiles::create(),
            idp: IdpServer::start(),
        };
        for version in versions {
            files.intermediate(version);
            let folder = files.ca.folder().join(version);
            fs::create_dir(&folder).unwrap();
            for name in Self::NAMES {
                files.put(version, name, &files.contents(version, name));
            }
        }
        symlink(versions[0], files.ca.folder().join("current")).unwrap();
        files
    }

    /// One more intermediate below the root of the CA.
    fn intermediate(&self, name: &str) {
        let ca = &self.ca;
        ca.openssl(&format!(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key.pem"
        ));
        ca.openssl(&format!(
            "req -new -key {name}.key.pem -subj /O=Example/CN={name} -config openssl.cnf -out {name}.csr"
        ));
        ca.openssl(&format!(
            "x509 -req -in {name}.csr -CA root.pem -CAkey root.plain.pem -days 900 -CAcreateserial \
             -extfile openssl.cnf -extensions intermediate -out {name}.cert.pem"
        ));
        let chain = ca.read(&format!("{name}.cert.pem")) + &ca.read("root.pem");
        ca.write(&format!("{name}.chain.pem"), &chain);
    }

    fn contents(&self, version: &str, name: &str) -> String {
        match name {
            "key.pem" => self.ca.read(&format!("{version}.key.pem")),
            "chain.pem" => self.ca.read(&format!("{version}.chain.pem")),
            "config.yaml" => {
                let config = self.idp.config();
                format!(
                    "{config}  https://{version}.example.com:\n    \
                     issuer-url: https://{version}.example.com\n    client-id: {version}\n    \
                     type: email\n"
                )
            }
            _ => self.ca.read("chain.pem"),
        }
    }

    fn put(&self, folder: &str, name: &str, contents: &str) {
        self.ca.write(&format!("{folder}/{name}"), contents);
    }

    /// Has `current` hold what this version does.
    fn change(&self, version: &str, way: Way) {
        let folder = self.ca.folder();
        let path = |name: &str| folder.join("current").join(name);
        match way {
            Way::InPlace => {
                for name in Self::NAMES {
                    fs::write(path(name), self.contents(version, name)).unwrap();
                }
            }
            Way::Renamed => {
                for name in Self::NAMES {
                    let new = self.ca.write("new", &self.contents(version, name));
                    fs::rename(new, path(name)).unwrap();
                }
            }
            Way::SymbolicLink => {
                for name in Self::NAMES {
                    self.put(version, name, &self.contents(version, name));
                }
                symlink(version, folder.join("next")).unwrap();
                fs::rename(folder.join("next"), folder.join("current")).unwrap();
            }
        }
    }

    fn flags(&self) -> Vec<String> {
        let path = |name: &str| self.ca.path(&format!("current/{name}"));
        vec![
            "--ca=fileca".to_owned(),
            "--fileca-key-passwd=any".to_owned(),
            format!("--fileca-key={}", path("key.pem")),
            format!("--fileca-cert={}", path("chain.pem")),
            format!("--config-path={}", path("config.yaml")),
        ]
    }
}

fn start(flags: &[String], more: &[&str]) -> Server {
    let flags = flags.iter().map(String::as_str);
    let flags: Vec<_> = flags.chain(more.iter().copied()).collect();
    Server::start(&flags)
}

/// The audiences of the issuers.
fn audiences(server: &Server) -> Vec<String> {
    let issuers = get(&server.url("/api/v2/configuration")).json();
    let issuers = issuers["issuers"].as_array().unwrap().clone();
    issuers
        .iter()
        .map(|issuer| issuer["audience"].as_str().unwrap().to_owned())
        .collect()
}

fn bundle(server: &Server) -> String {
    get(&server.url("/api/v2/trustBundle")).text()
}

/// How often the server has said this.
fn times(server: &Server, text: &str) -> usize {
    server.output().matches(text).count()
}

#[track_caller]
fn counted(server: &Server, sample: &str) {
    let metrics = server.metrics();
    assert!(metrics.contains(sample), "{sample} is not in {metrics}");
}

#[test]
fn no_request_is_lost_over_changes_of_every_part_in_every_way() {
    let files = Files::new(&["one", "two"]);
    // All chains that are ever in use are announced from the beginning.
    for (number, name) in ["one", "two"].into_iter().enumerate() {
        let chain = files.ca.read(&format!("{name}.chain.pem"));
        fs::create_dir_all(files.ca.path("chains")).unwrap();
        files.ca.write(&format!("chains/{number}.pem"), &chain);
    }
    let log = files.ca.path("log");
    let server = start(
        &files.flags(),
        &[
            &format!("--announce-chain-path={}", files.ca.path("chains")),
            &format!("--ct-log-url=embedded:{log}"),
            "--ct-log-origin=log.example.com",
        ],
    );
    let load = Load::start(&server.url(""), Path::new(&log), &files.idp);
    load.goes_on();
    let fetched = files.idp.requests();
    let mut issuers = Vec::new();
    for (version, way) in [
        ("two", Way::InPlace),
        ("one", Way::Renamed),
        ("two", Way::SymbolicLink),
    ] {
        files.change(version, way);
        let cert = files.ca.read(&format!("{version}.cert.pem"));
        let line = cert.lines().nth(4).unwrap().to_owned();
        wait_until("the new chain to be the first", || {
            let bundle = get(&server.url("/api/v2/trustBundle")).json();
            let first = bundle["chains"][0]["certificates"][0]
                .as_str()
                .unwrap()
                .to_owned();
            first.contains(&line).then_some(())
        });
        wait_until("the new configuration", || {
            audiences(&server)
                .contains(&version.to_owned())
                .then_some(())
        });
        load.goes_on();
        issuers.push(cert);
        server.signal("HUP");
        load.goes_on();
    }
    let served = load.end();
    assert_eq!(served.len(), 2, "both keys have issued");
    // Nobody asks a provider again because a configuration was read again, and its counters go on.
    assert_eq!(files.idp.requests(), fetched);
    let total: usize = served.values().sum();
    let issuer = files.idp.issuer();
    counted(
        &server,
        &format!(r#"fulcio_issuer_requests_total{{issuer="{issuer}",outcome="issued"}} {total}"#),
    );
    assert!(server.terminate().success());
}

#[test]
fn what_is_wrong_changes_nothing_and_is_told_with_its_place() {
    let files = Files::new(&["one", "two"]);
    let announced = files.ca.path("current/announced.pem");
    let flags = files.flags();
    let server = start(
        &flags,
        &[
            "--ct-log-url=",
            &format!("--announce-chain-path={announced}"),
        ],
    );
    let before = (audiences(&server), bundle(&server));

    files.put(
        "current",
        "config.yaml",
        "oidc-issuers:\n  https://x.example.com:\n    clientid: x\n",
    );
    files.put("current", "key.pem", "no key");
    files.put("current", "announced.pem", "no chain");
    let wrong = [
        "the issuer configuration stays as it was, because ",
        "the issuing key with its chain stays as it was, because --fileca-key",
        "the set of announced chains stays as it was, because --announce-chain-path",
    ];
    for line in wrong {
        server.says(line);
    }
    let output = server.output();
    let line = output.lines().find(|line| line.contains(wrong[0])).unwrap();
    assert!(line.contains("config.yaml") && line.contains('3'), "{line}");
    assert!(
        line.contains("clientid") && line.contains("client-id"),
        "{line}"
    );
    assert_eq!((audiences(&server), bundle(&server)), before);
    assert_eq!(request(&server, &files.idp).status, 200);
    for part in ["issuers", "issuing-key", "announced-chains"] {
        counted(
            &server,
            &format!("fulcio_reload_last_successful{{part=\"{part}\"}} 0"),
        );
        counted(
            &server,
            &format!("fulcio_reloads_total{{outcome=\"refused\",part=\"{part}\"}} 1"),
        );
    }
    // Asked for it, it says so again.
    server.signal("HUP");
    wait_until("the same once more", || {
        wrong
            .iter()
            .all(|line| times(&server, line) == 2)
            .then_some(())
    });

    files.change("two", Way::InPlace);
    wait_until("what is good", || {
        let done = audiences(&server) != before.0 && bundle(&server) != before.1;
        done.then_some(())
    });
    wait_until("the metric", || {
        let good = r#"fulcio_reload_last_successful{part="issuers"} 1"#;
        server.metrics().contains(good).then_some(())
    });
    assert_eq!(request(&server, &files.idp).status, 200);
}

#[test]
fn sighup_reads_every_part_again_and_each_says_one_line() {
    let files = Files::new(&["one", "two"]);
    let ca = &files.ca;
    ca.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=localhost \
         -keyout tls.key.pem -out tls.pem",
    );
    ca.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ct.key");
    ca.openssl("pkey -in ct.key -pubout -out ct.pub");
    let server = start(
        &files.flags(),
        &[
            "--fileca-watch=false",
            "--config-watch=false",
            &format!("--ct-log-url=http://{NOBODY}/log"),
            &format!("--ct-log-public-key-path={}", ca.path("ct.pub")),
            &format!("--announce-chain-path={}", ca.path("current/announced.pem")),
            &format!("--grpc-tls-certificate={}", ca.path("tls.pem")),
            &format!("--grpc-tls-key={}", ca.path("tls.key.pem")),
        ],
    );
    let before = (audiences(&server), bundle(&server));
    files.change("two", Way::Renamed);
    // Longer than a watching server would take.
    thread::sleep(Duration::from_secs(3));
    assert_eq!((audiences(&server), bundle(&server)), before);

    let parts = [
        ("issuing-key", "the issuing key with its chain"),
        ("announced-chains", "the set of announced chains"),
        ("issuers", "the issuer configuration"),
        ("logs", "the set of transparency logs"),
        ("tls-grpc", "the TLS certificate in"),
    ];
    for round in 1..=2 {
        server.signal("HUP");
        wait_until("a line for each part", || {
            (times(&server, "was read again and is in use") == round * parts.len()).then_some(())
        });
    }
    for (part, what) in parts {
        let lines: Vec<_> = {
            let output = server.output();
            let lines = output.lines().filter(|line| line.contains(what));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(lines.len(), 2, "{lines:?}");
        counted(
            &server,
            &format!("fulcio_reloads_total{{outcome=\"used\",part=\"{part}\"}} 2"),
        );
    }
    let after = (audiences(&server), bundle(&server));
    assert!(after.0.contains(&"two".to_owned()), "{after:?}");
    assert_ne!(after.1, before.1);
    // The chain that was in use is not announced, and neither was the new one.
    server.says("was not announced before");
    server.says("is not announced any more");

    // A log's key that is none changes nothing.
    ca.write("ct.pub", "no key");
    server.signal("HUP");
    server.says("the set of transparency logs stays as it was, because --ct-log-public-key-path");
    assert!(server.terminate().success());
}

/// A log that tells which root it accepts, and takes no certificates.
fn log_that_accepts(root: &str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let der: String = root
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let der = BASE64_STANDARD.encode(BASE64_STANDARD.decode(der).unwrap());
    let roots = json!({ "certificates": [der] }).to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answered = stream.and_then(|stream| answer(&stream, &roots));
            drop(answered);
        }
    });
    format!("http://{address}/log")
}

fn answer(mut stream: &TcpStream, roots: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = if request.contains("/ct/v1/get-roots") {
        ("200 OK", roots)
    } else {
        ("400 Bad Request", "")
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_chain_that_the_log_does_not_accept_and_a_log_that_does_not_accept_the_chain_are_refused() {
    let files = Files::new(&["one"]);
    let other = CaFiles::create();
    let ca = &files.ca;
    ca.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ct.key");
    ca.openssl("pkey -in ct.key -pubout -out ct.pub");
    let logs = |name: &str, url: &str| {
        let text = json!({"logs": [{"name": name, "url": url, "public-key-path": "ct.pub"}]});
        ca.write("logs.json", &text.to_string())
    };
    let path = logs("first", &log_that_accepts(&ca.read("root.pem")));
    let server = start(&files.flags(), &[&format!("--ct-logs-path={path}")]);
    let before = bundle(&server);

    files.put("current", "key.pem", &other.read("root.plain.pem"));
    files.put("current", "chain.pem", &other.read("root.pem"));
    server.says("the issuing key with its chain stays as it was, because --ct-logs-path");
    server.says("the log accepts 1 roots, and none of ours is among them");
    assert_eq!(bundle(&server), before);

    logs("second", &log_that_accepts(&other.read("root.pem")));
    server.says("the set of transparency logs stays as it was, because --ct-logs-path");
    // A file that the file names is looked at as well.
    logs("third", &log_that_accepts(&ca.read("root.pem")));
    server.says("the set of transparency logs has changed and is in use");
    ca.write("ct.pub", "no key");
    wait_until("the key to be refused", || {
        let refused = "the set of transparency logs stays as it was";
        (times(&server, refused) == 2).then_some(())
    });
    let ready: Value = get(&server.url("/readyz")).json();
    assert!(ready.to_string().contains("ct-log"), "{ready}");
}

#[test]
fn an_embedded_log_stays_whatever_the_file_of_logs_says() {
    let files = Files::new(&["one"]);
    let ca = &files.ca;
    let logs = |url: &str, origin: &str| {
        let text = json!({"logs": [{"url": url, "origin": origin}]});
        ca.write("logs.json", &text.to_string())
    };
    let path = logs("embedded:log", "log.example.com");
    let server = start(&files.flags(), &[&format!("--ct-logs-path={path}")]);
    assert_eq!(request(&server, &files.idp).status, 200);
    logs("embedded:another", "log.example.com");
    server.says("an embedded log cannot be added or exchanged while the server runs");
    assert_eq!(request(&server, &files.idp).status, 200);
    assert!(!Path::new(&ca.path("another")).exists());
    logs("embedded:log", "log.example.com");
    server.says("the set of transparency logs has changed and is in use");
    assert_eq!(request(&server, &files.idp).status, 200);
    assert!(server.terminate().success());
}

#[test]
fn a_key_that_is_made_at_start_is_not_made_again() {
    let files = Files::new(&["one"]);
    let config = format!("--config-path={}", files.ca.path("current/config.yaml"));
    let server = start(&[], &["--ca=ephemeralca", "--ct-log-url=", &config]);
    let before = bundle(&server);
    server.signal("HUP");
    server.says("the issuer configuration was read again and is in use");
    assert_eq!(bundle(&server), before);
    assert_eq!(request(&server, &files.idp).status, 200);
}
