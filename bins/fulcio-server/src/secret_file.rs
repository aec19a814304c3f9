use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// Warns of a file with a secret in it that others on this machine may read or change. `named` is what
/// it is, such as a flag and its value.
///
/// It is no error, because Kubernetes mounts secrets so that everybody in the container may read them,
/// and Fulcio takes them. A file that is not there is for whoever reads it to tell.
pub(crate) fn warn_if_exposed(named: &str, path: &Path) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & OTHERS != 0 {
        tracing::warn!(
            mode = format_args!("{mode:04o}"),
            "{named} may be read or changed by others than its owner; `chmod 600` it where you can"
        );
    }
}

/// Reading and writing by the group and by everybody.
const OTHERS: u32 = 0o066;
