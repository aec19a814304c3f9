//! What a log's answer costs us: reading it, verifying it, writing it into a certificate.

use divan::{Bencher, black_box};
use fulcio_ct_client::{Entry, SignedCertificateTimestamp, encode_sct_list};
use fulcio_testkit::log::FakeLog;

fn main() {
    divan::main();
}

/// About as long as the part of a certificate that is signed.
const ENTRY: Entry<'static> = Entry::Precertificate {
    issuer_key_hash: [7; 32],
    tbs: &[7; 600],
};

#[divan::bench]
fn answer_to_embedded_list(bencher: Bencher<'_, '_>) {
    let log = FakeLog::new();
    let answer = log.promise(&ENTRY).expect("short enough").to_json();
    bencher.bench_local(|| {
        let timestamp = SignedCertificateTimestamp::from_json(black_box(answer.as_bytes()))
            .expect("a timestamp");
        timestamp
            .verify(&ENTRY, log.key(), None)
            .expect("it verifies");
        encode_sct_list(&[timestamp])
    });
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let answer = FakeLog::new()
        .promise(&ENTRY)
        .expect("short enough")
        .to_json();
    bencher.bench_local(|| SignedCertificateTimestamp::from_json(black_box(answer.as_bytes())));
}
