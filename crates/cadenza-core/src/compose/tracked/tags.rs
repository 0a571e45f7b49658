//! Finding tags in HTML as browsers do (WHATWG HTML §13.2.5), and changing links without touching a byte between them.
//! It builds no tree and mends nothing: what was broken leaves as it came, and a link that is not surely understood stays.

use std::borrow::Cow;
use std::ops::Range;

/// Elements whose contents are text to the parser, tags in it too.
const RAW: &[&str] = &["script", "style", "xmp", "iframe", "noembed", "noframes", "title", "textarea"];

/// Replaces the address of each link for which `change` gives another one.
pub(super) fn rewrite_links(html: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 2);
    let mut copied = 0;
    for tag in Tags::of(html) {
        if tag.closing || !(is(tag.name, "a") || is(tag.name, "area")) {
            continue;
        }
        let Some(value) = tag.attribute("href") else { continue };
        let Some(target) = unescape(&html[value.clone()]) else { continue };
        let target = as_address(&target);
        let Some(changed) = change(&target) else { continue };
        out.push_str(&html[copied..value.start]);
        // Without quotes an address ends at white space or `>`; ours has neither, but an escape is the same within either.
        out.push_str(&escape(&changed));
        copied = value.end;
    }
    out.push_str(&html[copied..]);
    out
}

/// Puts something in where the body ends: before `</body>` or `</html>`, or at the end, yet never within an unfinished comment,
/// tag or raw element.
pub(super) fn insert_at_end(mut html: String, what: &str) -> String {
    let (mut body, mut document) = (None, None);
    let mut tags = Tags::of(&html);
    for tag in tags.by_ref().filter(|t| t.closing) {
        if is(tag.name, "body") {
            body = Some(tag.from);
        } else if is(tag.name, "html") {
            document = Some(tag.from);
        }
    }
    let end = body.or(document).or(tags.unfinished).unwrap_or(html.len());
    html.insert_str(end, what);
    html
}

/// A link as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as the HTML says.
    pub address: String,
    /// What is shown, on one line; empty for a picture.
    pub text: String,
}

/// The links of a document that lead somewhere, in their order; what is not surely understood is left out.
pub fn links_of(html: &str) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let (mut open, mut shown_from) = (None, 0);
    for tag in Tags::of(html).filter(|t| is(t.name, "a")) {
        if let Some(address) = open.take() {
            links.push(Link { address, text: words(&html[shown_from..tag.from]) });
        }
        if !tag.closing {
            open = tag.attribute("href").and_then(|v| unescape(&html[v])).map(|v| as_address(&v));
            shown_from = tag.inner.end + 1;
        }
    }
    links.extend(open.map(|address| Link { address, text: words(&html[shown_from..]) }));
    links
}

/// Where the pictures of a document are loaded from.
pub fn images_of(html: &str) -> Vec<String> {
    let sources = Tags::of(html).filter(|t| !t.closing && is(t.name, "img")).filter_map(|t| t.attribute("src"));
    sources.filter_map(|v| unescape(&html[v])).map(|v| as_address(&v)).collect()
}

/// What is shown of a piece of HTML.
fn words(html: &str) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for tag in Tags::of(html) {
        shown.push_str(&html[at..tag.from]);
        at = tag.inner.end + 1;
    }
    shown.push_str(&html[at..]);
    let read = unescape(&shown).map_or(shown.clone(), Cow::into_owned);
    read.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// For text and for attributes in double quotes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Does the HTML have a link to this address, or show it?
pub(super) fn mentions(html: &str, address: &str) -> bool {
    html.contains(address) || html.contains(&*escape(address))
}

/// A start or end tag.
#[derive(Debug)]
struct Tag<'h> {
    html: &'h str,
    name: &'h str,
    closing: bool,
    /// Where its `<` is.
    from: usize,
    /// Behind the name, up to the `>`.
    inner: Range<usize>,
}

