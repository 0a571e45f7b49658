//! When work may run: zones, windows, holidays, delays and quiet hours (TIM-1 to TIM-3, TIM-6, SND-7). Everything is asked
//! with a moment and answers with one; nothing here knows what time it is, reads a file, or counts sends (that is pacing).
//!
//! One rule holds for every local time: one that does not exist (a gap) means the first moment after it, one that occurs
//! twice (a fold) means the first of the two, and what the clock shows again is not used again.

mod date;
mod days;
mod delay;
mod elapsed;
mod holiday_form;
mod holidays;
mod minute;
mod opening;
mod quiet;
mod text;
mod tzdb;
mod window;
mod zone;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod stories;

pub use date::{Date, InvalidDate};
pub use days::{Days, InvalidDays, Weekday};
pub use delay::{Delay, DelayUnit, InvalidDelay};
pub use holidays::{HolidayDate, Holidays, InvalidHolidayDate};
pub use minute::{InvalidMinute, LocalMinute};
pub use opening::{Calendar, Closure, NeverOpens, NeverOpensCause, Shut};
pub use quiet::{AlwaysQuiet, InvalidQuiet, Quiet};
pub use tzdb::{InvalidZoneData, all_zone_names, install_zones, tzdb_version};
pub use window::{InvalidWindow, Window};
pub use zone::{InvalidZone, Wall, Zone};
