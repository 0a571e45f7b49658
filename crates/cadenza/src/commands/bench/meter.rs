//! What this process has used so far, as Linux tells it. Elsewhere there are no figures, and none are made up.

use crate::clock::{Clock, Stopwatch};
use std::fs;

/// Ticks of a second in /proc; fixed at 100 in Linux's interface to programs (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A stretch of work that is being measured.
#[derive(Debug)]
pub struct Stretch {
    watch: Stopwatch,
    cpu_before: Option<f64>,
}

/// What a stretch of work took.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub seconds: f64,
    /// Of this process: the database's too where it is a file, else not.
    pub cpu_seconds: Option<f64>,
}

impl Stretch {
    pub fn begin(clock: &Clock) -> Stretch {
        let cpu_before = cpu_seconds();
        Stretch { watch: clock.stopwatch(), cpu_before }
    }
    pub fn end(self) -> Spent {
        let seconds = self.watch.elapsed().as_secs_f64();
        Spent { seconds, cpu_seconds: cpu_seconds().zip(self.cpu_before).map(|(now, before)| now - before) }
    }
}

impl Spent {
    /// So many a second.
    pub fn rate(&self, done: i64) -> f64 {
        (done as f64 / self.seconds).round()
    }
    /// Processor seconds for a thousand.
    pub fn cpu_s_per_1k(&self, done: i64) -> Option<f64> {
        self.cpu_seconds.map(|s| rounded(s * 1_000.0 / done as f64))
    }
}

/// Three digits behind the point.
pub fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// A figure for people; it is not known everywhere.
pub fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |v| v.to_string())
}

/// Seconds of processor time, of all threads, in the program and in the kernel for it.
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets and may hold anything; utime and stime are fields 14 and 15.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// The most memory that it ever held at once, in whole MB of 1,000,000 bytes.
pub fn peak_memory_mb() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((kib * 1024.0 / 1_000_000.0).round())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_something() {
        assert!(cpu_seconds().is_some_and(|s| (0.0..1e6).contains(&s)));
        assert!(peak_memory_mb().is_some_and(|mb| (1.0..1e6).contains(&mb)));
    }
}
