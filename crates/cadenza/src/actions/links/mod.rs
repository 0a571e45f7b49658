//! What recipients ask for by the links in their mails: the open pixel, a click, the unsubscribe page (SND-3, SND-4). Everybody
//! may ask; only a token signed with the workspace's key is answered, and a GET changes nothing about the person.

mod said;
mod visits;

use super::{ActionError, Result};
use crate::app::App;
use cadenza_core::compose::{CLICK_PATH, OPEN_PATH, UNSUBSCRIBE_PATH, leads_to_the_web};
use cadenza_core::enrollment::Subject;
use cadenza_core::language::Language;
use cadenza_core::machine::{Actor, Event, Incoming, Reach};
use cadenza_core::time::Time;
use cadenza_core::tokens::{Purpose, Token};
use cadenza_store::door::Put;
use cadenza_store::tracking::{TrackedKind, TrackingEvent, Who};
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{Query, StoreError, contacts, matching, tracking};
use std::net::IpAddr;
use std::time::Duration;

/// How long a reader waits for its visit to be noted; it is noted all the same.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

/// What arrived: a request as it came over HTTP, or as the sandbox's recipient made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Below the public address, beginning with a slash.
    pub path: String,
    pub user_agent: String,
    pub address: Option<IpAddr>,
    /// The header of that name.
    pub accept_language: String,
    /// The program said that it only fetches ahead.
    pub prefetch: bool,
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Pixel,
    /// An http or https address that was signed.
    Redirect(String),
    /// Asks whether the person wants to unsubscribe from what `sender` writes.
    Ask {
        language: Language,
        sender: String,
    },
    /// A POST that did not say what it wanted; nothing was done, and it is asked again.
    AskAgain {
        language: Language,
        sender: String,
    },
    Unsubscribed {
        language: Language,
        sender: String,
    },
    /// No link of ours; it does not say more.
    Nothing {
        language: Language,
    },
    /// Not for this method.
    NotSo,
}

/// Answers one request. A click is led on and a pixel shown even where it could not be noted.
///
/// # Errors
/// The database cannot be reached; nothing was done then, or for an opt-out it may not be known.
pub async fn answer(app: &App, request: Request) -> Result<Answer> {
    let accepted = Language::accepted(&request.accept_language).unwrap_or_default();
    let nothing = Answer::Nothing { language: accepted };
    let Some((path, text)) = [OPEN_PATH, CLICK_PATH, UNSUBSCRIBE_PATH]
        .into_iter()
        .find_map(|path| request.path.strip_prefix(path).map(|text| (path, text)))
    else {
        return Ok(nothing);
    };
    let Some((token, workspace)) = verified(app, text).await? else { return Ok(nothing) };
    if request.method == Method::Post && path != UNSUBSCRIBE_PATH {
        return Ok(Answer::NotSo);
    }
    match (path, token.purpose.clone()) {
        (OPEN_PATH, Purpose::Open) => {
            note(app, token, request).await;
            Ok(Answer::Pixel)
        }
        (CLICK_PATH, Purpose::Click(target)) => {
            let Some(target) = location(&target) else { return Ok(nothing) };
            note(app, token, request).await;
            Ok(Answer::Redirect(target))
        }
        (UNSUBSCRIBE_PATH, Purpose::Unsubscribe) => unsubscribe(app, token, workspace, request).await,
        _ => Ok(nothing),
    }
}

