//! Every back end with every kind of key that it has, opened by its URI and judged by the suite for
//! signers, in one table.
//!
//! `cargo test -p fulcio-signer-backends --test conformance -- --nocapture` shows it; it is in
//! `target/tmp/conformance.txt` afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/keysets.rs"]
mod keysets;
#[path = "conformance/services.rs"]
mod services;
#[path = "conformance/table.rs"]
mod table;
#[path = "conformance/tokens.rs"]
mod tokens;

use fulcio_test_services::SoftHsm;
use table::Table;

#[test]
fn every_back_end_conforms_with_every_kind_of_key() {
    // SoftHSM wants a process of its own.
    own_process(|hsm| {
        // The doubles live in its threads.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let mut table = Table::new();
            files::made(&mut table).await;
            files::of_openssl(&mut table).await;
            keysets::by_vault(&mut table).await;
            tokens::softhsm(&hsm, &mut table).await;
            services::vault(&mut table).await;
            services::aws(&mut table).await;
            services::aws_ed25519(&mut table).await;
            services::gcp(&mut table).await;
            services::azure(&mut table).await;
            table.conclude();
        });
    });
}

fn own_process<T: FnOnce(SoftHsm)>(test: T) {
    if let Some(hsm) = SoftHsm::in_own_process::<T>() {
        test(hsm);
    }
}
