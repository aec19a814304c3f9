use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Writes JSON into one buffer. What is written raw is up to the caller.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Writes what is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// The buffer, for what writes itself.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Writes a string.
    pub(crate) fn string(&mut self, text: &str) {
        self.0.push(b'"');
        let mut run = 0;
        for (at, byte) in text.bytes().enumerate() {
            if !matches!(byte, ..b' ' | b'"' | b'\\') {
                continue;
            }
            self.0.extend_from_slice(&text.as_bytes()[run..at]);
            run = at + 1;
            let escape = match byte {
                b'\x08' => b'b',
                b'\x0c' => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                b'"' | b'\\' => byte,
                _ => {
                    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                    let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
                    self.0.extend_from_slice(&escape);
                    continue;
                }
            };
            self.0.extend_from_slice(&[b'\\', escape]);
        }
        self.0.extend_from_slice(&text.as_bytes()[run..]);
        self.0.push(b'"');
    }

    /// Writes bytes as a string of padded base64.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.raw("\"");
        self.raw(&BASE64_STANDARD.encode(bytes));
        self.raw("\"");
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
