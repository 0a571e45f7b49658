//! Signing in (RFC 4954) by PLAIN (4616), LOGIN or XOAUTH2. The caller has seen to it that the line is protected.

use super::super::line::{self, Auth};
use super::connect::ask;
use super::extensions::Extensions;
use super::outcome::{ConnectFailure, Lost, Stage};
use super::refusal::Refusal;
use super::reply::Reply;
use super::wire::Wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

pub(super) async fn sign_in(
    wire: &mut Wire,
    auth: &Auth,
    offered: &Extensions,
    limit: Duration,
) -> Result<(), ConnectFailure> {
    let reply = match auth {
        Auth::None => return Ok(()),
        Auth::Password { user, password } if offered.offers_auth("PLAIN") => plain(wire, user, password, limit).await?,
        Auth::Password { user, password } if offered.offers_auth("LOGIN") => login(wire, user, password, limit).await?,
        Auth::XOAuth2 { user, token } if offered.offers_auth("XOAUTH2") => xoauth2(wire, user, token, limit).await?,
        Auth::Password { .. } | Auth::XOAuth2 { .. } => {
            return Err(ConnectFailure::NoMechanism { offered: offered.auth.join(" ") });
        }
    };
    if reply.is_positive() { Ok(()) } else { Err(out_of_turn(reply)) }
}

async fn plain(wire: &mut Wire, user: &str, password: &str, limit: Duration) -> Result<Reply, ConnectFailure> {
    let response = line::plain(user, password);
    let reply = ask(wire, Stage::Auth, &format!("AUTH PLAIN {response}"), limit).await?;
    // A server that overlooked the initial response asks for it.
    if reply.code == 334 { ask(wire, Stage::Auth, &response, limit).await } else { Ok(reply) }
}

async fn login(wire: &mut Wire, user: &str, password: &str, limit: Duration) -> Result<Reply, ConnectFailure> {
    let mut reply = ask(wire, Stage::Auth, "AUTH LOGIN", limit).await?;
    for response in [user, password] {
        if reply.code != 334 {
            return Err(out_of_turn(reply));
        }
        reply = ask(wire, Stage::Auth, &STANDARD.encode(response), limit).await?;
    }
    Ok(reply)
}

async fn xoauth2(wire: &mut Wire, user: &str, token: &str, limit: Duration) -> Result<Reply, ConnectFailure> {
    let response = line::xoauth2(user, token);
    let reply = ask(wire, Stage::Auth, &format!("AUTH XOAUTH2 {response}"), limit).await?;
    if reply.code != 334 {
        return Ok(reply);
    }
    // A refusal: its cause is in the challenge, the code comes after an empty answer.
    let cause = line::xoauth2_cause(&reply.text);
    let with_cause = |refusal: Refusal| Refusal { text: format!("{} {cause}", refusal.text), ..refusal };
    match ask(wire, Stage::Auth, "", limit).await {
        Err(ConnectFailure::Refused(refusal)) => Err(ConnectFailure::Refused(with_cause(refusal))),
        Err(ConnectFailure::Deferred(refusal)) => Err(ConnectFailure::Deferred(with_cause(refusal))),
        other => other,
    }
}

fn out_of_turn(reply: Reply) -> ConnectFailure {
    ConnectFailure::Lost { stage: Stage::Auth, why: Lost::Garbage(format!("{} {}", reply.code, reply.text)) }
}
