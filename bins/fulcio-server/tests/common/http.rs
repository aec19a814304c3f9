use std::time::Duration;

use ::http::{HeaderMap, Method, Request};
use serde_json::Value;
use ureq::Agent;

/// What a server answered over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header that is there once; nothing where it is absent.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is there twice");
        Some(value.to_str().unwrap())
    }
}

#[track_caller]
pub(crate) fn get(url: &str) -> Answer {
    http("GET", url, &[], None)
}

#[track_caller]
pub(crate) fn post_json(url: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    http("POST", url, &headers, Some(body.to_string().as_bytes()))
}

/// One request on a connection of its own, with no headers but these and those that HTTP needs.
#[track_caller]
pub(crate) fn http(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let method: Method = method.parse().unwrap();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = match body {
        Some(body) => agent.run(request.body(body).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let mut response = response.unwrap_or_else(|error| panic!("{url}: {error}"));
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.body_mut().read_to_vec().unwrap(),
    }
}
