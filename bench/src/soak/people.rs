use core::net::SocketAddr;
use std::rc::Rc;

use anyhow::Result;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::{
    case::{Api, Case, Curve, Log},
    material::{Subject, prepare},
    provider::Issuer,
};

/// All who ask, with everything that they send made before.
#[derive(Debug)]
pub(crate) struct People {
    /// Of the provider that the faults befall: by the number of times that it has had new keys.
    pub(crate) troubled: Vec<Group>,
    /// Of providers that nothing befalls.
    pub(crate) others: Vec<Group>,
    /// Of a provider that is trusted only now and then.
    pub(crate) guests: Group,
    /// With tokens that nobody has issued.
    pub(crate) forgers: Vec<Group>,
}

/// Who comes from one provider.
pub(crate) type Group = Rc<Vec<Subject>>;

impl People {
    /// So many of each provider; the last of `providers` is the guests'.
    pub(crate) fn new(
        troubled: &[Issuer],
        others: &[Issuer],
        guests: &Issuer,
        size: usize,
    ) -> Result<Self> {
        let group = |issuer: &Issuer, name: &str, size| {
            let people = (0..size).map(|number| {
                let token = |email: &str, kind| issuer.token(email, kind);
                Subject::new(&token, format!("{name}-{number:04}@example.com"))
            });
            anyhow::Ok(Rc::new(people.collect::<Result<Vec<_>>>()?))
        };
        let forger = |issuer: &Issuer| group(&Issuer::new(issuer.url(), "forged")?, "forger", 2);
        Ok(Self {
            forgers: troubled
                .iter()
                .take(1)
                .chain(others)
                .map(forger)
                .collect::<Result<_>>()?,
            troubled: troubled
                .iter()
                .map(|issuer| group(issuer, "troubled", size))
                .collect::<Result<_>>()?,
            others: others
                .iter()
                .map(|issuer| group(issuer, "other", size))
                .collect::<Result<_>>()?,
            guests: group(guests, "guest", 2)?,
        })
    }
}

/// What these people send to one server.
#[derive(Debug)]
pub(crate) struct Letters {
    people: Group,
    v2: Vec<Request<Full<Bytes>>>,
    grpc: Vec<Request<Full<Bytes>>>,
}

impl Letters {
    pub(crate) fn new(people: &Group, http: SocketAddr, grpc: SocketAddr) -> Result<Self> {
        Ok(Self {
            v2: prepare(people, case(Api::V2), http)?,
            grpc: prepare(people, case(Api::Grpc), grpc)?,
            people: Rc::clone(people),
        })
    }

    /// The letter of this number, and who has written it.
    pub(crate) fn letter(&self, api: Api, number: usize) -> (Request<Full<Bytes>>, &Subject) {
        let letters = match api {
            Api::Grpc => &self.grpc,
            Api::V1 | Api::V2 => &self.v2,
        };
        let number = number % letters.len();
        (letters[number].clone(), &self.people[number])
    }
}

/// What is asked for; how the log is kept does not show in the certificate.
pub(crate) fn case(api: Api) -> Case {
    Case {
        api,
        log: Log::External,
        ..Case::new(Curve::P256)
    }
}
