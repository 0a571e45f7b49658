//! A signed-in session: what it offers, its folders, and what is asked of one. Folders are opened read-only.

use super::account::Timeouts;
use super::failure::{Failure, Stage};
use super::folder_name::quoted;
use super::response::{Fetched, Folder, Response, Status};
use super::wire::Wire;
use cadenza_core::calendar::Date;
use cadenza_core::time::Time;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

/// Room for answers in which no mail comes.
pub(super) const TALK: usize = 256 * 1024;
/// Room for the folders of a mailbox.
const FOLDERS: usize = 1024 * 1024;
/// Room for the numbers of a folder's messages: some two million.
const NUMBERS: usize = 16 * 1024 * 1024;
/// Room for what surrounds each message, and for news between.
const AROUND: usize = 16 * 1024;
/// How long a farewell may take.
const LOGOUT: Duration = Duration::from_secs(5);

/// One session, which does one thing at a time. After a failure that is no refusal it is of no more use.
#[derive(Debug)]
pub struct Session {
    pub(super) wire: Wire,
    /// In upper case.
    pub(super) offered: Vec<String>,
    pub(super) limits: Timeouts,
    pub(super) greeting: String,
    peer: SocketAddr,
    commands: u32,
    /// The server told of a message that nobody has looked for yet.
    news: bool,
}

/// A folder as it was opened (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub uid_validity: u32,
    /// Old servers do not say it.
    pub uid_next: Option<u32>,
}

/// A message before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    pub uid: u32,
    pub bytes: u32,
    /// When it came into the mailbox.
    pub arrived: Option<Time>,
}

/// A message's bytes, or their beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    pub uid: u32,
    pub raw: Vec<u8>,
}

/// What of a message is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole, or so many bytes from its beginning.
    Whole { bytes_max: u32 },
    /// Its header, or so many bytes from its beginning.
    Header { bytes_max: u32 },
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idled {
    /// Something may have come.
    News,
    /// What the caller waited for besides.
    Over,
}

impl Session {
    pub(super) fn new(wire: Wire, limits: Timeouts, peer: SocketAddr) -> Session {
        Session { wire, offered: Vec::new(), limits, greeting: String::new(), peer, commands: 0, news: false }
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }
    pub fn greeting(&self) -> &str {
        &self.greeting
    }
    /// Protocol and cipher suite, where the line is protected.
    pub fn tls(&self) -> Option<String> {
        self.wire.stream().described()
    }
    pub fn offers(&self, capability: &str) -> bool {
        self.offered.iter().any(|c| c == capability)
    }

