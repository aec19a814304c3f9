use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pace::Pace;

/// A connection whose [`Pace`] sees what the client sends.
#[derive(Debug)]
pub(crate) struct PacedStream<S> {
    /// What was read, and whoever reads next gets.
    ahead: Vec<u8>,
    stream: S,
    pace: Pace,
}

impl<S> PacedStream<S> {
    pub(crate) fn new(stream: S, pace: Pace) -> Self {
        Self {
            ahead: Vec::new(),
            stream,
            pace,
        }
    }

    /// Whether something was read that nobody has got.
    pub(crate) fn is_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Gives back what was read and not used.
    pub(crate) fn put_back(&mut self, unused: &[u8]) {
        self.ahead.splice(..0, unused.iter().copied());
    }
}

impl<S: AsyncRead + Unpin> PacedStream<S> {
    /// Reads something for whoever reads next, and tells how much; nothing at the end. Nothing is kept for it while it
    /// waits.
    pub(crate) async fn read_ahead(&mut self) -> io::Result<usize> {
        poll_fn(|context| {
            let mut room = [0; ROOM];
            let mut buffer = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            let read = buffer.filled();
            if !read.is_empty() {
                self.pace.read(read);
                self.ahead.extend_from_slice(read);
            }
            Poll::Ready(Ok(read.len()))
        })
        .await
    }
}

/// How much is read ahead at once: most requests are shorter.
const ROOM: usize = 4 << 10;

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buffer.remaining());
            let rest = self.ahead.split_off(length);
            buffer.put_slice(&self.ahead);
            self.ahead = rest;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(read @ [_, ..]) = buffer.filled().get(before..) {
            self.pace.read(read);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pace.sent(false);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.pace.sent(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    /// Never: answers are short, and one piece of memory is written faster than several, of which
    /// HTTP/2 would leave the last ones to another write.
    fn is_write_vectored(&self) -> bool {
        false
    }
}
