use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{
    Answer, CaFiles, IdpServer, Server, get, path, post_json, signing_request, wait_until,
};

/// A CA in files and a provider that vouches for callers.
pub(super) struct Stage {
    pub(super) ca: CaFiles,
    pub(super) idp: IdpServer,
}

impl Stage {
    pub(super) fn set() -> Self {
        let stage = Self {
            ca: CaFiles::create(),
            idp: IdpServer::start(),
        };
        stage.idp.write_config(stage.ca.folder());
        stage
    }

    /// The flags of a server of this CA, and these. They may name files of the folder as `@NAME`.
    pub(super) fn flags(&self, more: &[&str]) -> Vec<String> {
        let mut flags = self.ca.flags();
        flags.push("--config-path=@config.yaml".to_owned());
        flags.push("--log_type=prod".to_owned());
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        let folder = format!("{}/", path(self.ca.folder()));
        flags
            .into_iter()
            .map(|flag| flag.replace('@', &folder))
            .collect()
    }

    /// A server that is ready.
    #[track_caller]
    pub(super) fn serve(&self, flags: &[&str]) -> Watched<'_> {
        let watched = self.start(flags);
        watched.becomes(200, "");
        watched
    }

    /// A server that listens.
    #[track_caller]
    pub(super) fn start(&self, flags: &[&str]) -> Watched<'_> {
        let flags = self.flags(flags);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        self.watch(Server::start(&flags))
    }

    pub(super) fn watch(&self, server: Server) -> Watched<'_> {
        Watched::new(server, &self.idp, self.ca.folder())
    }
}

/// A server, what it answers, and what it says of itself.
pub(super) struct Watched<'a> {
    pub(super) server: Server,
    idp: &'a IdpServer,
    folder: String,
}

impl<'a> Watched<'a> {
    pub(super) fn new(server: Server, idp: &'a IdpServer, folder: &Path) -> Self {
        Self {
            server,
            idp,
            folder: path(folder),
        }
    }

    /// Asks for a certificate of somebody whom the provider vouches for.
    #[track_caller]
    pub(super) fn ask(&self) -> Asked {
        self.send(&signing_request(self.idp))
    }

    /// Asks with another token.
    #[track_caller]
    pub(super) fn ask_with(&self, token: String) -> Asked {
        let mut request = signing_request(self.idp);
        request["credentials"]["oidcIdentityToken"] = token.into();
        self.send(&request)
    }

    #[track_caller]
    fn send(&self, request: &Value) -> Asked {
        let begun = Instant::now();
        let answer = post_json(&self.server.url("/api/v2/signingCert"), request);
        Asked {
            answer,
            took: begun.elapsed(),
        }
    }

    /// Has a certificate issued.
    #[track_caller]
    pub(super) fn issues(&self) {
        let asked = self.ask();
        let (status, text) = (asked.answer.status, asked.answer.text());
        assert_eq!(status, 200, "{text}{}", self.server.output());
    }

    /// Waits until readiness has this status, and a reason for some part that holds this text; tells
    /// the reasons.
    #[track_caller]
    pub(super) fn becomes(&self, status: u16, reason: &str) -> String {
        let parts = wait_until(&format!("{status} {reason}"), || {
            let answer = get(&self.server.url("/readyz"));
            let body = answer.json();
            let parts: Vec<String> = body["parts"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|part| {
                    let name = part["name"].as_str().unwrap();
                    Some(format!("{name}: {}", part["reason"].as_str()?))
                })
                .collect();
            let told = parts.iter().any(|part| part.contains(reason));
            (answer.status == status && (reason.is_empty() || told)).then_some(parts)
        });
        let of = |part: &String| format!("`{}`", self.plain(part));
        let parts: Vec<_> = parts.iter().map(of).collect();
        match (status, &parts[..]) {
            (200, []) => "ready".to_owned(),
            (200, parts) => format!("ready, and names {}", parts.join(", ")),
            (_, parts) => format!("not ready: {}", parts.join(", ")),
        }
    }

    /// Waits for a log line with this message, and tells some of its fields.
    #[track_caller]
    pub(super) fn said(&self, message: &str, fields: &[&str]) -> String {
        let line = wait_until(message, || {
            let output = self.server.output();
            let mut lines = output
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let is_it = |line: &Value| {
                line["message"]
                    .as_str()
                    .is_some_and(|m| m.contains(message))
            };
            lines.rfind(is_it)
        });
        let text = |value: &Value| match value.as_str() {
            Some(text) => self.plain(text),
            None => value.to_string(),
        };
        let fields: Vec<_> = fields
            .iter()
            .filter(|name| !line[**name].is_null())
            .map(|name| format!("{name} `{}`", text(&line[*name])))
            .collect();
        let said = format!("{}: `{}`", text(&line["severity"]), text(&line["message"]));
        if fields.is_empty() {
            said
        } else {
            format!("{said} ({})", fields.join(", "))
        }
    }

    /// The line of the refusal.
    #[track_caller]
    pub(super) fn refusal(&self) -> String {
        self.said("certificate refused", &["reason", "token_reason", "cause"])
    }

    /// The samples that begin like this and are not 0.
    #[track_caller]
    pub(super) fn counted(&self, names: &[&str]) -> String {
        let page = self.server.metrics();
        let mut samples: Vec<_> = page
            .lines()
            .filter(|line| names.iter().any(|name| line.starts_with(name)))
            .filter(|line| !line.ends_with(" 0"))
            .map(|line| format!("`{}`", self.plain(line)))
            .collect();
        samples.sort();
        assert!(!samples.is_empty(), "none of {names:?} is counted");
        samples.join(", ")
    }

    /// The value of a sample.
    #[track_caller]
    pub(super) fn value(&self, sample: &str) -> u64 {
        let page = self.server.metrics();
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(sample)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("{sample} is not there"))
    }

    /// Kibibytes of memory that the server has.
    pub(super) fn memory(&self) -> u64 {
        super::process::status(self.server.id(), "VmRSS")
    }

    /// No certificate has left the server.
    #[track_caller]
    pub(super) fn issued_nothing(&self) {
        assert_eq!(self.value("fulcio_new_certs"), 0);
    }

    /// Text without what differs from run to run.
    pub(super) fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.folder, "DIR").replace('`', "'");
        let mut parts = text.split("127.0.0.1:");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            plain += "127.0.0.1:PORT";
            plain += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        // When a log is asked again that does not answer.
        match plain.split_once("asked again in ") {
            Some((before, _seconds)) => format!("{before}asked again in N s"),
            None => plain,
        }
    }
}

/// What somebody who asked for a certificate was answered.
pub(super) struct Asked {
    pub(super) answer: Answer,
    pub(super) took: Duration,
}

impl Asked {
    /// The answer, which must have come within so many seconds.
    #[track_caller]
    pub(super) fn within(&self, seconds: u64) -> String {
        assert!(self.took < Duration::from_secs(seconds), "{:?}", self.took);
        format!("{} within {seconds} s", self.told())
    }

    /// The answer.
    pub(super) fn told(&self) -> String {
        if self.answer.status == 200 {
            return "200, a certificate,".to_owned();
        }
        let body = self.answer.json();
        let again = match self.answer.header("retry-after") {
            Some(seconds) => format!(", `Retry-After: {seconds}`"),
            None => String::new(),
        };
        format!(
            "{}, code {}, `{}`{again},",
            self.answer.status,
            body["code"],
            body["message"].as_str().unwrap()
        )
    }
}
