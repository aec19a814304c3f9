//! The signer before the suite that every signer passes, and in a certificate authority.

mod signing_service;

use std::{error::Error, time::Duration};

use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, pem};
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer::ErrorKind;
use fulcio_testkit::signer::{Report, Suite};
use signing_service::{Behaviour, SigningService};

use crate::{HttpSigner, open};

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    println!("{}", conformance().await?);

    let service = SigningService::start().await?;
    let key = issuing_key(open(service.url(), PATIENCE).await?).await?;
    println!("\nA certificate authority that signs with it has this root:");
    print!("{}", pem(&key.chain()[0]));
    Ok(())
}

/// Every case of the suite, the service made to misbehave included.
async fn conformance() -> Result<Report, Box<dyn Error>> {
    let suite = Suite::new();
    let service = SigningService::start().await?;
    let signer = open(service.url(), PATIENCE).await?;
    let impatient = open(service.url(), Duration::from_millis(400)).await?;
    let mut report = suite.inspect(&signer).await;

    service.behave(Behaviour::OtherKey);
    report = report.and(suite.wrong_key(&signer).await);
    service.behave(Behaviour::Hang);
    report = report.and(suite.slow(&impatient).await);
    for (status, kind) in [
        (403, ErrorKind::Denied),
        (404, ErrorKind::Invalid),
        (429, ErrorKind::Throttled),
        (503, ErrorKind::Unavailable),
    ] {
        service.behave(Behaviour::Refuse(status));
        report = report.and(suite.failing(&impatient, kind).await);
    }
    Ok(report)
}

/// What a `LocalAuthority` issues with. Here the key signs its own certificate first; most have one.
async fn issuing_key(signer: HttpSigner) -> Result<IssuingKey, Box<dyn Error>> {
    let template = CaTemplate::root(DistinguishedName::new("Example", "Example root"));
    let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
    let root = ca_certificate(&template, &signer, None, serial, now).await?;
    let chain = CaChain::new(vec![root], now)?;
    Ok(IssuingKey::new(chain, Box::new(signer))?)
}

const PATIENCE: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use fulcio_signer::{Error as SignError, Signer as _};
    use fulcio_testkit::signer::{Case, Verdict};

    use super::*;

    #[tokio::test]
    async fn conforms_whatever_its_service_does() {
        let report = conformance().await.unwrap();
        assert!(report.conforms(), "{report}");
        for (case, verdict) in report.cases() {
            let applies = !matches!(case, Case::SameAnswer | Case::Limits);
            assert_eq!(*verdict == Verdict::Passed, applies, "{case}: {report}");
        }
    }

    #[tokio::test]
    async fn signs_again_when_its_service_does() {
        let service = SigningService::start().await.unwrap();
        let signer = open(service.url(), PATIENCE).await.unwrap();
        service.behave(Behaviour::Refuse(503));
        let (answer, ()) = tokio::join!(signer.sign(b"message"), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            service.behave(Behaviour::Well);
        });
        answer.unwrap();
    }

    #[tokio::test]
    async fn says_that_a_service_is_not_there() {
        let error = open("http://127.0.0.1:1", PATIENCE).await.unwrap_err();
        let error = error.downcast_ref::<SignError>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn is_a_key_to_issue_with() {
        let service = SigningService::start().await.unwrap();
        let signer = open(service.url(), PATIENCE).await.unwrap();
        issuing_key(signer).await.unwrap();
    }

    /// The page for authors of signers shows pieces of this program.
    #[test]
    fn is_what_the_documentation_shows() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let program = [
            include_str!("custom_signer.rs"),
            include_str!("demonstration.rs"),
        ];
        let program = words(&program.concat());
        let page = include_str!("../docs/custom-signers.md");
        let pieces: Vec<_> = page.split("```rust\n").skip(1).collect();
        assert!(pieces.len() > 2);
        for piece in pieces {
            let piece = words(piece.split("```").next().unwrap());
            assert!(program.contains(&piece), "{piece}");
        }
    }
}
