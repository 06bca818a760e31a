//! The times that programs put before their lines, told apart by their own look.
//!
//! ```text
//! 2026-01-09 11:04:05,678    2026/01/09 11:04:05    2026-009T11:04:05    20260109-11:04:05:678
//! 26/01/09 11:04:05          260109 110405          01-09 11:04:05.678   2026-01-09-11.04.05.678
//! Fri Jan 09 11:04:05 2026   09-Jan-2026 11:04:05   09.01.2026 11:04:05  1767927845.678
//! 0109 11:04:05.678 (klog)   @4000000069606f3f3b6e1a8c (TAI64N)
//! ```
//!
//! Two digits, slash, two digits, slash, two digits are year, month and day, as log4j writes them.
//! What could be the day or the month first (`01/09/2026`) is not read. A zone may follow by its
//! offset or by a name that means one offset only; `CST`, `BST` and `IST` mean several, and leave
//! the time to the source's zone.

use jiff::civil::{Date, Time as CivilTime};

use super::scan::{Scan, Zone};
use super::{Moment, Receipt, date, epoch};

/// A time as it was found.
enum Found {
    /// With what the text says of the date.
    Civil { day: Day, clock: CivilTime, fraction: i64, zone: Zone },
    /// A number since 1970, all of it.
    Epoch,
    /// Seconds and nanoseconds since 1970, TAI.
    Tai { seconds: i64, ns: i64 },
}

#[derive(Clone, Copy)]
enum Day {
    Of(Date),
    /// Month and day; the year is not told.
    OfYear(i64, i64),
}

/// Seconds that TAI was ahead of 1970's UTC, as TAI64 counts; leap seconds are not told apart.
const TAI_AHEAD_S: i64 = 10;
const TAI64_EPOCH: u64 = 1 << 62;
/// Zones by name, in minutes. Those with several meanings have none.
const ZONES: [(&str, Option<i64>); 21] = [
    ("UTC", Some(0)),
    ("GMT", Some(0)),
    ("WET", Some(0)),
    ("WEST", Some(60)),
    ("CET", Some(60)),
    ("CEST", Some(120)),
    ("EET", Some(120)),
    ("EEST", Some(180)),
    ("MSK", Some(180)),
    ("HKT", Some(480)),
    ("SGT", Some(480)),
    ("JST", Some(540)),
    ("KST", Some(540)),
    ("EST", Some(-300)),
    ("EDT", Some(-240)),
    ("MST", Some(-420)),
    ("PST", Some(-480)),
    ("PDT", Some(-420)),
    ("CST", None),
    ("BST", None),
    ("IST", None),
];

/// Bytes of the time with which a text begins; nothing where it begins with none.
pub(crate) fn length(text: &str) -> Option<usize> {
    find(text).map(|(_, length)| length)
}

impl Receipt<'_> {
    pub(super) fn any(&self, text: &str) -> Option<Moment> {
        let (found, _) = find(text).filter(|(_, length)| *length == text.len())?;
        match found {
            Found::Epoch => epoch(text, None),
            Found::Tai { seconds, ns } => {
                let us = seconds.checked_mul(1_000_000)? + ns / 1000;
                Some(Moment { us, offset_min: Some(0) })
            }
            Found::Civil { day: Day::Of(date), clock, fraction, zone } => {
                self.at(date.to_datetime(clock), fraction, zone)
            }
            Found::Civil { day: Day::OfYear(month, day), clock, fraction, .. } => {
                self.latest_year(month, day, clock, fraction)
            }
        }
    }
}

fn find(text: &str) -> Option<(Found, usize)> {
    let mut scan = Scan { rest: text.as_bytes() };
    let first = *scan.rest.first()?;
    let found = match first {
        b'@' => tai(&mut scan)?,
        b'0'..=b'9' => number(&mut scan)?,
        b'A'..=b'Z' => named(&mut scan)?,
        _ => return None,
    };
    let is_apart = scan.rest.first().is_none_or(|next| !next.is_ascii_alphanumeric());
    is_apart.then(|| (found, text.len() - scan.rest.len()))
}

