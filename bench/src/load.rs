use core::{cell::RefCell, time::Duration};
use std::{collections::BTreeMap, net::SocketAddr, rc::Rc, time::Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    case::Case,
    check::check,
    clock,
    lane::Lane,
    material::{Subject, prepare},
    open_loop::{Pacer, follow},
    recorder::Recorder,
    server::Server,
};

/// How hard, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Requests a second; without it each connection sends the next when it has the answer.
    pub(crate) rate: Option<f64>,
    pub(crate) warm_up: Duration,
    pub(crate) span: Duration,
    /// Whether answers are read closely afterwards.
    pub(crate) checked: bool,
}

/// What one measurement found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) certificates: u64,
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) seconds: f64,
    /// Processor time of the server for each certificate, in microseconds.
    pub(crate) server_micros: f64,
    /// The same with its log process, where it has one.
    pub(crate) with_log_micros: f64,
    /// That of the load generator.
    pub(crate) generator_micros: f64,
    pub(crate) per_second: f64,
    /// How many cores the server kept busy.
    pub(crate) busy_cores: f64,
    pub(crate) p50_millis: f64,
    pub(crate) p99_millis: f64,
    pub(crate) max_millis: f64,
}

/// Who is asked, and whose processor time is counted.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) server: Vec<u32>,
    pub(crate) with_log: Vec<u32>,
}

impl Target {
    pub(crate) fn of(server: &Server, case: Case) -> Self {
        Self {
            address: server.address(case.api),
            server: vec![server.id()],
            with_log: server.with_log(),
        }
    }
}

impl Load {
    /// Puts this load on a server, and fails when one of the answers that were looked at is wrong.
    pub(crate) async fn run(
        self,
        case: Case,
        crowd: &[Subject],
        target: &Target,
    ) -> Result<Sample> {
        let requests = Rc::new(prepare(crowd, case, target.address)?);
        let recorder = Rc::new(RefCell::new(Recorder::new()?));
        let (pacer, mut lanes) = self.lanes(case, target, &requests, &recorder);

        sleep(self.warm_up).await;
        let own = [std::process::id()];
        let before = (
            clock::processor_seconds(&target.server)?,
            clock::processor_seconds(&target.with_log)?,
            clock::processor_seconds(&own)?,
        );
        let begun = Instant::now();
        recorder.borrow_mut().begin();
        sleep(self.span).await;
        recorder.borrow_mut().end();
        let seconds = begun.elapsed().as_secs_f64();
        let server = clock::processor_seconds(&target.server)? - before.0;
        let with_log = clock::processor_seconds(&target.with_log)? - before.1;
        let generator = clock::processor_seconds(&own)? - before.2;
        drop(pacer);
        while let Some(ended) = lanes.join_next().await {
            ended.context("a connection's task")?;
        }

        let recorder = recorder.borrow();
        for (number, body) in recorder.samples.iter().filter(|_| self.checked) {
            check(case, &crowd[*number], body)?;
        }
        if recorder.certificates == 0 {
            bail!("no certificate came: {:?}", recorder.failures);
        }
        let each = |seconds: f64| seconds * 1e6 / recorder.certificates as f64;
        let millis = |quantile| recorder.latencies.value_at_quantile(quantile) as f64 / 1e3;
        Ok(Sample {
            certificates: recorder.certificates,
            failures: recorder.failures.clone(),
            seconds,
            server_micros: each(server),
            with_log_micros: each(with_log),
            generator_micros: each(generator),
            per_second: recorder.certificates as f64 / seconds,
            busy_cores: server / seconds,
            p50_millis: millis(0.5),
            p99_millis: millis(0.99),
            max_millis: recorder.latencies.max() as f64 / 1e3,
        })
    }

    fn lanes(
        self,
        case: Case,
        target: &Target,
        requests: &Rc<Vec<Request<Full<Bytes>>>>,
        recorder: &Rc<RefCell<Recorder>>,
    ) -> (Option<Pacer>, JoinSet<()>) {
        let mut lanes = JoinSet::new();
        let lane = || {
            let (requests, recorder) = (Rc::clone(requests), Rc::clone(recorder));
            Lane::new(target.address, case.api, requests, recorder)
        };
        let Some(rate) = self.rate else {
            for first in 0..self.connections {
                lanes.spawn_local(lane().hurry(first, self.connections));
            }
            return (None, lanes);
        };
        let (pacer, tickets) = Pacer::start(rate);
        for _ in 0..self.connections {
            lanes.spawn_local(follow(lane(), Rc::clone(&tickets)));
        }
        (Some(pacer), lanes)
    }
}
