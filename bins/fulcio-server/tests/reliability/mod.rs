//! The scenes, by what fails in them, and what runs them.

mod clock;
mod connections;
mod disk;
mod issuer;
mod log;
mod memory;
mod names;
pub(crate) mod page;
mod process;
mod row;
mod signer;
mod stage;
mod tcp;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use self::row::{Needs, Row, Scene};

/// Scenes with the same thing failing: a heading, and the scenes.
type Part = (&'static str, &'static [Scene]);

/// All of them, in the order of the page.
const PARTS: [Part; 9] = [
    ("The issuing key", signer::SCENES),
    ("The transparency log", log::SCENES),
    ("The identity provider", issuer::SCENES),
    ("The disk", disk::SCENES),
    ("The clock", clock::SCENES),
    ("Names", names::SCENES),
    ("Connections", connections::SCENES),
    ("Memory and load", memory::SCENES),
    ("The process itself", process::SCENES),
];

/// What was observed, by the fault.
pub(crate) type Observed = BTreeMap<&'static str, Row>;

/// How many scenes are played at once. Most of them wait most of the time.
const AT_ONCE: usize = 6;

/// Plays what can be played here, and tells what was observed and which scenes failed.
pub(crate) fn play(wanted: Option<&str>) -> (Observed, Vec<String>) {
    let is_wanted = |part: &str, scene: &Scene| {
        scene.needs.are_met()
            && wanted.is_none_or(|text| part.contains(text) || scene.fault.contains(text))
    };
    let scenes: Vec<&Scene> = PARTS
        .iter()
        .flat_map(|(part, scenes)| scenes.iter().filter(|scene| is_wanted(part, scene)))
        .collect();
    let (heavy, light): (Vec<_>, Vec<_>) = scenes
        .into_iter()
        .partition(|scene| scene.needs == Needs::Time);
    let (mut observed, mut faults) = play_all(&light, AT_ONCE);
    // One of them takes all that the machine has.
    let (more, worse) = play_all(&heavy, 1);
    observed.extend(more);
    faults.extend(worse);
    (observed, faults)
}

fn play_all(scenes: &[&Scene], at_once: usize) -> (Observed, Vec<String>) {
    let (observed, faults) = (
        Mutex::<Observed>::default(),
        Mutex::<Vec<String>>::default(),
    );
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Whoever panics has told why, under this name.
                    let played = thread::Builder::new().name(scene.fault.to_owned());
                    match played.spawn(scene.play).unwrap().join() {
                        Ok(row) => drop(observed.lock().unwrap().insert(scene.fault, row)),
                        Err(_panicked) => faults.lock().unwrap().push(scene.fault.to_owned()),
                    }
                }
            });
        }
    });
    (observed.into_inner().unwrap(), faults.into_inner().unwrap())
}
