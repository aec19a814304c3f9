//! Fulcio itself and ours, with the same keys and the same configuration, are sent the same requests;
//! what they answer is compared.
//!
//! Where we answer otherwise on purpose, a case names a row of the table in `differential/table.rs`, which
//! `docs/differences.md` shows. `FULCIO_DIFFERENTIAL=part` runs the parts whose names contain `part`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
#[path = "differential/mod.rs"]
mod differential;

use std::{fs, thread};

use differential::{PARTS, Stage, page};
use fulcio_test_services::{component, variable};

#[test]
fn answers_as_fulcio_does() {
    let (Some(fulcio), Some(log)) = (component("FULCIO_REFERENCE"), component("FULCIO_CTLOG"))
    else {
        return;
    };
    let wanted = variable("FULCIO_DIFFERENTIAL").map(|part| part.into_string().unwrap());
    let stage = Stage::set(fulcio, log);
    thread::scope(|scope| {
        let parts: Vec<_> = PARTS
            .into_iter()
            .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| name.contains(wanted)))
            .map(|(name, compare)| {
                let stage = &stage;
                (name, scope.spawn(move || compare(stage)))
            })
            .collect();
        for (name, part) in parts {
            if part.join().is_err() {
                stage.fault(&format!("the part {name} did not get to its end"));
            }
        }
    });
    stage.conclude(wanted.is_none());
}

#[test]
fn the_page_of_differences_is_the_table() {
    let text = page::text();
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/differences.md");
    let written = concat!(env!("CARGO_TARGET_TMPDIR"), "/differences.md");
    fs::write(written, &text).unwrap();
    assert!(
        fs::read_to_string(place).unwrap() == text,
        "docs/differences.md is not what the table makes; that is in {written}"
    );
}

#[test]
fn a_difference_that_is_shown_elsewhere_names_a_test_that_is_there() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for (row, file, test) in page::shown_elsewhere() {
        let text = fs::read_to_string(format!("{root}/{file}")).unwrap_or_default();
        assert!(
            text.contains(&format!("fn {test}(")),
            "{row}: there is no {test} in {file}"
        );
    }
}
