use core::error::Error;
use std::io;

/// The first error of type `T` in `error`: itself, or among its causes.
///
/// Clients wrap the errors of what they are built on, some of them in an [`io::Error`], which does
/// not count what it wraps as its source.
#[must_use]
pub fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner),
            _ => error.source(),
        };
    }
    None
}
