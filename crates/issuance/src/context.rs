use std::net::SocketAddr;

/// What is known about a request besides its contents.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestContext {
    /// Joins the log lines of one request; chosen by the caller or made by the server.
    pub request_id: String,
    /// Who sent it, where that is known.
    pub peer: Option<SocketAddr>,
}

impl RequestContext {
    /// A context for one request.
    pub fn new(request_id: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            peer: None,
        }
    }

    /// Notes who sent the request.
    #[must_use]
    pub fn from_peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }
}
