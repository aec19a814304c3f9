//! A signer of one's own: its key lives on a thread that nothing else can reach, as it would in a
//! device with one session. It passes the suite that every signer passes.

use std::{error::Error, thread};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_signer::{Algorithm, Error as SignError, ErrorKind, Signature, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::sync::{mpsc, oneshot};

/// Signs on a thread of its own.
#[derive(Debug)]
struct ThreadSigner {
    public_key: SubjectPublicKeyInfoDer<'static>,
    device: mpsc::Sender<Job>,
}

/// A message, and where its signature goes.
#[derive(Debug)]
struct Job {
    message: Vec<u8>,
    reply: oneshot::Sender<Result<Vec<u8>, aws_lc_rs::error::Unspecified>>,
}

impl ThreadSigner {
    /// Makes a key on a new thread. What never changes is read here, once.
    fn open() -> Result<Self, Box<dyn Error>> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let public_key =
            SubjectPublicKeyInfoDer::from(key.public_key().as_der()?.as_ref().to_vec());
        let (device, mut jobs) = mpsc::channel::<Job>(64);
        thread::spawn(move || {
            let random = SystemRandom::new();
            while let Some(job) = jobs.blocking_recv() {
                let signature = key.sign(&random, &job.message);
                // Whoever asked may have given up.
                drop(
                    job.reply
                        .send(signature.map(|bytes| bytes.as_ref().to_vec())),
                );
            }
        });
        Ok(Self { public_key, device })
    }
}

impl Signer for ThreadSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EcdsaP256Sha256
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.public_key.clone()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        let unavailable = |error| SignError::new(ErrorKind::Unavailable, error);
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let message = message.to_vec();
            let job = Job { message, reply };
            let sent = self.device.send(job).await;
            sent.map_err(|_gone| unavailable("the device is gone"))?;
            match answer.await {
                Ok(Ok(signature)) => Ok(Signature(signature)),
                Ok(Err(_unspecified)) => Err(unavailable("the device did not sign")),
                Err(_gone) => Err(unavailable("the device is gone")),
            }
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let signer = ThreadSigner::open()?;
    fulcio_testkit::signer_conformance(&signer).await;
    println!("{} on a thread of its own conforms", signer.algorithm());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conforms() {
        fulcio_testkit::signer_conformance(&ThreadSigner::open().unwrap()).await;
    }
}
