use fulcio_go_url::quote;

/// Why a text is no template that can be used, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} of the template: {fault}")]
pub struct TemplateError {
    line: usize,
    column: usize,
    fault: TemplateFault,
}

impl TemplateError {
    /// `at` is an offset in `text`.
    pub(super) fn new(text: &str, at: usize, fault: TemplateFault) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            fault,
        }
    }

    /// The line of the template, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in that line, in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong there.
    #[must_use]
    pub fn fault(&self) -> &TemplateFault {
        &self.fault
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateFault {
    /// A value is followed by something that is not separated from it.
    #[error("a space is missing before {0:?}")]
    Adjacent(String),
    /// A function has too few or too many arguments.
    #[error("{function} takes {takes}")]
    Arguments {
        /// The function.
        function: &'static str,
        /// What it takes.
        takes: &'static str,
    },
    /// A comment does not end where its action ends.
    #[error("a comment must stand alone between {{{{/* and */}}}}")]
    Comment,
    /// There are parentheses or conditions in each other beyond measure.
    #[error("it is nested too deeply")]
    Depth,
    /// A dot that is not the first argument of `index`.
    #[error("`.` can only be the first argument of index")]
    Dot,
    /// An action or a pair of parentheses holds nothing.
    #[error("there is no value here")]
    Empty,
    /// A field of a field. Every claim is a text here, and texts have none.
    #[error("`.{0}` is a text, which has no fields")]
    FieldOfField(String),
    /// The first argument of `printf` is no text in quotes, or does not fit the others.
    #[error("printf needs a text in quotes first, with %s, %v, %q or %t for each other argument")]
    Format,
    /// A value has arguments, or something is piped into it.
    #[error("{0} is not a function, so nothing can be given to it")]
    NotAFunction(String),
    /// A number. A claim is always a text, and so never equals one.
    #[error("a number never equals a claim; write \"{0}\"")]
    Number(String),
    /// A text in quotes that is not closed, or has an escape that means nothing.
    #[error("a text in quotes is not closed, or has an escape that is not known")]
    Quoted,
    /// `else` or `end` where nothing is open, or a second `else`.
    #[error("{{{{{0}}}}} belongs to no {{{{if}}}}")]
    Stray(&'static str),
    /// An action is not closed.
    #[error("an action is not closed with }}}}")]
    UnclosedAction,
    /// An `if` has no `end`.
    #[error("{{{{if}}}} has no {{{{end}}}}")]
    UnclosedIf,
    /// Parentheses do not match.
    #[error("parentheses do not match")]
    Unbalanced,
    /// Something that has no place there.
    #[error("{0:?} has no place here")]
    Unexpected(String),
    /// A function that is not known.
    #[error(
        "`{0}` is no function that can be used; there are and, eq, index, ne, not, or, and printf"
    )]
    UnknownFunction(String),
    /// A part of Go's templates that is not supported.
    #[error("`{0}` is not supported; write it with fields, if, else and end")]
    Unsupported(String),
}

/// Why a template gives no value for a token, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The claim that it names is not there.
    #[error("value <{name}> not present in either claims or defaults.")]
    Absent {
        /// The name.
        name: String,
    },
    /// A function cannot be applied to what it is given.
    #[error(
        "template: :{line}:{column}: executing \"\" at <{context}>: error calling {function}: {cause}"
    )]
    Call {
        /// The line in the template, counted from 1.
        line: usize,
        /// The offset in that line, in bytes.
        column: usize,
        /// The function with its arguments.
        context: String,
        /// The function.
        function: &'static str,
        /// Why not.
        cause: CallError,
    },
    /// A field names a claim that is not there.
    #[error(
        "template: :{line}:{column}: executing \"\" at <.{field}>: map has no entry for key {}",
        quote(.field.as_bytes())
    )]
    MissingKey {
        /// The line in the template, counted from 1.
        line: usize,
        /// The offset in that line, in bytes.
        column: usize,
        /// The name of the claim.
        field: String,
    },
}

/// Why a function cannot be applied to what it is given, in Go's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// A text is compared with a boolean.
    #[error("incompatible types for comparison: {one} and {other}")]
    Incomparable {
        /// The type of the first argument.
        one: &'static str,
        /// The type of the other.
        other: &'static str,
    },
    /// The name of a claim is a boolean.
    #[error("value has type {found}; should be string")]
    Key {
        /// The type of the name.
        found: &'static str,
    },
}
