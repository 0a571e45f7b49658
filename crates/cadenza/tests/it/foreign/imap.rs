//! What an IMAP server answers, in pieces of any size.

use super::seeds;
use cadenza::mail::imap::{Inbox, Lost, Response};
use cadenza_testkit::Target;

pub const ANSWERS: Target =
    Target { name: "", seeds: || seeds(CONVERSATIONS), pieces: PIECES, judge: answers, cases: 1_000, most_ms: 50 };

/// What one command's answer may have.
const ROOM: usize = 64 * 1024;

const CONVERSATIONS: &[&str] = &[
    "* OK [CAPABILITY IMAP4rev1 SASL-IR IDLE AUTH=PLAIN] ready\r\n+ \r\nc1 NO [AUTHENTICATIONFAILED] no\r\nc2 OK in\r\n",
    "* LIST (\\HasNoChildren \\Sent) \"/\" \"Gel&APY-scht\"\r\n* LIST () NIL {5}\r\nINBOX\r\n* 3 EXISTS\r\n\
     * OK [UIDVALIDITY 77] a\r\n* OK [UIDNEXT 4] b\r\nc3 OK [READ-ONLY] open\r\n* SEARCH 1 2 3\r\n* 1 EXPUNGE\r\nc4 OK\r\n",
    "* 1 FETCH (UID 1 RFC822.SIZE 44 INTERNALDATE \" 7-Jul-2026 02:44:25 -0700\" FLAGS (\\Seen))\r\n\
     * 2 FETCH (UID 2 BODY[]<0> {12}\r\nSubject: a\r\n BODY[HEADER.FIELDS (A B)] NIL)\r\n* BYE {3}\r\nc5 BAD what\r\n",
];
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "* ",
    "+ ",
    "(",
    ")",
    "\"",
    "\\",
    "[",
    "]",
    "{0}\r\n",
    "{3}\r\n",
    "{4294967295}\r\n",
    "{3+}\r\n",
    "~{2}\r\n",
    "NIL",
    "UID ",
    "FETCH (",
    "BODY[]",
    "RFC822.SIZE 99999999999",
    "INTERNALDATE \"",
    "EXISTS",
    "SEARCH",
    "LIST ",
    "&-",
    "&AAA-",
    "&2D0-",
];

/// The same bytes give the same responses wherever they are cut, and no more of them is taken in than there is room for.
fn answers(bytes: &[u8]) {
    let whole = responses([bytes]);
    // Where to cut is made of the bytes, so that an input says all.
    let step = 1 + bytes.iter().fold(7, |sum: usize, b| sum.wrapping_mul(31) ^ usize::from(*b)) % 97;
    assert_eq!(responses(bytes.chunks(step)).0, whole.0, "in pieces of {step}");
    if bytes.len() < 5_000 {
        assert_eq!(responses(bytes.chunks(1)).0, whole.0, "byte by byte");
    }
    let bodies = whole.0.iter().map(|r| match r {
        Response::Fetch(f) => f.body.as_ref().map_or(0, Vec::len),
        _ => 0,
    });
    assert!(bodies.sum::<usize>() <= ROOM.min(bytes.len()));
}

/// The responses, and why there are no more where that is not the end of the bytes.
fn responses<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Response>, Option<Lost>) {
    let (mut inbox, mut found) = (Inbox::default(), Vec::new());
    inbox.make_room(ROOM);
    for piece in pieces {
        inbox.end().extend_from_slice(piece);
        loop {
            match inbox.response() {
                Ok(Some(response)) => found.push(response),
                Ok(None) => break,
                Err(why) => return (found, Some(why)),
            }
        }
    }
    (found, None)
}
