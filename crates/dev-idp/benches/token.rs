//! What a token costs.

use std::time::SystemTime;

use fulcio_dev_idp::{Algorithm, DevIdp, Keys, TokenRequest};

fn main() {
    divan::main();
}

#[divan::bench(args = Algorithm::ALL)]
fn token(bencher: divan::Bencher<'_, '_>, algorithm: Algorithm) {
    let keys = Keys::generate().expect("keys");
    let idp = DevIdp::new("http://127.0.0.1:5555/dev-idp", keys).expect("a loopback URL");
    let mut request = TokenRequest::for_email("ada@example.com");
    request.algorithm = algorithm;
    bencher.bench(|| idp.token(divan::black_box(&request), SystemTime::UNIX_EPOCH));
}
