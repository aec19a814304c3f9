//! What `/proc` says of this process, under the names that Prometheus' client libraries share.

use std::fs;

use procfs::{
    ProcResult, WithCurrentSystemInfo as _,
    process::{LimitValue, Process},
};

use super::exposition::{Exposition, Kind};

/// Adds what can be read. What cannot is left out, for a wrong number is worse than none.
pub(super) fn describe(page: &mut Exposition) {
    if let Err(error) = process(page) {
        tracing::debug!(%error, "/proc does not tell of this process");
    }
    if let Some((received, sent)) = network() {
        page.single(
            "process_network_receive_bytes_total",
            Kind::Counter,
            "Bytes received in the network namespace of this process",
            received,
        );
        page.single(
            "process_network_transmit_bytes_total",
            Kind::Counter,
            "Bytes sent in the network namespace of this process",
            sent,
        );
    }
}

fn process(page: &mut Exposition) -> ProcResult<()> {
    let this = Process::myself()?;
    let (stat, limits, open) = (this.stat()?, this.limits()?, this.fd_count()?);
    let ticks = procfs::ticks_per_second() as f64;
    let started = procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks;
    page.single(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Seconds of processor time used, by the program and by the system for it",
        (stat.utime + stat.stime) as f64 / ticks,
    );
    page.single(
        "process_start_time_seconds",
        Kind::Gauge,
        "When this process was started, in Unix time",
        started,
    );
    page.single(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Bytes of memory that this process has in RAM",
        stat.rss_bytes().get(),
    );
    page.single(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Bytes of address space that this process has",
        stat.vsize,
    );
    page.single(
        "process_virtual_memory_max_bytes",
        Kind::Gauge,
        "Bytes of address space that this process may have",
        number(limits.max_address_space.soft_limit),
    );
    page.single(
        "process_open_fds",
        Kind::Gauge,
        "File descriptors that are open",
        open,
    );
    page.single(
        "process_max_fds",
        Kind::Gauge,
        "File descriptors that may be open",
        number(limits.max_open_files.soft_limit),
    );
    Ok(())
}

/// No limit is the greatest number, as it is for Go's client library.
fn number(limit: LimitValue) -> u64 {
    match limit {
        LimitValue::Unlimited => u64::MAX,
        LimitValue::Value(limit) => limit,
    }
}

/// Bytes received and sent over IP: of the names in one line, the numbers in the next.
fn network() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/self/net/netstat").ok()?;
    let mut lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("IpExt:"))
        .map(str::split_whitespace);
    let (names, numbers) = (lines.next()?, lines.next()?);
    let named: Vec<_> = names.zip(numbers).collect();
    let number = |name| {
        let (_, number) = named.iter().find(|(known, _)| *known == name)?;
        number.parse().ok()
    };
    Some((number("InOctets")?, number("OutOctets")?))
}
