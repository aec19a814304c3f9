//! Templates of `ci-issuer-metadata`, the part of Go's `text/template` that they use.

use core::fmt;
use std::{borrow::Cow, collections::BTreeMap};

mod error;
mod evaluate;
mod format;
mod lexer;
mod node;
mod parser;
mod unquote;

pub use error::{CallError, TemplateError, TemplateFault, ValueError};
use node::Node;

/// What becomes a name or an extension of a certificate: text with actions in it, or the name of
/// one claim.
///
/// A text with `{{` in it is a template of Go's `text/template`. Of that language it may use
/// fields, texts in quotes, `true` and `false`, `if`, `else` and `end`, comments, trimming,
/// pipelines, parentheses, and the functions `and`, `eq`, `index`, `ne`, `not`, `or` and `printf`.
/// All else is refused when the template is read, not when somebody needs a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Actions(Vec<Node>),
    /// Nothing but white space.
    Blank,
    /// The name of one value, just as it is written.
    Name,
}

/// What templates see: the claims of a token as texts, and the defaults of those it lacks.
pub(crate) type Values<'a> = BTreeMap<&'a str, Cow<'a, str>>;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Its syntax is wrong, or beyond what is supported here.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let form = if text.trim().is_empty() {
            Form::Blank
        } else if text.contains("{{") {
            Form::Actions(parser::parse(text)?)
        } else {
            Form::Name
        };
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is nothing but white space, and so gives no value.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.form == Form::Blank
    }

    /// What it gives for these values.
    pub(crate) fn value(&self, values: &Values<'_>) -> Result<String, ValueError> {
        match &self.form {
            Form::Actions(nodes) => evaluate::text_of(nodes, &self.text, values),
            Form::Blank | Form::Name => match values.get(self.text.as_str()) {
                Some(value) => Ok(value.clone().into_owned()),
                None => Err(ValueError::Absent {
                    name: self.text.clone(),
                }),
            },
        }
    }
}

impl Default for Template {
    /// The blank one.
    fn default() -> Self {
        Self {
            text: String::new(),
            form: Form::Blank,
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
