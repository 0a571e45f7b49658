//! The form that activates a template: what it asks of the new sequence, required fields marked, each fault at its field
//! (SEQ-3). Whoever else is chosen as its primary user brings their time zone, and the question of the senders (SEQ-4).

use super::super::form::{self, Field, Input, Typed};
use super::super::lists::Choice;
use super::super::page::html;
use super::super::parts::{Icon, count};
use super::super::said;
use super::super::sequences::activate::{UNCONFIRMED, Unread};
use super::super::settings::workspace::{Draft, Group, field, of_sequences, read as read_settings};
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::read;
use crate::App;
use crate::actions::sequences::{self, Arm, Offer, Senders, Writers};
use crate::actions::templates::{self as actions, Activation};
use crate::actions::{ActionError, Fault, Privilege};
use crate::http::error::Result;
use askama::Template as Page;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::calendar::all_zone_names;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{ListId, SequenceId, UserId};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::Time;
use cadenza_store::lists;
use cadenza_store::sequences::Sharing;
use cadenza_store::templates::{Source, Template};
use cadenza_store::users::{self, UserState};
use serde_json::Value;

/// Settings that everybody looks at; the others are folded away.
const WHEN: [&str; 4] = ["days", "start", "stop", "zone"];
const HOW_FAST: [&str; 2] = ["email_rate", "text_rate"];

