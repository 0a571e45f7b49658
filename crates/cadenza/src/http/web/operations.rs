//! What a person can do with enrollments (SPEC §7), from every list and record: the menu with what the state allows, the
//! questions that some operations ask first, and the doing, one by one or many at once. Whether it is allowed the machine
//! decides; the menu only does not offer what it would refuse (OPS-13).

use super::lists::Choice;
use super::page::{html, local_path};
use super::parts::Icon;
use super::said;
use super::shell::Shell;
use super::viewer::Viewer;
use crate::App;
use crate::actions::enrollments::{self as actions, Done, Operation};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::enrollment::{BlockReason, Finish, Life, Mark, Reason, State as EnrollmentState};
use cadenza_core::ids::EnrollmentId;
use cadenza_store::enrollments::{self, Listed};
use cadenza_store::{flows, mailboxes, users};

pub fn router() -> Router<App> {
    Router::new()
        .route("/enrollments/bulk", post(bulk))
        .route("/enrollments/{id}/menu", get(menu))
        .route("/enrollments/{id}/{operation}", get(ask).post(act))
}

/// One line of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// As [`operation`] reads it.
    pub name: &'static str,
    pub value: &'static str,
    pub label: &'static str,
    pub icon: &'static str,
    /// It asks something in a dialog first.
    pub asks: bool,
    /// A yes-or-no question before it is done; empty for none.
    pub question: &'static str,
    pub danger: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub label: &'static str,
    pub operations: Vec<Offer>,
}

#[derive(Debug, Template)]
#[template(path = "enrollments/menu.html", blocks = ["items"])]
pub struct MenuPage {
    pub shell: Shell,
    pub id: String,
    pub who: String,
    pub sequence: String,
    pub groups: Vec<Group>,
}

#[derive(Debug, Template)]
#[template(path = "enrollments/ask.html", blocks = ["dialog"])]
pub struct AskPage {
    pub shell: Shell,
    pub id: String,
    pub who: String,
    pub name: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    pub label: &'static str,
    pub choices: Vec<Choice>,
    pub submit: &'static str,
}

const fn offer(name: &'static str, value: &'static str, label: &'static str, icon: &'static str) -> Offer {
    Offer { name, value, label, icon, asks: false, question: "", danger: false }
}

/// What the state of an enrollment allows (OPS-13), for somebody who may enroll.
pub fn offered(listed: &Listed, may_erase: bool) -> Vec<Group> {
    let e = &listed.enrollment;
    let (state, reason) = e.state(listed.sequence_state);
    let live = e.is_live();
    let asks = |o: Offer| Offer { asks: true, ..o };
    let mut go = Vec::new();
    if e.block == Some(BlockReason::DeliveryUnknown) {
        go.push(offer("mark_sent", "", "Mark as sent", "check"));
        go.push(Offer {
            question: "Send this message once more? The contact may then have it twice.",
            ..offer("send_again", "", "Send again", "retry")
        });
    } else if e.block.is_some() && live {
        go.push(offer("retry", "", "Retry", "retry"));
    }
    match state {
        EnrollmentState::Active if reason == Reason::Waiting => {
            go.push(offer("move_now", "", "Move to next task now", "forward"));
            let question = "Do the next step now, even outside the sequence's window?";
            go.push(Offer {
                question,
                ..offer("move_now", "outside_window", "Move now, outside the window too", "forward")
            });
            go.push(offer("pause", "", "Pause", "pause"));
        }
        EnrollmentState::Paused => {
            go.push(offer("resume", "", "Resume", "play"));
        }
        EnrollmentState::Finished if !is_final(e.finish) => {
            go.push(offer("reactivate", "old", "Reactivate, at the old date", "play"));
            go.push(offer("reactivate", "now", "Reactivate, due now", "play"));
        }
        _ if live => go.push(offer("pause", "", "Pause", "pause")),
        _ => {}
    }
    if live && e.life == Life::Running && reason != Reason::Executing {
        go.push(offer("skip", "", "Skip this step", "skip"));
        go.push(asks(offer("jump_to_step", "", "Go to another step", "branch")));
    }
    let mut marks = Vec::new();
    if state != EnrollmentState::Removed {
        let all = [
            (Mark::Success, "success", "Finished: success", "star"),
            (Mark::NotInterested, "not_interested", "Finished: not interested", "user_off"),
            (Mark::OptedOut, "opted_out", "Finished: unsubscribed", "user_off"),
            (Mark::Bounced, "bounced", "Finished: bounced", "bounce"),
        ];
        for (mark, value, label, icon) in all.into_iter().filter(|(mark, ..)| e.mark != Some(*mark)) {
            let question = if mark == Mark::OptedOut {
                "Suppress this person's addresses? This cannot be taken back."
            } else {
                ""
            };
            marks.push(Offer { question, ..offer("mark_status", value, label, icon) });
        }
        if e.mark.is_some_and(|m| m != Mark::OptedOut) {
            marks.push(offer("undo_mark", "", "Take the mark back", "undo"));
        }
    }
    let mut change = Vec::new();
    if live && reason != Reason::Executing {
        change.push(asks(offer("set_owner", "", "Change the owner", "contact")));
        change.push(asks(offer("set_mailbox", "", "Change the mailbox", "mailbox")));
    }
    let mut end = Vec::new();
    if live {
        end.push(asks(Offer { danger: true, ..offer("stop", "", "Stop", "stop") }));
    }
    if state != EnrollmentState::Removed {
        let question = "Take this off the sequence and its list? What was done stays on the record.";
        end.push(Offer { question, danger: true, ..offer("remove", "", "Remove", "trash") });
    }
    if may_erase {
        let question = "Remove, and delete everything but the completed activities for good?";
        end.push(Offer { question, danger: true, ..offer("erase", "", "Remove and erase", "trash") });
    }
    let group = |label, operations: Vec<Offer>| Group { label, operations };
    let groups = [group("", go), group("Mark as", marks), group("Change", change), group("", end)];
    groups.into_iter().filter(|g| !g.operations.is_empty()).collect()
}

