use core::{
    error::Error as StdError,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Waker},
    time::Duration,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use http::{Request, Uri, response::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tower::ServiceExt as _;

use crate::connector::{Connector, ToLog};

/// The connections to one log, each for one exchange at a time, and kept for the next ones.
///
/// An exchange drives its connection itself: no other task stands between the caller and the
/// socket. So nobody looks after an idle connection; one that the log has closed meanwhile is
/// noticed when it is taken for the next exchange.
pub(crate) struct Connections {
    connector: HttpsConnector<Connector>,
    log: Uri,
    idle: Arc<Mutex<Idle>>,
}

/// The connections that wait for an exchange.
#[derive(Default)]
struct Idle {
    /// In the order in which they were put here; the last is used first.
    connections: Vec<Connection>,
    /// Closes what has waited for too long.
    reaper: Option<JoinHandle<()>>,
}

/// A connection, and since when it has been idle.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Until it ends.
    wire: Option<Box<http1::Connection<Secured, Full<Bytes>>>>,
    since: Instant,
}

/// An answer whose body is still to be read, and the connection on which it comes.
pub(crate) struct Answer<'a> {
    pub(crate) head: Parts,
    body: Incoming,
    connection: Connection,
    connections: &'a Connections,
}

/// What was read of a body.
pub(crate) enum Content {
    /// More was there.
    Start(Vec<u8>),
    Whole(Vec<u8>),
}

impl Connections {
    /// Prepares to connect to where `log` is; only its scheme, host and port matter.
    pub(crate) fn new(connector: HttpsConnector<Connector>, log: Uri) -> Self {
        Self {
            connector,
            log,
            idle: Arc::default(),
        }
    }

    pub(crate) fn log(&self) -> &Uri {
        &self.log
    }

    /// Sends a request, whose target is sent as it is, and waits for the head of the answer.
    ///
    /// A request that was not sent because a kept connection had just ended goes to another one.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer<'_>, BoxError> {
        while let Some(mut connection) = self.kept() {
            let sent = connection.sender.try_send_request(request);
            match connection.drive(sent).await {
                Ok(answer) => return Ok(Answer::new(answer, connection, self)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        // Boxed, because it is much larger than what waits for an answer, and gone by then.
        let mut connection = Box::pin(self.connect()).await?;
        let sent = connection.sender.send_request(request);
        let answer = connection.drive(sent).await?;
        Ok(Answer::new(answer, connection, self))
    }

    /// The idle connection that was used last, of those that are still open.
    fn kept(&self) -> Option<Connection> {
        loop {
            let fresh = |connection: &mut Connection| connection.since.elapsed() < IDLE;
            let mut newest = locked(&self.idle).connections.pop_if(fresh)?;
            if newest.is_ready() {
                return Some(newest);
            }
        }
    }

    async fn connect(&self) -> Result<Connection, BoxError> {
        let stream = self.connector.clone().oneshot(self.log.clone()).await?;
        let (sender, wire) = http1::handshake(stream).await?;
        Ok(Connection {
            sender,
            wire: Some(Box::new(wire)),
            since: Instant::now(),
        })
    }

    /// Keeps a connection whose exchange is over, if it can take another one.
    fn keep(&self, mut connection: Connection) {
        if !connection.is_ready() {
            return;
        }
        let mut idle = locked(&self.idle);
        connection.since = Instant::now();
        if idle.reaper.as_ref().is_none_or(JoinHandle::is_finished) {
            let reaping = reap(Arc::downgrade(&self.idle), connection.since + IDLE);
            idle.reaper = Some(tokio::spawn(reaping));
        }
        idle.connections.push(connection);
    }
}

impl Connection {
    /// Whether it can take a request. From now on it wakes no task, and keeps none in memory.
    fn is_ready(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop()));
        self.wire.is_some() && self.sender.is_ready()
    }

    /// Waits for what needs this connection to go on.
    async fn drive<F: Future>(&mut self, exchange: F) -> F::Output {
        let mut exchange = pin!(exchange);
        poll_fn(|context| {
            self.poll(context);
            exchange.as_mut().poll(context)
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        // Why it ended is told to the exchange, which ends with it.
        if let Some(wire) = &mut self.wire
            && Pin::new(wire).poll(context).is_ready()
        {
            self.wire = None;
        }
    }

    /// Says goodbye, as TLS wants it, if that can be sent at once.
    fn close(self) {
        let Self { sender, wire, .. } = self;
        drop(sender);
        if let Some(mut wire) = wire {
            let _ended = Pin::new(&mut wire).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl<'a> Answer<'a> {
    fn new(
        answer: http::Response<Incoming>,
        connection: Connection,
        connections: &'a Connections,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            head,
            body,
            connection,
            connections,
        }
    }

    /// Reads no more of the body than `limit` bytes. Only when that is all of it, the connection
    /// is used again.
    pub(crate) async fn read(mut self, limit: usize) -> Result<Content, hyper::Error> {
        let mut bytes = Vec::new();
        while let Some(frame) = self.connection.drive(self.body.frame()).await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let room = limit - bytes.len();
            if data.len() > room {
                bytes.extend_from_slice(&data[..room]);
                return Ok(Content::Start(bytes));
            }
            bytes.extend_from_slice(&data);
        }
        self.connections.keep(self.connection);
        Ok(Content::Whole(bytes))
    }
}

/// Closes connections that have been idle for [`IDLE`], until none is left; there is none before
/// `next`.
async fn reap(idle: Weak<Mutex<Idle>>, mut next: Instant) {
    loop {
        sleep_until(next).await;
        let Some(idle) = idle.upgrade() else {
            return;
        };
        let (over, oldest) = {
            let mut idle = locked(&idle);
            let is_over = |connection: &Connection| connection.since.elapsed() >= IDLE;
            let count = idle.connections.partition_point(is_over);
            let over: Vec<_> = idle.connections.drain(..count).collect();
            let oldest = idle.connections.first().map(|oldest| oldest.since);
            if oldest.is_none() {
                *idle = Idle::default();
            }
            (over, oldest)
        };
        for connection in over {
            connection.close();
        }
        let Some(oldest) = oldest else {
            return;
        };
        next = oldest + IDLE;
    }
}

fn locked(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection with the TLS that the log's URL asks for.
type Secured = MaybeHttpsStream<ToLog>;
type BoxError = Box<dyn StdError + Send + Sync>;

/// Logs, and the balancers before them, close what is idle for longer.
const IDLE: Duration = Duration::from_secs(50);
