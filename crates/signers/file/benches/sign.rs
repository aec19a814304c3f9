//! What one signature of a key in this process costs.

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use divan::Bencher;
use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_file::EphemeralSigner;

fn main() {
    divan::main();
}

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EcdsaP521Sha512,
    Algorithm::Ed25519,
    Algorithm::RsaPkcs1Sha256,
];

/// About as long as the part of a certificate that is signed.
const MESSAGE: [u8; 600] = [7; 600];

#[divan::bench(args = ALGORITHMS)]
fn sign(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let signer = EphemeralSigner::generate(algorithm).expect("a key is made");
    bencher.bench_local(|| {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(signer.sign(&MESSAGE)).poll(&mut context) {
            Poll::Ready(signature) => signature.expect("it signs"),
            Poll::Pending => unreachable!("a key in this process never waits"),
        }
    });
}
