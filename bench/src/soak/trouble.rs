use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::{rc::Rc, time::Instant};

use anyhow::{Context as _, Result, bail};
use tokio::time::{sleep, sleep_until};

use super::{
    door::Mode,
    fault::{Fault, KEY, LOG_AWAY, TOKEN},
    judge::{Judge, Outcome},
    scene::{Server, Surroundings},
    schedule::Planned,
    traffic::Traffic,
    watch::get,
};

/// Switches faults on and off as they are planned.
#[derive(Debug)]
pub(crate) struct Trouble<'a> {
    pub(crate) begun: Instant,
    pub(crate) around: &'a Surroundings,
    pub(crate) servers: &'a [Server; 2],
    pub(crate) traffic: &'a [Rc<Traffic>; 2],
    pub(crate) judge: &'a RefCell<Judge>,
    pub(crate) generation: &'a Cell<usize>,
}

impl Trouble<'_> {
    /// One row of the plan, from its beginning to its end.
    pub(crate) async fn make(&self, row: &[Planned]) -> Result<()> {
        for planned in row {
            let fault = planned.fault;
            sleep_until((self.begun + planned.on).into()).await;
            println!("{:>5.0} s  {fault}", planned.on.as_secs_f64());
            let number = self.judge.borrow_mut().begin(fault, self.begun.elapsed());
            let begun = self.begin(fault).await;
            sleep_until((self.begun + planned.off).into()).await;
            let off = self.begun.elapsed();
            self.judge.borrow_mut().windows[number].end(off);
            let ended = self.end(fault).await;
            for failed in [begun, ended] {
                if let Err(error) = failed {
                    let what = format!("{fault}: {error:#}");
                    self.judge.borrow_mut().complaints.add(off, &what);
                }
            }
        }
        Ok(())
    }

    async fn begin(&self, fault: Fault) -> Result<()> {
        let (log, key, provider) = (&self.around.log, &self.around.key, &self.around.provider);
        match fault {
            Fault::LogDown => log.set(Mode::Down),
            Fault::LogHangs => log.set(Mode::Hangs),
            Fault::LogSlow => log.set(Mode::Slow(Duration::from_secs(1))),
            Fault::LogErrors => log.set(Mode::Errors),
            Fault::LogResets => log.set(Mode::Resets),
            Fault::LogGarbage => log.set(Mode::Garbage),
            Fault::KeySlow => key.set(Mode::Slow(Duration::from_millis(300))),
            Fault::KeyErrors => key.set(Mode::Errors),
            Fault::KeyHangs => key.set(Mode::Hangs),
            Fault::KeyWrong => key.set(Mode::Wrong),
            Fault::ProviderDown => provider.set(Mode::Down),
            Fault::ProviderHangs => provider.set(Mode::Hangs),
            Fault::ProviderRotates => self.rotate()?,
            Fault::ProviderRotatesAway => {
                provider.set(Mode::Down);
                self.rotate()?;
            }
            Fault::ConfigChanged => {
                self.around.config.with_guests()?;
                self.guests(true).await?;
            }
            Fault::Hangup => {
                let before = self.reloads("used").await?;
                for server in self.servers {
                    server.process.signal("HUP")?;
                }
                self.reloaded("used", before, REOPENED).await?;
            }
            Fault::ConfigBad => {
                let before = self.reloads("refused").await?;
                self.around.config.bad()?;
                self.reloaded("refused", before, IN_USE).await?;
            }
        }
        Ok(())
    }

    async fn end(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::LogDown
            | Fault::LogHangs
            | Fault::LogSlow
            | Fault::LogErrors
            | Fault::LogResets
            | Fault::LogGarbage => self.around.log.set(Mode::Fine),
            Fault::KeySlow | Fault::KeyErrors | Fault::KeyHangs | Fault::KeyWrong => {
                self.around.key.set(Mode::Fine);
            }
            Fault::ProviderDown | Fault::ProviderHangs | Fault::ProviderRotatesAway => {
                self.around.provider.set(Mode::Fine);
            }
            Fault::ConfigChanged => {
                self.around.config.usual()?;
                self.guests(false).await?;
            }
            Fault::ConfigBad => self.around.config.usual()?,
            Fault::Hangup | Fault::ProviderRotates => {}
        }
        Ok(())
    }

    fn rotate(&self) -> Result<()> {
        let next = self.generation.get() + 1;
        let issuer = self.around.troubled.get(next).context("no further keys")?;
        self.around.publisher.rotate(issuer);
        self.generation.set(next);
        Ok(())
    }

    /// Waits until guests are trusted, or no longer.
    async fn guests(&self, trusted: bool) -> Result<()> {
        let begun = Instant::now();
        for traffic in self.traffic {
            loop {
                let outcome = traffic.guest().await;
                if is_trusted(&outcome) == Some(trusted) {
                    break;
                }
                if begun.elapsed() > IN_USE {
                    bail!("the configuration is not in use after {IN_USE:?}: {outcome:?}");
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// How often each server has read the configuration with this outcome.
    async fn reloads(&self, outcome: &str) -> Result<Vec<u64>> {
        let mut counts = Vec::new();
        for server in self.servers {
            let page = get(server.metrics, "/metrics").await?;
            counts.push(reloads(&String::from_utf8_lossy(&page.body), outcome));
        }
        Ok(counts)
    }

    async fn reloaded(&self, outcome: &str, before: Vec<u64>, within: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            let now = self.reloads(outcome).await?;
            if now.iter().zip(&before).all(|(now, before)| now > before) {
                return Ok(());
            }
            if begun.elapsed() > within {
                bail!("not {outcome} after {within:?}: {before:?}, {now:?}");
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

fn reloads(page: &str, outcome: &str) -> u64 {
    let labels = [
        "part=\"issuers\"".to_owned(),
        format!("outcome=\"{outcome}\""),
    ];
    let line = page.lines().find(|line| {
        line.starts_with("fulcio_reloads_total{") && labels.iter().all(|one| line.contains(one))
    });
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    value.map_or(0, |value| value as u64)
}

/// Whether the token was believed, where that can be seen: the log and the key come after it.
fn is_trusted(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Issued => Some(true),
        Outcome::Refused(_, text) if text == TOKEN.text => Some(false),
        Outcome::Refused(_, text) if [KEY.text, LOG_AWAY.text].contains(&text.as_str()) => {
            Some(true)
        }
        Outcome::Refused(..) | Outcome::Broken(_) => None,
    }
}

/// A changed file is in use within 2 s; the rest is for a busy machine.
const IN_USE: Duration = Duration::from_secs(8);
/// SIGHUP opens the key in the key service anew, before the rest; one that hangs is given 20 s.
const REOPENED: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_was_believed_when_what_comes_after_it_refuses() {
        let refused = |text: &str| Outcome::Refused(500, text.to_owned());
        for (outcome, believed) in [
            (Outcome::Issued, Some(true)),
            (refused(TOKEN.text), Some(false)),
            (refused(KEY.text), Some(true)),
            (refused(LOG_AWAY.text), Some(true)),
            (refused("the server is busy, try again"), None),
            (Outcome::Broken("reset".to_owned()), None),
        ] {
            assert_eq!(is_trusted(&outcome), believed, "{outcome:?}");
        }
    }

    #[test]
    fn reloads_are_read_whatever_the_order_of_the_labels() {
        let page = "fulcio_reloads_total{part=\"logs\",outcome=\"used\"} 9\n\
                    fulcio_reloads_total{part=\"issuers\",outcome=\"used\"} 3\n\
                    fulcio_reloads_total{outcome=\"refused\",part=\"issuers\"} 2\n";
        assert_eq!((reloads(page, "used"), reloads(page, "refused")), (3, 2));
        assert_eq!(reloads("", "used"), 0);
    }
}