/// `@` and sixteen digits of seconds, eight of nanoseconds.
fn tai(scan: &mut Scan<'_>) -> Option<Found> {
    let (digits, rest) = scan.rest.split_at_checked(25)?;
    let hex = |range: std::ops::Range<usize>| {
        let text = std::str::from_utf8(&digits[range]).ok()?;
        u64::from_str_radix(text, 16).ok().filter(|_| !text.starts_with('+'))
    };
    let seconds = i64::try_from(hex(1..17)?.checked_sub(TAI64_EPOCH)?).ok()? - TAI_AHEAD_S;
    let ns = hex(17..25).filter(|ns| *ns < 1_000_000_000)?;
    scan.rest = rest;
    let in_range = seconds < 253_402_300_800;
    in_range.then_some(Found::Tai { seconds, ns: ns.cast_signed() })
}

/// `Fri Jan  9 11:04:05 CET 2026`, or without the weekday, the zone, the year.
fn named(scan: &mut Scan<'_>) -> Option<Found> {
    scan.weekday();
    let month = scan.month()?;
    space(scan)?;
    let day = scan.number(2)?;
    space(scan)?;
    let (clock, fraction) = scan.clock()?;
    let mut zone = Zone::Missing;
    let mut year = spaced_year(scan);
    if year.is_none() {
        let before = scan.rest;
        zone = behind(scan);
        year = spaced_year(scan);
        if year.is_none() {
            (scan.rest, zone) = (before, Zone::Missing);
        }
    }
    let day = match year {
        Some(year) => Day::Of(date(year, month, day)?),
        None => Day::OfYear(month, day),
    };
    Some(Found::Civil { day, clock, fraction, zone })
}

fn spaced_year(scan: &mut Scan<'_>) -> Option<i64> {
    let mut ahead = Scan { rest: scan.rest };
    space(&mut ahead)?;
    let year = ahead.digits(4).filter(|year| (1970..2100).contains(year))?;
    if ahead.rest.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    scan.rest = ahead.rest;
    Some(year)
}

fn number(scan: &mut Scan<'_>) -> Option<Found> {
    let digits = scan.rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let day = match digits {
        2 => two_digits(scan)?,
        4 if scan.rest.get(4) == Some(&b' ') => {
            let (month, day) = (scan.digits(2)?, scan.digits(2)?);
            date(2000, month, day)?;
            Day::OfYear(month, day)
        }
        4 => year_first(scan)?,
        6 => {
            let (year, month, day) = (scan.digits(2)?, scan.digits(2)?, scan.digits(2)?);
            Day::Of(date(2000 + year, month, day)?)
        }
        8 | 14 => Day::Of(date(scan.digits(4)?, scan.digits(2)?, scan.digits(2)?)?),
        10 | 13 | 16 | 19 => return since_1970(scan, digits),
        _ => return None,
    };
    if digits < 14 {
        scan.byte(b"Tt -.:_")?;
        scan.skip(b' ');
    }
    let (clock, fraction) = clock(scan)?;
    let zone = behind(scan);
    Some(Found::Civil { day, clock, fraction, zone })
}

/// `26/01/09`, `01-09`, `09-Jan-2026`, `09.01.2026`, `01.09`.
fn two_digits(scan: &mut Scan<'_>) -> Option<Day> {
    let first = scan.digits(2)?;
    let separator = *scan.rest.first()?;
    scan.byte(b"/-. ")?;
    if scan.rest.first()?.is_ascii_alphabetic() {
        let month = scan.month()?;
        scan.byte(&[separator])?;
        return Some(Day::Of(date(scan.digits(4)?, month, first)?));
    }
    let second = scan.digits(2)?;
    let goes_on = scan.rest.first() == Some(&separator) && scan.rest.get(1)?.is_ascii_digit();
    match (separator, goes_on) {
        (b'/', true) => {
            scan.byte(b"/")?;
            Some(Day::Of(date(2000 + first, second, scan.digits(2)?)?))
        }
        (b'.', true) => {
            scan.byte(b".")?;
            Some(Day::Of(date(scan.digits(4)?, second, first)?))
        }
        (b'-' | b'.', false) => {
            // In a leap year every day is one.
            date(2000, first, second)?;
            Some(Day::OfYear(first, second))
        }
        _ => None,
    }
}

