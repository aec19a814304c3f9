use std::{env, ffi::OsString, path::PathBuf};

/// Where a component is; nothing where this is a run without components.
pub(crate) fn component(name: &str) -> Option<PathBuf> {
    if variable("FULCIO_TEST_COMPONENTS").is_none() {
        eprintln!("skipped: FULCIO_TEST_COMPONENTS is not set");
        return None;
    }
    let place = variable(name).unwrap_or_else(|| panic!("{name} is not set"));
    let place = PathBuf::from(place);
    assert!(
        place.exists(),
        "{name} is {}, and nothing is there",
        place.display()
    );
    Some(place)
}

/// Where a component is that only the full run has; nothing in every other run.
pub(crate) fn full_component(name: &str) -> Option<PathBuf> {
    if variable("FULCIO_TEST_FULL").is_none() {
        eprintln!("skipped: FULCIO_TEST_FULL is not set");
        return None;
    }
    component(name)
}

/// A variable of the environment, where it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}
