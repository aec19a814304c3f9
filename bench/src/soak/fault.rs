use core::{fmt, time::Duration};

use clap::ValueEnum;

/// What is done to the servers' surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fault {
    LogDown,
    LogHangs,
    LogSlow,
    LogErrors,
    LogResets,
    LogGarbage,
    KeySlow,
    KeyErrors,
    KeyHangs,
    KeyWrong,
    ProviderDown,
    ProviderHangs,
    ProviderRotates,
    ProviderRotatesAway,
    ConfigChanged,
    Hangup,
    ConfigBad,
}

/// What a request may need besides the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The issuing key in the key service, of the server that has one.
    Key,
    /// The log behind a URL, of the server that has one.
    Log,
    /// Nothing that the fault touches: every failure is the server's.
    Nothing,
    /// The keys of the provider that the faults befall.
    Provider,
}

/// How a caller is refused: the status of HTTP, the code of gRPC, and the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) http: u16,
    pub(crate) grpc: u8,
    pub(crate) text: &'static str,
}

/// What `/readyz` has to say while a fault is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// The part of this name is the reason for 503.
    Not(&'static str),
    /// The part of this name has a reason, with 200.
    Named(&'static str),
    /// Nothing is demanded: the log answers, and what it answers is about one certificate.
    Open,
    /// It stays 200.
    Ready,
}

impl Fault {
    /// Those of the log and the key, one after another.
    pub(crate) const REMOTE: [Self; 10] = [
        Self::LogDown,
        Self::KeySlow,
        Self::LogHangs,
        Self::KeyErrors,
        Self::LogSlow,
        Self::KeyHangs,
        Self::LogErrors,
        Self::KeyWrong,
        Self::LogResets,
        Self::LogGarbage,
    ];

    /// Those of the provider and of the configuration, at the same time.
    pub(crate) const SHARED: [Self; 7] = [
        Self::ProviderDown,
        Self::ConfigChanged,
        Self::ProviderRotates,
        Self::ProviderHangs,
        Self::Hangup,
        Self::ProviderRotatesAway,
        Self::ConfigBad,
    ];

    pub(crate) fn need(self) -> Need {
        match self {
            Self::LogDown
            | Self::LogHangs
            | Self::LogErrors
            | Self::LogResets
            | Self::LogGarbage => Need::Log,
            Self::KeyErrors | Self::KeyHangs | Self::KeyWrong => Need::Key,
            Self::ProviderRotates | Self::ProviderRotatesAway => Need::Provider,
            Self::LogSlow
            | Self::KeySlow
            | Self::ProviderDown
            | Self::ProviderHangs
            | Self::ConfigChanged
            | Self::Hangup
            | Self::ConfigBad => Need::Nothing,
        }
    }

    /// How long it is on; a rotation is over at once.
    pub(crate) fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::ProviderRotates => 0,
            // A fetch takes 10 s until it is given up, and comes up to 10 s late.
            Self::ProviderHangs => 35,
            _ => 20,
        })
    }

    /// How long after its end requests may still be refused because of it, by docs/operating.md,
    /// docs/transparency.md and docs/signing-keys.md.
    pub(crate) fn allowance(self) -> Duration {
        Duration::from_secs(match self.need() {
            // Probes of a breaker are up to a minute apart, and one submission tries the log then.
            Need::Log => match self {
                Self::LogErrors | Self::LogGarbage => 2,
                _ => 62,
            },
            // Nothing is remembered of a failure.
            Need::Key => 2,
            // Keys are fetched again at most once in 10 s.
            Need::Provider => 12,
            Need::Nothing => 0,
        })
    }

    /// How callers may be refused because of it.
    pub(crate) fn refusals(self) -> &'static [Refusal] {
        match self {
            Self::LogDown | Self::LogHangs | Self::LogResets => &[LOG_AWAY, BUSY, LATE],
            Self::LogErrors | Self::LogGarbage => &[LOG_REFUSES, BUSY, LATE],
            Self::KeyErrors | Self::KeyHangs | Self::KeyWrong => &[KEY, BUSY, LATE],
            Self::ProviderRotates | Self::ProviderRotatesAway => &[TOKEN],
            Self::LogSlow
            | Self::KeySlow
            | Self::ProviderDown
            | Self::ProviderHangs
            | Self::ConfigChanged
            | Self::Hangup
            | Self::ConfigBad => &[],
        }
    }

    /// Whether a run in which nobody was refused because of it has not tried it.
    pub(crate) fn is_felt(self) -> bool {
        !self.refusals().is_empty() && self != Self::ProviderRotates
    }

    pub(crate) fn readiness(self) -> Readiness {
        match self {
            Self::LogDown | Self::LogHangs | Self::LogResets => Readiness::Not("ct-log"),
            Self::LogErrors | Self::LogGarbage => Readiness::Open,
            Self::KeyErrors | Self::KeyHangs | Self::KeyWrong => Readiness::Not("signer"),
            Self::ProviderDown | Self::ProviderHangs | Self::ProviderRotatesAway => {
                Readiness::Named("issuer")
            }
            Self::LogSlow
            | Self::KeySlow
            | Self::ProviderRotates
            | Self::ConfigChanged
            | Self::Hangup
            | Self::ConfigBad => Readiness::Ready,
        }
    }

    /// Whether it befalls only the server with the log and the key elsewhere.
    pub(crate) fn is_remote(self) -> bool {
        Self::REMOTE.contains(&self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LogDown => "log down",
            Self::LogHangs => "log hangs",
            Self::LogSlow => "log takes 1 s",
            Self::LogErrors => "log answers 500",
            Self::LogResets => "log takes entries and resets",
            Self::LogGarbage => "log answers garbage",
            Self::KeySlow => "key service takes 300 ms",
            Self::KeyErrors => "key service answers 500",
            Self::KeyHangs => "key service hangs",
            Self::KeyWrong => "key service signs with another key",
            Self::ProviderDown => "provider down",
            Self::ProviderHangs => "provider hangs",
            Self::ProviderRotates => "provider has new keys",
            Self::ProviderRotatesAway => "provider has new keys while it is down",
            Self::ConfigChanged => "configuration changed by rename",
            Self::Hangup => "SIGHUP",
            Self::ConfigBad => "configuration bad",
        })
    }
}

pub(crate) const BUSY: Refusal = Refusal {
    http: 503,
    grpc: 14,
    text: "the server is busy, try again",
};
pub(crate) const KEY: Refusal = Refusal {
    http: 500,
    grpc: 13,
    text: "error communicating with CA backend",
};
const LATE: Refusal = Refusal {
    http: 503,
    grpc: 14,
    text: "the request took too long, try again",
};
pub(crate) const LOG_AWAY: Refusal = Refusal {
    http: 503,
    grpc: 14,
    text: "Error entering certificate in CTL",
};
pub(crate) const LOG_REFUSES: Refusal = Refusal {
    http: 500,
    grpc: 13,
    text: "Error entering certificate in CTL",
};
/// What a forged token hears as well.
pub(crate) const TOKEN: Refusal = Refusal {
    http: 400,
    grpc: 3,
    text: "There was an error processing the identity token",
};
