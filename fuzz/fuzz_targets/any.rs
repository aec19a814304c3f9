//! All targets in one program, which `fuzz/run` has to link only once: the variable `FUZZ_TARGET` says which.
#![no_main]

use std::{env, sync::LazyLock};

use fulcio_fuzz::Function;

static FUNCTION: LazyLock<Function> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let mut targets = fulcio_fuzz::TARGETS
        .iter()
        .chain(judged_by_openssl::TARGETS);
    let (_, function) = targets
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("there is no target {name}"));
    *function
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| FUNCTION(data));
