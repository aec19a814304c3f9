use fulcio_test_services::{component, variable};

/// One fault, and how it is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// What fails; no two scenes have the same.
    pub(super) fault: &'static str,
    pub(super) needs: Needs,
    pub(super) play: fn() -> Row,
}

/// What a scene needs that is not always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// The log of certificate-transparency-go.
    Log,
    /// A machine for itself.
    Time,
}

/// What was observed in a scene. All of it is Markdown.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(super) client: String,
    pub(super) operator: String,
    pub(super) lost: String,
}

impl Scene {
    pub(super) const fn new(fault: &'static str, play: fn() -> Row) -> Self {
        Self {
            fault,
            needs: Needs::Nothing,
            play,
        }
    }

    pub(super) const fn with_log(fault: &'static str, play: fn() -> Row) -> Self {
        Self {
            fault,
            needs: Needs::Log,
            play,
        }
    }

    pub(super) const fn heavy(fault: &'static str, play: fn() -> Row) -> Self {
        Self {
            fault,
            needs: Needs::Time,
            play,
        }
    }
}

impl Needs {
    pub(super) fn are_met(self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Log => component("FULCIO_CTLOG").is_some(),
            Self::Time => variable("FULCIO_TEST_FULL").is_some_and(|full| full == "1"),
        }
    }
}
