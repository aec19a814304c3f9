//! `fulcio monitor`: follows logs and tells.

pub(crate) mod config;
pub(crate) mod http;
mod mail;
pub(crate) mod settings;
mod stdout;
mod webhook;

use core::time::Duration;
use std::{collections::BTreeMap, path::PathBuf, thread};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use fulcio_ct_monitor::{Polled, Protocol};
use fulcio_issuance::{Clock as _, SystemClock};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use self::{
    config::{Config, LogConfig, Wait, WatchConfig, WebhookConfig},
    settings::Followed,
};
use crate::{Failure, one_line, output::harmless};

/// Follow transparency logs, and tell of certificates for identities and of logs that misbehave.
///
/// Every signature, the consistency of each tree with the one before, and every entry are verified.
/// What is found is told on standard output, a line of JSON each; a configuration file adds
/// webhooks and mail. It goes on until it is stopped, or looks once with --once: then the exit code
/// is 3 where an alarm stands, and 1 where a log was not read to its end or somebody was not told.
#[derive(Debug, Args)]
pub(crate) struct Monitor {
    /// A configuration in TOML, YAML or JSON, in place of all flags but --once.
    #[arg(long, value_name = "FILE", conflicts_with_all = FLAGS, required_unless_present = "log")]
    config: Option<PathBuf>,
    /// Where the log can be read.
    #[arg(long, value_name = "URL", requires_all = ["key", "state"])]
    log: Option<String>,
    /// A PEM file of the log's public key.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What a static-ct log calls itself in its checkpoints; without it, its URL without the scheme.
    #[arg(long)]
    origin: Option<String>,
    /// How the log is read: static-ct or rfc6962.
    #[arg(long, default_value = "static-ct")]
    protocol: Protocol,
    /// A PEM file of the roots of the log's TLS certificate; without it, the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Tell of certificates for this e-mail address, URI or user name. May be repeated.
    #[arg(long)]
    identity: Vec<String>,
    /// Tell of certificates that name something in which this regular expression is found.
    #[arg(long, value_name = "REGEX")]
    identity_regex: Vec<String>,
    /// Tell of certificates where this extension, such as source-repository-uri, has this value.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    extension: Vec<(String, String)>,
    /// Tell of every certificate.
    #[arg(long)]
    all: bool,
    /// The folder in which the monitor remembers how far it got.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Tell this URL as well, by a POST of JSON.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// A file of the secret that signs what the webhook gets.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_secret_file: Option<PathBuf>,
    /// How long to wait between two looks at the log, such as 30s or 5m.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    poll_interval: Wait,
    /// How long the log may sign nothing new before that is an alarm: 1h for static-ct, 24h for
    /// RFC 6962.
    #[arg(long, value_name = "TIME")]
    stopped_after: Option<Wait>,
    /// Look once and end, for a timer.
    #[arg(long)]
    once: bool,
}

const FLAGS: [&str; 14] = [
    "log",
    "key",
    "origin",
    "protocol",
    "ca_file",
    "identity",
    "identity_regex",
    "extension",
    "all",
    "state",
    "webhook",
    "webhook_secret_file",
    "poll_interval",
    "stopped_after",
];

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Monitor {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let once = self.once;
        let config = match &self.config {
            Some(path) => Config::read(path)?,
            None => self.into_config()?,
        };
        if once {
            return look_once(settings::open(&config)?);
        }
        // Before anything is on the disk or told: a stop is then always an end without a fault.
        let stop = Stop::listen()?;
        let followed = settings::open(&config)?;
        let interval = config.poll_interval.0.max(SHORTEST_INTERVAL);
        for log in followed {
            let name = log.name.clone();
            thread::Builder::new()
                .name(name)
                .spawn(move || follow(log, interval))
                .context("cannot start a thread")?;
        }
        stop.wait();
        Ok(())
    }

    fn into_config(self) -> Result<Config> {
        let identity = |identity| WatchConfig {
            identity: Some(identity),
            ..WatchConfig::default()
        };
        let regex = |regex| WatchConfig {
            identity_regex: Some(regex),
            ..WatchConfig::default()
        };
        let extension = |pair| WatchConfig {
            extensions: BTreeMap::from([pair]),
            ..WatchConfig::default()
        };
        let all = self.all.then(|| WatchConfig {
            all: true,
            ..WatchConfig::default()
        });
        let watches = (self.identity.into_iter().map(identity))
            .chain(self.identity_regex.into_iter().map(regex))
            .chain(self.extension.into_iter().map(extension))
            .chain(all);
        let webhook = self.webhook.map(|url| WebhookConfig {
            url,
            name: None,
            secret_file: self.webhook_secret_file,
            secret_env: None,
            ca_file: None,
        });
        Ok(Config {
            state: self.state.context("--state is missing")?,
            poll_interval: self.poll_interval,
            timeout: Config::timeout(),
            stdout: true,
            logs: vec![LogConfig {
                url: self.log.context("--log is missing")?,
                key: self.key.context("--key is missing")?,
                name: None,
                origin: self.origin,
                protocol: self.protocol,
                ca_file: self.ca_file,
                stopped_after: self.stopped_after,
            }],
            watches: watches.collect(),
            webhooks: webhook.into_iter().collect(),
            mails: Vec::new(),
        })
    }
}

