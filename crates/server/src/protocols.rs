use core::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::router::MOST_HEADERS;

/// How HTTP/1.1 and HTTP/2 are spoken.
#[derive(Debug)]
pub(crate) struct Protocols {
    pub(crate) http1: http1::Builder,
    pub(crate) http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    pub(crate) fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // `Pace` knows when a head has begun.
            .header_read_timeout(None::<Duration>)
            .max_headers(MOST_HEADERS)
            // A longer head is answered with 431.
            .max_buf_size(LONGEST_HEAD as usize);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(LONGEST_HEAD)
            // A client that opens streams only to reset them is disconnected (CVE-2023-44487, CVE-2024-2758 and their
            // kin): after so many that were not yet taken up, and so many that broke the rules.
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(1024)
            // What a client may send before somebody reads it, and what is kept for one that does not read.
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            // Idle connections are closed by `Pace`; this finds out which clients are gone whose requests are in flight.
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE);
        Self { http1, http2 }
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const MAX_STREAMS: u32 = 250;
const LONGEST_HEAD: u32 = 64 << 10;
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const SEND_BUFFER: usize = 256 << 10;
