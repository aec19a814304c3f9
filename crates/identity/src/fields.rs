use fulcio_go_url::{CertificateUri, Url};
use fulcio_oidc_verify::{Claims, VerifiedToken};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use serde_json::Value;

use crate::Error;

/// The claims that one kind reads, each a text, by the rules of Go's `encoding/json`: `null` is as
/// good as absent, any other type refuses the token. What Go also reads, names in another case, is
/// refused instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'t>(&'t Claims);

impl<'t> Fields<'t> {
    /// The claims of `token`; `names` are all that will be read.
    pub(crate) fn of(token: &'t VerifiedToken, names: &[&'static str]) -> Result<Self, Error> {
        Self::within(token.claims(), names)
    }

    /// The same for an object inside a token.
    pub(crate) fn within(claims: &'t Claims, names: &[&'static str]) -> Result<Self, Error> {
        for written in claims.keys() {
            let meant = |name: &&&str| **name != written && same_but_for_case(name, written);
            if let Some(name) = names.iter().find(meant) {
                return Err(Error::ClaimSpelling { name });
            }
        }
        Ok(Self(claims))
    }

    /// The claim, if it is neither absent nor null.
    pub(crate) fn value(self, name: &'static str) -> Option<&'t Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The text of a claim; empty if it is not there.
    pub(crate) fn text(self, name: &'static str) -> Result<&'t str, Error> {
        match self.value(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Error::ClaimType {
                name,
                expected: "a text",
            }),
        }
    }

    /// The text of a claim that must be there.
    pub(crate) fn required(self, name: &'static str) -> Result<&'t str, Error> {
        match self.text(name)? {
            "" => Err(Error::ClaimAbsent { name }),
            text => Ok(text),
        }
    }

    /// The object behind a claim; none if it is not there.
    pub(crate) fn object(
        self,
        name: &'static str,
        names: &[&'static str],
    ) -> Result<Option<Self>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self::within(object, names)?)),
            Some(_) => Err(Error::ClaimType {
                name,
                expected: "an object",
            }),
        }
    }
}

/// Whether Go's `encoding/json` takes `written` for the field `name`, which is lower-case ASCII.
fn same_but_for_case(name: &str, written: &str) -> bool {
    let fold = |letter| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().eq(written.chars().map(fold))
}

/// The extensions that every certificate for `token` has.
pub(crate) fn extensions(token: &VerifiedToken) -> Result<Extensions, Error> {
    if token.issuer().is_empty() {
        return Err(Error::IssuerNameEmpty);
    }
    let mut extensions = Extensions::for_issuer(token.issuer());
    extensions.set(Extension::TokenSubject, token.subject());
    Ok(extensions)
}

/// The principal that is named by `uri`, and signs the `sub` of its token.
pub(crate) fn named_by(
    uri: &Url,
    token: &VerifiedToken,
    extensions: Extensions,
) -> Result<Principal, Error> {
    let uri = CertificateUri::parse(&uri.to_string()).map_err(Error::Uri)?;
    let name = SubjectAltName::Uri(uri.into_string());
    Ok(Principal::new(token.subject(), name, extensions))
}
