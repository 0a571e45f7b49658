//! Header fields of one part: looked up by name, decoded by mail-parser's field parsers. Nothing is judged here.

use super::decode::Encoding;
use super::tree::Tree;
use crate::time::Time;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use std::ops::Range;

/// The longest field value that is decoded, in bytes; what lies behind is left out.
const VALUE_MAX: usize = 32 * 1024;
/// The most addresses or Message-IDs that one field gives.
const LIST_MAX: usize = 1_000;

/// One header field: its name in lower case and where its value lies.
#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    pub value: Range<usize>,
}

/// An address as a header names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The display name, decoded; empty where there is none.
    pub name: String,
    /// `local@domain`, the domain in lower case.
    pub address: String,
}

/// Content-Type, Content-Transfer-Encoding and Content-Disposition of a part.
#[derive(Debug, Clone)]
pub(super) struct Media {
    /// `type/subtype` in lower case.
    pub name: String,
    pub encoding: Encoding,
    pub attachment: bool,
    pub filename: Option<String>,
    attributes: Vec<(String, String)>,
}

impl Default for Media {
    fn default() -> Media {
        Media {
            name: "text/plain".to_owned(),
            encoding: Encoding::Identity,
            attachment: false,
            filename: None,
            attributes: Vec::new(),
        }
    }
}

impl Media {
    pub fn message() -> Media {
        Media { name: "message/rfc822".to_owned(), ..Media::default() }
    }

    /// Reads the fields of a part; `default` is what it is where no Content-Type says so.
    pub fn read(fields: &[Field], source: &[u8], default: &Media) -> Media {
        let value = |name: &str| {
            let field = fields.iter().find(|f| f.name == name)?;
            source.get(field.value.clone())
        };
        let mut media = Media { name: default.name.clone(), ..Media::default() };
        if let Some(HeaderValue::ContentType(ct)) = value("content-type").map(|v| content_type(v)) {
            let subtype = ct.subtype().unwrap_or_default().to_ascii_lowercase();
            media.name = match (ct.ctype().to_ascii_lowercase(), subtype.as_str()) {
                (main, "") if main == "text" => "text/plain".to_owned(),
                (main, sub) => format!("{main}/{sub}"),
            };
            let pairs = ct.attributes().unwrap_or_default().iter();
            media.attributes = pairs.map(|a| (a.name.to_ascii_lowercase(), a.value.to_string())).collect();
            media.filename = media.attribute("name").map(str::to_owned);
        }
        if let Some(encoding) = value("content-transfer-encoding") {
            media.encoding = Encoding::named(&String::from_utf8_lossy(encoding));
        }
        if let Some(HeaderValue::ContentType(cd)) = value("content-disposition").map(|v| content_type(v)) {
            media.attachment = cd.ctype().eq_ignore_ascii_case("attachment");
            media.filename = cd.attribute("filename").map(str::to_owned).or(media.filename);
        }
        media
    }

    pub fn is_message(&self) -> bool {
        matches!(self.name.as_str(), "message/rfc822" | "message/global" | "message/news")
    }
    pub fn is_digest(&self) -> bool {
        self.name == "multipart/digest"
    }
    pub fn is_multipart(&self) -> bool {
        self.name.starts_with("multipart/")
    }
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// A multipart's boundary, if it has one that can be found.
    pub fn boundary(&self) -> Option<&str> {
        let boundary = self.attribute("boundary")?.trim_end();
        (self.is_multipart() && !boundary.is_empty()).then_some(boundary)
    }
    /// A multipart in which no part was found is read as the text that it is.
    pub fn settle_leaf(&mut self) {
        if self.is_multipart() {
            self.name = "text/plain".to_owned();
        }
    }
}

/// The header of one part.
#[derive(Clone, Copy)]
pub(super) struct Headers<'t> {
    tree: &'t Tree<'t>,
    part: usize,
}

