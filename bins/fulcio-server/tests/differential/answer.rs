use http::HeaderMap;

/// What came back.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// 0 where there is no answer.
    pub(super) status: u16,
    /// In lower case, in the order of arrival.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
    /// Whether it ended before its end.
    pub(super) broken: bool,
    /// More answers on the same connection.
    pub(super) more: usize,
}

impl Answer {
    /// No answer, and why.
    pub(super) fn none(why: &str) -> Self {
        Self {
            body: why.as_bytes().to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        Self {
            status,
            headers: texts(headers),
            ..Self::default()
        }
    }

    pub(super) fn add_trailers(&mut self, trailers: &HeaderMap) {
        self.trailers.extend(texts(trailers));
    }

    /// An answer of HTTP/1.1.
    pub(super) fn parse(bytes: &[u8], without_body: bool) -> Self {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            return match bytes {
                [] => Self::none("nothing"),
                _ => Self::none("no answer of HTTP/1.1"),
            };
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let rest = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let mut answer = Self {
            status: status.unwrap_or_default(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            ..Self::default()
        };
        if answer.status == 100 {
            return Self::parse(rest, without_body);
        }
        if without_body || matches!(answer.status, 204 | 304) {
            answer.body = rest.to_vec();
            return answer;
        }
        let after = if answer.header("transfer-encoding").is_some() {
            answer.read_chunks(rest)
        } else {
            let length = answer
                .header("content-length")
                .and_then(|length| length.parse().ok());
            let length = length.unwrap_or(rest.len());
            answer.broken = length > rest.len();
            let (body, after) = rest.split_at(length.min(rest.len()));
            answer.body = body.to_vec();
            after
        };
        if !after.is_empty() {
            let next = Self::parse(after, false);
            answer.more = 1 + next.more;
        }
        answer
    }

    fn read_chunks<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        loop {
            let chunk = find(rest, b"\r\n").and_then(|end| {
                let length = core::str::from_utf8(&rest[..end]).ok()?;
                let length = usize::from_str_radix(length, 16).ok()?;
                let data = rest.get(end + 2..end + 2 + length)?;
                Some((data, rest.get(end + 4 + length..)?))
            });
            let Some((data, after)) = chunk else {
                self.broken = true;
                return &[];
            };
            self.body.extend_from_slice(data);
            rest = after;
            if data.is_empty() {
                return rest;
            }
        }
    }

    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(one, _)| one == name)?;
        Some(&found.1)
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        })
        .collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
