use core::{error::Error as StdError, future::poll_fn, task::Poll, time::Duration};

use fulcio_signer::{Error, Signature, Signer, Signing};
use tokio::time::timeout;

use super::{Finding, Report, public_key, signature::Judge};

/// Checks that a signer does what [`Signer`] asks of it.
///
/// Wants a Tokio runtime with a timer. It makes some thirty signatures, sixteen of them at
/// the same time.
///
/// # Panics
/// The signer does not conform; the text lists everything that is wrong.
pub async fn signer_conformance(signer: &dyn Signer) {
    let report = inspect(signer).await;
    assert!(report.conforms(), "{report}");
}

/// Like [`signer_conformance`], but answers with what it found; a signature may take 30 seconds.
pub async fn inspect(signer: &dyn Signer) -> Report {
    inspect_within(signer, DEADLINE).await
}

/// Like [`inspect`], with another time for a signature, and for sixteen at once.
pub async fn inspect_within(signer: &dyn Signer, limit: Duration) -> Report {
    let algorithm = signer.algorithm();
    let spki = signer.public_key().as_ref().to_vec();
    let mut findings = Vec::new();

    let Some(judge) = Judge::new(&spki, algorithm) else {
        let key = "for an algorithm that this suite does not know".to_owned();
        return Report::new(algorithm, vec![Finding::AlgorithmOfAnotherKey { key }]);
    };
    if let Err(finding) = public_key::check(&spki, algorithm) {
        // Signatures of a key that cannot be read cannot be judged.
        return Report::new(algorithm, vec![finding]);
    }

    let mut nonces = Vec::new();
    for length in LENGTHS {
        let message = message(length, 0);
        let verdict = match signed(signer.sign(&message), length, limit).await {
            Ok(signature) => judge.check(&message, &signature.0),
            Err(finding) => Err(finding),
        };
        match verdict {
            Ok(nonce) => nonces.extend(nonce),
            Err(finding @ (Finding::Hangs { .. } | Finding::Refuses { .. })) => {
                // It will not do better with the other messages, and may take as long.
                findings.push(finding);
                return Report::new(algorithm, findings);
            }
            Err(finding) => findings.push(finding),
        }
    }

    let messages: Vec<_> = (1..=AT_ONCE).map(|seed| message(100, seed)).collect();
    let signings = messages
        .iter()
        .map(|message| signer.sign(message))
        .collect();
    match timeout(limit, all(signings)).await {
        Err(_elapsed) => findings.push(Finding::Hangs {
            limit,
            message: 100,
        }),
        Ok(answers) => {
            for (message, answer) in messages.iter().zip(answers) {
                let verdict = answer
                    .map_err(|error| refusal(100, &error))
                    .and_then(|signature| judge.check(message, &signature.0));
                match verdict {
                    Ok(nonce) => nonces.extend(nonce),
                    Err(finding) => findings.push(finding),
                }
            }
        }
    }

    given_up(signer.sign(&message(100, 90))).await;
    let after = message(100, 91);
    let usable = signed(signer.sign(&after), after.len(), limit)
        .await
        .is_ok_and(|signature| judge.check(&after, &signature.0).is_ok());
    if !usable && findings.is_empty() {
        findings.push(Finding::SpoiledByCancellation);
    }

    let many = nonces.len();
    nonces.sort_unstable();
    nonces.dedup();
    if nonces.len() < many {
        findings.push(Finding::NonceReused);
    }
    if signer.algorithm() != algorithm {
        findings.push(Finding::AlgorithmChanges);
    }
    if signer.public_key().as_ref() != spki {
        findings.push(Finding::PublicKeyChanges);
    }
    findings.dedup();
    Report::new(algorithm, findings)
}

/// Nothing, something, what has the length of a digest, and what fits into no single packet.
const LENGTHS: [usize; 8] = [0, 1, 20, 32, 48, 64, 4096, 10_000];
const AT_ONCE: u8 = 16;
const DEADLINE: Duration = Duration::from_secs(30);

/// Bytes that differ by length and seed.
fn message(length: usize, seed: u8) -> Vec<u8> {
    (0_u8..251)
        .cycle()
        .map(|byte| byte ^ seed)
        .take(length)
        .collect()
}

async fn signed(
    signing: Signing<'_>,
    message: usize,
    limit: Duration,
) -> Result<Signature, Finding> {
    match timeout(limit, signing).await {
        Ok(answer) => answer.map_err(|error| refusal(message, &error)),
        Err(_elapsed) => Err(Finding::Hangs { limit, message }),
    }
}

fn refusal(message: usize, error: &Error) -> Finding {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Finding::Refuses {
        message,
        error: text,
    }
}

/// Waits for all of them, polling each in turn.
async fn all(mut signings: Vec<Signing<'_>>) -> Vec<Result<Signature, Error>> {
    let mut answers: Vec<_> = signings.iter().map(|_signing| None).collect();
    poll_fn(|context| {
        for (signing, answer) in signings.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(ready) = signing.as_mut().poll(context)
            {
                *answer = Some(ready);
            }
        }
        if answers.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Starts, and drops in the middle.
async fn given_up(mut signing: Signing<'_>) {
    poll_fn(|context| {
        let _started = signing.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}
