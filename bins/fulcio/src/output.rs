use std::io;

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};
use fulcio_client::Description;
use serde::Serialize;

const NAME: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();

/// What is shown to a person, written as a whole. Colours are taken away where nobody sees them.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// One line of a table: a name, and what it is.
    pub(crate) fn row(&mut self, name: &str, value: &str) {
        let value = harmless(value);
        self.line(&format!("{NAME}{name:<26}{NAME:#} {value}"));
    }

    /// A line that says that something is as it should be.
    pub(crate) fn good(&mut self, text: &str) {
        self.line(&format!("{GOOD}{text}{GOOD:#}"));
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// All that a certificate says.
    pub(crate) fn description(&mut self, description: &Description) {
        for identity in &description.identities {
            self.row(
                "Identity",
                &format!("{} ({})", identity.value, identity.kind),
            );
        }
        self.row("Valid from", &description.not_before);
        self.row("Valid until", &description.not_after);
        self.row("Key", &description.public_key);
        self.row("Issued by", &description.issuer);
        if !description.subject.is_empty() {
            self.row("Subject", &description.subject);
        }
        self.row("Signed with", &description.signature_algorithm);
        self.row("Serial number", &description.serial_number);
        for timestamp in &description.timestamps {
            self.row("Timestamp", &timestamp.time);
            self.row("  of the log", &timestamp.log_id);
            if let Some(index) = timestamp.leaf_index {
                self.row("  at index", &index.to_string());
            }
        }
        if !description.extensions.is_empty() {
            self.line("\nFulcio extensions");
            for extension in &description.extensions {
                self.row(&format!("  {}", extension.name), &extension.value);
                self.row("", extension.oid);
            }
        }
        if !description.other_extensions.is_empty() {
            self.line("\nOther extensions");
            for extension in &description.other_extensions {
                let name = extension.name.unwrap_or(&extension.oid);
                let critical = if extension.critical {
                    " (critical)"
                } else {
                    ""
                };
                self.row(
                    &format!("  {name}"),
                    &format!("{}{critical}", extension.value),
                );
            }
        }
    }

    /// Writes it to standard output.
    pub(crate) fn print(self) -> Result<()> {
        print(&mut anstream::stdout().lock(), &self.0)
    }
}

/// Writes JSON for machines to standard output.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&mut io::stdout().lock(), &text)
}

/// A reader that has seen enough, such as `head`, may close the pipe.
fn print(to: &mut impl io::Write, text: &str) -> Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Text of strangers for a terminal: what would control it is shown as an escape.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_formatting(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The characters that turn the direction of text around, so that it reads as something else
/// (Unicode Standard Annex 9), and those that nobody sees.
fn is_formatting(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
