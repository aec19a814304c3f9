use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use url::form_urlencoded;

/// The parameters of a query or of a form body (`application/x-www-form-urlencoded`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(BTreeMap<String, String>);

/// Why a request has no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormError {
    /// The body is of another type.
    ContentType,
    /// A parameter is there twice, which RFC 6749 section 3.1 forbids.
    Repeated,
    TooLong,
}

impl Form {
    /// The longest body that is read, in bytes.
    pub(crate) const LIMIT: usize = 16 * 1024;

    pub(crate) fn of_query<B>(request: &Request<B>) -> Result<Self, FormError> {
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    pub(crate) fn of_body(request: &Request<Bytes>) -> Result<Self, FormError> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let kind = content_type.and_then(|kind| kind.to_str().ok()?.split(';').next());
        if !kind.is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        }) {
            return Err(FormError::ContentType);
        }
        if request.body().len() > Self::LIMIT {
            return Err(FormError::TooLong);
        }
        Self::parse(request.body())
    }

    /// The value of a parameter; an empty one is as good as none (RFC 6749 section 3.1).
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    fn parse(encoded: &[u8]) -> Result<Self, FormError> {
        let mut form = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if form.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(FormError::Repeated);
            }
        }
        Ok(Self(form))
    }
}
