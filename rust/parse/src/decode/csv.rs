//! Rows of values between commas without a header line: `1,2026/01/09 11:04:05,0267,TRAFFIC,…`.
//!
//! The values are `column1`, `column2` and so on; what they mean, a pack says. Quotes are those of
//! RFC 4180; blanks around a value do not count, and one that is empty adds no field. A text is such
//! a row where it has columns enough, of which few have blanks inside and few are pairs.

use bigsec_event::{Fields, codes};

use super::{DecodeError, Decoded, Decoder};

/// Columns of the shortest row.
const FEWEST: usize = 8;
/// Columns that become fields; the rest of a longer row is one more.
const MOST: usize = 256;

/// Reads one row a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct Csv {
    name: String,
    value: String,
}

impl Decoder for Csv {
    fn claims(&self, text: &str) -> bool {
        // What begins as another syntax is that, though broken.
        if text.trim_start().starts_with(['{', '[', '<']) {
            return false;
        }
        let (mut columns, mut prose, mut pairs) = (0, 0, 0);
        for value in Columns::of(text).take(MOST) {
            columns += 1;
            prose += usize::from(value.trim().contains(' '));
            pairs += usize::from(value.contains('='));
        }
        columns >= FEWEST && prose.max(pairs) * 2 <= columns
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let mut columns = Columns::of(text);
        for number in 1..=MOST {
            let Some(value) = columns.next() else { break };
            self.push(number, value, out);
        }
        if let Some(rest) = columns.rest() {
            self.push(MOST + 1, rest, out);
        }
        if out.is_empty() {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 });
        }
        Ok(Decoded::Event)
    }
}

impl Csv {
    fn push(&mut self, number: usize, value: &str, out: &mut Fields) {
        use std::fmt::Write as _;
        let value = value.trim();
        self.name.clear();
        // Writing to a string does not fail.
        let _ = write!(self.name, "column{number}");
        let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inside {
            None if value.is_empty() => {}
            None => out.push_str(&self.name, value),
            Some("") => {}
            Some(inside) if inside.contains("\"\"") => {
                self.value.clear();
                self.value.push_str(&inside.replace("\"\"", "\""));
                out.push_str(&self.name, &self.value);
            }
            Some(inside) => out.push_str(&self.name, inside),
        }
    }
}

/// The values between commas, quotes and blanks included.
struct Columns<'t> {
    text: Option<&'t str>,
}

impl<'t> Columns<'t> {
    fn of(text: &'t str) -> Self {
        Self { text: Some(text) }
    }

    /// All that was not read yet.
    fn rest(self) -> Option<&'t str> {
        self.text
    }
}

impl<'t> Iterator for Columns<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.text?;
        let begin = text.len() - text.trim_start_matches(' ').len();
        let mut end = begin;
        if text[begin..].starts_with('"') {
            end = closing_quote(&text[begin + 1..]).map_or(begin, |at| begin + 1 + at);
        }
        let comma = text[end..].find(',').map(|at| end + at);
        self.text = comma.map(|at| &text[at + 1..]);
        Some(&text[..comma.unwrap_or(text.len())])
    }
}

/// Where the quote ends that was open before; two in a row are one of the value.
fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('"')?;
        if !text[at + 1..].starts_with('"') {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_end_at_commas_outside_of_quotes() {
        for (text, columns) in [
            ("a,b,,c", &["a", "b", "", "c"][..]),
            ("\"a,b\",\"c\"\"d,\", e ,", &["\"a,b\"", "\"c\"\"d,\"", " e ", ""]),
            (" \"a,b\" ,c", &[" \"a,b\" ", "c"]),
            ("\"open,b", &["\"open", "b"]),
            ("", &[""]),
        ] {
            assert_eq!(Columns::of(text).collect::<Vec<_>>(), columns, "{text}");
        }
    }

    #[test]
    fn prose_with_commas_is_no_row() {
        let csv = Csv::default();
        assert!(csv.claims("1,2,3,,,6,7,a word or two"));
        assert!(!csv.claims("1,2,3"));
        assert!(!csv.claims("a=1, b=2, c=3, d=4, e=5, f, g, h"));
        assert!(!csv.claims("{\"a\":[0,1,2,3,4,5,6,7,8,9"));
        let clause = "this one has a good many words in it, ";
        assert!(!csv.claims(&clause.repeat(12)));
    }
}
