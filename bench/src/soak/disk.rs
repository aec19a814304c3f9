use core::{cell::RefCell, time::Duration};
use std::{
    fs::File,
    io::{self, Write as _},
    rc::Rc,
    time::Instant,
};

use anyhow::Result;
use tokio::{task::spawn_blocking, time::sleep};

use super::judge::Judge;

/// Writes a byte to a file beside those of the servers, again and again, and tells the judge when that takes
/// long. Others may use the disk, and who syncs what it writes then waits with all its callers.
pub(crate) async fn watch(mut file: File, begun: Instant, judge: Rc<RefCell<Judge>>) -> Result<()> {
    loop {
        let from = begun.elapsed();
        file = spawn_blocking(move || written(file)).await??;
        let to = begun.elapsed();
        if to - from > LONG {
            println!(
                "{:>5.0} s  the disk took {:.1?} for a byte",
                from.as_secs_f64(),
                to - from
            );
            judge.borrow_mut().stalls.push((from, to));
        }
        sleep(PAUSE).await;
    }
}

fn written(mut file: File) -> io::Result<File> {
    file.write_all(b".")?;
    file.sync_data()?;
    Ok(file)
}

/// Much longer than a disk takes, and shorter than what fills a server with requests that wait.
const LONG: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);
