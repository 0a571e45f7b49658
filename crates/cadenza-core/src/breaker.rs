//! When a sequence or a mailbox stops of its own accord, because too much of what it sends bounces or is complained about
//! (SND-10). Counting is the store's; here is the verdict on what was counted.

use crate::settings::Breaker;

/// What was sent within the window of days, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrackRecord {
    /// Mails that a server took or refused for the recipient's sake.
    pub mails: i64,
    pub bounces: i64,
    pub complaints: i64,
}

impl Breaker {
    /// Why nothing more is to be sent, in words for whoever has to look at it. A share of 0 switches that half off.
    pub fn trips(&self, record: TrackRecord) -> Option<String> {
        let over = |n: i64, floor: u32, share: u32| {
            share > 0 && n > 0 && record.mails >= i64::from(floor) && n * 1_000 > record.mails * i64::from(share)
        };
        let told = |n: i64, floor: u32, share: u32, what: &str| {
            format!(
                "{n} of {} mails {what} within {} days ({}); it pauses above {} of at least {floor}",
                record.mails,
                self.days,
                percent((n * 1_000).checked_div(record.mails).unwrap_or_default()),
                percent(i64::from(share)),
            )
        };
        if over(record.complaints, self.complaints_floor, self.complaints_per_mille) {
            return Some(told(
                record.complaints,
                self.complaints_floor,
                self.complaints_per_mille,
                "were complained about",
            ));
        }
        over(record.bounces, self.bounces_floor, self.bounces_per_mille)
            .then(|| told(record.bounces, self.bounces_floor, self.bounces_per_mille, "bounced"))
    }
}

/// Thousandths as a percentage.
fn percent(per_mille: i64) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(mails: i64, bounces: i64, complaints: i64) -> TrackRecord {
        TrackRecord { mails, bounces, complaints }
    }

    #[test]
    fn it_trips_above_its_share_and_not_below_its_floor() {
        let breaker = Breaker::default();
        assert_eq!(breaker.trips(record(49, 49, 0)), None, "too few for a verdict");
        assert_eq!(breaker.trips(record(100, 5, 0)), None, "the share itself is allowed");
        let why = breaker.trips(record(100, 6, 0)).unwrap();
        assert_eq!(why, "6 of 100 mails bounced within 7 days (6.0 %); it pauses above 5.0 % of at least 50");
        assert_eq!(breaker.trips(record(999, 0, 30)), None, "too few for a verdict on complaints");
        let why = breaker.trips(record(2_000, 0, 3)).unwrap();
        assert!(why.starts_with("3 of 2000 mails were complained about within 7 days (0.1 %)"), "{why}");
    }

    #[test]
    fn a_share_of_nothing_switches_it_off() {
        let off = Breaker { bounces_per_mille: 0, complaints_per_mille: 0, ..Breaker::default() };
        assert_eq!(off.trips(record(5_000, 5_000, 5_000)), None);
    }
}
