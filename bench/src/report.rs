use serde::{Deserialize, Serialize};

use crate::{case::Case, floor::Floor, load::Sample};

/// All that one run of the comparison found; what the page is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it began (RFC 3339).
    pub(crate) date: String,
    pub(crate) took_seconds: u64,
    pub(crate) machine: Machine,
    pub(crate) versions: Vec<Version>,
    pub(crate) connections: usize,
    pub(crate) floor: Floor,
    pub(crate) generator: Vec<Generator>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) memory: Vec<Footprint>,
    pub(crate) starts: Vec<Pair<f64>>,
    pub(crate) equal_load: Vec<EqualLoad>,
    pub(crate) cores: Vec<Cores>,
    pub(crate) slow_signer: Option<SlowKey>,
    pub(crate) logs: Vec<LogRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) of: String,
    pub(crate) is: String,
}

/// The same of both servers, measured one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair<T> {
    pub(crate) ours: T,
    pub(crate) fulcio: T,
}

/// The load generator before a server that answers the same bytes each time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Generator {
    pub(crate) what: String,
    pub(crate) rounds: Vec<Sample>,
}

/// Processor time of a certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) case: Case,
    /// What the project wants to reach: ours divided by Fulcio's, at most.
    pub(crate) reach: Option<f64>,
    pub(crate) rounds: Vec<Pair<Sample>>,
}

/// Memory in MiB, each time of a fresh process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Footprint {
    /// Started, and asked for `/healthz` once.
    pub(crate) idle: Pair<f64>,
    /// With 1,000 connections, each of which has had one certificate.
    pub(crate) connected: Pair<f64>,
    /// The most that it ever was.
    pub(crate) peak: Pair<f64>,
}

/// How long certificates take when both have the same to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EqualLoad {
    pub(crate) case: Case,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) rounds: Vec<Pair<Sample>>,
}

/// Throughput with one core and with two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cores {
    pub(crate) case: Case,
    pub(crate) one: Vec<Pair<Sample>>,
    pub(crate) two: Vec<Pair<Sample>>,
}

/// A key whose signatures take long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SlowKey {
    pub(crate) millis: u64,
    pub(crate) connections: usize,
    /// Requests that the server said it was answering, at most.
    pub(crate) in_flight: f64,
    /// Threads of the server, at most.
    pub(crate) threads: u64,
    pub(crate) sample: Sample,
}

/// Issuance through a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogRow {
    pub(crate) what: String,
    /// Requests a second; as fast as it goes without it.
    pub(crate) rate: Option<f64>,
    pub(crate) connections: usize,
    pub(crate) rounds: Vec<Sample>,
}

/// The middle of several figures, and between which they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Nothing of no figures.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<_> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        let (low, high) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Some(Self {
            median: f64::midpoint(low, high),
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        let spread = Spread::of([4.0, 1.0, 10.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 3.0, 10.0));
        assert_eq!(Spread::of([7.0, 1.0, 2.0]).unwrap().median, 2.0);
        assert!(Spread::of([]).is_none());
    }
}
