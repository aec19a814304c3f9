use http::{Method, Request, header};

use crate::loopback::is_loopback_authority;

/// Why a request is not for this provider, or not its sender's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intruder {
    /// It came under a name that is not this machine's: perhaps a page whose host name was made to
    /// point here (DNS rebinding).
    Host,
    /// Another site's page sent it.
    Site,
}

/// Lets a request pass that a program of this machine, or a page of this provider, has sent.
pub(crate) fn admit<B>(request: &Request<B>) -> Result<(), Intruder> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
    // HTTP/2 has the name in the URI alone.
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let names = [host, authority];
    let named = names.iter().any(Option::is_some) && hosts.next().is_none();
    if !named || !names.into_iter().flatten().all(is_loopback_authority) {
        return Err(Intruder::Host);
    }

    let header = |name| request.headers().get(name).map(|value| value.as_bytes());
    let foreign_site = match header("sec-fetch-site") {
        None | Some(b"none" | b"same-origin") => false,
        // Clients open the login page from a page of their own, by a link or a redirect.
        Some(_) => !is_navigation(request),
    };
    let foreign_origin = header(header::ORIGIN.as_str()).is_some_and(|origin| {
        let origin = core::str::from_utf8(origin).ok();
        let from = origin.and_then(|origin| Some(origin.split_once("://")?.1));
        from.is_none() || from != host.or(authority)
    });
    if foreign_site || foreign_origin {
        return Err(Intruder::Site);
    }
    Ok(())
}

fn is_navigation<B>(request: &Request<B>) -> bool {
    let mode = request.headers().get("sec-fetch-mode");
    request.method() == Method::GET && mode.is_some_and(|mode| mode == "navigate")
}
