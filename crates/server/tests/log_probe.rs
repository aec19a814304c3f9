//! What readiness says of logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use fulcio_api::{Part, Readiness};
use fulcio_ct_client::{Breaker, BreakerOptions, Entry, Submission, TransparencyLog as _};
use fulcio_server_core::{LogHealth, LogsHealth, Probe as _};
use fulcio_testkit::log::{Behaviour, FakeLog};
use pki_types::CertificateDer;

#[derive(Debug, Default)]
struct Switch(AtomicBool);

impl LogHealth for Switch {
    fn fault(&self) -> Option<String> {
        self.0
            .load(Ordering::SeqCst)
            .then(|| "switched off".to_owned())
    }
}

fn readiness(logs: &LogsHealth) -> Readiness {
    Readiness::new(logs.probes().map(|probe| probe.part()).collect())
}

#[test]
fn a_log_at_fault_stops_the_server_only_where_it_is_needed() {
    let switches = [(); 2].map(|()| Arc::new(Switch::default()));
    let logs = |needed| {
        let named = switches.iter().zip(["a", "b"]);
        let logs = named.map(|(log, name)| (name.to_owned(), Arc::clone(log) as _));
        LogsHealth::new(logs.collect(), needed)
    };
    assert!(readiness(&logs(2)).is_ready());
    switches[1].0.store(true, Ordering::SeqCst);
    let fault = Part::at_fault("ct-log b", "switched off");
    let both = readiness(&logs(2));
    assert!(!both.is_ready());
    assert_eq!(both.parts, [Part::ready("ct-log a"), fault.clone()]);
    let any = readiness(&logs(1));
    assert!(any.is_ready());
    assert_eq!(any.parts, [Part::ready("ct-log a"), fault.dispensable()]);
    switches[0].0.store(true, Ordering::SeqCst);
    assert!(!readiness(&logs(1)).is_ready());
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_a_fault_until_the_log_answers_again() {
    let log = Arc::new(FakeLog::new());
    let breaker = Breaker::new("log", Arc::clone(&log), BreakerOptions::default());
    let breaker = Arc::new(breaker);
    let logs = LogsHealth::new(vec![("log".to_owned(), Arc::clone(&breaker) as _)], 1);
    log.behave(Behaviour::Unavailable);
    let certificate = CertificateDer::from_slice(b"certificate");
    for _ in 0..5 {
        assert_eq!(readiness(&logs).parts, [Part::ready("ct-log")]);
        let submission = Submission {
            entry: Entry::Certificate(&certificate),
            certificate: &certificate,
            issuers: &[],
        };
        breaker.submit(submission).await.unwrap_err();
    }
    let fault = "the log does not answer; it is asked again in 5 s";
    assert_eq!(readiness(&logs).parts, [Part::at_fault("ct-log", fault)]);
    log.behave(Behaviour::Promise);
    tokio::time::sleep(core::time::Duration::from_secs(6)).await;
    assert!(readiness(&logs).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_everything_is_a_fault_until_it_takes_one() {
    let log = Arc::new(FakeLog::new());
    let breaker = Breaker::new("log", Arc::clone(&log), BreakerOptions::default());
    let breaker = Arc::new(breaker);
    let logs = LogsHealth::new(vec![("log".to_owned(), Arc::clone(&breaker) as _)], 1);
    let certificate = CertificateDer::from_slice(b"certificate");
    let submission = Submission {
        entry: Entry::Certificate(&certificate),
        certificate: &certificate,
        issuers: &[],
    };
    log.behave(Behaviour::Refuse);
    for _ in 0..5 {
        assert_eq!(readiness(&logs).parts, [Part::ready("ct-log")]);
        breaker.submit(submission).await.unwrap_err();
    }
    let fault = "the log answers, and refuses every certificate";
    assert_eq!(readiness(&logs).parts, [Part::at_fault("ct-log", fault)]);
    log.behave(Behaviour::Promise);
    breaker.submit(submission).await.unwrap();
    assert!(readiness(&logs).is_ready());
}