impl<'t> Headers<'t> {
    pub fn of(tree: &'t Tree<'t>, part: usize) -> Headers<'t> {
        Headers { tree, part }
    }

    /// The first field of that name (in lower case), undecoded.
    pub fn raw(&self, name: &str) -> Option<&'t [u8]> {
        self.all_raw(name).next()
    }

    fn all_raw(&self, name: &str) -> impl Iterator<Item = &'t [u8]> {
        let (tree, part) = (self.tree, self.part);
        let fields = tree.parts[part].fields.iter().filter(move |f| f.name == name);
        fields.map(move |f| tree.value(part, f)).map(|v| &v[..v.len().min(VALUE_MAX)])
    }

    pub fn has(&self, name: &str) -> bool {
        self.tree.parts[self.part].fields.iter().any(|f| f.name == name)
    }

    /// The first field of that name, unfolded and decoded (RFC 2047).
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(unstructured)
    }

    /// The same in lower case, or empty: for comparing.
    pub fn lower(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().trim().to_lowercase()
    }

    /// Every address of every field of that name.
    pub fn addresses(&self, name: &str) -> Vec<Address> {
        self.all_raw(name).flat_map(addresses).take(LIST_MAX).collect()
    }

    /// Every Message-ID of every field of that name, without angle brackets.
    pub fn ids(&self, name: &str) -> Vec<String> {
        self.all_raw(name).flat_map(|v| message_ids(&String::from_utf8_lossy(v))).take(LIST_MAX).collect()
    }

    /// The moment and the offset from UTC in minutes that a date field names.
    pub fn date(&self, name: &str) -> Option<(Time, i32)> {
        date(self.raw(name)?)
    }
}

/// A field value as text: unfolded, encoded words decoded.
pub(super) fn unstructured(value: &[u8]) -> String {
    let mut line = with_eol(value);
    if std::str::from_utf8(&line).is_err() {
        line = super::decode::text(&line, None).into_bytes();
    }
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.trim().to_owned(),
        _ => String::new(),
    }
}

/// Every address that a field value names; a bare `<>` gives none.
pub(super) fn addresses(value: &[u8]) -> Vec<Address> {
    let line = with_eol(value);
    let HeaderValue::Address(list) = MessageStream::new(&line).parse_address() else { return Vec::new() };
    let tidy = |a: &mail_parser::Addr<'_>| {
        let address = tidy_address(a.address.as_deref().unwrap_or_default())?;
        Some(Address { name: a.name.as_deref().unwrap_or_default().trim().to_owned(), address })
    };
    list.iter().filter_map(tidy).take(LIST_MAX).collect()
}

/// `local@domain` with the domain in lower case; none where it is no address.
pub(super) fn tidy_address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', ' ']);
    let quoted = ['"', '\''].into_iter().find(|q| text.len() > 2 && text.starts_with(*q) && text.ends_with(*q));
    let text = quoted.map_or(text, |_| &text[1..text.len() - 1]);
    // A route before the address (RFC 821) says nothing about whose it is.
    let text = match text.rsplit_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => text,
    };
    let (local, domain) = text.rsplit_once('@')?;
    let fits = !local.is_empty() && !domain.is_empty() && text.len() <= 320 && !text.contains(['\n', '\r', '\0', '<']);
    fits.then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// The Message-IDs in a field value or a line of text, without angle brackets.
pub(super) fn message_ids(value: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('<') {
        let inner = &rest[open + 1..];
        let Some(close) = inner.find('>') else { break };
        let id: String = inner[..close].split_whitespace().collect();
        if !id.is_empty() && id.len() <= 998 {
            ids.push(id);
        }
        rest = &inner[close + 1..];
    }
    if ids.is_empty() && !value.contains('<') {
        let words = value.split_whitespace().filter(|w| w.contains('@') && w.len() <= 998);
        ids.extend(words.map(str::to_owned));
    }
    ids
}

/// RFC 5322 dates, without a zone as UTC.
pub(super) fn date(value: &[u8]) -> Option<(Time, i32)> {
    let line = with_eol(value);
    let found = match MessageStream::new(&line).parse_date() {
        HeaderValue::DateTime(d) => Some(d),
        _ => {
            let text = format!("{} +0000\n", String::from_utf8_lossy(value).trim());
            match MessageStream::new(text.as_bytes()).parse_date() {
                HeaderValue::DateTime(d) => Some(d),
                _ => None,
            }
        }
    }?;
    if !found.is_valid() {
        return None;
    }
    let minutes = i32::from(found.tz_hour) * 60 + i32::from(found.tz_minute);
    let offset = if found.tz_before_gmt { -minutes } else { minutes };
    Some((Time::from_seconds(found.to_timestamp()), offset))
}

fn content_type(value: &[u8]) -> HeaderValue<'static> {
    let line = with_eol(value);
    MessageStream::new(&line).parse_content_type().into_owned()
}

/// mail-parser's field parsers stop at a line end and find nothing without one.
fn with_eol(value: &[u8]) -> Vec<u8> {
    let mut line = value[..value.len().min(VALUE_MAX)].to_vec();
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    line.push(b'\n');
    line
}
