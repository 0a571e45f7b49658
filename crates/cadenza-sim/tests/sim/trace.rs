//! What happened in a run, line by line: a fingerprint of all of it, and the last lines in words for whoever must find out why.

use cadenza_core::time::Time;
use std::collections::VecDeque;
use std::fmt::{Arguments, Write};

/// Lines kept for a failure.
const KEPT: usize = 60;

#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: u64,
    last: VecDeque<String>,
    /// All of them, where a test compares two runs byte by byte.
    whole: Option<String>,
}

impl Trace {
    pub fn new(keep_all: bool) -> Trace {
        Trace { hash: 0xcbf2_9ce4_8422_2325, lines: 0, last: VecDeque::new(), whole: keep_all.then(String::new) }
    }

    pub fn line(&mut self, now: Time, said: Arguments<'_>) {
        // Rendering a moment in words costs more than all the rest: the number is as good for comparing.
        let mut text = String::with_capacity(96);
        let _ = write!(text, "{} ", now.micros());
        let _ = text.write_fmt(said);
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.lines += 1;
        if let Some(whole) = &mut self.whole {
            whole.push_str(&text);
            whole.push('\n');
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(text);
    }

    pub fn fingerprint(&self) -> (u64, u64) {
        (self.lines, self.hash)
    }
    pub fn whole(&self) -> &str {
        self.whole.as_deref().unwrap_or_default()
    }
    /// The last lines, or all where all were kept, each with its moment as people read it.
    pub fn tail(&self) -> String {
        let mut text = String::new();
        let whole = self.whole.as_deref().map(|whole| whole.lines().collect::<Vec<_>>());
        let last = self.last.iter().map(String::as_str).collect();
        for line in whole.unwrap_or(last) {
            let (micros, said) = line.split_once(' ').unwrap_or(("0", line));
            let at = Time::from_micros(micros.parse().unwrap_or_default());
            let _ = writeln!(text, "  {at} {said}");
        }
        text
    }
}