/// The token and its workspace; `None` for what no key of ours made.
async fn verified(app: &App, text: &str) -> Result<Option<(Token, Workspace)>> {
    let Ok(id) = Token::workspace_of(text) else { return Ok(None) };
    let workspace = match app.db.read_async(move |q| workspaces::get(q, id)).await {
        Ok(workspace) => workspace,
        Err(StoreError::Missing { .. }) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    Ok(Token::verify(text, &workspace.signing_key).ok().map(|token| (token, workspace)))
}

/// The target as a header can carry it: a browser reads the same address from it.
fn location(target: &str) -> Option<String> {
    if !leads_to_the_web(target) {
        return None;
    }
    let url = reqwest::Url::parse(target).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    web.then(|| url.to_string())
}

/// Notes an open or click. Whoever asked does not wait long for it.
async fn note(app: &App, token: Token, request: Request) {
    let (app2, workspace) = (app.clone(), token.workspace);
    let noting = tokio::spawn(async move {
        let app3 = app2.clone();
        let outgoing = app2.db.write_async(move |tx| visits::note(&app3, tx, &token, &request)).await;
        match outgoing {
            Ok(messages) => app2.hand_over(messages),
            Err(e) => tracing::warn!(%workspace, "an open or click was not noted: {e}"),
        }
    });
    // It goes on by itself where it takes longer.
    let _ = tokio::time::timeout(NOTED_WITHIN, noting).await;
}

/// The page, or the wish itself.
async fn unsubscribe(app: &App, token: Token, workspace: Workspace, request: Request) -> Result<Answer> {
    let (w, enrollment) = (token.workspace, token.enrollment);
    let known = app.db.read_async(move |q| language_of(q, w, enrollment)).await?;
    let language = known.or_else(|| Language::accepted(&request.accept_language)).unwrap_or_default();
    let sender = workspace.name;
    if request.method != Method::Post {
        note(app, token, request).await;
        return Ok(Answer::Ask { language, sender });
    }
    let Some(way) = said::wish(&request.body) else { return Ok(Answer::AskAgain { language, sender }) };
    let app2 = app.clone();
    let outgoing = app.db.write_async(move |tx| opt_out(&app2, tx, &token, &request, way)).await;
    app.hand_over(outgoing.map_err(ActionError::from)?);
    Ok(Answer::Unsubscribed { language, sender })
}

/// The wish through the door, with the visit that brought it. Asked again, it is done again: the same comes of it.
fn opt_out(
    app: &App,
    tx: &mut cadenza_store::Tx,
    token: &Token,
    request: &Request,
    way: said::Way,
) -> Result<Vec<cadenza_store::door::Outgoing>, StoreError> {
    let (w, now) = (token.workspace, app.clock.now());
    // Whoever is erased already is written to no more, and there is nothing left to note it on.
    if matching::lock(tx, w, token.enrollment)?.is_none() {
        return Ok(Vec::new());
    }
    let visit = TrackingEvent {
        id: app.door.id(now),
        enrollment: token.enrollment,
        visit: token.visit,
        kind: TrackedKind::Unsubscribe,
        link: None,
        at: now,
        from_address: request.address.map(|a| a.to_string()),
        user_agent: visits::agent(request),
        method: "POST".into(),
        who: Who::Person,
        why: way.as_str().into(),
    };
    tracking::record(tx, w, &visit)?;
    let event = Event::OptOut { channel: Incoming::Email, visit: Some(token.visit), reach: Reach::Channel };
    put(app, tx, token, event, now)
}

/// One event of the contact.
fn put(
    app: &App,
    tx: &mut cadenza_store::Tx,
    token: &Token,
    event: Event,
    now: Time,
) -> Result<Vec<cadenza_store::door::Outgoing>, StoreError> {
    let put = Put { enrollment: token.enrollment, event, actor: Actor::Contact };
    let answers = app.door.advance(tx, token.workspace, vec![put], now)?;
    Ok(answers.into_iter().flatten().flat_map(|a| a.outgoing).collect())
}

/// The contact's own language.
fn language_of(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    id: cadenza_core::ids::EnrollmentId,
) -> Result<Option<Language>, StoreError> {
    let Some(found) = matching::enrollment(q, w, id)? else { return Ok(None) };
    let Subject::Contact(contact) = found.subject else { return Ok(None) };
    match contacts::get(q, w, contact) {
        Ok(contact) => Ok(contact.language.as_deref().and_then(Language::named)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::location;

    #[test]
    fn only_web_addresses_are_led_to_and_as_browsers_read_them() {
        assert_eq!(location("https://example.com").as_deref(), Some("https://example.com/"));
        assert_eq!(
            location("HTTP://münchen.example/ä?q=ü#ö").as_deref(),
            Some("http://xn--mnchen-3ya.example/%C3%A4?q=%C3%BC#%C3%B6")
        );
        for refused in [
            "javascript:alert(1)",
            "//example.com/",
            "/x",
            "ftp://example.com/",
            "https://",
            "https://a b/",
            "x\r\ny: z",
        ] {
            assert_eq!(location(refused), None, "{refused}");
        }
    }
}
