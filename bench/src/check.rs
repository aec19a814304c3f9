//! Whether an answer holds the certificate that was asked for.

use anyhow::{Context as _, Result, ensure};
use x509_cert::{
    Certificate,
    der::{DecodePem as _, Encode as _},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{
    case::{Case, Log},
    material::Subject,
};

/// Reads the first certificate of an answer, in whatever protocol, and compares it with what its owner
/// asked for.
pub(crate) fn check(case: Case, subject: &Subject, body: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(body).replace("\\n", "\n");
    let begin = text.find("-----BEGIN").context("no certificate")?;
    let end = text[begin..].find(END).context("half a certificate")? + begin + END.len();
    let certificate = Certificate::from_pem(&text[begin..end])?;
    let tbs = certificate.tbs_certificate();
    let key = tbs.subject_public_key_info().to_der()?;
    ensure!(key == subject.key(), "the certificate holds another key");
    let (_, names) = tbs
        .get_extension::<SubjectAltName>()?
        .context("no subject alternative name")?;
    let [GeneralName::Rfc822Name(email)] = &names.0[..] else {
        anyhow::bail!("the certificate names nobody");
    };
    ensure!(
        email.as_str() == subject.email(),
        "the certificate is of another subject"
    );
    let timestamps = tbs
        .extensions()
        .is_some_and(|all| all.iter().any(|one| one.extn_id.to_string() == TIMESTAMPS));
    ensure!(
        timestamps == (case.log != Log::None),
        "timestamps where none belong, or none"
    );
    Ok(())
}

const END: &str = "-----END CERTIFICATE-----";

/// The list of signed certificate timestamps (RFC 6962 section 3.3).
const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.2";