    /// All folders.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Failure> {
        let mut found = Vec::new();
        let take = |response| {
            if let Response::List(folder) = response {
                found.push(folder);
            }
        };
        self.command(Stage::List, "LIST \"\" \"*\"", FOLDERS, take).await?;
        Ok(found)
    }

    /// Opens a folder read-only.
    ///
    /// # Errors
    /// `Refused` where there is no such folder.
    pub async fn examine(&mut self, folder: &str) -> Result<Opened, Failure> {
        let (mut validity, mut next) = (None, None);
        let take = |response| {
            if let Response::Status { tag: None, code, .. } = response {
                let number = |word: &str| {
                    let (name, value) = code.split_once(' ')?;
                    if name.eq_ignore_ascii_case(word) { value.trim().parse::<u32>().ok() } else { None }
                };
                validity = number("UIDVALIDITY").or(validity);
                next = number("UIDNEXT").or(next);
            }
        };
        self.command(Stage::Examine, &format!("EXAMINE {}", quoted(folder)), TALK, take).await?;
        self.news = false;
        Ok(Opened { uid_validity: validity.ok_or(Failure::NoUidValidity)?, uid_next: next })
    }

    /// The UIDs from `from` on, ascending; with `since` only of messages that came on that day or later.
    pub async fn numbers(&mut self, from: u32, since: Option<Date>) -> Result<Vec<u32>, Failure> {
        let mut line = format!("UID SEARCH UID {from}:*");
        if let Some(day) = since {
            // Writing to a string does not fail.
            let _ = write!(line, " SINCE {}", day.to_jiff().strftime("%-d-%b-%Y"));
        }
        let mut found = Vec::new();
        let take = |response| {
            if let Response::Search(mut numbers) = response {
                found.append(&mut numbers);
            }
        };
        self.command(Stage::Search, &line, NUMBERS, take).await?;
        // `n:*` names the last message also where its number is below n.
        found.retain(|uid| *uid >= from);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The UID of the last message.
    pub async fn last_number(&mut self) -> Result<Option<u32>, Failure> {
        let mut last = None;
        let take = |response| {
            if let Response::Search(numbers) = response {
                last = last.max(numbers.into_iter().max());
            }
        };
        self.command(Stage::Search, "UID SEARCH UID *", TALK, take).await?;
        Ok(last)
    }

    /// Size and arrival of those of these messages that are still there, ascending.
    pub async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<Sized>, Failure> {
        let mut found = Vec::new();
        let take = |message: Fetched| {
            if let (Some(uid), Some(bytes)) = (message.uid, message.size) {
                found.push(Sized { uid, bytes, arrived: message.arrived });
            }
        };
        self.fetch(uids, "UID RFC822.SIZE INTERNALDATE", TALK, take).await?;
        found.sort_unstable_by_key(|m| m.uid);
        found.dedup_by_key(|m| m.uid);
        Ok(found)
    }

    /// These messages, or what is still there of them, ascending. No flag changes.
    /// No more than `room` bytes of mail are taken in.
    pub async fn mails(&mut self, uids: &[u32], part: Part, room: usize) -> Result<Vec<Mail>, Failure> {
        let (section, bytes) = match part {
            Part::Whole { bytes_max } => ("BODY.PEEK[]", bytes_max),
            Part::Header { bytes_max } => ("BODY.PEEK[HEADER]", bytes_max),
        };
        let room = room.saturating_add(uids.len() * AROUND);
        let mut found = Vec::new();
        let take = |message: Fetched| {
            if let (Some(uid), Some(mut raw)) = (message.uid, message.body) {
                // A server that does not know parts sends the whole.
                raw.truncate(bytes as usize);
                found.push(Mail { uid, raw });
            }
        };
        self.fetch(uids, &format!("UID {section}<0.{bytes}>"), room, take).await?;
        found.sort_by_key(|m| m.uid);
        found.dedup_by_key(|m| m.uid);
        Ok(found)
    }

    /// Tells of asked messages only: others are news of flags.
    async fn fetch(
        &mut self,
        uids: &[u32],
        items: &str,
        room: usize,
        mut take: impl FnMut(Fetched),
    ) -> Result<(), Failure> {
        let take = |response| {
            if let Response::Fetch(message) = response
                && message.uid.is_some_and(|uid| uids.binary_search(&uid).is_ok())
            {
                take(message);
            }
        };
        self.command(Stage::Fetch, &format!("UID FETCH {} ({items})", set_of(uids)), room, take).await
    }

    /// Waits until something comes into the open folder, or `over` ends. The server must offer IDLE.
    ///
    /// # Errors
    /// `Refused` where it does not let us idle after all.
    pub async fn idle(&mut self, over: impl Future<Output = ()>) -> Result<Idled, Failure> {
        let stage = Stage::Idle;
        if std::mem::take(&mut self.news) {
            return Ok(Idled::News);
        }
        let tag = self.say(stage, "IDLE", TALK).await?;
        loop {
            match self.next(stage).await? {
                Response::Continue(_) => break,
                Response::Status { tag: Some(t), status, code, text } if t == tag => {
                    self.end(stage, status, &code, text.clone())?;
                    return Err(Failure::Refused { stage, text });
                }
                other => self.hear(stage, &other)?,
            }
        }
        tokio::pin!(over);
        let ended = loop {
            if self.news {
                break Idled::News;
            }
            // The server may well say nothing for as long as we wait.
            let next = tokio::select! {
                next = self.wire.response(Duration::MAX) => next.map_err(|lost| lost.at(stage))?,
                () = &mut over => break Idled::Over,
            };
            self.wire.make_room(TALK);
            match next {
                Response::Status { tag: Some(t), .. } if t == tag => return Ok(Idled::News),
                response => self.hear(stage, &response)?,
            }
        };
        self.wire.send(b"DONE\r\n", self.limits.answer).await.map_err(|lost| lost.at(stage))?;
        self.finish(stage, &tag, |_| {}).await?;
        Ok(if std::mem::take(&mut self.news) { Idled::News } else { ended })
    }

    /// Says goodbye and closes. Waits at most five seconds; how it goes does not matter any more.
    pub async fn logout(mut self) {
        self.limits.answer = LOGOUT;
        self.limits.command = LOGOUT;
        let _ = self.command(Stage::Logout, "LOGOUT", TALK, |_| {}).await;
    }

    /// Says one command and hands over what is answered, until the server ends it with OK.
    pub(super) async fn command(
        &mut self,
        stage: Stage,
        line: &str,
        room: usize,
        take: impl FnMut(Response),
    ) -> Result<(), Failure> {
        let tag = self.say(stage, line, room).await?;
        self.finish(stage, &tag, take).await
    }

    /// Sends a command, and answers its tag.
    pub(super) async fn say(&mut self, stage: Stage, line: &str, room: usize) -> Result<String, Failure> {
        self.commands += 1;
        let tag = format!("c{}", self.commands);
        self.wire.make_room(room);
        let line = format!("{tag} {line}\r\n");
        self.wire.send(line.as_bytes(), self.limits.answer).await.map_err(|lost| lost.at(stage))?;
        Ok(tag)
    }

    async fn finish(&mut self, stage: Stage, tag: &str, mut take: impl FnMut(Response)) -> Result<(), Failure> {
        let limit = self.limits.command;
        let reading = async {
            loop {
                match self.next(stage).await? {
                    Response::Status { tag: Some(t), status, code, text } if t == tag => {
                        return self.end(stage, status, &code, text);
                    }
                    response => {
                        self.hear(stage, &response)?;
                        take(response);
                    }
                }
            }
        };
        tokio::time::timeout(limit, reading).await.unwrap_or(Err(Failure::TimedOut { stage, limit }))
    }

    pub(super) async fn next(&mut self, stage: Stage) -> Result<Response, Failure> {
        self.wire.response(self.limits.answer).await.map_err(|lost| lost.at(stage))
    }

    /// What comes beside the answer: news, or the end.
    pub(super) fn hear(&mut self, stage: Stage, response: &Response) -> Result<(), Failure> {
        match response {
            Response::Status { status: Status::Bye, text, .. } if stage != Stage::Logout => {
                Err(Failure::Closed { stage, text: text.clone() })
            }
            Response::Exists => {
                self.news = true;
                Ok(())
            }
            Response::Capability(all) => {
                self.offered.clone_from(all);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// How a command ended.
    pub(super) fn end(&mut self, stage: Stage, status: Status, code: &str, text: String) -> Result<(), Failure> {
        match (status, stage) {
            (Status::Ok | Status::PreAuth, _) => {
                self.note_offered(code);
                Ok(())
            }
            (Status::No | Status::Bad, Stage::SignIn) => {
                let its_own =
                    ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"].iter().any(|c| code.eq_ignore_ascii_case(c));
                let passing = its_own || status == Status::Bad;
                Err(Failure::SignIn { text, passing })
            }
            (Status::No | Status::Bad, _) => Err(Failure::Refused { stage, text }),
            (Status::Bye, _) => Err(Failure::Closed { stage, text }),
        }
    }
}

/// `3,5:9,12`
fn set_of(uids: &[u32]) -> String {
    let mut set = String::new();
    let mut rest = uids;
    while let Some((first, _)) = rest.split_first() {
        let run = rest.iter().enumerate().take_while(|(n, uid)| **uid as usize == *first as usize + n).count();
        let comma = if set.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = match rest[run - 1] {
            last if last == *first => write!(set, "{comma}{first}"),
            last => write!(set, "{comma}{first}:{last}"),
        };
        rest = &rest[run..];
    }
    set
}

#[cfg(test)]
mod tests {
    use super::set_of;

    #[test]
    fn a_set_names_runs_by_their_ends() {
        assert_eq!(set_of(&[3, 5, 6, 7, 9]), "3,5:7,9");
        assert_eq!(set_of(&[u32::MAX - 1, u32::MAX]), "4294967294:4294967295");
    }
}
