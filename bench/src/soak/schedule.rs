use core::time::Duration;

use super::fault::Fault;

/// When a fault is on, from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) on: Duration,
    pub(crate) off: Duration,
}

/// The faults of a run of this length: those of the log and the key in one row, those of the provider and
/// the configuration in another, each in its fixed order and again from the first.
pub(crate) fn plan(length: Duration, only: &[Fault]) -> [Vec<Planned>; 2] {
    let slot = if length >= LONG {
        Duration::from_secs(80)
    } else {
        Duration::from_secs(45)
    };
    let row = |faults: &[Fault], begin| {
        let chosen = |fault: &&Fault| only.is_empty() || only.contains(fault);
        let chosen: Vec<_> = faults.iter().filter(chosen).copied().collect();
        let planned = (0_u32..).zip(chosen.iter().cycle()).map(|(number, fault)| {
            let on = begin + slot * number;
            Planned {
                fault: *fault,
                on,
                off: on + fault.lasts(),
            }
        });
        planned
            .take_while(|one| one.off + QUIET <= length)
            .collect()
    };
    [
        row(&Fault::REMOTE, QUIET),
        row(&Fault::SHARED, QUIET + Duration::from_secs(10)),
    ]
}

/// A run from which figures are written down.
pub(crate) const LONG: Duration = Duration::from_secs(30 * 60);

/// Before the first fault, and after the last.
const QUIET: Duration = Duration::from_secs(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_hour_has_every_fault_twice_or_more_often() {
        let rows = plan(LONG, &[]);
        for fault in Fault::REMOTE.into_iter().chain(Fault::SHARED) {
            let times = rows.iter().flatten().filter(|one| one.fault == fault);
            assert!(times.count() >= 2, "{fault}");
        }
        assert_eq!(plan(LONG, &[]), rows);
    }

    #[test]
    fn the_faults_of_a_row_do_not_overlap_and_all_are_over_before_the_end() {
        for minutes in [3, 10, 30, 45] {
            let length = Duration::from_secs(minutes * 60);
            for row in plan(length, &[]) {
                assert!(!row.is_empty());
                assert!(row.windows(2).all(|pair| pair[0].off < pair[1].on));
                assert!(row.iter().all(|one| one.on <= one.off && one.off < length));
            }
        }
    }

    #[test]
    fn a_run_that_is_too_short_has_no_faults() {
        assert!(plan(Duration::from_secs(20), &[]).iter().all(Vec::is_empty));
    }

    #[test]
    fn only_what_is_chosen_is_tried() {
        let [remote, shared] = plan(LONG, &[Fault::LogDown]);
        assert!(!remote.is_empty() && remote.iter().all(|one| one.fault == Fault::LogDown));
        assert!(shared.is_empty());
    }
}
