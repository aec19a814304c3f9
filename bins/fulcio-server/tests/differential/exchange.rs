//! One request on a connection of its own, with what came back as it was on the wire.

use core::net::SocketAddr;
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    thread,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};

use super::{
    answer::Answer,
    request::{Request, Transport},
};

/// Where one of the two servers listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) http: SocketAddr,
    pub(super) grpc: SocketAddr,
}

impl Request {
    pub(super) fn send(&self, to: Addresses) -> Answer {
        match self.transport {
            Transport::Http1 => {
                let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
                for (name, value) in &self.headers {
                    head += &format!("{name}: {value}\r\n");
                }
                if let Some(body) = &self.body
                    && !self.headers.iter().any(|(name, _)| is_length(name))
                {
                    head += &format!("content-length: {}\r\n", body.len());
                }
                head += "connection: close\r\n\r\n";
                let bytes = [head.as_bytes(), self.body.as_deref().unwrap_or_default()].concat();
                self.exchange(to.http, &bytes, self.method == "HEAD")
            }
            Transport::Raw => {
                let bytes = self.body.as_deref().unwrap_or_default();
                self.exchange(to.http, bytes, bytes.starts_with(b"HEAD "))
            }
            Transport::Http2 => self.over_http_2(to.http),
            Transport::Grpc => self.over_http_2(to.grpc),
        }
    }

    fn over_http_2(&self, to: SocketAddr) -> Answer {
        let call = async {
            let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(true)
                .timer(TokioTimer::new())
                .build_http();
            let mut request = http::Request::builder()
                .method(self.method.as_str())
                .uri(format!("http://{to}{}", self.target));
            for (name, value) in &self.headers {
                request = request.header(name, value.as_str());
            }
            let body = Full::from(self.body.clone().unwrap_or_default());
            let answer = client.request(request.body(body).unwrap()).await;
            let (head, mut body) = match answer {
                Ok(answer) => answer.into_parts(),
                Err(error) => return Answer::none(&format!("{error}")),
            };
            let mut answer = Answer::of(head.status.as_u16(), &head.headers);
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else {
                    answer.broken = true;
                    break;
                };
                if let Some(trailers) = frame.trailers_ref() {
                    answer.add_trailers(trailers);
                }
                if let Ok(data) = frame.into_data() {
                    answer.body.extend_from_slice(&data);
                    if self.stream {
                        break;
                    }
                }
            }
            answer
        };
        let patient = async {
            let waited = tokio::time::timeout(self.patience, call).await;
            waited.unwrap_or_else(|_elapsed| Answer::none("nothing in time"))
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(patient)
    }

    fn exchange(&self, to: SocketAddr, bytes: &[u8], without_body: bool) -> Answer {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(self.patience)).unwrap();
        stream.set_write_timeout(Some(self.patience)).unwrap();
        let mut received = Vec::new();
        thread::scope(|scope| {
            let mut writer = stream.try_clone().unwrap();
            scope.spawn(move || {
                // A server that has heard enough may go away.
                drop(writer.write_all(bytes));
                if self.breaks_off {
                    drop(writer.shutdown(Shutdown::Write));
                }
            });
            drop(stream.read_to_end(&mut received));
            drop(stream.shutdown(Shutdown::Both));
        });
        Answer::parse(&received, without_body)
    }
}

/// Whether a header says how long the body is.
fn is_length(name: &str) -> bool {
    ["content-length", "transfer-encoding"]
        .iter()
        .any(|one| name.eq_ignore_ascii_case(one))
}
