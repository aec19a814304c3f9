//! The tables of `docs/performance.md`, made from a run.

use core::fmt::Write as _;
use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{
    case::Log,
    load::Sample,
    report::{Pair, Report, Spread},
};

/// Write the tables of a run into the page.
#[derive(Debug, Args)]
pub(crate) struct Page {
    /// What `compare` has written.
    #[arg(default_value = "target/bench/result.json")]
    result: PathBuf,
    #[arg(default_value = "docs/performance.md")]
    page: PathBuf,
}

impl Page {
    pub(crate) fn run(self) -> Result<()> {
        let text = fs::read(&self.result).with_context(|| self.result.display().to_string())?;
        write(&serde_json::from_slice(&text)?, &self.page)
    }
}

/// Puts the tables between the marks of the page.
pub(crate) fn write(report: &Report, page: &Path) -> Result<()> {
    let name = page.display();
    let text = fs::read_to_string(page).with_context(|| name.to_string())?;
    let place = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = place.with_context(|| format!("{name} has no place for the tables"))?;
    let tables = tables(report);
    fs::write(page, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))?;
    Ok(())
}

const BEGIN: &str = "<!-- measured: written by bench/compare -->";
const END: &str = "<!-- end of what was measured -->";

/// All tables, in Markdown.
pub(crate) fn tables(report: &Report) -> String {
    let parts = [
        about(report),
        costs(report),
        others(report),
        equal_load(report),
        cores(report),
        logs(report),
        slow_signer(report),
        floor(report),
        generator(report),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn about(report: &Report) -> String {
    let machine = &report.machine;
    let versions = report.versions.iter();
    let versions: Vec<_> = versions
        .map(|one| format!("{} {}", one.of, one.is))
        .collect();
    format!(
        "Run of {}, {} s long, on {} cores ({}), {} MiB, Linux {}. {}.\n",
        report.date,
        report.took_seconds,
        machine.cores,
        machine.processor,
        machine.memory_mib,
        machine.kernel,
        versions.join(", "),
    )
}

fn costs(report: &Report) -> String {
    let mut rows = Vec::new();
    for cost in &report.costs {
        let Some((ours, fulcio, ratio)) = cost.micros() else {
            continue;
        };
        let floor = report.floor.of(cost.case);
        let against = if cost.case.log == Log::Embedded {
            " (Fulcio with CTFE's process)"
        } else {
            ""
        };
        rows.push([
            format!("{}{against}", cost.case),
            spread(ours, 0),
            spread(fulcio, 0),
            spread(ratio, 3),
            cost.reach
                .map_or_else(String::new, |reach| format!("{reach:.2}")),
            format!("{floor:.0}"),
            format!("{:.2}", ours.median / floor),
            failures(
                cost.rounds
                    .iter()
                    .flat_map(|round| [&round.ours, &round.fulcio]),
            ),
        ]);
    }
    let head = [
        "case",
        "ours, µs",
        "Fulcio, µs",
        "ours / Fulcio",
        "wanted, at most",
        "cryptography, µs",
        "ours / cryptography",
        "failures",
    ];
    let title = format!(
        "Processor time of the server for each certificate, {} connections",
        report.connections
    );
    table(&title, head, &rows)
}

fn others(report: &Report) -> String {
    let mut rows = Vec::new();
    let mut row = |what: &str, wanted: &str, pairs: Vec<Pair<f64>>, digits| {
        let ours = Spread::of(pairs.iter().map(|pair| pair.ours));
        let fulcio = Spread::of(pairs.iter().map(|pair| pair.fulcio));
        let ratio = Spread::of(pairs.iter().map(|pair| pair.ours / pair.fulcio));
        if let (Some(ours), Some(fulcio), Some(ratio)) = (ours, fulcio, ratio) {
            rows.push([
                what.to_owned(),
                spread(ours, digits),
                spread(fulcio, digits),
                spread(ratio, 2),
                wanted.to_owned(),
            ]);
        }
    };
    let memory = |of: fn(&crate::report::Footprint) -> Pair<f64>| {
        report.memory.iter().map(of).collect::<Vec<_>>()
    };
    row("idle memory, MiB", "0.4", memory(|one| one.idle), 1);
    row(
        "memory with 1,000 idle connections, MiB",
        "0.4",
        memory(|one| one.connected),
        1,
    );
    row("most memory until then, MiB", "", memory(|one| one.peak), 1);
    row(
        "start to first 200 on /healthz, ms",
        "0.3",
        report.starts.clone(),
        1,
    );
    let head = ["what", "ours", "Fulcio", "ours / Fulcio", "wanted, at most"];
    table("Memory and start", head, &rows)
}

fn equal_load(report: &Report) -> String {
    let mut rows = Vec::new();
    for row in &report.equal_load {
        let of = |of: fn(&Sample) -> f64| {
            let ours = Spread::of(row.rounds.iter().map(|round| of(&round.ours)))?;
            let fulcio = Spread::of(row.rounds.iter().map(|round| of(&round.fulcio)))?;
            Some((ours, fulcio))
        };
        let (Some(p50), Some(p99)) = (of(|one| one.p50_millis), of(|one| one.p99_millis)) else {
            continue;
        };
        rows.push([
            row.case.to_string(),
            format!("{:.0}", row.rate),
            spread(p50.0, 2),
            spread(p50.1, 2),
            spread(p99.0, 2),
            spread(p99.1, 2),
            failures(
                row.rounds
                    .iter()
                    .flat_map(|round| [&round.ours, &round.fulcio]),
            ),
        ]);
    }
    let head = [
        "case",
        "requests/s",
        "p50 ours, ms",
        "p50 Fulcio, ms",
        "p99 ours, ms",
        "p99 Fulcio, ms",
        "failures",
    ];
    table(
        "Latency at equal load, from the moment a request was due",
        head,
        &rows,
    )
}

fn cores(report: &Report) -> String {
    let mut rows = Vec::new();
    for row in &report.cores {
        for (who, of) in [
            ("ours", (|pair| &pair.ours) as fn(&Pair<Sample>) -> &Sample),
            ("Fulcio", |pair| &pair.fulcio),
        ] {
            let figure = |rounds: &[Pair<Sample>], figure: fn(&Sample) -> f64| {
                Spread::of(rounds.iter().map(|round| figure(of(round))))
            };
            let each = |rounds| {
                Some((
                    figure(rounds, |one| one.per_second)?,
                    figure(rounds, |one| one.busy_cores)?,
                    figure(rounds, |one| one.per_second / one.busy_cores)?,
                ))
            };
            let (Some(one), Some(two)) = (each(&row.one), each(&row.two)) else {
                continue;
            };
            rows.push([
                format!("{}, {who}", row.case),
                spread(one.0, 0),
                format!("{:.2}", one.1.median),
                spread(two.0, 0),
                format!("{:.2}", two.1.median),
                format!("{:.2}", two.0.median / one.0.median),
                format!("{:.2}", two.2.median / one.2.median),
            ]);
        }
    }
    let head = [
        "case",
        "certificates/s, one core",
        "cores busy",
        "certificates/s, two cores",
        "cores busy",
        "two / one",
        "the same for each busy core",
    ];
    table(
        "Throughput and cores; the load is made on the same machine",
        head,
        &rows,
    )
}

fn logs(report: &Report) -> String {
    let mut rows = Vec::new();
    for row in &report.logs {
        let figure = |of: fn(&Sample) -> f64, digits| {
            Spread::of(row.rounds.iter().map(of))
                .map_or_else(String::new, |all| spread(all, digits))
        };
        rows.push([
            row.what.clone(),
            row.rate.map_or_else(
                || format!("as fast as it goes, {} connections", row.connections),
                |rate| format!("{rate:.0} a second"),
            ),
            figure(|one| one.per_second, 0),
            figure(|one| one.p50_millis, 2),
            figure(|one| one.p99_millis, 2),
            figure(|one| one.with_log_micros, 0),
            failures(&row.rounds),
        ]);
    }
    let head = [
        "what",
        "load",
        "certificates/s",
        "p50, ms",
        "p99, ms",
        "server and log, µs",
        "failures",
    ];
    table(
        "Issuance through a log, P-384; the embedded one syncs each batch to disk",
        head,
        &rows,
    )
}

fn slow_signer(report: &Report) -> String {
    let Some(slow) = &report.slow_signer else {
        return String::new();
    };
    let sample = &slow.sample;
    let rows = [[
        slow.connections.to_string(),
        format!("{:.0}", slow.in_flight),
        slow.threads.to_string(),
        format!("{:.0}", sample.per_second),
        format!("{:.0}", sample.p50_millis),
        format!("{:.0}", sample.p99_millis),
        failures([sample]),
    ]];
    let head = [
        "connections",
        "requests in flight, at most",
        "threads, at most",
        "certificates/s",
        "p50, ms",
        "p99, ms",
        "failures",
    ];
    let title = format!("A key that takes {} ms for each signature", slow.millis);
    table(&title, head, &rows)
}

fn floor(report: &Report) -> String {
    let floor = &report.floor;
    let rows = [
        ("RS256 verify", floor.rs256_verify),
        ("P-256 verify, key prepared", floor.p256_verify),
        ("P-256 verify, key new", floor.p256_verify_fresh),
        ("P-256 sign", floor.p256_sign),
        ("P-384 sign", floor.p384_sign),
    ];
    let rows = rows.map(|(what, micros)| [what.to_owned(), format!("{micros:.1}")]);
    table(
        "Cryptography by itself, aws-lc-rs, one core",
        ["operation", "µs"],
        &rows,
    )
}

fn generator(report: &Report) -> String {
    let mut rows = Vec::new();
    for row in &report.generator {
        let figure = |of: fn(&Sample) -> f64, digits| {
            Spread::of(row.rounds.iter().map(of))
                .map_or_else(String::new, |all| spread(all, digits))
        };
        rows.push([
            row.what.clone(),
            figure(|one| one.per_second, 0),
            figure(|one| one.generator_micros, 1),
            figure(|one| one.server_micros, 1),
        ]);
    }
    let beside: Vec<_> = report
        .costs
        .iter()
        .filter_map(|cost| {
            let ours = Spread::of(cost.rounds.iter().map(|round| round.ours.generator_micros))?;
            Some(ours.median)
        })
        .collect();
    let head = ["protocol", "answers/s", "generator, µs", "server, µs"];
    let mut text = table(
        "The load generator before a server that does nothing",
        head,
        &rows,
    );
    if let Some(beside) = Spread::of(beside) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            text,
            "\nIn the cases above it needed {} µs for each certificate.",
            spread(beside, 0)
        );
    }
    text
}

