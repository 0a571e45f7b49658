//! Where everything of a flow's picture stands. Columns are branches; a branch begins below the step that leads to it. Knows
//! numbers and words, no SVG but the paths of arrows.

use super::Shown;
use cadenza_core::calendar::{Delay, DelayUnit};
use cadenza_core::flow::{Condition, Flow, Key, Step, Then, Verdict, When};
use std::collections::HashMap;

pub const CARD_WIDTH: i32 = 248;
/// The part of a card above its conditions.
pub const HEAD_HEIGHT: i32 = 44;
pub const LINE_HEIGHT: i32 = 22;
const COLUMN_GAP: i32 = 72;
const ROW_GAP: i32 = 38;
const MARGIN: i32 = 16;
const TITLE_HEIGHT: i32 = 22;
/// Between the arrows that run side by side between two columns, or below the cards.
const LANE: i32 = 9;

/// All of a picture, in pixels.
#[derive(Debug)]
pub struct Layout<'a> {
    pub width: i32,
    pub height: i32,
    /// Names of branches: x, y of the base line, text.
    pub titles: Vec<(i32, i32, String)>,
    pub cards: Vec<Card<'a>>,
    pub edges: Vec<Edge>,
}

/// One step.
#[derive(Debug)]
pub struct Card<'a> {
    pub step: &'a Step,
    pub x: i32,
    pub y: i32,
    pub column: usize,
    /// Its place in the branch, from 1, and how many there are.
    pub number: (usize, usize),
    pub lines: Vec<Line>,
    /// How often the enrollment executed it.
    pub visits: usize,
}

/// One condition that does not simply go on.
#[derive(Debug)]
pub struct Line {
    pub text: String,
    pub taken: bool,
    /// Where it ends instead of leading on.
    pub end: Option<End>,
    pub target: Option<Key>,
    pub target_name: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub text: String,
    pub tone: &'static str,
}

/// One arrow.
#[derive(Debug)]
pub struct Edge {
    pub path: String,
    pub taken: bool,
    /// x, y and the words beside it.
    pub label: Option<(i32, i32, String)>,
}

impl Card<'_> {
    pub fn height(&self) -> i32 {
        HEAD_HEIGHT + LINE_HEIGHT * i32::try_from(self.lines.len()).unwrap_or(0)
    }
    /// "2 of 5 · Call".
    pub fn numbered(&self) -> String {
        format!("{} of {} · {}", self.number.0, self.number.1, self.step.kind.label())
    }
    fn line_y(&self, i: usize) -> i32 {
        self.y + HEAD_HEIGHT + LINE_HEIGHT * i32::try_from(i).unwrap_or(0) + LINE_HEIGHT / 2
    }
}

