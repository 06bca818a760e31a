//! What a row of a file says, and whether it is an indicator.

use bigsec_event::suggest::did_you_mean;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::{IndicatorKind, Label};
use crate::Level;

/// One row of a file that is an indicator.
#[derive(Debug)]
pub(super) struct Row {
    pub kind: IndicatorKind,
    /// In its one spelling.
    pub value: String,
    pub label: Label,
    /// µs UTC; `i64::MAX` where it does not end.
    pub valid_until_us: i64,
}

/// Why a row is not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    pub message: String,
    pub mend: String,
}

impl Refusal {
    pub fn new(message: String, mend: impl Into<String>) -> Self {
        Self { message, mend: mend.into() }
    }
}

/// What a row says, as it stands there; empty what it does not say.
#[derive(Debug, Default)]
pub(super) struct Said<'r> {
    pub value: &'r str,
    pub kind: &'r str,
    pub name: &'r str,
    pub level: &'r str,
    pub tags: &'r str,
    pub until: &'r str,
    pub reference: &'r str,
}

impl Said<'_> {
    /// The row that it is. `level` is that of rows which name none.
    pub fn understood(&self, file: &str, level: Level) -> Result<Row, Refusal> {
        let (kind, value) = self.indicator()?;
        let label = Label {
            name: self.name.to_owned(),
            level: if self.level.is_empty() { level } else { named_level(self.level)? },
            source: file.to_owned(),
            tags: self.tags.to_owned(),
            reference: self.reference.to_owned(),
        };
        let valid_until_us = if self.until.is_empty() { i64::MAX } else { moment(self.until)? };
        Ok(Row { kind, value, label, valid_until_us })
    }

    fn indicator(&self) -> Result<(IndicatorKind, String), Refusal> {
        let text = refanged(self.value);
        if self.kind.is_empty() {
            let kind = IndicatorKind::of_shape(&text);
            let found = kind.and_then(|kind| Some((kind, kind.normalise(&text)?)));
            return found.ok_or_else(|| {
                let value = shown(self.value);
                let message = format!("{value:?} has the shape of no kind of indicator");
                Refusal::new(message, "name its kind in a column `type`")
            });
        }
        let Some(kind) = IndicatorKind::named(self.kind) else {
            let known = IndicatorKind::ALL.map(IndicatorKind::as_str);
            let mend = did_you_mean(self.kind, known, format!("one of {}", known.join(", ")));
            return Err(Refusal::new(
                format!("{:?} is no kind of indicator", shown(self.kind)),
                mend,
            ));
        };
        fitting(kind, &text).ok_or_else(|| {
            let message =
                format!("{:?} cannot be of the kind {}", shown(self.value), kind.as_str());
            Refusal::new(message, "mend the value or its kind")
        })
    }
}

fn named_level(name: &str) -> Result<Level, Refusal> {
    Level::named(&name.to_lowercase()).ok_or_else(|| {
        let known = Level::ALL.map(Level::as_str);
        let mend = did_you_mean(name, known, format!("one of {}", known.join(", ")));
        Refusal::new(format!("{:?} is no level", shown(name)), mend)
    })
}

/// The value in its one spelling. Feeds that know few kinds call networks and ports addresses, and
/// paths URLs.
fn fitting(kind: IndicatorKind, text: &str) -> Option<(IndicatorKind, String)> {
    use IndicatorKind as K;
    let related: &[K] = match kind {
        K::Ip => &[K::Ip, K::Network, K::IpPort],
        K::Network => &[K::Network, K::Ip],
        K::IpPort => &[K::IpPort, K::Ip],
        K::Domain => &[K::Domain, K::Ip],
        K::Url | K::UrlPath => &[K::UrlPath, K::Url],
        _ => &[],
    };
    let kinds = if related.is_empty() { std::slice::from_ref(&kind) } else { related };
    kinds.iter().find_map(|kind| Some((*kind, kind.normalise(text)?)))
}

/// Writes what was made harmless for people as it was: `hxxp://evil[.]example`.
fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in
        [("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[:]", ":"), ("[@]", "@"), ("[at]", "@")]
    {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", &text[4..]),
        _ => text,
    }
}

/// µs UTC of a day or a time.
fn moment(text: &str) -> Result<i64, Refusal> {
    let civil = || {
        let day = || text.parse::<Date>().ok().map(|date| date.to_datetime(Time::midnight()));
        let time = text.parse::<DateTime>().ok().or_else(day)?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time = text.parse::<Timestamp>().ok().or_else(civil);
    time.map(Timestamp::as_microsecond).ok_or_else(|| {
        let mend = "write it as 2026-01-31 or 2026-01-31T00:00:00Z";
        Refusal::new(format!("{:?} is no time", shown(text)), mend)
    })
}

/// As much of a text as a message should have.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
