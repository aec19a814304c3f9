use percent_encoding::percent_decode_str;

/// The path in what follows the scheme of a URI for a file on this machine (RFC 8089 section 2).
pub(crate) fn local_path(rest: &str) -> Option<String> {
    let path = match rest.strip_prefix("//") {
        // With an authority, which must be this machine.
        Some(local) => match local.split_at(local.find('/')?) {
            ("" | "localhost", path) => path,
            _ => return None,
        },
        None => rest,
    };
    let path = percent_decode_str(path).decode_utf8().ok()?;
    (!path.is_empty()).then(|| path.into_owned())
}
