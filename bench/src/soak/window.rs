use core::time::Duration;
use std::collections::BTreeMap;

use super::{
    fault::{Fault, Readiness},
    judge::{Complaints, Side},
};

/// A fault that was on for a while, and what came of it.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) fault: Fault,
    pub(crate) on: Duration,
    pub(crate) off: Option<Duration>,
    /// How callers were refused because of it.
    pub(crate) failures: BTreeMap<(Side, String), u64>,
    /// From its end to the first certificate of somebody who had needed it.
    pub(crate) first_success: Option<Duration>,
    /// From its end to the last request that was refused because of it.
    pub(crate) last_failure: Option<Duration>,
    /// What `/readyz` has said of the part, by server.
    pub(crate) readiness: BTreeMap<Side, Named>,
}

/// When `/readyz` named the part of a fault, and when no longer.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// From its beginning.
    pub(crate) after: Duration,
    pub(crate) reason: String,
    /// From its end.
    pub(crate) good_after: Option<Duration>,
}

impl Window {
    pub(crate) fn new(fault: Fault, on: Duration) -> Self {
        Self {
            fault,
            on,
            off: None,
            failures: BTreeMap::new(),
            first_success: None,
            last_failure: None,
            readiness: BTreeMap::new(),
        }
    }

    /// The fault is over.
    pub(crate) fn end(&mut self, off: Duration) {
        self.off = Some(off);
    }

    /// Whether a request of this time may fail because of it.
    pub(crate) fn may_fail(&self, sent: Duration, ended: Duration) -> bool {
        ended >= self.on && self.is_before_its_end(sent, self.fault.allowance())
    }

    /// Whether `/readyz` may say 503 at this time because of it.
    pub(crate) fn may_be_unready(&self, at: Duration) -> bool {
        let explains = match self.fault.readiness() {
            Readiness::Not(_) | Readiness::Open => true,
            Readiness::Named(_) | Readiness::Ready => false,
        };
        explains
            && at >= self.on
            && self.is_before_its_end(at, self.fault.allowance() + BETWEEN_TESTS)
    }

    fn is_before_its_end(&self, at: Duration, allowance: Duration) -> bool {
        self.off.is_none_or(|off| at <= off + allowance)
    }

    pub(crate) fn succeeded(&mut self, sent: Duration, ended: Duration) {
        if let Some(off) = self.off
            && sent >= off
            && self.first_success.is_none()
        {
            self.first_success = Some(ended.saturating_sub(off));
        }
    }

    pub(crate) fn failed(&mut self, side: Side, sent: Duration, text: &str) {
        *self.failures.entry((side, text.to_owned())).or_default() += 1;
        let after = self.off.map(|off| sent.saturating_sub(off));
        self.last_failure = self.last_failure.max(after);
    }

    /// `/readyz` gives this reason for the part, or none.
    pub(crate) fn told(&mut self, side: Side, at: Duration, reason: Option<&str>) {
        match (self.readiness.get_mut(&side), reason) {
            (None, Some(reason)) => {
                let named = Named {
                    after: at.saturating_sub(self.on),
                    reason: reason.to_owned(),
                    good_after: None,
                };
                self.readiness.insert(side, named);
            }
            (Some(named), None) if named.good_after.is_none() => {
                named.good_after = self.off.map(|off| at.saturating_sub(off));
            }
            _ => {}
        }
    }

    /// What is wrong with it when all is over.
    pub(crate) fn conclude(&self, complaints: &mut Complaints) {
        let fault = self.fault;
        let mut complain = |what: String| complaints.add(self.on, &format!("{fault}: {what}"));
        if fault.is_felt() && self.failures.is_empty() {
            complain("nobody felt it".to_owned());
        }
        if !fault.refusals().is_empty() && self.first_success.is_none() {
            complain("no certificate came any more".to_owned());
        }
        if !matches!(fault.readiness(), Readiness::Not(_) | Readiness::Named(_)) {
            return;
        }
        let sides = if fault.is_remote() {
            &Side::BOTH[..1]
        } else {
            &Side::BOTH[..]
        };
        for side in sides {
            match self.readiness.get(side) {
                None => complain(format!("/readyz of {side:?} did not name it")),
                Some(named) if named.good_after.is_none() => {
                    complain(format!("/readyz of {side:?} names it still"));
                }
                Some(_) => {}
            }
        }
    }
}

/// The key is tested every 5 s, and a test takes up to 5 s.
const BETWEEN_TESTS: Duration = Duration::from_secs(12);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn concluded(window: &Window) -> Vec<String> {
        let mut complaints = Complaints::default();
        window.conclude(&mut complaints);
        complaints.first
    }

    fn felt() -> Window {
        let mut window = Window::new(Fault::KeyErrors, at(10));
        window.failed(Side::Remote, at(11), "HTTP 500");
        window.told(Side::Remote, at(14), Some("the issuing key does not sign"));
        window.end(at(30));
        window.succeeded(at(30), at(31));
        window.told(Side::Remote, at(33), None);
        window
    }

    #[test]
    fn a_fault_that_was_felt_named_and_got_over_is_well() {
        let window = felt();
        assert_eq!(concluded(&window), Vec::<String>::new());
        let named = &window.readiness[&Side::Remote];
        assert_eq!((named.after, named.good_after), (at(4), Some(at(3))));
    }

    #[test]
    fn a_fault_that_nobody_felt_or_readyz_did_not_name_is_told_of() {
        let mut window = Window::new(Fault::KeyErrors, at(10));
        window.end(at(30));
        let told = concluded(&window).join("\n");
        assert!(told.contains("nobody felt it"), "{told}");
        assert!(told.contains("did not name it"), "{told}");
        assert!(told.contains("no certificate came any more"), "{told}");
        let mut window = felt();
        window.readiness.get_mut(&Side::Remote).unwrap().good_after = None;
        assert!(concluded(&window)[0].contains("names it still"));
    }

    #[test]
    fn a_fault_of_both_must_be_named_by_both() {
        let mut window = Window::new(Fault::ProviderDown, at(10));
        window.told(Side::Local, at(12), Some("its keys could not be fetched"));
        window.end(at(30));
        window.told(Side::Local, at(40), None);
        assert_eq!(concluded(&window).len(), 1);
    }

    #[test]
    fn readyz_may_be_unready_only_because_of_what_stops_issuing() {
        let mut window = felt();
        assert!(window.may_be_unready(at(20)) && window.may_be_unready(at(40)));
        assert!(!window.may_be_unready(at(9)) && !window.may_be_unready(at(50)));
        window.fault = Fault::ProviderDown;
        assert!(!window.may_be_unready(at(20)));
    }
}
