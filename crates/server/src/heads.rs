/// Where the heads of requests begin and end in what one client sends.
///
/// It understands no more than that needs: which protocol it is, and in HTTP/2 the headers of the frames.
#[derive(Debug)]
pub(crate) enum Heads {
    /// So many bytes were those with which HTTP/2 begins.
    Unknown(usize),
    /// The listener says when a head is complete.
    Http1,
    /// Frames follow each other.
    Http2(Frames),
}

/// What is not complete after the bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// All is.
    Nothing,
    /// What was not complete before, if something was.
    Same,
    /// Something that these bytes began.
    Another,
}

impl Default for Heads {
    fn default() -> Self {
        Self::Unknown(0)
    }
}

impl Heads {
    /// Reads on. In HTTP/1 what comes `in_request` is its body.
    pub(crate) fn read(&mut self, bytes: &[u8], in_request: bool) -> Unfinished {
        match self {
            Self::Unknown(matched) => {
                let rest = PREFACE.get(*matched..).unwrap_or_default();
                if let Some(frames) = bytes.strip_prefix(rest) {
                    *self = Self::Http2(Frames::default());
                    return match self.read(frames, in_request) {
                        Unfinished::Nothing => Unfinished::Nothing,
                        _ => Unfinished::Another,
                    };
                }
                if rest.starts_with(bytes) {
                    *matched += bytes.len();
                } else {
                    *self = Self::Http1;
                }
                Unfinished::Same
            }
            Self::Http1 if in_request => Unfinished::Nothing,
            Self::Http1 => Unfinished::Same,
            Self::Http2(frames) => frames.read(bytes),
        }
    }

    /// Whether there is no head any more that is not complete, because a request has begun. In HTTP/2 that of another
    /// may be under way.
    pub(crate) fn end_with_request(&self) -> bool {
        !matches!(self, Self::Http2(_))
    }
}

/// With what HTTP/2 begins (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How far the frames of HTTP/2 are (RFC 9113 section 4.1).
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: [u8; FRAME_HEADER],
    /// How much of the header is there.
    filled: usize,
    /// How much of what the header announces is missing.
    missing: usize,
    /// Whether a head has begun and another frame of it must follow.
    open: bool,
}

const FRAME_HEADER: usize = 9;

impl Frames {
    fn read(&mut self, mut bytes: &[u8]) -> Unfinished {
        let mut ended = false;
        while let Some((first, rest)) = bytes.split_first() {
            if let Some(next) = self.header.get_mut(self.filled) {
                *next = *first;
                self.filled += 1;
                bytes = rest;
                if self.filled == FRAME_HEADER {
                    let [high, middle, low, ..] = self.header;
                    self.missing =
                        usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                }
            } else {
                let taken = self.missing.min(bytes.len());
                self.missing -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
            }
            if self.filled == FRAME_HEADER && self.missing == 0 {
                let [_, _, _, kind, flags, ..] = self.header;
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.open = flags & END_HEADERS == 0;
                }
                self.filled = 0;
                ended |= !self.open;
            }
        }
        match (self.filled == 0 && !self.open, ended) {
            (true, _) => Unfinished::Nothing,
            (false, true) => Unfinished::Another,
            (false, false) => Unfinished::Same,
        }
    }
}

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.extend(payload);
        frame
    }

    fn in_http2() -> Heads {
        let mut heads = Heads::default();
        assert_eq!(heads.read(PREFACE, false), Unfinished::Nothing);
        heads
    }

    #[test]
    fn a_head_in_two_frames_is_complete_with_the_second() {
        let mut heads = in_http2();
        let begin = frame(HEADERS, 0, b"abc");
        assert_eq!(heads.read(&begin, false), Unfinished::Same);
        let more = frame(CONTINUATION, 0, b"abc");
        assert_eq!(heads.read(&more, true), Unfinished::Same);
        let end = frame(CONTINUATION, END_HEADERS, b"");
        assert_eq!(heads.read(&end, true), Unfinished::Nothing);
    }

    #[test]
    fn the_next_head_is_another() {
        let mut heads = in_http2();
        let whole = frame(HEADERS, END_HEADERS, b"abc");
        let (first, second) = whole.split_at(4);
        assert_eq!(heads.read(first, false), Unfinished::Same);
        let both = [second, first].concat();
        assert_eq!(heads.read(&both, false), Unfinished::Another);
    }

    #[test]
    fn what_only_begins_as_http2_is_http1() {
        let mut heads = Heads::default();
        assert_eq!(heads.read(b"PRI * HT", false), Unfinished::Same);
        assert_eq!(heads.read(b"TP/1.1\r\n", false), Unfinished::Same);
        assert!(matches!(heads, Heads::Http1));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_are_cut(
            payloads in vec((0_u8..10, any::<bool>(), vec(any::<u8>(), 0..40)), 0..8),
            cuts in vec(any::<Index>(), 0..20),
            missing in 0_usize..60,
        ) {
            let mut bytes = PREFACE.to_vec();
            for (kind, last, payload) in &payloads {
                bytes.extend(frame(*kind, u8::from(*last) * END_HEADERS, payload));
            }
            bytes.truncate(bytes.len().saturating_sub(missing).max(1));

            let mut at_once = Heads::default();
            let nothing = at_once.read(&bytes, false) == Unfinished::Nothing;
            let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            ends.push(bytes.len());
            ends.sort_unstable();
            let mut heads = Heads::default();
            let mut from = 0;
            let mut last = Unfinished::Same;
            for end in ends {
                if from < end {
                    last = heads.read(&bytes[from..end], false);
                    from = end;
                }
            }
            prop_assert_eq!(last == Unfinished::Nothing, nothing);
        }

        #[test]
        fn nothing_that_is_sent_breaks_it(reads in vec(vec(any::<u8>(), 0..64), 0..8)) {
            let mut heads = in_http2();
            for bytes in reads {
                heads.read(&bytes, false);
            }
        }
    }
}
