/// The universal tags that are written here (X.690 section 8).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]`, primitive.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]`, constructed.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Writes DER forwards into one buffer.
///
/// Where it is hot, the caller knows each length before it writes, so no byte moves twice;
/// [`nested`](Self::nested) is for where it is not.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds bytes that are DER already, or the content of a header just written.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Adds tag and length; the caller adds `content_len` bytes.
    pub(crate) fn header(&mut self, tag: u8, content_len: usize) {
        self.0.push(tag);
        if content_len < 0x80 {
            self.0.push(content_len as u8);
        } else {
            let bytes = content_len.to_be_bytes();
            let octets = &bytes[bytes.len() - length_octets(content_len)..];
            self.0.push(0x80 | octets.len() as u8);
            self.0.extend_from_slice(octets);
        }
    }

    /// Adds one whole element.
    pub(crate) fn element(&mut self, tag: u8, content: &[u8]) {
        self.header(tag, content.len());
        self.bytes(content);
    }

    /// Adds one element whose content `write` makes.
    pub(crate) fn nested(&mut self, tag: u8, write: impl FnOnce(&mut Self)) {
        let mut content = Self::default();
        write(&mut content);
        self.element(tag, &content.0);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// How long an element with so much content is.
pub(crate) const fn element_len(content_len: usize) -> usize {
    let header = if content_len < 0x80 {
        2
    } else {
        2 + length_octets(content_len)
    };
    header + content_len
}

const fn length_octets(len: usize) -> usize {
    (usize::BITS - len.leading_zeros()).div_ceil(8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_octets_as_they_need() {
        for (len, header) in [
            (0, &[0x04, 0x00][..]),
            (0x7f, &[0x04, 0x7f]),
            (0x80, &[0x04, 0x81, 0x80]),
            (0xff, &[0x04, 0x81, 0xff]),
            (0x100, &[0x04, 0x82, 0x01, 0x00]),
            (0xffff, &[0x04, 0x82, 0xff, 0xff]),
            (0x1_0000, &[0x04, 0x83, 0x01, 0x00, 0x00]),
        ] {
            let mut writer = Writer::default();
            writer.element(tag::OCTET_STRING, &vec![0; len]);
            assert_eq!(writer.len(), element_len(len));
            assert_eq!(&writer.finish()[..header.len()], header);
        }
    }
}
