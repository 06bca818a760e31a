//! Reading times as devices write them: to µs since 1970 UTC, with the device's offset.
//!
//! The layouts that nearly every record has are read here; other layouts go to `jiff`. A missing
//! year and zone come from the time of receipt and the source's time zone, never from now, so
//! that reading a record again gives the same time.

use jiff::civil::{Date, DateTime, Time as CivilTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

mod any;
mod scan;

pub(crate) use any::length as length_of_any;
use scan::{Scan, Zone};

/// A moment, and the offset that the record or the source gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// µs since 1970, UTC.
    pub us: i64,
    /// Offset from UTC in minutes; none where the record counts from an epoch.
    pub offset_min: Option<i16>,
}

/// How a field writes its time.
#[derive(Debug, Clone)]
pub enum TimeFormat {
    /// `2024-05-01T12:00:00.123Z`, also with a space, a comma, or without a zone.
    Rfc3339,
    /// `May  1 12:00:00`, also with a fraction, and with the year before or after the clock and then
    /// a zone; a weekday may stand before it.
    Rfc3164,
    /// `01/May/2024:12:00:00 +0800`, as access logs have it.
    Clf,
    /// Seconds, ms, µs or ns since 1970; which of them, the size of the number says.
    Epoch,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
    /// Microseconds since 1970.
    EpochUs,
    /// Nanoseconds since 1970.
    EpochNs,
    /// Any of the layouts that programs put before their lines.
    Any,
    /// A layout in the words of `strptime`.
    Pattern(Box<str>),
}

impl TimeFormat {
    /// The format named in a pack: one of the fixed names, or a layout with `%`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "rfc3339" => Self::Rfc3339,
            "rfc3164" => Self::Rfc3164,
            "clf" => Self::Clf,
            "any" => Self::Any,
            "epoch" => Self::Epoch,
            "epoch_s" => Self::EpochS,
            "epoch_ms" => Self::EpochMs,
            "epoch_us" => Self::EpochUs,
            "epoch_ns" => Self::EpochNs,
            layout if is_layout(layout) => Self::Pattern(layout.into()),
            _ => return None,
        })
    }
}

/// True for a `strptime` layout; `jiff` checks one only by using it.
fn is_layout(layout: &str) -> bool {
    let zoned = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    layout.contains('%') && strtime::format(layout, &zoned).is_ok()
}

/// What a record does not say about its time.
#[derive(Debug, Clone, Copy)]
pub struct Receipt<'a> {
    /// When the record was received, µs since 1970.
    pub received_us: i64,
    /// The source's zone.
    pub timezone: &'a TimeZone,
}

