//! Reads rows of indicators: lists with one a line, and tables with a header line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use bigsec_event::{Code, Problem, codes};

use super::row::{Refusal, Row, Said};
use crate::Level;

/// Largest file.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Longest line.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Problems of one file that are told each; the others are counted.
const PROBLEMS_MAX: usize = 200;

/// What feeds call the columns that count, in the order of [`Said`]'s fields.
const COLUMNS: [&[&str]; 7] = [
    &["indicator", "value", "ioc", "ioc_value", "observable"],
    &["type", "kind", "ioc_type", "indicator_type"],
    &["family", "name", "malware", "threat", "campaign", "comment", "description"],
    &["level", "severity"],
    &["tags", "tag"],
    &["valid_until", "expires", "expiration"],
    &["reference", "references", "link"],
];

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub struct IndicatorOptions {
    /// Of those whose file does not say how bad a hit is.
    pub level: Level,
}

impl Default for IndicatorOptions {
    fn default() -> Self {
        Self { level: Level::Medium }
    }
}

/// Reads a file; each row goes to `take`, and what is wrong with it to the result.
pub(super) fn read(
    path: &Path,
    options: IndicatorOptions,
    take: &mut dyn FnMut(Row) -> Result<(), Refusal>,
) -> Vec<Problem> {
    let name = path.display().to_string();
    let mut reader = Reader { name, options, take, problems: Vec::new(), more: 0 };
    if let Err(error) = File::open(path).and_then(|file| reader.file(file)) {
        reader.broken(&error);
    }
    let Reader { mut problems, more, name, .. } = reader;
    if more > 0 {
        let message = format!("{more} more indicators could not be taken");
        problems.push(Problem::new(codes::INDICATOR_INVALID, message).in_file(name));
    }
    problems
}

struct Reader<'t> {
    name: String,
    options: IndicatorOptions,
    take: &'t mut dyn FnMut(Row) -> Result<(), Refusal>,
    problems: Vec<Problem>,
    more: u64,
}

impl Reader<'_> {
    fn file(&mut self, file: File) -> io::Result<()> {
        if file.metadata()?.len() > FILE_BYTES_MAX {
            let message = format!("the file has more than {FILE_BYTES_MAX} bytes");
            self.problem(codes::INDICATOR_INVALID, 0, message, "split the file");
            return Ok(());
        }
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            number += 1;
            if !next_line(&mut file, &mut line)? {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_start_matches('\u{feff}').trim();
            if let Some(separator) = table_separator(text) {
                // The header line is the table's first line.
                let header = line.clone();
                return self.table(&header, separator, number, file);
            }
            if !is_remark(text) {
                self.entry(text, number);
                break;
            }
        }
        loop {
            number += 1;
            if !next_line(&mut file, &mut line)? {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            if !is_remark(text.trim()) {
                self.entry(text.trim(), number);
            }
        }
    }

    /// A line of a list.
    fn entry(&mut self, text: &str, line: u32) {
        let value = text.split(" #").next().unwrap_or(text).trim();
        self.row(&Said { value, ..Said::default() }, line);
    }

    fn table(
        &mut self,
        header: &[u8],
        separator: u8,
        first: u32,
        rest: impl Read,
    ) -> io::Result<()> {
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .from_reader(header.chain(&b"\n"[..]).chain(rest));
        let columns = columns_of(csv.byte_headers().map_err(io::Error::other)?);
        let mut record = csv::ByteRecord::new();
        loop {
            match csv.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(io::Error::other(error)),
            }
            // Lines of the reader count from the header on.
            let line = record.position().map_or(0, csv::Position::line);
            let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(first - 1);
            let cell = |at: Option<usize>| {
                let cell = at.and_then(|at| record.get(at)).unwrap_or_default();
                String::from_utf8_lossy(cell)
            };
            let cells = columns.map(cell);
            let [value, kind, name, level, tags, until, reference] =
                cells.each_ref().map(|cell| cell.trim());
            let said = Said { value, kind, name, level, tags, until, reference };
            if !said.value.is_empty() && !said.value.starts_with('#') {
                self.row(&said, line);
            }
        }
    }

    fn row(&mut self, said: &Said<'_>, line: u32) {
        let taken = match said.understood(&self.name, self.options.level) {
            Ok(row) => (self.take)(row).map_err(|refusal| (codes::INDICATOR_TOO_WIDE, refusal)),
            Err(refusal) => Err((codes::INDICATOR_INVALID, refusal)),
        };
        if let Err((code, Refusal { message, mend })) = taken {
            self.problem(code, line, message, &mend);
        }
    }

    fn problem(&mut self, code: &'static Code, line: u32, message: String, mend: &str) {
        if self.problems.len() >= PROBLEMS_MAX {
            self.more += 1;
            return;
        }
        let problem = Problem::new(code, message).in_file(self.name.clone());
        self.problems.push(problem.at(line, 1, 0).mend(mend));
    }

    fn broken(&mut self, error: &io::Error) {
        let problem = if error.kind() == io::ErrorKind::NotFound {
            let message = format!("{} does not exist", self.name);
            Problem::new(codes::INPUT_NOT_FOUND, message).mend("check the spelling")
        } else {
            let message = format!("{} cannot be read: {error}", self.name);
            Problem::new(codes::INPUT_BROKEN, message)
        };
        self.problems.push(problem.in_file(self.name.clone()));
    }
}

/// Where the columns stand; of two that mean the same, the one whose name comes first above.
fn columns_of(header: &csv::ByteRecord) -> [Option<usize>; COLUMNS.len()] {
    let names: Vec<String> = header.iter().map(column_name).collect();
    let place = |known: &&str| names.iter().position(|name| name == known);
    COLUMNS.map(|known| known.iter().find_map(place))
}

fn column_name(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    let text = text.trim_start_matches('\u{feff}').trim().trim_matches(['"', '#']).trim();
    text.to_lowercase().replace([' ', '-'], "_")
}

/// What parts the columns of a header line; `None` where it is none.
fn table_separator(line: &str) -> Option<u8> {
    [b'\t', b',', b';'].into_iter().find(|separator| {
        let mut cells = line.split(char::from(*separator)).map(|cell| column_name(cell.as_bytes()));
        cells.any(|cell| COLUMNS[0].contains(&cell.as_str()))
    })
}

fn is_remark(line: &str) -> bool {
    line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//")
}

/// The next line without its end; what is beyond [`LINE_BYTES_MAX`] is left out.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut ended = false;
    let mut some = false;
    while !ended {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        some = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        ended = end.is_some();
        file.consume(used);
    }
    Ok(some)
}
