//! Splits raw mail into a tree of parts in one linear pass, within fixed limits on depth, parts and header bytes.
//!
//! mail-parser reads the fields and character sets; the splitting is done here because its own walk seeks a missing
//! boundary to the end of the mail for every part, which a hostile mail turns into minutes. Archives are never opened.

use super::decode::{self, Encoding};
use super::headers::{Field, Media};
use std::borrow::Cow;
use std::ops::Range;

/// The largest mail that is read, in bytes.
pub const SIZE_MAX: usize = 25 * 1024 * 1024;
/// How deep parts may lie within parts; the mail itself is at depth 0.
pub const DEPTH_MAX: usize = 20;
pub const PARTS_MAX: usize = 1_000;
/// The largest block of header fields, in bytes.
pub const HEADER_BYTES_MAX: usize = 256 * 1024;
/// All header fields of all parts together.
pub const HEADER_FIELDS_MAX: usize = 20_000;

/// All enclosed messages that are themselves encoded, in bytes; what goes beyond stays closed.
const DECODED_MAX: usize = SIZE_MAX;

/// Why a mail is not read at all. It can still be kept and shown as raw text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the mail is empty; at least one header field is needed")]
    Empty,
    #[error("the mail has {bytes} bytes; at most {SIZE_MAX} are read")]
    TooLarge { bytes: usize },
    #[error("a header of the mail has more than {HEADER_BYTES_MAX} bytes or {HEADER_FIELDS_MAX} fields")]
    HeaderTooLarge,
    #[error("the mail has parts nested deeper than {DEPTH_MAX}")]
    TooDeep,
    #[error("the mail has more than {PARTS_MAX} parts")]
    TooManyParts,
}

/// A mail taken apart; part 0 is the mail itself.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    sources: Vec<Cow<'a, [u8]>>,
    pub parts: Vec<Part>,
}

/// One entity of RFC 2045: its header fields and where its body lies.
#[derive(Debug)]
pub(super) struct Part {
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub media: Media,
    pub fields: Vec<Field>,
    /// Whether the part belongs to an enclosed message rather than to the mail itself.
    pub enclosed: bool,
    source: usize,
    depth: usize,
    body: Range<usize>,
}

impl<'a> Tree<'a> {
    /// Splits `raw` within the limits above.
    pub fn split(raw: &'a [u8]) -> Result<Tree<'a>, Unreadable> {
        if raw.len() > SIZE_MAX {
            return Err(Unreadable::TooLarge { bytes: raw.len() });
        }
        if raw.iter().all(u8::is_ascii_whitespace) {
            return Err(Unreadable::Empty);
        }
        let mut tree = Tree { sources: vec![Cow::Borrowed(raw)], parts: Vec::new() };
        let mut fields = 0;
        tree.split_source(0, None, &mut fields)?;
        let mut next = 0;
        let mut budget = DECODED_MAX;
        while next < tree.parts.len() {
            let len = tree.parts[next].body.len();
            if tree.parts[next].is_encoded_message() && len <= budget {
                budget -= len;
                let bytes = tree.bytes(next, len).into_owned();
                tree.sources.push(Cow::Owned(bytes));
                let source = tree.sources.len() - 1;
                tree.split_source(source, Some(next), &mut fields)?;
            }
            next += 1;
        }
        for part in tree.parts.iter_mut().filter(|p| p.children.is_empty()) {
            part.media.settle_leaf();
        }
        Ok(tree)
    }

    /// The raw bytes of a header field's value, with its folding.
    pub fn value(&self, part: usize, field: &Field) -> &[u8] {
        let source = &self.sources[self.parts[part].source];
        source.get(field.value.clone()).unwrap_or_default()
    }

    /// The beginning of a part's body, at most `max` bytes of it as sent, its transfer encoding undone.
    pub fn bytes(&self, part: usize, max: usize) -> Cow<'_, [u8]> {
        let p = &self.parts[part];
        let raw = self.sources[p.source].get(p.body.clone()).unwrap_or_default();
        decode::transfer(&raw[..raw.len().min(max)], p.media.encoding)
    }

    /// The body's length in bytes before decoding.
    pub fn body_len(&self, part: usize) -> usize {
        self.parts[part].body.len()
    }

    fn split_source(&mut self, source: usize, parent: Option<usize>, fields: &mut usize) -> Result<(), Unreadable> {
        let bytes = std::mem::take(&mut self.sources[source]);
        let mut walk = Walk { bytes: &bytes, source, open: Vec::new(), current: 0, state: State::Header, fields };
        let done = walk.run(self, parent);
        self.sources[source] = bytes;
        done
    }
}

impl Part {
    fn is_encoded_message(&self) -> bool {
        self.media.is_message() && self.children.is_empty() && self.media.encoding != Encoding::Identity
    }
}

enum State {
    Header,
    /// A multipart's preamble and epilogue count as body too.
    Body,
}

struct Walk<'w> {
    bytes: &'w [u8],
    source: usize,
    /// The multiparts that are open, outermost first, each with its boundary.
    open: Vec<(usize, Vec<u8>)>,
    current: usize,
    state: State,
    fields: &'w mut usize,
}