fn failures<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> String {
    let all = samples.into_iter().flat_map(|sample| &sample.failures);
    let mut sums = std::collections::BTreeMap::<_, u64>::new();
    for (what, count) in all {
        *sums.entry(what).or_default() += count;
    }
    if sums.is_empty() {
        return "none".to_owned();
    }
    let sums: Vec<_> = sums
        .iter()
        .map(|(what, count)| format!("{count} × {what}"))
        .collect();
    sums.join(", ")
}

/// The median, and between which figures it lies.
fn spread(spread: Spread, digits: usize) -> String {
    let Spread {
        median,
        least,
        most,
    } = spread;
    format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
}

fn table<const N: usize>(title: &str, head: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---".to_owned(); N];
    let head = head.map(str::to_owned);
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("**{title}**\n\n{}{}{rows}", line(&head), line(&rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{Case, Curve},
        floor::Floor,
        report::{Cost, Machine},
    };

    fn sample(server_micros: f64, with_log_micros: f64) -> Sample {
        Sample {
            certificates: 100,
            failures: [("HTTP 500".to_owned(), 2)].into(),
            seconds: 1.0,
            server_micros,
            with_log_micros,
            generator_micros: 20.0,
            per_second: 100.0,
            busy_cores: 1.0,
            p50_millis: 1.0,
            p99_millis: 2.0,
            max_millis: 3.0,
        }
    }

    fn report(log: Log) -> Report {
        let floor = Floor {
            rs256_verify: 17.0,
            p256_verify: 50.0,
            p256_verify_fresh: 51.0,
            p256_sign: 16.0,
            p384_sign: 82.0,
        };
        let round = Pair {
            ours: sample(300.0, 300.0),
            fulcio: sample(3000.0, 6000.0),
        };
        let case = Case {
            log,
            ..Case::new(Curve::P384)
        };
        Report {
            date: "2026-11-22T00:00:00Z".to_owned(),
            took_seconds: 1,
            machine: Machine {
                processor: "a processor".to_owned(),
                cores: 2,
                memory_mib: 1,
                kernel: "6".to_owned(),
            },
            versions: Vec::new(),
            connections: 16,
            floor,
            generator: Vec::new(),
            costs: vec![Cost {
                case,
                reach: Some(0.15),
                rounds: vec![round],
            }],
            memory: Vec::new(),
            starts: Vec::new(),
            equal_load: Vec::new(),
            cores: Vec::new(),
            slow_signer: None,
            logs: Vec::new(),
        }
    }

    #[test]
    fn the_log_process_counts_only_where_ours_has_its_log_inside() {
        assert!(tables(&report(Log::External)).contains("| 0.100 (0.100–0.100) | 0.15 | 282 |"));
        assert!(tables(&report(Log::Embedded)).contains("| 0.050 (0.050–0.050) | 0.15 | 248 |"));
    }

    #[test]
    fn failures_of_both_are_shown() {
        assert!(tables(&report(Log::External)).contains("| 4 × HTTP 500 |"));
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(&page, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        write(&report(Log::External), &page).unwrap();
        let once = fs::read_to_string(&page).unwrap();
        assert!(
            once.starts_with("before\n") && once.ends_with("\nafter\n"),
            "{once}"
        );
        assert!(
            !once.contains("old") && once.contains("P-384, external log"),
            "{once}"
        );
        write(&report(Log::External), &page).unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), once);

        fs::write(&page, "no marks").unwrap();
        assert!(write(&report(Log::External), &page).is_err());
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = include_str!("../../docs/performance.md");
        assert!(page.contains(BEGIN) && page.contains(END));
    }
}
