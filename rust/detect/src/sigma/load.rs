//! Loading rule files: every problem of every file in one run, and what is sound goes on.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use bigsec_event::{Problem, codes};

use super::correlation::{self, Correlation, Referable};
use super::document::File;
use super::draft::Placeholders;
use super::filter::Filter;
use super::names::Names;
use super::placeholders;
use super::rule::{Level, Metadata, Rule, Status};
use super::rule_set::RuleSet;
use crate::files;
use crate::log_source::LogSources;
use crate::yaml::Report;

/// What to load, and how.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Rules with these statuses; without it all but deprecated and unsupported ones.
    pub statuses: Option<Vec<Status>>,
    /// Rules of at least this level.
    pub min_level: Option<Level>,
    /// Values for `%placeholders%` in values with the modifier `expand`.
    pub placeholders: Placeholders,
    /// The routing table. The empty one has every rule tried on every event.
    pub log_sources: LogSources,
}

impl LoadOptions {
    fn wants(&self, rule: &Metadata) -> bool {
        let status = match (&self.statuses, rule.status) {
            (Some(statuses), Some(status)) => statuses.contains(&status),
            // Who asks for every status asks for rules that name none, too.
            (Some(statuses), None) => Status::ALL.iter().all(|one| statuses.contains(one)),
            (None, status) => !matches!(status, Some(Status::Deprecated | Status::Unsupported)),
        };
        status && self.min_level.is_none_or(|level| rule.level >= level)
    }
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The sound rules.
    pub rules: Arc<RuleSet>,
    /// Everything that is wrong, in order of file and line. Rules with a problem are left out,
    /// but for [`codes::RULE_UNROUTED`], which is a note.
    pub problems: Vec<Problem>,
    /// Files read.
    pub files: usize,
    /// Rules in them.
    pub seen: usize,
    /// Rules left out because of a problem, a file that cannot be read counting as one.
    pub refused: usize,
    /// Rules left out by status or level.
    pub passed_over: usize,
}

impl RuleSet {
    /// Loads rule files and folders of them (`*.yml`, `*.yaml`, hidden names passed over), with the
    /// values of placeholders that lie there (`placeholders/Name.txt`).
    pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Loaded {
        let (found, mut problems) = files::find(paths);
        let values = placeholders::load(paths, &options.placeholders, &mut problems);
        let mut loader = Loader { problems, placeholders: values, ..Loader::new(options) };
        for path in &found {
            let name = path.display().to_string();
            match files::read_text(path) {
                Ok(text) => loader.file(&name, &text),
                Err(problem) => {
                    loader.refused += 1;
                    loader.problems.push(problem.in_file(name));
                }
            }
        }
        loader.finish()
    }

    /// Loads rules from texts: the name that problems call each by, and the text.
    pub fn from_texts(texts: &[(&str, &str)], options: &LoadOptions) -> Loaded {
        let mut loader = Loader::new(options);
        for (name, text) in texts {
            loader.file(name, text);
        }
        loader.finish()
    }
}

struct Loader<'o> {
    options: &'o LoadOptions,
    placeholders: Placeholders,
    names: Names,
    rules: Vec<Rule>,
    aside: Vec<Rule>,
    correlations: Vec<correlation::Draft>,
    filters: Vec<Filter>,
    problems: Vec<Problem>,
    files: usize,
    seen: usize,
    refused: usize,
    passed_over: usize,
}

impl<'o> Loader<'o> {
    fn new(options: &'o LoadOptions) -> Self {
        Self {
            options,
            placeholders: options.placeholders.clone(),
            names: options.log_sources.table().names.clone(),
            rules: Vec::new(),
            aside: Vec::new(),
            correlations: Vec::new(),
            filters: Vec::new(),
            problems: Vec::new(),
            files: 0,
            seen: 0,
            refused: 0,
            passed_over: 0,
        }
    }

    fn file(&mut self, name: &str, text: &str) {
        let mut report = Report::new(name, text);
        let mut file = File {
            names: &mut self.names,
            placeholders: &self.placeholders,
            wanted: &|rule| self.options.wants(rule),
            rules: Vec::new(),
            aside: Vec::new(),
            correlations: Vec::new(),
            filters: Vec::new(),
            seen: 0,
            refused: 0,
            passed_over: 0,
        };
        file.read(&mut report);
        self.files += 1;
        self.seen += file.seen;
        self.refused += file.refused;
        self.passed_over += file.passed_over;
        self.rules.append(&mut file.rules);
        self.aside.append(&mut file.aside);
        self.correlations.append(&mut file.correlations);
        self.filters.append(&mut file.filters);
        self.problems.append(&mut report.into_problems());
    }

