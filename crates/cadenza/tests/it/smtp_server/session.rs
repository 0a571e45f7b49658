//! One connection of the scripted server.

use super::{Act, Phase, Stage, Taken, Tls, acceptor};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Why a session ends; nobody asks.
struct Ended;

enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(super) struct Session {
    /// `None` only while TLS is being set up.
    line: Option<Line>,
    buffer: Vec<u8>,
    stage: Arc<Stage>,
    signed_in: bool,
    mail: Option<String>,
    rcpt: Vec<String>,
}

/// What became of the usual answer.
enum Went {
    AsUsual,
    /// The script said something else, with this code.
    Otherwise(u16),
}

impl Session {
    pub fn new(socket: TcpStream, stage: Arc<Stage>) -> Session {
        let line = Some(Line::Plain(socket));
        Session { line, buffer: Vec::new(), stage, signed_in: false, mail: None, rcpt: Vec::new() }
    }

    pub async fn run(mut self) {
        // However it ends, the socket closes.
        let _ = self.talk().await;
        drop(self.line);
        self.stage.log.lock().unwrap().ended += 1;
    }

    async fn talk(&mut self) -> Result<(), Ended> {
        self.phase(Phase::Connect, None).await?;
        if let Some(Tls::FromTheStart(_)) = self.stage.script.tls {
            self.handshake().await?;
        }
        self.phase(Phase::Greeting, Some("220 fake.example ESMTP")).await?;
        loop {
            let line = self.command().await?;
            let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.ehlo().await?,
                "HELO" => self.say("250 fake.example").await?,
                "STARTTLS" => self.start_tls().await?,
                "AUTH" => self.auth(rest).await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.forget();
                    self.say("250 2.0.0 ok").await?;
                }
                "QUIT" => {
                    self.say("221 2.0.0 bye").await?;
                    return Err(Ended);
                }
                _ => self.say("500 5.5.2 what?").await?,
            }
        }
    }

    async fn ehlo(&mut self) -> Result<(), Ended> {
        let offered = &self.stage.script.extensions;
        let secure = matches!(self.line, Some(Line::Tls(_)));
        let mut lines: Vec<&str> = vec!["fake.example"];
        lines.extend(offered.iter().map(String::as_str).filter(|e| !(secure && *e == "STARTTLS")));
        let last = lines.len() - 1;
        let reply = lines.iter().enumerate().map(|(i, l)| format!("250{}{l}", if i == last { ' ' } else { '-' }));
        let reply = reply.collect::<Vec<_>>().join("\r\n");
        let reply = if offered.is_empty() { "502 what is that?".to_owned() } else { reply };
        self.phase(Phase::Hello, Some(&reply)).await.map(drop)
    }

    async fn start_tls(&mut self) -> Result<(), Ended> {
        match self.phase(Phase::StartTls, Some("220 2.0.0 go ahead")).await? {
            Went::AsUsual | Went::Otherwise(220) => self.handshake().await,
            Went::Otherwise(_) => Ok(()),
        }
    }

    async fn handshake(&mut self) -> Result<(), Ended> {
        self.phase(Phase::Handshake, None).await?;
        let acceptor = self.stage.script.tls.as_ref().map(acceptor).ok_or(Ended)?;
        let Some(Line::Plain(socket)) = self.line.take() else { return Err(Ended) };
        self.buffer.clear();
        let stream = acceptor.accept(socket).await.map_err(|_| Ended)?;
        self.line = Some(Line::Tls(Box::new(stream)));
        Ok(())
    }

    async fn auth(&mut self, rest: &str) -> Result<(), Ended> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let (user, password) = self.stage.script.sign_in.clone().unwrap_or_default();
        let password = self.stage.password.lock().unwrap().clone().unwrap_or(password);
        let given = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let right = match mechanism {
            "PLAIN" => given(initial) == format!("\0{user}\0{password}"),
            "LOGIN" => {
                self.say("334 VXNlcm5hbWU6").await?;
                let name = given(&self.command().await?);
                self.say("334 UGFzc3dvcmQ6").await?;
                let secret = given(&self.command().await?);
                (name, secret) == (user, password)
            }
            "XOAUTH2" => {
                let right = given(initial) == format!("user={user}\x01auth=Bearer {password}\x01\x01");
                if !right {
                    self.say(&format!("334 {}", STANDARD.encode(r#"{"status":"401"}"#))).await?;
                    assert_eq!(self.command().await?, "", "a refused client answers the challenge with nothing");
                }
                right
            }
            _ => return self.say("504 5.5.4 unknown mechanism").await,
        };
        self.signed_in = right;
        let reply = if right { "235 2.7.0 welcome" } else { "535 5.7.8 wrong" };
        self.phase(Phase::Auth, Some(reply)).await.map(drop)
    }

    async fn mail(&mut self, rest: &str) -> Result<(), Ended> {
        if self.mail.is_some() {
            return self.say("503 5.5.1 nested MAIL").await;
        }
        if self.stage.script.sign_in.is_some() && !self.signed_in {
            return self.say("530 5.7.0 sign in first").await;
        }
        if let Went::AsUsual = self.phase(Phase::Mail, Some("250 2.1.0 ok")).await? {
            self.mail = Some(rest.to_owned());
        }
        Ok(())
    }

    async fn rcpt(&mut self, rest: &str) -> Result<(), Ended> {
        if self.mail.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        match self.phase(Phase::Rcpt, Some("250 2.1.5 ok")).await? {
            Went::AsUsual | Went::Otherwise(250..=299) => self.rcpt.push(rest.to_owned()),
            Went::Otherwise(_) => {}
        }
        Ok(())
    }

    async fn data(&mut self) -> Result<(), Ended> {
        let usual = if self.rcpt.is_empty() { "554 5.5.1 no valid recipients" } else { "354 go ahead" };
        match self.phase(Phase::Data, Some(usual)).await? {
            Went::AsUsual if self.rcpt.is_empty() => return Ok(()),
            Went::AsUsual | Went::Otherwise(354) => {}
            Went::Otherwise(_) => return Ok(()),
        }
        let body = self.body().await?;
        let taken = Taken { mail: self.mail.take().unwrap_or_default(), rcpt: std::mem::take(&mut self.rcpt), body };
        match self.phase(Phase::Dot, None).await? {
            Went::AsUsual | Went::Otherwise(250) => {}
            Went::Otherwise(_) => return Ok(()),
        }
        let id = {
            let mut log = self.stage.log.lock().unwrap();
            log.taken.push(taken);
            log.taken.len()
        };
        self.phase(Phase::Accepted, Some(&format!("250 2.0.0 queued as {id}"))).await.map(drop)
    }

    /// Up to the final dot, which is `CRLF.CRLF` and nothing else.
    async fn body(&mut self) -> Result<Vec<u8>, Ended> {
        // The line end of DATA counts as the one before a dot at once.
        let mut wire = b"\r\n".to_vec();
        let mut begun = false;
        loop {
            if !begun && !self.buffer.is_empty() {
                begun = true;
                self.phase(Phase::Body, None).await?;
            }
            wire.append(&mut self.buffer);
            if let Some(end) = wire.windows(5).position(|w| w == b"\r\n.\r\n") {
                self.buffer = wire.split_off(end + 5);
                wire.truncate(end + 2);
                let text = String::from_utf8(wire.split_off(2)).unwrap();
                return Ok(text
                    .split_inclusive("\r\n")
                    .map(|l| l.strip_prefix('.').unwrap_or(l))
                    .collect::<String>()
                    .into());
            }
            self.read().await?;
        }
    }

    fn forget(&mut self) {
        self.mail = None;
        self.rcpt.clear();
    }

    async fn command(&mut self) -> Result<String, Ended> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.read().await?;
            let commands = String::from_utf8_lossy(&self.buffer).lines().map(str::to_owned).collect();
            self.stage.log.lock().unwrap().groups.push(commands);
        }
    }

    async fn read(&mut self) -> Result<(), Ended> {
        self.buffer.reserve(64 * 1024);
        let read = match self.line.as_mut().ok_or(Ended)? {
            Line::Plain(stream) => stream.read_buf(&mut self.buffer).await,
            Line::Tls(stream) => stream.read_buf(&mut self.buffer).await,
        };
        if read.is_ok_and(|n| n > 0) { Ok(()) } else { Err(Ended) }
    }

    /// Says the usual, or does what the script has for this phase.
    async fn phase(&mut self, phase: Phase, usual: Option<&str>) -> Result<Went, Ended> {
        let Some(act) = self.stage.act(phase) else {
            if let Some(usual) = usual {
                self.say(usual).await?;
            }
            return Ok(Went::AsUsual);
        };
        let text = match act {
            Act::Say(text) => {
                self.say(&text).await?;
                text
            }
            Act::SayAndClose(text) => {
                self.say(&text).await?;
                return Err(Ended);
            }
            Act::Dribble(text) => {
                for byte in format!("{text}\r\n").bytes() {
                    self.write(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
                text
            }
            Act::Close => return Err(Ended),
            Act::Reset => {
                match self.line.take() {
                    Some(Line::Plain(socket)) => socket.set_zero_linger().unwrap(),
                    Some(Line::Tls(stream)) => stream.get_ref().0.set_zero_linger().unwrap(),
                    None => {}
                }
                return Err(Ended);
            }
            Act::Wait(gate) => {
                gate.pass().await;
                if let Some(usual) = usual {
                    self.say(usual).await?;
                }
                return Ok(Went::AsUsual);
            }
            Act::Silence => loop {
                self.buffer.clear();
                self.read().await?;
            },
        };
        self.stage.log.lock().unwrap().acts += 1;
        Ok(Went::Otherwise(text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0)))
    }

    async fn say(&mut self, text: &str) -> Result<(), Ended> {
        self.write(format!("{text}\r\n").as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let written = match self.line.as_mut().ok_or(Ended)? {
            Line::Plain(stream) => stream.write_all(bytes).await,
            Line::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                failed => failed,
            },
        };
        written.map_err(|_| Ended)
    }
}
