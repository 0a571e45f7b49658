//! Which fault met which phase of the work, counted over all runs of a test, and shown as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

#[derive(Debug, Default, Clone)]
pub struct Coverage {
    met: BTreeMap<(&'static str, &'static str), u64>,
}

impl Coverage {
    pub fn note(&mut self, fault: &'static str, phase: &'static str) {
        *self.met.entry((fault, phase)).or_default() += 1;
    }
    pub fn add(&mut self, other: &Coverage) {
        for (key, n) in &other.met {
            *self.met.entry(*key).or_default() += n;
        }
    }
    pub fn count(&self, fault: &str, phase: &str) -> u64 {
        self.met.iter().filter(|((f, p), _)| *f == fault && *p == phase).map(|(_, n)| n).sum()
    }
    pub fn faults(&self) -> BTreeSet<&'static str> {
        self.met.keys().map(|(fault, _)| *fault).collect()
    }

    /// A row for each fault, a column for each phase.
    pub fn table(&self) -> String {
        let phases: BTreeSet<&str> = self.met.keys().map(|(_, phase)| *phase).collect();
        let mut text = format!("{:<34}", "fault \\ phase");
        for phase in &phases {
            let _ = write!(text, "{phase:>10}");
        }
        text.push('\n');
        for fault in self.faults() {
            let _ = write!(text, "{fault:<34}");
            for phase in &phases {
                match self.count(fault, phase) {
                    0 => text.push_str("         ·"),
                    n => {
                        let _ = write!(text, "{n:>10}");
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}
