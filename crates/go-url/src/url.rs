use core::fmt;

use crate::{
    Cause, Error,
    authority::{UserInfo, hostname, parse_authority},
    clean::clean,
    escape::{Part, escape, unescape},
};

/// A URL, absolute or relative, as Go's `net/url` has it.
///
/// Its [`Display`](fmt::Display) is Go's `String`: the scheme in lower case, the host and path
/// escaped where they must be, the query as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    /// What follows the scheme, if that does not begin with a slash.
    opaque: String,
    user: Option<UserInfo>,
    /// With its port and brackets, unescaped.
    host: Vec<u8>,
    path: Encoded,
    /// The question mark is kept even with nothing behind it.
    query: Option<String>,
    fragment: Encoded,
    /// There was no `//` after the scheme.
    omit_host: bool,
}

/// A part that can be escaped in more than one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Encoded {
    value: Vec<u8>,
    /// How it was written.
    written: String,
}

impl Encoded {
    fn parse(text: &str, part: Part) -> Result<Self, Cause> {
        Ok(Self {
            value: unescape(text, part)?,
            written: text.to_owned(),
        })
    }

    /// The way it was written if that was sound, and else Go's own way.
    fn escaped(&self, part: Part) -> String {
        if part.tolerates(&self.written) {
            self.written.clone()
        } else {
            escape(&self.value, part)
        }
    }
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// Go would refuse it too; the text is Go's.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::parse_before_fragment(before).map_err(|e| Error::new(before, e))?;
        url.fragment = Encoded::parse(fragment, Part::Fragment).map_err(|e| Error::new(text, e))?;
        Ok(url)
    }

    fn parse_before_fragment(text: &str) -> Result<Self, Cause> {
        if text.bytes().any(|b| b.is_ascii_control()) {
            return Err(Cause::ControlCharacter);
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            opaque: String::new(),
            user: None,
            host: Vec::new(),
            path: Encoded::default(),
            query,
            fragment: Encoded::default(),
            omit_host: false,
        };
        let has_scheme = !url.scheme.is_empty();
        if !rest.starts_with('/') {
            if has_scheme {
                rest.clone_into(&mut url.opaque);
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|s| s.contains(':')) {
                return Err(Cause::FirstSegment);
            }
        }
        let mut path = rest;
        match rest.strip_prefix("//") {
            Some(authority) if has_scheme || !authority.starts_with('/') => {
                let end = authority.find('/').unwrap_or(authority.len());
                (url.user, url.host) = parse_authority(&url.scheme, &authority[..end])?;
                path = &authority[end..];
            }
            _ => url.omit_host = has_scheme && rest.starts_with('/'),
        }
        url.path = Encoded::parse(path, Part::Path)?;
        Ok(url)
    }

    /// This URL with `elements` added to its path: slashes are collapsed, `.` and `..` resolved,
    /// and what a path cannot hold is escaped. Elements may be escaped already.
    ///
    /// # Errors
    /// An element holds a `%` that begins no escape. Go keeps the path without any element then,
    /// which names something else.
    pub fn join_path(&self, elements: &[&str]) -> Result<Self, Error> {
        let own = self.escaped_path();
        let is_relative = !own.starts_with('/');
        let mut joined = String::from("/");
        joined.push_str(&own);
        for element in elements {
            joined.push('/');
            joined.push_str(element);
        }
        let mut path = clean(&joined);
        if is_relative {
            path.remove(0);
        }
        let last = elements.last().copied().unwrap_or(&own);
        let ends_in_slash = last.ends_with('/') || (elements.is_empty() && own.is_empty());
        if ends_in_slash && !path.ends_with('/') {
            path.push('/');
        }
        let path = Encoded::parse(&path, Part::Path).map_err(|e| Error::new(&path, e))?;
        Ok(Self {
            path,
            ..self.clone()
        })
    }

    fn escaped_path(&self) -> String {
        // A request line may ask for `*` (RFC 9112 section 3.2.4), so Go's own way to write it is
        // not to escape it.
        if self.path.written == "%2A" {
            return "*".to_owned();
        }
        self.path.escaped(Part::Path)
    }

    /// The scheme, in lower case; empty for a relative URL.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// This URL with another scheme.
    #[must_use]
    pub fn with_scheme(self, scheme: &str) -> Self {
        Self {
            scheme: scheme.to_owned(),
            ..self
        }
    }

    /// The host with its port and brackets, unescaped, so it need not be UTF-8.
    #[must_use]
    pub fn host(&self) -> &[u8] {
        &self.host
    }

    /// The host without port and brackets, unescaped.
    #[must_use]
    pub fn hostname(&self) -> &[u8] {
        hostname(&self.host)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_authority = !self.host.is_empty() || self.user.is_some();
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            let path = self.escaped_path();
            let slashes = !self.scheme.is_empty() && !self.omit_host && !path.is_empty();
            if has_authority || slashes {
                f.write_str("//")?;
            }
            if let Some(user) = &self.user {
                write!(f, "{}@", user.escaped())?;
            }
            f.write_str(&escape(&self.host, Part::Host))?;
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                f.write_str("/")?;
            }
            let begins = self.scheme.is_empty() && !has_authority;
            if begins && path.split('/').next().is_some_and(|s| s.contains(':')) {
                // It would be taken for a scheme (RFC 3986 section 4.2).
                f.write_str("./")?;
            }
            f.write_str(&path)?;
        } else {
            f.write_str(&self.opaque)?;
        }
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if !self.fragment.value.is_empty() {
            write!(f, "#{}", self.fragment.escaped(Part::Fragment))?;
        }
        Ok(())
    }
}

/// The scheme, if there is one, and what follows its colon (RFC 3986 section 3.1).
fn split_scheme(text: &str) -> Result<(&str, &str), Cause> {
    let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let Some(end) = text.bytes().position(|b| !may_stand(b)) else {
        return Ok(("", text));
    };
    if !text[end..].starts_with(':') {
        return Ok(("", text));
    }
    if end == 0 {
        return Err(Cause::MissingScheme);
    }
    if !text.as_bytes()[0].is_ascii_alphabetic() {
        return Ok(("", text));
    }
    Ok((&text[..end], &text[end + 1..]))
}