impl Walk<'_> {
    fn run(&mut self, tree: &mut Tree<'_>, parent: Option<usize>) -> Result<(), Unreadable> {
        let mut at = skip_blank_and_mbox(self.bytes);
        let mut header_start = at;
        self.begin(tree, parent, at)?;
        while at < self.bytes.len() {
            let end = line_end(self.bytes, at);
            let line = trim_eol(&self.bytes[at..end]);
            if let Some((level, last)) = self.boundary(line) {
                self.close(tree, level, at);
                let multipart = self.open[level].0;
                if last {
                    self.open.truncate(level);
                    (self.current, self.state) = (multipart, State::Body);
                } else {
                    self.open.truncate(level + 1);
                    self.begin(tree, Some(multipart), end)?;
                    header_start = end;
                }
            } else if let State::Header = self.state {
                if end - header_start > HEADER_BYTES_MAX {
                    return Err(Unreadable::HeaderTooLarge);
                }
                if let Some(body_at) = self.header_line(tree, at..end)? {
                    header_start = body_at;
                    self.end_header(tree, body_at)?;
                    at = body_at;
                    continue;
                }
            }
            at = end;
        }
        Ok(())
    }

    /// A new part whose header begins at `at`.
    fn begin(&mut self, tree: &mut Tree<'_>, parent: Option<usize>, at: usize) -> Result<(), Unreadable> {
        let (depth, enclosed, digest) = match parent {
            None => (0, false, false),
            Some(p) => {
                let parent = &tree.parts[p];
                (parent.depth + 1, parent.enclosed || parent.media.is_message(), parent.media.is_digest())
            }
        };
        if depth > DEPTH_MAX {
            return Err(Unreadable::TooDeep);
        }
        if tree.parts.len() >= PARTS_MAX {
            return Err(Unreadable::TooManyParts);
        }
        let id = tree.parts.len();
        if let Some(p) = parent {
            tree.parts[p].children.push(id);
        }
        let media = if digest { Media::message() } else { Media::default() };
        let (children, fields) = (Vec::new(), Vec::new());
        tree.parts.push(Part { parent, children, media, fields, enclosed, source: self.source, depth, body: at..at });
        (self.current, self.state) = (id, State::Header);
        Ok(())
    }

    /// Takes one line of a header; where the body begins, if the header ends with this line or before it.
    fn header_line(&mut self, tree: &mut Tree<'_>, range: Range<usize>) -> Result<Option<usize>, Unreadable> {
        let line = &self.bytes[range.clone()];
        let is_message = tree.parts[self.current].parent.is_some_and(|p| tree.parts[p].media.is_message());
        let part = &mut tree.parts[self.current];
        let blank = trim_eol(line).is_empty();
        if is_message && part.fields.is_empty() && (blank || is_mbox_line(line)) {
            // Some servers put a blank line or an mbox line before the message they return.
            return Ok(None);
        }
        if blank {
            return Ok(Some(range.end));
        }
        if let (Some(b' ' | b'\t'), Some(last)) = (line.first(), part.fields.last_mut()) {
            last.value.end = range.end;
            return Ok(None);
        }
        let Some(colon) = header_colon(line) else {
            // A stray line between fields is skipped; anything else begins the body.
            let next = &self.bytes[range.end..line_end(self.bytes, range.end)];
            let stray = !part.fields.is_empty() && is_plain_field(next);
            return Ok((!stray).then_some(range.start));
        };
        *self.fields += 1;
        if *self.fields > HEADER_FIELDS_MAX {
            return Err(Unreadable::HeaderTooLarge);
        }
        let name = String::from_utf8_lossy(&line[..colon]).trim().to_ascii_lowercase();
        part.fields.push(Field { name, value: range.start + colon + 1..range.end });
        Ok(None)
    }

    fn end_header(&mut self, tree: &mut Tree<'_>, body_at: usize) -> Result<(), Unreadable> {
        let id = self.current;
        let part = &mut tree.parts[id];
        part.media = Media::read(&part.fields, self.bytes, &part.media);
        part.body = body_at..self.bytes.len();
        self.state = State::Body;
        if let Some(boundary) = part.media.boundary() {
            self.open.push((id, boundary.as_bytes().to_vec()));
        } else if part.media.is_message() && part.media.encoding == Encoding::Identity {
            self.begin(tree, Some(id), body_at)?;
        }
        Ok(())
    }

    /// The innermost open multipart whose boundary this line is, and whether it is the closing one.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        self.open.iter().enumerate().rev().find_map(|(level, (_, boundary))| {
            let after = rest.strip_prefix(boundary.as_slice())?.trim_ascii();
            (after.is_empty() || after == b"--").then_some((level, !after.is_empty()))
        })
    }

    /// Ends every part below the open multipart `level`, whose next boundary stands at `at`.
    fn close(&mut self, tree: &mut Tree<'_>, level: usize, at: usize) {
        let end = before_eol(self.bytes, at);
        let multipart = self.open[level].0;
        let mut next = Some(self.current);
        while let Some(id) = next.filter(|id| *id != multipart) {
            let part = &mut tree.parts[id];
            part.body.end = part.body.end.min(end).max(part.body.start);
            next = part.parent;
        }
    }
}

/// Where the colon of a header field stands; none where the line is no field.
fn header_colon(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(200).position(|b| *b == b':')?;
    let name = line[..colon].trim_ascii_end();
    let plain = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    plain.then_some(colon)
}

/// Whether a line is a field by the letters, digits and dashes of its name.
fn is_plain_field(line: &[u8]) -> bool {
    let named = |colon: usize| line[..colon].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    header_colon(line).is_some_and(|colon| colon > 1 && named(colon)) && !line.starts_with(b"http")
}

/// Blank lines before the header, and the "From " line of an mbox.
fn skip_blank_and_mbox(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        let line = &bytes[at..end];
        if !(trim_eol(line).is_empty() || is_mbox_line(line)) {
            break;
        }
        at = end;
    }
    at
}

fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1)
}

fn trim_eol(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The line end before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
fn before_eol(bytes: &[u8], at: usize) -> usize {
    match bytes[..at] {
        [.., b'\r', b'\n'] => at - 2,
        [.., b'\n'] => at - 1,
        _ => at,
    }
}
