use std::{env, ffi::OsString, path::PathBuf};

/// Where the component is that `variable` tells of; nothing where it is not set and this is a run
/// without components.
///
/// # Panics
/// It is not set though `FULCIO_TEST_COMPONENTS` is, or nothing is there.
#[must_use]
#[track_caller]
pub fn component(variable: &str) -> Option<PathBuf> {
    let Some(place) = self::variable(variable) else {
        skipped(&format!("{variable} is not set"));
        return None;
    };
    let place = PathBuf::from(place);
    assert!(
        place.exists(),
        "{variable} is {}, and nothing is there",
        place.display()
    );
    Some(place)
}

/// Where a component is that only the full run has; nothing in every other run.
///
/// # Panics
/// As [`component`].
#[must_use]
#[track_caller]
pub fn full_component(variable: &str) -> Option<PathBuf> {
    if self::variable("FULCIO_TEST_FULL").is_none() {
        eprintln!("skipped: FULCIO_TEST_FULL is not set");
        return None;
    }
    component(variable)
}

/// Says that a test is skipped, and why.
///
/// # Panics
/// This is a run in which nothing may be skipped: `FULCIO_TEST_COMPONENTS` is set.
#[track_caller]
pub fn skipped(why: &str) {
    assert!(variable("FULCIO_TEST_COMPONENTS").is_none(), "{why}");
    eprintln!("skipped: {why}");
}

/// A variable of the environment, where it is set.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}