/// Reads every log to its end, all at the same time.
fn look_once(followed: Vec<Followed>) -> Result<(), Failure> {
    let done: Vec<_> = thread::scope(|scope| {
        let logs = followed.into_iter();
        let threads: Vec<_> = logs
            .map(|log| scope.spawn(move || read_to_the_end(log)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_panic| anyhow!("a thread panicked")))
            .collect()
    });
    let (mut alarms, mut failed) = (Vec::new(), Vec::new());
    for result in done {
        let (log_alarms, log_failed) = result??;
        alarms.extend(log_alarms);
        failed.extend(log_failed);
    }
    if !alarms.is_empty() {
        return Err(Failure::Damaged(anyhow!(alarms.join("; "))));
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Error(anyhow!("not done: {}", failed.join(", "))))
}

/// The alarms of one log, and whether it was not read to its end or somebody was not told.
fn read_to_the_end(mut log: Followed) -> Result<(Vec<String>, Option<String>)> {
    loop {
        let polled = log.monitor.poll(SystemClock.now())?;
        say(&log.name, &polled);
        if has_more(&polled) {
            continue;
        }
        let alarms = polled.alarms.iter();
        let alarms = alarms.map(|it| format!("{}: {}: {}", log.name, it.kind, it.detail));
        let failed = polled.failure.is_some() || polled.waiting > 0 || !polled.caught_up;
        return Ok((alarms.collect(), failed.then_some(log.name)));
    }
}

/// Looks again and again.
fn follow(mut log: Followed, interval: Duration) {
    let mut failures = 0;
    loop {
        match log.monitor.poll(SystemClock.now()) {
            Ok(polled) => {
                say(&log.name, &polled);
                if has_more(&polled) {
                    continue;
                }
                let good = polled.failure.is_none() && polled.untold.is_empty();
                failures = if good { 0 } else { failures + 1 };
            }
            Err(error) => {
                eprintln!("fulcio: {}: {}", log.name, one_line(&error.into()));
                failures += 1;
            }
        }
        let backoff = interval.saturating_mul(1 << failures.min(10));
        thread::sleep(backoff.min(LONGEST_BACKOFF).max(interval));
    }
}

/// Whether it makes sense to go on at once.
fn has_more(polled: &Polled) -> bool {
    !polled.caught_up && polled.entries > 0 && polled.failure.is_none() && polled.untold.is_empty()
}

fn say(name: &str, polled: &Polled) {
    if let Some(failure) = &polled.failure {
        eprintln!("fulcio: {name}: {}", harmless(&causes(failure)));
    }
    for (channel, error) in &polled.untold {
        let waiting = polled.waiting;
        let error = harmless(&causes(&**error));
        eprintln!("fulcio: {name}: {channel} was not told, {waiting} events wait: {error}");
    }
}

/// An error and its causes on one line.
fn causes(error: &dyn core::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        next = cause.source();
    }
    line
}

/// The signals that stop the monitor. What is under way is on the disk at every moment, so there is
/// nothing to finish.
struct Stop {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From now on a signal waits to be looked at.
    fn listen() -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .build()
            .context("cannot wait for signals")?;
        let guard = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        drop(guard);
        Ok(Self {
            runtime,
            terminate,
            interrupt,
        })
    }

    fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}

/// Between two looks at a log that has nothing new.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Between two looks at a log that cannot be read, unless the interval is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5 * 60);
