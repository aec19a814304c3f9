use super::{Request, table::Row};

/// A request, and what is known of the answers.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(super) name: String,
    pub(super) request: Request,
    pub(super) rows: Vec<&'static Row>,
}

impl Case {
    /// A request that both are expected to answer alike.
    pub(crate) fn new(name: impl Into<String>, request: Request) -> Self {
        Self {
            name: name.into(),
            request,
            rows: Vec::new(),
        }
    }

    /// The answers differ in the way of this row of the table.
    #[track_caller]
    pub(crate) fn differs(mut self, id: &str) -> Self {
        self.rows.push(Row::named(id));
        self
    }

    /// The answers differ in the way of these rows of the table, of which there may be none.
    #[track_caller]
    pub(crate) fn differing(self, ids: &[&str]) -> Self {
        ids.iter().fold(self, |case, id| case.differs(id))
    }
}
