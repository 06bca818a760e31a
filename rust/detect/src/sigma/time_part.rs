//! Parts of a timestamp in a field's value, for `minute`, `hour`, `day`, `week`, `month`, `year`.

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};

/// Which part of a time a rule asks for; all in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimePart {
    Minute,
    Hour,
    Day,
    /// The week of ISO 8601.
    Week,
    Month,
    Year,
}

impl TimePart {
    /// The part of the time written in `text`, where it is one.
    pub fn of(self, text: &str) -> Option<i128> {
        let time = read(text.trim())?;
        Some(match self {
            Self::Minute => time.minute().into(),
            Self::Hour => time.hour().into(),
            Self::Day => time.day().into(),
            Self::Week => time.date().iso_week_date().week().into(),
            Self::Month => time.month().into(),
            Self::Year => time.year().into(),
        })
    }
}

/// Reads RFC 3339 and its relatives, the access-log form, and seconds or fractions since 1970.
fn read(text: &str) -> Option<DateTime> {
    if text.len() > 64 {
        return None;
    }
    let utc = |time: Timestamp| time.to_zoned(TimeZone::UTC).datetime();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(utc(time));
    }
    let dashed = text.replace('/', "-");
    if let Ok(time) = dashed.parse::<DateTime>() {
        return Some(time);
    }
    if let Ok(time) = Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", text) {
        return Some(utc(time));
    }
    since_epoch(text).map(utc)
}

fn since_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    // The number of digits says the unit: seconds have ten from 2001 to 2286.
    match whole.len() {
        9..=10 => Timestamp::from_second(number).ok(),
        12..=13 => Timestamp::from_millisecond(number).ok(),
        15..=16 => Timestamp::from_microsecond(number).ok(),
        18..=19 => Timestamp::from_nanosecond(number.into()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_from_the_usual_spellings() {
        for text in [
            "2024-12-30T23:05:09Z",
            "2024-12-31T07:05:09.123+08:00",
            "2024-12-30 23:05:09.350",
            "2024/12/30 23:05:09",
            "30/Dec/2024:23:05:09 +0000",
            "1735599909",
            "1735599909.5",
            "1735599909123",
            "1735599909123456",
        ] {
            let parts = [
                TimePart::Minute,
                TimePart::Hour,
                TimePart::Day,
                TimePart::Week,
                TimePart::Month,
                TimePart::Year,
            ];
            let values = parts.map(|part| part.of(text));
            assert_eq!(values, [5, 23, 30, 1, 12, 2024].map(Some), "{text}");
        }
        for text in ["", "noon", "4624", "2024-13-01 00:00:00", "99999999999999999999"] {
            assert_eq!(TimePart::Hour.of(text), None, "{text}");
        }
    }
}