#[derive(Debug, Page)]
#[template(path = "templates/activate.html", blocks = ["main"])]
pub struct ActivatePage {
    pub shell: Shell,
    pub id: String,
    /// Of the template.
    pub name: String,
    pub groups: Vec<(&'static str, Vec<Field>)>,
    pub more: Vec<(&'static str, Vec<Field>)>,
    /// Something folded away is to be mended.
    pub more_open: bool,
    pub zones: Vec<&'static str>,
    /// What is wrong with no field that is shown.
    pub beside: Vec<String>,
    /// The primary user whom the form was made for.
    pub shown_for: String,
    /// Somebody else was chosen: what changed by it.
    pub changed: String,
}

/// What the form is made of.
struct Known {
    template: Template,
    owner: String,
    /// With the template's over the workspace's, and the primary user's zone.
    settings: WorkspaceSettings,
    usual: WorkspaceSettings,
    people: Vec<Choice>,
    lists: Vec<Choice>,
    primary_user: UserId,
    primary_name: String,
    offer: Option<Offer>,
    unread: Unread,
}

async fn known(
    app: &App,
    viewer: &Viewer,
    id: &str,
    primary_user: Option<UserId>,
    list: Option<ListId>,
) -> Result<Known> {
    let template = read(app, &viewer.caller, id).await?;
    viewer.caller.need(Privilege::SequencesSave)?;
    let (w, of) = (viewer.caller.workspace, template.of);
    let read = app.db.read_async(move |q| Ok((users::all(q, w)?, lists::all(q, w)?)));
    let (mut people, all) = read.await?;
    let name = |id: UserId| people.iter().find(|u| u.id == id).map(|u| u.name.clone()).unwrap_or_default();
    let owner = name(template.owner);
    let primary_user = primary_user.filter(|id| people.iter().any(|u| u.id == *id)).unwrap_or(viewer.caller.user);
    let primary_name = name(primary_user);
    people.retain(|u| u.state != UserState::Departed);
    let zone = actions::usual_zone(app, &viewer.caller, template.id, primary_user).await?;
    let offer = actions::offer(app, &viewer.caller, template.id, primary_user).await?;
    let writers = Writers { primary_user, list, activates: viewer.caller.user };
    let unreadable = |moved| actions::unreadable(app, &viewer.caller, template.id, writers, moved);
    let moved = match offer.as_ref().and_then(|o| o.mailbox.as_ref()) {
        Some(_) => Some(unreadable(Senders::PrimaryUser).await?),
        None => None,
    };
    let unread = Unread::of(unreadable(Senders::Stay).await?, moved);
    let usual = viewer.workspace.settings.clone();
    let mut settings = usual.clone();
    settings.sequence = template.settings.over(&usual.sequence);
    settings.sequence.zone = zone;
    let on = |n: i64| count(u64::try_from(n).unwrap_or(0));
    let list = |(l, n): (lists::List, i64)| Choice::new(l.id.to_string(), format!("{} ({})", l.name, on(n)));
    Ok(Known {
        owner,
        settings,
        usual,
        people: people.into_iter().map(|u| Choice::new(u.id.to_string(), u.name)).collect(),
        lists: all.into_iter().filter(|(l, _)| l.of == of).map(list).collect(),
        primary_user,
        primary_name,
        offer,
        unread,
        template,
    })
}

pub async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let known = known(&app, &viewer, &id, None, None).await?;
    let page = page(&viewer, &known, None, &[]);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn page(viewer: &Viewer, known: &Known, typed: Option<&Typed>, faults: &[Fault]) -> ActivatePage {
    let (shown, usual) = (Draft::of(known.settings.clone()), Draft::of(known.usual.clone()));
    let after = |fields: Vec<Field>| fields.into_iter().map(|f| f.after(typed, faults)).collect::<Vec<_>>();
    let settings = |names: &[&str]| -> Vec<Field> {
        let all = of_sequences().flat_map(|g| g.settings).filter(|s| names.contains(&s.name));
        all.map(|s| field(s, &shown, &usual)).collect()
    };
    let mut when = dates(viewer);
    when.extend(settings(&WHEN).into_iter().map(|f| match f.name.as_str() {
        "zone" => f.required().usual("the primary user's"),
        _ => f,
    }));
    let mut groups = vec![("The sequence", about(known)), ("When", when), ("How fast", settings(&HOW_FAST))];
    if !known.unread.addresses.is_empty() {
        groups.insert(2, ("Replies", vec![accept_unreadable(&known.unread)]));
    }
    if let Some(offer) = &known.offer {
        groups.insert(2, ("Who writes", vec![senders(known, offer)]));
    }
    let groups: Vec<_> = groups.into_iter().map(|(label, fields)| (label, after(fields))).collect();
    let rest = |g: &Group| -> Vec<Field> {
        let folded = g.settings.iter().filter(|s| !WHEN.contains(&s.name) && !HOW_FAST.contains(&s.name));
        after(folded.map(|s| field(s, &shown, &usual)).collect())
    };
    let more: Vec<_> = of_sequences().map(|g| (g.label, rest(g))).collect();
    let all: Vec<Field> = groups.iter().chain(&more).flat_map(|(_, fields)| fields.clone()).collect();
    let mut beside = form::beside(faults, &all);
    if viewer.workspace.postal_address.trim().is_empty() {
        beside.push(
            "The workspace has no postal address yet: say it in Settings first, every mail has to carry it.".into(),
        );
    }
    ActivatePage {
        shell: viewer.shell(Some(Place::Templates)),
        id: known.template.id.to_string(),
        name: known.template.name.clone(),
        more_open: more.iter().any(|(_, fields)| fields.iter().any(|f| !f.fault.is_empty())),
        groups,
        more,
        zones: all_zone_names().collect(),
        beside,
        shown_for: known.primary_user.to_string(),
        changed: String::new(),
    }
}

fn about(known: &Known) -> Vec<Field> {
    let t = &known.template;
    let nothing = if t.source == Source::List { "choose one" } else { "none" };
    let none = std::iter::once(Choice::new("", nothing));
    let list = Field::new("list", "List").of(Input::Choice(none.chain(known.lists.clone()).collect()));
    let list = match t.source {
        Source::List => list.required().help("Whoever is on it enters, and whoever is put on it later."),
        Source::OneByOne => list.help("Whoever is on it enters too; else you enroll one by one."),
    };
    let priority = [("high", "high"), ("normal", "normal"), ("low", "low")];
    let own = match t.priority {
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    };
    vec![
        Field::new("name", "Name").required().help("Unique in the workspace, ended and archived sequences included."),
        Field::new("description", "Description").of(Input::Area).value(&t.description),
        Field::new("primary_user", "Primary user")
            .of(Input::Choice(known.people.clone()))
            .required()
            .asks_anew()
            .help("Owns the sequence; works where a step's owner cannot be told.")
            .value(known.primary_user.to_string()),
        Field::new("team", "Additional team members")
            .of(Input::Several(known.people.clone()))
            .help("They see and do its tasks."),
        list,
        Field::new("sharing", "Shared")
            .of(Input::choices(&[("everyone", "with everyone"), ("private", "private")]))
            .help("Private: its primary user and its team alone see it."),
        Field::new("priority", "Priority")
            .of(Input::choices(&priority))
            .value(own)
            .help("What is held back goes out in this order."),
    ]
}

fn dates(viewer: &Viewer) -> Vec<Field> {
    vec![
        Field::new("begin", "Begin")
            .of(Input::Moment)
            .required()
            .help("In your time zone. Now or past: it starts at once.")
            .value(viewer.watch.input(viewer.watch.now)),
        Field::new("arm", "Begin by itself")
            .of(Input::Check)
            .help("Where its begin is still to come; else it is paused until somebody resumes it."),
        Field::new("end", "End")
            .of(Input::Moment)
            .help("What is live then is finished, and open tasks are cancelled. Empty: never."),
    ]
}

fn senders(known: &Known, offer: &Offer) -> Field {
    let steps = if offer.steps == 1 { "One step writes".to_owned() } else { format!("{} steps write", offer.steps) };
    let who = &known.primary_name;
    let (value, help) = match &offer.mailbox {
        Some(address) => {
            ("on", format!("{steps} from another mailbox than {address}, or from that of whoever enrolls."))
        }
        None => {
            ("", format!("{who} has no mailbox yet: add one in Settings, or let the steps write from where they say."))
        }
    };
    let label = format!("Every step writes from {who}'s mailbox");
    let help = format!("{} owns the template. {help}", known.owner);
    Field::new("senders", label).of(Input::Check).help(help).value(value)
}

fn accept_unreadable(unread: &Unread) -> Field {
    let field = Field::new("accept_unreadable", "Activate it although replies cannot stop it").of(Input::Check).help(format!(
        "Cadenza does not read what arrives at {}. Else give each of these mailboxes an IMAP server in Settings first. Replies \
         are seen as well where a gateway or a journal posts them to /api/v1/inbound.",
        unread.addresses
    ));
    if unread.always { field.required() } else { field }
}

pub async fn act(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let chosen = typed.text("primary_user").parse::<UserId>().ok();
    let list = typed.text("list").parse::<ListId>().ok();
    let known = known(&app, &viewer, &id, chosen, list).await?;
    let shown_for = typed.text("shown_for");
    if shown_for != known.primary_user.to_string() {
        return somebody_else(&app, &viewer, &id, &known, typed).await;
    }
    let mut faults = Vec::new();
    let wanted = activation(&viewer, &known, &typed, &mut faults);
    let refused = if faults.is_empty() {
        match actions::activate(&app, &viewer.caller, known.template.id, wanted?).await {
            Ok(made) => return Ok(said::done(&format!("/sequences/{made}"), words(&app, &viewer, made).await?)),
            Err(e) => told(e)?,
        }
    } else {
        faults
    };
    let page = page(&viewer, &known, Some(&typed), &refused);
    let answer = if viewer.part { html(&page.as_main()) } else { html(&page) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

async fn words(app: &App, viewer: &Viewer, made: SequenceId) -> Result<&'static str> {
    Ok(match sequences::get(app, &viewer.caller, made).await?.sequence.state {
        SequenceState::Scheduled => "Activated: it starts at its begin.",
        SequenceState::Paused => "Activated, and paused until somebody resumes it.",
        _ => "Activated: it runs.",
    })
}

/// Shows the form anew for another primary user: their zone, unless another one was typed, and the question of the senders.
async fn somebody_else(app: &App, viewer: &Viewer, id: &str, new: &Known, mut typed: Typed) -> Result<Response> {
    let before = typed.text("shown_for").parse::<UserId>().ok();
    let old = known(app, viewer, id, before, None).await?;
    let zone = new.settings.sequence.zone.name();
    let follows = typed.text("zone").is_empty() || typed.text("zone") == old.settings.sequence.zone.name();
    let anew = |name: &str| matches!(name, "senders" | "accept_unreadable") || (follows && name == "zone");
    typed.0.retain(|(name, _)| !anew(name));
    if follows {
        typed.0.push(("zone".into(), zone.to_owned()));
    }
    let moves = new.offer.as_ref().is_some_and(|o| o.mailbox.is_some());
    if moves {
        typed.0.push(("senders".into(), "on".into()));
    }
    let mut page = page(viewer, new, Some(&typed), &[]);
    let asked = if new.offer.is_some() { "Look at the time zone and at who writes." } else { "Look at the time zone." };
    page.changed = format!("{} is the primary user now. {asked}", new.primary_name);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// What was typed, and what makes no sense, by field.
fn activation(
    viewer: &Viewer,
    known: &Known,
    typed: &Typed,
    faults: &mut Vec<Fault>,
) -> Result<Activation, ActionError> {
    let mut moment = |field: &str| -> Option<Time> {
        let found = viewer.watch.typed(typed.text(field));
        if found.is_none() && (field == "begin" || !typed.text(field).is_empty()) {
            faults.push(Fault { field: field.into(), message: "Expected a day and a time.".into() });
        }
        found
    };
    let (begin, end) = (moment("begin"), moment("end"));
    if typed.text("name").is_empty() {
        faults.push(Fault { field: "name".into(), message: "Say its name.".into() });
    }
    if known.template.source == Source::List && typed.text("list").is_empty() {
        faults.push(Fault { field: "list".into(), message: "Choose the list that feeds it.".into() });
    }
    let settings = read_settings(known.settings.clone(), of_sequences(), typed, faults).sequence;
    let settings = match serde_json::to_value(settings).map_err(ActionError::internal)? {
        Value::Object(settings) => settings,
        other => return Err(ActionError::internal(other)),
    };
    let word = |field: &str| Value::from(typed.text(field));
    let said = |field: &str| Some(typed.text(field)).filter(|t| !t.is_empty()).map(str::to_owned);
    Ok(Activation {
        name: typed.text("name").to_owned(),
        description: Some(typed.of("description", &Input::Area)),
        begin,
        end,
        primary_user: said("primary_user"),
        team: typed.all("team").map(str::to_owned).collect(),
        list: said("list"),
        priority: serde_json::from_value(word("priority")).ok(),
        settings,
        sharing: serde_json::from_value::<Sharing>(word("sharing")).ok(),
        shared_with: Vec::new(),
        arm: if typed.text("arm").is_empty() { Arm::Later } else { Arm::Now },
        senders: if typed.text("senders").is_empty() { Senders::Stay } else { Senders::PrimaryUser },
        accept_unreadable: (!typed.text("accept_unreadable").is_empty()).into(),
    })
}

/// What was refused, at its field.
fn told(e: ActionError) -> Result<Vec<Fault>, ActionError> {
    let field = match &e {
        ActionError::Refused { code: "name_taken", .. } => "name",
        ActionError::Refused { code: "list_in_use", .. } => "list",
        ActionError::Refused { code: "no_mailbox", .. } => "senders",
        ActionError::Refused { code: "unreadable_mailbox", .. } => {
            return Ok(vec![Fault { field: "accept_unreadable".into(), message: UNCONFIRMED.into() }]);
        }
        ActionError::Refused { code, .. } => code,
        _ => "",
    };
    match e {
        ActionError::Refused { message, .. } => Ok(vec![Fault { field: field.to_owned(), message }]),
        e => {
            let at = |f: Fault| Fault {
                field: f.field.split('.').next().filter(|f| *f == "team").map_or(f.field.clone(), str::to_owned),
                ..f
            };
            Ok(form::faults(e)?.into_iter().map(at).collect())
        }
    }
}
