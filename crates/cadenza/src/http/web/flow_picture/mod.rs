//! A flow as a picture (FLOW-7, SQP-1): branches as columns, steps as cards, conditions as lines of a card with an arrow to
//! where they lead; and for one enrollment the path it took and the place where it stands. An SVG drawn by the server,
//! coloured by the style sheet. `layout` says what stands where; this file draws it.

mod layout;

use super::kind::KindIcon;
use super::parts::{Escaped, Icon, count};
use cadenza_core::flow::{Flow, Key};
use layout::{CARD_WIDTH, Card, Edge, HEAD_HEIGHT, LINE_HEIGHT, Layout};
use std::collections::HashMap;
use std::fmt::{self, Write};

/// Letters of the small type that fit in a card, about.
const LETTERS: usize = 31;

/// What a picture shows beside the flow itself.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The steps that the enrollment executed, oldest first; a loop visits one again.
    pub path: Vec<Key>,
    /// Where it stands.
    pub place: Option<Key>,
    /// How many enrollments stand at each step and how many passed it.
    pub counts: HashMap<Key, StepCount>,
    /// Makes each card a link: this, then the step's key.
    pub link: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepCount {
    pub here: u64,
    pub done: u64,
}

/// The SVG.
pub fn draw(flow: &Flow, shown: &Shown) -> String {
    let layout = Layout::of(flow, shown);
    let mut svg = String::with_capacity(4096);
    // Writing to a string does not fail.
    let _ = write_svg(&mut svg, &layout, shown);
    svg
}

fn write_svg(out: &mut String, layout: &Layout<'_>, shown: &Shown) -> fmt::Result {
    let (w, h) = (layout.width, layout.height);
    write!(
        out,
        "<svg class=\"flow\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"The flow\">"
    )?;
    out.push_str("<defs>");
    for (id, class) in [("arrow", "arrow"), ("arrow-taken", "arrow taken")] {
        write!(
            out,
            "<marker id=\"{id}\" class=\"{class}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M1 1 7 4 1 7Z\"/></marker>"
        )?;
    }
    out.push_str("</defs>");
    // What is taken lies above what is not.
    for taken in [false, true] {
        for edge in layout.edges.iter().filter(|e| e.taken == taken) {
            write_edge(out, edge)?;
        }
    }
    for (x, y, name) in &layout.titles {
        write!(out, "<text class=\"branch\" x=\"{x}\" y=\"{y}\">{}</text>", Escaped(&cut(name, LETTERS)))?;
    }
    for card in &layout.cards {
        write_card(out, card, shown)?;
    }
    out.push_str("</svg>");
    Ok(())
}

fn write_edge(out: &mut String, edge: &Edge) -> fmt::Result {
    let (class, marker) = if edge.taken { ("edge taken", "arrow-taken") } else { ("edge", "arrow") };
    write!(out, "<path class=\"{class}\" d=\"{}\" marker-end=\"url(#{marker})\"/>", edge.path)?;
    if let Some((x, y, text)) = &edge.label {
        write!(out, "<text class=\"delay\" x=\"{x}\" y=\"{y}\">{}</text>", Escaped(text))?;
    }
    Ok(())
}

