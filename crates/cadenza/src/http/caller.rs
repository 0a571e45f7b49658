//! Who a request is from: by the session cookie of a browser or the bearer token of a program; and, as a type, what they
//! must be allowed. Handlers take these as arguments, so none can forget to ask.

use super::error::HttpError;
use super::request::PeerAddress;
use crate::App;
use crate::actions::secrets::Secret;
use crate::actions::sign_in::Browser;
use crate::actions::{ActionError, Caller, Privilege, recognise};
use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::header::{AUTHORIZATION, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum_extra::extract::cookie::CookieJar;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::net::IpAddr;

/// The cookie of a session. Over TLS its name binds it to this host, whole and encrypted.
fn cookie_name(app: &App) -> &'static str {
    if app.config.is_https() { "__Host-cadenza" } else { "cadenza" }
}

/// Gives a browser its session.
pub fn session_cookie(app: &App, token: &Secret) -> SetCookie {
    let seconds = i64::from(app.config.sign_in.session_days) * 86_400;
    cookie(app, token.reveal(), seconds)
}

/// Takes it away.
pub fn no_session_cookie(app: &App) -> SetCookie {
    cookie(app, "", 0)
}

/// A header of an answer.
pub type SetCookie = [(HeaderName, String); 1];

fn cookie(app: &App, value: &str, seconds: i64) -> SetCookie {
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    let name = cookie_name(app);
    [(SET_COOKIE, format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"))]
}

impl FromRequestParts<App> for Caller {
    type Rejection = HttpError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, HttpError> {
        // The layers of one request may ask more than once.
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let mut caller = match parts.headers.get(AUTHORIZATION) {
            Some(shown) => {
                let token = shown.to_str().ok().and_then(|v| v.strip_prefix("Bearer ")).ok_or(
                    ActionError::NotRecognised("Authorization must be a bearer token: Authorization: Bearer cdz_…"),
                )?;
                recognise::token(app, token.trim()).await?
            }
            None => {
                let jar = CookieJar::from_headers(&parts.headers);
                let cookie = jar.get(cookie_name(app)).ok_or(ActionError::SignInNeeded)?;
                recognise::session(app, cookie.value()).await?
            }
        };
        caller.from = Some(peer(parts));
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

impl FromRequestParts<App> for Browser {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Browser, Infallible> {
        let agent = parts.headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Browser { address: peer(parts), agent })
    }
}

/// A caller who has a privilege; see [`may`].
#[derive(Debug, Clone)]
pub struct Allowed<N> {
    pub caller: Caller,
    needs: PhantomData<N>,
}

/// A privilege as a type.
pub trait Needs {
    const PRIVILEGE: Privilege;
}

impl<N: Needs> FromRequestParts<App> for Allowed<N> {
    type Rejection = HttpError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Allowed<N>, HttpError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.need(N::PRIVILEGE)?;
        Ok(Allowed { caller, needs: PhantomData })
    }
}

/// The privileges, for [`Allowed`].
pub mod may {
    use super::{Needs, Privilege};
    macro_rules! privileges {
        ($($name:ident)*) => {$(
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Needs for $name {
                const PRIVILEGE: Privilege = Privilege::$name;
            }
        )*};
    }
    privileges! {
        SequencesView SequencesEnroll SequencesSave SequencesManageAll TasksMine TasksAll ContactsEdit ContactsExport
        ContactsErase MailboxesManage ReportsView InboundReceive SettingsManage
    }
}

fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<PeerAddress>().map_or(IpAddr::from([0, 0, 0, 0]), |p| p.0)
}
