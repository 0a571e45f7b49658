//! A mail as the rules see it: its tree, its header, its readable texts, decoded once. Judges nothing.

use super::decode;
use super::headers::{Address, Headers};
use super::html;
use super::reply_text::fresh_text;
use super::return_date::Written;
use super::tree::{Tree, Unreadable};
use crate::time::Time;

/// The most text of one part that the rules look at, in bytes.
const TEXT_MAX: usize = 512 * 1024;

/// What the rules look at.
pub(super) struct Mail<'t> {
    pub tree: &'t Tree<'t>,
    pub head: Headers<'t>,
    pub from: Vec<Address>,
    /// The subject, decoded.
    pub subject: String,
    /// The body as text: its plain part, or the text of its HTML part.
    pub text: String,
    /// What the writer wrote now, without quotations and signature.
    pub fresh: String,
    /// The writer's day when it was written, by its own Date, else by when it was received.
    pub written: Written,
}

impl<'t> Mail<'t> {
    pub fn read(tree: &'t Tree<'t>, received_at: Time) -> Mail<'t> {
        let head = Headers::of(tree, 0);
        let stated = head.date("date");
        let (written_at, offset) = stated.unwrap_or((received_at, 0));
        let local = Time::from_micros(written_at.micros().saturating_add(i64::from(offset) * 60_000_000));
        let on = local.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        let written = Written { on, stated: stated.is_some() };
        let text = body_text(tree);
        let (from, subject) = (head.addresses("from"), head.text("subject").unwrap_or_default());
        let fresh = fresh_text(&text);
        Mail { tree, head, from, subject, text, fresh, written }
    }

    /// The mail's own parts that hold something, without those of enclosed messages.
    pub fn leaves(&self) -> impl Iterator<Item = usize> + '_ {
        let parts = self.tree.parts.iter().enumerate();
        parts.filter(|(_, p)| p.children.is_empty() && !p.enclosed).map(|(id, _)| id)
    }

    pub fn media(&self, part: usize) -> &str {
        &self.tree.parts[part].media.name
    }

    /// The text of one part, HTML as lines.
    pub fn part_text(&self, part: usize) -> String {
        part_text(self.tree, part)
    }

    /// The first message that the mail encloses: for a report, what was sent.
    pub fn enclosed(&self) -> Option<Headers<'t>> {
        let first = self.tree.parts.iter().position(|p| p.enclosed && !p.fields.is_empty())?;
        Some(Headers::of(self.tree, first))
    }

    /// Whether the mail has an empty return path: its sender wants no answer, as bounces and most automatic replies.
    pub fn null_return_path(&self) -> bool {
        self.head.raw("return-path").is_some_and(|v| {
            let path: Vec<u8> = v.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            path == b"<>" || path == b"\"<>\"" || path.is_empty()
        })
    }

    /// The first From address in lower case.
    pub fn sender(&self) -> &str {
        self.from.first().map_or("", |a| a.address.as_str())
    }
}

/// Reads header fields that stand in a text, as those of a returned mail.
pub(super) fn header_block(text: &str) -> Result<Tree<'_>, Unreadable> {
    Tree::split(text.as_bytes())
}

fn part_text(tree: &Tree<'_>, part: usize) -> String {
    let media = &tree.parts[part].media;
    let bytes = tree.bytes(part, TEXT_MAX);
    let text = decode::text(&bytes, media.attribute("charset")).replace("\r\n", "\n").replace('\r', "\n");
    let text = if media.name == "text/html" { html::to_text(&text) } else { text };
    let flowed = media.attribute("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
    if flowed { text.replace(" \n", "\n") } else { text }
}

/// The plain text of the mail's body, else its HTML as text.
fn body_text(tree: &Tree<'_>) -> String {
    let own = |name: &'static str| {
        let parts = tree.parts.iter().enumerate();
        let found = parts.filter(move |(_, p)| p.children.is_empty() && !p.enclosed && !p.media.attachment);
        let texts = found.filter(move |(_, p)| p.media.name == name).map(|(id, _)| part_text(tree, id));
        texts.filter(|t| !t.trim().is_empty())
    };
    own("text/plain").chain(own("text/html")).next().unwrap_or_default()
}
