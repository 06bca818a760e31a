//! Runs of `key=value`, which CEF, LEEF, the Linux audit log and plain key=value logs share.
//!
//! A value goes on until the next key begins: a separator, then a key, then `=`. So a value may
//! hold separators and `=` of its own, as addresses of web pages do, and one pass is enough: a key
//! is looked for within [`MAX_KEY`] bytes only.

/// Bytes that a key may have.
const MAX_KEY: usize = 64;

/// What stands between two pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator<'s> {
    /// White space; a key has none within.
    Blank,
    /// This text, perhaps with white space around; a key may hold blanks.
    Text(&'s str),
}

/// One pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair<'t> {
    pub key: &'t str,
    /// Without its quotes, and without white space at its ends where it had none.
    pub value: &'t str,
    /// The quote it stood in.
    pub quote: Option<u8>,
    /// What stands between a closed quote and the next key.
    pub behind: &'t str,
    /// White space stood behind the `=`.
    pub spaced: bool,
}

/// The pairs of a text in their order.
#[derive(Debug, Clone)]
pub(super) struct Pairs<'t, 's> {
    text: &'t str,
    at: usize,
    /// Where the `=` stands of the key at `at`, if that was found already.
    equals: Option<usize>,
    separator: Separator<'s>,
    quotes: bool,
    /// No single quote from here on closes one: they are apostrophes.
    apostrophes: bool,
}

impl<'t, 's> Pairs<'t, 's> {
    /// Pairs whose values are never quoted.
    pub fn unquoted(text: &'t str, separator: Separator<'s>) -> Self {
        Self::new(text, separator, false)
    }

    /// Pairs whose values may stand in single or double quotes.
    pub fn quoted(text: &'t str, separator: Separator<'s>) -> Self {
        Self::new(text, separator, true)
    }

    fn new(text: &'t str, separator: Separator<'s>, quotes: bool) -> Self {
        let mut pairs = Self { text, at: 0, equals: None, separator, quotes, apostrophes: false };
        pairs.at = pairs.behind_separators(0);
        pairs
    }

    /// Byte of the text at which the next pair begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text before the first pair, which then is the next one.
    pub fn take_prose(&mut self) -> &'t str {
        if self.key_end(self.at).is_some() {
            return "";
        }
        let from = self.at;
        let end = self.go_on(from);
        self.text[from..end].trim()
    }

    /// Passes over blanks and separators.
    fn behind_separators(&self, from: usize) -> usize {
        let mut rest = self.text[from..].trim_start_matches(BLANKS);
        if let Separator::Text(separator) = self.separator {
            while let Some(behind) = rest.strip_prefix(separator) {
                rest = behind.trim_start_matches(BLANKS);
            }
        }
        self.text.len() - rest.len()
    }

    /// Where the `=` stands of a key that begins here.
    fn key_end(&self, from: usize) -> Option<usize> {
        let spaced = matches!(self.separator, Separator::Text(_));
        let in_this_key = |byte: u8| in_key(byte) || (spaced && byte == b' ');
        let bytes = self.text.as_bytes().get(from..)?;
        let within = &bytes[..bytes.len().min(MAX_KEY + 1)];
        let length = within.iter().position(|byte| !in_this_key(*byte)).unwrap_or(within.len());
        let is_pair = length > 0 && length <= MAX_KEY && bytes[length..].first() == Some(&b'=');
        (is_pair && bytes.get(length + 1) != Some(&b'=')).then_some(from + length)
    }

    /// Goes to the key behind the value that goes on at `from`; gives where the value ends.
    fn go_on(&mut self, from: usize) -> usize {
        let found = match self.separator {
            Separator::Blank => self.key_behind_blank(from),
            Separator::Text(separator) => self.key_behind(separator, from),
        };
        let end = self.text.len();
        let (end, next, equals) =
            found.map_or((end, end, None), |(end, next, equals)| (end, next, Some(equals)));
        (self.at, self.equals) = (next, equals);
        end
    }

    /// Where the value ends, the next key begins and its `=` stands.
    fn key_behind_blank(&self, from: usize) -> Option<(usize, usize, usize)> {
        let bytes = self.text.as_bytes();
        memchr::memchr_iter(b'=', &bytes[from..]).find_map(|found| {
            let equals = from + found;
            let word = &bytes[from.max(equals.saturating_sub(MAX_KEY + 1))..equals];
            let length = word.iter().rev().position(|byte| !in_key(*byte))?;
            let key = equals - length;
            let is_key = length > 0 && is_blank(bytes[key - 1]);
            let is_pair = is_key && bytes.get(equals + 1) != Some(&b'=');
            is_pair.then_some((key, key, equals))
        })
    }

    /// The same where a text separates the pairs.
    fn key_behind(&self, separator: &str, from: usize) -> Option<(usize, usize, usize)> {
        memchr::memmem::find_iter(&self.text.as_bytes()[from..], separator).find_map(|found| {
            let key = self.skip_blanks(from + found + separator.len());
            self.key_end(key).map(|equals| (from + found, key, equals))
        })
    }

    fn skip_blanks(&self, from: usize) -> usize {
        let rest = &self.text.as_bytes()[from..];
        from + rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len())
    }

    /// The range within the quotes of a value that begins here, if it is one.
    fn within_quotes(&mut self, from: usize) -> Option<(u8, usize, usize)> {
        let bytes = self.text.as_bytes();
        let quote = *bytes.get(from).filter(|byte| matches!(byte, b'"' | b'\''))?;
        if quote == b'\'' && self.apostrophes {
            return None;
        }
        let mut at = from + 1;
        while let Some(found) = memchr::memchr2(quote, b'\\', bytes.get(at..).unwrap_or_default()) {
            at += found;
            if bytes[at] == b'\\' {
                at += 2;
            } else if self.ends_value(at + 1) {
                return Some((quote, from + 1, at));
            } else {
                at += 1;
            }
        }
        if quote == b'"' {
            // The writer was cut off within a text.
            return Some((quote, from + 1, bytes.len()));
        }
        self.apostrophes = true;
        None
    }

    /// True where nothing but a separator, a bracket or the end follows a closing quote.
    fn ends_value(&self, at: usize) -> bool {
        let rest = &self.text.as_bytes()[at..];
        let at_separator = match self.separator {
            Separator::Blank => false,
            Separator::Text(separator) => rest.starts_with(separator.as_bytes()),
        };
        rest.first().is_none_or(|byte| is_blank(*byte) || b",;)]".contains(byte)) || at_separator
    }
}

