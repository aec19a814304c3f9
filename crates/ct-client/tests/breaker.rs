//! A breaker before a log, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::{num::NonZeroUsize, time::Duration};
use std::sync::{Arc, Mutex};

use fulcio_ct_client::{
    Breaker, BreakerOptions, BreakerState, Entry, Error, Failure, FetchingRoots, LogObserver,
    Observed, RemoteLog, SignedCertificateTimestamp, Submission, Submitting, TransparencyLog,
};
use fulcio_testkit::log::{Behaviour, FakeLog};
use pki_types::CertificateDer;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

const OPTIONS: BreakerOptions = BreakerOptions {
    failures: NonZeroUsize::new(3).unwrap(),
    window: Duration::from_secs(60),
    first_wait: Duration::from_secs(5),
    longest_wait: Duration::from_secs(20),
};

async fn submit(log: &dyn TransparencyLog) -> Result<SignedCertificateTimestamp, Error> {
    log.submit(Submission {
        entry: Entry::Certificate(b"certificate"),
        certificate: &CertificateDer::from_slice(b"certificate"),
        issuers: &[],
    })
    .await
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A log that does as it is told, behind a breaker.
fn guarded(behaviour: Behaviour) -> (Arc<FakeLog>, Breaker<Arc<FakeLog>>) {
    let log = Arc::new(FakeLog::new());
    log.behave(behaviour);
    (Arc::clone(&log), Breaker::new("log", log, OPTIONS))
}

/// The same, opened.
async fn opened() -> (Arc<FakeLog>, Breaker<Arc<FakeLog>>) {
    let (log, breaker) = guarded(Behaviour::Unavailable);
    for _ in 0..3 {
        submit(&breaker).await.unwrap_err();
    }
    assert!(matches!(breaker.state(), BreakerState::Open { .. }));
    (log, breaker)
}

#[tokio::test(start_paused = true)]
async fn opens_after_failures_in_a_row_and_then_answers_at_once() {
    let (log, breaker) = opened().await;
    assert_eq!(log.submissions(), 3);
    sleep(seconds(2)).await;
    let begun = Instant::now();
    let error = submit(&breaker).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(matches!(error, Error::BreakerOpen { .. }), "{error:?}");
    assert_eq!(error.failure(), Failure::Unavailable);
    assert_eq!(error.retry_after(), Some(seconds(3)));
    assert_eq!(log.submissions(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_good_answer_between_failures_keeps_it_closed() {
    let (log, breaker) = guarded(Behaviour::Unavailable);
    for _ in 0..5 {
        log.behave(Behaviour::Unavailable);
        for _ in 0..2 {
            submit(&breaker).await.unwrap_err();
        }
        log.behave(Behaviour::Promise);
        submit(&breaker).await.unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_is_there() {
    let (log, breaker) = guarded(Behaviour::Refuse);
    for _ in 0..20 {
        let error = submit(&breaker).await.unwrap_err();
        assert!(matches!(error, Error::Backend { .. }));
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(log.submissions(), 20);
}

#[tokio::test(start_paused = true)]
async fn refusals_in_a_row_are_told_until_one_is_taken_or_a_while_has_passed() {
    let (log, breaker) = guarded(Behaviour::Refuse);
    for refused in 0..3 {
        assert!(!breaker.is_refusing(), "{refused}");
        submit(&breaker).await.unwrap_err();
    }
    assert!(breaker.is_refusing());
    log.behave(Behaviour::Promise);
    submit(&breaker).await.unwrap();
    assert!(!breaker.is_refusing());

    log.behave(Behaviour::Refuse);
    for _ in 0..5 {
        submit(&breaker).await.unwrap_err();
    }
    assert!(breaker.is_refusing());
    sleep(seconds(61)).await;
    assert!(!breaker.is_refusing());
    for refused in 0..3 {
        assert!(!breaker.is_refusing(), "{refused}");
        submit(&breaker).await.unwrap_err();
    }
    assert!(breaker.is_refusing());
}

#[tokio::test(start_paused = true)]
async fn failures_far_apart_do_not_open_it() {
    let (_log, breaker) = guarded(Behaviour::Unavailable);
    for _ in 0..10 {
        submit(&breaker).await.unwrap_err();
        sleep(seconds(31)).await;
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn probes_at_growing_intervals_while_the_log_is_away() {
    let (log, breaker) = opened().await;
    let mut probes = Vec::new();
    sleep(Duration::from_millis(500)).await;
    for second in 0..70 {
        sleep(seconds(1)).await;
        if log.probes() > probes.len() {
            probes.push(second + 1);
        }
    }
    // After 5, 10, 20 and again 20 seconds.
    assert_eq!(probes, [5, 15, 35, 55]);
    assert_eq!(log.submissions(), 3);
    assert!(submit(&breaker).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn closes_when_the_log_is_back_and_takes_a_certificate() {
    let (log, breaker) = opened().await;
    log.behave(Behaviour::Promise);
    sleep(Duration::from_millis(5001)).await;
    assert_eq!(log.probes(), 1);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    submit(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // The failures from before are forgotten.
    log.behave(Behaviour::Unavailable);
    for _ in 0..2 {
        submit(&breaker).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn half_open_it_lets_one_submission_through_at_a_time() {
    let (log, breaker) = opened().await;
    log.behave(Behaviour::PromiseAfter(seconds(4)));
    sleep(seconds(6)).await;
    let begun = Instant::now();
    let (first, second) = tokio::join!(submit(&breaker), async {
        sleep(seconds(1)).await;
        let answer = submit(&breaker).await;
        (answer, begun.elapsed())
    });
    first.unwrap();
    assert_eq!(log.submissions(), 4);
    let (answer, at) = second;
    assert!(matches!(answer.unwrap_err(), Error::BreakerOpen { .. }));
    assert_eq!(at, seconds(1));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn opens_again_when_the_log_answers_probes_only() {
    // As CTFE does whose storage is away: it knows its roots and takes nothing.
    #[derive(Debug)]
    struct Halfway;
    impl TransparencyLog for Halfway {
        fn submit<'a>(&'a self, _submission: Submission<'a>) -> Submitting<'a> {
            Box::pin(core::future::ready(Err(Error::backend(
                Failure::Unavailable,
                "no storage",
            ))))
        }
    }
    impl RemoteLog for Halfway {
        fn roots(&self) -> FetchingRoots<'_> {
            Box::pin(core::future::ready(Ok(None)))
        }
    }
    let breaker = Breaker::new("log", Halfway, OPTIONS);
    for _ in 0..3 {
        submit(&breaker).await.unwrap_err();
    }
    for wait in [5, 10, 20, 20] {
        let BreakerState::Open { retry_after } = breaker.state() else {
            panic!("{:?}", breaker.state());
        };
        assert_eq!(retry_after, seconds(wait));
        sleep(retry_after + Duration::from_millis(1)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        let error = submit(&breaker).await.unwrap_err();
        assert!(matches!(error, Error::Backend { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_leaves_the_try_to_the_next() {
    let (log, breaker) = opened().await;
    log.behave(Behaviour::PromiseAfter(seconds(4)));
    sleep(seconds(6)).await;
    timeout(seconds(1), submit(&breaker)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    submit(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_began_before_it_opened_changes_nothing_after() {
    let (log, breaker) = guarded(Behaviour::PromiseAfter(seconds(2)));
    let late = async { submit(&breaker).await.unwrap() };
    let failing = async {
        sleep(seconds(1)).await;
        log.behave(Behaviour::Unavailable);
        for _ in 0..3 {
            submit(&breaker).await.unwrap_err();
        }
    };
    tokio::join!(late, failing);
    assert!(matches!(breaker.state(), BreakerState::Open { .. }));
}

#[tokio::test(start_paused = true)]
async fn leaves_a_log_alone_for_the_time_it_asks_for_up_to_a_limit() {
    #[derive(Debug)]
    struct Busy(u64);
    impl TransparencyLog for Busy {
        fn submit<'a>(&'a self, _submission: Submission<'a>) -> Submitting<'a> {
            let last = Error::Status {
                body: String::new(),
                retry_after: Some(seconds(self.0)),
                status: 503,
            };
            Box::pin(core::future::ready(Err(Error::Deadline {
                timeout: seconds(10),
                last: Some(Box::new(last)),
            })))
        }
    }
    impl RemoteLog for Busy {
        fn roots(&self) -> FetchingRoots<'_> {
            Box::pin(core::future::ready(Ok(None)))
        }
    }
    for (asked, waits) in [(1, 5), (12, 12), (3600, 20)] {
        let breaker = Breaker::new("log", Busy(asked), OPTIONS);
        for _ in 0..3 {
            submit(&breaker).await.unwrap_err();
        }
        let retry_after = seconds(waits);
        assert_eq!(breaker.state(), BreakerState::Open { retry_after });
    }
}

#[tokio::test(start_paused = true)]
async fn probing_ends_with_the_breaker() {
    let (log, breaker) = opened().await;
    drop(breaker);
    sleep(seconds(600)).await;
    assert_eq!(log.probes(), 0);
    assert_eq!(Arc::strong_count(&log), 1);
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_answers_and_of_every_change() {
    #[derive(Debug, Default)]
    struct Watcher(Mutex<Vec<String>>);
    impl LogObserver for Watcher {
        fn answered(&self, outcome: Result<(), &Error>, after: Duration) {
            let outcome = outcome.map_or_else(Error::reason, |()| "accepted");
            let told = format!("{outcome} after {} s", after.as_secs());
            self.0.lock().unwrap().push(told);
        }
        fn breaker(&self, state: BreakerState) {
            self.0.lock().unwrap().push(format!("{state:?}"));
        }
    }
    let watcher = Arc::new(Watcher::default());
    let log = Arc::new(FakeLog::new());
    let observer = || Arc::clone(&watcher) as Arc<dyn LogObserver>;
    let breaker = Breaker::observed_by(observer(), "log", Arc::clone(&log), OPTIONS);
    let observed = Observed::new(breaker, observer());
    log.behave(Behaviour::Unavailable);
    for _ in 0..4 {
        submit(&observed).await.unwrap_err();
    }
    log.behave(Behaviour::PromiseAfter(seconds(2)));
    sleep(seconds(6)).await;
    submit(&observed).await.unwrap();
    assert_eq!(
        *watcher.0.lock().unwrap(),
        [
            "Closed",
            "unavailable after 0 s",
            "unavailable after 0 s",
            "Open { retry_after: 5s }",
            "unavailable after 0 s",
            "breaker-open after 0 s",
            "HalfOpen",
            "Closed",
            "accepted after 2 s",
        ]
    );
}

// --- A model ----------------------------------------------------------------------------------

/// What may happen to a breaker, one thing after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A submission that would end like this if it were let through.
    Submit(Behaviour),
    /// So many seconds go by while the log is there, or not.
    Wait { seconds: u64, there: bool },
}

/// The same rules, written down in whole seconds and without tasks.
#[derive(Debug)]
enum Model {
    Closed(Vec<u64>),
    HalfOpen { wait: u64 },
    Open { probe: u64, wait: u64 },
}

impl Model {
    fn open(now: u64, wait: u64) -> Self {
        Self::Open {
            probe: now + wait,
            wait: (2 * wait).min(OPTIONS.longest_wait.as_secs()),
        }
    }

    /// Whether the log is asked.
    fn submit(&mut self, now: u64, behaviour: Behaviour) -> bool {
        let available = behaviour != Behaviour::Unavailable;
        match self {
            Self::Open { .. } => return false,
            Self::Closed(failures) if available => failures.clear(),
            Self::Closed(failures) => {
                failures.push(now);
                failures.retain(|failure| now - failure <= OPTIONS.window.as_secs());
                if failures.len() >= OPTIONS.failures.get() {
                    *self = Self::open(now, OPTIONS.first_wait.as_secs());
                }
            }
            Self::HalfOpen { .. } if available => *self = Self::Closed(Vec::new()),
            Self::HalfOpen { wait } => *self = Self::open(now, *wait),
        }
        true
    }

    /// One second goes by.
    fn second(&mut self, now: u64, there: bool) {
        if let Self::Open { probe, wait } = *self
            && probe == now
        {
            *self = if there {
                Self::HalfOpen { wait }
            } else {
                Self::open(now, wait)
            };
        }
    }

    fn state(&self, now: u64) -> BreakerState {
        match self {
            Self::Closed(_) => BreakerState::Closed,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
            Self::Open { probe, .. } => BreakerState::Open {
                retry_after: seconds(probe - now),
            },
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Submit(Behaviour::Promise)),
        1 => Just(Step::Submit(Behaviour::Refuse)),
        6 => Just(Step::Submit(Behaviour::Unavailable)),
        3 => (1..70_u64, any::<bool>()).prop_map(|(seconds, there)| Step::Wait { seconds, there }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn does_what_its_model_does(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (log, breaker) = guarded(Behaviour::Promise);
            let (mut model, mut now) = (Model::Closed(Vec::new()), 0);
            for step in steps {
                match step {
                    Step::Submit(behaviour) => {
                        log.behave(behaviour);
                        let before = log.submissions();
                        let answer = submit(&breaker).await;
                        let asked = model.submit(now, behaviour);
                        prop_assert_eq!(log.submissions() - before, usize::from(asked));
                        prop_assert_eq!(
                            matches!(answer, Err(Error::BreakerOpen { .. })),
                            !asked
                        );
                    }
                    Step::Wait { seconds: wait, there } => {
                        log.behave(if there { Behaviour::Promise } else { Behaviour::Unavailable });
                        for _ in 0..wait {
                            sleep(seconds(1)).await;
                            // Whoever else wakes now has its turn.
                            for _ in 0..4 {
                                tokio::task::yield_now().await;
                            }
                            now += 1;
                            model.second(now, there);
                        }
                    }
                }
                prop_assert_eq!(breaker.state(), model.state(now));
            }
            Ok(())
        })?;
    }
}
