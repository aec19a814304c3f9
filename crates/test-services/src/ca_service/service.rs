use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use http::Method;
use serde_json::{Value, json};

use super::{CaService, Fault, Reply, Seen, State, authority::Authority, wanted::Wanted};

/// What it has, and what it does with it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) authorities: Vec<Authority>,
    pub(super) clock: Option<SystemTime>,
    pub(super) issued: usize,
    pub(super) next: VecDeque<Reply>,
    pub(super) page: usize,
    /// What every request identifier gave.
    pub(super) remembered: HashMap<String, Value>,
    pub(super) seen: Vec<Seen>,
    pub(super) turn: usize,
}

/// A refusal in the form of Google's services.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Service {
    pub(super) fn do_it(&mut self, seen: &Seen, fault: Option<Fault>) -> Result<Value, Refusal> {
        let path = seen.path.strip_prefix("/v1/").unwrap_or_default();
        let Some(rest) = path.strip_prefix(CaService::POOL) else {
            return Err(Refusal::not_found(path));
        };
        let parts: Vec<&str> = rest.trim_start_matches('/').split('/').collect();
        // How clients ask for enumerations.
        let numbers = seen
            .query
            .get("$alt")
            .is_some_and(|alt| alt.contains("enum-encoding=int"));
        match (&seen.method, parts.as_slice()) {
            (&Method::POST, ["certificates"]) => self.create(seen, fault),
            (&Method::GET, ["certificateAuthorities"]) => self.list(seen, numbers),
            (&Method::GET, ["certificateAuthorities", id]) => {
                Ok(self.authority(id)?.description(CaService::POOL, numbers))
            }
            _ => Err(Refusal::not_found(path)),
        }
    }

    fn list(&self, seen: &Seen, numbers: bool) -> Result<Value, Refusal> {
        let number = |name: &str| match seen.query.get(name).map(String::as_str) {
            None | Some("") => Ok(0),
            Some(text) => text
                .parse::<usize>()
                .map_err(|_no_number| Refusal::invalid(format!("{name} is no number"))),
        };
        let (begin, asked) = (number("pageToken")?, number("pageSize")?);
        let page = if asked == 0 {
            self.page
        } else {
            self.page.min(asked)
        };
        let rest = self.authorities.iter().skip(begin);
        let listed: Vec<Value> = rest
            .take(page)
            .map(|authority| authority.description(CaService::POOL, numbers))
            .collect();
        let end = begin + listed.len();
        let mut answer = json!({"certificateAuthorities": listed});
        if end < self.authorities.len() {
            answer["nextPageToken"] = json!(end.to_string());
        }
        Ok(answer)
    }

    fn create(&mut self, seen: &Seen, fault: Option<Fault>) -> Result<Value, Refusal> {
        let one = |name: &str| seen.query.get(name).map_or("", String::as_str);
        let request = one("requestId");
        if !request.is_empty() && !is_uuid(request) {
            return Err(Refusal::invalid("requestId is no UUID".to_owned()));
        }
        if let Some(answer) = self.remembered.get(request) {
            return Ok(answer.clone());
        }
        let id = one("certificateId");
        let mut bytes = id.bytes();
        let right = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if id.len() > 63 || !bytes.all(right) {
            return Err(Refusal::invalid("certificateId is not one".to_owned()));
        }
        let wanted = Wanted::read(&seen.body)?;
        let now = self.now();
        let place = self.issuer(one("issuingCertificateAuthorityId"))?;
        let authority = &self.authorities[place];
        let issuer = format!(
            "{}/certificateAuthorities/{}",
            CaService::POOL,
            authority.id
        );
        let (certificate, chain) = authority.issue(&wanted, now, fault);
        self.issued += 1;
        let mut answer = seen.body.clone();
        answer["name"] = json!(format!("{}/certificates/{id}", CaService::POOL));
        answer["issuerCertificateAuthority"] = json!(issuer);
        answer["pemCertificate"] = json!(certificate);
        answer["pemCertificateChain"] = json!(chain);
        if !request.is_empty() {
            self.remembered.insert(request.to_owned(), answer.clone());
        }
        Ok(answer)
    }

    /// Where the authority is whose turn it is, or the one that is named.
    fn issuer(&mut self, named: &str) -> Result<usize, Refusal> {
        let may = |authority: &Authority| match authority.state {
            State::Enabled => true,
            State::Staged => !named.is_empty(),
            _ => false,
        };
        if !named.is_empty() {
            let mut authorities = self.authorities.iter();
            let place = authorities.position(|authority| authority.id == named);
            let place = place.ok_or_else(|| Refusal::not_found(named))?;
            if !may(&self.authorities[place]) {
                return Err(Refusal::state(format!("{named} is not enabled")));
            }
            return Ok(place);
        }
        self.turn += 1;
        let places = self.authorities.iter().enumerate();
        let enabled: Vec<usize> = places
            .filter(|(_place, authority)| may(authority))
            .map(|(place, _authority)| place)
            .collect();
        match enabled.len() {
            0 => Err(Refusal::state("no authority is enabled".to_owned())),
            count => Ok(enabled[self.turn % count]),
        }
    }

    pub(super) fn authority(&self, id: &str) -> Result<&Authority, Refusal> {
        let found = self.authorities.iter().find(|authority| authority.id == id);
        found.ok_or_else(|| Refusal::not_found(id))
    }

    pub(super) fn authority_mut(&mut self, id: &str) -> &mut Authority {
        let mut authorities = self.authorities.iter_mut();
        authorities.find(|authority| authority.id == id).unwrap()
    }

    /// Without a fraction of a second.
    #[expect(
        clippy::disallowed_methods,
        reason = "a service has a clock of its own"
    )]
    pub(super) fn now(&self) -> SystemTime {
        let now = self.clock.unwrap_or_else(SystemTime::now);
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }
}

impl Refusal {
    pub(super) fn invalid(message: String) -> Self {
        Self {
            status: 400,
            code: "INVALID_ARGUMENT",
            message,
        }
    }

    fn not_found(what: &str) -> Self {
        Self {
            status: 404,
            code: "NOT_FOUND",
            message: format!("{what} was not found"),
        }
    }

    fn state(message: String) -> Self {
        Self {
            status: 400,
            code: "FAILED_PRECONDITION",
            message,
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && text != "00000000-0000-0000-0000-000000000000"
}
