//! XML documents, one a record, as Windows renders its events and some products their alerts.
//!
//! An element's text stands under the names on the way to it, joined by dots; attributes below
//! `#attributes`, and the text of an element that has attributes or elements as `#text`:
//!
//! ```text
//! <a><b x="1">2</b><c/></a>  →  a.b.#attributes.x = 1, a.b.#text = 2, a.c = null
//! ```
//!
//! This is how others turn Windows events into JSON, so that a pack reads both. `<Data Name="x">`
//! is the field `x`, as there. Prefixes of names and declarations of namespaces are left out. A
//! document type is refused: nothing is ever fetched or expanded but the five entities of XML and
//! characters by number.

use bigsec_event::{Fields, Kind, codes};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{DecodeError, Decoded, Decoder, MAX_DEPTH, MAX_FIELDS};

/// Bytes that the names on the way to an element may have: each field below repeats them.
const MAX_PATH: usize = 4_096;

/// Reads one document a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct Xml {
    path: String,
    open: Vec<Open>,
}

/// An element that has begun.
#[derive(Debug)]
struct Open {
    /// Where the path of its parent ends.
    parent: usize,
    text: String,
    /// It has attributes or elements of its own.
    has_more: bool,
}

impl Decoder for Xml {
    fn claims(&self, text: &str) -> bool {
        let text = text.trim_ascii();
        let begins = match text.as_bytes() {
            [b'<', b'?', b'x', b'm', b'l', ..] => true,
            [b'<', first, ..] => first.is_ascii_alphabetic() || *first == b'_',
            _ => false,
        };
        begins && text.ends_with('>')
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        self.decode_below("", text, out)
    }
}

impl Xml {
    /// Whether a value may be a document.
    pub fn is_document(text: &str) -> bool {
        text.starts_with('<') && Self::default().claims(text)
    }

    /// Adds the fields of a document with a name and a dot before each of theirs.
    pub fn decode_below(
        &mut self,
        name: &str,
        text: &str,
        out: &mut Fields,
    ) -> Result<Decoded, DecodeError> {
        self.path.clear();
        self.path.push_str(name);
        self.open.clear();
        let mut reader = Reader::from_str(text);
        let mut is_over = false;
        loop {
            let offset = reader.buffer_position() as usize;
            let fault = |code| DecodeError { code, offset };
            let malformed = fault(codes::PARSE_MALFORMED);
            if out.len() >= MAX_FIELDS {
                return Err(fault(codes::PARSE_TOO_MANY_FIELDS));
            }
            match reader.read_event().map_err(|_| malformed)? {
                Event::Start(_) | Event::Empty(_) if is_over => return Err(malformed),
                Event::Start(start) => self.begin(&start, out).map_err(fault)?,
                Event::Empty(start) => {
                    self.begin(&start, out).map_err(fault)?;
                    is_over = self.end(out);
                }
                Event::End(_) => is_over = self.end(out),
                Event::Text(part) => {
                    let part = part.unescape().map_err(|_| malformed)?;
                    match self.open.last_mut() {
                        Some(open) => open.text.push_str(&part),
                        None if part.trim_ascii().is_empty() => {}
                        None => return Err(malformed),
                    }
                }
                Event::CData(part) => {
                    let part = part.decode().map_err(|_| malformed)?;
                    self.open.last_mut().ok_or(malformed)?.text.push_str(&part);
                }
                Event::DocType(_) => return Err(malformed),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if is_over => return Ok(Decoded::Event),
                Event::Eof => return Err(fault(codes::PARSE_TRUNCATED)),
            }
        }
    }

