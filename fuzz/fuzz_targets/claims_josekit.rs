#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| judged_by_openssl::claims_josekit(data));
