use core::time::Duration;

/// What one listener puts up with. [`Duration::MAX`] is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "meant for `..Limits::default()` updates"
)]
pub struct Limits {
    /// How many connections it serves at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take for the handshake of TLS.
    pub handshake: Duration,
    /// How long a client may take to send the head of a request, counted from its first byte. In HTTP/2, how long it
    /// may take to send a frame, or the frames of one head.
    pub head: Duration,
    /// How long a client may take to send the body of a request, counted from its head.
    pub body: Duration,
    /// How long a connection may be without a request; also how long it may be silent within the head of one.
    pub idle: Duration,
    /// How long requests in flight may take to finish once the server was told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}
