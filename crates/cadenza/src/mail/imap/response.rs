//! What a server says, one response at a time, as far as anything here depends on it.

use super::folder_name;
use super::inbox::Piece;
use super::parse::{Value, values};
use cadenza_core::time::Time;
use jiff::fmt::strtime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The server waits for more of the command.
    Continue(String),
    /// The end of a command where there is a tag, else news.
    Status {
        tag: Option<String>,
        status: Status,
        code: String,
        text: String,
    },
    Capability(Vec<String>),
    Exists,
    Search(Vec<u32>),
    Fetch(Fetched),
    List(Folder),
    /// Anything else, such as flags and EXPUNGE.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// What a FETCH response tells of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    pub uid: Option<u32>,
    pub size: Option<u32>,
    pub arrived: Option<Time>,
    pub body: Option<Vec<u8>>,
}

/// A folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// As people read it.
    pub name: String,
    /// In lower case, such as `\junk` and `\noselect`.
    pub attributes: Vec<String>,
}

impl Response {
    /// `None` for what is no response at all.
    pub(super) fn read(mut pieces: Vec<Piece>) -> Option<Response> {
        let Some(Piece::Text(first)) = pieces.first() else { return None };
        let line = String::from_utf8_lossy(first).into_owned();
        if let Some(text) = line.strip_prefix('+') {
            return Some(Response::Continue(text.trim().to_owned()));
        }
        let (tag, rest) = line.split_once(' ')?;
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if let Some(status) = Status::named(word) {
            let (code, text) = code_of(rest);
            let tag = (tag != "*").then(|| tag.to_owned());
            return Some(Response::Status { tag, status, code: code.to_owned(), text: told(text) });
        }
        if tag != "*" {
            return None;
        }
        match word.to_ascii_uppercase().as_str() {
            "CAPABILITY" => return Some(Response::Capability(words(rest))),
            // Numbers by the hundred thousand: not by way of values.
            "SEARCH" => {
                return Some(Response::Search(rest.split_whitespace().filter_map(|n| n.parse().ok()).collect()));
            }
            "LIST" => return Some(values(pieces).and_then(|v| folder(&v)).map_or(Response::Other, Response::List)),
            _ => {}
        }
        if word.parse::<u32>().is_err() {
            return Some(Response::Other);
        }
        match rest.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EXISTS" => Some(Response::Exists),
            "FETCH" => {
                let items = values(std::mem::take(&mut pieces))?.into_iter().nth(3)?;
                let Value::List(items) = items else { return None };
                Some(Response::Fetch(fetched(items)))
            }
            _ => Some(Response::Other),
        }
    }
}

impl Status {
    fn named(word: &str) -> Option<Status> {
        Some(match word.to_ascii_uppercase().as_str() {
            "OK" => Status::Ok,
            "NO" => Status::No,
            "BAD" => Status::Bad,
            "BYE" => Status::Bye,
            "PREAUTH" => Status::PreAuth,
            _ => return None,
        })
    }
}

/// The code in brackets and the words behind it.
fn code_of(rest: &str) -> (&str, &str) {
    let coded = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
    coded.map_or(("", rest), |(code, text)| (code, text.trim_start()))
}

/// Of a server's free words, what may be shown.
fn told(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_ascii_uppercase).collect()
}

fn folder(values: &[Value]) -> Option<Folder> {
    let [_, _, Value::List(attributes), _, name] = values else { return None };
    let attributes = attributes.iter().filter_map(|a| Some(a.atom()?.to_ascii_lowercase())).collect();
    Some(Folder { name: folder_name::decode(&name.words()?), attributes })
}

fn fetched(items: Vec<Value>) -> Fetched {
    let mut found = Fetched::default();
    let mut items = items.into_iter();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        let Some(name) = name.atom().map(str::to_ascii_uppercase) else { continue };
        match name.as_str() {
            "UID" => found.uid = value.number(),
            // Whatever does not fit is very large.
            "RFC822.SIZE" => found.size = Some(value.number().unwrap_or(u32::MAX)),
            "INTERNALDATE" => found.arrived = value.words().and_then(|text| moment(&text)),
            body if body.starts_with("BODY[") => {
                found.body = match value {
                    Value::Text(bytes) => Some(bytes),
                    // NIL: the message has no such part.
                    Value::Atom(_) => Some(Vec::new()),
                    Value::List(_) => None,
                }
            }
            _ => {}
        }
    }
    found
}

/// ` 7-Jul-2026 02:44:25 -0700`
fn moment(text: &str) -> Option<Time> {
    let parsed = strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok().map(Time::from_jiff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Response> {
        Response::read(vec![Piece::Text(text.as_bytes().to_vec())])
    }

    #[test]
    fn responses_are_understood() {
        let status = |tag: Option<&str>, status, code: &str, text: &str| {
            Some(Response::Status { tag: tag.map(str::to_owned), status, code: code.into(), text: text.into() })
        };
        assert_eq!(read("* OK [UIDNEXT 7] Predicted"), status(None, Status::Ok, "UIDNEXT 7", "Predicted"));
        assert_eq!(read("a1 NO [A] b\u{1b}c"), status(Some("a1"), Status::No, "A", "bc"));
        assert_eq!(read("* BYE"), status(None, Status::Bye, "", ""));
        assert_eq!(read("* SEARCH 2 84 x 882"), Some(Response::Search(vec![2, 84, 882])));
        assert_eq!(read("* SEARCH"), Some(Response::Search(vec![])));
        assert_eq!(read("* 5 EXISTS"), Some(Response::Exists));
        assert_eq!(read("* 5 EXPUNGE"), Some(Response::Other));
        assert_eq!(read("+ idling"), Some(Response::Continue("idling".into())));
        assert_eq!(read("* capability IMAP4rev1 idle"), Some(Response::Capability(words("IMAP4rev1 IDLE"))));
        for bad in ["", "220 smtp.example ESMTP", "a1", "* 1 FETCH (UID"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_message_is_read_off_its_fetch() {
        let text =
            r#"* 1 FETCH (FLAGS (\Seen) UID 9 RFC822.SIZE 44 INTERNALDATE " 7-Jul-2026 02:44:25 -0700" BODY[]<0> NIL)"#;
        let arrived = Some("2026-07-07T09:44:25Z".parse().unwrap());
        let found = Fetched { uid: Some(9), size: Some(44), arrived, body: Some(Vec::new()) };
        assert_eq!(read(text), Some(Response::Fetch(found)));
    }
}
