//! A structural edit, seen from those who are in the sequence (SEQ-9): who moves to the new version, and where each goes on,
//! so that nobody gets a step twice by it. Values only; the moving itself is the machine's `MoveToVersion`.

use super::{Branch, Flow, Key, Step};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who moves to the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movers {
    Nobody,
    /// Those who have neither had, nor stand on, nor were led past anything that the edit changes.
    Unreached,
    Everyone,
}

impl Movers {
    pub const ALL: [Movers; 3] = [Movers::Nobody, Movers::Unreached, Movers::Everyone];

    pub fn as_str(self) -> &'static str {
        match self {
            Movers::Nobody => "nobody",
            Movers::Unreached => "unreached",
            Movers::Everyone => "everyone",
        }
    }
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Movers::Nobody => "Nobody",
            Movers::Unreached => "Who has not come to the change",
            Movers::Everyone => "Everybody",
        }
    }
    pub fn named(word: &str) -> Option<Movers> {
        Movers::ALL.into_iter().find(|m| m.as_str() == word)
    }
}

impl fmt::Display for Movers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far somebody is who is live in the sequence.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Has the first step been planned? Not while pending.
    pub begun: bool,
    /// The step of the current activity.
    pub place: Option<Key>,
    /// The step whose message's conditions are open.
    pub wait: Option<Key>,
    /// The steps that were executed.
    pub had: Vec<Key>,
}

/// What an edit does to one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Moves, and keeps the step it stands on.
    Keeps,
    /// Has not begun: begins at the flow's new first step.
    Begins { at: Key },
    /// Its step is gone: goes on at the next of the old order that is left.
    GoesOn { from: Key, at: Key },
    /// Its step is gone, and nothing that came after it is left.
    Completes { from: Key },
    /// Stays on its version: so it was chosen.
    Stays,
    /// Stays on its version: the new one would bring this step a second time.
    StaysFor { twice: Key },
}

impl Fate {
    pub fn moves(&self) -> bool {
        !matches!(self, Fate::Stays | Fate::StaysFor { .. })
    }

    /// Where the machine puts it, if its step is gone or it has not begun.
    pub fn stand(&self) -> Option<&Key> {
        match self {
            Fate::Begins { at } | Fate::GoesOn { at, .. } => Some(at),
            Fate::Keeps | Fate::Completes { .. } | Fate::Stays | Fate::StaysFor { .. } => None,
        }
    }

    /// The line of a plan for so many of them.
    pub fn line(&self, count: usize, version: u32) -> String {
        let (who, stand, they) = match count {
            1 => ("1 contact".to_owned(), "stands", "it"),
            n => (format!("{n} contacts"), "stand", "they"),
        };
        let s = if count == 1 { "s" } else { "" };
        let go = if count == 1 { "goes" } else { "go" };
        let has = if count == 1 { "has" } else { "have" };
        match self {
            Fate::Keeps => format!("{who} move{s} to the new version and keep{s} the place"),
            Fate::Begins { at } => format!("{who} {has} not begun: {they} begin{s} at step {at}"),
            Fate::GoesOn { from, at } => {
                format!("{who} {stand} on the deleted step {from}: {they} {go} on at step {at}")
            }
            Fate::Completes { from } => {
                format!(
                    "{who} {stand} on the deleted step {from} and nothing comes after it: {they} complete{s} the sequence"
                )
            }
            Fate::Stays => format!("{who} stay{s} on version {version}"),
            Fate::StaysFor { twice } => {
                format!("{who} {has} had step {twice}, which would now come again: {they} stay{s} on version {version}")
            }
        }
    }
}

/// The way from one version of a flow to another.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    pub old: &'a Flow,
    pub new: &'a Flow,
}

