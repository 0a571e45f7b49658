//! HTML mail as plain lines, with quotations marked as in plain text. One pass; no layout, links or images.

/// A line of its own where a mail program began the quoted message.
pub(super) const QUOTE_MARK: &str = "\u{1}quoted\u{1}";
const QUOTE_DEPTH_MAX: usize = 20;
/// The longest tag that is read as one, in bytes.
const TAG_MAX: usize = 4_096;

/// Class names and ids of the elements in which mail programs put the quoted message.
const QUOTE_CONTAINERS: &[&str] = &[
    "gmail_quote",
    "gmail_extra",
    "yahoo_quoted",
    "yahooquoted",
    "divrplyfwdmsg",
    "appendonsend",
    "outlookmessageheader",
    "moz-cite-prefix",
    "moz-forward-container",
    "protonmail_quote",
    "zmail_extra",
    "reply-intro",
    "replyintro",
    "isreplycontent",
    "tutanota_quote",
    "ms-outlook-mobile-reference-message",
    "quoted-message",
];
/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "header",
    "li",
    "main",
    "ol",
    "section",
    "table",
    "ul",
];

/// The text of an HTML body; lines within `blockquote` begin with `> `.
pub(super) fn to_text(html: &str) -> String {
    let mut out = Lines { text: String::with_capacity(html.len() / 2), line: String::new(), quote: 0, pre: false };
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        out.words(&rest[..open]);
        rest = &rest[open..];
        rest = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.find("-->").map_or("", |end| &comment[end + 3..])
        } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            let end = tag_end(rest);
            let (tag, after) = rest.split_at(end);
            out.tag(tag, after)
        } else {
            out.words("&lt;");
            &rest[1..]
        };
    }
    out.words(rest);
    out.end_text_line();
    out.text
}

struct Lines {
    text: String,
    line: String,
    quote: usize,
    pre: bool,
}

impl Lines {
    /// Acts on one tag and gives what is to be read next.
    fn tag<'h>(&mut self, tag: &str, after: &'h str) -> &'h str {
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |i| (true, i));
        let name_len = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        let name = inner[..name_len].to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" | "title" if !closing => return skip_element(after, &name),
            "br" => self.end_line(),
            "p" | "tr" | "h5" | "h6" => {
                self.end_text_line();
                if name == "p" && closing {
                    self.blank_line();
                }
            }
            "hr" => {
                self.end_text_line();
                self.line.push_str("________________________________");
                self.end_line();
            }
            "td" | "th" if closing => self.words(" "),
            "pre" => {
                self.end_text_line();
                self.pre = !closing;
            }
            "blockquote" => {
                self.end_text_line();
                self.quote = if closing { self.quote.saturating_sub(1) } else { self.quote + 1 };
            }
            n if BLOCKS.contains(&n) => self.end_text_line(),
            _ => (),
        }
        if !closing && is_quote_container(&inner[name_len..]) {
            self.end_text_line();
            self.line.push_str(QUOTE_MARK);
            self.end_line();
        }
        after
    }

    fn words(&mut self, text: &str) {
        let mut text = text;
        while !text.is_empty() {
            let (c, used) = next_char(text);
            text = &text[used..];
            match c {
                '\n' if self.pre => self.end_line(),
                '\r' | '\u{ad}' | '\u{200b}' | '\u{feff}' => (),
                c if c.is_whitespace() && !self.pre => {
                    if !self.line.ends_with(' ') && !self.line.is_empty() {
                        self.line.push(' ');
                    }
                }
                c => self.line.push(c),
            }
        }
    }

    /// Ends the line if it has text.
    fn end_text_line(&mut self) {
        if self.line.trim().is_empty() {
            self.line.clear();
        } else {
            self.end_line();
        }
    }

    fn blank_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        for _ in 0..self.quote.min(QUOTE_DEPTH_MAX) {
            self.text.push_str("> ");
        }
        self.text.push_str(self.line.trim_end());
        self.text.push('\n');
        self.line.clear();
    }
}

fn is_quote_container(attributes: &str) -> bool {
    let lower = attributes.to_ascii_lowercase();
    if !(lower.contains("class") || lower.contains("id=") || lower.contains("name=")) {
        return false;
    }
    let named = |word: &str| QUOTE_CONTAINERS.contains(&word) || word.ends_with("_quote") || word == "quote";
    lower.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).any(named)
}

/// Just behind the `>` that ends the tag; quoted attribute values may hold one, within reason.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, b) in tag.bytes().enumerate().take(TAG_MAX) {
        match (quote, b) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(q), b) if q == b => quote = None,
            _ => (),
        }
    }
    let near = tag.bytes().take(TAG_MAX).position(|b| b == b'>');
    near.map_or_else(|| tag.floor_char_boundary(TAG_MAX), |at| at + 1)
}

/// Behind the end tag of an element whose text is not shown; as in browsers it swallows the rest where there is none.
fn skip_element<'h>(after: &'h str, name: &str) -> &'h str {
    let mut rest = after;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// The next character, an entity counting as one, and the bytes it takes.
fn next_char(text: &str) -> (char, usize) {
    let first = text.chars().next().unwrap_or(' ');
    if first != '&' {
        return (first, first.len_utf8());
    }
    let Some(end) = text.bytes().take(12).position(|b| b == b';') else { return ('&', 1) };
    let name = &text[1..end];
    let code = match name.strip_prefix('#') {
        Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
        Some(decimal) => decimal.parse().ok(),
        None => return entity(name).map_or(('&', 1), |c| (c, end + 1)),
    };
    code.and_then(char::from_u32).map_or(('&', 1), |c| (c, end + 1))
}

/// The entities that mail programs write; what else there is stays as written.
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "ldquo" | "rdquo" | "bdquo" => '"',
        "laquo" => '«',
        "raquo" => '»',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "agrave" => 'à',
        "aacute" => 'á',
        "acirc" => 'â',
        "atilde" => 'ã',
        "aring" => 'å',
        "aelig" => 'æ',
        "ccedil" => 'ç',
        "egrave" => 'è',
        "eacute" => 'é',
        "ecirc" => 'ê',
        "euml" => 'ë',
        "iacute" => 'í',
        "icirc" => 'î',
        "iuml" => 'ï',
        "ntilde" => 'ñ',
        "oacute" => 'ó',
        "ocirc" => 'ô',
        "otilde" => 'õ',
        "oslash" => 'ø',
        "ugrave" => 'ù',
        "uacute" => 'ú',
        "ucirc" => 'û',
        "Agrave" => 'À',
        "Eacute" => 'É',
        "Aring" => 'Å',
        "Oslash" => 'Ø',
        "iexcl" => '¡',
        "iquest" => '¿',
        "shy" => '\u{ad}',
        "zwnj" | "zwj" => '\u{200b}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_quotes_are_marked() {
        let html = "<html><head><title>x</title></head><body><p>Yes &amp; no,&nbsp;<b>both</b>.</p>\
                    <div class=\"gmail_quote\">On Monday:<blockquote>first<br>second</blockquote></div></body></html>";
        let want = format!("Yes & no, both.\n\n{QUOTE_MARK}\nOn Monday:\n> first\n> second\n");
        assert_eq!(to_text(html), want);
    }

    #[test]
    fn broken_html_still_gives_its_text() {
        assert_eq!(to_text("a < b <p>c <b"), "a < b\nc\n");
        assert_eq!(to_text("a<style>p{}"), "a\n");
        assert_eq!(to_text("1 &lt; 2 &bogus; &#228;"), "1 < 2 &bogus; ä\n");
    }
}
