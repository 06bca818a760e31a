//! Sigma rules: loading, looking at them, matching Arrow data.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{RecordBatch, RecordBatchReader};
use bigsec_collect::Detection;
use bigsec_detect::{
    About, Correlator, Entities, EventIdentity, Explanation, Fed, Hit, IndicatorSet, Lateness,
    Level, LoadOptions, LogSources, Metadata, Outcome, RuleCost, RuleSet, SignalBatchBuilder,
    Status, Survey,
};
use bigsec_event::{EventRow, EventView, FieldMaps, FieldSource, Problem, codes};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrow::{Batch, batches_of, not_events};
use crate::error::{problems_to_python, raise, raise_problems};
use crate::indicators::Indicators;
use crate::packs::Packs;

/// One loaded rule.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Rule {
    set: Arc<RuleSet>,
    /// Its place among the rules, and behind them the correlations.
    index: usize,
}

impl Rule {
    /// What it says about itself, and its file.
    fn head(&self) -> (&Metadata, &str) {
        let rules = self.set.rules();
        if let Some(rule) = rules.get(self.index) {
            return (rule.metadata(), rule.path());
        }
        let correlation = &self.set.correlations()[self.index - rules.len()];
        (correlation.metadata(), correlation.path())
    }

    fn metadata(&self) -> &Metadata {
        self.head().0
    }
}

#[pymethods]
impl Rule {
    #[getter]
    fn id(&self) -> &str {
        &self.metadata().id
    }

    #[getter]
    fn title(&self) -> &str {
        &self.metadata().title
    }

    #[getter]
    fn level(&self) -> &str {
        self.metadata().level.as_str()
    }

    #[getter]
    fn status(&self) -> &str {
        self.metadata().status.map_or("", Status::as_str)
    }

    #[getter]
    fn author(&self) -> &str {
        &self.metadata().author
    }

    #[getter]
    fn license(&self) -> &str {
        &self.metadata().license
    }

    #[getter]
    fn description(&self) -> &str {
        &self.metadata().description
    }

    #[getter]
    fn path(&self) -> &str {
        self.head().1
    }

    #[getter]
    fn tags(&self) -> Vec<String> {
        self.metadata().tags.clone()
    }

    #[getter]
    fn references(&self) -> Vec<String> {
        self.metadata().references.clone()
    }

    #[getter]
    fn falsepositives(&self) -> Vec<String> {
        self.metadata().falsepositives.clone()
    }

    #[getter]
    fn logsource(&self) -> BTreeMap<&'static str, String> {
        let source = &self.metadata().log_source;
        [("product", &source.product), ("category", &source.category), ("service", &source.service)]
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| (key, value.clone())))
            .collect()
    }

    #[getter]
    fn is_correlation(&self) -> bool {
        self.index >= self.set.rules().len()
    }

    fn __repr__(&self) -> String {
        format!("<Rule {} {:?} {}>", self.id(), self.title(), self.level())
    }
}

/// A loaded set of Sigma rules.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Rules {
    set: Arc<RuleSet>,
    entities: Arc<Entities>,
    indicators: Option<Arc<IndicatorSet>>,
    maps: FieldMaps,
    problems: Vec<Problem>,
    files: usize,
    skipped: usize,
}

#[pymethods]
impl Rules {
    #[staticmethod]
    #[pyo3(signature = (*paths, statuses=None, min_level=None, placeholders=None, tables=None, packs=None))]
    fn load(
        py: Python<'_>,
        mut paths: Vec<PathBuf>,
        statuses: Option<Vec<String>>,
        min_level: Option<String>,
        placeholders: Option<HashMap<String, Vec<String>>>,
        tables: Option<PathBuf>,
        packs: Option<PyRef<'_, Packs>>,
    ) -> PyResult<Self> {
        let maps = match packs {
            Some(packs) => packs.0.maps().clone(),
            None => default(py, "default_packs")?.cast::<Packs>()?.get().0.maps().clone(),
        };
        let tables = match tables {
            Some(tables) => tables,
            None => default(py, "default_tables")?.extract()?,
        };
        if paths.is_empty() {
            paths.push(default(py, "default_rules")?.extract()?);
        }
        let bad_tables =
            |problems: Vec<Problem>| raise_problems(py, &problems, "the tables cannot be loaded");
        let log_sources = LogSources::load(&tables.join("logsources.yaml")).map_err(bad_tables)?;
        let entities = Entities::load(&tables.join("entities.yaml")).map_err(bad_tables)?;
        let options = LoadOptions {
            statuses: statuses
                .map(|names| names.iter().map(|name| status(py, name)).collect())
                .transpose()?,
            min_level: min_level.map(|name| level(py, &name)).transpose()?,
            placeholders: placeholders.unwrap_or_default().into_iter().collect(),
            log_sources,
        };
        let loaded = py.detach(|| RuleSet::load(&paths, &options));
        if loaded.rules.rules().is_empty() && loaded.passed_over == 0 {
            let mut problems = loaded.problems;
            problems.insert(0, Problem::new(codes::RULE_NONE, "no rule could be loaded"));
            return Err(raise_problems(py, &problems, "nothing can be detected"));
        }
        Ok(Self {
            set: loaded.rules,
            entities: Arc::new(entities),
            indicators: None,
            maps,
            problems: loaded.problems,
            files: loaded.files,
            skipped: loaded.passed_over,
        })
    }

