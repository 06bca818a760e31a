//! The parts of which times are made: digits, months, clocks, zones.

use jiff::civil::Time as CivilTime;

/// A cursor over the bytes of a time.
pub(super) struct Scan<'a> {
    pub rest: &'a [u8],
}

/// What a text says of its zone.
#[derive(Clone, Copy)]
pub(super) enum Zone {
    /// Seconds east of Greenwich.
    Offset(i64),
    /// Nothing: the source's counts.
    Missing,
}

impl Scan<'_> {
    /// Exactly `count` digits.
    pub fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut number = 0;
        for byte in digits {
            number = number * 10 + i64::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        self.rest = rest;
        Some(number)
    }

    /// One to `most` digits.
    pub fn number(&mut self, most: usize) -> Option<i64> {
        let count = self.rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 { None } else { self.digits(count) }
    }

    pub fn byte(&mut self, any_of: &[u8]) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        any_of.contains(first).then_some(())
    }

    /// Skips a run of `byte`; true where there was one.
    pub fn skip(&mut self, byte: u8) -> bool {
        let count = self.rest.iter().take_while(|next| **next == byte).count();
        self.rest = &self.rest[count..];
        count > 0
    }

    /// `May`, in any case.
    pub fn month(&mut self) -> Option<i64> {
        const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
        let (name, rest) = self.rest.split_at_checked(3)?;
        let mut months = (1..).zip(MONTHS.chunks_exact(3));
        let (month, _) = months.find(|(_, month)| month.eq_ignore_ascii_case(name))?;
        self.rest = rest;
        Some(month)
    }

    /// `12:00:00` with a fraction of any length, cut to µs.
    pub fn clock(&mut self) -> Option<(CivilTime, i64)> {
        let hour = self.digits(2)?;
        self.byte(b":")?;
        let minute = self.digits(2)?;
        let mut second = 0;
        if self.rest.first() == Some(&b':') {
            self.rest = &self.rest[1..];
            second = self.digits(2)?;
        }
        // A leap second has no place in µs since 1970: it becomes the last second before.
        let second = if second == 60 { 59 } else { second };
        let clock = CivilTime::new(hour as i8, minute as i8, second as i8, 0).ok()?;
        Some((clock, self.fraction()))
    }

    /// The digits behind a dot or comma, cut to µs; 0 where there are none.
    pub fn fraction(&mut self) -> i64 {
        let Some((b'.' | b',', digits)) = self.rest.split_first() else { return 0 };
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &digits[count..];
        let six = digits[..count].iter().chain([&b'0'; 6]).take(6);
        six.fold(0, |us, digit| us * 10 + i64::from(digit - b'0'))
    }

    /// Skips `Mon ` and the like.
    pub fn weekday(&mut self) {
        const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        let is_day = |name: &[u8]| DAYS.iter().any(|day| day.eq_ignore_ascii_case(name));
        if self.rest.get(..3).is_some_and(is_day) && self.rest.get(3) == Some(&b' ') {
            self.rest = &self.rest[4..];
        }
    }

    /// The zone at the end: `Z`, `UTC`, `+08:00`, `+0800`, `+08`, `GMT+08:00`, or nothing.
    pub fn zone(&mut self) -> Option<Zone> {
        let mut rest = std::mem::take(&mut self.rest);
        if let [b'G', b'M', b'T', signed @ ..] | [b'U', b'T', b'C', signed @ ..] = rest
            && !signed.is_empty()
        {
            rest = signed;
        }
        let sign = match rest {
            [] => return Some(Zone::Missing),
            [b'Z' | b'z'] | b"UTC" | b"GMT" => return Some(Zone::Offset(0)),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        self.rest = &rest[1..];
        let hours = self.digits(2)?;
        if self.rest.first() == Some(&b':') {
            self.rest = &self.rest[1..];
        }
        let minutes = if self.rest.is_empty() { 0 } else { self.digits(2)? };
        let in_range = self.rest.is_empty() && hours < 24 && minutes < 60;
        in_range.then_some(Zone::Offset(sign * (hours * 3600 + minutes * 60)))
    }
}
