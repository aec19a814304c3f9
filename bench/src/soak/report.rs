use core::{fmt::Write as _, time::Duration};
use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};

use super::{
    fault::{Fault, Readiness},
    flatness::{Flatness, Usage},
    judge::Side,
    trail::Compared,
    window::Window,
};

/// What a run has found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) length: Duration,
    pub(crate) machine: String,
    pub(crate) sides: Vec<SideReport>,
    pub(crate) windows: Vec<Window>,
    pub(crate) forged: u64,
    /// Refusals because the log behind the door failed by itself.
    pub(crate) by_the_log_itself: u64,
    /// Refusals because the disk took long by itself.
    pub(crate) by_the_disk_itself: u64,
    /// What is wrong, and is ours.
    pub(crate) complaints: u64,
}

/// What a run has found of one server.
#[derive(Debug)]
pub(crate) struct SideReport {
    pub(crate) side: Side,
    /// Certificates a second, as fast as it goes.
    pub(crate) capacity: f64,
    /// Requests a second, offered.
    pub(crate) rate: f64,
    pub(crate) requests: u64,
    pub(crate) issued: u64,
    pub(crate) most_in_flight: u64,
    /// Where there was more than one rest.
    pub(crate) flatness: Option<Flatness>,
    /// In MiB.
    pub(crate) most_memory: f64,
    pub(crate) compared: Compared,
}

impl Report {
    /// Puts it between the marks of the page.
    pub(crate) fn write(&self, page: &Path) -> Result<()> {
        let name = page.display();
        let text = fs::read_to_string(page).with_context(|| name.to_string())?;
        let place = text.split_once(BEGIN).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(END)?;
            Some((before, after))
        });
        let (before, after) =
            place.with_context(|| format!("{name} does not have the lines {BEGIN} and {END}"))?;
        let text = format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.markdown());
        fs::write(page, text).with_context(|| name.to_string())
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "One run of {:.0} minutes, {}, on {}. Failures that no fault explains, and other complaints: \
             **{}**. Refused because the RFC 6962 log failed by itself: {}; because the disk took more than a second for a \
             byte: {}. Forged tokens refused: {}.\n\n",
            self.length.as_secs_f64() / 60.0,
            self.date,
            self.machine,
            self.complaints,
            self.by_the_log_itself,
            self.by_the_disk_itself,
            self.forged,
        );
        text += &table(
            &[
                "server",
                "capacity, certificates/s",
                "offered, requests/s",
                "requests",
                "certificates",
                "refused because of a fault",
                "in flight at most",
            ],
            self.sides.iter().map(|side| {
                vec![
                    name(side.side).to_owned(),
                    format!("{:.0}", side.capacity),
                    format!("{:.0}", side.rate),
                    side.requests.to_string(),
                    side.issued.to_string(),
                    self.refused(side.side).to_string(),
                    side.most_in_flight.to_string(),
                ]
            }),
        );
        text.push('\n');
        text += &table(
            &[
                "fault",
                "times",
                "seconds each",
                "refused because of it",
                "first certificate after, s",
                "none refused after, s",
                "`/readyz` named it after, s",
                "good again after, s",
                "reason",
            ],
            self.faults(),
        );
        text.push('\n');
        text += &table(
            &[
                "server",
                "own memory at rest, of all, after each part",
                "growth of its own",
                "all, at most",
            ],
            self.sides.iter().map(usages),
        );
        text.push('\n');
        text += &table(
            &[
                "server",
                "certificates at clients",
                "issued in the audit log",
                "promises of the log",
                "entries of the log",
                "abandoned",
                "proofs verified",
                "read closely",
            ],
            self.sides.iter().map(|side| {
                let of = &side.compared;
                let counts = [
                    of.certificates,
                    of.recorded,
                    of.promises,
                    of.entries,
                    of.abandoned,
                    of.proven,
                    of.checked,
                ];
                let counts = counts.iter().map(u64::to_string);
                [name(side.side).to_owned()]
                    .into_iter()
                    .chain(counts)
                    .collect()
            }),
        );
        text
    }

    fn refused(&self, side: Side) -> u64 {
        let failures = self.windows.iter().flat_map(|window| &window.failures);
        failures
            .filter(|((of, _), _)| *of == side)
            .map(|(_, count)| count)
            .sum()
    }

    fn faults(&self) -> Vec<Vec<String>> {
        let faults = Fault::REMOTE.into_iter().chain(Fault::SHARED);
        let rows = faults.map(|fault| {
            let windows: Vec<_> = self.windows.iter().filter(|it| it.fault == fault).collect();
            (fault, windows)
        });
        rows.filter(|(_, windows)| !windows.is_empty())
            .map(|(fault, windows)| row(fault, &windows))
            .collect()
    }
}