impl<'a> Layout<'a> {
    pub fn of(flow: &'a Flow, shown: &Shown) -> Layout<'a> {
        let mut cards: Vec<Card<'a>> = Vec::new();
        let mut titles = Vec::new();
        for (column, branch) in flow.branches.iter().enumerate() {
            let x = MARGIN + (CARD_WIDTH + COLUMN_GAP) * i32::try_from(column).unwrap_or(0);
            let mut y = begin_of(branch.steps.first().map(|s| &s.key), &cards);
            if flow.branches.len() > 1 {
                titles.push((x, y + 12, branch.name.clone()));
                y += TITLE_HEIGHT;
            }
            for (i, step) in branch.steps.iter().enumerate() {
                let lines = step.conditions.iter().filter_map(|c| line_of(flow, c)).collect();
                let visits = shown.path.iter().filter(|k| **k == step.key).count();
                let card = Card { step, x, y, column, number: (i + 1, branch.steps.len()), lines, visits };
                y += card.height() + ROW_GAP;
                cards.push(card);
            }
        }
        let moves = moves(shown);
        let bottom = cards.iter().map(|c| c.y + c.height()).max().unwrap_or(0);
        let mut edges = downward(&cards, &moves);
        let (sideward, below) = sideward(&mut cards, &moves, bottom);
        edges.extend(sideward);
        let width = cards.iter().map(|c| c.x + CARD_WIDTH).max().unwrap_or(0) + COLUMN_GAP / 2;
        Layout { width: width.max(2 * MARGIN), height: (below + MARGIN).max(2 * MARGIN), titles, cards, edges }
    }
}

/// How often the enrollment went from one step straight to another.
fn moves(shown: &Shown) -> HashMap<(&Key, &Key), usize> {
    let mut walked: Vec<&Key> = shown.path.iter().collect();
    // The current step stands last; a step that was executed and waits for its conditions is not gone to again.
    if let Some(place) = &shown.place
        && walked.last() != Some(&place)
    {
        walked.push(place);
    }
    let mut moves = HashMap::new();
    for pair in walked.windows(2) {
        *moves.entry((pair[0], pair[1])).or_default() += 1;
    }
    moves
}

/// A branch begins beside the condition that leads to its first step, the main one at the top.
fn begin_of(first: Option<&Key>, cards: &[Card<'_>]) -> i32 {
    let source = cards.iter().find(|c| c.lines.iter().any(|l| l.target.is_some() && l.target.as_ref() == first));
    source.map_or(MARGIN, |c| c.y)
}

fn line_of(flow: &Flow, condition: &Condition) -> Option<Line> {
    let (target, end) = match &condition.then {
        // Going on is what the arrow downwards says.
        Then::Next => (None, None),
        Then::Step { step, .. } => (Some(step.clone()), None),
        Then::Branch { branch, .. } => (flow.start_of_branch(branch).map(|s| s.step.key.clone()), None),
        Then::End(verdict) => (None, Some(ending(*verdict))),
        Then::Pause => (None, Some(End { text: "Pauses".into(), tone: "amber" })),
        Then::OptOut => (None, Some(End { text: "Opts out".into(), tone: "red" })),
    };
    if target.is_none() && end.is_none() && condition.also.is_empty() {
        return None;
    }
    let mut text = when_text(&condition.when);
    if let Some(within) = condition.within {
        text.push_str(&format!(" · {}", short(within)));
    }
    if !condition.also.is_empty() {
        text.push_str(" +");
    }
    let target_name = target.as_ref().and_then(|k| flow.spot(k)).map(|s| s.step.content.name.clone());
    Some(Line { text, taken: false, end, target, target_name })
}

/// "3 d", "2 business d".
fn short(delay: Delay) -> String {
    let unit = match delay.unit() {
        DelayUnit::Minutes => "min",
        DelayUnit::Hours => "h",
        DelayUnit::Days => "d",
        DelayUnit::BusinessDays => "business d",
    };
    format!("{} {unit}", delay.amount())
}

fn ending(verdict: Verdict) -> End {
    let (text, tone) = match verdict {
        Verdict::Positive => ("Ends: positive", "green"),
        Verdict::Negative => ("Ends: negative", "red"),
        Verdict::None => ("Ends", "grey"),
    };
    End { text: text.into(), tone }
}

/// What a condition waits for, in words.
pub fn when_text(when: &When) -> String {
    match when {
        When::Opened => "Opened".into(),
        When::Clicked(None) => "Clicked".into(),
        When::Clicked(Some(_)) => "Clicked a link".into(),
        When::Replied => "Replied".into(),
        When::Bounced => "Bounced".into(),
        When::Unsubscribed => "Unsubscribed".into(),
        When::Delivered => "Delivered".into(),
        When::Failed => "Failed".into(),
        When::Nothing => "Nothing".into(),
        When::Outcome(outcome) => outcome.label(),
    }
}

/// The arrows from each card to the one below it, with its delay.
fn downward(cards: &[Card<'_>], moves: &HashMap<(&Key, &Key), usize>) -> Vec<Edge> {
    cards
        .windows(2)
        .filter(|pair| pair[0].column == pair[1].column)
        .map(|pair| {
            let (from, to) = (&pair[0], &pair[1]);
            let x = from.x + 21;
            let delay = to.step.content.delay;
            let words = if delay.is_none() { "at once".to_owned() } else { format!("after {delay}") };
            Edge {
                path: format!("M{x} {}V{}", from.y + from.height(), to.y),
                taken: moves.contains_key(&(&from.step.key, &to.step.key)),
                label: Some((x + 11, to.y - ROW_GAP / 2 + 4, words)),
            }
        })
        .collect()
}

/// The arrows of conditions. Each leaves its own line at the side where its target is and has a lane of its own between the
/// columns; where other columns stand between, it goes below all cards. Answers how far down that is.
fn sideward(cards: &mut [Card<'_>], moves: &HashMap<(&Key, &Key), usize>, bottom: i32) -> (Vec<Edge>, i32) {
    let spots: HashMap<Key, (i32, i32, usize)> =
        cards.iter().map(|c| (c.step.key.clone(), (c.x, c.y, c.column))).collect();
    // By the column at the left of the gap.
    let mut lanes: HashMap<usize, i32> = HashMap::new();
    let mut edges = Vec::new();
    let mut below = bottom;
    for card in cards {
        for i in 0..card.lines.len() {
            let y = card.line_y(i);
            let line = &mut card.lines[i];
            let Some((key, (to_x, to_y, to))) = line.target.as_ref().and_then(|k| Some((k, *spots.get(k)?))) else {
                continue;
            };
            line.taken = moves.contains_key(&(&card.step.key, key));
            let enter_y = to_y + HEAD_HEIGHT / 2;
            let mut lane = |gap: usize| {
                let n = lanes.entry(gap).or_default();
                *n += 1;
                MARGIN
                    + i32::try_from(gap).unwrap_or(0) * (CARD_WIDTH + COLUMN_GAP)
                    + CARD_WIDTH
                    + 14
                    + (*n - 1) % 5 * LANE
            };
            let right = card.x + CARD_WIDTH;
            let path = if to == card.column {
                format!("M{right} {y}H{}V{enter_y}H{}", lane(to), to_x + CARD_WIDTH)
            } else if to == card.column + 1 {
                format!("M{right} {y}H{}V{enter_y}H{to_x}", lane(card.column))
            } else if to + 1 == card.column {
                format!("M{} {y}H{}V{enter_y}H{}", card.x, lane(to), to_x + CARD_WIDTH)
            } else {
                below += LANE + 3;
                if to > card.column {
                    format!("M{right} {y}H{}V{below}H{}V{enter_y}H{to_x}", lane(card.column), lane(to - 1))
                } else {
                    format!(
                        "M{} {y}H{}V{below}H{}V{enter_y}H{}",
                        card.x,
                        lane(card.column - 1),
                        lane(to),
                        to_x + CARD_WIDTH
                    )
                }
            };
            edges.push(Edge { path, taken: line.taken, label: None });
        }
    }
    (edges, below)
}