/// The tags of a document, in their order.
#[derive(Debug)]
struct Tags<'h> {
    html: &'h str,
    at: usize,
    /// Where something begins that has no end, once it was met.
    unfinished: Option<usize>,
}

impl<'h> Tags<'h> {
    fn of(html: &'h str) -> Tags<'h> {
        Tags { html, at: 0, unfinished: None }
    }

    fn end_at(&mut self, unfinished: usize) {
        self.unfinished = Some(unfinished);
        self.at = self.html.len();
    }
}

impl<'h> Iterator for Tags<'h> {
    type Item = Tag<'h>;
    fn next(&mut self) -> Option<Tag<'h>> {
        loop {
            let from = self.at + self.html[self.at..].find('<')?;
            let rest = &self.html[from..];
            let Some(thing) = Thing::at(rest) else {
                // A `<` that is only that.
                self.at = from + 1;
                continue;
            };
            let Some(len) = thing.len(rest) else {
                self.end_at(from);
                return None;
            };
            self.at = from + len;
            let Thing::Tag { closing, name_at } = thing else { continue };
            let name = &rest[name_at..name_at + name_len(&rest[name_at..])];
            if !closing && is(name, "plaintext") {
                self.end_at(from);
            } else if !closing && RAW.iter().any(|raw| is(name, raw)) {
                match raw_end(self.html, self.at, name) {
                    Some(end) => self.at = end,
                    None => self.end_at(from),
                }
            }
            let inner = from + name_at + name.len()..from + len - 1;
            return Some(Tag { html: self.html, name, closing, from, inner });
        }
    }
}

/// What a `<` begins.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Tag {
        closing: bool,
        name_at: usize,
    },
    Comment,
    /// `<!doctype …>`, `<?xml …>`, `<![if …]>`, `</…>` without a name.
    Bogus,
}

impl Thing {
    fn at(rest: &str) -> Option<Thing> {
        let bytes = rest.as_bytes();
        match (bytes.get(1)?, bytes.get(2)) {
            (b'!', _) if rest.starts_with("<!--") => Some(Thing::Comment),
            (b'!' | b'?', _) => Some(Thing::Bogus),
            (b'/', Some(b)) if b.is_ascii_alphabetic() => Some(Thing::Tag { closing: true, name_at: 2 }),
            (b'/', Some(_)) => Some(Thing::Bogus),
            (b, _) if b.is_ascii_alphabetic() => Some(Thing::Tag { closing: false, name_at: 1 }),
            _ => None,
        }
    }

    /// Bytes up to and with its end; `None` where it has none.
    fn len(self, rest: &str) -> Option<usize> {
        match self {
            Thing::Bogus => Some(rest.find('>')? + 1),
            Thing::Comment => {
                let inner = &rest[4..];
                if inner.starts_with('>') {
                    return Some(5);
                }
                if inner.starts_with("->") {
                    return Some(6);
                }
                let ends = [inner.find("-->").map(|at| at + 3), inner.find("--!>").map(|at| at + 4)];
                ends.into_iter().flatten().min().map(|end| 4 + end)
            }
            Thing::Tag { name_at, .. } => {
                let at = name_at + name_len(&rest[name_at..]);
                Attributes { text: rest, at }.end().map(|end| end + 1)
            }
        }
    }
}

/// Where an attribute's name stands, and its value if it has one.
type Attribute = (Range<usize>, Option<Range<usize>>);

/// Walks over attributes, from behind the tag's name.
#[derive(Debug)]
struct Attributes<'h> {
    text: &'h str,
    at: usize,
}

