/// Whether a text may be the e-mail address in a token.
///
/// This is not the rule for addresses, which is the certificate authority's to apply: it only keeps
/// tokens small and texts on one line.
pub(crate) fn is_plausible(text: &str) -> bool {
    /// The longest address of RFC 5321, in bytes.
    const LIMIT: usize = 254;
    let inside = text.trim_matches('@');
    text.len() <= LIMIT && inside.contains('@') && !text.chars().any(char::is_control)
}
