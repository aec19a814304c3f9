use core::{error::Error as StdError, fmt, pin::pin};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

use crate::MESSAGE_LIMIT;

/// Why there is no body. The texts are Go's.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It could not be read to its end.
    Broken(Box<dyn StdError + Send + Sync>),
    /// It is longer than [`MESSAGE_LIMIT`].
    TooLarge,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken(_) => "unexpected EOF",
            Self::TooLarge => "http: request body too large",
        })
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Broken(cause) => Some(&**cause),
            Self::TooLarge => None,
        }
    }
}

/// Reads a whole body. One that comes in a single piece is not copied.
///
/// Of one that is too long, as much again is read and thrown away before it is given up, since
/// many clients read no answer before they have sent everything.
pub(super) async fn read<B>(body: B) -> Result<Bytes, BodyError>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        length += data.remaining();
        if length > 2 * MESSAGE_LIMIT {
            break;
        }
        if length > MESSAGE_LIMIT {
            (first, all) = (Bytes::new(), BytesMut::new());
            continue;
        }
        let data = data.copy_to_bytes(data.remaining());
        if first.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    if length > MESSAGE_LIMIT {
        Err(BodyError::TooLarge)
    } else if all.is_empty() {
        Ok(first)
    } else {
        Ok(all.freeze())
    }
}
