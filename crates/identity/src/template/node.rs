use core::fmt;

use super::format::Format;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Action(Pipeline),
    If {
        condition: Pipeline,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
    Text(String),
}

/// A value, and the functions that it goes through: it is the last argument of the first, whose
/// result is the last argument of the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pipeline {
    pub(super) first: Command,
    pub(super) then: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Call(Call),
    Operand(Operand),
}

/// A function and its arguments but for one that is piped in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The offset in the template.
    pub(super) at: usize,
    pub(super) function: Function,
    /// Without the dot of `index` and the format of `printf`.
    pub(super) arguments: Vec<Operand>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Eq,
    Index,
    Ne,
    Not,
    Or,
    Printf(Format),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Bool(bool),
    Field { at: usize, name: String },
    Parenthesized(Box<Pipeline>),
    Text { value: String, written: String },
}

impl Function {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Eq => "eq",
            Self::Index => "index",
            Self::Ne => "ne",
            Self::Not => "not",
            Self::Or => "or",
            Self::Printf(_) => "printf",
        }
    }
}

// How Go writes them in an error.

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.first {
            Command::Call(call) => write!(f, "{call}")?,
            Command::Operand(operand) => write!(f, "{operand}")?,
        }
        self.then.iter().try_for_each(|call| write!(f, " | {call}"))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name())?;
        match &self.function {
            Function::Index => f.write_str(" .")?,
            Function::Printf(format) => write!(f, " {}", format.written)?,
            _ => {}
        }
        self.arguments
            .iter()
            .try_for_each(|argument| write!(f, " {argument}"))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Field { name, .. } => write!(f, ".{name}"),
            Self::Parenthesized(pipeline) => write!(f, "({pipeline})"),
            Self::Text { written, .. } => f.write_str(written),
        }
    }
}
