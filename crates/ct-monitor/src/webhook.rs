use core::fmt::Write as _;

use aws_lc_rs::hmac;

/// The header that a webhook's request carries: `sha256=` and, in hexadecimal, the HMAC-SHA256 of
/// the body as it is sent, under the secret that both sides know.
///
/// ```
/// assert_eq!(
///     fulcio_ct_monitor::webhook_signature(b"Jefe", b"what do ya want for nothing?"),
///     "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
/// );
/// ```
#[must_use]
pub fn webhook_signature(secret: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    let mut header = String::from("sha256=");
    for byte in tag.as_ref() {
        write!(header, "{byte:02x}").expect("a String takes everything");
    }
    header
}
