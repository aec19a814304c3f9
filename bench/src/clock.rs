//! What the operating system says that a process has used.

use anyhow::{Context as _, Result};
use procfs::process::Process;

/// Processor time in seconds that these processes have used, in user and kernel mode, with all their
/// threads and the children that they have waited for.
pub(crate) fn processor_seconds(processes: &[u32]) -> Result<f64> {
    let mut ticks = 0;
    for id in processes {
        let stat = process(*id)?.stat()?;
        ticks += stat.utime + stat.stime;
        ticks += u64::try_from(stat.cutime + stat.cstime)?;
    }
    Ok(ticks as f64 / procfs::ticks_per_second() as f64)
}

/// The memory that these processes have in use, and the most that they ever had, in KiB.
pub(crate) fn memory(processes: &[u32]) -> Result<Memory> {
    let mut memory = Memory::default();
    for id in processes {
        let status = process(*id)?.status()?;
        memory.resident += status.vmrss.context("no resident set")?;
        memory.own += status.rssanon.context("no anonymous memory")?;
        memory.peak += status.vmhwm.context("no peak")?;
        memory.threads += status.threads;
    }
    Ok(memory)
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// What is resident and comes from no file: not the pages of the program, of which the kernel maps what it likes.
    pub(crate) own: u64,
    pub(crate) peak: u64,
    pub(crate) threads: u64,
}

/// How many descriptors a process has open.
pub(crate) fn descriptors(id: u32) -> Result<u64> {
    Ok(process(id)?.fd_count()? as u64)
}

fn process(id: u32) -> Result<Process> {
    let id = i32::try_from(id)?;
    Process::new(id).with_context(|| format!("process {id}"))
}
