//! What is to happen, by its moment; of one moment, what was entered first happens first.

use cadenza_core::time::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

#[derive(Debug)]
pub struct Agenda<T> {
    order: BinaryHeap<Reverse<(Time, u64)>>,
    what: BTreeMap<u64, T>,
    entered: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Agenda { order: BinaryHeap::new(), what: BTreeMap::new(), entered: 0 }
    }
}

impl<T> Agenda<T> {
    pub fn enter(&mut self, at: Time, what: T) {
        self.entered += 1;
        self.order.push(Reverse((at, self.entered)));
        self.what.insert(self.entered, what);
    }
    pub fn next_at(&self) -> Option<Time> {
        self.order.peek().map(|Reverse((at, _))| *at)
    }
    pub fn next(&mut self) -> Option<(Time, T)> {
        let Reverse((at, number)) = self.order.pop()?;
        self.what.remove(&number).map(|what| (at, what))
    }
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.what.values()
    }
}
