use core::{net::SocketAddr, time::Duration};
use std::{net::TcpStream as StdStream, rc::Rc, thread, time::Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::watch,
    task::{LocalSet, spawn_local},
    time::sleep,
};

/// A port before a service, which behaves as it is told to. It lives as long as this process.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    mode: watch::Sender<Mode>,
}

/// How a [`Door`] behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Connections are refused, and those that there are end.
    Down,
    /// Every answer has status 500.
    Errors,
    Fine,
    /// Every answer has status 200, and nothing in it is right.
    Garbage,
    /// Nothing is answered, until the mode is another one.
    Hangs,
    /// What is asked for is done, but the connection is reset instead of an answer.
    Resets,
    Slow(Duration),
    /// What is answered has the right form, and is wrong.
    Wrong,
}

/// What is behind a [`Door`].
pub(crate) trait Service: 'static {
    /// The right answer; a `wrong` one is only in the form of it.
    async fn answer(&self, request: Request<Bytes>, wrong: bool) -> Result<Response<Full<Bytes>>>;
}

impl Door {
    /// Opens it on this port of the loopback device, on a thread of its own.
    pub(crate) fn open<S: Service>(
        port: u16,
        service: impl FnOnce() -> S + Send + 'static,
    ) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let (mode, told) = watch::channel(Mode::Fine);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            let work = serve(address, told, Rc::new(service()));
            if let Err(error) = LocalSet::new().block_on(&runtime, work) {
                eprintln!("soak: the door at {address}: {error:#}");
            }
        });
        let begun = Instant::now();
        while StdStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                bail!("nothing listens at {address}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { address, mode })
    }

    /// From now on it behaves so.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn serve<S: Service>(
    address: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    service: Rc<S>,
) -> Result<()> {
    loop {
        if mode.wait_for(|mode| *mode != Mode::Down).await.is_err() {
            return Ok(());
        }
        let listener = TcpListener::bind(address).await.context("listening")?;
        loop {
            tokio::select! {
                closed = down(&mut mode) => match closed {
                    true => break,
                    false => return Ok(()),
                },
                accepted = listener.accept() => {
                    let (stream, _) = accepted.context("accepting")?;
                    spawn_local(converse(stream, mode.clone(), Rc::clone(&service)));
                }
            }
        }
    }
}

/// Waits until the door is to be down; false when nobody can tell it any more.
async fn down(mode: &mut watch::Receiver<Mode>) -> bool {
    mode.wait_for(|mode| *mode == Mode::Down).await.is_ok()
}

async fn converse<S: Service>(stream: TcpStream, mut mode: watch::Receiver<Mode>, service: Rc<S>) {
    // Without a linger time, whatever ends the connection resets it.
    drop((stream.set_nodelay(true), stream.set_zero_linger()));
    let told = mode.clone();
    let answering = service_fn(move |request| answer(request, told.clone(), Rc::clone(&service)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answering);
    tokio::select! {
        // How it ended, whoever asked is told.
        _ended = connection => {}
        _down = down(&mut mode) => {}
    }
}

async fn answer<S: Service>(
    request: Request<Incoming>,
    mut mode: watch::Receiver<Mode>,
    service: Rc<S>,
) -> Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head, body.collect().await?.to_bytes());
    let now = *mode.borrow_and_update();
    match now {
        Mode::Errors => return Ok(say(500, "{}")?),
        Mode::Garbage => return Ok(say(200, "<html>It works!</html>")?),
        Mode::Hangs => {
            mode.changed().await?;
            bail!("it hung");
        }
        Mode::Slow(delay) => sleep(delay).await,
        Mode::Down | Mode::Fine | Mode::Resets | Mode::Wrong => {}
    }
    let answer = service.answer(request, now == Mode::Wrong).await?;
    if now == Mode::Resets {
        bail!("it is reset");
    }
    Ok(answer)
}

/// An answer in JSON.
pub(crate) fn say(status: u16, body: impl Into<Bytes>) -> http::Result<Response<Full<Bytes>>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::process::free_port;

    struct Echo;

    impl Service for Echo {
        async fn answer(
            &self,
            request: Request<Bytes>,
            wrong: bool,
        ) -> Result<Response<Full<Bytes>>> {
            Ok(say(200, format!("{} {wrong}", request.uri()))?)
        }
    }

    fn ask(door: &Door) -> std::io::Result<String> {
        let mut stream = StdStream::connect(door.address)?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn a_door_behaves_as_it_is_told_and_is_fine_again() {
        let door = Door::open(free_port().unwrap(), || Echo).unwrap();
        let good = |door: &Door| ask(door).is_ok_and(|it| it.ends_with("/a false"));
        assert!(good(&door));
        for (mode, wanted) in [
            (Mode::Errors, "HTTP/1.1 500"),
            (Mode::Garbage, "It works!"),
            (Mode::Wrong, "/a true"),
            (Mode::Slow(Duration::from_millis(20)), "/a false"),
        ] {
            door.set(mode);
            let answer = ask(&door).unwrap();
            assert!(answer.contains(wanted), "{mode:?}: {answer}");
        }
        for mode in [Mode::Hangs, Mode::Resets, Mode::Down] {
            door.set(mode);
            // A door goes down a moment after it is told to.
            let begun = Instant::now();
            while ask(&door).is_ok() {
                assert!(begun.elapsed() < Duration::from_secs(30), "{mode:?}");
            }
        }
        door.set(Mode::Fine);
        let begun = Instant::now();
        while !good(&door) {
            assert!(begun.elapsed() < Duration::from_secs(30));
        }
    }
}
