//! The authorization endpoint (RFC 6749 section 3.1).

use std::time::SystemTime;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    DevIdp,
    authorization::{Authorization, Refusal, ReturnTo},
    email::is_plausible,
    form::Form,
    page, response,
};

impl DevIdp {
    /// The login page of a client.
    pub(crate) fn ask_to_log_in(&self, form: &Form) -> Response<Bytes> {
        match Authorization::read(form) {
            Ok(wish) => self.login_page(&wish, wish.login_hint(), None),
            Err(refusal) => refused(refusal),
        }
    }

    /// What comes after the login page: back to the client, with a code.
    pub(crate) fn log_in(&self, form: &Form, now: SystemTime) -> Response<Bytes> {
        let wish = match Authorization::read(form) {
            Ok(wish) => wish,
            Err(refusal) => return refused(refusal),
        };
        let email = form.value("email").unwrap_or_default();
        if !is_plausible(email) {
            let complaint = "That is not an e-mail address.";
            return self.login_page(&wish, email, Some(complaint));
        }
        let (grant, return_to) = wish.grant(email);
        match self.grants.add(grant, now) {
            Ok(code) => match return_to.url(&[("code", &code)]) {
                Some(url) => response::redirect(&url),
                None => response::html(StatusCode::OK, page::code(&code)),
            },
            Err(_) => answer(
                &return_to,
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "no random code could be made",
            ),
        }
    }

    fn login_page(
        &self,
        wish: &Authorization,
        email: &str,
        complaint: Option<&str>,
    ) -> Response<Bytes> {
        let action = format!("{}/authorize", self.path());
        let page = page::login(
            &action,
            wish.client_id(),
            email,
            complaint,
            &wish.hidden_fields(),
        );
        let status = match complaint {
            Some(_) => StatusCode::BAD_REQUEST,
            None => StatusCode::OK,
        };
        response::html(status, page)
    }
}

fn refused(refusal: Refusal) -> Response<Bytes> {
    match refusal {
        Refusal::Client {
            return_to,
            error,
            description,
        } => answer(&return_to, StatusCode::BAD_REQUEST, error, description),
        Refusal::Person(explanation) => {
            response::html(StatusCode::BAD_REQUEST, page::failure(explanation))
        }
    }
}

/// Tells the client of an error, or, with `status`, the person who stands in for it.
fn answer(
    return_to: &ReturnTo,
    status: StatusCode,
    error: &str,
    description: &str,
) -> Response<Bytes> {
    match return_to.url(&[("error", error), ("error_description", description)]) {
        Some(url) => response::redirect(&url),
        None => response::html(status, page::failure(description)),
    }
}
