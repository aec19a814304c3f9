use core::error::Error;

/// An error with all its causes, as an operator sees it.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The first cause that is an `E`.
///
/// # Panics
/// There is none.
#[must_use]
#[track_caller]
pub fn cause<E: Error + 'static>(error: &dyn Error) -> &E {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return found;
        }
        next = cause.source();
    }
    panic!("no cause of this back end: {}", causes(error))
}
