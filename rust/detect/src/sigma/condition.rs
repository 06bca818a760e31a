//! The language of `condition`: a parser with places.
//!
//! ```text
//! or    = and { "or" and }
//! and   = not { "and" not }
//! not   = { "not" } operand
//! operand = "(" or ")" | quantity "of" pattern | name
//! quantity = "1" | "any" | "all" | number
//! ```

use std::fmt;

use bigsec_event::{Problem, codes};

use bigsec_event::suggest::closest;

/// Nesting of parentheses and `not`; no rule of the field's collections has more than five.
const MAX_NESTING: usize = 64;

/// A condition as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// The name of a selection, and where it stands.
    Name(String, At),
    /// So many of the selections that a pattern names.
    Of(Quantity, String, At),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// How many selections must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    All,
    /// At least so many.
    Some(usize),
}

/// A place in the condition: characters from its start, and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub offset: usize,
    pub length: usize,
}

/// What is wrong, and where in the condition.
#[derive(Debug)]
pub(crate) struct Fault {
    pub at: At,
    pub problem: Box<Problem>,
}

impl Fault {
    pub fn new(at: At, problem: Problem) -> Self {
        Self { at, problem: Box::new(problem) }
    }

    /// The condition cannot be read at that place.
    fn unreadable(at: At, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(at, Problem::new(codes::RULE_CONDITION, message).mend(mend))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, operands: &[Expression], word: &str| {
            for (index, operand) in operands.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match operand {
                    Self::And(_) | Self::Or(_) => write!(f, "({operand})")?,
                    _ => write!(f, "{operand}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Name(name, _) => f.write_str(name),
            Self::Of(Quantity::All, pattern, _) => write!(f, "all of {pattern}"),
            Self::Of(Quantity::Some(count), pattern, _) => write!(f, "{count} of {pattern}"),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(operands) => list(f, operands, "and"),
            Self::Or(operands) => list(f, operands, "or"),
        }
    }
}

/// Reads a condition.
pub(crate) fn parse(text: &str) -> Result<Expression, Fault> {
    let mut parser =
        Parser { tokens: tokens(text)?, next: 0, nesting: 0, end: text.chars().count() };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(token.unexpected()),
    }
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    at: At,
}

impl Token<'_> {
    fn unexpected(&self) -> Fault {
        let mend = match closest(self.text, ["and", "or", "not"]) {
            Some(word) if word.eq_ignore_ascii_case(self.text) => format!("write {word:?}"),
            _ if self.text == ")" => "remove it, or open it with \"(\"".to_owned(),
            _ => "put \"and\" or \"or\" before it".to_owned(),
        };
        let message = format!("{:?} is not expected here in the condition", self.text);
        Fault::unreadable(self.at, message, mend)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '*' | '.')
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut offset = 0;
    while let Some(c) = rest.chars().next() {
        let size = if is_word(c) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            c.len_utf8()
        };
        let (token, after) = rest.split_at(size);
        let length = token.chars().count();
        let at = At { offset, length };
        match c {
            _ if c.is_whitespace() => {}
            '(' | ')' => tokens.push(Token { text: token, at }),
            _ if is_word(c) => tokens.push(Token { text: token, at }),
            '|' => return Err(aggregation(at)),
            _ => {
                let message = format!("{c:?} has no meaning in a condition");
                let mend = "use names, and, or, not, \"1 of x*\", \"all of x*\" and parentheses";
                return Err(Fault::unreadable(at, message, mend));
            }
        }
        offset += length;
        rest = after;
    }
    Ok(tokens)
}