impl Receipt<'_> {
    /// Reads a time; nothing where the text is not one.
    pub fn read(&self, text: &str, format: &TimeFormat) -> Option<Moment> {
        let text = text.trim();
        match format {
            TimeFormat::Rfc3339 => self.rfc3339(text),
            TimeFormat::Rfc3164 => self.rfc3164(text),
            TimeFormat::Clf => self.clf(text),
            TimeFormat::Any => self.any(text),
            TimeFormat::Epoch => epoch(text, None),
            TimeFormat::EpochS => epoch(text, Some(1_000_000_000)),
            TimeFormat::EpochMs => epoch(text, Some(1_000_000)),
            TimeFormat::EpochUs => epoch(text, Some(1_000)),
            TimeFormat::EpochNs => epoch(text, Some(1)),
            TimeFormat::Pattern(layout) => self.pattern(text, layout),
        }
    }

    fn rfc3339(&self, text: &str) -> Option<Moment> {
        let mut scan = Scan { rest: text.as_bytes() };
        let year = scan.digits(4)?;
        scan.byte(b"-/")?;
        let month = scan.digits(2)?;
        scan.byte(b"-/")?;
        let day = scan.digits(2)?;
        scan.byte(b"Tt ")?;
        let (clock, fraction) = scan.clock()?;
        let date = date(year, month, day)?;
        scan.skip(b' ');
        self.at(date.to_datetime(clock), fraction, scan.zone()?)
    }

    fn clf(&self, text: &str) -> Option<Moment> {
        let text = text.trim_start_matches('[').trim_end_matches(']');
        let mut scan = Scan { rest: text.as_bytes() };
        let day = scan.digits(2)?;
        scan.byte(b"/")?;
        let month = scan.month()?;
        scan.byte(b"/")?;
        let year = scan.digits(4)?;
        scan.byte(b":")?;
        let (clock, fraction) = scan.clock()?;
        scan.skip(b' ');
        self.at(date(year, month, day)?.to_datetime(clock), fraction, scan.zone()?)
    }

    fn rfc3164(&self, text: &str) -> Option<Moment> {
        let mut scan = Scan { rest: text.as_bytes() };
        scan.weekday();
        let month = scan.month()?;
        scan.skip(b' ');
        let day = scan.number(2)?;
        scan.byte(b" ")?;
        scan.skip(b' ');
        let mut year = None;
        if scan.rest.get(4) == Some(&b' ') {
            year = Some(scan.digits(4)?);
            scan.skip(b' ');
        }
        let (clock, fraction) = scan.clock()?;
        if scan.skip(b' ') && year.is_none() && scan.rest.first().is_some_and(u8::is_ascii_digit) {
            year = Some(scan.digits(4)?);
            scan.skip(b' ');
        }
        // Without a year a zone could not tell in which year it counts.
        let zone = match year {
            None if scan.rest.is_empty() => Zone::Missing,
            None => return None,
            Some(_) => scan.zone()?,
        };
        match year {
            Some(year) => self.at(date(year, month, day)?.to_datetime(clock), fraction, zone),
            None => self.latest_year(month, day, clock, fraction),
        }
    }

    /// The latest year in which the time lies no more than a day after receipt: a December line
    /// received in January is of the old year, a clock a little ahead stays in the new one.
    fn latest_year(&self, month: i64, day: i64, clock: CivilTime, fraction: i64) -> Option<Moment> {
        const DAY_US: i64 = 86_400_000_000;
        let received = jiff::Timestamp::from_microsecond(self.received_us).ok()?;
        let year = i64::from(self.timezone.to_datetime(received).year()) + 1;
        // The 29th of February has to go back eight years at most (1904 after 1896).
        (0..=9).filter_map(|back| date(year - back, month, day)).find_map(|date| {
            self.at(date.to_datetime(clock), fraction, Zone::Missing)
                .filter(|moment| moment.us <= self.received_us.saturating_add(DAY_US))
        })
    }

    fn pattern(&self, text: &str, layout: &str) -> Option<Moment> {
        let broken = strtime::parse(layout, text).ok()?;
        if let Ok(timestamp) = broken.to_timestamp() {
            let offset_min = broken.offset().map(|offset| (offset.seconds() / 60) as i16);
            return Some(Moment { us: timestamp.as_microsecond(), offset_min });
        }
        self.at(broken.to_datetime().ok()?, 0, Zone::Missing)
    }

    fn at(&self, civil: DateTime, fraction_us: i64, zone: Zone) -> Option<Moment> {
        let offset_s = match zone {
            Zone::Offset(seconds) => seconds,
            Zone::Missing => {
                let zoned = self.timezone.to_zoned(civil).ok()?;
                i64::from(zoned.offset().seconds())
            }
        };
        let days = days_since_1970(civil);
        let clock = i64::from(civil.hour()) * 3600
            + i64::from(civil.minute()) * 60
            + i64::from(civil.second());
        let us = (days * 86_400 + clock - offset_s) * 1_000_000
            + fraction_us
            + i64::from(civil.subsec_nanosecond()) / 1000;
        Some(Moment { us, offset_min: Some((offset_s / 60) as i16) })
    }
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(year as i16, month as i8, day as i8).ok()
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_since_1970(civil: DateTime) -> i64 {
    let (month, day) = (i64::from(civil.month()), i64::from(civil.day()));
    // Years that begin in March, so that the leap day is the last of its year.
    let year = i64::from(civil.year()) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year 10000: what lies beyond is not a time.
const END_US: i128 = 253_402_300_800_000_000;

/// A number since 1970 whose unit is `unit_ns`, or is guessed from its size.
fn epoch(text: &str, unit_ns: Option<i128>) -> Option<Moment> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let unit_ns = unit_ns.unwrap_or(match whole {
        // 10^11 s is the year 5138, 10^11 ms the year 1973.
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    });
    let mut ns = whole * unit_ns;
    let mut place = unit_ns / 10;
    for digit in fraction.bytes() {
        ns += i128::from(digit - b'0') * place;
        place /= 10;
    }
    let us = if negative { -ns } else { ns }.div_euclid(1000);
    (us.abs() < END_US).then_some(Moment { us: us as i64, offset_min: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-10T00:00:00Z.
    const RECEIVED_US: i64 = 1_768_003_200_000_000;

    fn read_in(zone: &TimeZone, received_us: i64, format: &str, text: &str) -> Option<String> {
        let receipt = Receipt { received_us, timezone: zone };
        let moment = receipt.read(text, &TimeFormat::named(format).unwrap())?;
        let time = jiff::Timestamp::from_microsecond(moment.us).unwrap();
        Some(match moment.offset_min {
            Some(minutes) => format!("{time} {minutes}"),
            None => time.to_string(),
        })
    }

    fn read(format: &str, text: &str) -> Option<String> {
        read_in(&TimeZone::UTC, RECEIVED_US, format, text)
    }

    #[test]
    fn layouts_with_a_zone_keep_it() {
        for (format, text, expected) in [
            ("rfc3339", "2026-01-09T03:04:05Z", "2026-01-09T03:04:05Z 0"),
            ("rfc3339", "2026-01-09T11:04:05.123456789+08:00", "2026-01-09T03:04:05.123456Z 480"),
            ("rfc3339", "2026-01-08 20:04:05,5-0700", "2026-01-09T03:04:05.5Z -420"),
            ("rfc3339", "2026-01-09T03:04Z", "2026-01-09T03:04:00Z 0"),
            ("rfc3339", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z 0"),
            ("rfc3339", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z 0"),
            ("clf", "09/Jan/2026:11:04:05 +0800", "2026-01-09T03:04:05Z 480"),
            ("%d.%m.%Y %H:%M:%S %z", "09.01.2026 11:04:05 +0800", "2026-01-09T03:04:05Z 480"),
            ("rfc3164", "Jan  9 2026 03:04:05", "2026-01-09T03:04:05Z 0"),
            ("rfc3164", "Jan 09 03:04:05.25 2026", "2026-01-09T03:04:05.25Z 0"),
            ("rfc3164", "Fri Jan  9 03:04:05 2026", "2026-01-09T03:04:05Z 0"),
            ("rfc3164", "Jan 09 2026 11:04:05.25 +0800", "2026-01-09T03:04:05.25Z 480"),
            ("rfc3164", "Jan 09 2026 11:04:05 GMT+08:00", "2026-01-09T03:04:05Z 480"),
            ("rfc3164", "Jan 09 2026 03:04:05 UTC", "2026-01-09T03:04:05Z 0"),
        ] {
            assert_eq!(read(format, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_missing_zone_is_the_sources() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        for (format, text) in [
            ("rfc3339", "2026-01-09 11:04:05"),
            ("rfc3164", "Jan  9 11:04:05"),
            ("%Y%m%d%H%M%S", "20260109110405"),
        ] {
            let got = read_in(&shanghai, RECEIVED_US, format, text);
            assert_eq!(got.as_deref(), Some("2026-01-09T03:04:05Z 480"), "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_the_latest_that_receipt_allows() {
        // The new year begins in Shanghai while it is still 2025 in UTC.
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let new_year = 1_767_196_805_000_000; // 2026-01-01T00:00:05+08:00
        let at = |text| read_in(&shanghai, new_year, "rfc3164", text);
        assert_eq!(at("Dec 31 23:59:58").as_deref(), Some("2025-12-31T15:59:58Z 480"));
        assert_eq!(at("Jan  1 00:00:01").as_deref(), Some("2025-12-31T16:00:01Z 480"));
        assert_eq!(at("Jan  1 20:00:00").as_deref(), Some("2026-01-01T12:00:00Z 480"));
        assert_eq!(at("Jan  3 00:00:00").as_deref(), Some("2025-01-02T16:00:00Z 480"));
        assert_eq!(at("Feb 29 00:00:00").as_deref(), Some("2024-02-28T16:00:00Z 480"));
        // A device a second ahead of us at the turn of the year.
        let old_year = new_year - 6_000_000;
        let ahead = read_in(&shanghai, old_year, "rfc3164", "Jan  1 00:00:01");
        assert_eq!(ahead.as_deref(), Some("2025-12-31T16:00:01Z 480"));
    }

    #[test]
    fn the_size_of_a_number_says_its_unit() {
        for text in
            ["1767927845.123456", "1767927845123.456", "1767927845123456", "1767927845123456789"]
        {
            assert_eq!(
                read("epoch", text).as_deref(),
                Some("2026-01-09T03:04:05.123456Z"),
                "{text}"
            );
        }
        assert_eq!(read("epoch", "-1.5").as_deref(), Some("1969-12-31T23:59:58.5Z"));
        assert_eq!(read("epoch_ms", "1000").as_deref(), Some("1970-01-01T00:00:01Z"));
        assert_eq!(read("epoch_s", "253402300800"), None);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for format in ["rfc3339", "rfc3164", "clf", "epoch", "any", "%Y"] {
            for text in [
                "",
                "-",
                "2026",
                "2026-13-01T00:00:00Z",
                "Feb 30 00:00:00 2026",
                "Jan  9 25:00:00",
                "1e9",
                "99999999999999999999",
                "2026-01-09T03:04:05+99:99",
                "中",
            ] {
                if !(text == "2026" && (format == "epoch" || format == "%Y")) {
                    assert_eq!(read(format, text), None, "{format} {text}");
                }
            }
        }
        assert!(TimeFormat::named("rfc1234").is_none() && TimeFormat::named("%!").is_none());
    }
}
