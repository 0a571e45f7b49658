//! One connection of the scripted server.

use super::{Act, Phase, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Why a session ends; nobody asks.
struct Ended;

impl From<std::io::Error> for Ended {
    fn from(_: std::io::Error) -> Ended {
        Ended
    }
}

pub(super) struct Session {
    line: BufReader<TcpStream>,
    world: Arc<Mutex<World>>,
    changed: watch::Receiver<u64>,
    signed_in: bool,
    folder: Option<String>,
}

impl Session {
    pub fn new(socket: TcpStream, world: Arc<Mutex<World>>, changed: watch::Receiver<u64>) -> Session {
        Session { line: BufReader::new(socket), world, changed, signed_in: false, folder: None }
    }

    pub async fn run(mut self) {
        // However it ends, the socket closes.
        let _ = self.talk().await;
    }

    async fn say(&mut self, text: &str) -> Result<(), Ended> {
        self.line.write_all(text.as_bytes()).await?;
        Ok(self.line.write_all(b"\r\n").await?)
    }

    async fn heard(&mut self) -> Result<String, Ended> {
        let mut line = String::new();
        match self.line.read_line(&mut line).await? {
            0 => Err(Ended),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// What the script wants here; answers whether it has ended the command.
    async fn phase(&mut self, phase: Phase, tag: &str) -> Result<bool, Ended> {
        let act = self.world.lock().unwrap().act(phase);
        match act {
            Some(act) => self.perform(act, tag).await,
            None => Ok(false),
        }
    }

    async fn perform(&mut self, act: Act, tag: &str) -> Result<bool, Ended> {
        match act {
            Act::Close => Err(Ended),
            Act::Silence => loop {
                self.heard().await?;
            },
            Act::Answer(words) => {
                self.say(&format!("{tag} {words}")).await?;
                Ok(true)
            }
            Act::Besides(line) => {
                self.say(&line).await?;
                Ok(false)
            }
            Act::Expunge(uid) => {
                self.world.lock().unwrap().inbox().messages.remove(&uid);
                self.say("* 1 EXPUNGE").await?;
                Ok(false)
            }
        }
    }

    async fn talk(&mut self) -> Result<(), Ended> {
        self.phase(Phase::Greeting, "*").await?;
        self.say("* OK ready").await?;
        loop {
            let line = self.heard().await?;
            let (tag, rest) = line.split_once(' ').ok_or(Ended)?;
            let (tag, rest) = (tag.to_owned(), rest.to_owned());
            let verb = rest.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let secret = matches!(verb.as_str(), "LOGIN" | "AUTHENTICATE");
            self.world.lock().unwrap().commands.push(if secret { verb.clone() } else { rest.clone() });
            match verb.as_str() {
                "CAPABILITY" => self.capability(&tag).await?,
                "LOGIN" | "AUTHENTICATE" => self.sign_in(&tag, &rest).await?,
                "LIST" => self.list(&tag).await?,
                "EXAMINE" => self.examine(&tag, &rest).await?,
                "UID" if rest.starts_with("UID SEARCH") => self.search(&tag, &rest).await?,
                "UID" if rest.contains("BODY.PEEK[") => self.mails(&tag, &rest).await?,
                "UID" => self.sizes(&tag, &rest).await?,
                "IDLE" => self.idle(&tag).await?,
                "LOGOUT" => {
                    self.say(&format!("* BYE\r\n{tag} OK")).await?;
                    return Ok(());
                }
                _ => self.say(&format!("{tag} BAD what?")).await?,
            }
        }
    }

    async fn capability(&mut self, tag: &str) -> Result<(), Ended> {
        if self.phase(Phase::Capability, tag).await? {
            return Ok(());
        }
        let offered = self.world.lock().unwrap().offered[usize::from(self.signed_in)];
        self.say(&format!("* CAPABILITY {offered}\r\n{tag} OK")).await
    }

    async fn sign_in(&mut self, tag: &str, rest: &str) -> Result<(), Ended> {
        if self.phase(Phase::SignIn, tag).await? {
            return Ok(());
        }
        let said = match rest.split(' ').collect::<Vec<_>>()[..] {
            ["LOGIN", _, password] => password.trim_matches('"').to_owned(),
            ["AUTHENTICATE", "PLAIN", response] => secret_of(response),
            ["AUTHENTICATE", "PLAIN"] => {
                self.say("+ ").await?;
                secret_of(&self.heard().await?)
            }
            ["AUTHENTICATE", "XOAUTH2", response] => {
                let bytes = STANDARD.decode(response).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let token = text.split('\x01').find_map(|part| part.strip_prefix("auth=Bearer ")).unwrap_or_default();
                if token != self.world.lock().unwrap().password {
                    self.say(&format!("+ {}", STANDARD.encode(r#"{"status":"400"}"#))).await?;
                    assert_eq!(self.heard().await?, "", "a refused client answers the challenge with nothing");
                }
                token.to_owned()
            }
            _ => String::new(),
        };
        if said != self.world.lock().unwrap().password {
            return self.say(&format!("{tag} NO [AUTHENTICATIONFAILED] Wrong password")).await;
        }
        self.signed_in = true;
        self.say(&format!("{tag} OK welcome")).await
    }

    async fn list(&mut self, tag: &str) -> Result<(), Ended> {
        let names: Vec<String> = self.world.lock().unwrap().folders.keys().cloned().collect();
        for name in names {
            self.say(&format!("* LIST (\\HasNoChildren) \"/\" \"{name}\"")).await?;
        }
        self.say(&format!("{tag} OK")).await
    }

    async fn examine(&mut self, tag: &str, rest: &str) -> Result<(), Ended> {
        if self.phase(Phase::Examine, tag).await? {
            return Ok(());
        }
        let name = rest.trim_start_matches("EXAMINE ").trim_matches('"').to_owned();
        let opened = self.world.lock().unwrap().folders.get(&name).map(|f| {
            let (exists, validity, next) = (f.messages.len(), f.validity, f.uid_next);
            format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] valid\r\n* OK [UIDNEXT {next}] next")
        });
        let Some(opened) = opened else {
            self.folder = None;
            return self.say(&format!("{tag} NO [NONEXISTENT] no such folder")).await;
        };
        self.folder = Some(name);
        self.changed.mark_unchanged();
        self.say(&format!("{opened}\r\n{tag} OK [READ-ONLY] open")).await
    }

    async fn search(&mut self, tag: &str, rest: &str) -> Result<(), Ended> {
        if self.phase(Phase::Search, tag).await? {
            return Ok(());
        }
        let folder = self.folder.clone().ok_or(Ended)?;
        let words: Vec<&str> = rest.split(' ').collect();
        let from: u32 = words[3].trim_end_matches(":*").trim_end_matches('*').parse().unwrap_or(u32::MAX);
        let since = words.get(5).map(|day| date(day));
        let found = {
            let world = self.world.lock().unwrap();
            let messages = &world.folders[&folder].messages;
            // `n:*` names the last one always.
            let last = messages.last_key_value().map_or(0, |(uid, _)| *uid);
            let fits = messages.iter().filter(|(uid, _)| **uid >= from.min(last));
            let mut days = HashMap::new();
            let fits = fits
                .filter(|(_, m)| since.is_none_or(|since| *days.entry(m.day).or_insert_with(|| date(m.day)) >= since));
            let mut found: Vec<String> = fits.map(|(uid, _)| format!(" {uid}")).collect();
            // Newest first, which is as good as any order.
            found.reverse();
            found.concat()
        };
        self.say(&format!("* SEARCH{found}\r\n{tag} OK")).await
    }

    async fn sizes(&mut self, tag: &str, rest: &str) -> Result<(), Ended> {
        if self.phase(Phase::Sizes, tag).await? {
            return Ok(());
        }
        let folder = self.folder.clone().ok_or(Ended)?;
        for uid in self.asked(&folder, rest) {
            let line = {
                let world = self.world.lock().unwrap();
                let message = &world.folders[&folder].messages[&uid];
                let bytes = message.claimed.unwrap_or_else(|| world.raw(&folder, uid).len() as u32);
                format!("* {uid} FETCH (UID {uid} RFC822.SIZE {bytes} INTERNALDATE \"{} 09:00:00 +0000\")", message.day)
            };
            self.say(&line).await?;
        }
        self.say(&format!("{tag} OK")).await
    }

    async fn mails(&mut self, tag: &str, rest: &str) -> Result<(), Ended> {
        if self.phase(Phase::Fetch, tag).await? {
            return Ok(());
        }
        let folder = self.folder.clone().ok_or(Ended)?;
        let header = rest.contains("BODY.PEEK[HEADER]");
        let most: usize = rest.rsplit_once("<0.").unwrap().1.trim_end_matches(">)").parse().unwrap();
        for uid in self.asked(&folder, rest) {
            let (mut raw, cursed) = {
                let world = self.world.lock().unwrap();
                (world.raw(&folder, uid), world.folders[&folder].messages[&uid].cursed.clone())
            };
            // A header is handed out even of a mail that is lost.
            if let Some(act) = cursed
                && (!header || act == Act::Close)
                && self.perform(act, tag).await?
            {
                return Ok(());
            }
            if header {
                let end = raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
                raw.truncate(end);
            }
            raw.truncate(most);
            let section = if header { "HEADER" } else { "" };
            let start = format!("* {uid} FETCH (UID {uid} BODY[{section}]<0> {{{}}}\r\n", raw.len());
            self.line.write_all(start.as_bytes()).await?;
            let (first, second) = raw.split_at(raw.len() / 2);
            self.line.write_all(first).await?;
            self.phase(Phase::Middle, tag).await?;
            self.line.write_all(second).await?;
            self.say(")").await?;
        }
        if self.phase(Phase::Fetched, tag).await? {
            return Ok(());
        }
        self.say(&format!("{tag} OK")).await
    }

    /// Those of the set `3,5:9` that are there.
    fn asked(&self, folder: &str, rest: &str) -> Vec<u32> {
        let set = rest.split(' ').nth(2).unwrap();
        let world = self.world.lock().unwrap();
        let messages = &world.folders[folder].messages;
        let number = |text: &str| text.parse::<u32>().unwrap();
        let runs = set.split(',').map(|run| run.split_once(':').unwrap_or((run, run)));
        let runs = runs.map(|(first, last)| (number(first), number(last)));
        runs.flat_map(|(first, last)| messages.range(first..=last).map(|(uid, _)| *uid)).collect()
    }

    async fn idle(&mut self, tag: &str) -> Result<(), Ended> {
        if self.phase(Phase::Idle, tag).await? {
            return Ok(());
        }
        self.say("+ idling").await?;
        self.phase(Phase::Idling, tag).await?;
        loop {
            let mut line = String::new();
            tokio::select! {
                read = self.line.read_line(&mut line) => {
                    if read? == 0 {
                        return Err(Ended);
                    }
                    assert_eq!(line, "DONE\r\n");
                    return self.say(&format!("{tag} OK")).await;
                }
                changed = self.changed.changed() => {
                    changed.map_err(|_| Ended)?;
                    let exists = {
                        let mut world = self.world.lock().unwrap();
                        world.inbox().messages.len()
                    };
                    self.say(&format!("* {exists} EXISTS")).await?;
                }
            }
        }
    }
}

fn secret_of(response: &str) -> String {
    let bytes = STANDARD.decode(response).unwrap_or_default();
    String::from_utf8_lossy(&bytes).rsplit('\0').next().unwrap_or_default().to_owned()
}

fn date(day: &str) -> jiff::civil::Date {
    jiff::fmt::strtime::parse("%d-%b-%Y", day).unwrap().to_date().unwrap()
}
