//! `cadenza enroll`: puts contacts or companies into a sequence (OPS-1) and says for each whether it was done or why not.

use super::ask::{self, Saying, Who};
use super::{Ended, Failure};
use crate::actions::{Caller, enrollments, sequences};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId};
use cadenza_store::addresses::{self, Reach};
use cadenza_store::contacts::{Filter, ids};
use cadenza_store::door::{Again, Enrolled};
use cadenza_store::sequences::{Sequence, SubjectType};
use cadenza_store::{companies, lists};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Subjects enrolled in one go; progress is shown after each.
const CHUNK: usize = 1_000;

/// Enroll contacts (or companies) in a sequence
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sequence, by name or id
    #[arg(value_name = "SEQUENCE")]
    pub sequence: String,
    #[command(flatten)]
    pub whom: Whom,
    /// Also those who finished this sequence before; they begin anew
    #[arg(long)]
    pub again: bool,
    /// One JSON object for each
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub who: Who,
}

/// Who is to be enrolled.
#[derive(Debug, clap::Args, Serialize, Deserialize)]
#[group(required = true, multiple = true)]
pub struct Whom {
    /// A contact, by address or id; as often as wanted
    #[arg(long, value_name = "CONTACT")]
    pub contact: Vec<String>,
    /// A company, by name or id; as often as wanted
    #[arg(long, value_name = "COMPANY")]
    pub company: Vec<String>,
    /// Everybody on a list, by name
    #[arg(long, value_name = "LIST")]
    pub list: Vec<String>,
    /// Every contact of the workspace
    #[arg(long, conflicts_with_all = ["contact", "company", "list"])]
    pub all: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    sequence: String,
    whom: Whom,
    again: bool,
    json: bool,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let Args { sequence, whom, again, json, who } = args;
    ask::ask(flags, &who, ask::Ask::Enroll(Ask { sequence, whom, again, json })).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let sequence = sequences::find(app, caller, &ask.sequence).await?;
    let (subjects, mut refused) = subjects(app, caller, &ask.whom, &sequence, saying).await?;
    let again = if ask.again { Again::Said } else { Again::NotSaid };
    let named = !ask.whom.contact.is_empty() || !ask.whom.company.is_empty();
    let mut enrolled = 0;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (n, chunk) in subjects.chunks(CHUNK).enumerate() {
        if subjects.len() > CHUNK {
            saying.progress(n * CHUNK, subjects.len()).await;
        }
        for one in enrollments::enroll(app, caller, sequence.id, chunk.to_vec(), again).await? {
            match &one.1 {
                Ok(_) => enrolled += 1,
                Err(why) => {
                    refused += 1;
                    *reasons.entry(why.to_string()).or_default() += 1;
                }
            }
            if ask.json {
                saying.line(json(&one).to_string()).await;
            } else if named {
                saying.line(sentence(&one)).await;
            }
        }
    }
    if !ask.json && !named {
        for (why, n) in &reasons {
            saying.line(format!("{n} not enrolled: {why}")).await;
        }
    }
    let summary = format!("{enrolled} enrolled in {:?}, {refused} not", sequence.name);
    if ask.json {
        saying.note(summary).await;
    } else {
        saying.line(summary).await;
    }
    Ok(if refused == 0 { Ended::Well } else { Ended::Badly })
}

/// Everybody who is meant, once each; and how many could not be found.
async fn subjects(
    app: &App,
    caller: &Caller,
    whom: &Whom,
    sequence: &Sequence,
    saying: &Saying,
) -> Result<(Vec<Subject>, usize), Failure> {
    let w = caller.workspace;
    let mut found: Vec<Subject> = Vec::new();
    let mut missed = 0;
    for name in &whom.list {
        let (asked, of) = (name.clone(), sequence.of);
        let list = app.db.read_async(move |q| lists::named(q, w, &asked)).await?;
        let list = list.ok_or_else(|| Failure::said(format!("--list: there is no list {name:?}")))?;
        if list.of != of {
            return Err(Failure::said(format!("--list: {name:?} is a list of {}, the sequence is for {of}", list.of)));
        }
        let id = list.id;
        let members = app.db.read_async(move |q| lists::members(q, w, id, None, usize::MAX >> 1)).await?;
        found.extend(members.into_iter().map(|m| match of {
            SubjectType::Contacts => Subject::Contact(ContactId(m)),
            SubjectType::Companies => Subject::Company(CompanyId(m)),
        }));
    }
    if whom.all {
        let now = app.clock.now();
        let all = app.db.read_async(move |q| ids(q, w, &Filter::default(), None, usize::MAX >> 1, now)).await?;
        found.extend(all.into_iter().map(Subject::Contact));
    }
    for (text, subject) in named(app, caller, whom).await? {
        match subject {
            Some(subject) => found.push(subject),
            None => {
                missed += 1;
                saying.line(format!("{text}: there is no such record")).await;
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|s| seen.insert(*s));
    Ok((found, missed))
}

/// Contacts by id or address, companies by id or name, in the order asked.
async fn named(app: &App, caller: &Caller, whom: &Whom) -> Result<Vec<(String, Option<Subject>)>, Failure> {
    let w = caller.workspace;
    let (contacts, names) = (whom.contact.clone(), whom.company.clone());
    let found = app.db.read_async(move |q| {
        let by_address: HashMap<String, Subject> =
            addresses::owners(q, w, Reach::Email, contacts.iter().map(String::as_str))?
                .into_iter()
                .rev()
                .filter(|(_, s)| matches!(s, Subject::Contact(_)))
                .collect();
        let by_name: HashMap<String, CompanyId> =
            companies::named(q, w, names.iter().map(String::as_str))?.into_iter().collect();
        let contact = |text: &String| {
            let id = text.parse::<ContactId>().ok().map(Subject::Contact);
            id.or_else(|| by_address.get(&text.to_lowercase()).copied())
        };
        let company = |text: &String| {
            let id = text.parse::<CompanyId>().ok();
            id.or_else(|| by_name.get(&cadenza_store::folding::fold(text)).copied()).map(Subject::Company)
        };
        let contacts = contacts.iter().map(|t| (t.clone(), contact(t)));
        Ok(contacts.chain(names.iter().map(|t| (t.clone(), company(t)))).collect::<Vec<_>>())
    });
    Ok(found.await?)
}

fn id_of(subject: Subject) -> String {
    match subject {
        Subject::Contact(id) => id.to_string(),
        Subject::Company(id) => id.to_string(),
    }
}

fn sentence((subject, outcome): &Enrolled) -> String {
    match outcome {
        Ok(id) => format!("{}: enrolled as {id}", id_of(*subject)),
        Err(why) => format!("{}: not enrolled: {why}", id_of(*subject)),
    }
}

fn json((subject, outcome): &Enrolled) -> serde_json::Value {
    match outcome {
        Ok(id) => serde_json::json!({ "record": id_of(*subject), "enrollment": id }),
        Err(why) => serde_json::json!({ "record": id_of(*subject), "code": why.code(), "message": why.to_string() }),
    }
}
