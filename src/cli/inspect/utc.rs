//! Seconds since the epoch as dates for people.

const SECONDS_A_DAY: i64 = 24 * 60 * 60;
const YEARS_A_CYCLE: i64 = 400;
/// In the Gregorian calendar, the days of any 400 years in a row.
const DAYS_A_CYCLE: i64 = 146_097;
/// From 1 March of the year 0 to 1 January 1970.
const DAYS_TO_THE_EPOCH: i64 = 719_468;

/// `2023-11-14 22:13:20 UTC`, fractions of the second cut off; `None` outside
/// the years 0 to 9999.
pub(super) fn date(seconds: f64) -> Option<String> {
    let seconds = seconds.floor();
    // Far more than the years that can be told, far less than what overflows.
    if seconds.abs() > 1e12 {
        return None;
    }
    let seconds = seconds as i64;
    let (day, second) = (
        seconds.div_euclid(SECONDS_A_DAY),
        seconds.rem_euclid(SECONDS_A_DAY),
    );
    let (year, month, day) = year_month_day(day);
    (0..=9999).contains(&year).then(|| {
        format!(
            "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    })
}

/// The date of a day, counted from the epoch.
///
/// Years start in March here, so that a leap day is the last of its year, and
/// nothing behind it moves.
fn year_month_day(day: i64) -> (i64, i64, i64) {
    let day = day + DAYS_TO_THE_EPOCH;
    let cycle = day.div_euclid(DAYS_A_CYCLE);
    let mut day = day.rem_euclid(DAYS_A_CYCLE);
    // The last century of a cycle, and the last four years of a century, are
    // a day longer or shorter; the last day belongs to the year before.
    let century = (day / 36_524).min(3);
    day -= century * 36_524;
    let leap = day / 1_461;
    day -= leap * 1_461;
    let year = (day / 365).min(3);
    day -= year * 365;
    let mut year = cycle * YEARS_A_CYCLE + century * 100 + leap * 4 + year;
    let mut month = 0;
    const FROM_MARCH: [i64; 12] = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29];
    while day >= FROM_MARCH[month] {
        day -= FROM_MARCH[month];
        month += 1;
    }
    let month = (month as i64 + 2) % 12 + 1;
    if month <= 2 {
        year += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        for (seconds, expected) in [
            (0.0, "1970-01-01 00:00:00 UTC"),
            (-0.5, "1969-12-31 23:59:59 UTC"),
            (951_782_400.0, "2000-02-29 00:00:00 UTC"),
            (1_700_000_000.9, "2023-11-14 22:13:20 UTC"),
            (4_107_542_399.0, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400.0, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799.0, "9999-12-31 23:59:59 UTC"),
            (-62_167_219_200.0, "0000-01-01 00:00:00 UTC"),
        ] {
            assert_eq!(date(seconds).as_deref(), Some(expected), "{seconds}");
        }
        for seconds in [253_402_300_800.0, -62_167_219_201.0, 1e300, -1e300] {
            assert_eq!(date(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1600, 1, 1);
        for number in -135_140..=200_000 {
            assert_eq!(year_month_day(number), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > days {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }
}