fn write_card(out: &mut String, card: &Card<'_>, shown: &Shown) -> fmt::Result {
    let (x, y, height) = (card.x, card.y, card.height());
    let here = shown.place.as_ref() == Some(&card.step.key);
    let class = match (here, card.visits > 0) {
        (true, _) => "card here",
        (false, true) => "card passed",
        (false, false) => "card",
    };
    let link = shown.link.as_ref().map(|base| format!("{base}{}", card.step.key));
    if let Some(href) = &link {
        write!(out, "<a href=\"{}\">", Escaped(href))?;
    }
    let name = if card.step.content.name.is_empty() { card.step.kind.label() } else { &card.step.content.name };
    write!(
        out,
        "<g class=\"{class}\" transform=\"translate({x} {y})\"><title>{}</title>",
        Escaped(&about(card, here))
    )?;
    write!(out, "<rect class=\"box\" width=\"{CARD_WIDTH}\" height=\"{height}\" rx=\"9\"/>")?;
    let counted = shown.counts.get(&card.step.key).is_some_and(|n| n.here > 0);
    let letters = if counted { LETTERS - 14 } else { LETTERS - 8 };
    let kind = KindIcon(card.step.kind);
    let sprite = crate::http::assets::url("icons.svg");
    write!(
        out,
        "<g class=\"kind {}\"><rect x=\"10\" y=\"11\" width=\"22\" height=\"22\" rx=\"6\"/>\
         <svg class=\"icon\" x=\"14\" y=\"15\" width=\"14\" height=\"14\" viewBox=\"0 0 16 16\"><use href=\"{sprite}#{}\"/></svg></g>",
        kind.class(),
        kind.icon()
    )?;
    write!(out, "<text class=\"name\" x=\"42\" y=\"20\">{}</text>", Escaped(&cut(name, letters)))?;
    write!(out, "<text class=\"kind-name\" x=\"42\" y=\"35\">{}</text>", Escaped(&card.numbered()))?;
    write_marks(out, card, here, shown)?;
    for (i, line) in card.lines.iter().enumerate() {
        let top = HEAD_HEIGHT + LINE_HEIGHT * i as i32;
        let class = if line.taken { "line taken" } else { "line" };
        write!(out, "<path class=\"rule\" d=\"M0 {top}H{CARD_WIDTH}\"/>")?;
        write!(
            out,
            "<text class=\"{class}\" x=\"12\" y=\"{}\">{}</text>",
            top + 15,
            Escaped(&cut(&line.text, LETTERS + 3))
        )?;
        if let Some(end) = &line.end {
            write!(
                out,
                "<text class=\"{class} end {}\" x=\"{}\" y=\"{}\">{}</text>",
                end.tone,
                CARD_WIDTH - 10,
                top + 15,
                end.text
            )?;
        }
    }
    out.push_str("</g>");
    if link.is_some() {
        out.push_str("</a>");
    }
    Ok(())
}

/// At the upper right: where it stands, that it was passed, or how many are here.
fn write_marks(out: &mut String, card: &Card<'_>, here: bool, shown: &Shown) -> fmt::Result {
    let right = CARD_WIDTH - 10;
    if here {
        return write!(
            out,
            "<g class=\"tag\"><rect x=\"{}\" y=\"-8\" width=\"42\" height=\"16\" rx=\"8\"/><text x=\"{}\" y=\"4\">Here</text></g>",
            right - 42,
            right - 21
        );
    }
    if card.visits > 0 {
        let icon = Icon("check")
            .to_string()
            .replace("<svg ", &format!("<svg x=\"{}\" y=\"14\" width=\"14\" height=\"14\" ", right - 14));
        out.push_str(&icon);
        if card.visits > 1 {
            write!(out, "<text class=\"count\" x=\"{}\" y=\"26\">{}×</text>", right - 18, card.visits)?;
        }
    }
    if let Some(n) = shown.counts.get(&card.step.key) {
        if n.here > 0 {
            write!(out, "<text class=\"count strong\" x=\"{right}\" y=\"20\">{} here</text>", count(n.here))?;
        }
        write!(out, "<text class=\"count\" x=\"{right}\" y=\"35\">{} done</text>", count(n.done))?;
    }
    Ok(())
}

/// On hover, and for who does not see the picture.
fn about(card: &Card<'_>, here: bool) -> String {
    let step = card.step;
    let mut text = format!("{} – {}", step.kind.label(), step.content.name);
    for line in &card.lines {
        let end = line.end.as_ref().map(|e| e.text.as_str());
        let _ = write!(text, "\n{} → {}", line.text, end.or(line.target_name.as_deref()).unwrap_or("next step"));
    }
    if here {
        text.push_str("\nThe enrollment stands here.");
    }
    text
}

/// Not more than `most` letters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests;
