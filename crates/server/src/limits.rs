use core::time::Duration;

/// What one listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "meant for `..Limits::default()` updates"
)]
pub struct Limits {
    /// How many connections it serves at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take to send the body of a request, counted from its head.
    pub body: Duration,
    /// How long a connection may wait for the head of its next request to be there as a whole.
    pub idle: Duration,
    /// How long requests in flight may take to finish once the server was told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            body: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}