/// `2026-01-09`, also with `/` or `.`, or the day of the year: `2026-009`.
fn year_first(scan: &mut Scan<'_>) -> Option<Day> {
    let year = scan.digits(4)?;
    let separator = *scan.rest.first()?;
    scan.byte(b"-/.")?;
    let in_year = scan.rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    if in_year == 3 {
        let day = i16::try_from(scan.digits(3)?).ok().filter(|day| *day > 0)?;
        let first = date(year, 1, 1)?;
        let date = first.checked_add(jiff::Span::new().days(day - 1)).ok()?;
        return (date.year() == first.year()).then_some(Day::Of(date));
    }
    let month = scan.digits(2)?;
    scan.byte(&[separator])?;
    Some(Day::Of(date(year, month, scan.digits(2)?)?))
}

/// A number since 1970 that lies between the years 2001 and 2100.
fn since_1970(scan: &mut Scan<'_>, digits: usize) -> Option<Found> {
    let seconds = scan.digits(10)?;
    (1_000_000_000..4_102_444_800).contains(&seconds).then_some(())?;
    scan.digits(digits - 10)?;
    if digits == 10 && scan.rest.first() == Some(&b'.') {
        let places = scan.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if (1..=9).contains(&places) {
            scan.rest = &scan.rest[1 + places..];
        }
    }
    Some(Found::Epoch)
}

/// The clock: `11:04:05.678`, also `11.04.05.678`, `110405,678`, `11:04:05:678` and `1:4:5:6`.
fn clock(scan: &mut Scan<'_>) -> Option<(CivilTime, i64)> {
    let hour = scan.number(2)?;
    let separator = *scan.rest.first()?;
    let is_compact = separator.is_ascii_digit();
    let is_loose = separator == b':';
    let mut part = || {
        if !is_compact {
            scan.byte(if is_loose { b":" } else { b"." })?;
        }
        if is_loose { scan.number(2) } else { scan.digits(2) }
    };
    // A leap second has no place in µs since 1970: it becomes the last second before.
    let (minute, second) = (part()?, part()?);
    let second = if second == 60 { 59 } else { second };
    let clock = CivilTime::new(hour as i8, minute as i8, second as i8, 0).ok()?;
    if scan.rest.first() == Some(&b':') {
        let mut ahead = Scan { rest: &scan.rest[1..] };
        let places = ahead.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if (1..=3).contains(&places) {
            let ms = ahead.digits(places)?;
            scan.rest = ahead.rest;
            return Some((clock, ms * 1000));
        }
    }
    // What ends in a dot or comma ends before it.
    let has_digits = scan.rest.get(1).is_some_and(u8::is_ascii_digit);
    Some((clock, if has_digits { scan.fraction() } else { 0 }))
}

/// The zone behind a clock, perhaps after a blank; where there is none nothing is read.
fn behind(scan: &mut Scan<'_>) -> Zone {
    let spaced = scan.rest.first() == Some(&b' ');
    let rest = &scan.rest[usize::from(spaced)..];
    let letters = rest.iter().take(5).take_while(|byte| byte.is_ascii_uppercase()).count();
    let read = match rest.first() {
        Some(b'Z') if letters == 1 && !spaced => Some((Zone::Offset(0), 1)),
        Some(b'A'..=b'Z') => ZONES.iter().find_map(|(name, minutes)| {
            let zone = minutes.map_or(Zone::Missing, |minutes| Zone::Offset(minutes * 60));
            (name.as_bytes() == &rest[..letters]).then_some((zone, letters))
        }),
        Some(b'+' | b'-') => offset(rest),
        _ => None,
    };
    let is_apart = |end: usize| rest.get(end).is_none_or(|next| !next.is_ascii_alphanumeric());
    match read {
        Some((zone, end)) if is_apart(end) => {
            scan.rest = &rest[end..];
            zone
        }
        _ => Zone::Missing,
    }
}

/// `+0800` or `+08:00`.
fn offset(rest: &[u8]) -> Option<(Zone, usize)> {
    let length = if rest.get(3) == Some(&b':') { 6 } else { 5 };
    let zone = Scan { rest: rest.get(..length)? }.zone()?;
    Some((zone, length))
}

