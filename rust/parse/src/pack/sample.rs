//! The samples of a pack: what must come out of a raw record.

use std::sync::Arc;

use bigsec_event::{FieldName, FieldSource, Place, Problem, codes};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::PackSet;
use super::faults::Faults;
use super::file::{SampleFile, place};
use crate::{Outcome, ParseOptions, Parsed, Parser};

/// When a sample is received that does not say so: 2026-01-10T00:00:00Z.
const RECEIVED_US: i64 = 1_768_003_200_000_000;

/// A raw record and what must come out of it.
#[derive(Debug)]
pub(super) struct Sample {
    place: Place,
    raw: String,
    received_us: i64,
    time: Option<String>,
    columns: Vec<(String, String)>,
    fields: Vec<(String, Vec<String>)>,
}

impl Sample {
    pub fn new(file: &SampleFile, faults: &mut Faults<'_>) -> Self {
        let mut received_us = RECEIVED_US;
        if let Some(received) = &file.received {
            match received.value.parse::<Timestamp>() {
                Ok(timestamp) => received_us = timestamp.as_microsecond(),
                Err(error) => {
                    faults.invalid(place(received), error.to_string(), "write it as RFC 3339");
                }
            }
        }
        let at = place(&file.raw);
        Self {
            place: Place {
                file: faults.file.to_owned(),
                line: at.line() as u32,
                column: at.column() as u32,
                length: 0,
            },
            raw: file.raw.value.clone(),
            received_us,
            time: file.time.clone(),
            columns: file.columns.0.iter().map(|(k, v)| (k.value.clone(), v.0.clone())).collect(),
            fields: file.fields.0.iter().map(|(k, v)| (k.value.clone(), v.0.clone())).collect(),
        }
    }

    fn check(&self, pack: &str, packs: &Arc<PackSet>) -> Vec<String> {
        let mut faults = Vec::new();
        let options = ParseOptions { format: None, timezone: TimeZone::UTC };
        let Ok(mut parser) = Parser::new(Arc::clone(packs), options) else { return faults };
        let mut parsed = Parsed::new();
        let mut outcome = Outcome::Directive;
        for line in self.raw.lines() {
            outcome = parser.parse(line.as_bytes(), self.received_us, &mut parsed);
        }
        let mut differ = |what: &str, want: &str, got: &str| {
            if want != got {
                faults.push(format!("{what} is `{got}`, not `{want}`"));
            }
        };
        if let Outcome::Unparsed(code) = outcome {
            differ("the outcome", "an event", code.name);
        }
        differ("the pack", pack, parsed.record.parser());
        if let Some(want) = &self.time {
            let got = parsed.time_us.and_then(|us| Timestamp::from_microsecond(us).ok());
            differ("the time", want, &got.map_or("absent".to_owned(), |time| time.to_string()));
        }
        for (column, want) in &self.columns {
            differ(column, want, parsed.column(column).unwrap_or("absent"));
        }
        for (field, want) in &self.fields {
            let mut got = Vec::new();
            parsed.record.visit(&FieldName::new(field), &mut |value| {
                got.push(value.text.to_owned());
                false
            });
            differ(field, &want.join(" | "), &got.join(" | "));
        }
        faults
    }
}

impl PackSet {
    /// Parses every sample of every pack and compares; each difference is a problem.
    pub fn check_samples(self: &Arc<Self>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for pack in self.iter() {
            for sample in &pack.samples {
                for what in sample.check(&pack.id, self) {
                    let mut problem = Problem::new(codes::PACK_SAMPLE, what)
                        .mend("change the pack or what stands beside the sample");
                    problem.place = sample.place.clone();
                    problem.excerpt = sample.raw.chars().take(200).collect();
                    problems.push(problem);
                }
            }
        }
        problems
    }
}
