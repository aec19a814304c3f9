use core::{fmt, time::Duration};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{Context, SHA256};
use tokio::{task::spawn_blocking, time::sleep};
use zeroize::Zeroizing;

/// Files that belong together and may be replaced while they are in use.
///
/// It reads them again and again and compares digests of what is in them, so it does not matter how they
/// are replaced: written in place, renamed over, or behind a symbolic link that leads elsewhere now, as
/// Kubernetes does it. Half-written files are not told of: contents count when they have been found
/// twice in a row.
///
/// Make it before the files are read for use, so that nothing that happens in between is missed. It keeps
/// no contents, only one digest of all of them.
pub struct WatchedFiles {
    paths: Paths,
    interval: Duration,
    told: Option<Fingerprint>,
    unread: bool,
}

/// Which files are watched.
#[derive(Clone)]
enum Paths {
    Fixed(Vec<PathBuf>),
    Listed(Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>),
}

/// The SHA-256 digest of the paths of all files and the digests of what is in them, in order.
type Fingerprint = [u8; 32];

/// A file that cannot be looked at now.
struct Unread {
    path: PathBuf,
    cause: io::Error,
}

impl WatchedFiles {
    /// Watches `paths`. What is in them now counts as known.
    ///
    /// Files that are missing are looked for until they are there.
    pub async fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self::of(Paths::Fixed(paths.into_iter().collect())).await
    }

    /// Watches the files that `list` names, which it is asked for each time: those of a folder, or those that another
    /// file names. That one more or one less is named is a change.
    ///
    /// It is called where it may block.
    pub async fn listed_by(list: impl Fn() -> Vec<PathBuf> + Send + Sync + 'static) -> Self {
        Self::of(Paths::Listed(Arc::new(list))).await
    }

    async fn of(paths: Paths) -> Self {
        let mut files = Self {
            paths,
            interval: INTERVAL,
            told: None,
            unread: false,
        };
        files.told = files.look().await;
        files
    }

    /// Looks at the files each `interval`, instead of each second; when they differ, a quarter of it later
    /// once more.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Waits until the files differ from those that were known or told of last, and are complete.
    ///
    /// A file that cannot be read is no change: it is logged once, and looked for again. Dropping the future
    /// loses nothing.
    pub async fn changed(&mut self) {
        let mut candidate = None;
        loop {
            let wait = match candidate {
                None => self.interval,
                Some(_) => self.interval / 4,
            };
            sleep(wait).await;
            let seen = self.look().await;
            if seen.is_some() && seen == candidate {
                self.told = seen;
                return;
            }
            candidate = if seen == self.told { None } else { seen };
        }
    }

    /// What is in the files now counts as known, if they can be read.
    pub async fn know(&mut self) {
        self.told = self.look().await.or(self.told);
    }

    /// What is in the files now, if all of them can be read.
    async fn look(&mut self) -> Option<Fingerprint> {
        let paths = self.paths.clone();
        // A file system may take its time, and must not take that of the runtime.
        let seen = spawn_blocking(move || match paths {
            Paths::Fixed(paths) => fingerprint(&paths),
            Paths::Listed(list) => fingerprint(&list()),
        })
        .await;
        let Ok(seen) = seen else {
            // The runtime is going down.
            return None;
        };
        if let (Err(Unread { path, cause }), false) = (&seen, self.unread) {
            let path = path.display();
            tracing::warn!("{path} is looked for until it can be read: {cause}");
        }
        self.unread = seen.is_err();
        seen.ok()
    }
}

const INTERVAL: Duration = Duration::from_secs(1);

fn fingerprint(paths: &[PathBuf]) -> Result<Fingerprint, Unread> {
    let mut all = Context::new(&SHA256);
    for path in paths {
        let one = digest(path).map_err(|cause| Unread {
            path: path.clone(),
            cause,
        })?;
        all.update(path.as_os_str().as_bytes());
        all.update(&one);
    }
    Ok(finish(all))
}

fn digest(path: &Path) -> io::Result<Fingerprint> {
    // Opening a pipe would wait for a writer, and reading it would take what is meant for another.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = Zeroizing::new(vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(finish(context)),
            Ok(length) => context.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const BUFFER: usize = 16 << 10;

fn finish(context: Context) -> Fingerprint {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

impl fmt::Debug for WatchedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: &[PathBuf] = match &self.paths {
            Paths::Fixed(paths) => paths,
            Paths::Listed(_) => &[],
        };
        f.debug_struct("WatchedFiles")
            .field("paths", &paths)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
