use crate::Error;

/// A SPIFFE ID: `spiffe://`, a trust domain, and a path of plain segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpiffeId<'a> {
    trust_domain: &'a str,
}

impl<'a> SpiffeId<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| Error::SpiffeId {
            subject: text.to_owned(),
        })
    }

    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("spiffe://")?;
        let (trust_domain, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(may_stand);
        // The first slash parts the path from the domain, and so no segment stands before it.
        let is_path = path.is_empty() || path.split('/').skip(1).all(is_segment);
        (is_name(trust_domain) && is_path).then_some(Self { trust_domain })
    }

    pub(crate) fn trust_domain(self) -> &'a str {
        self.trust_domain
    }
}

/// The trust domain that `text` is, or that the SPIFFE ID `text` has.
pub(crate) fn trust_domain(text: &str) -> Option<&str> {
    if text.contains(":/") {
        return SpiffeId::read(text).map(SpiffeId::trust_domain);
    }
    is_name(text).then_some(text)
}

fn is_name(text: &str) -> bool {
    let may_stand = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    !text.is_empty() && text.bytes().all(may_stand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_domain_may_be_given_as_an_id() {
        for text in [
            "example.com",
            "spiffe://example.com",
            "spiffe://example.com/a",
        ] {
            assert_eq!(trust_domain(text), Some("example.com"), "{text}");
        }
        for text in [
            "",
            "Example.com",
            "example.com/a",
            "https://example.com",
            "spiffe:/example.com",
            "spiffe://",
            "spiffe://example.com/",
            "spiffe://example.com//a",
            "spiffe://example.com/../a",
            "spiffe://example.com/a b",
            "spiffe://example.com:80/a",
            "SPIFFE://example.com",
        ] {
            assert_eq!(trust_domain(text), None, "{text}");
        }
    }
}
