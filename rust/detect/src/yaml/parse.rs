//! From the parser's events to trees, under budgets.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bigsec_event::{Problem, codes};
use saphyr_parser::{Event, Marker, Parser};

use super::merge::inherit;
use super::tree::{Data, Entry, Node, Span};
use super::{Report, scalar};

/// Size of one file. The largest rule of the field's collections has about 20 KiB.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Depth of nesting, aliases followed.
const MAX_DEPTH: usize = 64;
/// Nodes of one file, aliases followed.
const MAX_NODES: usize = 100_000;
/// Text of one file, aliases followed: a file without aliases cannot have more than its size.
const MAX_TEXT: usize = 4 * MAX_BYTES;

/// Reads the documents of a file. What is wrong goes to the report.
///
/// After a fault of syntax the documents before it are kept; a document with a duplicate key is
/// left out and reading goes on.
pub(crate) fn parse(report: &mut Report<'_>) -> Vec<Node> {
    let text = report.text();
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        report.fault(Span::default(), codes::RULE_BUDGET, message, "split the file");
        return Vec::new();
    }
    let mut builder = Builder::new(report);
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        let result = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let message = format!("invalid YAML: {}", error.info());
                let span = Span { length: 1, ..place(*error.marker()) };
                let problem = Problem::new(codes::RULE_YAML, message).mend(mend(error.info()));
                Err(Fault::new((span, problem)))
            }
        };
        if let Err(fault) = result {
            builder.report.add(fault.0, fault.1);
            break;
        }
    }
    builder.documents
}

fn place(mark: Marker) -> Span {
    Span { line: mark.line() as u32, column: mark.col() as u32 + 1, length: 0 }
}

fn span_of(span: saphyr_parser::Span) -> Span {
    let same_line = span.start.line() == span.end.line();
    let length = if same_line { span.end.index().saturating_sub(span.start.index()) } else { 0 };
    Span { length: length as u32, ..place(span.start) }
}

/// A list or mapping that has begun and not yet ended.
struct Open {
    span: Span,
    anchor: usize,
    /// The depth below this node, for the anchor.
    height: usize,
    /// The budget when it began, to know its own size.
    nodes_before: usize,
    text_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashSet<Arc<str>>, key: Option<(Arc<str>, Span)> },
}

/// A node that aliases may repeat, with what each repetition costs.
struct Anchor {
    node: Node,
    nodes: usize,
    text: usize,
    height: usize,
}

/// What is usually wrong where the reader of YAML stops.
fn mend(info: &str) -> &'static str {
    if info.contains("flow sequence") || info.contains("flow mapping") {
        "close the bracket, and put a comma between its parts; what holds one stands in quotes"
    } else if info.contains("quoted scalar") || info.contains("escape") {
        "close the quote; in single quotes a backslash is itself, and '' is one quote"
    } else if info.contains("tab") {
        "indent with blanks"
    } else {
        "look at this line and the one before: quotes, brackets, colons and equal indentation"
    }
}

struct Builder<'r, 'a> {
    report: &'r mut Report<'a>,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    text: usize,
    sound: bool,
}

/// What ends the reading of a file, and where.
type Fault = Box<(Span, Problem)>;

impl<'r, 'a> Builder<'r, 'a> {
    fn new(report: &'r mut Report<'a>) -> Self {
        Self {
            report,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            text: 0,
            sound: true,
        }
    }

