//! Clients that want nothing good, all the time.

use core::{net::SocketAddr, time::Duration};
use std::{rc::Rc, time::Instant};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{judge::Judge, traffic::Traffic};

/// How somebody misuses a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Misuse {
    /// Nothing is ever said.
    Silence,
    HalfHead,
    HalfBody,
    Garbage,
}

impl Misuse {
    pub(crate) const ALL: [Self; 4] =
        [Self::Silence, Self::HalfHead, Self::HalfBody, Self::Garbage];

    fn text(self) -> &'static [u8] {
        match self {
            Self::Silence => b"",
            Self::HalfHead => b"POST /api/v2/signingCert HTTP/1.1\r\nHost: so",
            Self::HalfBody => {
                b"POST /api/v2/signingCert HTTP/1.1\r\nHost: soak\r\nContent-Length: 500\r\n\
                  Content-Type: application/json\r\n\r\n{\"credentials\":"
            }
            Self::Garbage => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 nothing good\r\n\r\n",
        }
    }

    /// How long the server may wait for the rest, by docs/operating.md, with time for a busy machine.
    fn patience(self) -> Duration {
        match self {
            Self::Silence => Duration::from_secs(30 + 10),
            Self::HalfHead | Self::HalfBody | Self::Garbage => Duration::from_secs(10 + 10),
        }
    }

    /// Misuses one connection after another, each until the server ends it.
    pub(crate) async fn go_on(
        self,
        address: SocketAddr,
        begun: Instant,
        judge: Rc<core::cell::RefCell<Judge>>,
    ) -> Result<()> {
        loop {
            let at = begun.elapsed();
            if let Err(error) = self.once(address).await {
                let mut judge = judge.borrow_mut();
                judge.complaints.add(at, &format!("{self:?}: {error:#}"));
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    async fn once(self, address: SocketAddr) -> Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(self.text()).await?;
        let mut answer = Vec::new();
        // A reset ends the connection too.
        let ended = timeout(self.patience(), stream.read_to_end(&mut answer)).await;
        if ended.is_err() {
            bail!("not ended after {:?}", self.patience());
        }
        if answer.starts_with(b"HTTP/1.1 2") {
            bail!("answered with success");
        }
        Ok(())
    }
}

/// Presents a forged token again and again.
pub(crate) async fn forge(traffic: Rc<Traffic>) -> Result<()> {
    for number in 0.. {
        traffic.forge(number).await;
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
