use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;
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

impl Default for Serving {
    fn default() -> Self {
        Self::new()
    }
}

/// The gRPC health checking protocol. As in Fulcio every name is that of a healthy service, for
/// nothing is looked at but whether the server takes requests; unlike there, watching and listing
/// work.
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
        response(*self.serving.0.borrow())
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
            .counted(Rpc::HealthWatch, async { Ok(Watch::new(serving)) })
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

/// Tells whether the server takes requests: now, and when it stops. Then it ends.
struct Watch {
    serving: watch::Receiver<bool>,
    stopped: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    ended: bool,
}

impl Watch {
    fn new(serving: watch::Receiver<bool>) -> Self {
        Self {
            serving,
            stopped: None,
            ended: false,
        }
    }
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let serving = match &mut self.stopped {
            None => *self.serving.borrow(),
            Some(stopped) => {
                ready!(stopped.as_mut().poll(context));
                false
            }
        };
        if serving {
            let mut receiver = self.serving.clone();
            self.stopped = Some(Box::pin(async move {
                // An error says that nobody is left who could say that the server stops.
                let _ = receiver.wait_for(|serving| !serving).await;
            }));
        } else {
            self.ended = true;
        }
        Poll::Ready(Some(Ok(response(serving))))
    }
}
