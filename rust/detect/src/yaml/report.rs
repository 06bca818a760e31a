//! Collects the problems of one file, each with its place and the line at fault.

use bigsec_event::{Code, Problem};

use super::Span;

/// One file cannot drown the list: what follows its first hundred problems is only counted.
const MAX_PROBLEMS: usize = 100;

/// The problems of one file.
pub(crate) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
    beyond: usize,
}

impl<'a> Report<'a> {
    /// A report on `text`, which stands in `file`.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: Vec::new(), beyond: 0 }
    }

    /// The file's name.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// The file's text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Adds a problem that stands at `span`.
    pub fn add(&mut self, span: Span, problem: Problem) {
        if self.problems.len() == MAX_PROBLEMS {
            self.beyond += 1;
            return;
        }
        let placed = problem.at(span.line, span.column, span.length).in_file(self.file);
        self.problems.push(placed.excerpt_from(self.text));
    }

    /// Adds a problem with a message and the mend.
    pub fn fault(
        &mut self,
        span: Span,
        code: &'static Code,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(span, Problem::new(code, message).mend(mend));
    }

    /// Number of problems so far: a part of a document is sound where it has not grown.
    pub fn len(&self) -> usize {
        self.problems.len() + self.beyond
    }

    /// The problems in order of their places.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by(|a, b| a.place.cmp(&b.place));
        if let (Some(last), true) = (self.problems.last(), self.beyond > 0) {
            let message = format!("{} more problems in this file", self.beyond);
            let place = last.place.clone();
            self.problems.push(Problem { place, ..Problem::new(last.code, message) });
        }
        self.problems
    }
}
