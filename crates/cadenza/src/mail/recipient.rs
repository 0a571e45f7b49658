//! Somebody who got a mail, for the sandbox: what they see in it, and the mails that come back, made as mail programs and servers
//! make them. Bytes only: whoever receives them learns nothing else, and judges them like any other mail.

mod absence;
mod report;

pub use absence::out_of_office;
pub use report::{Failure, bounce, complaint};

use cadenza_core::compose::{
    self, Address, Content, HeaderText, Letter, Link, Mailbox, MessageId, OPEN_PATH, SentAt, images_of, links_of,
};
use cadenza_core::percent::decoded;
use cadenza_core::time::Time;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};

/// The quotation of a long mail is cut, lines.
const QUOTED_MAX: usize = 200;

/// A mail as its recipient has it.
#[derive(Debug, Clone)]
pub struct Original {
    pub from: Address,
    /// As it is shown: name or address.
    pub from_shown: String,
    /// Whom answers go to: its `Reply-To`, else who wrote it.
    pub answered_at: Address,
    /// The envelope's sender, to whom servers report.
    pub returned_to: Address,
    pub to: Address,
    pub subject: String,
    /// Without angle brackets.
    pub message_id: String,
    pub references: Vec<String>,
    pub text: String,
    /// As it was sent; `None` where there is plain text alone.
    pub html: Option<String>,
    pub unsubscribe: Vec<Unsubscribe>,
    pub attachments: Vec<String>,
    pub raw: Vec<u8>,
}

/// A way to unsubscribe that the header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsubscribe {
    /// By a POST there (RFC 8058).
    OneClick(String),
    /// By a mail there (RFC 2369).
    Mail { to: String, subject: String },
}

/// When an answer is written, and the unique part of its Message-ID.
#[derive(Debug, Clone, Copy)]
pub struct Pen<'a> {
    pub now: Time,
    /// Letters and digits.
    pub unique: &'a str,
}

