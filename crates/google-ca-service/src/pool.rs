//! The authorities of a pool.

use google_cloud_security_privateca_v1::{
    client::CertificateAuthorityService,
    model::{CertificateAuthority, certificate_authority::State},
};
use pki_types::{CertificateDer, pem::PemObject as _};

use crate::{Error, Parent, failure::failure};

/// Those of a [`Parent`] that verifiers may trust.
#[derive(Debug)]
pub(crate) struct Pool(Vec<Authority>);

#[derive(Debug)]
struct Authority {
    /// Its own certificate first, the root last; never empty.
    chain: Vec<CertificateDer<'static>>,
    state: State,
}

impl Pool {
    /// Asks once, or once for each page.
    pub(crate) async fn read(
        client: &CertificateAuthorityService,
        parent: &Parent,
    ) -> Result<Self, Error> {
        let listed = match parent.authority() {
            Some(_) => vec![one(client, parent).await?],
            None => all(client, parent).await?,
        };
        let mut authorities = Vec::with_capacity(listed.len());
        for authority in listed {
            // One has no certificate yet, the other is to be trusted no longer.
            if matches!(
                authority.state,
                State::AwaitingUserActivation | State::Deleted
            ) {
                continue;
            }
            let chain = certificates("pemCaCertificates", &authority.pem_ca_certificates)?;
            authorities.push(Authority {
                chain,
                state: authority.state,
            });
        }
        Ok(Self(authorities))
    }

    /// Refuses a pool in which nobody may issue now.
    pub(crate) fn must_issue(&self, parent: &Parent) -> Result<(), Error> {
        let enabled = |authority: &Authority| authority.state == State::Enabled;
        // One that is named has been held to its state already.
        if parent.authority().is_some() || self.0.iter().any(enabled) {
            Ok(())
        } else {
            Err(Error::NoneEnabled {
                pool: parent.pool().to_owned(),
            })
        }
    }

    /// The chain of the authority whose own certificate is `issuer`.
    pub(crate) fn chain(&self, issuer: &CertificateDer<'_>) -> Option<&[CertificateDer<'static>]> {
        let mut authorities = self.0.iter();
        let found = authorities.find(|authority| authority.chain.first() == Some(issuer))?;
        Some(&found.chain)
    }

    /// All chains, in Google's order.
    pub(crate) fn chains(&self) -> Vec<Vec<CertificateDer<'static>>> {
        let chains = self.0.iter().map(|authority| authority.chain.clone());
        chains.collect()
    }
}

/// The authority that is named; one that is staged issues to whoever names it.
async fn one(
    client: &CertificateAuthorityService,
    parent: &Parent,
) -> Result<CertificateAuthority, Error> {
    let name = parent.to_string();
    let authority = client.get_certificate_authority().set_name(&name).send();
    let authority = authority.await.map_err(|error| failure(error, parent))?;
    match authority.state {
        State::Enabled | State::Staged => Ok(authority),
        state => Err(Error::AuthorityState {
            authority: name,
            state: state.to_string(),
        }),
    }
}

async fn all(
    client: &CertificateAuthorityService,
    parent: &Parent,
) -> Result<Vec<CertificateAuthority>, Error> {
    let mut authorities = Vec::new();
    let mut page = String::new();
    loop {
        let answer = client
            .list_certificate_authorities()
            .set_parent(parent.pool())
            .set_page_token(page)
            .send()
            .await
            .map_err(|error| failure(error, parent))?;
        authorities.extend(answer.certificate_authorities);
        page = answer.next_page_token;
        if page.is_empty() {
            return Ok(authorities);
        }
    }
}

/// Reads what stands in a field of the API, of which there is at least one.
pub(crate) fn certificates(
    field: &'static str,
    pem: &[String],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut found = Vec::with_capacity(pem.len());
    for pem in pem {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            found.push(certificate.map_err(|error| Error::AnswerMalformed {
                field,
                source: error.into(),
            })?);
        }
    }
    if found.is_empty() {
        return Err(Error::AnswerIncomplete { field });
    }
    Ok(found)
}