    fn with_indicators(&self, indicators: &Indicators) -> Self {
        Self {
            set: Arc::clone(&self.set),
            entities: Arc::clone(&self.entities),
            indicators: Some(Arc::clone(&indicators.set)),
            maps: self.maps.clone(),
            problems: self.problems.iter().chain(&indicators.problems).cloned().collect(),
            files: self.files,
            skipped: self.skipped,
        }
    }

    fn __len__(&self) -> usize {
        self.set.rules().len() + self.set.correlations().len()
    }

    #[getter]
    fn rules(&self) -> Vec<Rule> {
        (0..self.__len__()).map(|index| Rule { set: Arc::clone(&self.set), index }).collect()
    }

    #[getter]
    fn problems<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        problems_to_python(py, &self.problems)
    }

    #[getter]
    fn indicators(&self) -> usize {
        self.indicators.as_ref().map_or(0, |set| set.len())
    }

    #[getter]
    fn files(&self) -> usize {
        self.files
    }

    #[getter]
    fn skipped(&self) -> usize {
        self.skipped
    }

    #[getter]
    fn version(&self) -> String {
        self.detection().version()
    }

    fn r#match(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let reader = batches_of(data)?;
        py.detach(|| self.signals(reader)).map(Batch).map_err(|message| not_events(py, &message))
    }

    #[pyo3(signature = (rule_id, data, *, event_id=None, limit=1))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        rule_id: &str,
        data: &Bound<'_, PyAny>,
        event_id: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rule = self.set.rules().iter().position(|rule| rule.id == rule_id);
        let rule = rule.ok_or_else(|| {
            raise(
                py,
                codes::NOT_FOUND,
                &format!("no rule of one event has the id {rule_id:?}"),
                &[],
            )
        })?;
        let reader = batches_of(data)?;
        let explained = py
            .detach(|| self.explained(rule as u32, reader, event_id, limit))
            .map_err(|message| not_events(py, &message))?;
        explained
            .iter()
            .map(|(event, explanation)| {
                let told = explanation_to_python(py, explanation)?;
                told.set_item("event_id", event)?;
                Ok(told)
            })
            .collect()
    }

    fn costs<'py>(&self, py: Python<'py>, data: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let reader = batches_of(data)?;
        let (events, ns, costs) =
            py.detach(|| self.measured(reader)).map_err(|message| not_events(py, &message))?;
        let mut rows = Vec::new();
        for (rule, cost) in self.set.rules().iter().zip(&costs).filter(|(_, cost)| cost.asked > 0) {
            let row = PyDict::new(py);
            row.set_item("rule_id", &rule.id)?;
            row.set_item("asked", cost.asked)?;
            row.set_item("matched", cost.matched)?;
            row.set_item("ns", cost.ns)?;
            rows.push(row);
        }
        let told = PyDict::new(py);
        told.set_item("events", events)?;
        told.set_item("ns", ns)?;
        told.set_item("rules", rows)?;
        Ok(told)
    }

    fn survey<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let reader = batches_of(data)?;
        let fed =
            py.detach(|| self.surveyed(reader)).map_err(|message| not_events(py, &message))?;
        let rows = self.set.rules().iter().zip(fed).map(|(rule, fed)| {
            let row = PyDict::new(py);
            row.set_item("rule_id", &rule.id)?;
            row.set_item("events", fed.events)?;
            row.set_item("missing", fed.missing)?;
            Ok(row)
        });
        rows.collect()
    }

    fn __repr__(&self) -> String {
        format!("<bigsec.Rules {} rules of {} files>", self.__len__(), self.files)
    }
}

/// What comes with the package where the caller names nothing else.
fn default<'py>(py: Python<'py>, what: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("bigsec.library")?.call_method0(what)
}

fn status(py: Python<'_>, name: &str) -> PyResult<Status> {
    Status::named(name).ok_or_else(|| {
        let known = Status::ALL.map(Status::as_str).join(", ");
        raise(py, codes::USAGE, &format!("{name:?} is no status of Sigma: {known}"), &[])
    })
}

pub(crate) fn level(py: Python<'_>, name: &str) -> PyResult<Level> {
    Level::named(name).ok_or_else(|| {
        let known = Level::ALL.map(Level::as_str).join(", ");
        raise(py, codes::USAGE, &format!("{name:?} is no level of Sigma: {known}"), &[])
    })
}

