//! What is compared when all is over: what clients got, what the log has, what the audit log says.

use core::{cell::RefCell, time::Duration};
use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use fulcio_issuance::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::sleep;

use super::{ledger::Ledger, scene::Server};
use crate::process::Process;

/// What one server's certificates were compared with.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Compared {
    /// Different certificates that clients got; each is in the audit log by its SHA-256.
    pub(crate) certificates: u64,
    /// Records of issued certificates, which are at least as many.
    pub(crate) recorded: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    /// Entries of the log; `fulcio audit compare` has found each in the audit log, and each promise of the
    /// audit log in the log.
    pub(crate) entries: u64,
    pub(crate) promises: u64,
    /// Certificates that were read closely when they came.
    pub(crate) checked: u64,
    /// Certificates whose timestamp and proof `fulcio verify` has verified.
    pub(crate) proven: u64,
}

/// Runs our command line.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    pub(crate) program: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) runs: RefCell<u32>,
}

impl Client<'_> {
    /// What it says in JSON; fails when it fails.
    async fn run(&self, arguments: &[String]) -> Result<Value> {
        *self.runs.borrow_mut() += 1;
        let output = self.folder.join(format!("client-{}", self.runs.borrow()));
        let arguments: Vec<_> = ["--json".to_owned()]
            .into_iter()
            .chain(arguments.iter().cloned())
            .collect();
        let mut process = Process::start(self.program, &arguments, output.clone(), None)?;
        let status = wait(&mut process, PATIENCE).await?;
        let text = process.output()?;
        if !status {
            let end: String = text.chars().rev().take(2000).collect();
            let end: String = end.chars().rev().collect();
            bail!("fulcio {}: {end}", arguments.join(" "));
        }
        let said = serde_json::Deserializer::from_str(&text).into_iter().next();
        let said = said.with_context(|| format!("fulcio {} says nothing", arguments.join(" ")))?;
        Ok(said?)
    }
}

/// Whether it ended well.
async fn wait(process: &mut Process, patience: Duration) -> Result<bool> {
    let begun = Instant::now();
    loop {
        if let Some(status) = process.ended()? {
            return Ok(status.success());
        }
        ensure!(
            begun.elapsed() < patience,
            "it has not ended after {patience:?}"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// Compares everything, and stops the server meanwhile. What is wrong is in the list.
pub(crate) async fn compare(
    client: &Client<'_>,
    server: &mut Server,
    ledger: &Ledger,
) -> (Compared, Vec<String>) {
    let mut compared = Compared {
        certificates: ledger.certificates.len() as u64,
        checked: ledger.checked,
        ..Compared::default()
    };
    let mut wrong = Vec::new();
    if let Err(error) = log(client, server, &mut compared).await {
        wrong.push(format!("the log and the audit log: {error:#}"));
    }
    if let Err(error) = proofs(client, server, ledger, &mut compared).await {
        wrong.push(format!("proofs of the log: {error:#}"));
    }
    if let Err(error) = stop(server).await {
        wrong.push(format!("stopping: {error:#}"));
    }
    if let Err(error) = chain(client, server, &mut compared).await {
        wrong.push(format!("the audit log: {error:#}"));
    }
    if let Some(folder) = &server.log.folder {
        let check = ["log", "check", &folder.display().to_string()].map(str::to_owned);
        if let Err(error) = client.run(&check).await {
            wrong.push(format!("the embedded log: {error:#}"));
        }
    }
    if let Err(error) = records(&server.audit, ledger, &mut compared) {
        wrong.push(format!("certificates and the audit log: {error:#}"));
    }
    (compared, wrong)
}

/// Every entry of the log against every record, both ways.
async fn log(client: &Client<'_>, server: &Server, compared: &mut Compared) -> Result<()> {
    let mut arguments = vec![
        "audit".to_owned(),
        "compare".to_owned(),
        format!("--log={}", server.log.url),
        format!("--key={}", server.log.key.display()),
        "--merge-delay=0s".to_owned(),
        // Nothing is under way any more.
        format!(
            "--until={}",
            humantime::format_rfc3339_seconds(SystemClock.now())
        ),
        format!("--issuer={}", server.chain.display()),
        server.audit.display().to_string(),
    ];
    arguments.push(match server.log.origin {
        Some(origin) => format!("--origin={origin}"),
        None => "--protocol=rfc6962".to_owned(),
    });
    let said = client.run(&arguments).await?;
    let count = |name: &str| {
        said[name]
            .as_u64()
            .with_context(|| format!("no {name} in {said}"))
    };
    compared.entries = count("entries")?;
    compared.promises = count("promises")?;
    ensure!(said["agree"] == true, "they do not agree");
    for name in ["pending", "lost", "elsewhere", "later", "earlier"] {
        let count = count(name)?;
        ensure!(count == 0, "{count} were not judged: {name}");
    }
    ensure!(
        compared.promises >= compared.certificates,
        "{} promises for {} certificates",
        compared.promises,
        compared.certificates
    );
    Ok(())
}

/// The timestamps of some certificates, and the log's proofs of them.
async fn proofs(
    client: &Client<'_>,
    server: &Server,
    ledger: &Ledger,
    compared: &mut Compared,
) -> Result<()> {
    let step = ledger.samples.len().div_ceil(PROVEN).max(1);
    for (pem, email) in ledger.samples.iter().step_by(step) {
        let path = client.folder.join("certificate.pem");
        fs::write(&path, pem)?;
        let mut arguments = vec![
            "verify".to_owned(),
            path.display().to_string(),
            format!("--trust-bundle={}", server.chain.display()),
            format!("--ct-log-key={}", server.log.key.display()),
            format!("--identity={email}"),
            format!("--log-url={}", server.log.url),
        ];
        let origin = server
            .log
            .origin
            .map(|origin| format!("--log-origin={origin}"));
        arguments.extend(origin);
        client
            .run(&arguments)
            .await
            .with_context(|| email.clone())?;
        compared.proven += 1;
    }
    ensure!(compared.proven > 0, "there is no certificate");
    Ok(())
}

async fn stop(server: &mut Server) -> Result<()> {
    server.process.signal("TERM")?;
    let well = wait(&mut server.process, Duration::from_secs(30)).await?;
    ensure!(well, "the server ended with an error");
    Ok(())
}

/// The audit log by itself.
async fn chain(client: &Client<'_>, server: &Server, compared: &mut Compared) -> Result<()> {
    let verify = ["audit", "verify", &server.audit.display().to_string()].map(str::to_owned);
    let said = client.run(&verify).await?;
    let chain = &said["chains"][0];
    let count = |name: &str| {
        chain[name]
            .as_u64()
            .with_context(|| format!("no {name} in {said}"))
    };
    compared.refused = count("refused")?;
    compared.abandoned = count("abandoned")?;
    ensure!(count("lost")? == 0, "records could not be kept");
    ensure!(
        chain["stopped"] == true,
        "it does not say that the server stopped"
    );
    Ok(())
}

#[derive(Deserialize)]
struct Record<'a> {
    r#type: &'a str,
    certificate: Option<&'a str>,
    serial: Option<&'a str>,
}

/// Every certificate that a client got has its record, and no serial number comes twice.
fn records(audit: &Path, ledger: &Ledger, compared: &mut Compared) -> Result<()> {
    let mut missing = ledger.certificates.clone();
    let mut serials = HashSet::new();
    for path in files(audit)? {
        for line in BufReader::new(File::open(&path)?).lines() {
            let line = line?;
            let record: Record<'_> = serde_json::from_str(&line)?;
            if record.r#type != "issued" {
                continue;
            }
            compared.recorded += 1;
            missing.remove(&hash(
                record.certificate.context("no certificate in a record")?,
            )?);
            let serial = record.serial.context("no serial number in a record")?;
            ensure!(
                serials.insert(serial.to_owned()),
                "serial number {serial} twice"
            );
        }
    }
    if let Some(one) = missing.iter().next() {
        let one: String = one.iter().map(|byte| format!("{byte:02x}")).collect();
        bail!(
            "{} certificates have no record, such as {one}",
            missing.len()
        );
    }
    Ok(())
}

/// The files of an audit log, those with numbers too.
fn files(audit: &Path) -> Result<Vec<PathBuf>> {
    let name = audit
        .file_name()
        .and_then(|name| name.to_str())
        .context("a name")?;
    let mut files = Vec::new();
    for entry in fs::read_dir(audit.parent().context("a folder")?)? {
        let path = entry?.path();
        let other = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let number = other
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'));
        if other == name || number.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
            files.push(path);
        }
    }
    Ok(files)
}

