use core::fmt;

use super::{
    CallError, ValueError, Values,
    node::{Call, Command, Function, Node, Operand, Pipeline},
};

/// What a pipeline gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Text(String),
}

impl Value {
    /// Whether `if` takes it for true.
    fn holds(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Text(text) => !text.is_empty(),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Text(_) => "string",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What `nodes`, which were read from `template`, give for these values.
pub(super) fn text_of(
    nodes: &[Node],
    template: &str,
    values: &Values<'_>,
) -> Result<String, ValueError> {
    let mut text = String::new();
    Evaluation { template, values }.write(nodes, &mut text)?;
    Ok(text)
}

#[derive(Clone, Copy)]
struct Evaluation<'a> {
    template: &'a str,
    values: &'a Values<'a>,
}

impl Evaluation<'_> {
    fn write(self, nodes: &[Node], text: &mut String) -> Result<(), ValueError> {
        for node in nodes {
            match node {
                Node::Text(plain) => text.push_str(plain),
                Node::Action(pipeline) => text.push_str(&self.pipeline(pipeline)?.to_string()),
                Node::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let holds = self.pipeline(condition)?.holds();
                    self.write(if holds { then } else { otherwise }, text)?;
                }
            }
        }
        Ok(())
    }

    fn pipeline(self, pipeline: &Pipeline) -> Result<Value, ValueError> {
        let mut value = match &pipeline.first {
            Command::Call(call) => self.call(call, None)?,
            Command::Operand(operand) => self.operand(operand)?,
        };
        for call in &pipeline.then {
            value = self.call(call, Some(value))?;
        }
        Ok(value)
    }

    fn operand(self, operand: &Operand) -> Result<Value, ValueError> {
        match operand {
            Operand::Bool(value) => Ok(Value::Bool(*value)),
            Operand::Parenthesized(pipeline) => self.pipeline(pipeline),
            Operand::Text { value, .. } => Ok(Value::Text(value.clone())),
            Operand::Field { at, name } => match self.values.get(name.as_str()) {
                Some(value) => Ok(Value::Text(value.clone().into_owned())),
                None => {
                    let (line, column) = self.place(*at);
                    Err(ValueError::MissingKey {
                        line,
                        column,
                        field: name.clone(),
                    })
                }
            },
        }
    }

    fn call(self, call: &Call, piped: Option<Value>) -> Result<Value, ValueError> {
        let mut arguments = call.arguments.iter().map(|operand| self.operand(operand));
        match &call.function {
            Function::And => choose(arguments, piped, false),
            Function::Or => choose(arguments, piped, true),
            Function::Eq => Ok(Value::Bool(self.equal(call, piped)?)),
            Function::Ne => Ok(Value::Bool(!self.equal(call, piped)?)),
            Function::Not => {
                let argument = arguments.next().transpose()?.or(piped);
                Ok(Value::Bool(!argument.is_some_and(|value| value.holds())))
            }
            Function::Index => {
                let key = match arguments.next().transpose()?.or(piped) {
                    Some(Value::Text(key)) => key,
                    Some(Value::Bool(_)) => {
                        return self.fail(call, CallError::Key { found: "bool" });
                    }
                    None => String::new(),
                };
                let value = self.values.get(key.as_str()).cloned().unwrap_or_default();
                Ok(Value::Text(value.into_owned()))
            }
            Function::Printf(format) => {
                let mut arguments = arguments.collect::<Result<Vec<_>, _>>()?;
                arguments.extend(piped);
                Ok(Value::Text(format.apply(&arguments)))
            }
        }
    }

    /// Whether the first argument equals one of the others.
    fn equal(self, call: &Call, piped: Option<Value>) -> Result<bool, ValueError> {
        let arguments = call.arguments.iter().map(|operand| self.operand(operand));
        let arguments: Vec<_> = arguments.chain(piped.map(Ok)).collect::<Result<_, _>>()?;
        let Some((first, others)) = arguments.split_first() else {
            return Ok(false);
        };
        for other in others {
            if first.type_name() != other.type_name() {
                let (one, other) = (first.type_name(), other.type_name());
                return self.fail(call, CallError::Incomparable { one, other });
            }
            if first == other {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fail<T>(self, call: &Call, cause: CallError) -> Result<T, ValueError> {
        let (line, column) = self.place(call.at);
        Err(ValueError::Call {
            line,
            column,
            context: call.to_string(),
            function: call.function.name(),
            cause,
        })
    }

    /// The line, counted from 1, and the offset in it, as Go counts them.
    fn place(self, at: usize) -> (usize, usize) {
        let before = &self.template[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (1 + before.matches('\n').count(), at - line_start)
    }
}

/// The first argument whose truth is `wanted`, else the last; those after it are not looked at.
fn choose(
    arguments: impl Iterator<Item = Result<Value, ValueError>>,
    piped: Option<Value>,
    wanted: bool,
) -> Result<Value, ValueError> {
    let mut last = Value::Bool(wanted);
    for argument in arguments {
        last = argument?;
        if last.holds() == wanted {
            return Ok(last);
        }
    }
    Ok(piped.unwrap_or(last))
}
