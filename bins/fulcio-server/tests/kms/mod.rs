mod aws;
mod azure;
mod gcp;
mod google_ca;
mod references;
mod secrets;
mod tink;
mod vault;

use std::process::Command;

use super::common::{Scene, Variables};

/// These variables and more.
fn with(variables: &Variables, more: &[(&'static str, &str)]) -> Variables {
    let mut variables = variables.clone();
    variables.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
    variables
}

/// These variables but for some.
fn without(variables: &Variables, names: &[&str]) -> Variables {
    let mut variables = variables.clone();
    variables.retain(|name, _value| !names.contains(name));
    variables
}

/// A program that must end with this code and one line that holds all `parts`; that line and what
/// it has logged before.
#[track_caller]
fn refuses(scene: &Scene, command: Command, code: i32, parts: &[&str]) -> String {
    let (ended, said, log) = scene.ends(command);
    assert_eq!(ended, Some(code), "{said}{log}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    said + &log
}
