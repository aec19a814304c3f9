use core::fmt::{Display, Write as _};

/// Prometheus' text format, for what nobody counts as it happens.
#[derive(Debug)]
pub(super) struct Exposition(String);

/// How the values of a family behave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

impl Exposition {
    /// Goes on where `page` ends.
    pub(super) fn after(page: String) -> Self {
        Self(page)
    }

    /// Adds a family with one series that has no labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Adds a series to the family that was begun last.
    pub(super) fn line(&mut self, line: impl Display) {
        // Writing to a text cannot fail.
        let _infallible = writeln!(self.0, "{line}");
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}