/// Why a mail cannot be answered: it is none that Cadenza composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this mail has no {0} that can be read")]
pub struct NotAnswerable(pub &'static str);

impl Original {
    /// Reads a mail. `returned_to` and `to` are the envelope's sender and recipient.
    ///
    /// # Errors
    /// It lacks sender or Message-ID.
    pub fn read(raw: &[u8], returned_to: &str, to: &str) -> Result<Original, NotAnswerable> {
        let message = MessageParser::default().parse(raw).ok_or(NotAnswerable("header"))?;
        let sender = message.from().and_then(|a| a.first()).ok_or(NotAnswerable("sender"))?;
        let from: Address = sender.address().and_then(|a| a.parse().ok()).ok_or(NotAnswerable("sender"))?;
        let answered_at = message.reply_to().and_then(|a| a.first()).and_then(|a| a.address()?.parse().ok());
        let header = |name: &str| message.header_raw(name).unwrap_or_default().to_owned();
        let ids = match message.references() {
            HeaderValue::Text(id) => vec![id.to_string()],
            HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let one_click = header("List-Unsubscribe-Post").to_ascii_lowercase().contains("one-click");
        Ok(Original {
            answered_at: answered_at.unwrap_or_else(|| from.clone()),
            returned_to: returned_to.parse().map_err(|_| NotAnswerable("return path"))?,
            from,
            from_shown: sender.name().or(sender.address()).unwrap_or_default().to_owned(),
            to: to.parse().map_err(|_| NotAnswerable("recipient"))?,
            subject: message.subject().unwrap_or_default().to_owned(),
            message_id: message.message_id().ok_or(NotAnswerable("Message-ID"))?.to_owned(),
            references: ids,
            text: message.body_text(0).unwrap_or_default().into_owned(),
            // A mail of plain text has no HTML, though the parser would make some.
            html: message.html_part(0).filter(|p| p.is_text_html()).and_then(|p| p.text_contents()).map(str::to_owned),
            unsubscribe: ways(&header("List-Unsubscribe"), one_click),
            attachments: message.attachments().map(|a| a.attachment_name().unwrap_or("unnamed").to_owned()).collect(),
            raw: raw.to_vec(),
        })
    }

    /// The links of the HTML in their order, else those of the text.
    pub fn links(&self) -> Vec<Link> {
        match &self.html {
            Some(html) => links_of(html).into_iter().filter(|l| l.address.starts_with("http")).collect(),
            None => compose::links_of_text(&self.text),
        }
    }

    /// Where the picture is that shows that the mail was opened.
    pub fn pixel(&self) -> Option<String> {
        images_of(self.html.as_deref()?).into_iter().find(|i| i.contains(OPEN_PATH))
    }
}

/// The ways of a `List-Unsubscribe` header, in their order.
fn ways(header: &str, one_click: bool) -> Vec<Unsubscribe> {
    let unfolded: String = header.chars().filter(|c| !c.is_whitespace()).collect();
    let urls = unfolded.split('<').skip(1).filter_map(|part| part.split('>').next());
    urls.filter_map(|url| match url.strip_prefix("mailto:") {
        Some(rest) => {
            let (to, query) = rest.split_once('?').unwrap_or((rest, ""));
            let subject = query.split('&').find_map(|pair| pair.strip_prefix("subject="));
            Some(Unsubscribe::Mail { to: decoded(to), subject: decoded(subject.unwrap_or("unsubscribe")) })
        }
        None => one_click.then(|| Unsubscribe::OneClick(url.to_owned())),
    })
    .collect()
}

/// What a person writes back, above the quoted mail.
///
/// # Errors
/// The original's own fields do not fit a header.
pub fn reply(original: &Original, words: &str, pen: Pen<'_>) -> Result<Vec<u8>, NotAnswerable> {
    let mut letter = answer(original, &re(&original.subject), pen)?;
    letter.content = Content::Text(format!("{}\n\n{}", words.trim_end(), quotation(original)));
    Ok(compose::compose(&letter))
}

/// The mail that a program writes when its unsubscribe button is pressed (RFC 2369 §3.2).
///
/// # Errors
/// As [`reply`]; `to` is no address.
pub fn unsubscribe_mail(original: &Original, to: &str, subject: &str, pen: Pen<'_>) -> Result<Vec<u8>, NotAnswerable> {
    let mut letter = answer(original, subject, pen)?;
    letter.to = vec![Mailbox::bare(to.parse().map_err(|_| NotAnswerable("address to unsubscribe at"))?)];
    (letter.in_reply_to, letter.references) = (None, Vec::new());
    letter.content = Content::Text(String::new());
    Ok(compose::compose(&letter))
}

/// A letter back, in the thread.
fn answer(original: &Original, subject: &str, pen: Pen<'_>) -> Result<Letter, NotAnswerable> {
    let id = |text: &str| text.parse::<MessageId>().map_err(|_| NotAnswerable("Message-ID"));
    let subject = HeaderText::new(subject).map_err(|_| NotAnswerable("subject"))?;
    let own_id = MessageId::new(pen.unique, original.to.domain()).map_err(|_| NotAnswerable("recipient"))?;
    let (from, to) = (Mailbox::bare(original.to.clone()), Mailbox::bare(original.answered_at.clone()));
    let mut letter = Letter::new(from, to, subject, SentAt::utc(pen.now), own_id);
    letter.in_reply_to = Some(id(&original.message_id)?);
    letter.references = original.references.iter().filter_map(|r| id(r).ok()).collect();
    letter.references.push(id(&original.message_id)?);
    Ok(letter)
}

fn re(subject: &str) -> String {
    let answered = subject.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("re:"));
    if answered { subject.to_owned() } else { format!("Re: {subject}") }
}

fn quotation(original: &Original) -> String {
    let mut text = format!("On a day before, {} wrote:\n", original.from_shown);
    for line in original.text.lines().take(QUOTED_MAX) {
        text.push_str("> ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