fn row(fault: Fault, windows: &[&Window]) -> Vec<String> {
    let mut refusals = BTreeMap::<_, u64>::new();
    for ((_, text), count) in windows.iter().flat_map(|window| &window.failures) {
        *refusals.entry(text).or_default() += count;
    }
    let refusals: Vec<_> = refusals
        .iter()
        .map(|(text, count)| format!("{count} × {text}"))
        .collect();
    let named: Vec<_> = windows
        .iter()
        .flat_map(|window| window.readiness.values())
        .collect();
    let reason = named.first().map_or_else(
        || match fault.readiness() {
            Readiness::Open | Readiness::Ready => "stays ready".to_owned(),
            Readiness::Not(_) | Readiness::Named(_) => "none".to_owned(),
        },
        |named| match fault.readiness() {
            Readiness::Named(_) => format!("{} (stays 200)", named.reason),
            _ => named.reason.clone(),
        },
    );
    let felt = !fault.refusals().is_empty();
    let seconds = |of: Vec<Option<Duration>>| seconds(of.into_iter().flatten());
    vec![
        fault.to_string(),
        windows.len().to_string(),
        fault.lasts().as_secs().to_string(),
        if refusals.is_empty() {
            "none".to_owned()
        } else {
            refusals.join(", ")
        },
        seconds(
            windows
                .iter()
                .map(|it| it.first_success.filter(|_| felt))
                .collect(),
        ),
        seconds(windows.iter().map(|it| it.last_failure).collect()),
        seconds(named.iter().map(|it| Some(it.after)).collect()),
        seconds(named.iter().map(|it| it.good_after).collect()),
        reason.replace('|', "\\|"),
    ]
}

/// The least and the most.
fn seconds(all: impl Iterator<Item = Duration> + Clone) -> String {
    let (least, most) = (all.clone().min(), all.max());
    match (least, most) {
        (Some(least), Some(most)) => {
            let [least, most] = [least, most].map(|it| format!("{:.1}", it.as_secs_f64()));
            if least == most {
                least
            } else {
                format!("{least}–{most}")
            }
        }
        _ => String::new(),
    }
}

fn usages(side: &SideReport) -> Vec<String> {
    let usage = |usage: &Usage| {
        format!(
            "{:.1} of {:.1} MiB, {} threads, {} descriptors",
            usage.own_mib, usage.memory_mib, usage.threads, usage.descriptors
        )
    };
    let (rests, growth) = side.flatness.as_ref().map_or_else(
        || ("not compared".to_owned(), String::new()),
        |of| {
            let rests: Vec<_> = of.rests.iter().map(usage).collect();
            let growth = format!("{:+.1} MiB, {:+.1} %", of.growth_mib, of.growth_percent);
            (rests.join("; "), growth)
        },
    );
    vec![
        name(side.side).to_owned(),
        rests,
        growth,
        format!("{:.0} MiB", side.most_memory),
    ]
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Remote => "RFC 6962 log and key service",
        Side::Local => "embedded log, file key, audit log synced",
    }
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for row in rows {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

const BEGIN: &str = "<!-- soak: written by bench/soak -->";
const END: &str = "<!-- end of the soak -->";

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let at = Duration::from_secs;
        let mut window = Window::new(Fault::LogDown, at(10));
        window.told(Side::Remote, at(22), Some("it does not answer"));
        window.end(at(30));
        window.failed(Side::Remote, at(32), "HTTP 503");
        window.succeeded(at(33), at(33));
        window.told(Side::Remote, at(36), None);
        Report {
            date: "2026-11-22".to_owned(),
            length: at(1800),
            machine: "a machine".to_owned(),
            sides: vec![SideReport {
                side: Side::Remote,
                capacity: 400.0,
                rate: 100.0,
                requests: 9,
                issued: 8,
                most_in_flight: 3,
                flatness: None,
                most_memory: 40.0,
                compared: Compared::default(),
            }],
            windows: vec![window],
            forged: 5,
            by_the_log_itself: 0,
            by_the_disk_itself: 0,
            complaints: 0,
        }
    }

    #[test]
    fn a_fault_has_one_row_with_what_it_did_and_how_it_was_got_over() {
        let text = report().markdown();
        let row =
            "| log down | 1 | 20 | 1 × HTTP 503 | 3.0 | 2.0 | 12.0 | 6.0 | it does not answer |";
        assert!(text.contains(row), "{text}");
        assert!(
            text.contains("| RFC 6962 log and key service | 400 | 100 | 9 | 8 | 1 | 3 |"),
            "{text}"
        );
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(&page, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        report().write(&page).unwrap();
        let once = fs::read_to_string(&page).unwrap();
        assert!(
            once.starts_with("before\n") && once.ends_with("\nafter\n") && !once.contains("old")
        );
        report().write(&page).unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), once);
        fs::write(&page, "no marks").unwrap();
        let error = report().write(&page).unwrap_err().to_string();
        assert!(error.contains(BEGIN), "{error}");
    }
}
