//! When one is away, and what becomes of one's work meanwhile (TIM-7); who manages the settings says it for everybody.

use super::super::form::{Field, Input, Typed};
use super::super::lists::{Choice, Empty};
use super::super::page::html;
use super::super::parts::{Badge, Icon, Moment, Tone, Watch};
use super::super::rows::Names;
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::absences::{self as actions, AbsenceChange, NewAbsence, Said, SaidRules, Whose};
use crate::actions::fields::Patch;
use crate::actions::{ActionError, Caller, Fault, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::absence::Meanwhile;
use cadenza_core::flow::StepKind;
use cadenza_core::ids::AbsenceId;
use cadenza_core::time::Span;
use cadenza_store::absences::Absence;

const PATH: &str = "/settings/absences";

pub fn router() -> Router<App> {
    Router::new()
        .route(PATH, get(show).post(create))
        .route("/settings/absences/{id}/until", post(change))
        .route("/settings/absences/{id}/end", post(end))
}

#[derive(Debug, Template)]
#[template(path = "settings/absences.html", blocks = ["main"])]
pub struct AbsencesPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub rows: Vec<AbsenceRow>,
    pub empty: Option<Empty>,
    pub fields: Vec<Field>,
    /// What is wrong with no field that is shown.
    pub beside: Vec<String>,
}

#[derive(Debug)]
pub struct AbsenceRow {
    pub id: String,
    pub whose: String,
    pub from: Moment,
    /// `None`: until somebody ends it.
    pub until: Option<Moment>,
    /// As the control takes it.
    pub until_typed: String,
    pub badge: Badge,
    /// What becomes of which work.
    pub rules: String,
    pub away: bool,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    let page = page(&app, &viewer, None, &[]).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

async fn page(app: &App, viewer: &Viewer, typed: Option<&Typed>, faults: &[Fault]) -> Result<AbsencesPage> {
    let (w, manages) = (viewer.caller.workspace, viewer.caller.may(Privilege::SettingsManage));
    let whose = if manages { Whose::Everybodys } else { Whose::Mine };
    let all = actions::list(app, &viewer.caller, whose).await?;
    let people = actions::people(app, &viewer.caller).await?;
    let names = app.db.read_async(move |q| Names::read(q, w)).await?;
    let people: Vec<Choice> = people.into_iter().map(|u| Choice::new(u.id.to_string(), u.name)).collect();
    let mut fields = Vec::new();
    if manages {
        fields.push(Field::new("user", "Who").of(Input::Choice(people.clone())).value(viewer.caller.user.to_string()));
    }
    let tomorrow = viewer.watch.input(viewer.watch.now + Span::days(1));
    fields.push(Field::new("from", "Away from").of(Input::Moment).required().value(tomorrow));
    fields.push(Field::new("until", "Back on").of(Input::Moment).help("Empty: until you end it."));
    for kind in StepKind::ALL {
        let automatic = [("hold", "waits"), ("go_on", "goes on"), ("skip", "is skipped")];
        let by_person =
            [("hold", "waits"), ("delegate", "somebody else’s"), ("go_on", "goes on"), ("skip", "is skipped")];
        let choices = if kind.is_automatic() { Input::choices(&automatic) } else { Input::choices(&by_person) };
        fields.push(Field::new(format!("rules.{}", kind.as_str()), kind.label()).of(choices).usual("waits"));
    }
    let to: Vec<Choice> = std::iter::once(Choice::new("", "nobody")).chain(people).collect();
    fields
        .push(Field::new("to", "Somebody else is").of(Input::Choice(to)).help("For what is “somebody else’s” above."));
    let fields: Vec<Field> = fields.into_iter().map(|f| f.after(typed, faults)).collect();
    let (title, sections) = frame(&viewer.caller, Section::Absences);
    let text = "Say when you are away: what is yours waits, goes to a colleague, or goes on without you.";
    Ok(AbsencesPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        empty: all.is_empty().then(|| Empty::new("sun", "Nobody is away", text)),
        rows: all.iter().map(|a| row(a, &names, &viewer.watch)).collect(),
        beside: super::super::form::beside(faults, &fields),
        fields,
    })
}

