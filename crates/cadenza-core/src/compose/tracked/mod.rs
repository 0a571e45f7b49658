//! A rendered body made ready to leave: signed click links and the open pixel (SND-3), the unsubscribe link with the postal
//! address and the header that goes with it (SND-4, RFC 8058). It renders no templates and judges no opens or clicks.

mod footer;
mod from_text;
mod tags;

#[cfg(test)]
mod tests;

pub use from_text::links_of_text;
pub use tags::{Link, images_of, links_of};

use super::{Address, HeaderText, ListUnsubscribe, MailtoUrl, plain_text};
use crate::flow::Tracking;
use crate::ids::{EnrollmentId, WorkspaceId};
use crate::language::Language;
use crate::settings::Settings;
use crate::tokens::{Purpose, TARGET_MAX, Token};

/// What the subject of a mail that asks to be unsubscribed begins with; the token follows.
pub const UNSUBSCRIBE_SUBJECT: &str = "unsubscribe ";
/// Paths below the public address, each followed by a token.
pub const OPEN_PATH: &str = "/t/o/";
pub const CLICK_PATH: &str = "/t/c/";
pub const UNSUBSCRIBE_PATH: &str = "/u/";

/// A rendered body: plain text, and HTML where the wording has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    pub text: String,
    pub html: Option<String>,
}

/// What of a message is tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracks {
    pub opens: bool,
    pub clicks: bool,
    pub unsubscribe: bool,
}

impl Tracks {
    /// The step's own choices, else the sequence's.
    pub fn of(step: &Tracking, sequence: &Settings) -> Tracks {
        Tracks {
            opens: step.opens.unwrap_or(sequence.track_opens),
            clicks: step.clicks.unwrap_or(sequence.track_clicks),
            unsubscribe: step.unsubscribe.unwrap_or(sequence.unsubscribe_link),
        }
    }
}

/// Which message a body is of, and how it is tracked.
#[derive(Debug, Clone, Copy)]
pub struct TrackingFor<'a> {
    /// Where recipients reach the server, without a slash at its end.
    pub public_url: &'a str,
    /// The workspace's key that signs links.
    pub key: &'a [u8],
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub tracks: Tracks,
    /// Who sends; a mail program may unsubscribe by writing there. `None` where nobody reads what arrives there.
    pub reads_at: Option<&'a Address>,
    pub postal_address: &'a str,
    pub language: Language,
}

/// A body ready to be composed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    pub text: String,
    pub html: Option<String>,
    /// Empty where the step has no unsubscribe link.
    pub unsubscribe: ListUnsubscribe,
}

impl TrackingFor<'_> {
    /// The value of the merge field `unsubscribe_url` for this message.
    pub fn unsubscribe_url(&self) -> String {
        self.url(UNSUBSCRIBE_PATH, Purpose::Unsubscribe)
    }

    fn token(&self, purpose: Purpose) -> String {
        Token { workspace: self.workspace, enrollment: self.enrollment, visit: self.visit, purpose }.sign(self.key)
    }
    fn url(&self, path: &str, purpose: Purpose) -> String {
        format!("{}{path}{}", self.public_url, self.token(purpose))
    }
}

/// Makes a rendered body ready to leave. The same input gives the same output, so a retry is byte-identical.
///
/// Links of the HTML that lead to http or https addresses become signed ones; all others stay as they are, and so do those of
/// the plain text, which a reader sees. A body of text alone gets an HTML alternative where something in it is tracked.
/// The unsubscribe link is added at the end unless the body has it already, by the merge field; so is the postal address.
pub fn track(body: Body, how: &TrackingFor<'_>) -> Tracked {
    let unsubscribe = how.unsubscribe_url();
    let text = match &body.html {
        Some(html) if body.text.trim().is_empty() => plain_text(html),
        _ => body.text,
    };
    let wants_html = how.tracks.opens || (how.tracks.clicks && from_text::has_link(&text));
    let html = body.html.or_else(|| wants_html.then(|| from_text::html(&text)));
    let html = html.map(|html| {
        let rewritten = if how.tracks.clicks {
            tags::rewrite_links(&html, |target| click(target, &unsubscribe, how))
        } else {
            html
        };
        let mut at_end = String::new();
        if how.tracks.unsubscribe {
            at_end.push_str(&footer::html(&rewritten, &unsubscribe, how));
        }
        if how.tracks.opens {
            at_end.push_str(&pixel(how));
        }
        tags::insert_at_end(rewritten, &at_end)
    });
    let text = if how.tracks.unsubscribe { footer::text(text, &unsubscribe, how) } else { text };
    let unsubscribe = if how.tracks.unsubscribe { header(&unsubscribe, how) } else { ListUnsubscribe::default() };
    Tracked { text, html, unsubscribe }
}

/// The signed link to a target, or `None` where the target stays as it is.
fn click(target: &str, unsubscribe: &str, how: &TrackingFor<'_>) -> Option<String> {
    let own = target.strip_prefix(how.public_url).is_some_and(|path| path.starts_with(UNSUBSCRIBE_PATH));
    if own || target == unsubscribe || target.len() > TARGET_MAX || !leads_to_the_web(target) {
        return None;
    }
    Some(how.url(CLICK_PATH, Purpose::Click(target.to_owned())))
}

/// Is this an address that a click may be led to: http or https, with a host, without control characters?
pub fn leads_to_the_web(target: &str) -> bool {
    let Some((scheme, rest)) = target.split_once("://") else { return false };
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    web && !host.is_empty() && !target.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn pixel(how: &TrackingFor<'_>) -> String {
    let url = how.url(OPEN_PATH, Purpose::Open);
    format!(
        "<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0;width:1px;height:1px\">",
        tags::escape(&url)
    )
}

/// The ways of unsubscribing that the header can name: one click where the address is one that RFC 8058 takes (https), and a
/// mail to the sender where somebody reads it.
fn header(url: &str, how: &TrackingFor<'_>) -> ListUnsubscribe {
    let mailto = how.reads_at.and_then(|address| {
        let subject = format!("{UNSUBSCRIBE_SUBJECT}{}", how.token(Purpose::Unsubscribe));
        Some(MailtoUrl::new(address, &HeaderText::new(&subject).ok()?))
    });
    ListUnsubscribe { one_click: url.parse().ok(), mailto }
}