impl Attributes<'_> {
    /// Where the `>` of the tag is.
    fn end(mut self) -> Option<usize> {
        while self.step()?.is_some() {}
        Some(self.at)
    }

    /// The next name and value; within, `None` at the `>`; `None` outside where the text ends first.
    fn step(&mut self) -> Option<Option<Attribute>> {
        self.skip(|b| b.is_ascii_whitespace() || b == b'/');
        if *self.text.as_bytes().get(self.at)? == b'>' {
            return Some(None);
        }
        let name_from = self.at;
        // A `=` in the first place belongs to the name.
        self.at += 1;
        self.skip(|b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>' | b'='));
        let name = name_from..self.at;
        self.skip(|b| b.is_ascii_whitespace());
        if self.text.as_bytes().get(self.at) != Some(&b'=') {
            return Some(Some((name, None)));
        }
        self.at += 1;
        self.skip(|b| b.is_ascii_whitespace());
        let value = match *self.text.as_bytes().get(self.at)? {
            quote @ (b'"' | b'\'') => {
                let from = self.at + 1;
                let len = self.text.as_bytes()[from..].iter().position(|b| *b == quote)?;
                self.at = from + len + 1;
                from..from + len
            }
            b'>' => self.at..self.at,
            _ => {
                let from = self.at;
                self.skip(|b| !b.is_ascii_whitespace() && b != b'>');
                from..self.at
            }
        };
        Some(Some((name, Some(value))))
    }

    fn skip(&mut self, while_: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|b| !while_(*b)).unwrap_or(rest.len());
    }
}

impl Tag<'_> {
    /// Where the value of an attribute stands; of several with one name the first counts.
    fn attribute(&self, wanted: &str) -> Option<Range<usize>> {
        let mut attributes = Attributes { text: &self.html[..self.inner.end + 1], at: self.inner.start };
        while let Some(Some((name, value))) = attributes.step() {
            if is(&self.html[name], wanted) {
                return value;
            }
        }
        None
    }
}

fn is(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// Where the end tag of a raw element begins.
fn raw_end(html: &str, from: usize, name: &str) -> Option<usize> {
    let mut at = from;
    loop {
        at += html[at..].find("</")?;
        let rest = &html.as_bytes()[at + 2..];
        let named = rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
        if named && rest.get(name.len()).is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>')) {
            return Some(at);
        }
        at += 2;
    }
}

fn name_len(text: &str) -> usize {
    text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(text.len())
}

/// As a browser reads an address: white space around it and line ends within it do not count.
fn as_address(text: &str) -> String {
    let around = |c: char| c <= ' ';
    text.trim_matches(around).chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

/// An attribute's value without character references; `None` where it has one that is not surely understood.
fn unescape(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('&') {
        return Some(Cow::Borrowed(value));
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name_len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
        let (name, after) = rest.split_at(name_len);
        let Some(after) = after.strip_prefix(';') else {
            // `&copy=1` in an address is what it looks like; `&copy` in front of other characters is not (§13.2.5.73).
            if name.starts_with('#') || (!after.starts_with('=') && may_be_reference(name)) {
                return None;
            }
            out.push('&');
            continue;
        };
        out.push(reference(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "num" => '#',
        "quest" => '?',
        "equals" => '=',
        "colon" => ':',
        "sol" => '/',
        "percnt" => '%',
        "period" => '.',
        "lowbar" => '_',
        _ => return None,
    })
}

/// Is this, in any case of its letters, like one of the names that browsers also take without their semicolon?
fn may_be_reference(name: &str) -> bool {
    #[rustfmt::skip]
    const WHOLE: &[&str] = &[
        "amp", "lt", "gt", "quot", "nbsp", "copy", "reg", "sect", "para", "not", "times", "divide", "micro", "middot", "curren", "cent",
        "pound", "yen", "brvbar", "ordf", "ordm", "laquo", "raquo", "shy", "macr", "deg", "plusmn", "sup1", "sup2", "sup3", "frac12",
        "frac14", "frac34", "iquest", "iexcl", "eth", "thorn",
    ];
    const ENDS: &[&str] = &["acute", "grave", "circ", "uml", "tilde", "slash", "ring", "lig", "cedil"];
    let lower = name.to_ascii_lowercase();
    WHOLE.contains(&lower.as_str()) || ENDS.iter().any(|end| lower.ends_with(end))
}
