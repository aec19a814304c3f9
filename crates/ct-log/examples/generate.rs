//! Opens the log in a folder, or makes one, and adds entries to it; says how long opening took, and
//! how much memory the process has after every tenth of them.
//!
//!     cargo run --release -p fulcio-ct-log --example generate -- DIR 1000000
//!     cargo run --release -p fulcio-ct-log --example generate -- DIR 0

use std::{
    env, fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use fulcio_ct_client::{Entry, Submission, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Options, check};
use pki_types::CertificateDer;
use tokio::task::JoinSet;

/// Submissions that are in flight at once.
const IN_FLIGHT: usize = 512;

#[tokio::main]
#[expect(
    clippy::disallowed_methods,
    reason = "it stands for a server, and reads the clock for the log"
)]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [folder, entries] = &arguments[..] else {
        return Err("usage: generate DIR ENTRIES, or generate DIR check".into());
    };
    let started = Instant::now();
    if entries == "check" {
        let report = check(folder, None)?;
        println!(
            "{} in {:?}, {}",
            report.entries,
            started.elapsed(),
            memory()?
        );
        for finding in report.findings {
            println!("{finding}");
        }
        return Ok(());
    }
    let entries: u64 = entries.parse()?;
    let options = Options::new(SystemTime::now).with_origin("log.example.com/generated");
    let log = Arc::new(EmbeddedLog::open(folder, options)?);
    let size = log.checkpoint().size();
    println!(
        "{size} entries opened in {:?}, {}",
        started.elapsed(),
        memory()?
    );
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(size));
    for tenth in 1..=10 {
        let end = size + entries * tenth / 10;
        let mut lanes = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            lanes.spawn(fill(Arc::clone(&log), Arc::clone(&next), end));
        }
        while let Some(done) = lanes.join_next().await {
            done??;
        }
        next.store(end, Ordering::Relaxed);
        println!("{end} entries after {:?}, {}", started.elapsed(), memory()?);
    }
    log.close().await?;
    Ok(())
}

/// Submits what the next numbers stand for, up to `end`.
async fn fill(
    log: Arc<EmbeddedLog>,
    next: Arc<AtomicU64>,
    end: u64,
) -> Result<(), fulcio_ct_client::Error> {
    let issuers = [vec![1; 600].into(), vec![2; 500].into()];
    let mut tbs = vec![0; 700];
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return Ok(());
        }
        tbs[..8].copy_from_slice(&number.to_be_bytes());
        let certificate = CertificateDer::from([&tbs[..], &[7; 200]].concat());
        let submission = Submission {
            entry: Entry::Precertificate {
                issuer_key_hash: [1; 32],
                tbs: &tbs,
            },
            certificate: &certificate,
            issuers: &issuers,
        };
        log.submit(submission).await?;
    }
}

/// What Linux says that the process has in memory now, and had at most.
fn memory() -> std::io::Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    Ok(lines.collect::<Vec<_>>().join(", ").replace('\t', " "))
}