impl<'t> Iterator for Pairs<'t, '_> {
    type Item = Pair<'t>;

    fn next(&mut self) -> Option<Pair<'t>> {
        let equals = self.equals.take().or_else(|| self.key_end(self.at))?;
        let key = &self.text[self.at..equals];
        let begin = self.skip_blanks(equals + 1);
        let spaced = begin > equals + 1;
        if self.quotes
            && let Some((quote, from, to)) = self.within_quotes(begin)
        {
            let after = (to + 1).min(self.text.len());
            let end = self.go_on(after);
            let behind = self.text[after..end].trim_matches(LOOSE);
            return Some(Pair {
                key,
                value: &self.text[from..to],
                quote: Some(quote),
                behind,
                spaced,
            });
        }
        let end = self.go_on(equals + 1);
        let mut value = trimmed(&self.text[equals + 1..end]);
        if let (Separator::Text(separator), true) = (self.separator, self.at == self.text.len()) {
            value = value.trim_end_matches(separator).trim_end_matches(BLANKS);
        }
        Some(Pair { key, value, quote: None, behind: "", spaced })
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
/// What may lie about between a closed quote and the next key.
const LOOSE: [char; 7] = [' ', '\t', '\r', '\n', ',', ';', '|'];

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without the blanks at both ends.
fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(|byte| !is_blank(*byte)) else { return "" };
    let last = bytes.iter().rposition(|byte| !is_blank(*byte)).unwrap_or(first);
    // Blanks are ASCII, so these are boundaries of characters.
    text.get(first..=last).unwrap_or_default()
}

/// Letters of all scripts, digits, and what devices put into names: `a.b-c_d[0]`, `Zone(1025)`,
/// `@timestamp`, `tag#x`.
fn in_key(byte: u8) -> bool {
    IN_KEY[usize::from(byte)]
}

const IN_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || byte >= 0x80
            || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'#' | b'$' | b'(' | b')' | b'[' | b']');
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: Pairs<'_, '_>) -> Vec<(String, String)> {
        pairs.map(|pair| (pair.key.to_owned(), pair.value.to_owned())).collect()
    }

    fn expect(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_value_goes_on_until_the_next_key() {
        for (text, expected) in [
            ("a=1 b=x y z c=", &[("a", "1"), ("b", "x y z"), ("c", "")][..]),
            ("a=/x?b=1&c=2 d=dGVzdA== e=1", &[("a", "/x?b=1&c=2"), ("d", "dGVzdA=="), ("e", "1")]),
            ("源地址=192.0.2.1\t\t名=王 五", &[("源地址", "192.0.2.1"), ("名", "王 五")]),
            ("a=b=c", &[("a", "b=c")]),
            ("no pair", &[]),
            ("", &[]),
        ] {
            assert_eq!(read(Pairs::unquoted(text, Separator::Blank)), expect(expected), "{text}");
        }
    }

    #[test]
    fn keys_may_hold_blanks_where_the_separator_is_none() {
        let text = "Show Name=a b; Url=/x;y?z; Time=;";
        assert_eq!(
            read(Pairs::unquoted(text, Separator::Text(";"))),
            expect(&[("Show Name", "a b"), ("Url", "/x;y?z"), ("Time", "")])
        );
    }

    #[test]
    fn quotes_hold_keys_and_escaped_quotes() {
        let text = r#"a="x b=1 \"y\" c" d='it is' e="cut off f=1"#;
        assert_eq!(
            read(Pairs::quoted(text, Separator::Blank)),
            expect(&[("a", r#"x b=1 \"y\" c"#), ("d", "it is"), ("e", "cut off f=1")])
        );
    }
}
