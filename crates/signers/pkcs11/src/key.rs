use core::fmt;

use cryptoki::{
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use fulcio_remote_key::PublicKey;

use crate::{Error, certificate, public_key};

/// Which key of a token is meant: by its label, its identifier, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    label: Option<String>,
    id: Option<Vec<u8>>,
}

impl KeyReference {
    /// The key with this label (`CKA_LABEL`).
    pub fn label(label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            id: None,
        }
    }

    /// The key with this identifier (`CKA_ID`).
    pub fn id(id: impl Into<Vec<u8>>) -> Self {
        Self {
            label: None,
            id: Some(id.into()),
        }
    }

    /// The key that has this identifier as well.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The handle of the private key. Exactly one must fit.
    pub(crate) fn find(&self, session: &Session) -> Result<ObjectHandle, Error> {
        let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
        if let Some(label) = &self.label {
            template.push(Attribute::Label(label.as_bytes().to_vec()));
        }
        if let Some(id) = &self.id {
            template.push(Attribute::Id(id.clone()));
        }
        let found = session.find_objects(&template)?;
        match found[..] {
            [key] => Ok(key),
            [] => Err(Error::KeyNotFound {
                key: self.clone(),
                others: all_keys(session)?,
            }),
            _ => {
                let ids = found
                    .iter()
                    .map(|key| Ok(shown(&KeyObject::read(session, *key)?.id)))
                    .collect::<Result<_, Error>>()?;
                Err(Error::SeveralKeys {
                    key: self.clone(),
                    ids,
                })
            }
        }
    }

    /// The public half of the key, which must be one that may sign.
    pub(crate) fn public_key(&self, session: &Session) -> Result<PublicKey, Error> {
        let handle = self.find(session)?;
        let private = KeyObject::read(session, handle)?;
        if !private.may_sign {
            return Err(Error::MayNotSign { key: self.clone() });
        }
        if private.always_authenticate {
            return Err(Error::AlwaysAuthenticate { key: self.clone() });
        }
        match private.public_half(session)? {
            Some(public) => public_key::read(session, public),
            None => certificate::public_key(session, &private.id)?
                .ok_or_else(|| Error::NoPublicKey { key: self.clone() }),
        }
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("private key")?;
        if let Some(label) = &self.label {
            write!(f, " labelled {label:?}")?;
        }
        if let Some(id) = &self.id {
            write!(f, " with the id {}", shown(id))?;
        }
        Ok(())
    }
}

/// An identifier as other tools show it, in hexadecimal, with its characters where it has such.
pub(crate) fn shown(id: &[u8]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    match core::str::from_utf8(id) {
        Ok(text) if !id.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("{hex} ({text:?})")
        }
        _ => hex,
    }
}

/// What a private key says of itself.
struct KeyObject {
    id: Vec<u8>,
    label: Vec<u8>,
    kind: Option<KeyType>,
    may_sign: bool,
    always_authenticate: bool,
}

impl KeyObject {
    fn read(session: &Session, key: ObjectHandle) -> Result<Self, Error> {
        let wanted = [
            AttributeType::Id,
            AttributeType::Label,
            AttributeType::KeyType,
            AttributeType::Sign,
            AttributeType::AlwaysAuthenticate,
        ];
        // A token that does not say whether the key may sign will say so when it is asked to.
        let mut read = Self {
            id: Vec::new(),
            label: Vec::new(),
            kind: None,
            may_sign: true,
            always_authenticate: false,
        };
        for attribute in session.get_attributes(key, &wanted)? {
            match attribute {
                Attribute::Id(id) => read.id = id,
                Attribute::Label(label) => read.label = label,
                Attribute::KeyType(kind) => read.kind = Some(kind),
                Attribute::Sign(sign) => read.may_sign = sign,
                Attribute::AlwaysAuthenticate(always) => read.always_authenticate = always,
                _ => {}
            }
        }
        Ok(read)
    }

    /// The public key of the same identifier and label, or else of the same identifier.
    fn public_half(&self, session: &Session) -> Result<Option<ObjectHandle>, Error> {
        let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
        template.extend(self.kind.map(Attribute::KeyType));
        // Some tokens do not like to be asked for what is empty.
        if !self.id.is_empty() {
            template.push(Attribute::Id(self.id.clone()));
        }
        if !self.label.is_empty() {
            let mut labelled = template.clone();
            labelled.push(Attribute::Label(self.label.clone()));
            if let Some(found) = session.find_objects(&labelled)?.first() {
                return Ok(Some(*found));
            }
        }
        if self.id.is_empty() {
            return Ok(None);
        }
        Ok(session.find_objects(&template)?.first().copied())
    }
}

/// All private keys, as far as there is room for them in one message.
fn all_keys(session: &Session) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for key in session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
        if names.len() == MAX_NAMES {
            names.push("…".to_owned());
            break;
        }
        let key = KeyObject::read(session, key)?;
        let label = String::from_utf8_lossy(&key.label);
        names.push(format!("{label:?} (id {})", shown(&key.id)));
    }
    Ok(names)
}

const MAX_NAMES: usize = 10;