impl Edit<'_> {
    /// What becomes of one that stands like this on the old version.
    pub fn fate(&self, standing: &Standing, movers: Movers) -> Fate {
        match movers {
            Movers::Nobody => return Fate::Stays,
            Movers::Unreached if self.has_reached(standing) => return Fate::Stays,
            Movers::Unreached | Movers::Everyone => {}
        }
        let first = |flow: &Flow| flow.first().map(|s| s.step.key.clone());
        if !standing.begun
            && let (Some(old), Some(at)) = (first(self.old), first(self.new))
            && standing.place.as_ref().is_none_or(|place| *place == old)
        {
            return if at == old { Fate::Keeps } else { Fate::Begins { at } };
        }
        // An open wait with no activity beside it stands on the step that was sent.
        let Some(place) = standing.place.as_ref().or(standing.wait.as_ref()) else { return Fate::Keeps };
        let fate = if self.new.spot(place).is_some() { Fate::Keeps } else { self.goes_on(place) };
        match self.twice(standing, place, &fate) {
            Some(twice) => Fate::StaysFor { twice },
            None => fate,
        }
    }

    /// Steps that keep their key and change their kind: what was done of them can be told no more.
    pub fn changed_kinds(&self) -> Vec<(Key, &'static str, &'static str)> {
        let pairs = self.new.steps().filter_map(|new| self.old.spot(&new.key).map(|old| (old.step, new)));
        let changed = pairs.filter(|(old, new)| old.kind != new.kind);
        changed.map(|(old, new)| (new.key.clone(), old.kind.as_str(), new.kind.as_str())).collect()
    }

    fn goes_on(&self, gone: &Key) -> Fate {
        let from = gone.clone();
        let left = after(self.old, gone).find(|step| self.new.spot(&step.key).is_some());
        match left {
            Some(step) => Fate::GoesOn { from, at: step.key.clone() },
            None => Fate::Completes { from },
        }
    }

    /// A step that it has had and that would follow now, but did not before.
    fn twice(&self, standing: &Standing, place: &Key, fate: &Fate) -> Option<Key> {
        let stand = fate.stand().unwrap_or(place);
        // Where it goes on at another step, that one comes too.
        let here = self.new.spot(stand).filter(|_| stand != place).map(|s| s.step);
        let mut comes = here.into_iter().chain(after(self.new, stand));
        let came = |key: &Key| after(self.old, place).any(|s| s.key == *key);
        comes.find(|s| standing.had.contains(&s.key) && !came(&s.key)).map(|s| s.key.clone())
    }

    fn has_reached(&self, standing: &Standing) -> bool {
        if !standing.begun {
            return false;
        }
        let mut steps = standing.had.iter().chain(&standing.place).chain(&standing.wait);
        steps.any(|key| self.is_changed(key))
    }

    /// Does a step stand at or behind the first difference of its branch?
    fn is_changed(&self, key: &Key) -> bool {
        let Some(spot) = self.old.spot(key) else { return false };
        let same = match self.new.branch(&spot.branch.key) {
            Some(new) => same_beginning(spot.branch, new),
            None => 0,
        };
        spot.index >= same
    }
}

/// The steps behind one in its branch.
fn after<'a>(flow: &'a Flow, key: &Key) -> impl Iterator<Item = &'a Step> + use<'a> {
    let spot = flow.spot(key);
    spot.map_or(&[][..], |s| s.branch.steps.get(s.index + 1..).unwrap_or_default()).iter()
}