    fn begin(
        &mut self,
        start: &BytesStart<'_>,
        out: &mut Fields,
    ) -> Result<(), &'static bigsec_event::Code> {
        if self.open.len() >= MAX_DEPTH {
            return Err(codes::PARSE_TOO_DEEP);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_more = true;
        }
        let parent = self.path.len();
        let name = start.local_name();
        let name = std::str::from_utf8(name.as_ref()).map_err(|_| codes::PARSE_MALFORMED)?;
        push_name(&mut self.path, name);
        let mut has_more = false;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| codes::PARSE_MALFORMED)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let key = attribute.key.local_name();
            let key = std::str::from_utf8(key.as_ref()).map_err(|_| codes::PARSE_MALFORMED)?;
            let value = attribute.unescape_value().map_err(|_| codes::PARSE_MALFORMED)?;
            if name == "Data" && key == "Name" && !value.is_empty() {
                self.path.truncate(parent);
                push_name(&mut self.path, &value);
                continue;
            }
            if out.len() >= MAX_FIELDS {
                return Err(codes::PARSE_TOO_MANY_FIELDS);
            }
            has_more = true;
            let end = self.path.len();
            if end + key.len() > MAX_PATH {
                return Err(codes::PARSE_TOO_DEEP);
            }
            self.path.push_str(".#attributes.");
            self.path.push_str(key);
            out.push_str(&self.path, &value);
            self.path.truncate(end);
        }
        if self.path.len() > MAX_PATH {
            return Err(codes::PARSE_TOO_DEEP);
        }
        self.open.push(Open { parent, text: String::new(), has_more });
        Ok(())
    }

    /// Ends an element; true where it was the outermost. What does not fit was refused before.
    fn end(&mut self, out: &mut Fields) -> bool {
        let Some(Open { parent, text, has_more }) = self.open.pop() else { return true };
        let text = text.trim_ascii();
        match (text.is_empty(), has_more) {
            (false, true) => {
                self.path.push_str(".#text");
                out.push_str(&self.path, text);
            }
            (false, false) => out.push_str(&self.path, text),
            (true, false) => out.push(&self.path, "", Kind::Null),
            (true, true) => {}
        }
        self.path.truncate(parent);
        self.open.is_empty()
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

#[cfg(test)]
mod tests {
    use bigsec_event::Record;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, DecodeError> {
        let mut record = Record::new();
        record.reset(text);
        let (text, fields) = record.split();
        Xml::default().decode(text, fields)?;
        let owned = |(name, value): (&str, bigsec_event::Value<'_>)| {
            (name.to_owned(), value.text.to_owned())
        };
        Ok(record.iter().map(owned).collect())
    }

    #[test]
    fn elements_attributes_and_texts_have_their_names() {
        let text = "<?xml version='1.0'?><a xmlns='u' xmlns:n='v'><n:b x=\"1 &lt; 2\">t &amp; &#x738b;\
                    </n:b><c/><d>e<![CDATA[<f>]]></d><!-- no --><Data Name='g'>h</Data></a> ";
        let expected = [
            ("a.b.#attributes.x", "1 < 2"),
            ("a.b.#text", "t & 王"),
            ("a.c", ""),
            ("a.d", "e<f>"),
            ("a.g", "h"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        for (text, code) in [
            ("<a>", codes::PARSE_TRUNCATED),
            ("<a><b></a>", codes::PARSE_MALFORMED),
            ("<a/><b/>", codes::PARSE_MALFORMED),
            ("<a/>text", codes::PARSE_MALFORMED),
            ("<a>&lol;</a>", codes::PARSE_MALFORMED),
            ("<!DOCTYPE a [<!ENTITY lol 'ha'>]><a>x</a>", codes::PARSE_MALFORMED),
            ("<a x=1/>", codes::PARSE_MALFORMED),
        ] {
            assert_eq!(read(text).unwrap_err().code.number, code.number, "{text}");
        }
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(read(&deep).unwrap_err().code.number, codes::PARSE_TOO_DEEP.number);
        let long = format!("<a><{}/></a>", "b".repeat(MAX_PATH));
        assert_eq!(read(&long).unwrap_err().code.number, codes::PARSE_TOO_DEEP.number);
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_FIELDS + 1));
        assert_eq!(read(&wide).unwrap_err().code.number, codes::PARSE_TOO_MANY_FIELDS.number);
    }
}