/// What Reactivate does not lead out of (OPS-13).
fn is_final(finish: Option<Finish>) -> bool {
    matches!(finish, Some(Finish::Completed | Finish::OptedOut | Finish::SequenceEnded))
}

async fn menu(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let listed = read(&app, &viewer, &id).await?;
    let may = viewer.caller.may(Privilege::SequencesEnroll);
    let groups = if may { offered(&listed, viewer.caller.may(Privilege::ContactsErase)) } else { Vec::new() };
    let page =
        MenuPage { shell: viewer.shell(None), id, who: listed.subject_name, sequence: listed.sequence_name, groups };
    Ok(if viewer.part { html(&page.as_items()) } else { html(&page) })
}

/// The enrollment, where the viewer sees its sequence.
pub async fn read(app: &App, viewer: &Viewer, id: &str) -> Result<Listed> {
    viewer.caller.need(Privilege::SequencesView)?;
    let parsed: EnrollmentId = id.parse().map_err(|_| ActionError::missing("enrollment", id))?;
    let (w, sees) = (viewer.caller.workspace, viewer.sees());
    Ok(app.db.read_async(move |q| enrollments::get(q, w, parsed, sees)).await?)
}

async fn ask(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, operation)): Path<(String, String)>,
) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesEnroll)?;
    let listed = read(&app, &viewer, &id).await?;
    let w = viewer.caller.workspace;
    let page = AskPage {
        shell: viewer.shell(None),
        id,
        who: listed.subject_name.clone(),
        name: "",
        title: "",
        text: "",
        label: "",
        choices: Vec::new(),
        submit: "Save",
    };
    let page = match operation.as_str() {
        "stop" => AskPage {
            name: "stop",
            title: "Stop the enrollment",
            text: "No further step is executed. It stays on the record and can be reactivated.",
            label: "Why",
            choices: [
                ("unsaid", "No reason given"),
                ("called", "We talked on the phone"),
                ("wrote_elsewhere", "We wrote elsewhere"),
                ("met", "We met"),
                ("answered", "They answered (counts as a reply)"),
                ("other", "Another reason"),
            ]
            .map(|(v, l)| Choice::new(v, l))
            .to_vec(),
            submit: "Stop",
            ..page
        },
        "jump_to_step" => {
            let (sequence, version) = (listed.enrollment.sequence, listed.enrollment.flow_version);
            let flow = app.db.read_async(move |q| flows::flow_at(q, w, sequence, version)).await?;
            let named = flow.branches.iter().flat_map(|b| b.steps.iter().enumerate().map(move |(i, s)| (b, i, s)));
            let choices = named
                .map(|(b, i, s)| Choice::new(s.key.as_str(), format!("{} {}: {}", b.name, i + 1, s.content.name)))
                .collect();
            let text = "It goes on there, with that step's own delay.";
            AskPage {
                name: "jump_to_step",
                title: "Go to another step",
                text,
                label: "Step",
                choices,
                submit: "Go there",
                ..page
            }
        }
        "set_owner" => {
            let all = app.db.read_async(move |q| users::all(q, w)).await?;
            let active = all.into_iter().filter(|u| u.state == users::UserState::Active);
            let choices = active.map(|u| Choice::new(u.id.to_string(), u.name)).collect();
            let text = "The next steps of this enrollment are their work.";
            AskPage { name: "set_owner", title: "Change the owner", text, label: "Owner", choices, ..page }
        }
        "set_mailbox" => {
            let all = app.db.read_async(move |q| mailboxes::all(q, w)).await?;
            let choices = all.into_iter().map(|m| Choice::new(m.id.to_string(), m.address)).collect();
            let text = "The next emails are sent from it.";
            AskPage { name: "set_mailbox", title: "Change the mailbox", text, label: "Mailbox", choices, ..page }
        }
        _ => return Err(ActionError::missing("operation", operation).into()),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

async fn act(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let value = form.into_iter().find(|(n, _)| n == "value").map(|(_, v)| v).unwrap_or_default();
    let wanted = operation(&name, &value)?;
    let parsed: EnrollmentId = id.parse().map_err(|_| ActionError::missing("enrollment", &id))?;
    let done = actions::operate(&app, &caller, &[parsed], wanted).await?;
    match done.into_iter().next() {
        Some(Done { answer: Err(refusal), .. }) => Err(refusal.into()),
        _ => Ok(said::done(&back(&headers, &format!("/enrollments/{id}")), done_words(&name))),
    }
}

async fn bulk(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let name = form.iter().find(|(n, _)| n == "operation").map(|(_, v)| v.clone()).unwrap_or_default();
    let wanted = operation(&name, "")?;
    let mut ids: Vec<EnrollmentId> = Vec::new();
    for (_, id) in form.iter().filter(|(n, _)| n == "id") {
        ids.push(id.parse().map_err(|_| ActionError::missing("enrollment", id))?);
    }
    let done = actions::operate(&app, &caller, &ids, wanted).await?;
    let refused: Vec<String> = done.iter().filter_map(|d| d.answer.as_ref().err()).map(ToString::to_string).collect();
    let good = done.len() - refused.len();
    let mut text = format!("{} {good} of {}.", done_words(&name).trim_end_matches('.'), done.len());
    if let Some(first) = refused.first() {
        text = format!("{text} Not done for {}: {first}.", refused.len());
    }
    Ok(said::done(&back(&headers, "/enrollments"), &text))
}

/// Reads an operation as forms name it.
fn operation(name: &str, value: &str) -> Result<Operation, ActionError> {
    let mut json = serde_json::json!({ "operation": name });
    let field = match name {
        "stop" if !value.is_empty() => "reason",
        "reactivate" => "due",
        "mark_status" => "status",
        "jump_to_step" => "step",
        "jump_to_branch" => "branch",
        "set_owner" => "owner",
        "set_mailbox" => "mailbox",
        _ => "",
    };
    if !field.is_empty() {
        json[field] = value.into();
    }
    if name == "move_now" && value == "outside_window" {
        json["outside_window"] = "yes".into();
    }
    serde_json::from_value(json).map_err(|e| ActionError::invalid("operation", format!("This cannot be done: {e}.")))
}

/// Where the person was.
fn back(headers: &HeaderMap, otherwise: &str) -> String {
    let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|i| &rest[i..])).unwrap_or(otherwise);
    // A menu or question that was opened as a page of its own is not where one wants to be afterwards.
    let transient = path.starts_with("/enrollments/") && path.matches('/').count() > 2;
    if transient { otherwise.to_owned() } else { local_path(path) }
}

