//! The Date header (RFC 5322 §3.3). Knows no zone rules: the offset that held at the moment is given.

use crate::time::Time;
use jiff::tz::Offset;
use std::io::Write;

/// The last second that is written, 9999-12-29T22:00Z: on every clock the year still has four digits.
const LAST_SECOND: i64 = 253_402_120_800;
/// RFC 5322 can write ±99:59; no clock on earth needs more than a day.
const OFFSET_MINUTES_MAX: i16 = 23 * 60 + 59;

/// When a letter says it was written: a moment and how far the writer's clock was from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentAt {
    pub at: Time,
    /// East of Greenwich is positive; clamped to ±23:59 when written.
    pub offset_minutes: i16,
}

impl SentAt {
    pub fn utc(at: Time) -> SentAt {
        SentAt { at, offset_minutes: 0 }
    }
}

/// Appends `Mon, 01 Mar 2027 10:00:00 +0100`. Moments before 1970 and after 9999 are written as the
/// nearest between.
pub(super) fn write_date(out: &mut Vec<u8>, sent: SentAt) {
    let offset = sent.offset_minutes.clamp(-OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX);
    let seconds = sent.at.seconds().clamp(0, LAST_SECOND) + i64::from(offset) * 60;
    let local = Offset::UTC.to_datetime(Time::from_seconds(seconds).to_jiff());
    let weekday = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from((local.month() - 1).unsigned_abs());
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.unsigned_abs() / 60, offset.unsigned_abs() % 60);
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} {sign}{hours:02}{minutes:02}",
        &"MonTueWedThuFriSatSun"[weekday * 3..weekday * 3 + 3],
        local.day(),
        &"JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3..month * 3 + 3],
        local.year(),
        local.hour(),
        local.minute(),
        local.second(),
    );
}
