use core::time::Duration;

use serde::Serialize;

/// What a server had of the machine at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    pub(crate) memory_mib: f64,
    pub(crate) threads: u64,
    pub(crate) descriptors: u64,
}

/// Whether memory was flat: the medians of the second and of the last third. The first is for warming
/// up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Flatness {
    pub(crate) first: Usage,
    pub(crate) second: Usage,
    pub(crate) last: Usage,
    /// From the second third to the last.
    pub(crate) growth_mib: f64,
    pub(crate) growth_percent: f64,
}

impl Flatness {
    /// `None` when a third has no sample.
    pub(crate) fn of(samples: &[(Duration, Usage)], length: Duration) -> Option<Self> {
        let third = |number: u32| {
            let (from, to) = (length * number / 3, length * (number + 1) / 3);
            let inside = samples.iter().filter(|(at, _)| (from..to).contains(at));
            median(inside.map(|(_, usage)| *usage).collect())
        };
        let (first, second, last) = (third(0)?, third(1)?, third(2)?);
        let growth_mib = last.memory_mib - second.memory_mib;
        Some(Self {
            first,
            second,
            last,
            growth_mib,
            growth_percent: 100.0 * growth_mib / second.memory_mib,
        })
    }

    /// Growth of more than 5 %, and of more than 2 MiB, is not flat.
    pub(crate) fn is_flat(&self) -> bool {
        self.growth_percent <= 5.0 || self.growth_mib <= 2.0
    }
}

fn median(usages: Vec<Usage>) -> Option<Usage> {
    let middle = |mut values: Vec<u64>| {
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    let mut memory: Vec<_> = usages.iter().map(|one| one.memory_mib).collect();
    memory.sort_by(f64::total_cmp);
    Some(Usage {
        memory_mib: *memory.get(memory.len() / 2)?,
        threads: middle(usages.iter().map(|one| one.threads).collect())?,
        descriptors: middle(usages.iter().map(|one| one.descriptors).collect())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(memory: impl Fn(u32) -> f64) -> Flatness {
        let sample = |number: u32| {
            let usage = Usage {
                memory_mib: memory(number),
                threads: 5,
                descriptors: u64::from(number),
            };
            (Duration::from_secs(u64::from(number)), usage)
        };
        let samples: Vec<_> = (0..90).map(sample).collect();
        Flatness::of(&samples, Duration::from_secs(90)).unwrap()
    }

    #[test]
    fn what_grows_while_it_warms_up_is_flat() {
        let flat = of(|number| if number < 30 { 10.0 } else { 60.0 });
        assert!(flat.is_flat(), "{flat:?}");
        assert!((flat.growth_mib).abs() < 1e-9);
        assert_eq!(flat.second.descriptors, 45);
    }

    #[test]
    fn what_grows_steadily_is_not() {
        let grows = of(|number| 50.0 + f64::from(number) * 0.2);
        assert!(!grows.is_flat(), "{grows:?}");
        assert!((grows.growth_mib - 6.0).abs() < 1e-9);
    }

    #[test]
    fn little_growth_of_much_and_much_growth_of_little_are_flat() {
        assert!(of(|number| 1000.0 + f64::from(number)).is_flat());
        assert!(of(|number| 1.0 + f64::from(number) / 50.0).is_flat());
    }

    #[test]
    fn one_peak_changes_nothing() {
        assert!(of(|number| if number == 75 { 900.0 } else { 50.0 }).is_flat());
    }

    #[test]
    fn a_third_without_samples_cannot_be_judged() {
        let samples = [(Duration::from_secs(1), Usage::default())];
        assert!(Flatness::of(&samples, Duration::from_secs(90)).is_none());
    }
}
