//! The people of a rehearsal. Recipients read the mail that went out to them and answer with raw messages, follow its links
//! over HTTP and press its unsubscribe button; users do their tasks by the actions that the pages use. Nothing here tells the
//! product what happened: it has to find out.

use super::furnish::House;
use crate::actions::{ActionError, Caller, enrollments};
use crate::app::App;
use crate::commands::Failure;
use crate::engine;
use crate::engine::receive::{self, Source, TextMessage};
use crate::mail::recipient::{self, NotAnswerable, Original, Pen, Unsubscribe};
use cadenza_core::calendar::Zone;
use cadenza_core::compose::CLICK_PATH;
use cadenza_core::ids::{EnrollmentId, UserId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::machine::{BounceClass, By, Event, Incoming, Reach};
use cadenza_core::simulate::{Act, Script};
use cadenza_core::time::Time;
use cadenza_core::tokens::{Purpose, Token};
use cadenza_store::activities::ActivityPhase;
use cadenza_store::{activities, sends, workspaces};
use std::collections::HashMap;
use std::time::Duration;

const WORDS: &str = "Thank you for writing. Yes, let us talk: Thursday after four would suit me.";
const TEXT_WORDS: &str = "Yes, tomorrow afternoon is fine";
/// As a person's browser calls itself, and a machine that looks at every link.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SCANNER: &str = "Mozilla/5.0 (compatible; LinkScanner/2.0)";
/// The server asks whoever comes too often to wait.
const PATIENCE: u32 = 60;

/// What somebody does, and about which message or task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deed {
    pub enrollment: EnrollmentId,
    pub visit: u32,
    /// Where the contact lives.
    pub zone: Option<Zone>,
    pub event: Event,
}

/// What came of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Played {
    Done(&'static str),
    /// Somebody else or the clock was quicker: there is nothing left to do it on.
    TooLate,
}

/// Rules of a script that a rehearsal has nobody for, in words.
pub(super) fn unplayable(script: &Script) -> Vec<String> {
    let missing = script.reactions.iter().filter_map(|r| {
        let what = match &r.act {
            Act::Deliver => "a delivery report",
            Act::Meeting => "a booked meeting",
            Act::OwnMail => "the user's own mail",
            Act::Bounce(BounceClass::Sender) => "a rejection that blames the sender",
            Act::Unsubscribe(Reach::Everything) => "an opt-out from everything",
            _ => return None,
        };
        Some(format!("reaction {}: {what} cannot be rehearsed yet; `cadenza simulate` knows it", r.name))
    });
    missing.collect()
}

/// Plays them all.
#[derive(Debug)]
pub(super) struct People {
    app: App,
    workspace: WorkspaceId,
    primary: Caller,
    callers: HashMap<UserId, Caller>,
    sequence_zone: Zone,
    http: reqwest::Client,
}