    fn take(&mut self, event: Event<'_>, at: saphyr_parser::Span) -> Result<(), Fault> {
        let span = span_of(at);
        match event {
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.sound = true;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(span, 1, text.len())?;
                let data = scalar::resolve(&text, style, tag.as_deref());
                let node = Node { span, data };
                self.remember(anchor, &node, 1, text.len(), 0);
                self.place_scalar(node, &text)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(span, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, _) => {
                let (entries, keys) = (Vec::new(), HashSet::new());
                self.begin(span, anchor, Content::Map { entries, keys, key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.repeat(anchor, span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn spend(&mut self, span: Span, nodes: usize, text: usize) -> Result<(), Fault> {
        self.nodes += nodes;
        self.text += text;
        let what = if self.nodes > MAX_NODES {
            format!("more than {MAX_NODES} values, aliases followed")
        } else if self.text > MAX_TEXT {
            format!("more than {MAX_TEXT} bytes of text, aliases followed")
        } else {
            return Ok(());
        };
        let mend = "split the file, or write the values out instead of repeating aliases";
        Err(Fault::new((span, Problem::new(codes::RULE_BUDGET, what).mend(mend))))
    }

    fn check_depth(&self, span: Span, height: usize) -> Result<(), Fault> {
        if self.open.len() + height <= MAX_DEPTH {
            return Ok(());
        }
        let problem = Problem::new(codes::RULE_BUDGET, format!("nested deeper than {MAX_DEPTH}"));
        Err(Fault::new((span, problem.mend("write the values less deeply nested"))))
    }

    fn begin(&mut self, span: Span, anchor: usize, content: Content) -> Result<(), Fault> {
        self.check_depth(span, 1)?;
        let (nodes_before, text_before) = (self.nodes, self.text);
        self.spend(span, 1, 0)?;
        self.open.push(Open { span, anchor, height: 1, nodes_before, text_before, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let data = match open.content {
            Content::List(items) => Data::List(items),
            Content::Map { entries, .. } => Data::Map(self.merged(entries)),
        };
        let node = Node { span: open.span, data };
        let nodes = self.nodes - open.nodes_before;
        self.remember(open.anchor, &node, nodes, self.text - open.text_before, open.height);
        self.place_node(node, open.height)
    }

    /// Resolves `<<`: the members of the mapping named by it, where the mapping lacks them.
    fn merged(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let Some(index) = entries.iter().position(|entry| &*entry.key == "<<") else {
            return entries;
        };
        let merge = entries.remove(index);
        if !inherit(&mut entries, &merge.value) {
            self.sound = false;
            let message = format!("`<<` needs a mapping, not {}", merge.value.kind());
            self.report.fault(merge.key_span, codes::RULE_YAML, message, "write `<<: *name`");
        }
        entries
    }

    fn remember(&mut self, anchor: usize, node: &Node, nodes: usize, text: usize, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node: node.clone(), nodes, text, height });
        }
    }

    fn repeat(&mut self, anchor: usize, span: Span) -> Result<(), Fault> {
        let Some(known) = self.anchors.get(&anchor) else {
            let problem = Problem::new(codes::RULE_YAML, "an alias stands within its own anchor");
            return Err(Fault::new((span, problem.mend("write the value out"))));
        };
        let (nodes, text, height) = (known.nodes, known.text, known.height);
        self.check_depth(span, height)?;
        self.spend(span, nodes, text)?;
        let node = Node { span, ..self.anchors[&anchor].node.clone() };
        match node.scalar_text().map(str::to_owned) {
            Some(text) => self.place_scalar(node, &text),
            None => self.place_node(node, height),
        }
    }

    /// A scalar is a key where its mapping waits for one.
    fn place_scalar(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        let Some(Open { content: Content::Map { keys, key: key @ None, .. }, .. }) =
            self.open.last_mut()
        else {
            return self.place_node(node, 0);
        };
        let name: Arc<str> = text.into();
        if !keys.insert(Arc::clone(&name)) {
            self.sound = false;
            let message = format!("the key {text:?} stands twice in one mapping");
            let mend = "merge the two, or give the second another name";
            self.report.fault(node.span, codes::RULE_YAML, message, mend);
        }
        *key = Some((name, node.span));
        Ok(())
    }

    fn place_node(&mut self, node: Node, height: usize) -> Result<(), Fault> {
        let Some(parent) = self.open.last_mut() else {
            if self.sound {
                self.documents.push(node);
            }
            return Ok(());
        };
        parent.height = parent.height.max(height + 1);
        match &mut parent.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, .. } => {
                let Some((key, key_span)) = key.take() else {
                    let message = format!("{} cannot be a key", node.kind());
                    let problem = Problem::new(codes::RULE_YAML, message);
                    let mend = "write a text before the `:`";
                    return Err(Fault::new((node.span, problem.mend(mend))));
                };
                entries.push(Entry { key, key_span, value: node });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Vec<Node>, Vec<Problem>) {
        let mut report = Report::new("r.yml", text);
        let documents = parse(&mut report);
        (documents, report.into_problems())
    }

    fn bomb(levels: usize, width: usize) -> String {
        let mut text = String::from("a0: &a0 [x]\n");
        for level in 1..levels {
            let aliases = vec![format!("*a{}", level - 1); width].join(",");
            text.extend([format!("a{level}: &a{level} ["), aliases, "]\n".to_owned()]);
        }
        text
    }

    #[test]
    fn every_node_knows_its_place() {
        let (documents, problems) = read("title: T\ndetection:\n    sel:\n      - 'a b'\n");
        assert_eq!(problems, []);
        let sel = &documents[0].get("detection").unwrap().entries()[0];
        assert_eq!(sel.key_span, Span { line: 3, column: 5, length: 3 });
        assert_eq!(sel.value.as_list()[0].span, Span { line: 4, column: 9, length: 5 });
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_at_once() {
        for text in [
            bomb(30, 9),
            bomb(9, 9),
            format!("a: &a '{}'\nb: [{}]", "x".repeat(500_000), vec!["*a"; 40_000].join(",")),
        ] {
            let (_, problems) = read(&text);
            assert_eq!(problems[0].code, codes::RULE_BUDGET, "{problems:?}");
        }
    }

    #[test]
    fn depth_is_bounded_with_and_without_aliases() {
        let deep = |levels| format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(read(&deep(MAX_DEPTH - 1)).1, []);
        assert_eq!(read(&deep(MAX_DEPTH)).1[0].code, codes::RULE_BUDGET);
        assert_eq!(read(&bomb(70, 1)).1[0].code, codes::RULE_BUDGET);
        assert!(!read(&"[".repeat(MAX_BYTES - 1)).1.is_empty());
    }

    #[test]
    fn duplicate_keys_are_faults_and_reading_goes_on() {
        let (documents, problems) = read("a: 1\nb: {c: 1, c: 2}\na: 2\n---\nd: 1\n");
        let places: Vec<_> = problems.iter().map(|p| (p.place.line, p.place.column)).collect();
        assert_eq!(places, [(2, 11), (3, 1)]);
        assert_eq!(documents.len(), 1);
    }

    #[test]
    fn merge_keys_fill_in_what_is_missing() {
        let (documents, problems) = read("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n");
        assert_eq!(problems, []);
        let b = documents[0].get("b").unwrap();
        assert_eq!(b.get("x").unwrap().scalar_text(), Some("3"));
        assert_eq!(b.get("y").unwrap().scalar_text(), Some("2"));
        assert_eq!(b.entries().len(), 2);
    }

    #[test]
    fn faults_of_syntax_have_a_place() {
        for text in
            ["a: [1", "a: 'x", "a: *nothing", "a:\n\tb: 1", "a: &a [*a]", "? [1]\n: 2", "a: b: c"]
        {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text:?}");
            assert!(problems[0].place.line > 0, "{text:?} {problems:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-a:,\\[\\]{}&*'\"|>?#! \n\t<.%@\u{e9}]{0,60}") {
            read(&text);
        }
    }
}
