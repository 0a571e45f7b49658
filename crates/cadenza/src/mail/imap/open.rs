//! From an account to a session: address, socket, TLS, greeting, sign-in, and what the server offers afterwards.

use super::super::line::{
    Auth, LineFailure, Peer, Security, Stream, is_sayable, needs_protection, plain, xoauth2, xoauth2_cause,
};
use super::account::Account;
use super::failure::{Failure, Stage};
use super::response::{Response, Status, words};
use super::session::{Session, TALK};
use super::wire::Wire;

impl Session {
    /// Connects, protects the line as the account asks, and signs in.
    ///
    /// # Errors
    /// [`Failure`], before anything was read.
    pub async fn open(account: &Account) -> Result<Session, Failure> {
        if !is_sayable(&account.auth) {
            return Err(LineFailure::Credentials.into());
        }
        let Account { host, port, reach, trust, timeouts, .. } = account;
        let to = Peer { host, port: *port, reach, trust, limit: timeouts.connect };
        let (socket, peer) = to.connect().await?;
        if needs_protection(account.security, &account.auth, peer) {
            return Err(LineFailure::UnprotectedPassword.into());
        }
        let stream = match account.security {
            Security::Tls => to.protect(socket).await?,
            Security::None | Security::StartTls => Stream::Plain(socket),
        };
        let mut session = Session::new(Wire::new(stream), account.timeouts, peer);
        let signed_in = session.be_greeted().await?;
        if account.security == Security::StartTls {
            // Who is signed in already cannot begin TLS any more: a trick to keep the line open to others (RFC 9051 §11.1).
            if signed_in || !session.asks_for("STARTTLS").await? {
                return Err(LineFailure::NoStartTls.into());
            }
            session.command(Stage::StartTls, "STARTTLS", TALK, |_| {}).await?;
            let socket = session.wire.into_stream().into_plain().ok_or(LineFailure::NoStartTls)?;
            let greeting = session.greeting;
            session = Session::new(Wire::new(to.protect(socket).await?), account.timeouts, peer);
            session.greeting = greeting;
        }
        if !signed_in {
            session.sign_in(&account.auth).await?;
        }
        // What is offered may be another after sign-in.
        session.offered.clear();
        session.learn().await?;
        Ok(session)
    }

    /// Whether the server says that it is content without a sign-in.
    async fn be_greeted(&mut self) -> Result<bool, Failure> {
        self.wire.make_room(TALK);
        match self.next(Stage::Greeting).await? {
            Response::Status { tag: None, status: status @ (Status::Ok | Status::PreAuth), code, text } => {
                self.note_offered(&code);
                self.greeting = text;
                Ok(status == Status::PreAuth)
            }
            Response::Status { text, .. } => Err(Failure::Closed { stage: Stage::Greeting, text }),
            other => {
                Err(Failure::Garbage { stage: Stage::Greeting, found: format!("{other:?}").chars().take(80).collect() })
            }
        }
    }

    async fn asks_for(&mut self, capability: &str) -> Result<bool, Failure> {
        self.learn().await?;
        Ok(self.offers(capability))
    }

    /// Asks what the server offers, where it has not said so by itself.
    async fn learn(&mut self) -> Result<(), Failure> {
        if !self.offered.is_empty() {
            return Ok(());
        }
        let mut found = Vec::new();
        self.command(Stage::Capability, "CAPABILITY", TALK, |response| {
            if let Response::Capability(all) = response {
                found = all;
            }
        })
        .await?;
        self.offered = found;
        Ok(())
    }

    pub(super) fn note_offered(&mut self, code: &str) {
        let all = words(code);
        if all.first().is_some_and(|word| word == "CAPABILITY") {
            self.offered = all;
        }
    }

    async fn sign_in(&mut self, auth: &Auth) -> Result<(), Failure> {
        self.learn().await?;
        match auth {
            Auth::Password { user, password } if self.offers("AUTH=PLAIN") => {
                self.authenticate("PLAIN", &plain(user, password)).await
            }
            Auth::Password { user, password }
                if !self.offers("LOGINDISABLED") && user.is_ascii() && password.is_ascii() =>
            {
                let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
                let line = format!("LOGIN \"{}\" \"{}\"", quoted(user), quoted(password));
                self.command(Stage::SignIn, &line, TALK, |_| {}).await.map(drop)
            }
            Auth::XOAuth2 { user, token } if self.offers("AUTH=XOAUTH2") => {
                self.authenticate("XOAUTH2", &xoauth2(user, token)).await
            }
            _ => {
                let offered = self.offered.iter().filter_map(|c| c.strip_prefix("AUTH="));
                Err(Failure::NoMechanism { offered: offered.collect::<Vec<_>>().join(" ") })
            }
        }
    }

    /// AUTHENTICATE with its initial response, in the command where the server takes it so (RFC 4959).
    async fn authenticate(&mut self, mechanism: &str, response: &str) -> Result<(), Failure> {
        let stage = Stage::SignIn;
        let at_once = self.offers("SASL-IR");
        let line =
            if at_once { format!("AUTHENTICATE {mechanism} {response}") } else { format!("AUTHENTICATE {mechanism}") };
        let tag = self.say(stage, &line, TALK).await?;
        let mut left = (!at_once).then_some(response);
        let mut cause = String::new();
        loop {
            match self.next(stage).await? {
                Response::Continue(challenge) => {
                    // A challenge after the response is the cause of a refusal; an empty answer asks for the refusal itself.
                    let answer = left.take().unwrap_or_else(|| {
                        cause = xoauth2_cause(&challenge);
                        ""
                    });
                    let line = format!("{answer}\r\n");
                    self.wire.send(line.as_bytes(), self.limits.answer).await.map_err(|lost| lost.at(stage))?;
                }
                Response::Status { tag: Some(t), status, code, text } if t == tag => {
                    let text = if cause.is_empty() { text } else { format!("{text} {cause}") };
                    return self.end(stage, status, &code, text);
                }
                other => self.hear(stage, &other)?,
            }
        }
    }
}
