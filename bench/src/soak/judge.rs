use core::time::Duration;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

use super::{
    fault::{BUSY, Fault, LOG_REFUSES, Need, Refusal, TOKEN},
    window::Window,
};
use crate::case::Api;

/// Which of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Side {
    /// With an RFC 6962 log and a key service, both behind doors of ours.
    Remote,
    /// With everything inside.
    Local,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Remote, Self::Local];
}

/// A request that has been answered, or not; times are from the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) side: Side,
    pub(crate) api: Api,
    /// Whether its token is of the provider that the faults befall.
    pub(crate) troubled: bool,
    /// When it was due.
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Issued,
    /// The status of HTTP or the code of gRPC, and the text.
    Refused(u16, String),
    /// No answer, or none that can be read.
    Broken(String),
}

/// What happened in one second to the requests that were due in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Second {
    pub(crate) issued: u64,
    pub(crate) refused: u64,
    pub(crate) broken: u64,
}

/// Tells failures that a fault explains from those that are ours.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    pub(crate) windows: Vec<Window>,
    pub(crate) seconds: BTreeMap<Side, Vec<Second>>,
    /// Forged tokens that were refused as they should be.
    pub(crate) forged: u64,
    /// How often the log has failed by itself, and how many of the refusals of it were put down to that.
    pub(crate) log_faults: Arc<AtomicU64>,
    pub(crate) by_the_log_itself: u64,
    /// When the disk took long, by itself; and how many of the refusals of the server that syncs were put down to that.
    pub(crate) stalls: Vec<(Duration, Duration)>,
    pub(crate) by_the_disk_itself: u64,
    /// Refusals of that server for want of room. Whether the disk explains them is known later.
    crowded: Vec<Asked>,
    pub(crate) complaints: Complaints,
}

/// What is wrong, and is ours.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) first: Vec<String>,
}

impl Complaints {
    pub(crate) fn add(&mut self, at: Duration, what: &str) {
        self.count += 1;
        if self.first.len() < SHOWN {
            let line = format!("{:.3} s: {what}", at.as_secs_f64());
            eprintln!("soak: {line}");
            self.first.push(line);
        }
    }
}

impl Judge {
    /// A fault is on from now on; gives the number of its window.
    pub(crate) fn begin(&mut self, fault: Fault, on: Duration) -> usize {
        self.windows.push(Window::new(fault, on));
        self.windows.len() - 1
    }

    /// Judges the outcome of a request for a certificate.
    pub(crate) fn note(&mut self, asked: Asked, outcome: &Outcome) {
        let second = usize::try_from(asked.sent.as_secs()).unwrap_or(usize::MAX);
        let seconds = self.seconds.entry(asked.side).or_default();
        if seconds.len() <= second {
            seconds.resize(second + 1, Second::default());
        }
        match outcome {
            Outcome::Issued => seconds[second].issued += 1,
            Outcome::Refused(..) => seconds[second].refused += 1,
            Outcome::Broken(_) => seconds[second].broken += 1,
        }
        if asked.ended.saturating_sub(asked.sent) > DEADLINE {
            let took = asked.ended.saturating_sub(asked.sent);
            let what = format!("{asked:?} took {took:.1?}: {outcome:?}");
            self.complaints.add(asked.sent, &what);
        }
        if *outcome == Outcome::Issued {
            for window in &mut self.windows {
                if needs(asked, window.fault) {
                    window.succeeded(asked.sent, asked.ended);
                }
            }
            return;
        }
        let explained = self.windows.iter_mut().rev().find(|window| {
            let refusals = window.fault.refusals();
            needs(asked, window.fault)
                && window.may_fail(asked.sent, asked.ended)
                && refusals
                    .iter()
                    .any(|refusal| is(outcome, asked.api, *refusal))
        });
        match explained {
            Some(window) => window.failed(asked.side, asked.sent, &text(asked.api, outcome)),
            None if asked.side == Side::Remote
                && is(outcome, asked.api, LOG_REFUSES)
                && self.by_the_log_itself < self.log_faults.load(Ordering::SeqCst) =>
            {
                self.by_the_log_itself += 1;
            }
            None if asked.side == Side::Local && is(outcome, asked.api, BUSY) => {
                self.crowded.push(asked);
            }
            None => {
                let what = format!("{asked:?}: {outcome:?}");
                self.complaints.add(asked.sent, &what);
            }
        }
    }

