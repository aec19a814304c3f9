use core::fmt::Write as _;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum as _};
use serde::{Deserialize, Serialize};

use crate::{
    callgrind::Counts,
    in_process::{COUNTED, Counted},
};

/// Count the instructions and the allocations of a certificate with callgrind, and print how they differ
/// from the budget. They hardly depend on what else the machine does.
#[derive(Debug, Args)]
pub(crate) struct Instructions {
    /// What is recorded.
    #[arg(long, value_name = "FILE", default_value = "bench/instructions.toml")]
    budget: PathBuf,
    /// Record what is counted now.
    #[arg(long)]
    write: bool,
    /// Certificates of each case.
    #[arg(long, default_value_t = 50)]
    certificates: u32,
}

/// What one certificate takes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    own: u64,
    memory: u64,
    cryptography: u64,
    allocations: u64,
}

impl Instructions {
    pub(crate) fn run(self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut counted = BTreeMap::new();
        for case in Counted::value_variants() {
            let name = case.to_possible_value().context("a name")?;
            let name = name.get_name().to_owned();
            let budget = self.count(&name, folder.path())?;
            counted.insert(name, budget);
        }
        let recorded = match fs::read_to_string(&self.budget) {
            Ok(text) => toml::from_str(&text).with_context(|| self.budget.display().to_string())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| self.budget.display().to_string()),
        };
        print(&counted, &recorded);
        if self.write {
            fs::write(&self.budget, file(&counted)?)
                .with_context(|| self.budget.display().to_string())?;
        }
        Ok(())
    }

    fn count(&self, case: &str, folder: &Path) -> Result<Budget> {
        let output = folder.join(case);
        let done = Command::new("valgrind")
            .args(["--tool=callgrind", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={COUNTED}"))
            .arg(format!("--callgrind-out-file={}", output.display()))
            .arg(std::env::current_exe()?)
            .args(["in-process", case, &self.certificates.to_string()])
            .output()
            .context("valgrind")?;
        ensure!(
            done.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let counts = Counts::read(&fs::read_to_string(&output)?);
        ensure!(counts.own > 0, "{case}: nothing was counted");
        let each = |count: u64| count / u64::from(self.certificates.max(1));
        Ok(Budget {
            own: each(counts.own),
            memory: each(counts.memory),
            cryptography: each(counts.cryptography),
            allocations: each(counts.allocations),
        })
    }
}

fn print(counted: &BTreeMap<String, Budget>, recorded: &BTreeMap<String, Budget>) {
    println!(
        "instructions and allocations for each certificate, and the change to what is recorded"
    );
    println!(
        "{:<15} {:>20} {:>20} {:>22} {:>14}",
        "case", "own", "memory", "cryptography", "allocations"
    );
    for (name, now) in counted {
        let before = recorded.get(name);
        let cell = |of: fn(&Budget) -> u64| {
            let change = before.map_or_else(
                || "new".to_owned(),
                |before| {
                    let (now, before) = (of(now) as f64, of(before) as f64);
                    format!("{:+.1} %", (now - before) * 100.0 / before.max(1.0))
                },
            );
            format!("{} {change:>9}", of(now))
        };
        println!(
            "{name:<15} {:>20} {:>20} {:>22} {:>14}",
            cell(|one| one.own),
            cell(|one| one.memory),
            cell(|one| one.cryptography),
            cell(|one| one.allocations),
        );
    }
}

/// What is recorded, as text.
fn file(counted: &BTreeMap<String, Budget>) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (name, budget) in counted {
        writeln!(
            text,
            "\n[{name}]\nown = {}\nmemory = {}\ncryptography = {}\nallocations = {}",
            budget.own, budget.memory, budget.cryptography, budget.allocations
        )?;
    }
    Ok(text)
}

const HEAD: &str = "\
# Instructions of each certificate from the bytes of a request to those of the answer, without the
# connection, as callgrind counts them in a release build: in the cryptographic library, in the allocator
# and the routines that copy, and in all the rest (own); and how often memory is allocated.
# Recorded by `bench/stages --write`; CI prints the change.
";
