//! Every way in which files are replaced is seen, and nothing half-written is told of.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use fulcio_server_core::{Reload, WatchedFiles};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

// The clock of the runtime stands still while something is to do, so none of this takes its time.
/// Long enough for a change to be told of, if there is one.
const QUIET: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

async fn watch(paths: &[&Path]) -> WatchedFiles {
    let paths = paths.iter().map(|path| path.to_path_buf());
    WatchedFiles::new(paths).await
}

async fn is_told(files: &mut WatchedFiles) {
    timeout(PATIENCE, files.changed()).await.unwrap();
}

async fn is_quiet(files: &mut WatchedFiles) {
    assert!(timeout(QUIET, files.changed()).await.is_err());
}

fn file(dir: &TempDir, name: &str, contents: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, contents).unwrap();
    path
}

#[tokio::test(start_paused = true)]
async fn a_file_written_in_place_is_told_of_once() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    is_quiet(&mut files).await;
    // As long as before, and within the same tick of many file systems.
    fs::write(&path, "2").unwrap();
    is_told(&mut files).await;
    is_quiet(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn writing_the_same_again_is_no_change() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    fs::write(&path, "1").unwrap();
    is_quiet(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_renamed_over_is_told_of() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    for contents in ["2", "3"] {
        fs::rename(file(&dir, "new", contents), &path).unwrap();
        is_told(&mut files).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_several_files_is_watched() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (file(&dir, "a", "1"), file(&dir, "b", "1"));
    let mut files = watch(&[&one, &two]).await;
    fs::write(&one, "2").unwrap();
    is_told(&mut files).await;
    fs::write(&two, "3").unwrap();
    is_told(&mut files).await;
    // What moves from one file to the other is a change too.
    fs::write(&one, "3").unwrap();
    fs::write(&two, "2").unwrap();
    is_told(&mut files).await;
}

/// A folder as Kubernetes mounts a secret: `a` leads to `..data/a`, and `..data` to the folder of this version.
struct Mounted(TempDir);

impl Mounted {
    fn new(contents: &str) -> Self {
        let mounted = Self(TempDir::new().unwrap());
        mounted.update("..1", contents);
        symlink("..data/a", mounted.path()).unwrap();
        mounted
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("a")
    }

    fn update(&self, version: &str, contents: &str) {
        let dir = self.0.path();
        fs::create_dir(dir.join(version)).unwrap();
        fs::write(dir.join(version).join("a"), contents).unwrap();
        symlink(version, dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_updated_by_kubernetes_is_told_of() {
    let mounted = Mounted::new("1");
    let mut files = watch(&[&mounted.path()]).await;
    mounted.update("..2", "2");
    fs::remove_dir_all(mounted.0.path().join("..1")).unwrap();
    is_told(&mut files).await;
    mounted.update("..3", "2");
    is_quiet(&mut files).await;
    mounted.update("..4", "3");
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_replaced_is_told_of() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), "1").unwrap();
    let mut files = watch(&[&folder.join("a")]).await;
    fs::rename(&folder, dir.path().join("old")).unwrap();
    is_quiet(&mut files).await;
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), "2").unwrap();
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_missing_for_a_while_is_no_change_unless_it_differs() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    fs::remove_file(&path).unwrap();
    is_quiet(&mut files).await;
    fs::write(&path, "1").unwrap();
    is_quiet(&mut files).await;
    fs::remove_file(&path).unwrap();
    is_quiet(&mut files).await;
    fs::write(&path, "2").unwrap();
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_there_yet_is_told_of_when_it_comes() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a");
    let mut files = watch(&[&path]).await;
    is_quiet(&mut files).await;
    fs::write(&path, "").unwrap();
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn a_pipe_is_left_to_its_reader() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let made = timeout(PATIENCE, watch(&[&path])).await;
    is_quiet(&mut made.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_still_being_written_is_not_told_of() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    let writing = path.clone();
    let writer = tokio::spawn(async move {
        let mut file = OpenOptions::new().append(true).open(&writing).unwrap();
        for _ in 0..400 {
            file.write_all(b"2").unwrap();
            sleep(Duration::from_millis(50)).await;
        }
    });
    is_told(&mut files).await;
    assert_eq!(fs::read(&path).unwrap().len(), 401);
    writer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_change_between_making_it_and_waiting_is_not_missed() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await;
    fs::write(&path, "2").unwrap();
    sleep(QUIET).await;
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_of_within_two_seconds() {
    let dir = TempDir::new().unwrap();
    let mut longest = Duration::ZERO;
    for wait in (0..2000).step_by(50) {
        let path = file(&dir, "a", "1");
        let mut files = watch(&[&path]).await;
        let waiting = tokio::spawn(async move { files.changed().await });
        sleep(Duration::from_millis(wait)).await;
        let begun = Instant::now();
        fs::write(&path, "2").unwrap();
        waiting.await.unwrap();
        longest = longest.max(begun.elapsed());
    }
    println!("told of within {longest:?}");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn how_often_it_looks_can_be_chosen() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let mut files = watch(&[&path]).await.with_interval(QUIET * 2);
    fs::write(&path, "2").unwrap();
    is_quiet(&mut files).await;
    is_told(&mut files).await;
}

#[tokio::test(start_paused = true)]
async fn each_change_is_tried_once_and_a_refused_one_ends_nothing() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "good");
    let files = watch(&[&path]).await;
    let tried = Arc::new(Mutex::new(Vec::new()));
    let (read, seen) = (path.clone(), tried.clone());
    let watching = tokio::spawn(async move {
        let reload = move || {
            let contents = fs::read_to_string(&read).unwrap();
            seen.lock().unwrap().push(contents.clone());
            async move {
                match contents.as_str() {
                    "bad" => Err(io::Error::other("it is bad")),
                    _ => Ok(()),
                }
            }
        };
        Reload::of("a file").watching(files).run(reload).await
    });
    for contents in ["bad", "better", "good"] {
        fs::write(&path, contents).unwrap();
        sleep(QUIET).await;
    }
    watching.abort();
    assert_eq!(*tried.lock().unwrap(), ["bad", "better", "good"]);
}

/// What is logged, in one text.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_logged_once_and_contents_are_not() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "s3cr3t-0");
    let files = watch(&[&path]).await;
    let mut outcomes = vec![Ok(()), Err(Outer(Inner))];
    let reload = move || {
        let outcome = outcomes.pop().unwrap();
        async move { outcome }
    };
    let watching =
        tokio::spawn(async move { Reload::of("the key").watching(files).run(reload).await });
    fs::write(&path, "s3cr3t-1").unwrap();
    sleep(QUIET).await;
    fs::remove_file(&path).unwrap();
    sleep(QUIET).await;
    fs::write(&path, "s3cr3t-2").unwrap();
    sleep(QUIET).await;
    watching.abort();

    let text = logged.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("fulcio_server_core"))
        .collect();
    let [refused, missing, used] = lines.as_slice() else {
        panic!("{text}");
    };
    assert!(refused.contains("ERROR"), "{refused}");
    assert!(
        refused.ends_with("the key stays as it was, because it is bad: the disk is old"),
        "{refused}"
    );
    assert!(missing.contains("WARN"), "{missing}");
    let about = format!("{} is looked for until it can be read", path.display());
    assert!(missing.contains(&about), "{missing}");
    assert!(used.contains("INFO"), "{used}");
    assert!(
        used.ends_with("the key has changed and is in use"),
        "{used}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

/// An error with a cause.
#[derive(Debug, thiserror::Error)]
#[error("it is bad")]
struct Outer(#[source] Inner);

/// The cause.
#[derive(Debug, thiserror::Error)]
#[error("the disk is old")]
struct Inner;

#[tokio::test(start_paused = true)]
async fn its_debug_output_tells_paths_only() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "a", "1");
    let files = watch(&[&path]).await;
    assert_eq!(
        format!("{files:?}"),
        format!("WatchedFiles {{ paths: [{path:?}], interval: 1s, .. }}")
    );
}
