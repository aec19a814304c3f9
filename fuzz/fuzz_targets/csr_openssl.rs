#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| judged_by_openssl::csr_openssl(data));