fn space(scan: &mut Scan<'_>) -> Option<()> {
    scan.skip(b' ').then_some(())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::time::TimeFormat;

    /// 2026-01-10T00:00:00Z.
    const RECEIVED_US: i64 = 1_768_003_200_000_000;

    fn read(text: &str) -> Option<String> {
        let timezone = TimeZone::get("Asia/Shanghai").unwrap();
        let receipt = Receipt { received_us: RECEIVED_US, timezone: &timezone };
        let moment = receipt.read(text, &TimeFormat::Any)?;
        Some(jiff::Timestamp::from_microsecond(moment.us).unwrap().to_string())
    }

    #[test]
    fn every_look_is_read() {
        for (text, expected) in [
            ("2026-01-09 11:04:05,678", "2026-01-09T03:04:05.678Z"),
            ("2026-01-09T11:04:05.6789+0800", "2026-01-09T03:04:05.6789Z"),
            ("2026-01-09T04:04:05 +01:00", "2026-01-09T03:04:05Z"),
            ("2026/01/09 11:04:05", "2026-01-09T03:04:05Z"),
            ("2026.01.09 11:04:05", "2026-01-09T03:04:05Z"),
            ("2026-009T11:04:05,678", "2026-01-09T03:04:05.678Z"),
            ("2026-01-09-11.04.05.678901", "2026-01-09T03:04:05.678901Z"),
            ("2026-01-08 19:04:05.5 PST", "2026-01-09T03:04:05.5Z"),
            ("2026-01-09 11:04:05 CST", "2026-01-09T03:04:05Z"),
            ("20260109-11:04:05:678", "2026-01-09T03:04:05.678Z"),
            ("20260109-1:4:5:6", "2026-01-08T17:04:05.006Z"),
            ("20260109.110405,678", "2026-01-09T03:04:05.678Z"),
            ("20260109110405", "2026-01-09T03:04:05Z"),
            ("26/01/09 11:04:05", "2026-01-09T03:04:05Z"),
            ("260109 110405", "2026-01-09T03:04:05Z"),
            ("01-09 11:04:05.678", "2026-01-09T03:04:05.678Z"),
            ("01.09 11:04:05", "2026-01-09T03:04:05Z"),
            ("0109 11:04:05.678", "2026-01-09T03:04:05.678Z"),
            ("12-31 11:04:05", "2025-12-31T03:04:05Z"),
            ("09-Jan-2026 11:04:05.678", "2026-01-09T03:04:05.678Z"),
            ("09/Jan/2026:11:04:05 +0800", "2026-01-09T03:04:05Z"),
            ("09.01.2026 11:04:05", "2026-01-09T03:04:05Z"),
            ("Fri Jan 09 11:04:05 2026", "2026-01-09T03:04:05Z"),
            ("Fri Jan  9 04:04:05 CET 2026", "2026-01-09T03:04:05Z"),
            ("Jan  9 11:04:05.678", "2026-01-09T03:04:05.678Z"),
            ("1767927845.678", "2026-01-09T03:04:05.678Z"),
            ("1767927845678", "2026-01-09T03:04:05.678Z"),
            ("@400000006960714f1dcd6500", "2026-01-09T03:08:53.5Z"),
        ] {
            assert_eq!(read(text).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn a_time_ends_where_the_text_goes_on() {
        for (text, expected) in [
            ("2026-01-09 11:04:05,678:DEBUG:foo", "2026-01-09 11:04:05,678"),
            ("2026-01-09 11:04:05 EST5 x", "2026-01-09 11:04:05"),
            ("2026-01-09 11:04:05 ERROR x", "2026-01-09 11:04:05"),
            ("2026-01-09 11:04:05 - INFO", "2026-01-09 11:04:05"),
            ("01-09 11:04:05.678  1702  2395 D x", "01-09 11:04:05.678"),
            ("Jan  9 11:04:05 20260 x", "Jan  9 11:04:05"),
            ("20260109-11:04:05:678|a", "20260109-11:04:05:678"),
            ("1767927845678 Hello", "1767927845678"),
        ] {
            assert_eq!(length(text).map(|end| &text[..end]), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_begins_with_no_time_has_none() {
        for text in [
            "",
            "12:30 lunch",
            "192.0.2.7 - - x",
            "2026-01-09",
            "2026-13-09 11:04:05",
            "2026-01-09 11:04",
            "01/09/2026 11:04:05",
            "13-45 11:04:05",
            "2026-366T11:04:05",
            "9999999999 x",
            "12345678901 x",
            "May be",
            "@400000006960714f",
            "中文",
        ] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
