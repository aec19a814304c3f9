use std::io::{self, Write as _};

use fulcio_ct_monitor::{Channel, ChannelError, Event};

/// Standard output, one line of JSON for each event.
#[derive(Debug)]
pub(super) struct Stdout;

impl Channel for Stdout {
    fn name(&self) -> &str {
        "stdout"
    }

    fn tell(&self, event: &Event) -> Result<(), ChannelError> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.flush()?;
        Ok(())
    }
}
