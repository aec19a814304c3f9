use core::time::Duration;
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use tokio::sync::{Mutex, mpsc};

use crate::lane::Lane;

/// When requests are to be sent, whatever became of those before.
///
/// A thread of its own tells, because the runtime's timers are no finer than a millisecond.
#[derive(Debug)]
pub(crate) struct Pacer {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The next request's number and when it is to be sent; shared by all lanes.
pub(crate) type Tickets = Rc<Mutex<mpsc::UnboundedReceiver<(usize, Instant)>>>;

impl Pacer {
    /// So many a second.
    pub(crate) fn start(rate: f64) -> (Self, Tickets) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let begun = Instant::now();
            for number in 0.. {
                let due = begun + Duration::from_secs_f64(number as f64 / rate);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if told.load(Ordering::Relaxed) || sender.send((number, due)).is_err() {
                    return;
                }
            }
        });
        let thread = Some(thread);
        (Self { stopped, thread }, Rc::new(Mutex::new(receiver)))
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Sends what is due until nothing more will be.
///
/// A request that finds every lane busy waits, and its clock runs: nothing is left out when the server
/// is slow.
pub(crate) async fn follow(mut lane: Lane, tickets: Tickets) {
    loop {
        let ticket = tickets.lock().await.recv().await;
        let Some((number, due)) = ticket else { return };
        lane.one(number, due).await;
    }
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use bytes::Bytes;
    use http::Request;
    use http_body_util::Full;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        task::LocalSet,
    };

    use super::*;
    use crate::{case::Api, recorder::Recorder};

    /// A server that takes so long for each request, on one connection.
    async fn slow(listener: TcpListener, delay: Duration) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await.unwrap() > 0 {
            tokio::time::sleep(delay).await;
            let body = "-----BEGIN CERTIFICATE-----";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_request_that_waits_for_a_slow_server_has_waited_since_it_was_due() {
        const DELAY: Duration = Duration::from_millis(40);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let request = Request::get("/").header("host", "bench");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let recorder = Rc::new(RefCell::new(Recorder::new().unwrap()));
        let lane = Lane::new(
            address,
            Api::V2,
            Rc::new(vec![request]),
            Rc::clone(&recorder),
        );
        recorder.borrow_mut().begin();
        let (sender, receiver) = mpsc::unbounded_channel();
        let due = Instant::now();
        for number in 0..10 {
            sender.send((number, due)).unwrap();
        }
        drop(sender);
        let work = async {
            tokio::select! {
                () = follow(lane, Rc::new(Mutex::new(receiver))) => {}
                () = slow(listener, DELAY) => {}
            }
        };
        LocalSet::new().run_until(work).await;

        let recorder = recorder.borrow();
        assert!(recorder.failures.is_empty(), "{:?}", recorder.failures);
        assert_eq!(recorder.latencies.len(), 10);
        // The tenth had nine before it.
        assert!(
            recorder.latencies.max() >= 390_000,
            "{}",
            recorder.latencies.max()
        );
        assert!(recorder.latencies.min() >= 39_900);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_failure() {
        let recorder = Rc::new(RefCell::new(Recorder::new().unwrap()));
        let request = Request::new(Full::<Bytes>::default());
        let address = ([127, 0, 0, 1], 1).into();
        let mut lane = Lane::new(
            address,
            Api::V2,
            Rc::new(vec![request]),
            Rc::clone(&recorder),
        );
        recorder.borrow_mut().begin();
        lane.one(0, Instant::now()).await;
        assert_eq!(recorder.borrow().failures.values().sum::<u64>(), 1);
        assert_eq!(recorder.borrow().certificates, 0);
    }

    #[test]
    fn requests_are_due_at_their_rate_whoever_takes_them() {
        let (pacer, tickets) = Pacer::start(1_000.0);
        let mut tickets = Rc::into_inner(tickets).unwrap().into_inner();
        let first = tickets.blocking_recv().unwrap();
        let second = tickets.blocking_recv().unwrap();
        assert_eq!((first.0, second.0), (0, 1));
        assert_eq!(second.1 - first.1, Duration::from_millis(1));
        drop(pacer);
        while tickets.blocking_recv().is_some() {}
    }
}
