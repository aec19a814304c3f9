//! From words to nodes. What cannot be evaluated is refused here.

use core::iter::Peekable;
use std::vec::IntoIter;

use super::{
    TemplateError, TemplateFault,
    format::Format,
    lexer::{Token, TokenKind, tokens},
    node::{Call, Command, Function, Node, Operand, Pipeline},
    unquote::unquote,
};

/// How deep parentheses and conditions may be nested.
const DEPTH: usize = 50;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?.into_iter().peekable(),
        at: 0,
        depth: 0,
    };
    let (nodes, end) = parser.nodes()?;
    match end {
        Ending::Else { at } => parser.fail(at, TemplateFault::Stray("else")),
        Ending::End { at } => parser.fail(at, TemplateFault::Stray("end")),
        Ending::Template => Ok(nodes),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Peekable<IntoIter<Token<'t>>>,
    /// Where the token begins that was read last.
    at: usize,
    depth: usize,
}

/// What a list of nodes ends with.
enum Ending {
    /// An `if` may follow the word.
    Else {
        at: usize,
    },
    End {
        at: usize,
    },
    Template,
}

type Parsed<T> = Result<T, TemplateError>;

impl<'t> Parser<'t> {
    fn fail<T>(&self, at: usize, fault: TemplateFault) -> Parsed<T> {
        Err(TemplateError::new(self.text, at, fault))
    }