impl People {
    pub fn new(app: &App, house: &House, sequence_zone: Zone) -> Result<People, Failure> {
        // Loopback needs no proxy, and no TLS.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Ok(People {
            app: app.clone(),
            workspace: house.primary.workspace,
            primary: house.primary.clone(),
            callers: house.callers.clone(),
            sequence_zone,
            http: client.build().map_err(Failure::said)?,
        })
    }

    /// Lets somebody do something.
    ///
    /// # Errors
    /// What cannot have gone wrong by somebody's being late.
    pub async fn play(&self, deed: &Deed) -> Result<Played, Failure> {
        match &deed.event {
            Event::Reply { channel: Incoming::Text, .. } => self.text(deed, TEXT_WORDS, "text answered").await,
            Event::OptOut { channel: Incoming::Text, .. } => self.text(deed, "STOP", "text answered by STOP").await,
            Event::MarkTask { outcome, .. } => {
                let Some(caller) = self.owner(deed).await? else { return Ok(Played::TooLate) };
                let done =
                    enrollments::mark_task(&self.app, &caller, deed.enrollment, deed.visit, outcome.clone()).await;
                in_time(done.map(drop), "task marked")
            }
            Event::SendByHand { .. } => self.write_by_hand(deed).await,
            _ => self.react_to_mail(deed).await,
        }
    }

    async fn react_to_mail(&self, deed: &Deed) -> Result<Played, Failure> {
        let sent = engine::as_sent(&self.app, self.workspace, deed.enrollment, deed.visit)
            .await
            .map_err(|e| Failure::said(format!("the mail {}.{}: {e}", deed.enrollment, deed.visit)))?;
        let original = Original::read(&sent.raw, &sent.returned_to, &sent.to).map_err(Failure::said)?;
        let now = self.app.clock.now();
        let unique = self.app.next_id().to_string();
        let pen = Pen { now, unique: &unique };
        match &deed.event {
            Event::Reply { .. } => self.come_in(recipient::reply(&original, WORDS, pen), "reply").await,
            Event::OutOfOffice { until, .. } => {
                let zone = deed.zone.as_ref().unwrap_or(&self.sequence_zone);
                let back = until.map(|until: Time| zone.local_date(until));
                let answer = recipient::out_of_office(&original, back, Language::default(), pen);
                self.come_in(answer, "out of office").await
            }
            Event::Bounce { class, .. } => {
                let failure = match class {
                    BounceClass::Soft => recipient::Failure::Soft,
                    _ => recipient::Failure::Hard,
                };
                self.come_in(recipient::bounce(&original, failure, pen), "bounce").await
            }
            Event::Complaint { .. } => self.come_in(recipient::complaint(&original, pen), "complaint").await,
            Event::OptOut { .. } => self.unsubscribe(&original, pen).await,
            Event::Opened { by, .. } => {
                let Some(pixel) = original.pixel() else { return Ok(Played::TooLate) };
                self.visit(&pixel, *by).await?;
                Ok(Played::Done(if *by == By::Person { "open" } else { "open by a machine" }))
            }
            Event::Clicked { link, by, .. } => {
                let Some(address) = self.link_to(&original, link).await? else { return Ok(Played::TooLate) };
                self.visit(&address, *by).await?;
                Ok(Played::Done(if *by == By::Person { "click" } else { "click by a machine" }))
            }
            other => Err(Failure::said(format!("{} cannot be rehearsed", other.name()))),
        }
    }

    async fn come_in(&self, raw: Result<Vec<u8>, NotAnswerable>, what: &'static str) -> Result<Played, Failure> {
        let (raw, now) = (raw.map_err(Failure::said)?, self.app.clock.now());
        receive::receive(&self.app, self.workspace, Source::Http, raw, now).await?;
        Ok(Played::Done(what))
    }

    async fn text(&self, deed: &Deed, words: &str, what: &'static str) -> Result<Played, Failure> {
        let (w, id, visit) = (self.workspace, deed.enrollment, deed.visit);
        let sent = self.app.db.read_async(move |q| sends::of_enrollment(q, w, id)).await?;
        let Some(send) = sent.into_iter().rfind(|s| s.visit == visit) else { return Ok(Played::TooLate) };
        let id = Some(format!("rehearsal-{}", self.app.next_id()));
        let message = TextMessage { from: send.to, to: "rehearsal".into(), text: words.to_owned(), id };
        receive::receive_text(&self.app, w, message, self.app.clock.now()).await?;
        Ok(Played::Done(what))
    }

    /// The mail program's own button: the one-click request, else the mail that the header asks for.
    async fn unsubscribe(&self, original: &Original, pen: Pen<'_>) -> Result<Played, Failure> {
        let one_click = original.unsubscribe.iter().find(|u| matches!(u, Unsubscribe::OneClick(_)));
        match one_click.or(original.unsubscribe.first()) {
            Some(Unsubscribe::OneClick(address)) => {
                let form = "application/x-www-form-urlencoded";
                let button = || {
                    let request = self.http.post(address).header(reqwest::header::CONTENT_TYPE, form);
                    request.body("List-Unsubscribe=One-Click")
                };
                self.ask(button).await?;
                Ok(Played::Done("unsubscribe"))
            }
            Some(Unsubscribe::Mail { to, subject }) => {
                self.come_in(recipient::unsubscribe_mail(original, to, subject, pen), "unsubscribe").await
            }
            None => Err(Failure::said("a mail went out that names no way to unsubscribe")),
        }
    }

    /// The tracked link of a mail that leads there; any, where nothing is said.
    async fn link_to(&self, original: &Original, target: &str) -> Result<Option<String>, Failure> {
        let w = self.workspace;
        let key = self.app.db.read_async(move |q| Ok(workspaces::get(q, w)?.signing_key)).await?;
        let leads = |address: &str| {
            let (_, token) = address.split_once(CLICK_PATH)?;
            match Token::verify(token, &key).ok()?.purpose {
                Purpose::Click(target) => Some(target),
                _ => None,
            }
        };
        let links = original.links();
        let found = links.iter().find(|l| leads(&l.address).is_some_and(|t| target.is_empty() || t == target));
        Ok(found.map(|l| l.address.clone()))
    }

    async fn visit(&self, address: &str, by: By) -> Result<(), Failure> {
        let agent = if by == By::Person { BROWSER } else { SCANNER };
        self.ask(|| self.http.get(address).header(reqwest::header::USER_AGENT, agent)).await
    }

    /// Asks the product's own server; a redirect is an answer too, and is not followed.
    async fn ask(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Result<(), Failure> {
        for _ in 0..PATIENCE {
            let answer = request().send().await.map_err(Failure::said)?;
            match answer.status() {
                s if s.is_success() || s.is_redirection() => return Ok(()),
                reqwest::StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(Duration::from_secs(1)).await,
                s => return Err(Failure::said(format!("a link of a mail was answered by {s}"))),
            }
        }
        Err(Failure::said("the server turned requests away for a whole minute"))
    }

    async fn write_by_hand(&self, deed: &Deed) -> Result<Played, Failure> {
        let (app, w, id) = (self.app.clone(), self.workspace, deed.enrollment);
        let Some(caller) = self.owner(deed).await? else { return Ok(Played::TooLate) };
        let draft = self.app.db.read_async(move |q| app.door.draft(q, w, id, app.clock.now())).await?;
        let Some(draft) = draft else { return Ok(Played::TooLate) };
        let sent = enrollments::send_by_hand(&self.app, &caller, id, deed.visit, &draft.subject, &draft.text).await;
        in_time(sent.map(drop), "message written by hand")
    }

    /// Whose task it is; `None` where it is done already.
    async fn owner(&self, deed: &Deed) -> Result<Option<Caller>, Failure> {
        let (w, id, visit) = (self.workspace, deed.enrollment, deed.visit);
        let all = self.app.db.read_async(move |q| activities::of_enrollment(q, w, id)).await?;
        let Some(task) = all.into_iter().find(|a| a.visit == visit) else { return Ok(None) };
        if matches!(task.phase, ActivityPhase::Closed { .. }) {
            return Ok(None);
        }
        Ok(Some(self.callers.get(&task.owner).unwrap_or(&self.primary).clone()))
    }
}

fn in_time(done: Result<(), ActionError>, what: &'static str) -> Result<Played, Failure> {
    match done {
        Ok(()) => Ok(Played::Done(what)),
        Err(ActionError::Refused { .. } | ActionError::Missing { .. }) => Ok(Played::TooLate),
        Err(e) => Err(e.into()),
    }
}
