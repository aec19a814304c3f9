use core::{
    fmt::{self, Write as _},
    mem,
};
use std::time::UNIX_EPOCH;

use fulcio_issuance::{Clock as _, SystemClock};
use serde::{Serialize, ser::Error as _};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Writes each event as one JSON object in the shape of Fulcio's production log: `severity`, `ts`
/// (seconds since 1970), `caller`, `message`, and the fields of the event beside them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::new();
        event.record(&mut line);
        let text = line.finish(event.metadata()).map_err(|_| fmt::Error)?;
        writer.write_str(&text)
    }
}

/// An event on its way to one line: its fields are JSON already.
struct Line {
    message: Vec<u8>,
    /// Each with its name before it, and a comma before that.
    fields: Vec<u8>,
    /// The text of a field before it is JSON.
    text: String,
    failure: Option<serde_json::Error>,
}

impl Line {
    /// Has room for most events.
    fn new() -> Self {
        Self {
            message: Vec::with_capacity(64),
            fields: Vec::with_capacity(1024),
            text: String::with_capacity(64),
            failure: None,
        }
    }

    fn put<T: Serialize + ?Sized>(&mut self, field: &Field, value: &T) {
        let written = match field.name() {
            "message" => serde_json::to_writer(&mut self.message, value),
            name => entry(&mut self.fields, name, value),
        };
        self.failure = self.failure.take().or(written.err());
    }

    fn finish(self, metadata: &Metadata<'_>) -> Result<String, serde_json::Error> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let message: &[u8] = match &self.message[..] {
            [] => b"\"\"",
            message => message,
        };
        let mut line = Vec::with_capacity(128 + message.len() + self.fields.len());
        line.extend_from_slice(b"{\"severity\":");
        serde_json::to_writer(&mut line, severity(*metadata.level()))?;
        let now = SystemClock.now().duration_since(UNIX_EPOCH);
        entry(&mut line, "ts", &now.unwrap_or_default().as_secs_f64())?;
        caller(&mut line, metadata)?;
        line.extend_from_slice(b",\"message\":");
        line.extend_from_slice(message);
        line.extend_from_slice(&self.fields);
        line.extend_from_slice(b"}\n");
        String::from_utf8(line).map_err(serde_json::Error::custom)
    }
}

/// Writes a comma, a name and a value.
fn entry<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    name: &str,
    value: &T,
) -> Result<(), serde_json::Error> {
    out.push(b',');
    serde_json::to_writer(&mut *out, name)?;
    out.push(b':');
    serde_json::to_writer(out, value)
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // JSON is written of whole texts, and not of each piece of one.
        let mut text = mem::take(&mut self.text);
        text.clear();
        match write!(text, "{value:?}") {
            Ok(()) => self.put(field, text.as_str()),
            Err(fault) => self.failure = Some(serde_json::Error::custom(fault)),
        }
        self.text = text;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn core::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.put(field, &text);
    }
}

/// The words of Go's zap, which has nothing below debug.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

/// The crate, the file and the line that logged.
fn caller(out: &mut Vec<u8>, metadata: &Metadata<'_>) -> Result<(), serde_json::Error> {
    let krate = metadata.target().split("::").next().unwrap_or_default();
    let file = metadata.file().unwrap_or_default();
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let line = metadata.line().unwrap_or_default();
    entry(out, "caller", &format!("{krate}/{file}:{line}"))
}
