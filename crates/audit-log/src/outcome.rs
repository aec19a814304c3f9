/// What a line says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new outcome must break every count"
)]
pub enum Outcome {
    /// Nobody waited any more, and a log may have its precertificate.
    Abandoned,
    /// A certificate was about to leave.
    Issued,
    /// The caller got none.
    Refused,
}

impl Outcome {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Abandoned, Self::Issued, Self::Refused];

    /// The word for it in the trail and in metrics; it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Issued => "issued",
            Self::Refused => "refused",
        }
    }
}
