#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| judged_by_openssl::public_key_openssl(data));
