use core::{future::poll_fn, task::Poll};

use fulcio_signer::{Algorithm, Error, ErrorKind, Signature, Signer, Signing};
use tokio::time::timeout;

use super::{Case, Finding, Report, Suite, public_key, signature::Judge, suite::message};

/// One walk of the [`Suite`] through the cases.
pub(super) struct Inspection<'a> {
    judge: Judge<'a>,
    nonces: Vec<Vec<u8>>,
    report: Report,
    signer: &'a dyn Signer,
    suite: Suite,
}

impl<'a> Inspection<'a> {
    pub(super) async fn of(signer: &'a dyn Signer, suite: Suite) -> Report {
        let algorithm = signer.algorithm();
        let spki = signer.public_key().as_ref().to_vec();
        let mut report = Report::new(algorithm, "what comes before it failed");
        let judge = public_key::check(&spki, algorithm).and_then(|()| Judge::new(&spki, algorithm));
        let judge = match judge {
            Ok(judge) => judge,
            // Signatures of a key that cannot be read cannot be judged.
            Err(finding) => {
                report.fail(Case::PublicKey, finding);
                return report;
            }
        };
        report.pass(Case::PublicKey);
        let mut inspection = Inspection {
            judge,
            nonces: Vec::new(),
            report,
            signer,
            suite,
        };
        if inspection.known_answers().await {
            inspection.same_answer(algorithm).await;
            inspection.limits().await;
            inspection.concurrency().await;
            inspection.cancellation().await;
        }
        inspection.encoding(algorithm);
        inspection.constancy(algorithm, &spki);
        inspection.report
    }

    /// Whether it is of any use to go on.
    async fn known_answers(&mut self) -> bool {
        let mut lengths = LENGTHS
            .map(|length| self.suite.message(length, 0).len())
            .to_vec();
        lengths.dedup();
        for length in lengths {
            let message = message(length, 0);
            let answer = self.signed(&message).await;
            // It will not do better with the other messages, and may take as long.
            let hopeless = answer.is_err();
            self.judge(Case::KnownAnswers, &message, answer);
            if hopeless {
                return false;
            }
        }
        self.report.pass(Case::KnownAnswers);
        true
    }

    async fn same_answer(&mut self, algorithm: Algorithm) {
        if !matches!(algorithm, Algorithm::Ed25519 | Algorithm::RsaPkcs1Sha256) {
            let why = "ECDSA may sign a message in many ways";
            return self.report.does_not_apply(Case::SameAnswer, why);
        }
        let message = self.suite.message(100, 0);
        let (first, second) = (self.signed(&message).await, self.signed(&message).await);
        match (first, second) {
            (Ok(first), Ok(second)) if first == second => self.report.pass(Case::SameAnswer),
            (Ok(_first), Ok(_second)) => self.report.fail(Case::SameAnswer, Finding::AnswerChanges),
            (Err(finding), _) | (_, Err(finding)) => self.report.fail(Case::SameAnswer, finding),
        }
    }

    async fn limits(&mut self) {
        let mut beyond = Vec::new();
        beyond.extend(self.suite.shortest.checked_sub(1));
        if let Some(longest) = self.suite.longest {
            beyond.extend([longest + 1, longest + 10_000]);
        }
        if beyond.is_empty() {
            let why = "it takes messages of every length";
            return self.report.does_not_apply(Case::Limits, why);
        }
        for length in beyond {
            let message = message(length, 0);
            let expected = ErrorKind::Invalid;
            let finding = match timeout(self.suite.limit, self.signer.sign(&message)).await {
                Err(_elapsed) => Finding::hangs(self.suite.limit, &message),
                Ok(Ok(_signature)) => Finding::SignsNonetheless { expected },
                Ok(Err(error)) if error.kind() != expected => Finding::other_kind(expected, &error),
                Ok(Err(_as_it_must_be)) => continue,
            };
            self.report.fail(Case::Limits, finding);
        }
        self.report.pass(Case::Limits);
    }

    async fn concurrency(&mut self) {
        let messages: Vec<_> = (1..=AT_ONCE)
            .map(|seed| self.suite.message(100, seed))
            .collect();
        let signings = messages
            .iter()
            .map(|message| self.signer.sign(message))
            .collect();
        match timeout(self.suite.limit, all(signings)).await {
            Err(_elapsed) => {
                let finding = Finding::hangs(self.suite.limit, &messages[0]);
                self.report.fail(Case::Concurrency, finding);
            }
            Ok(answers) => {
                for (message, answer) in messages.iter().zip(answers) {
                    let answer = answer.map_err(|error| Finding::refuses(message, &error));
                    self.judge(Case::Concurrency, message, answer);
                }
            }
        }
        self.report.pass(Case::Concurrency);
    }

    async fn cancellation(&mut self) {
        given_up(self.signer.sign(&self.suite.message(100, 90))).await;
        let after = self.suite.message(100, 91);
        let answer = self.signed(&after).await;
        let usable = answer.is_ok_and(|signature| self.judge.check(&after, &signature.0).is_ok());
        // What was wrong before is no doing of the signature that was given up.
        if usable || !self.report.conforms() {
            self.report.pass(Case::Cancellation);
        } else {
            self.report
                .fail(Case::Cancellation, Finding::SpoiledByCancellation);
        }
    }

    /// What the signatures of before say together.
    fn encoding(&mut self, algorithm: Algorithm) {
        if matches!(algorithm, Algorithm::Ed25519 | Algorithm::RsaPkcs1Sha256) {
            for case in [Case::Der, Case::Nonce] {
                self.report.does_not_apply(case, "only ECDSA has that");
            }
            return;
        }
        if self.nonces.is_empty() {
            return;
        }
        self.report.pass(Case::Der);
        let many = self.nonces.len();
        self.nonces.sort_unstable();
        self.nonces.dedup();
        if self.nonces.len() == many {
            self.report.pass(Case::Nonce);
        } else {
            self.report.fail(Case::Nonce, Finding::NonceReused);
        }
    }

    fn constancy(&mut self, algorithm: Algorithm, spki: &[u8]) {
        if self.signer.algorithm() != algorithm {
            self.report.fail(Case::Constancy, Finding::AlgorithmChanges);
        }
        // Twice: one that turns between two keys may be back at the first.
        if [self.signer.public_key(), self.signer.public_key()]
            .iter()
            .any(|again| again.as_ref() != spki)
        {
            self.report.fail(Case::Constancy, Finding::PublicKeyChanges);
        }
        self.report.pass(Case::Constancy);
    }

    async fn signed(&self, message: &[u8]) -> Result<Signature, Finding> {
        match timeout(self.suite.limit, self.signer.sign(message)).await {
            Ok(answer) => answer.map_err(|error| Finding::refuses(message, &error)),
            Err(_elapsed) => Err(Finding::hangs(self.suite.limit, message)),
        }
    }

    fn judge(&mut self, case: Case, message: &[u8], answer: Result<Signature, Finding>) {
        match answer.and_then(|signature| self.judge.check(message, &signature.0)) {
            Ok(nonce) => self.nonces.extend(nonce),
            Err(finding @ Finding::SignatureEncoding { .. }) => {
                self.report.fail(Case::Der, finding)
            }
            Err(finding) => self.report.fail(case, finding),
        }
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

/// Nothing, something, what has the length of a digest, and what fits into no single packet.
const LENGTHS: [usize; 8] = [0, 1, 20, 32, 48, 64, 4096, 10_000];
const AT_ONCE: u8 = 16;
