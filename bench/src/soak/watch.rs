use core::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Duration,
};
use std::{rc::Rc, time::Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{
    fault::Readiness,
    flatness::Usage,
    judge::{Judge, Side},
};
use crate::{
    case::Api,
    clock,
    connection::{Answer, Connection},
};

/// What an operator's tools see of one server.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) side: Side,
    pub(crate) http: SocketAddr,
    pub(crate) process: u32,
    pub(crate) begun: Instant,
    pub(crate) judge: Rc<RefCell<Judge>>,
    /// What was used in each rest, when its own memory was least.
    pub(crate) rests: RefCell<Vec<Usage>>,
    /// What was used when its own memory was least, since the rest began that goes on.
    pub(crate) least: Cell<Option<Usage>>,
    /// The most memory that was used when it was looked at, in MiB.
    pub(crate) most_memory: Cell<f64>,
}

impl Watch {
    /// Looks each second, and every five at what is used.
    pub(crate) async fn run(&self) -> Result<()> {
        for round in 0_u64.. {
            self.health().await;
            self.readiness().await;
            if round % 5 == 0 {
                self.look()?;
            }
            sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    fn look(&self) -> Result<()> {
        let used = usage(self.process)?;
        self.most_memory
            .set(self.most_memory.get().max(used.memory_mib));
        let least = self.least.get().map_or(used, |least| least.or_less(used));
        self.least.set(Some(least));
        Ok(())
    }

    pub(crate) fn rest_begins(&self) {
        self.least.set(None);
    }

    pub(crate) fn rest_ends(&self) -> Result<()> {
        self.look()?;
        self.rests.borrow_mut().extend(self.least.get());
        Ok(())
    }

    fn complain(&self, at: Duration, what: &str) {
        let what = format!("{:?}: {what}", self.side);
        self.judge.borrow_mut().complaints.add(at, &what);
    }

    async fn health(&self) {
        let at = self.begun.elapsed();
        match get(self.http, "/healthz").await {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => self.complain(at, &format!("/healthz says {}", answer.status)),
            Err(error) => self.complain(at, &format!("/healthz: {error:#}")),
        }
    }

    async fn readiness(&self) {
        let at = self.begun.elapsed();
        let said = async {
            let answer = get(self.http, "/readyz").await?;
            anyhow::Ok((
                answer.status.as_u16(),
                serde_json::from_slice(&answer.body)?,
            ))
        };
        match said.await {
            Ok((status, body)) => self.said(at, status, &body),
            Err(error) => self.complain(at, &format!("/readyz: {error:#}")),
        }
    }

    fn said(&self, at: Duration, status: u16, body: &Value) {
        let parts = body["parts"].as_array().map_or(&[][..], Vec::as_slice);
        let reason = |name: &str| {
            let named = parts.iter().find(|part| {
                let is = part["name"].as_str().is_some_and(|it| it.starts_with(name));
                is && part["reason"].as_str().is_some_and(|it| !it.is_empty())
            });
            named.and_then(|part| part["reason"].as_str())
        };
        let mut judge = self.judge.borrow_mut();
        for window in &mut judge.windows {
            let reason = match window.fault.readiness() {
                Readiness::Not(name) if status == 503 => reason(name),
                Readiness::Named(name) => reason(name),
                Readiness::Open if status == 503 => reason("ct-log"),
                Readiness::Not(_) | Readiness::Open | Readiness::Ready => None,
            };
            // What is said long after its end is said of another fault.
            let is_late = window.off.is_some_and(|off| at > off + LINGERS);
            let is_here = !window.fault.is_remote() || self.side == Side::Remote;
            if is_here && (reason.is_none() || !is_late) {
                window.told(self.side, at, reason);
            }
        }
        let explained = self.side == Side::Remote
            && judge.windows.iter().any(|window| window.may_be_unready(at));
        drop(judge);
        match status {
            200 => {}
            503 if explained => {}
            _ => self.complain(at, &format!("/readyz says {status}: {body}")),
        }
    }
}

fn usage(process: u32) -> Result<Usage> {
    let memory = clock::memory(&[process])?;
    Ok(Usage {
        memory_mib: memory.resident as f64 / 1024.0,
        own_mib: memory.own as f64 / 1024.0,
        threads: memory.threads,
        descriptors: clock::descriptors(process)?,
    })
}

/// What is answered to a GET, over a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    let asked = async {
        let mut connection = Connection::open(address, Api::V2).await?;
        let request = Request::get(path).header("host", "soak");
        connection
            .ask(request.body(Full::<Bytes>::default())?)
            .await
    };
    timeout(PATIENCE, asked)
        .await
        .with_context(|| format!("no answer in {PATIENCE:?}"))?
}

const PATIENCE: Duration = Duration::from_secs(5);
const LINGERS: Duration = Duration::from_secs(2);