impl Rules {
    /// Everything that is looked for.
    pub fn detection(&self) -> Detection {
        Detection {
            rules: Arc::clone(&self.set),
            entities: Arc::clone(&self.entities),
            indicators: self.indicators.clone(),
        }
    }

    fn signals(&self, reader: Box<dyn RecordBatchReader + Send>) -> Result<RecordBatch, String> {
        let mut signals = SignalBatchBuilder::new(self.set.version());
        let mut matcher = self.set.matcher();
        let mut correlator = Correlator::new(Arc::clone(&self.set), Lateness::Any);
        let mut indicators = self.indicators.as_ref().map(IndicatorSet::matcher);
        let (mut hits, mut sightings) = (Vec::new(), Vec::new());
        self.visit(reader, |event| {
            hits.clear();
            matcher.matches(event, &mut hits);
            if let Some(indicators) = &mut indicators {
                indicators.matches(event, &mut sightings);
            }
            if hits.is_empty() && sightings.is_empty() {
                return;
            }
            let entities = self.entities.of(event);
            let named: Vec<_> =
                entities.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
            let time_us = event.time_effective_us().unwrap_or_default();
            let identity = EventIdentity {
                ids: &[event.id()],
                time_us,
                source: event.source(),
                parser: event.parser(),
            };
            if let Some(set) = &self.indicators {
                let holds = |hit: &&Hit| set.get(hit.indicator).holds_at(time_us);
                for hit in sightings.iter().filter(holds) {
                    signals.append_sighting(set, hit, &identity, &named);
                }
            }
            for hit in &hits {
                let rule = &self.set.rules()[*hit as usize];
                if rule.gives_signals() {
                    signals.append(rule, rule.path(), &identity, &named, Outcome::Unknown);
                }
            }
            if correlator.concerns(&hits) {
                let about = About::new(event.source(), &event.parser().into(), &named);
                let at = (event.id(), time_us);
                correlator.see(&mut matcher, event, &hits, at, &about);
            }
        })?;
        correlator.finish();
        for found in correlator.take() {
            if self.set.gives_signals(found.correlation) {
                let rule = &self.set.correlations()[found.correlation as usize];
                signals.append_correlated(rule, &found);
            }
        }
        Ok(signals.finish())
    }

    /// Events, ns of matching, and what each rule cost of it.
    fn measured(
        &self,
        reader: Box<dyn RecordBatchReader + Send>,
    ) -> Result<(usize, u64, Vec<RuleCost>), String> {
        let mut matcher = self.set.matcher();
        matcher.measure();
        let (mut events, mut ns, mut hits) = (0, 0, Vec::new());
        self.visit(reader, |event| {
            let begun = Instant::now();
            matcher.matches(event, &mut hits);
            ns += begun.elapsed().as_nanos() as u64;
            events += 1;
        })?;
        Ok((events, ns, matcher.costs().to_vec()))
    }

    fn surveyed(&self, reader: Box<dyn RecordBatchReader + Send>) -> Result<Vec<Fed>, String> {
        let mut survey = Survey::new(self.set.matcher());
        self.visit(reader, |event| survey.look(event))?;
        Ok(survey.fed())
    }

    fn visit(
        &self,
        reader: Box<dyn RecordBatchReader + Send>,
        mut see: impl FnMut(&EventRow<'_>),
    ) -> Result<(), String> {
        for batch in reader {
            let batch = batch.map_err(|error| error.to_string())?;
            let view = EventView::new(&batch, &self.maps).map_err(|error| error.to_string())?;
            (0..view.len()).for_each(|row| see(&view.row(row)));
        }
        Ok(())
    }

    /// The answers for the first events, or for one that is named.
    fn explained(
        &self,
        rule: u32,
        reader: Box<dyn RecordBatchReader + Send>,
        event_id: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Explanation)>, String> {
        let mut matcher = self.set.matcher();
        let mut explained = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|error| error.to_string())?;
            let view = EventView::new(&batch, &self.maps).map_err(|error| error.to_string())?;
            for row in 0..view.len() {
                if explained.len() == limit {
                    return Ok(explained);
                }
                let event = view.row(row);
                let id = event.id().to_string();
                if event_id.is_none_or(|wanted| wanted == id) {
                    explained.extend(matcher.explain(rule, &event).map(|told| (id, told)));
                }
            }
        }
        Ok(explained)
    }
}

fn explanation_to_python<'py>(
    py: Python<'py>,
    explanation: &Explanation,
) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("question", &explanation.question)?;
    told.set_item("holds", explanation.holds)?;
    told.set_item("line", explanation.line)?;
    told.set_item("found", &explanation.found)?;
    let parts: PyResult<Vec<_>> =
        explanation.parts.iter().map(|part| explanation_to_python(py, part)).collect();
    told.set_item("parts", parts?)?;
    Ok(told)
}
