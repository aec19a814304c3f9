use std::sync::Arc;

use bytes::Bytes;
use fulcio_ct_log::{EmbeddedLog, Resource};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use crate::{Mount, Mounted, TimedBody};

/// Serves an embedded log to whoever wants to read it (c2sp.org/static-ct-api). Nothing can be
/// submitted through it.
///
/// Tiles and issuers never change, partial tiles included: they may be cached for ever, and have
/// an `ETag` for who asks again. The checkpoint may not be stored at all.
#[derive(Clone, Debug)]
pub struct LogFiles(Arc<EmbeddedLog>);

impl LogFiles {
    /// Serves `log`.
    #[must_use]
    pub fn new(log: Arc<EmbeddedLog>) -> Self {
        Self(log)
    }
}

impl Mount for LogFiles {
    fn handle(&self, path: &str, request: Request<TimedBody>) -> Mounted {
        let (head, _) = request.into_parts();
        let answer = answer(
            Arc::clone(&self.0),
            path.to_owned(),
            head.method,
            head.headers,
        );
        Box::pin(answer)
    }
}

async fn answer(
    log: Arc<EmbeddedLog>,
    path: String,
    method: Method,
    headers: HeaderMap,
) -> Response<Full<Bytes>> {
    if !matches!(method, Method::GET | Method::HEAD) {
        let mut refused = status(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allowed);
        return refused;
    }
    // Reading a file may wait for the disk.
    match tokio::task::spawn_blocking(move || log.read(&path)).await {
        Ok(Ok(Some(resource))) => found(resource, &headers),
        Ok(Ok(None)) => status(StatusCode::NOT_FOUND),
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn core::error::Error,
                "the transparency log cannot be read"
            );
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(ended) => {
            tracing::error!(%ended, "reading the transparency log was cut short");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn found(resource: Resource, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    if resource.immutable {
        let tag = format!("\"{}\"", resource.tag());
        let known = knows(asked, &tag);
        let cache = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, cache);
        if let Ok(tag) = HeaderValue::from_maybe_shared(Bytes::from(tag)) {
            headers.insert(header::ETAG, tag);
        }
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    } else {
        let cache = HeaderValue::from_static("no-store");
        headers.insert(header::CACHE_CONTROL, cache);
    }
    let content_type = HeaderValue::from_static(resource.content_type);
    headers.insert(header::CONTENT_TYPE, content_type);
    *response.body_mut() = Full::from(resource.bytes);
    response
}

/// Whether who asks has what this tag stands for already (RFC 9110, section 13.1.2).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.map(|known| known.strip_prefix("W/").unwrap_or(known))
        .any(|known| known == "*" || known == tag)
}

/// An answer that may be another one in a moment, so that no cache keeps it.
fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let cache = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use fulcio_ct_client::{Entry, Submission, TransparencyLog};
    use fulcio_ct_log::Options;
    use http_body_util::BodyExt as _;
    use pki_types::CertificateDer;
    use tempfile::TempDir;

    use super::*;

    async fn log(entries: u16) -> (TempDir, Arc<EmbeddedLog>) {
        let folder = tempfile::tempdir().unwrap();
        let now = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let options = Options::new(now).with_origin("log.example.com");
        let log = Arc::new(EmbeddedLog::open(folder.path(), options).unwrap());
        let submissions = (0..entries).map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let certificate = CertificateDer::from(number.to_be_bytes().to_vec());
                let submission = Submission {
                    entry: Entry::Certificate(&certificate),
                    certificate: &certificate,
                    issuers: &[],
                };
                log.submit(submission).await.unwrap();
            })
        });
        for submission in submissions.collect::<Vec<_>>() {
            submission.await.unwrap();
        }
        log.published(entries.into()).await.unwrap();
        (folder, log)
    }

    /// The answer to GET with these `If-None-Match` headers: status, headers and length.
    async fn ask(log: &Arc<EmbeddedLog>, path: &str, known: &[&str]) -> (u16, HeaderMap, usize) {
        let mut headers = HeaderMap::new();
        for known in known {
            headers.append(header::IF_NONE_MATCH, known.parse().unwrap());
        }
        let answer = answer(Arc::clone(log), path.to_owned(), Method::GET, headers).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), head.headers, body.len())
    }

    #[tokio::test]
    async fn what_never_changes_may_be_cached_for_ever_and_is_not_sent_twice() {
        let (_folder, log) = log(300).await;
        let mut tags = Vec::new();
        for (path, length) in [
            ("tile/0/000", 256 * 32),
            ("tile/0/000.p/7", 7 * 32),
            ("tile/0/001.p/44", 44 * 32),
            ("tile/1/000.p/1", 32),
        ] {
            let (status, headers, body) = ask(&log, path, &[]).await;
            assert_eq!((status, body), (200, length), "{path}");
            let cache = headers[header::CACHE_CONTROL].to_str().unwrap();
            assert_eq!(cache, "public, max-age=31536000, immutable");
            let tag = headers[header::ETAG].to_str().unwrap().to_owned();
            assert!(!tags.contains(&tag), "{path}");
            for known in [
                vec![tag.clone()],
                vec![format!("W/{tag}")],
                vec![format!("\"other\", {tag}")],
                vec!["\"other\"".to_owned(), tag.clone()],
                vec!["*".to_owned()],
            ] {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let (status, headers, body) = ask(&log, path, &known).await;
                assert_eq!((status, body), (304, 0), "{path} {known:?}");
                assert_eq!(headers[header::ETAG].to_str().unwrap(), tag);
                assert!(headers.contains_key(header::CACHE_CONTROL));
            }
            let other = ask(&log, path, &["\"other\"", tag.trim_matches('"')]).await;
            assert_eq!((other.0, other.2), (200, length), "{path}");
            tags.push(tag);
        }
    }

    #[tokio::test]
    async fn the_checkpoint_is_never_stored_and_always_sent() {
        let (_folder, log) = log(1).await;
        for known in [&[][..], &["*"]] {
            let (status, headers, body) = ask(&log, "checkpoint", known).await;
            assert_eq!(status, 200);
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            assert_eq!(headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
            assert!(!headers.contains_key(header::ETAG));
            assert!(body > 100);
        }
    }

    #[tokio::test]
    async fn what_is_not_there_yet_may_come_and_is_not_cached() {
        let (_folder, log) = log(1).await;
        let (status, headers, _) = ask(&log, "tile/0/000", &["*"]).await;
        assert_eq!(status, 404);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}
