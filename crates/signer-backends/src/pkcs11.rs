//! `pkcs11:` (RFC 7512).

use std::{collections::BTreeMap, fs, path::PathBuf};

use fulcio_signer_pkcs11::{Config, KeyReference, Token, TokenChoice};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{
    Error, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    locate::{Openable, Opening},
};

pub(crate) const SHAPE: &str =
    "pkcs11:token=fulcio;object=PKCS11CA?module-path=/usr/lib/softhsm/libsofthsm2.so";

#[derive(Debug)]
struct TokenKey {
    config: Config,
    key: KeyReference,
    name: String,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let rest = uri.rest();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // The query may hold the PIN.
    let name = format!("pkcs11:{path}");
    let mut path = Attributes::read(path, ';', &PATH)?;
    let mut query = Attributes::read(query, '&', &QUERY)?;

    if path.text("type")?.is_some_and(|kind| kind != "private") {
        return Err(wrong("type must be private, if it is there"));
    }
    let key = match (path.text("object")?, path.take("id")) {
        (Some(label), Some(id)) => KeyReference::label(label).with_id(id),
        (Some(label), None) => KeyReference::label(label),
        (None, Some(id)) => KeyReference::id(id),
        (None, None) => return Err(wrong("neither object nor id says which key is meant")),
    };
    let module = query
        .text("module-path")?
        .ok_or_else(|| wrong("module-path, the file of the PKCS#11 module, is missing"))?;
    let mut config = Config::new(module, token(&mut path)?);
    config.pin = match (query.text("pin-value")?, query.text("pin-source")?) {
        (Some(_), Some(_)) => {
            return Err(wrong("only one of pin-value and pin-source may be given"));
        }
        (Some(pin), None) => Some(Zeroizing::new(pin)),
        (None, Some(source)) => Some(pin_of(&source)?),
        (None, None) => options.password().cloned(),
    };
    Ok(LocatedKey::here(TokenKey { config, key, name }))
}

impl Openable for TokenKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let token = Token::open(self.config).await.map_err(Error::Pkcs11)?;
            let signer = token.signer(&self.key).await.map_err(Error::Pkcs11)?;
            Ok(OpenedKey {
                name: self.name,
                signer: Box::new(signer),
            })
        })
    }
}

fn token(path: &mut Attributes) -> Result<TokenChoice, Error> {
    let slot = match path.text("slot-id")? {
        Some(number) => Some(
            number
                .parse()
                .map_err(|_not_a_number| wrong("slot-id must be a number"))?,
        ),
        None => None,
    };
    match (path.text("token")?, path.text("serial")?, slot) {
        (Some(label), None, None) => Ok(TokenChoice::Label(label)),
        (None, Some(serial), None) => Ok(TokenChoice::Serial(serial)),
        (None, None, Some(number)) => Ok(TokenChoice::Slot(number)),
        _ => Err(wrong(
            "one of token, serial and slot-id must say which token is meant",
        )),
    }
}

/// The PIN in the first line of a file.
fn pin_of(source: &str) -> Result<Zeroizing<String>, Error> {
    let local = source.strip_prefix("file:").unwrap_or(source);
    let local = local.strip_prefix("//").unwrap_or(local);
    if !local.starts_with('/') {
        return Err(wrong(
            "pin-source must be a file, such as file:/etc/fulcio/pin",
        ));
    }
    let file = PathBuf::from(local);
    match fs::read_to_string(&file) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let line = text.lines().next().unwrap_or_default();
            Ok(Zeroizing::new(line.to_owned()))
        }
        Err(source) => Err(Error::Pkcs11Pin { file, source }),
    }
}

/// The attributes of one part of the URI, percent-decoded, and each at most once.
struct Attributes(BTreeMap<&'static str, Vec<u8>>);

impl Attributes {
    fn read(part: &str, separator: char, known: &[&'static str]) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        for attribute in part.split(separator).filter(|text| !text.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| wrong("each attribute is a name, = and a value"))?;
            let Some(name) = known.iter().find(|known| **known == name) else {
                let known = known.join(", ");
                return Err(wrong(format!(
                    "{name:?} is not read here; there are {known}"
                )));
            };
            let value = percent_decode_str(value).collect();
            if found.insert(*name, value).is_some() {
                return Err(wrong(format!("{name} is there twice")));
            }
        }
        Ok(Self(found))
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        self.0.remove(name)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        self.take(name)
            .map(String::from_utf8)
            .transpose()
            .map_err(|_not_utf8| wrong(format!("{name} is not UTF-8")))
    }
}

fn wrong(wrong: impl Into<String>) -> Error {
    Error::Pkcs11Uri {
        wrong: wrong.into(),
    }
}

const PATH: [&str; 6] = ["token", "serial", "slot-id", "object", "id", "type"];
const QUERY: [&str; 3] = ["module-path", "pin-value", "pin-source"];
