//! Reading a pattern from its text.

/// What a value consists of, and so where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaptureType {
    /// Ends before the first place where what follows can begin.
    Lazy,
    /// Ends before the last such place.
    ToLast,
    Word,
    Name,
    Int,
    Ip,
    Host,
}

/// One part of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element {
    Literal(String),
    Capture { name: String, capture_type: CaptureType },
    Optional(Vec<Element>),
}

/// Why a pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {column} of the pattern")]
pub struct PatternError {
    /// What is wrong.
    pub what: String,
    /// Where, in characters from 1.
    pub column: usize,
}

/// Levels of optional parts: real messages need two.
const MAX_NESTING: usize = 4;
/// Values that reach to the last place: each multiplies the time.
const MAX_TO_LAST: usize = 2;

pub(super) fn read(text: &str) -> Result<Vec<Element>, PatternError> {
    let mut reader = Reader { rest: text, whole: text, to_last: 0 };
    let elements = reader.elements(0)?;
    if !reader.rest.is_empty() {
        return Err(reader.error("`]` closes nothing"));
    }
    if elements.is_empty() {
        return Err(reader.error("there is nothing to fit"));
    }
    reader.check_neighbours(&elements)?;
    Ok(elements)
}

struct Reader<'a> {
    rest: &'a str,
    whole: &'a str,
    /// How many values reach to the last place.
    to_last: usize,
}

impl Reader<'_> {
    fn elements(&mut self, level: usize) -> Result<Vec<Element>, PatternError> {
        let mut elements = Vec::new();
        let mut literal = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == ']' {
                break;
            }
            if !matches!(next, '{' | '[') {
                literal.push(self.character(next)?);
                continue;
            }
            flush(&mut literal, &mut elements);
            self.rest = &self.rest[1..];
            elements.push(if next == '{' { self.capture()? } else { self.optional(level)? });
        }
        flush(&mut literal, &mut elements);
        Ok(elements)
    }

    /// One character of a literal, a backslash resolved.
    fn character(&mut self, next: char) -> Result<char, PatternError> {
        if next == '}' {
            return Err(self.error("`}` closes nothing"));
        }
        self.rest = &self.rest[next.len_utf8()..];
        if next != '\\' {
            return Ok(next);
        }
        match self.rest.chars().next() {
            Some(escaped @ ('{' | '}' | '[' | ']' | '\\')) => {
                self.rest = &self.rest[1..];
                Ok(escaped)
            }
            _ => Err(self.error("a backslash stands before none of `{ } [ ] \\`")),
        }
    }

    fn capture(&mut self) -> Result<Element, PatternError> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            return Err(self.error("`{` is never closed"));
        };
        let (name, type_name) = inside.split_once(':').unwrap_or((inside, ""));
        let is_name_character = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || !name.chars().all(is_name_character) {
            return Err(self.error("a name consists of letters, digits and `_ - .`"));
        }
        let capture_type = match type_name {
            "" if !inside.ends_with(':') => CaptureType::Lazy,
            "to_last" => CaptureType::ToLast,
            "word" => CaptureType::Word,
            "name" => CaptureType::Name,
            "int" => CaptureType::Int,
            "ip" => CaptureType::Ip,
            "host" => CaptureType::Host,
            _ => {
                return Err(self.error(&format!(
                    "`{type_name}` is no type; there are to_last, word, name, int, ip and host"
                )));
            }
        };
        self.to_last += usize::from(capture_type == CaptureType::ToLast);
        if self.to_last > MAX_TO_LAST {
            return Err(self.error("more than two values reach to the last place"));
        }
        self.rest = rest;
        Ok(Element::Capture { name: name.to_owned(), capture_type })
    }

    fn optional(&mut self, level: usize) -> Result<Element, PatternError> {
        if level >= MAX_NESTING {
            return Err(self.error("optional parts nest too deep"));
        }
        let inside = self.elements(level + 1)?;
        if !matches!(inside.first(), Some(Element::Literal(_))) {
            return Err(self.error("an optional part must begin with text"));
        }
        self.check_neighbours(&inside)?;
        match self.rest.strip_prefix(']') {
            Some(rest) => self.rest = rest,
            None => return Err(self.error("`[` is never closed")),
        }
        Ok(Element::Optional(inside))
    }

    /// Refuses a value without an end of its own right before another value.
    fn check_neighbours(&self, elements: &[Element]) -> Result<(), PatternError> {
        let mut open = None;
        for element in elements {
            match element {
                Element::Literal(_) => open = None,
                Element::Optional(_) => {}
                Element::Capture { name, capture_type } => {
                    if let Some(before) = open {
                        let what = format!("`{{{before}}}` and `{{{name}}}` touch");
                        return Err(self.error(&what));
                    }
                    let ends_by_itself =
                        !matches!(capture_type, CaptureType::Lazy | CaptureType::ToLast);
                    open = (!ends_by_itself).then_some(name);
                }
            }
        }
        Ok(())
    }

    fn error(&self, what: &str) -> PatternError {
        let read = self.whole.len() - self.rest.len();
        PatternError { what: what.to_owned(), column: self.whole[..read].chars().count() + 1 }
    }
}

fn flush(literal: &mut String, elements: &mut Vec<Element>) {
    if !literal.is_empty() {
        elements.push(Element::Literal(std::mem::take(literal)));
    }
}