fn hash(hex: &str) -> Result<[u8; 32]> {
    let mut hash = [0; 32];
    ensure!(hex.len() == 64 && hex.is_ascii(), "{hex} is no SHA-256");
    for (byte, place) in hash.iter_mut().zip(0..) {
        *byte = u8::from_str_radix(&hex[2 * place..2 * place + 2], 16)?;
    }
    Ok(hash)
}

/// A log of millions is read and verified from the first entry.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const PROVEN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(lines: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let line = |(hash, serial): &(&str, &str)| {
            format!(
                "{{\"seq\":1,\"type\":\"issued\",\"serial\":\"{serial}\",\"certificate\":\"{hash}\"}}\n"
            )
        };
        let begin = "{\"seq\":0,\"type\":\"file\"}\n".to_owned();
        let (first, rest) = lines.split_at(lines.len() / 2);
        let write = |name: &str, lines: &[(&str, &str)]| {
            let text = begin.clone() + &lines.iter().map(line).collect::<String>();
            fs::write(folder.path().join(name), text).unwrap();
        };
        write("audit.jsonl.000001", first);
        write("audit.jsonl", rest);
        fs::write(folder.path().join("audit.jsonl.lock"), "").unwrap();
        (folder, path)
    }

    fn ledger(bytes: &[u8]) -> Ledger {
        Ledger {
            certificates: bytes.iter().map(|byte| [*byte; 32]).collect(),
            ..Ledger::default()
        }
    }

    #[test]
    fn every_certificate_must_have_its_record_in_one_of_the_files() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let (_folder, path) = audit(&[(&one, "a"), (&two, "b")]);
        let mut compared = Compared::default();
        records(&path, &ledger(&[0x11, 0x22]), &mut compared).unwrap();
        assert_eq!(compared.recorded, 2);
        // One of which nobody has heard is no loss.
        records(&path, &ledger(&[0x22]), &mut compared).unwrap();
        let error = records(&path, &ledger(&[0x11, 0x33]), &mut compared).unwrap_err();
        assert!(
            error.to_string().contains("1 certificates have no record"),
            "{error}"
        );
        assert!(error.to_string().contains(&"33".repeat(32)), "{error}");
    }

    #[test]
    fn a_serial_number_must_not_come_twice() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let (_folder, path) = audit(&[(&one, "a"), (&two, "a")]);
        assert!(records(&path, &ledger(&[0x11]), &mut Compared::default()).is_err());
    }
}
