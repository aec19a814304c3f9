//! What stands between `//` and the path: `user@host:port` (RFC 3986 section 3.2).

use crate::{
    Cause,
    escape::{Part, escape, unescape},
    ipv6::{Family, parse_address},
};

/// A user's name and perhaps a password, both unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserInfo {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl UserInfo {
    fn parse(text: &str) -> Result<Self, Cause> {
        let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
        if !text.bytes().all(may_stand) {
            return Err(Cause::UserInfo);
        }
        let (name, password) = match text.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (text, None),
        };
        let unescape = |text| unescape(text, Part::UserInfo);
        Ok(Self {
            name: unescape(name)?,
            password: password.map(unescape).transpose()?,
        })
    }

    pub(crate) fn escaped(&self) -> String {
        let mut text = escape(&self.name, Part::UserInfo);
        if let Some(password) = &self.password {
            text.push(':');
            text.push_str(&escape(password, Part::UserInfo));
        }
        text
    }
}

/// Reads the user, and the host with its port, unescaped.
pub(crate) fn parse_authority(
    scheme: &str,
    authority: &str,
) -> Result<(Option<UserInfo>, Vec<u8>), Cause> {
    match authority.rsplit_once('@') {
        None => Ok((None, parse_host(scheme, authority)?)),
        Some((user, host)) => {
            let host = parse_host(scheme, host)?;
            Ok((Some(UserInfo::parse(user)?), host))
        }
    }
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, Cause> {
    match host.rfind('[') {
        Some(0) => return parse_ip_literal(host),
        Some(_) => return Err(Cause::IpLiteral),
        None => {}
    }
    // Some databases have lists of hosts in their URLs, so only the web's schemes are strict.
    let colon = match scheme {
        "http" | "https" => host.find(':'),
        _ => host.rfind(':'),
    };
    if let Some(colon) = colon {
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

/// `[address]:port`; the address may have a zone (RFC 6874).
fn parse_ip_literal(host: &str) -> Result<Vec<u8>, Cause> {
    let (address, port) = host[1..].rsplit_once(']').ok_or(Cause::UnclosedBracket)?;
    check_port(port)?;
    let mut unescaped = match address.find("%25") {
        None => unescape(address, Part::Host)?,
        Some(zone) => {
            let mut unescaped = unescape(&address[..zone], Part::Host)?;
            unescaped.extend(unescape(&address[zone..], Part::Zone)?);
            unescaped
        }
    };
    match parse_address(&unescaped).map_err(Cause::Address)? {
        Family::V4 => return Err(Cause::IpLiteral),
        Family::V6 => {}
    }
    unescaped.insert(0, b'[');
    unescaped.push(b']');
    unescaped.extend(port.bytes());
    Ok(unescaped)
}

fn check_port(text: &str) -> Result<(), Cause> {
    if is_port(text.as_bytes()) {
        return Ok(());
    }
    Err(Cause::Port(text.to_owned()))
}

/// Nothing, or a colon and any number of digits.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The host without port and brackets.
pub(crate) fn hostname(host: &[u8]) -> &[u8] {
    let host = match host.iter().rposition(|c| *c == b':') {
        Some(colon) if is_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    match host {
        [b'[', address @ .., b']'] => address,
        _ => host,
    }
}
