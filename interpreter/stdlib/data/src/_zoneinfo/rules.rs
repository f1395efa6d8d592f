//! The rules for times behind the last transition: POSIX TZ strings.
use crate::_datetime::calendar::{EPOCH_ORDINAL, Ymd, days_before_year, days_in_month, is_leap};

/// The day of a change within a year.
#[derive(Clone, Copy, Debug)]
enum Day {
    /// Month, week (5 = last) and weekday (0 = Sunday).
    Week { month: i32, week: i32, day: i32 },
    /// Day of the year, from 1 and without leap days, or from 0.
    Count { day: i32, julian: bool },
}
#[derive(Clone, Copy, Debug)]
pub struct Change {
    day: Day,
    /// Seconds of the day, perhaps of another one.
    time: i64,
}
impl Change {
    /// Seconds of local time since 1970.
    pub fn in_year(self, year: i32) -> i64 {
        let days = match self.day {
            Day::Count { day, julian } => {
                let leap = julian && day >= 59 && is_leap(year);
                // CPython counts both kinds from the day before January 1st (CTZStrTest, "0/0,J365/25").
                i64::from(days_before_year(year)) - EPOCH_ORDINAL + i64::from(day) + i64::from(leap)
            }
            Day::Week { month, week, day } => {
                let first = (Ymd { year, month, day: 1 }.weekday() + 1) % 7;
                let mut date = (day - first).rem_euclid(7) + 1 + (week - 1) * 7;
                if date > days_in_month(year, month) {
                    date -= 7;
                }
                i64::from(Ymd { year, month, day: date }.ordinal()) - EPOCH_ORDINAL
            }
        };
        days * 86_400 + self.time
    }
}
/// A parsed string: standard time, and daylight saving time with its changes.
pub struct Rules {
    pub standard: (String, i32),
    pub daylight: Option<(String, i32, Change, Change)>,
}

struct Scan<'a>(&'a str);
impl<'a> Scan<'a> {
    fn eat(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
    fn digits(&mut self, least: usize, most: usize) -> Option<i32> {
        let n = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if n < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(n);
        self.0 = rest;
        digits.parse().ok()
    }
    /// An abbreviation: letters, or anything of a kind in angle brackets.
    fn name(&mut self) -> Option<&'a str> {
        if self.eat('<') {
            let end = self.0.find('>')?;
            let name = &self.0[..end];
            self.0 = &self.0[end + 1..];
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-';
            return Some(name).filter(|n| !n.is_empty() && n.chars().all(legal));
        }
        let end = self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(name).filter(|n| !n.is_empty())
    }
    /// `[+-]hh[:mm[:ss]]` in seconds.
    fn time(&mut self, most: i32) -> Option<i32> {
        let negative = self.eat('-');
        if !negative {
            self.eat('+');
        }
        let hours = self.digits(1, 3)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.eat(':') {
            minutes = self.digits(2, 2)?;
            if self.eat(':') {
                seconds = self.digits(2, 2)?;
            }
        }
        if hours > most || minutes > 59 || seconds > 59 {
            return None;
        }
        let total = hours * 3600 + minutes * 60 + seconds;
        Some(if negative { -total } else { total })
    }
    fn change(&mut self) -> Option<Change> {
        let day = if self.eat('M') {
            let month = self.digits(1, 2).filter(|m| (1..=12).contains(m))?;
            self.eat('.').then_some(())?;
            let week = self.digits(1, 1).filter(|w| (1..=5).contains(w))?;
            self.eat('.').then_some(())?;
            let day = self.digits(1, 1).filter(|d| (0..=6).contains(d))?;
            Day::Week { month, week, day }
        } else {
            let julian = self.eat('J');
            let day = self.digits(1, 3).filter(|d| (i32::from(julian)..=365).contains(d))?;
            Day::Count { day, julian }
        };
        let time = if self.eat('/') { self.time(167)? } else { 7200 };
        Some(Change { day, time: time.into() })
    }
}
impl Rules {
    pub fn parse(text: &str) -> Option<Rules> {
        let mut scan = Scan(text);
        let name = scan.name()?.to_owned();
        let standard = (name, if scan.0.is_empty() { 0 } else { -scan.time(24)? });
        if scan.0.is_empty() {
            return Some(Rules { standard, daylight: None });
        }
        let name = scan.name()?.to_owned();
        let offset = if scan.0.starts_with(',') { standard.1 + 3600 } else { -scan.time(24)? };
        scan.eat(',').then_some(())?;
        let start = scan.change()?;
        scan.eat(',').then_some(())?;
        let end = scan.change()?;
        if !scan.0.is_empty() {
            return None;
        }
        Some(Rules { standard, daylight: Some((name, offset, start, end)) })
    }
}
