use core::{fmt, iter};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{Error, Malformed, letter_case::same_but_for_case, numeric_date::Seconds};

/// The registered claims (RFC 7519 §4.1, OpenID Connect Core §2), read before the signature is
/// checked and therefore without building up anything else.
///
/// The rules are those of Fulcio's verifier: a wrong type refuses the token even where the value
/// is not used. What Fulcio also reads is refused instead: names in another case here, and claims
/// that stand there twice when all claims are read.
#[derive(Default)]
pub(crate) struct Registered {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
    expiry: Option<i64>,
    not_before: Option<i64>,
    sources: BTreeMap<String, Option<ClaimSource>>,
    source_names: BTreeMap<String, Option<String>>,
}

/// How far `nbf` may lie ahead: other people's clocks.
const NOT_BEFORE_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The scheme-less issuer that Google sometimes writes, and the issuer that it stands for.
const GOOGLE: (&str, &str) = ("accounts.google.com", "https://accounts.google.com");

impl Registered {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Malformed> {
        let claims: Self = serde_json::from_slice(json).map_err(Malformed::Claims)?;
        let sourced = claims.source_names.values().all(|name| {
            name.as_ref()
                .is_some_and(|name| !name.is_empty() && claims.sources.contains_key(name))
        });
        if sourced {
            Ok(claims)
        } else {
            Err(Malformed::ClaimSource)
        }
    }

    /// Fails unless the token is `issuer`'s, for `audience`, and valid at `now`.
    pub(crate) fn hold(&self, issuer: &str, audience: &str, now: SystemTime) -> Result<(), Error> {
        if self.issuer != issuer && (self.issuer.as_str(), issuer) != GOOGLE {
            return Err(Error::Issuer);
        }
        if audience.is_empty() || !self.audiences.iter().any(|one| one == audience) {
            return Err(Error::Audience);
        }
        let now = nanoseconds(now);
        let expiry = self.expiry.ok_or(Error::Expired)?;
        if i128::from(expiry) * NANOSECONDS < now {
            return Err(Error::Expired);
        }
        let leeway = i128::from(NOT_BEFORE_LEEWAY.as_secs()) * NANOSECONDS;
        match self.not_before {
            Some(begin) if i128::from(begin) * NANOSECONDS > now + leeway => {
                Err(Error::NotYetValid)
            }
            _ => Ok(()),
        }
    }
}

const NANOSECONDS: i128 = 1_000_000_000;

/// Nanoseconds since 1970, negative before.
fn nanoseconds(time: SystemTime) -> i128 {
    let signed =
        |span: Duration| i128::from(span.as_secs()) * NANOSECONDS + i128::from(span.subsec_nanos());
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    }
}

impl<'de> Deserialize<'de> for Registered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RegisteredVisitor)
    }
}

struct RegisteredVisitor;

impl<'de> Visitor<'de> for RegisteredVisitor {
    type Value = Registered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Registered, A::Error> {
        let mut claims = Registered::default();
        while let Some(name) = map.next_key::<Name>()? {
            match name {
                Name::Issuer => claims.issuer = or_default(&mut map)?,
                Name::Subject => claims.subject = or_default(&mut map)?,
                Name::Audience => claims.audiences = map.next_value::<Audiences>()?.0,
                Name::Expiry => claims.expiry = Some(map.next_value::<Seconds>()?.0),
                Name::IssuedAt => _ = map.next_value::<Seconds>()?,
                Name::NotBefore => {
                    claims.not_before = map.next_value::<Option<Seconds>>()?.map(|time| time.0);
                }
                Name::Nonce | Name::AccessTokenHash => _ = map.next_value::<Option<String>>()?,
                Name::ClaimNames => claims.source_names = or_default(&mut map)?,
                Name::ClaimSources => claims.sources = or_default(&mut map)?,
                Name::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(claims)
    }
}

/// The value of a claim, for which `null` is as good as absent.
fn or_default<'de, A, V>(map: &mut A) -> Result<V, A::Error>
where
    A: MapAccess<'de>,
    V: Deserialize<'de> + Default,
{
    Ok(map.next_value::<Option<V>>()?.unwrap_or_default())
}

#[derive(Clone, Copy)]
enum Name {
    AccessTokenHash,
    Audience,
    ClaimNames,
    ClaimSources,
    Expiry,
    IssuedAt,
    Issuer,
    Nonce,
    NotBefore,
    Other,
    Subject,
}

const NAMES: [(&str, Name); 10] = [
    ("iss", Name::Issuer),
    ("sub", Name::Subject),
    ("aud", Name::Audience),
    ("exp", Name::Expiry),
    ("iat", Name::IssuedAt),
    ("nbf", Name::NotBefore),
    ("nonce", Name::Nonce),
    ("at_hash", Name::AccessTokenHash),
    ("_claim_names", Name::ClaimNames),
    ("_claim_sources", Name::ClaimSources),
];

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a claim")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name, E> {
                if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == text) {
                    Ok(*name)
                } else if NAMES
                    .iter()
                    .any(|(known, _)| same_but_for_case(known, text))
                {
                    Err(E::custom("a registered claim is written in another case"))
                } else {
                    Ok(Name::Other)
                }
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// `aud`: one string, or an array of strings.
struct Audiences(Vec<String>);

impl<'de> Deserialize<'de> for Audiences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AudiencesVisitor;

        impl<'de> Visitor<'de> for AudiencesVisitor {
            type Value = Audiences;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an audience or an array of them")
            }

            fn visit_str<E: serde::de::Error>(self, one: &str) -> Result<Audiences, E> {
                Ok(Audiences(vec![one.to_owned()]))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Audiences, E> {
                Ok(Audiences(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut many: A) -> Result<Audiences, A::Error> {
                iter::from_fn(|| many.next_element().transpose())
                    .collect::<Result<_, _>>()
                    .map(Audiences)
            }
        }

        deserializer.deserialize_any(AudiencesVisitor)
    }
}

/// Where distributed claims are; read for its types alone.
#[derive(Deserialize)]
struct ClaimSource {
    #[serde(rename = "endpoint")]
    _endpoint: Option<String>,
    #[serde(rename = "access_token")]
    _access_token: Option<String>,
}