fn done_words(name: &str) -> &'static str {
    match name {
        "pause" => "Paused.",
        "resume" => "Resumed.",
        "stop" => "Stopped.",
        "reactivate" => "Reactivated.",
        "retry" => "Tried again.",
        "mark_status" => "Marked.",
        "undo_mark" => "The mark was taken back.",
        "move_now" => "Moved on.",
        "skip" => "Skipped.",
        "remove" => "Removed.",
        "erase" => "Removed and erased.",
        "mark_sent" => "Marked as sent.",
        "send_again" => "Sent again.",
        _ => "Done.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_menus_is_one() {
        let values = [
            ("pause", ""),
            ("resume", ""),
            ("stop", ""),
            ("stop", "answered"),
            ("reactivate", "now"),
            ("retry", ""),
            ("mark_status", "not_interested"),
            ("undo_mark", ""),
            ("move_now", ""),
            ("move_now", "outside_window"),
            ("skip", ""),
            ("jump_to_step", "intro"),
            ("set_owner", "usr_0000000000002"),
            ("set_mailbox", "mbx_0000000000002"),
            ("remove", ""),
            ("erase", ""),
            ("mark_sent", ""),
            ("send_again", ""),
        ];
        for (name, value) in values {
            assert!(operation(name, value).is_ok(), "{name} {value}: {:?}", operation(name, value));
        }
        assert!(operation("explode", "").is_err());
        assert!(operation("mark_status", "rich").is_err());
    }

    #[test]
    fn one_goes_back_to_where_one_was() {
        let from = |referer: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::REFERER, axum::http::HeaderValue::from_static(referer));
            back(&headers, "/enrollments/x")
        };
        assert_eq!(from("http://a.example/queue?q=1"), "/queue?q=1");
        assert_eq!(from("http://a.example/enrollments/x/menu"), "/enrollments/x");
        assert_eq!(from("http://a.example"), "/enrollments/x");
        assert_eq!(from("http://a.example//evil"), "/");
    }
}
