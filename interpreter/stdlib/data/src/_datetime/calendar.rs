//! The proleptic Gregorian calendar: days count from 1, 0001-01-01; weekdays from 0, Monday.

pub const MIN_YEAR: i32 = 1;
pub const MAX_YEAR: i32 = 9999;
/// 9999-12-31.
pub const MAX_ORDINAL: i32 = 3_652_059;
/// 1970-01-01.
pub const EPOCH_ORDINAL: i64 = 719_163;

const DAYS_BEFORE_MONTH: [i32; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_4: i32 = 1461;
const DAYS_IN_100: i32 = 36_524;
const DAYS_IN_400: i32 = 146_097;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ymd {
    pub year: i32,
    pub month: i32,
    pub day: i32,
}
/// What is wrong with a date in the ISO week calendar.
pub enum IsoError {
    Year,
    Week,
    Day,
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}
pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
/// Days before the first of January.
pub fn days_before_year(year: i32) -> i32 {
    let y = year - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)
}
fn days_before_month(year: i32, month: i32) -> i32 {
    DAYS_BEFORE_MONTH[month as usize] + i32::from(month > 2 && is_leap(year))
}
/// The ordinal of the Monday that begins the ISO year's first week.
fn iso_first_monday(year: i32) -> i32 {
    let first = days_before_year(year) + 1;
    let weekday = (first + 6) % 7;
    let monday = first - weekday;
    if weekday > 3 { monday + 7 } else { monday }
}

impl Ymd {
    pub fn ordinal(self) -> i32 {
        days_before_year(self.year) + self.day_of_year()
    }
    /// 1 on January 1st.
    pub fn day_of_year(self) -> i32 {
        days_before_month(self.year, self.month) + self.day
    }
    pub fn weekday(self) -> i32 {
        (self.ordinal() + 6) % 7
    }
    /// The date of an ordinal from 1 up.
    pub fn from_ordinal(ordinal: i32) -> Ymd {
        let n = ordinal - 1;
        let (n400, n) = (n / DAYS_IN_400, n % DAYS_IN_400);
        let (n100, n) = (n / DAYS_IN_100, n % DAYS_IN_100);
        let (n4, n) = (n / DAYS_IN_4, n % DAYS_IN_4);
        let (n1, n) = (n / 365, n % 365);
        let year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
        if n1 == 4 || n100 == 4 {
            return Ymd { year: year - 1, month: 12, day: 31 };
        }
        let mut month = (n + 50) >> 5;
        if days_before_month(year, month) > n {
            month -= 1;
        }
        Ymd { year, month, day: n - days_before_month(year, month) + 1 }
    }
    /// ISO year, week and weekday (Monday is 1).
    pub fn iso(self) -> (i32, i32, i32) {
        let today = self.ordinal();
        let mut year = self.year;
        let mut monday = iso_first_monday(year);
        if today < monday {
            year -= 1;
            monday = iso_first_monday(year);
        } else if today >= iso_first_monday(year + 1) {
            year += 1;
            monday = iso_first_monday(year);
        }
        (year, (today - monday) / 7 + 1, (today - monday) % 7 + 1)
    }
    /// The date of an ISO year, week and weekday; its year may be one beyond the range.
    pub fn from_iso(year: i32, week: i32, day: i32) -> Result<Ymd, IsoError> {
        if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
            return Err(IsoError::Year);
        }
        let weeks = (iso_first_monday(year + 1) - iso_first_monday(year)) / 7;
        if !(1..=weeks).contains(&week) {
            return Err(IsoError::Week);
        }
        if !(1..=7).contains(&day) {
            return Err(IsoError::Day);
        }
        Ok(Ymd::from_ordinal(iso_first_monday(year) + (week - 1) * 7 + day - 1))
    }
}

/// A time of day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Clock {
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    pub micro: i32,
}
impl Clock {
    pub fn seconds(self) -> i32 {
        self.hour * 3600 + self.minute * 60 + self.second
    }
    pub fn micros(self) -> i64 {
        i64::from(self.seconds()) * 1_000_000 + i64::from(self.micro)
    }
    /// The time after that many microseconds of a day.
    pub fn from_micros(us: i64) -> Clock {
        let (seconds, micro) = ((us / 1_000_000) as i32, (us % 1_000_000) as i32);
        Clock { hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60, micro }
    }
}
