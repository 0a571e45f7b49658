//! One visit of a message: judged on arrival by what it says and what came before, kept, and put through the door. A burst
//! that shows later corrects the verdicts of its first visits; what was decided on them stays.

use super::{Method, Request, put};
use crate::app::App;
use cadenza_core::machine::{By, Event};
use cadenza_core::tokens::{Purpose, Token};
use cadenza_core::visitor::{self, Asked, Before, Visit};
use cadenza_store::door::Outgoing;
use cadenza_store::tracking::{self, TrackedKind, TrackingEvent, Who};
use cadenza_store::{StoreError, Tx, matching};

/// Visits of one message that are kept; who comes more often is answered and not noted.
const KEPT_MAX: usize = 500;
/// Bytes of a user agent that are kept.
const AGENT_MAX: usize = 300;

/// Notes a visit; what it set going is to be handed to the sender.
pub(super) fn note(app: &App, tx: &mut Tx, token: &Token, request: &Request) -> Result<Vec<Outgoing>, StoreError> {
    let (w, now) = (token.workspace, app.clock.now());
    // Visits of one message follow each other, or each of a burst would think it was alone.
    if matching::lock(tx, w, token.enrollment)?.is_none() {
        return Ok(Vec::new());
    }
    let Some((marked, accepted)) = tracking::sent_at(tx, w, token.enrollment, token.visit)? else {
        return Ok(Vec::new());
    };
    let earlier = tracking::of_message(tx, w, token.enrollment, token.visit, KEPT_MAX)?;
    if earlier.len() >= KEPT_MAX {
        return Ok(Vec::new());
    }
    let address = request.address.map(|a| a.to_string());
    let (kind, asked, link) = match &token.purpose {
        Purpose::Open => (TrackedKind::Open, Asked::Open, None),
        Purpose::Click(target) => (TrackedKind::Click, Asked::Link(target), Some(target.clone())),
        Purpose::Unsubscribe => (TrackedKind::Unsubscribe, Asked::UnsubscribePage, None),
    };
    let before: Vec<Before<'_>> = earlier.iter().map(as_before).collect();
    let visit = Visit {
        asked,
        at: now,
        address: address.as_deref().unwrap_or_default(),
        user_agent: &request.user_agent,
        head: request.method == Method::Head,
        prefetch: request.prefetch,
    };
    let judged = visitor::judge(&visit, marked, accepted, &before);
    let machines: Vec<i64> =
        judged.machines_before.iter().filter_map(|place| earlier.get(*place)).map(|e| e.id).collect();
    if !machines.is_empty() {
        tracking::correct(tx, w, &machines, Who::Machine, judged.why)?;
    }
    let event = TrackingEvent {
        id: app.door.id(now),
        enrollment: token.enrollment,
        visit: token.visit,
        kind,
        link: link.clone(),
        at: now,
        from_address: address.clone(),
        user_agent: agent(request),
        method: if request.method == Method::Head { "HEAD" } else { "GET" }.into(),
        who: match judged.who {
            visitor::Who::Person => Who::Person,
            visitor::Who::Machine => Who::Machine,
            visitor::Who::Unknown => Who::Unknown,
        },
        why: judged.why.into(),
    };
    tracking::record(tx, w, &event)?;
    // Only a person's visit decides anything.
    let by = if judged.who == visitor::Who::Person { By::Person } else { By::Machine };
    let event = match (kind, link) {
        (TrackedKind::Open, _) => Event::Opened { visit: token.visit, by },
        (TrackedKind::Click, Some(link)) => Event::Clicked { visit: token.visit, link, by },
        _ => return Ok(Vec::new()),
    };
    put(app, tx, token, event, now)
}

/// As it is kept.
pub(super) fn agent(request: &Request) -> Option<String> {
    let agent = request.user_agent.trim();
    (!agent.is_empty()).then(|| agent[..agent.floor_char_boundary(AGENT_MAX)].to_owned())
}

fn as_before(event: &TrackingEvent) -> Before<'_> {
    Before {
        asked: match (event.kind, event.link.as_deref()) {
            (TrackedKind::Open, _) => Asked::Open,
            (TrackedKind::Click, link) => Asked::Link(link.unwrap_or_default()),
            (TrackedKind::Unsubscribe, _) => Asked::UnsubscribePage,
        },
        at: event.at,
        address: event.from_address.as_deref().unwrap_or_default(),
        user_agent: event.user_agent.as_deref().unwrap_or_default(),
        who: match event.who {
            Who::Person => visitor::Who::Person,
            Who::Machine => visitor::Who::Machine,
            Who::Unknown => visitor::Who::Unknown,
        },
    }
}
