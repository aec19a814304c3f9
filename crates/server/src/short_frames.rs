use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

/// A body whose message is sent together with the head before it and the trailers behind it.
///
/// HTTP/2 has each in a frame of its own. The library puts frames of data together with others only where they are
/// short, and calls the system once for each of the rest and once more for what follows it; an answer of gRPC is
/// hardly ever short enough.
#[derive(Debug)]
pub(crate) struct ShortFrames<B> {
    body: B,
    /// Up to which length data is cut.
    cut: usize,
    rest: Bytes,
}

/// What is still short to the library, for a stream without vectored writes.
const SHORT: usize = 1023;

/// Beyond this, cutting costs more than it saves.
const LONG: usize = 8 * SHORT;

impl<B> ShortFrames<B> {
    /// For HTTP/2.
    pub(crate) fn of(body: B) -> Self {
        Self {
            cut: LONG,
            ..Self::uncut(body)
        }
    }

    /// The body as it is, for HTTP/1.
    pub(crate) fn uncut(body: B) -> Self {
        Self {
            body,
            cut: 0,
            rest: Bytes::new(),
        }
    }
}

impl<B: Body + Unpin> Body for ShortFrames<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            let frame = frame.map(|frame| {
                frame.map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
            });
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let whole = self.rest.len();
        let length = if whole <= self.cut {
            whole.min(SHORT)
        } else {
            whole
        };
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let hint = self.body.size_hint();
        let mut all = SizeHint::new();
        if let Some(upper) = hint.upper() {
            all.set_upper(upper.saturating_add(rest));
        }
        all.set_lower(hint.lower().saturating_add(rest));
        all
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    async fn lengths(length: usize) -> Vec<usize> {
        let data: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let mut body = ShortFrames::of(Full::new(Bytes::from(data.clone())));
        assert_eq!(body.size_hint().exact(), Some(length as u64));
        let mut lengths = Vec::new();
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            whole.extend_from_slice(&data);
            lengths.push(data.len());
            assert_eq!(
                body.size_hint().exact(),
                Some((length - whole.len()) as u64)
            );
            assert_eq!(body.is_end_stream(), whole.len() == length);
        }
        assert_eq!(whole, data);
        lengths
    }

    #[tokio::test]
    async fn what_is_not_short_comes_in_short_frames_and_nothing_is_lost() {
        assert_eq!(lengths(SHORT).await, [SHORT]);
        assert_eq!(lengths(2 * SHORT + 7).await, [SHORT, SHORT, 7]);
        assert!(lengths(0).await.is_empty());
    }

    #[tokio::test]
    async fn what_is_long_is_not_cut() {
        assert_eq!(lengths(LONG + 1).await, [LONG + 1]);
    }

    #[tokio::test]
    async fn trailers_come_last() {
        let trailers = async { Some(Ok(http::HeaderMap::new())) };
        let body = Full::new(Bytes::from(vec![0; 2 * SHORT])).with_trailers(trailers);
        let mut body = ShortFrames::of(Box::pin(body));
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().unwrap().is_data());
        }
        assert!(body.frame().await.unwrap().unwrap().is_trailers());
        assert!(body.frame().await.is_none());
    }
}
