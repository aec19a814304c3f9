//! Every input of every corpus, on the stable compiler: what was found once stays found.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fulcio_fuzz::TARGETS;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn names_in(folder: &str) -> BTreeSet<String> {
    fs::read_dir(fuzz_folder().join(folder))
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().and_then(|name| name.to_str());
            name.expect("a name").to_owned()
        })
        .collect()
}

#[test]
fn every_input_of_every_corpus_holds() {
    let mut failed = Vec::new();
    for (name, function) in TARGETS {
        function(&[]);
        let files = fs::read_dir(fuzz_folder().join("corpus").join(name)).expect(name);
        let mut count = 0;
        for file in files {
            let path = file.expect("an entry").path();
            let input = fs::read(&path).expect("a file");
            if std::panic::catch_unwind(|| function(&input)).is_err() {
                failed.push(path);
            }
            count += 1;
        }
        assert!(count > 1, "{name} has no corpus");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_function_has_a_target_and_every_target_a_function() {
    let functions: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    // Those that OpenSSL judges are elsewhere, and one program has them all.
    let others = ["_openssl", "_josekit", "any"];
    let ours = |name: &String| !others.iter().any(|end| name.ends_with(end));
    let targets = names_in("fuzz_targets").into_iter().filter(ours);
    assert_eq!(targets.collect::<BTreeSet<_>>(), functions);
}
