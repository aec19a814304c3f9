/// Elements of DER one after another (X.690 sections 8.1 and 10.1), with tags of one octet.
///
/// It is what a certificate is checked with before it leaves, so it shares nothing with what writes
/// certificates; and it is small, because that is done for each one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'d>(&'d [u8]);

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'d> {
    pub(crate) tag: u8,
    pub(crate) content: &'d [u8],
    /// All of it, tag and length included.
    pub(crate) octets: &'d [u8],
}

impl<'d> Elements<'d> {
    pub(crate) fn new(octets: &'d [u8]) -> Self {
        Self(octets)
    }

    /// The next element; nothing at the end, and where what follows is not DER.
    pub(crate) fn next(&mut self) -> Option<Element<'d>> {
        let [tag, length, rest @ ..] = self.0 else {
            return None;
        };
        let (length, rest) = match *length {
            length @ ..=0x7f => (usize::from(length), rest),
            octets @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(octets & 0x7f))?;
                let length = be(digits);
                // In as few octets as it needs.
                if length <= 0x7f || digits.first() == Some(&0) {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let (octets, _) = self.0.split_at_checked(self.0.len() - after.len())?;
        self.0 = after;
        Some(Element {
            tag: *tag,
            content,
            octets,
        })
    }

    /// Whether there is another element, with this tag.
    pub(crate) fn begins_with(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_empty()
    }
}

/// A number in up to four octets.
fn be(octets: &[u8]) -> usize {
    octets
        .iter()
        .fold(0, |number, octet| number << 8 | usize::from(*octet))
}

#[cfg(test)]
mod tests {
    use der::{Decode as _, Header, Length, Reader as _, SliceReader};
    use proptest::prelude::*;

    use super::*;

    /// The content of the first element as another crate reads it, and what follows.
    fn theirs(octets: &[u8]) -> Option<(&[u8], Length)> {
        let mut reader = SliceReader::new(octets).ok()?;
        let header = Header::decode(&mut reader).ok()?;
        let content = reader.read_slice(header.length()).ok()?;
        Some((content, reader.remaining_len()))
    }

    fn agrees(octets: &[u8]) -> Result<(), TestCaseError> {
        let mut elements = Elements::new(octets);
        let ours = elements.next();
        let ours = ours.map(|element| (element.content, elements.0.len()));
        let theirs =
            theirs(octets).map(|(content, rest)| (content, usize::try_from(rest).unwrap()));
        prop_assert_eq!(ours, theirs);
        Ok(())
    }

    proptest! {
        #[test]
        fn reads_what_another_reader_reads(
            tag in prop::sample::select(&[1, 2, 3, 4, 5, 6, 12, 0x17, 0x18, 0x30, 0x80, 0x86, 0xa0, 0xa3][..]),
            length in prop::collection::vec(any::<u8>(), 0..6),
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            agrees(&[&[tag], &length[..], &rest].concat())?;
        }

        #[test]
        fn reads_every_length_in_its_shortest_form(length in 0..70_000_usize, more in 0..3_usize) {
            let octets = length.to_be_bytes();
            let digits = &octets[octets.iter().position(|octet| *octet != 0).unwrap_or(7)..];
            for zeros in 0..2 {
                let long = [&[0x80 | (digits.len() + zeros) as u8][..], &vec![0; zeros], digits].concat();
                let short = [length as u8];
                for form in [&long[..], &short] {
                    agrees(&[&[4], form, &vec![7; length + more]].concat())?;
                }
            }
        }
    }

    #[test]
    fn what_is_cut_short_is_no_element() {
        let whole = [0x30, 0x82, 1, 0, 0, 0];
        assert_eq!(Elements::new(&whole).next(), None);
        let mut two = Elements::new(&[5, 0, 4, 1, 9]);
        assert!(two.begins_with(5) && !two.begins_with(4) && !two.is_finished());
        assert_eq!(two.next().map(|element| element.octets), Some(&[5, 0][..]));
        assert_eq!(two.next().map(|element| element.content), Some(&[9][..]));
        assert!(two.is_finished() && two.next().is_none());
    }
}