fn row(a: &Absence, names: &Names, watch: &Watch) -> AbsenceRow {
    let away = a.from <= watch.now;
    AbsenceRow {
        id: a.id.to_string(),
        whose: names.of(Some(a.user)),
        from: watch.exact(a.from),
        until: a.until.map(|t| watch.exact(t)),
        until_typed: a.until.map(|t| watch.input(t)).unwrap_or_default(),
        badge: if away { Badge::new(Tone::Amber, "Away") } else { Badge::new(Tone::Grey, "Planned") },
        rules: rules(a, names),
        away,
    }
}

/// What does not wait, by name; the rest waits.
fn rules(a: &Absence, names: &Names) -> String {
    let mut said: Vec<String> = Vec::new();
    for (kind, meanwhile) in a.rules.iter() {
        let what = match meanwhile {
            Meanwhile::Hold => continue,
            Meanwhile::GoOn => "goes on".to_owned(),
            Meanwhile::Skip => "is skipped".to_owned(),
            Meanwhile::Delegate(to) => format!("to {}", names.of(Some(to))),
        };
        said.push(format!("{}: {what}", kind.label()));
    }
    match said.len() {
        0 => "Everything waits".into(),
        n if n == StepKind::ALL.len() => said.join(" · "),
        _ => format!("{} · the rest waits", said.join(" · ")),
    }
}

async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let done = match read(&viewer, &typed) {
        Ok(new) => actions::create(&app, &viewer.caller, new).await,
        Err(e) => Err(e),
    };
    let faults = match done {
        Ok(_) => return Ok(said::done(PATH, "Saved: it is seen to at its begin and its end.")),
        Err(ActionError::Invalid(faults)) => faults,
        Err(ActionError::Refused { code: "away_then", message }) => vec![Fault { field: "from".into(), message }],
        Err(e) => return Err(e.into()),
    };
    let page = page(&app, &viewer, Some(&typed), &faults).await?;
    let answer = if viewer.part { html(&page.as_main()) } else { html(&page) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

fn read(viewer: &Viewer, typed: &Typed) -> std::result::Result<NewAbsence, ActionError> {
    let moment = |field: &str| viewer.watch.typed(typed.text(field));
    let from = moment("from").ok_or_else(|| ActionError::invalid("from", "Expected a day and a time."))?;
    let until = moment("until");
    if until.is_none() && !typed.text("until").is_empty() {
        return Err(ActionError::invalid("until", "Expected a day and a time."));
    }
    let mut rules = SaidRules::default();
    for kind in StepKind::ALL {
        let field = format!("rules.{}", kind.as_str());
        let said = match typed.text(&field) {
            "" | "hold" => Said::Hold,
            "go_on" => Said::GoOn,
            "skip" => Said::Skip,
            "delegate" if typed.text("to").is_empty() => {
                return Err(ActionError::invalid("to", "Say whose work it is meanwhile."));
            }
            "delegate" => Said::Delegate(typed.text("to").to_owned()),
            other => return Err(ActionError::invalid(field, format!("{other:?} is none of the choices."))),
        };
        rules.set(kind, said);
    }
    let user = Some(typed.text("user")).filter(|u| !u.is_empty()).map(str::to_owned);
    Ok(NewAbsence { user, from, until, rules })
}

fn parsed(id: &str) -> std::result::Result<AbsenceId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("absence", id))
}

async fn change(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let until = match (typed.text("until"), viewer.watch.typed(typed.text("until"))) {
        ("", _) => Patch::Clear,
        (_, Some(until)) => Patch::Set(until),
        (_, None) => return Err(ActionError::invalid("until", "Expected a day and a time.").into()),
    };
    actions::update(&app, &viewer.caller, parsed(&id)?, AbsenceChange { until, ..AbsenceChange::default() }).await?;
    Ok(said::done(PATH, "Saved."))
}

async fn end(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::end(&app, &caller, parsed(&id)?).await?;
    Ok(said::done(PATH, "Ended: what was held goes on."))
}
