//! A proxy that leads everything to one log, and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, copy_bidirectional,
        sink,
    },
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What the proxy does with each connection.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Leads it to the log at this address, whatever name it is asked for.
    Lead(SocketAddr),
    /// Answers with these bytes.
    Say(&'static str),
    /// Reads, and never answers.
    Hang,
}

pub(crate) struct FakeProxy {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl FakeProxy {
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::secure(manner, None).await
    }

    pub(crate) async fn secure(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                let (seen, tls) = (Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    // Who hangs up in the middle is what some tests are about.
                    let _ended = match tls {
                        None => serve(stream, manner, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, manner, &seen).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self {
            address,
            heads,
            task,
        }
    }

    /// Its URL, with these credentials.
    pub(crate) fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.address)
    }

    /// The head of the first request on each connection.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    manner: Manner,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut start = Vec::new();
    let end = loop {
        let end = start.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end;
        }
        if stream.read_buf(&mut start).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8(start[..end].to_vec()).unwrap();
    let is_tunnel = head.starts_with("CONNECT ");
    heads.lock().unwrap().push(head);
    match manner {
        Manner::Lead(log) => {
            let mut log = TcpStream::connect(log).await?;
            if is_tunnel {
                stream
                    .write_all(b"HTTP/1.0 200 Connection established\r\n\r\n")
                    .await?;
            } else {
                log.write_all(&start).await?;
            }
            copy_bidirectional(&mut stream, &mut log).await?;
        }
        Manner::Say(answer) => {
            stream.write_all(answer.as_bytes()).await?;
            // The other side is the one that hangs up.
            copy(&mut stream, &mut sink()).await?;
        }
        Manner::Hang => core::future::pending().await,
    }
    Ok(())
}
