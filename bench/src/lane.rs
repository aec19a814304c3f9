use core::{cell::RefCell, net::SocketAddr};
use std::{rc::Rc, time::Instant};

use anyhow::Result;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::{
    case::Api,
    connection::{Answer, Connection},
    recorder::Recorder,
};

/// What one connection does: one request after another.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) address: SocketAddr,
    pub(crate) api: Api,
    pub(crate) requests: Rc<Vec<Request<Full<Bytes>>>>,
    pub(crate) recorder: Rc<RefCell<Recorder>>,
    connection: Option<Connection>,
}

impl Lane {
    pub(crate) fn new(
        address: SocketAddr,
        api: Api,
        requests: Rc<Vec<Request<Full<Bytes>>>>,
        recorder: Rc<RefCell<Recorder>>,
    ) -> Self {
        Self {
            address,
            api,
            requests,
            recorder,
            connection: None,
        }
    }

    /// Sends requests until the recorder is over, beginning with the one of this number and leaving out
    /// so many.
    pub(crate) async fn hurry(mut self, mut number: usize, step: usize) {
        while !self.recorder.borrow().is_over() {
            self.one(number, Instant::now()).await;
            number += step;
        }
    }

    /// Sends one request and notes the outcome; the clock began to run at `sent`.
    pub(crate) async fn one(&mut self, number: usize, sent: Instant) {
        let number = number % self.requests.len();
        let outcome = self.ask(number).await;
        let broken = outcome.is_err();
        self.recorder.borrow_mut().note(number, sent, outcome);
        if broken {
            self.connection = None;
            // A server that is not there must not make this a busy loop.
            tokio::time::sleep(core::time::Duration::from_millis(10)).await;
        }
    }

    async fn ask(&mut self, number: usize) -> Result<Answer> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.address, self.api).await?),
        };
        connection.ask(self.requests[number].clone()).await
    }
}
