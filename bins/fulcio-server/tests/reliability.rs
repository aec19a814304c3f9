//! What clients and operators see when something fails, and what is lost: every row of the matrix in
//! `docs/reliability.md` is a scene that is played with a real server.
//!
//! What is observed is written to `reliability.md` in Cargo's temporary folder and compared with the page.
//! Scenes that are long or heavy are played with `FULCIO_TEST_FULL=1`, and those with a real log where one is
//! installed; of the others the page's own rows are taken. `FULCIO_RELIABILITY=text` plays the rows whose
//! fault or part has that text.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod load;
#[path = "reliability/mod.rs"]
mod reliability;

use std::fs;

use fulcio_test_services::variable;
use reliability::{page, play};

#[test]
fn the_matrix_is_what_is_observed() {
    let wanted = variable("FULCIO_RELIABILITY").map(|text| text.into_string().unwrap());
    let (observed, faults) = play(wanted.as_deref());
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");
    let committed = fs::read_to_string(place).unwrap();
    let (text, missing) = page::with(&observed, &committed);
    let written = concat!(env!("CARGO_TARGET_TMPDIR"), "/reliability.md");
    fs::write(written, &text).unwrap();
    assert_eq!(
        faults,
        Vec::<String>::new(),
        "scenes that did not get to their end"
    );
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "rows that are neither in docs/reliability.md nor observed now: play them with FULCIO_TEST_FULL=1 and \
         FULCIO_TEST_COMPONENTS=1"
    );
    let differing = page::differing(&text, &committed);
    assert!(
        differing.is_empty(),
        "docs/reliability.md is not what was observed:\n{differing}\nIf that is right, copy {written} there"
    );
}