    fn finish(mut self) -> Loaded {
        self.take_named();
        self.drop_duplicates();
        let correlations = self.correlate();
        for filter in &self.filters {
            filter.apply(&mut self.rules, &mut self.problems);
        }
        self.note_unrouted();
        if self.rules.is_empty() {
            let message = format!("no rule could be loaded from {} files", self.files);
            let mend = match self.passed_over {
                0 => "check the path and the problems listed".to_owned(),
                left_out => format!(
                    "{left_out} rules were left out for their status or level; ask for those too"
                ),
            };
            self.problems.push(Problem::new(codes::RULE_NONE, message).mend(mend));
        }
        self.problems.sort_by(|a, b| a.place.cmp(&b.place));
        let table = Arc::clone(self.options.log_sources.table());
        Loaded {
            rules: Arc::new(RuleSet::new(
                self.rules,
                correlations,
                self.names,
                table,
                &self.placeholders,
            )),
            problems: self.problems,
            files: self.files,
            seen: self.seen,
            refused: self.refused,
            passed_over: self.passed_over,
        }
    }

    /// Takes rules that are not wanted themselves, but that a correlation names.
    fn take_named(&mut self) {
        let parts = self.correlations.iter().flat_map(|draft| &draft.rules);
        let named: HashSet<&str> = parts.map(|(name, _)| name.as_str()).collect();
        let is_named = |rule: &Rule| {
            [&rule.metadata.name, &rule.metadata.id].iter().any(|key| named.contains(key.as_str()))
        };
        let taken = std::mem::take(&mut self.aside).into_iter().filter(is_named);
        self.rules.extend(taken);
    }

    /// Makes the correlations, and quiets the rules that are only parts of them.
    fn correlate(&mut self) -> Vec<Correlation> {
        let drafts = std::mem::take(&mut self.correlations);
        let count = drafts.len();
        let names: Vec<_> = self
            .rules
            .iter()
            .map(|rule| Referable { id: &rule.metadata.id, name: &rule.metadata.name })
            .collect();
        let fields = &mut self.names.fields;
        let made = correlation::resolve(drafts, &names, fields, &mut self.problems);
        self.refused += count - made.len();
        for at in correlation::quiet_rules(&made) {
            if let Some(rule) = self.rules.get_mut(at as usize) {
                rule.gives_signals = false;
            }
        }
        made
    }

    fn drop_duplicates(&mut self) {
        let mut first = HashMap::new();
        let mut kept = Vec::with_capacity(self.rules.len());
        for rule in std::mem::take(&mut self.rules) {
            if self.is_first(&mut first, &rule.metadata, &rule.path, rule.line) {
                kept.push(rule);
            }
        }
        self.rules = kept;
        let mut kept = Vec::new();
        for draft in std::mem::take(&mut self.correlations) {
            if self.is_first(&mut first, &draft.metadata, &draft.path, draft.line) {
                kept.push(draft);
            }
        }
        self.correlations = kept;
    }

    /// Whether no rule before has the id; `first` knows where each was seen first.
    fn is_first(
        &mut self,
        first: &mut HashMap<String, String>,
        metadata: &Metadata,
        path: &str,
        line: u32,
    ) -> bool {
        if let Some(other) = first.get(&metadata.id) {
            let message = format!("the id {} is that of {other}, too", metadata.id);
            let problem = Problem::new(codes::RULE_DUPLICATE_ID, message)
                .mend("give this rule an id of its own, or remove one of the two")
                .at(line, 1, 0);
            self.problems.push(problem.in_file(path));
            self.refused += 1;
            return false;
        }
        let place = format!("{:?} in {path}:{line}", metadata.title);
        first.insert(metadata.id.clone(), place);
        true
    }

    fn note_unrouted(&mut self) {
        let table = self.options.log_sources.table();
        if table.entries.is_empty() {
            return;
        }
        for rule in &self.rules {
            let source = &rule.metadata.log_source;
            if source.is_empty() || table.route(source).is_some() {
                continue;
            }
            let message = format!("the log source ({source}) of the rule is not in the table");
            let mend = "add it to the table; until then the rule is tried on all unclaimed events";
            let problem = Problem::new(codes::RULE_UNROUTED, message).mend(mend);
            self.problems.push(problem.at(rule.log_source_line, 1, 0).in_file(&rule.path));
        }
    }
}
