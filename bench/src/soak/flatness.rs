use serde::Serialize;

/// What a server had of the machine at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    pub(crate) memory_mib: f64,
    /// The part of it that comes from no file.
    pub(crate) own_mib: f64,
    pub(crate) threads: u64,
    pub(crate) descriptors: u64,
}

impl Usage {
    /// The one of both with less memory of its own.
    pub(crate) fn or_less(self, other: Self) -> Self {
        if other.own_mib < self.own_mib {
            other
        } else {
            self
        }
    }
}

/// Whether the server's own memory was flat: the least that it had at rest, behind each part of the run. While it works
/// its memory follows how many requests wait, and says little; at rest as well it goes up and down by 2 MiB, as the
/// allocator gives back late, but what is in use is never more than the least. The pages of the program do not count:
/// how many of them are mapped is for the kernel to decide.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Flatness {
    pub(crate) rests: Vec<Usage>,
    /// From the first rest, which is behind the warming up, to the last.
    pub(crate) growth_mib: f64,
    pub(crate) growth_percent: f64,
}

impl Flatness {
    /// `None` when there are not two rests to be compared.
    pub(crate) fn of(rests: &[Usage]) -> Option<Self> {
        let [first, .., last] = rests else {
            return None;
        };
        let growth_mib = last.own_mib - first.own_mib;
        Some(Self {
            rests: rests.to_vec(),
            growth_mib,
            growth_percent: 100.0 * growth_mib / first.own_mib,
        })
    }

    /// Growth of more than 5 %, and of more than 2 MiB, is not flat.
    pub(crate) fn is_flat(&self) -> bool {
        self.growth_percent <= 5.0 || self.growth_mib <= 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(own_mib: f64) -> Usage {
        Usage {
            memory_mib: own_mib + 16.0,
            own_mib,
            threads: 5,
            descriptors: 40,
        }
    }

    fn of(own: &[f64]) -> Option<Flatness> {
        Flatness::of(&own.iter().copied().map(usage).collect::<Vec<_>>())
    }

    #[test]
    fn what_grows_from_rest_to_rest_is_not_flat() {
        let grows = of(&[30.0, 33.0, 36.0]).unwrap();
        assert!(!grows.is_flat(), "{grows:?}");
        assert!((grows.growth_mib - 6.0).abs() < 1e-9);
        assert!((grows.growth_percent - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_given_back_is_flat() {
        assert!(of(&[30.0, 50.0, 31.0]).unwrap().is_flat());
        assert!(of(&[50.0, 30.0, 30.0]).unwrap().is_flat());
    }

    #[test]
    fn little_growth_of_much_and_much_growth_of_little_are_flat() {
        assert!(of(&[1000.0, 1010.0, 1040.0]).unwrap().is_flat());
        assert!(of(&[1.0, 2.0, 2.9]).unwrap().is_flat());
    }

    #[test]
    fn more_of_the_program_is_no_growth() {
        let (first, mut last) = (usage(14.0), usage(14.0));
        last.memory_mib += 10.0;
        assert!(Flatness::of(&[first, last]).unwrap().is_flat());
    }

    #[test]
    fn less_is_what_has_less_memory_of_its_own_with_its_threads() {
        let more = usage(14.0);
        let less = Usage {
            memory_mib: 40.0,
            threads: 8,
            descriptors: 50,
            ..usage(13.0)
        };
        assert_eq!(more.or_less(less), less);
        assert_eq!(less.or_less(more), less);
    }

    #[test]
    fn one_rest_cannot_be_compared() {
        assert_eq!(of(&[30.0]), None);
        assert_eq!(of(&[]), None);
    }
}