    /// Judges what could not be judged before the end.
    pub(crate) fn conclude(&mut self) {
        for window in &self.windows {
            window.conclude(&mut self.complaints);
        }
        for asked in core::mem::take(&mut self.crowded) {
            let mut stalls = self.stalls.iter();
            if stalls.any(|(from, to)| asked.sent <= *to + CATCHING_UP && asked.ended >= *from) {
                self.by_the_disk_itself += 1;
            } else {
                let what = format!("{asked:?}: there was no room for it");
                self.complaints.add(asked.sent, &what);
            }
        }
    }

    /// Judges the answer to a token that nobody has issued.
    pub(crate) fn note_forged(&mut self, asked: Asked, outcome: &Outcome) {
        if is(outcome, asked.api, TOKEN) {
            self.forged += 1;
            return;
        }
        // What refuses a good token before it is looked at may refuse this one.
        let busy = matches!(outcome, Outcome::Refused(503 | 14, _));
        let excused = busy
            && self
                .windows
                .iter()
                .any(|window| window.may_fail(asked.sent, asked.ended));
        if !excused {
            let what = format!("a forged token: {asked:?}: {outcome:?}");
            self.complaints.add(asked.sent, &what);
        }
    }
}

fn needs(asked: Asked, fault: Fault) -> bool {
    match fault.need() {
        Need::Key | Need::Log => asked.side == Side::Remote,
        Need::Nothing => false,
        Need::Provider => asked.troubled,
    }
}

fn is(outcome: &Outcome, api: Api, refusal: Refusal) -> bool {
    let Outcome::Refused(code, text) = outcome else {
        return false;
    };
    let expected = match api {
        Api::Grpc => u16::from(refusal.grpc),
        Api::V1 | Api::V2 => refusal.http,
    };
    *code == expected && text == refusal.text
}

fn text(api: Api, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(code, _) => match api {
            Api::Grpc => format!("gRPC {code}"),
            Api::V1 | Api::V2 => format!("HTTP {code}"),
        },
        Outcome::Issued => "issued".to_owned(),
        Outcome::Broken(text) => text.clone(),
    }
}

/// The whole request may take 12 s (docs/operating.md); the rest is for a busy machine.
const DEADLINE: Duration = Duration::from_secs(14);

/// How long after the disk has come back there may be no room yet.
const CATCHING_UP: Duration = Duration::from_secs(1);

