use std::collections::BTreeMap;

use super::super::common::run;

/// Fulcio's flags with their defaults; an empty default is none.
const FULCIO: &str = "
config
log_type                    dev
ca
config-path                 /etc/fulcio-config/config.yaml
host                        0.0.0.0
port                        8080
grpc-host                   0.0.0.0
grpc-port                   8081
metrics-port                2112
legacy-unix-domain-socket   @fulcio-legacy-grpc-socket
read-header-timeout         10s
idle-connection-timeout     30s
grpc-tls-certificate
grpc-tls-key
ct-log-url                  http://localhost:6962/test
ct-log-origin
ct-log-public-key-path
ct-log.tls-ca-cert
client-signing-algorithms
gcp_private_ca_parent
kms-resource
kms-cert-chain-path
gcp-kms-retries             0
gcp-kms-timeout             0
tink-kms-resource
tink-cert-chain-path
tink-keyset-path
fileca-cert
fileca-key
fileca-key-passwd
fileca-watch                true
hsm-caroot-id
hsm-key-label               PKCS11CA
pkcs11-config-path          config/crypto11.conf
aws-hsm-root-ca-path
";

/// Those that Fulcio is going to have, and ours.
const OTHERS: &str = "
http-tls-certificate
http-tls-key
tls-min-version             1.3
tls-cipher-suites
grpc-reflection             false
public-good-issuers         false
tolerate-unknown-keys       false
ct-log-timeout              10s
ct-logs-path
ct-scts-embedded            1
shutdown-grace              10s
shutdown-delay              0s
max-connections             10000
max-connections-per-address 0
max-concurrent-requests     4096
trusted-proxies
rate-limit-address
rate-limit-identity
rate-limit-issuer
fileca-key-passwd-file
announce-chain-path
config-watch                true
signer-test-interval        1m
audit-log
audit-log-sync              false
audit-log-max-size          104857600
audit-log-node
audit-fail-open             false
otlp-endpoint
";

const ALIASES: [(&str, &str); 2] = [("host", "http-host"), ("port", "http-port")];

const ALGORITHMS: [&str; 7] = [
    "ecdsa-sha2-256-nistp256",
    "ecdsa-sha2-384-nistp384",
    "ecdsa-sha2-512-nistp521",
    "rsa-sign-pkcs1-2048-sha256",
    "rsa-sign-pkcs1-3072-sha256",
    "rsa-sign-pkcs1-4096-sha256",
    "ed25519",
];

/// The text of each flag's help, without line breaks.
fn help() -> BTreeMap<String, String> {
    let finished = run(&["serve", "--help"]);
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    let mut flags = BTreeMap::new();
    let mut current: Option<(String, String)> = None;
    for line in finished.stdout.lines() {
        let line = line.trim();
        let begins = line.strip_prefix("-c, ").unwrap_or(line);
        if let Some(flag) = begins.strip_prefix("--") {
            let end = flag.find([' ', '[', '=']).unwrap_or(flag.len());
            flags.extend(current.replace((flag[..end].to_owned(), String::new())));
        } else if let Some((_, text)) = &mut current {
            *text = format!("{text} {line}");
        }
    }
    flags.extend(current);
    flags
}

#[test]
fn shows_every_flag_of_fulcio_with_its_default_and_its_variable() {
    let help = help();
    for line in FULCIO.lines().chain(OTHERS.lines()) {
        let mut words = line.split_whitespace();
        let Some(flag) = words.next() else { continue };
        let text = help
            .get(flag)
            .unwrap_or_else(|| panic!("--{flag} is missing"));
        match words.next() {
            Some(default) => assert!(text.contains(&format!("[default: {default}]")), "{text}"),
            None => assert!(!text.contains("[default: "), "--{flag}: {text}"),
        }
        let variable = flag.replace(['-', '.'], "_").to_uppercase();
        let named = text.contains(&format!("[env: FULCIO_SERVE_{variable}]"));
        assert_eq!(named, flag != "config", "--{flag}: {text}");
    }
    for (flag, alias) in ALIASES {
        assert!(
            help[flag].contains(&format!("[alias: --{alias}]")),
            "{}",
            help[flag]
        );
    }
    for algorithm in ALGORITHMS {
        assert!(help["client-signing-algorithms"].contains(algorithm));
    }
}

#[test]
fn shows_no_flag_that_is_not_in_the_list() {
    for flag in help().keys().filter(|flag| *flag != "help") {
        let listed = FULCIO.lines().chain(OTHERS.lines());
        let known = listed.filter_map(|line| line.split_whitespace().next());
        assert!(known.into_iter().any(|known| known == flag), "--{flag}");
    }
}

#[test]
fn explains_the_exit_codes() {
    let stdout = run(&["--help"]).stdout;
    let text = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Exit codes: 0 when it was told to stop; 1 when"),
        "{text}"
    );
}
