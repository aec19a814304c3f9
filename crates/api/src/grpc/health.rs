use core::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{collections::HashMap, sync::Arc};

use tokio::{sync::watch, time::sleep};
use tonic::{Request, Response, Status, async_trait, codegen::tokio_stream::Stream};

use super::status;
use crate::{
    calls::Calls,
    proto::health::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus, health_server,
    },
    rpc::Rpc,
};

/// Whether the server still takes requests. It does until it is told to stop.
#[derive(Clone, Debug)]
pub struct Serving(watch::Sender<bool>);

impl Serving {
    /// A server that takes requests.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(true))
    }

    /// Tells whoever asks from now on, and whoever watches, that the server takes no more
    /// requests. Watches end.
    pub fn stop(&self) {
        self.0.send_replace(false);
    }
}

impl Serving {
    pub(crate) fn is_on(&self) -> bool {
        *self.0.borrow()
    }
}

impl Default for Serving {
    fn default() -> Self {
        Self::new()
    }
}

/// The gRPC health checking protocol, which tells whether certificates can be issued now and the
/// server takes requests. As in Fulcio every name is that of a service; unlike there, what it depends on
/// is looked at, and watching and listing work.
#[derive(Clone, Debug)]
pub struct Health {
    calls: Arc<Calls>,
    serving: Serving,
}

impl Health {
    pub(super) fn new(calls: Arc<Calls>, serving: &Serving) -> Self {
        Self {
            calls,
            serving: serving.clone(),
        }
    }

    fn response(&self) -> HealthCheckResponse {
        response(*self.serving.0.borrow() && self.calls.readiness().is_ready())
    }
}

#[async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.calls
            .counted(Rpc::HealthCheck, async { Ok(self.response()) })
            .await
            .map(Response::new)
            .map_err(|refusal| status(&refusal))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let statuses = async {
            let names = ["", Rpc::CreateSigningCertificate.service()];
            Ok(HashMap::from(
                names.map(|name| (name.to_owned(), self.response())),
            ))
        };
        self.calls
            .counted(Rpc::HealthList, statuses)
            .await
            .map(|statuses| Response::new(HealthListResponse { statuses }))
            .map_err(|refusal| status(&refusal))
    }

    async fn watch(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let serving = self.serving.0.subscribe();
        self.calls
            .counted(Rpc::HealthWatch, async {
                Ok(Watch::new(Arc::clone(&self.calls), serving))
            })
            .await
            .map(|watch| Response::new(Box::pin(watch) as Self::WatchStream))
            .map_err(|refusal| status(&refusal))
    }
}

fn response(serving: bool) -> HealthCheckResponse {
    let status = if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

/// Tells whether the server issues: now, and whenever that changes. It ends when the server stops.
struct Watch {
    calls: Arc<Calls>,
    serving: watch::Receiver<bool>,
    next: Option<Next>,
}

/// What is told next; nothing at the end.
type Next = Pin<Box<dyn Future<Output = Option<bool>> + Send>>;

impl Watch {
    fn new(calls: Arc<Calls>, serving: watch::Receiver<bool>) -> Self {
        let next = next(Arc::clone(&calls), serving.clone(), None);
        Self {
            calls,
            serving,
            next: Some(Box::pin(next)),
        }
    }
}

/// Waits until there is something else to tell than what was told last.
async fn next(
    calls: Arc<Calls>,
    mut serving: watch::Receiver<bool>,
    told: Option<bool>,
) -> Option<bool> {
    loop {
        let takes_requests = *serving.borrow();
        let now = takes_requests && calls.readiness().is_ready();
        if told != Some(now) {
            return Some(now);
        }
        if !takes_requests {
            return None;
        }
        tokio::select! {
            // An error says that nobody is left who could say that the server stops.
            Ok(_) = serving.wait_for(|serving| !serving) => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

/// How often it is looked whether what is told to watchers still holds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(waiting) = &mut self.next else {
            return Poll::Ready(None);
        };
        let told = ready!(waiting.as_mut().poll(context));
        self.next = told.map(|_| {
            let next = next(Arc::clone(&self.calls), self.serving.clone(), told);
            Box::pin(next) as Next
        });
        Poll::Ready(told.map(|serving| Ok(response(serving))))
    }
}
