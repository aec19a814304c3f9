use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use fulcio_ct_client::LogKey;
use fulcio_ct_monitor::{
    Channel, Error, ExtensionName, Monitor, MonitoredLog, Pattern, Protocol, Watch,
};
use lettre::{
    SmtpTransport,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use zeroize::Zeroizing;

use super::{
    config::{Config, LogConfig, MailConfig, MailTls, WatchConfig, WebhookConfig},
    http::{HttpLog, agent},
    mail::Mail,
    stdout::Stdout,
    webhook::Webhook,
};
use crate::{files, roots::tls_roots};

/// One log with everything that following it takes.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) monitor: Monitor<HttpLog>,
}

/// Opens the logs of a configuration, and says on standard error what is odd about it.
pub(super) fn open(config: &Config) -> Result<Vec<Followed>> {
    let timeout = config.timeout.0;
    let channels = channels(config, timeout)?;
    let watches = config.watches.iter().enumerate();
    let watches = watches
        .map(|(place, watch)| watch_of(place, watch))
        .collect::<Result<Vec<_>>>()?;
    if config.logs.is_empty() {
        bail!("there is no log to follow");
    }
    if watches.is_empty() {
        bail!("there is nothing to watch for: give an identity, an extension, or all");
    }
    warn_of_mail_to_the_watched(config);
    let mut names = BTreeSet::new();
    let mut followed = Vec::new();
    for log in &config.logs {
        let monitored = monitored(log)?;
        let name = monitored.name.clone();
        if !names.insert(name.clone()) {
            bail!("two logs are called {name}");
        }
        let source = HttpLog::new(agent(log.ca_file.as_deref(), timeout)?, &log.url);
        let folder = config.state.join(folder_name(&name));
        let (watches, channels) = (watches.clone(), channels.clone());
        let mut monitor = Monitor::open(monitored, source, folder, watches, channels)?;
        let dropped = monitor.drop_orphans()?;
        if dropped > 0 {
            eprintln!(
                "fulcio: {name}: {dropped} events waited for a channel that is gone, and nobody was told"
            );
        }
        followed.push(Followed { name, monitor });
    }
    Ok(followed)
}

/// The log of this configuration, with its key.
pub(crate) fn monitored(log: &LogConfig) -> Result<MonitoredLog> {
    let schemeless = match log.url.split_once("://") {
        Some(("http" | "https", rest)) if !rest.is_empty() => rest.trim_end_matches('/'),
        _ => bail!("{} is not an http or https URL", log.url),
    };
    let key = LogKey::from_pem(&files::read(&log.key)?)
        .with_context(|| format!("{} is not a log's key", log.key.display()))?;
    let mut monitored = match log.protocol {
        Protocol::StaticCt => {
            MonitoredLog::static_ct(log.origin.as_deref().unwrap_or(schemeless), key)
        }
        _ if log.origin.is_some() => bail!("only a static-ct log has an origin"),
        _ => MonitoredLog::rfc6962(schemeless, key),
    };
    if let Some(name) = &log.name {
        monitored.name.clone_from(name);
    }
    if let Some(wait) = log.stopped_after {
        monitored.stopped_after = wait.0;
    }
    Ok(monitored)
}

fn watch_of(place: usize, config: &WatchConfig) -> Result<Watch> {
    let WatchConfig {
        name,
        all,
        identity,
        identity_regex,
        extensions,
        extensions_regex,
        tell,
    } = config;
    let name = name.clone().unwrap_or_else(|| {
        let first = extensions.iter().chain(extensions_regex).next();
        let extension = first.map(|(name, value)| format!("{name}={value}"));
        let identity = identity.clone().or_else(|| identity_regex.clone());
        identity.or(extension).unwrap_or_else(|| "all".to_owned())
    });
    let conditions = identity.is_some()
        || identity_regex.is_some()
        || !extensions.is_empty()
        || !extensions_regex.is_empty();
    if conditions == *all {
        bail!(
            "watch {} has {}",
            place + 1,
            if *all {
                "conditions, and is for all certificates"
            } else {
                "no condition; `all` makes one for every certificate"
            }
        );
    }
    let mut watch = Watch::all(name);
    watch = match (identity, identity_regex) {
        (Some(_), Some(_)) => bail!("watch {} has two identities", place + 1),
        (Some(exact), None) => watch.identity(Pattern::exact(exact)),
        (None, Some(regex)) => watch.identity(Pattern::regex(regex)?),
        (None, None) => watch,
    };
    for (name, value) in extensions {
        watch = watch.extension(extension_name(name)?, Pattern::exact(value));
    }
    for (name, value) in extensions_regex {
        watch = watch.extension(extension_name(name)?, Pattern::regex(value)?);
    }
    Ok(match tell {
        Some(channels) => watch.channels(channels.clone()),
        None => watch,
    })
}

fn extension_name(name: &str) -> Result<ExtensionName> {
    ExtensionName::parse(name).map_err(|error| match error {
        Error::UnknownExtension { .. } => {
            let near = |known: &String| strsim::normalized_damerau_levenshtein(known, name);
            let nearest = ExtensionName::known().max_by(|a, b| near(a).total_cmp(&near(b)));
            let nearest = nearest.unwrap_or_default();
            anyhow!("{error}; did you mean {nearest}?")
        }
        other => other.into(),
    })
}

