use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::net::TcpStream;

use crate::connector::ToProxy;

/// A connection on which a log is spoken to, whoever is at the other end of it.
pub(crate) struct LogStream {
    stream: ToProxy,
    forwarded: bool,
}

impl LogStream {
    /// The log is at the other end.
    pub(crate) fn direct(stream: TokioIo<TcpStream>) -> Self {
        Self::tunnelled(ToProxy::Http(stream))
    }

    /// A proxy is at the other end, and passes on every byte.
    pub(crate) fn tunnelled(stream: ToProxy) -> Self {
        Self {
            stream,
            forwarded: false,
        }
    }

    /// A proxy is at the other end, and reads in each request where to send it.
    pub(crate) fn forwarded(stream: ToProxy) -> Self {
        Self {
            stream,
            forwarded: true,
        }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut ToProxy> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Connection for LogStream {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.forwarded)
    }
}

impl Read for LogStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl Write for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }
}
