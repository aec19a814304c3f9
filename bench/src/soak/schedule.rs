use core::time::Duration;

use super::fault::Fault;

/// When a fault is on, from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) on: Duration,
    pub(crate) off: Duration,
}

/// When little is asked for, so that memory can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// What happens when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The faults of the log and the key in one row, those of the provider and the configuration in another.
    pub(crate) rows: [Vec<Planned>; 2],
    /// One behind each part.
    pub(crate) rests: Vec<Rest>,
}

impl Plan {
    /// So much work, in parts with a rest behind each; the faults of a row have their fixed order, through all
    /// parts, and then come again.
    pub(crate) fn new(work: Duration, only: &[Fault]) -> Self {
        let parts = if work >= IN_PARTS { PARTS } else { 1 };
        let part = work / parts;
        let begins = (0..parts).map(|number| (part + REST) * number);
        let slot = if work >= LONG {
            Duration::from_secs(80)
        } else {
            Duration::from_secs(45)
        };
        let row = |faults: &[Fault], wait| {
            let chosen = |fault: &&Fault| only.is_empty() || only.contains(fault);
            let chosen: Vec<_> = faults.iter().filter(chosen).copied().collect();
            let mut turns = chosen.iter().cycle().peekable();
            let mut row = Vec::new();
            for begin in begins.clone() {
                let mut on = begin + wait;
                while let Some(fault) =
                    turns.next_if(|fault| on + fault.lasts() + QUIET <= begin + part)
                {
                    let off = on + fault.lasts();
                    row.push(Planned {
                        fault: *fault,
                        on,
                        off,
                    });
                    on += slot;
                }
            }
            row
        };
        let rests = begins.clone().map(|begin| Rest {
            from: begin + part,
            to: begin + part + REST,
        });
        Self {
            rows: [
                row(&Fault::REMOTE, QUIET),
                row(&Fault::SHARED, QUIET + Duration::from_secs(10)),
            ],
            rests: rests.collect(),
        }
    }

    /// How long all of it takes.
    pub(crate) fn length(&self) -> Duration {
        self.rests.last().map_or(Duration::ZERO, |rest| rest.to)
    }
}

/// A run from which figures are written down.
pub(crate) const LONG: Duration = Duration::from_secs(30 * 60);

/// Shorter runs have one part.
const IN_PARTS: Duration = Duration::from_secs(9 * 60);
const PARTS: u32 = 3;

/// Until a server has closed the connections that it no longer needs: 30 s to clients, 50 s to a log.
const REST: Duration = Duration::from_secs(65);

/// Before the first fault of a part, and after the last.
const QUIET: Duration = Duration::from_secs(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_hour_has_every_fault_twice_or_more_often() {
        let plan = Plan::new(LONG, &[]);
        for fault in Fault::REMOTE.into_iter().chain(Fault::SHARED) {
            let times = plan.rows.iter().flatten().filter(|one| one.fault == fault);
            assert!(times.count() >= 2, "{fault}");
        }
        assert_eq!(Plan::new(LONG, &[]), plan);
    }

    #[test]
    fn the_faults_of_a_row_do_not_overlap_and_none_is_on_in_a_rest_or_shortly_before() {
        for minutes in [3, 10, 30, 45] {
            let plan = Plan::new(Duration::from_secs(minutes * 60), &[]);
            for row in &plan.rows {
                assert!(!row.is_empty());
                assert!(row.windows(2).all(|pair| pair[0].off < pair[1].on));
                for (one, rest) in row
                    .iter()
                    .flat_map(|one| plan.rests.iter().map(move |rest| (one, rest)))
                {
                    assert!(
                        one.off + QUIET <= rest.from || one.on >= rest.to,
                        "{one:?} {rest:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn there_is_a_rest_behind_each_third_and_work_is_as_long_as_was_asked_for() {
        let plan = Plan::new(LONG, &[]);
        let froms: Vec<_> = plan.rests.iter().map(|rest| rest.from.as_secs()).collect();
        assert_eq!(froms, [600, 1265, 1930]);
        assert_eq!(plan.length(), LONG + REST * 3);
        assert_eq!(Plan::new(LONG / 10, &[]).rests.len(), 1);
    }

    #[test]
    fn a_run_that_is_too_short_has_no_faults() {
        let plan = Plan::new(Duration::from_secs(20), &[]);
        assert!(plan.rows.iter().all(Vec::is_empty));
    }

    #[test]
    fn only_what_is_chosen_is_tried() {
        let [remote, shared] = Plan::new(LONG, &[Fault::LogDown]).rows;
        assert!(!remote.is_empty() && remote.iter().all(|one| one.fault == Fault::LogDown));
        assert!(shared.is_empty());
    }
}