fn aggregation(at: At) -> Fault {
    let message = "the condition counts with \"|\", which Sigma has replaced by correlation rules";
    let mend = "write the counting as a correlation rule over a rule without it";
    Fault::new(at, Problem::new(codes::RULE_UNSUPPORTED, message).mend(mend))
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    nesting: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn is_next(&self, ahead: usize, word: &str) -> bool {
        self.tokens.get(self.next + ahead).is_some_and(|token| token.text == word)
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.is_next(0, word);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expression, Fault> {
        let mut operands = vec![self.and()?];
        while self.accept("or") {
            operands.push(self.and()?);
        }
        Ok(single_or(operands, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Fault> {
        let mut operands = vec![self.not()?];
        while self.accept("and") {
            operands.push(self.not()?);
        }
        Ok(single_or(operands, Expression::And))
    }

    fn not(&mut self) -> Result<Expression, Fault> {
        if !self.accept("not") {
            return self.operand();
        }
        self.nested(|parser| Ok(Expression::Not(Box::new(parser.not()?))))
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.nesting == MAX_NESTING {
            let at = self.peek().map_or(At { offset: self.end, length: 0 }, |token| token.at);
            let message = format!("the condition nests deeper than {MAX_NESTING}");
            return Err(Fault::unreadable(at, message, "simplify it"));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    fn operand(&mut self) -> Result<Expression, Fault> {
        let Some(token) = self.peek() else {
            let at = At { offset: self.end, length: 0 };
            let message = "the condition ends where a name is expected";
            let mend = "end it with the name of a selection";
            return Err(Fault::unreadable(at, message, mend));
        };
        if token.text == "(" {
            return self.nested(Self::parenthesis);
        }
        if matches!(token.text, ")" | "and" | "or") {
            return Err(missing_name(token));
        }
        self.next += 1;
        if self.is_next(0, "of") && self.tokens.len() > self.next + 1 {
            return self.selector(token);
        }
        if let Some(c) = token.text.chars().find(|c| matches!(c, '*' | '.')) {
            let message = format!("{:?} is no name of a selection: it has a {c:?}", token.text);
            let mend = format!("write \"1 of {0}\" or \"all of {0}\"", token.text);
            return Err(Fault::unreadable(token.at, message, mend));
        }
        Ok(Expression::Name(token.text.to_owned(), token.at))
    }

    fn parenthesis(&mut self) -> Result<Expression, Fault> {
        let open = self.tokens[self.next];
        self.next += 1;
        let inner = self.or()?;
        if self.accept(")") {
            return Ok(inner);
        }
        Err(self.peek().map_or_else(
            || {
                let message = "the parenthesis that opens here is never closed";
                Fault::unreadable(open.at, message, "close it with \")\"")
            },
            |token| token.unexpected(),
        ))
    }

    fn selector(&mut self, quantity: Token<'a>) -> Result<Expression, Fault> {
        let count = match quantity.text {
            "all" => Some(Quantity::All),
            "any" => Some(Quantity::Some(1)),
            number => number.parse().ok().filter(|count| *count > 0).map(Quantity::Some),
        };
        let Some(count) = count else {
            let message = format!("{:?} is no quantity", quantity.text);
            let mend = "write 1, any, all or a number before \"of\"";
            return Err(Fault::unreadable(quantity.at, message, mend));
        };
        self.next += 1;
        let pattern = self.tokens[self.next];
        if matches!(pattern.text, "(" | ")" | "and" | "or" | "not") {
            return Err(missing_name(pattern));
        }
        self.next += 1;
        let length = pattern.at.offset + pattern.at.length - quantity.at.offset;
        let at = At { offset: quantity.at.offset, length };
        Ok(Expression::Of(count, pattern.text.to_owned(), at))
    }
}

fn missing_name(token: Token<'_>) -> Fault {
    let message = format!("{:?} stands where a name is expected", token.text);
    Fault::unreadable(token.at, message, "put the name of a selection before it")
}

fn single_or(
    mut operands: Vec<Expression>,
    join: impl FnOnce(Vec<Expression>) -> Expression,
) -> Expression {
    match operands.pop() {
        Some(only) if operands.is_empty() => only,
        Some(last) => {
            operands.push(last);
            join(operands)
        }
        None => join(operands),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(text: &str) -> String {
        match parse(text) {
            Ok(expression) => format!("{expression}"),
            Err(Fault { at, problem }) => {
                format!("{}+{} {}", at.offset, at.length, problem.message)
            }
        }
    }

    #[test]
    fn not_binds_before_and_before_or() {
        for (text, expected) in [
            ("a or b and not c", "a or (b and not c)"),
            ("not a and b", "not a and b"),
            ("not (a and b)", "not (a and b)"),
            ("( (a) )", "a"),
            ("not not a", "not not a"),
            ("1 of sel_* and any of them", "1 of sel_* and 1 of them"),
            ("3 of x*", "3 of x*"),
            ("all", "all"),
            ("all of all", "all of all"),
            ("notsel and android", "notsel and android"),
            ("of", "of"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    #[test]
    fn faults_say_where() {
        for (text, expected) in [
            ("", "0+0 the condition ends where a name is expected"),
            ("a and", "5+0 the condition ends where a name is expected"),
            ("a b", "2+1 \"b\" is not expected here in the condition"),
            ("a AND b", "2+3 \"AND\" is not expected here in the condition"),
            ("(a", "0+1 the parenthesis that opens here is never closed"),
            ("a)", "1+1 \")\" is not expected here in the condition"),
            ("and a", "0+3 \"and\" stands where a name is expected"),
            ("a & b", "2+1 '&' has no meaning in a condition"),
            ("sel*", "0+4 \"sel*\" is no name of a selection: it has a '*'"),
            ("some of them", "0+4 \"some\" is no quantity"),
            ("0 of them", "0+1 \"0\" is no quantity"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
        let Fault { at, problem } = parse("sel | count() > 5").unwrap_err();
        assert_eq!((at.offset, problem.code), (4, codes::RULE_UNSUPPORTED));
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"not ".repeat(100_000)).is_err());
    }

    fn expressions() -> impl Strategy<Value = Expression> {
        let leaf = prop_oneof![
            "[a-z_][a-z0-9_-]{0,5}"
                .prop_filter("words of the grammar", |name| {
                    !["and", "or", "not", "of", "all", "any"].contains(&name.as_str())
                })
                .prop_map(|name| Expression::Name(name, At::default())),
            ("[a-z_]{1,4}\\*", 1..5_usize).prop_map(|(p, n)| Expression::Of(
                Quantity::Some(n),
                p,
                At::default()
            )),
            Just(Expression::Of(Quantity::All, "them".into(), At::default())),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|e| Expression::Not(Box::new(e))),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
                proptest::collection::vec(inner, 2..4).prop_map(Expression::Or),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(expression in expressions()) {
            let printed = expression.to_string();
            prop_assert_eq!(parse(&printed).unwrap().to_string(), printed);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a(b )*|1ofnt é]{0,40}") {
            let _ = parse(&text);
        }
    }
}
