//! What the cryptography of a certificate costs by itself, on this machine, now.

use core::time::Duration;

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, Signature, UnparsedPublicKey,
    },
};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::case::{Case, Curve, Log, TokenKind};

/// Microseconds of each operation on one core, with aws-lc-rs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Floor {
    pub(crate) rs256_verify: f64,
    /// With a key that was prepared before, as that of a log or an identity provider is.
    pub(crate) p256_verify: f64,
    /// With a key that comes with the request.
    pub(crate) p256_verify_fresh: f64,
    pub(crate) p256_sign: f64,
    pub(crate) p384_sign: f64,
}

impl Floor {
    pub(crate) fn measure() -> Result<Self> {
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let mut of_rsa = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, MESSAGE, &mut of_rsa)?;
        let rsa_key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref())?;
        let p256 = pair(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let p384 = pair(&ECDSA_P384_SHA384_ASN1_SIGNING)?;
        let of_p256 = p256.sign(&random, MESSAGE)?;
        let p256_key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, p256.public_key().as_ref())?;
        Ok(Self {
            rs256_verify: micros(|| Ok(rsa_key.verify_sig(MESSAGE, &of_rsa)?))?,
            p256_verify: micros(|| Ok(p256_key.verify_sig(MESSAGE, of_p256.as_ref())?))?,
            p256_verify_fresh: micros(|| {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, p256.public_key());
                Ok(key.verify(MESSAGE, of_p256.as_ref())?)
            })?,
            p256_sign: micros(|| signed(p256.sign(&random, MESSAGE)))?,
            p384_sign: micros(|| signed(p384.sign(&random, MESSAGE)))?,
        })
    }

    /// Microseconds that nobody can do a certificate of this case without: the token, the proof and the
    /// certificate; with a log the precertificate too and the timestamp, which is verified when it comes
    /// from elsewhere and signed here when the log is ours.
    pub(crate) fn of(&self, case: Case) -> f64 {
        let sign = match case.curve {
            Curve::P256 => self.p256_sign,
            Curve::P384 => self.p384_sign,
        };
        let token = match case.token {
            TokenKind::Es256 => self.p256_verify,
            TokenKind::Rs256 => self.rs256_verify,
        };
        let log = match case.log {
            Log::Embedded => sign + self.p256_sign,
            Log::External => sign + self.p256_verify,
            Log::None => 0.0,
        };
        token + self.p256_verify_fresh + sign + log
    }
}

const MESSAGE: &[u8] = &[0; 500];

fn pair(algorithm: &'static EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair> {
    EcdsaKeyPair::generate(algorithm).context("a key")
}

/// Keeps the compiler from leaving a signature out.
fn signed(signature: Result<Signature, Unspecified>) -> Result<()> {
    std::hint::black_box(signature?);
    Ok(())
}

/// The median of several batches, in microseconds of this thread's processor time.
fn micros(operation: impl Fn() -> Result<()>) -> Result<f64> {
    let mut batches = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let begun = used()?;
        for _ in 0..BATCH {
            operation()?;
        }
        let micros = (used()? - begun).as_secs_f64() * 1e6;
        batches.push(micros / f64::from(BATCH));
    }
    batches.sort_by(f64::total_cmp);
    Ok(batches[BATCHES / 2])
}

const BATCHES: usize = 15;
const BATCH: u32 = 500;

/// How long this thread has run, to the nanosecond: what `/proc` says of it moves with the timer of the kernel alone,
/// every 4 ms.
fn used() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_sees_a_single_operation() -> Result<()> {
        let pair = pair(&ECDSA_P384_SHA384_ASN1_SIGNING)?;
        let random = SystemRandom::new();
        for _ in 0..20 {
            let begun = used()?;
            signed(pair.sign(&random, MESSAGE))?;
            assert!(used()? > begun, "no time has passed");
        }
        Ok(())
    }
}