/// How many steps two branches share from their beginning.
fn same_beginning(old: &Branch, new: &Branch) -> usize {
    let same = |(a, b): &(&Step, &Step)| (&a.key, a.kind, &a.conditions) == (&b.key, b.kind, &b.conditions);
    old.steps.iter().zip(&new.steps).take_while(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file::parse;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    /// One branch of calls with these keys.
    fn flow(version: u32, keys: &str) -> Flow {
        let steps = keys.split(' ').map(|k| format!("[[branch.step]]\nkey = \"{k}\"\nkind = \"call\"\n"));
        let text = format!("name = \"F\"\n[[branch]]\nkey = \"main\"\n{}", steps.collect::<String>());
        Flow { version, branches: parse(&text).unwrap().branches }
    }

    fn at(place: &str, had: &str) -> Standing {
        let had = had.split_whitespace().map(key).collect();
        Standing { begun: true, place: Some(key(place)), wait: None, had }
    }

    fn fate(old: &str, new: &str, standing: &Standing, movers: Movers) -> Fate {
        let (old, new) = (flow(1, old), flow(2, new));
        Edit { old: &old, new: &new }.fate(standing, movers)
    }

    #[test]
    fn who_stands_on_a_deleted_step_goes_on_at_the_next_that_is_left() {
        let goes_on = |at: &str| Fate::GoesOn { from: key("b"), at: key(at) };
        assert_eq!(fate("a b c", "a c", &at("b", "a"), Movers::Everyone), goes_on("c"));
        assert_eq!(fate("a b c d", "a d", &at("b", "a"), Movers::Everyone), goes_on("d"));
        let none_left = fate("a b", "a", &at("b", "a"), Movers::Everyone);
        assert_eq!(none_left, Fate::Completes { from: key("b") });
        assert_eq!(fate("a b", "a x", &at("b", "a"), Movers::Everyone), Fate::Completes { from: key("b") }, "x is new");
    }

    #[test]
    fn who_stands_on_a_step_that_stays_keeps_it() {
        assert_eq!(fate("a b c", "a x b c", &at("b", "a"), Movers::Everyone), Fate::Keeps);
        assert_eq!(fate("a b c", "a b", &at("a", ""), Movers::Everyone), Fate::Keeps);
    }

    #[test]
    fn nobody_gets_a_step_twice() {
        let stays = |twice: &str| Fate::StaysFor { twice: key(twice) };
        // Reordered: what was had would follow again.
        assert_eq!(fate("a b c", "a c b", &at("c", "a b"), Movers::Everyone), stays("b"));
        // Deleted under their feet and reordered at once.
        assert_eq!(fate("a b c d", "a d b", &at("c", "a b"), Movers::Everyone), stays("b"));
        assert_eq!(fate("a b c", "c a b", &at("b", "a"), Movers::Everyone), Fate::Keeps, "a is behind it in both");
        // A step that a person jumped back to comes again by that jump, not by the edit.
        assert_eq!(fate("a b c", "a b c d", &at("a", "a b"), Movers::Everyone), Fate::Keeps);
    }

    #[test]
    fn only_those_before_the_change_are_unreached() {
        let unreached = |old: &str, new: &str, s: &Standing| fate(old, new, s, Movers::Unreached);
        assert_eq!(unreached("a b c", "a b x c", &at("b", "a")), Fate::Keeps);
        assert_eq!(unreached("a b c", "a b x c", &at("c", "a b")), Fate::Stays, "x would be left out");
        assert_eq!(unreached("a b c", "a c", &at("b", "a")), Fate::Stays);
        assert_eq!(unreached("a b c", "a b c d", &at("c", "a b")), Fate::Keeps);
        let waiting = Standing { place: None, wait: Some(key("b")), ..at("b", "a b") };
        assert_eq!(unreached("a b", "a c", &waiting), Fate::Stays);
        assert_eq!(fate("a b", "a b c", &at("a", ""), Movers::Nobody), Fate::Stays);
    }

    #[test]
    fn who_has_not_begun_begins_at_the_new_first_step() {
        let pending = Standing { begun: false, place: Some(key("a")), ..Standing::default() };
        let begins = Fate::Begins { at: key("x") };
        assert_eq!(fate("a b", "x a b", &pending, Movers::Unreached), begins);
        assert_eq!(fate("a b", "x b", &pending, Movers::Everyone), begins);
        assert_eq!(fate("a b", "a c", &pending, Movers::Unreached), Fate::Keeps);
        assert_eq!(fate("a b", "x a", &pending, Movers::Nobody), Fate::Stays);
        // One that a person put on another first step stays there.
        let put = Standing { place: Some(key("b")), ..pending };
        assert_eq!(fate("a b c", "x b c", &put, Movers::Everyone), Fate::Keeps);
    }

    #[test]
    fn a_kept_key_keeps_its_kind() {
        let old = flow(1, "a b");
        let mut new = flow(2, "a b");
        new.branches[0].steps[1].kind = crate::flow::StepKind::Task;
        assert_eq!(Edit { old: &old, new: &new }.changed_kinds(), [(key("b"), "call", "task")]);
    }

    #[test]
    fn the_lines_of_a_plan() {
        let goes_on = Fate::GoesOn { from: key("b"), at: key("c") };
        assert_eq!(goes_on.line(12, 1), "12 contacts stand on the deleted step b: they go on at step c");
        assert_eq!(goes_on.line(1, 1), "1 contact stands on the deleted step b: it goes on at step c");
        assert_eq!(Fate::Stays.line(3, 2), "3 contacts stay on version 2");
    }
}