    fn next(&mut self) -> Option<TokenKind<'t>> {
        let token = self.tokens.next()?;
        self.at = token.at;
        Some(token.kind)
    }

    fn peek(&mut self) -> Option<TokenKind<'t>> {
        self.tokens.peek().map(|token| token.kind)
    }

    fn peeked_at(&mut self) -> usize {
        let end = self.text.len();
        self.tokens.peek().map_or(end, |token| token.at)
    }

    /// Takes the token that must come now.
    fn expect(&mut self, kind: TokenKind<'t>) -> Parsed<()> {
        match self.next() {
            Some(found) if found == kind => Ok(()),
            Some(found) => self.fail(self.at, TemplateFault::Unexpected(found.written())),
            None => self.fail(self.text.len(), TemplateFault::UnclosedAction),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH {
            return self.fail(self.at, TemplateFault::Depth);
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn nodes(&mut self) -> Parsed<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        while let Some(kind) = self.next() {
            if let TokenKind::Text(text) = kind {
                nodes.push(Node::Text(text.to_owned()));
                continue;
            }
            // Between actions there is only text, so this is the start of one.
            let at = self.at;
            match self.peek() {
                Some(TokenKind::Word("else")) => {
                    self.next();
                    return Ok((nodes, Ending::Else { at }));
                }
                Some(TokenKind::Word("end")) => {
                    self.next();
                    self.expect(TokenKind::ActionEnd)?;
                    return Ok((nodes, Ending::End { at }));
                }
                Some(TokenKind::Word("if")) => {
                    self.next();
                    nodes.push(self.deeper(|parser| parser.condition(at))?);
                }
                _ => {
                    let pipeline = self.pipeline()?;
                    self.expect(TokenKind::ActionEnd)?;
                    nodes.push(Node::Action(pipeline));
                }
            }
        }
        Ok((nodes, Ending::Template))
    }

    /// Reads what follows an `if` whose action began at `start`.
    fn condition(&mut self, start: usize) -> Parsed<Node> {
        let condition = self.pipeline()?;
        self.expect(TokenKind::ActionEnd)?;
        let (then, end) = self.nodes()?;
        let otherwise = match end {
            Ending::Template => return self.fail(start, TemplateFault::UnclosedIf),
            Ending::End { .. } => Vec::new(),
            Ending::Else { at } if self.peek() == Some(TokenKind::Word("if")) => {
                self.next();
                vec![self.deeper(|parser| parser.condition(at))?]
            }
            Ending::Else { .. } => {
                self.expect(TokenKind::ActionEnd)?;
                match self.nodes()? {
                    (otherwise, Ending::End { .. }) => otherwise,
                    (_, Ending::Else { at }) => return self.fail(at, TemplateFault::Stray("else")),
                    (_, Ending::Template) => return self.fail(start, TemplateFault::UnclosedIf),
                }
            }
        };
        Ok(Node::If {
            condition,
            then,
            otherwise,
        })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let first = match self.peek() {
            Some(TokenKind::Word(word)) if !is_bool(word) => Command::Call(self.call(false)?),
            _ => Command::Operand(self.lone_operand()?),
        };
        let mut then = Vec::new();
        while self.peek() == Some(TokenKind::Pipe) {
            self.next();
            let at = self.peeked_at();
            match self.peek() {
                Some(TokenKind::Word(word)) if !is_bool(word) => then.push(self.call(true)?),
                Some(TokenKind::ActionEnd | TokenKind::Close | TokenKind::Pipe) | None => {
                    return self.fail(at, TemplateFault::Empty);
                }
                Some(other) => {
                    return self.fail(at, TemplateFault::NotAFunction(other.written()));
                }
            }
        }
        Ok(Pipeline { first, then })
    }

    /// Reads a value that stands where a function could.
    fn lone_operand(&mut self) -> Parsed<Operand> {
        let at = self.peeked_at();
        let operand = self.operand()?;
        match self.peek() {
            Some(TokenKind::ActionEnd | TokenKind::Close | TokenKind::Pipe) | None => Ok(operand),
            Some(_) if self.tokens.peek().is_some_and(|token| token.spaced) => {
                self.fail(at, TemplateFault::NotAFunction(operand.to_string()))
            }
            Some(other) => {
                let at = self.peeked_at();
                self.fail(at, TemplateFault::Adjacent(other.written()))
            }
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let Some(kind) = self.next() else {
            return self.fail(self.text.len(), TemplateFault::UnclosedAction);
        };
        let at = self.at;
        let operand = match kind {
            TokenKind::Field(name) => Operand::Field {
                at,
                name: name.to_owned(),
            },
            TokenKind::Open => {
                let pipeline = self.deeper(Self::pipeline)?;
                self.expect(TokenKind::Close)?;
                Operand::Parenthesized(Box::new(pipeline))
            }
            TokenKind::Quoted(written) => match unquote(written) {
                Some(value) => Operand::Text {
                    value,
                    written: written.to_owned(),
                },
                None => return self.fail(at, TemplateFault::Quoted),
            },
            TokenKind::Word("true") => Operand::Bool(true),
            TokenKind::Word("false") => Operand::Bool(false),
            TokenKind::Word(word) => return self.fail(at, unusable(word)),
            TokenKind::Dot => return self.fail(at, TemplateFault::Dot),
            TokenKind::ActionEnd | TokenKind::Close | TokenKind::Pipe => {
                return self.fail(at, TemplateFault::Empty);
            }
            TokenKind::ActionStart | TokenKind::Text(_) => {
                return self.fail(at, TemplateFault::Unexpected(kind.written()));
            }
        };
        match self.tokens.peek() {
            Some(next) if !next.spaced => match (next.kind, &operand) {
                (TokenKind::Field(_), Operand::Field { name, .. }) => {
                    let name = name.clone();
                    self.fail(at, TemplateFault::FieldOfField(name))
                }
                (TokenKind::Field(_) | TokenKind::Dot, _) => {
                    let dot = TemplateFault::Unexpected(next.kind.written());
                    let at = next.at;
                    self.fail(at, dot)
                }
                _ => Ok(operand),
            },
            _ => Ok(operand),
        }
    }

    /// Reads a function with its arguments. The name is there.
    fn call(&mut self, is_piped: bool) -> Parsed<Call> {
        let at = self.peeked_at();
        let Some(TokenKind::Word(word)) = self.next() else {
            return self.fail(at, TemplateFault::Empty);
        };
        let function = match word {
            "and" => Function::And,
            "eq" => Function::Eq,
            "index" => Function::Index,
            "ne" => Function::Ne,
            "not" => Function::Not,
            "or" => Function::Or,
            "printf" => Function::Printf(self.format()?),
            other => return self.fail(at, unusable(other)),
        };
        if function == Function::Index {
            self.separated()?;
            match self.next() {
                Some(TokenKind::Dot) => {}
                _ => return self.fail(at, arguments_of(&function)),
            }
        }
        let mut arguments = Vec::new();
        while !matches!(
            self.peek(),
            Some(TokenKind::ActionEnd | TokenKind::Close | TokenKind::Pipe) | None
        ) {
            self.separated()?;
            if let Some(TokenKind::Word(word)) = self.peek()
                && !is_bool(word)
            {
                let at = self.peeked_at();
                return self.fail(at, unusable_argument(word));
            }
            arguments.push(self.operand()?);
        }
        let count = arguments.len() + usize::from(is_piped);
        let fits = match &function {
            Function::And | Function::Or => count >= 1,
            Function::Eq => count >= 2,
            Function::Ne => count == 2,
            Function::Not => count == 1,
            Function::Index => count == 1 && !arguments.iter().any(is_bool_operand),
            Function::Printf(format) => count == format.verbs(),
        };
        if !fits {
            return self.fail(at, arguments_of(&function));
        }
        Ok(Call {
            at,
            function,
            arguments,
        })
    }

    fn format(&mut self) -> Parsed<Format> {
        self.separated()?;
        let at = self.peeked_at();
        let format = match self.next() {
            Some(TokenKind::Quoted(written)) => {
                unquote(written).and_then(|text| Format::parse(&text, written.to_owned()))
            }
            _ => None,
        };
        match format {
            Some(format) => Ok(format),
            None => self.fail(at, TemplateFault::Format),
        }
    }

    /// Arguments have white space before them.
    fn separated(&mut self) -> Parsed<()> {
        match self.tokens.peek() {
            Some(token) if !token.spaced && token.kind != TokenKind::ActionEnd => {
                let (at, written) = (token.at, token.kind.written());
                self.fail(at, TemplateFault::Adjacent(written))
            }
            _ => Ok(()),
        }
    }
}

fn is_bool(word: &str) -> bool {
    matches!(word, "true" | "false")
}

/// Whether an argument is a boolean whatever the claims are.
fn is_bool_operand(operand: &Operand) -> bool {
    matches!(operand, Operand::Bool(_))
}

fn arguments_of(function: &Function) -> TemplateFault {
    let takes = match function {
        Function::And | Function::Or => "at least one argument",
        Function::Eq => "at least two arguments",
        Function::Index => "`.` and the name of one claim",
        Function::Ne => "two arguments",
        Function::Not => "one argument",
        Function::Printf(_) => return TemplateFault::Format,
    };
    TemplateFault::Arguments {
        function: function.name(),
        takes,
    }
}

/// What to say of a word that stands where a value or a function belongs.
fn unusable(word: &str) -> TemplateFault {
    match word {
        "block" | "break" | "continue" | "define" | "nil" | "range" | "template" | "with" => {
            TemplateFault::Unsupported(word.to_owned())
        }
        "else" => TemplateFault::Stray("else"),
        "end" => TemplateFault::Stray("end"),
        "if" => TemplateFault::Unexpected(word.to_owned()),
        _ => TemplateFault::UnknownFunction(word.to_owned()),
    }
}

/// The same for a word among arguments: functions need parentheses there.
fn unusable_argument(word: &str) -> TemplateFault {
    match word {
        "and" | "eq" | "index" | "ne" | "not" | "or" | "printf" => {
            TemplateFault::Adjacent(format!("({word}"))
        }
        other => unusable(other),
    }
}