fn channels(config: &Config, timeout: Duration) -> Result<Vec<Arc<dyn Channel>>> {
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    if config.stdout {
        channels.push(Arc::new(Stdout));
    }
    for (place, webhook) in config.webhooks.iter().enumerate() {
        channels.push(Arc::new(webhook_of(place, webhook, timeout)?));
    }
    for (place, mail) in config.mails.iter().enumerate() {
        channels.push(Arc::new(mail_of(place, mail, timeout)?));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = channels.iter().find(|it| !names.insert(it.name())) {
        bail!("two channels are called {}", twice.name());
    }
    if channels.is_empty() {
        bail!(
            "there is nobody to tell: standard output is off, and there is no webhook and no mail"
        );
    }
    Ok(channels)
}

fn webhook_of(place: usize, config: &WebhookConfig, timeout: Duration) -> Result<Webhook> {
    if !config.url.starts_with("http://") && !config.url.starts_with("https://") {
        bail!(
            "the URL of webhook {} is not an http or https one",
            place + 1
        );
    }
    let name = named(config.name.as_ref(), "webhook", place);
    Ok(Webhook {
        agent: agent(config.ca_file.as_deref(), timeout)?,
        secret: secret(
            &name,
            config.secret_file.as_deref(),
            config.secret_env.as_deref(),
        )?,
        name,
        url: Zeroizing::new(config.url.clone()),
    })
}

fn mail_of(place: usize, config: &MailConfig, timeout: Duration) -> Result<Mail> {
    let name = named(config.name.as_ref(), "mail", place);
    let mailbox = |text: &String| -> Result<Mailbox> {
        text.parse()
            .with_context(|| format!("{name}: {text} is not an address"))
    };
    let mut tls = TlsParameters::builder(config.server.clone());
    if config.tls != MailTls::None {
        tls = tls.certificate_store(CertificateStore::None);
        for root in tls_roots(config.ca_file.as_deref())? {
            // The collections of operating systems hold some that are not certificates.
            if let Ok(root) = Certificate::from_der(root.to_vec()) {
                tls = tls.add_root_certificate(root);
            }
        }
    }
    let (tls, port) = match config.tls {
        MailTls::None => (Tls::None, 25),
        MailTls::Starttls => (Tls::Required(tls.build()?), 587),
        MailTls::Tls => (Tls::Wrapper(tls.build()?), 465),
    };
    let mut transport = SmtpTransport::builder_dangerous(&config.server)
        .port(config.port.unwrap_or(port))
        .timeout(Some(timeout))
        .tls(tls);
    let password = secret(
        &name,
        config.password_file.as_deref(),
        config.password_env.as_deref(),
    )?;
    transport = match (&config.username, password) {
        (Some(_), Some(_)) if config.tls == MailTls::None && !is_loopback(&config.server) => {
            bail!("{name}: a password is not sent without TLS")
        }
        (Some(username), Some(password)) => {
            let password = str::from_utf8(&password)
                .with_context(|| format!("{name}: the password is not text"))?;
            let credentials = Credentials::new(username.clone(), password.to_owned());
            transport.credentials(credentials)
        }
        (None, None) => transport,
        _ => bail!("{name}: a user name and a password belong together"),
    };
    if config.to.is_empty() {
        bail!("{name}: there is no address to send to");
    }
    Ok(Mail {
        from: mailbox(&config.from)?,
        to: config.to.iter().map(mailbox).collect::<Result<_>>()?,
        transport: transport.build(),
        name,
    })
}

fn is_loopback(server: &str) -> bool {
    let address = server.parse::<std::net::IpAddr>();
    server == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn named(name: Option<&String>, kind: &str, place: usize) -> String {
    name.cloned()
        .unwrap_or_else(|| format!("{kind}-{}", place + 1))
}

/// A secret from a file, without the line's end, or from a variable.
fn secret(
    name: &str,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let secret = match (file, variable) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            bail!("{name}: the secret is in a file or in a variable, not in both")
        }
        (Some(file), None) => {
            let bytes =
                fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let mut bytes = Zeroizing::new(bytes);
            while bytes
                .last()
                .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
            {
                bytes.pop();
            }
            bytes
        }
        (None, Some(variable)) => Zeroizing::new(value_of(variable)?),
    };
    if secret.is_empty() {
        bail!("{name}: the secret is empty");
    }
    Ok(Some(secret))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the configuration says that a secret is in this variable"
)]
fn value_of(variable: &str) -> Result<Vec<u8>> {
    let value = std::env::var(variable)
        .with_context(|| format!("the variable {variable} cannot be read"))?;
    Ok(value.into_bytes())
}

/// Who has taken over a mailbox reads there that a certificate was issued, and deletes it.
fn warn_of_mail_to_the_watched(config: &Config) {
    for watch in &config.watches {
        let Some(identity) = &watch.identity else {
            continue;
        };
        for (place, mail) in config.mails.iter().enumerate() {
            let name = named(mail.name.as_ref(), "mail", place);
            let tells = watch.tell.as_ref().is_none_or(|tell| tell.contains(&name));
            let is_watched = |to: &String| {
                let to = to.parse::<Mailbox>();
                to.is_ok_and(|to| to.email.to_string().eq_ignore_ascii_case(identity))
            };
            if tells && mail.to.iter().any(is_watched) {
                eprintln!(
                    "fulcio: warning: {name} sends to {identity}, which is watched: whoever has taken it \
                     over can delete the mail; use another address"
                );
            }
        }
    }
}

/// A name as that of a folder, and of no other.
fn folder_name(name: &str) -> String {
    let mut folder = String::new();
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if plain || byte == b'.' && place > 0 {
            folder.push(char::from(byte));
        } else {
            write!(folder, "%{byte:02X}").expect("a String takes everything");
        }
    }
    folder
}
