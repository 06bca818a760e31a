//! Collecting what is wrong with a pack, each with its place.

use bigsec_event::{Code, Problem, codes};
use serde_saphyr::Location;

/// The faults of one file.
pub(super) struct Faults<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub list: Vec<Problem>,
}

impl Faults<'_> {
    /// Notes a fault at a place (unknown where none is given) with its mend.
    pub fn add(
        &mut self,
        code: &'static Code,
        at: Location,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let problem = Problem::new(code, message)
            .in_file(self.file)
            .at(at.line() as u32, at.column() as u32, 0)
            .mend(mend)
            .excerpt_from(self.text);
        self.list.push(problem);
    }

    /// Notes that a part of the pack cannot be read.
    pub fn invalid(&mut self, at: Location, message: impl Into<String>, mend: impl Into<String>) {
        self.add(codes::PACK_INVALID, at, message, mend);
    }
}