const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "Error entering certificate in CTL";

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn asked(side: Side, sent: f64, ended: f64) -> Asked {
        Asked {
            side,
            api: Api::V2,
            troubled: false,
            sent: at(sent),
            ended: at(ended),
        }
    }

    fn refused(code: u16, text: &str) -> Outcome {
        Outcome::Refused(code, text.to_owned())
    }

    /// A log that was down from 10 s to 30 s.
    fn judge() -> Judge {
        let mut judge = Judge::default();
        let number = judge.begin(Fault::LogDown, at(10.0));
        judge.windows[number].end(at(30.0));
        judge
    }

    fn complaints(asked: Asked, outcome: &Outcome) -> u64 {
        let mut judge = judge();
        judge.note(asked, outcome);
        judge.complaints.count
    }

    #[test]
    fn a_failure_is_explained_by_the_fault_of_what_it_needed() {
        let outcome = refused(503, LOG);
        assert_eq!(complaints(asked(Side::Remote, 15.0, 20.0), &outcome), 0);
        // It was sent before, and the fault found it on its way.
        assert_eq!(complaints(asked(Side::Remote, 9.9, 10.1), &outcome), 0);
        // The other server does not need that log.
        assert_eq!(complaints(asked(Side::Local, 15.0, 20.0), &outcome), 1);
    }

    #[test]
    fn a_failure_before_the_fault_or_long_after_it_is_ours() {
        let outcome = refused(503, LOG);
        assert_eq!(complaints(asked(Side::Remote, 9.0, 9.9), &outcome), 1);
        assert_eq!(complaints(asked(Side::Remote, 91.0, 91.1), &outcome), 0);
        assert_eq!(complaints(asked(Side::Remote, 92.5, 92.6), &outcome), 1);
    }

    #[test]
    fn another_status_or_text_than_the_documented_one_is_ours() {
        let one = asked(Side::Remote, 15.0, 15.1);
        assert_eq!(complaints(one, &refused(500, LOG)), 1);
        assert_eq!(complaints(one, &refused(503, "something else")), 1);
        assert_eq!(complaints(one, &Outcome::Broken("reset".to_owned())), 1);
        let grpc = Asked {
            api: Api::Grpc,
            ..one
        };
        assert_eq!(complaints(grpc, &refused(14, LOG)), 0);
        assert_eq!(complaints(grpc, &refused(503, LOG)), 1);
    }

    #[test]
    fn an_answer_after_the_deadline_is_ours_even_when_it_is_a_certificate() {
        assert_eq!(
            complaints(asked(Side::Remote, 15.0, 29.5), &refused(503, LOG)),
            1
        );
        assert_eq!(
            complaints(asked(Side::Remote, 1.0, 15.5), &Outcome::Issued),
            1
        );
        assert_eq!(
            complaints(asked(Side::Remote, 1.0, 2.0), &Outcome::Issued),
            0
        );
    }

    #[test]
    fn a_slow_log_explains_nothing() {
        let mut judge = Judge::default();
        judge.begin(Fault::LogSlow, at(10.0));
        judge.note(asked(Side::Remote, 15.0, 16.0), &refused(503, LOG));
        assert_eq!(judge.complaints.count, 1);
    }

    #[test]
    fn a_log_that_fails_by_itself_explains_as_many_refusals_as_it_has_failed() {
        let mut judge = judge();
        judge.log_faults.store(1, Ordering::SeqCst);
        let one = asked(Side::Remote, 1.0, 1.1);
        judge.note(one, &refused(503, LOG));
        judge.note(asked(Side::Local, 1.0, 1.1), &refused(500, LOG));
        assert_eq!((judge.by_the_log_itself, judge.complaints.count), (0, 2));
        judge.note(one, &refused(500, LOG));
        assert_eq!((judge.by_the_log_itself, judge.complaints.count), (1, 2));
        judge.note(one, &refused(500, LOG));
        assert_eq!((judge.by_the_log_itself, judge.complaints.count), (1, 3));
    }

    #[test]
    fn a_disk_that_takes_long_by_itself_explains_that_there_was_no_room() {
        let busy = refused(503, "the server is busy, try again");
        for (side, sent, excused, complaints) in [
            (Side::Local, 51.0, 1, 0),
            (Side::Local, 54.5, 0, 1),
            (Side::Local, 45.0, 0, 1),
            (Side::Remote, 51.0, 0, 1),
        ] {
            let mut judge = judge();
            judge.windows.clear();
            judge.note(asked(side, sent, sent + 2.0), &busy);
            judge.stalls.push((at(50.0), at(53.0)));
            judge.conclude();
            let told = (judge.by_the_disk_itself, judge.complaints.count);
            assert_eq!(told, (excused, complaints), "{side:?} {sent}");
        }
        let mut judge = judge();
        judge.stalls.push((at(50.0), at(53.0)));
        judge.note(asked(Side::Local, 51.0, 52.0), &refused(503, LOG));
        assert_eq!(judge.complaints.count, 1);
    }

    #[test]
    fn new_keys_explain_only_refusals_of_that_providers_tokens() {
        for (troubled, complaints) in [(true, 0), (false, 1)] {
            let mut judge = Judge::default();
            let number = judge.begin(Fault::ProviderRotates, at(10.0));
            judge.windows[number].end(at(10.0));
            let asked = Asked {
                troubled,
                ..asked(Side::Local, 15.0, 15.1)
            };
            judge.note(asked, &refused(400, TOKEN.text));
            assert_eq!(judge.complaints.count, complaints);
        }
    }

    #[test]
    fn the_way_back_is_measured_from_the_end_of_the_fault() {
        let mut judge = judge();
        judge.note(asked(Side::Remote, 12.0, 30.5), &Outcome::Issued);
        judge.note(asked(Side::Remote, 31.0, 31.5), &refused(503, LOG));
        judge.note(asked(Side::Remote, 32.0, 32.25), &Outcome::Issued);
        judge.note(asked(Side::Remote, 33.0, 33.1), &refused(503, LOG));
        judge.note(asked(Side::Local, 30.0, 30.1), &Outcome::Issued);
        let window = &judge.windows[0];
        assert_eq!(window.first_success, Some(at(2.25)));
        assert_eq!(window.last_failure, Some(at(3.0)));
        assert_eq!(window.failures[&(Side::Remote, "HTTP 503".to_owned())], 2);
        let seconds = &judge.seconds[&Side::Remote];
        assert_eq!((seconds[31].refused, seconds[32].issued), (1, 1));
    }

    #[test]
    fn who_gets_in_with_a_forged_token_is_told_of() {
        let mut judge = judge();
        let one = asked(Side::Remote, 15.0, 15.1);
        judge.note_forged(one, &refused(400, TOKEN.text));
        judge.note_forged(one, &refused(503, "the server is busy, try again"));
        assert_eq!((judge.forged, judge.complaints.count), (1, 0));
        judge.note_forged(one, &Outcome::Issued);
        judge.note_forged(
            asked(Side::Remote, 2.0, 2.1),
            &refused(503, "the server is busy, try again"),
        );
        assert_eq!(judge.complaints.count, 2);
    }
}
