//! One of everything that a path of the API can name, so that every operation can be tried.

use super::program::Program;
use crate::house::House;
use cadenza::actions::absences::{self, NewAbsence, SaidRules};
use cadenza::actions::companies::{self, CompanyChange};
use cadenza::actions::custom_fields::{self, FieldChange};
use cadenza::actions::fields::Patch;
use cadenza::actions::mailboxes::create as create_mailbox;
use cadenza::actions::sequences::{Arm, Start, Unreadable};
use cadenza::actions::suppressions::{self, From as CameFrom, Typed};
use cadenza::actions::tokens::{self, NewToken};
use cadenza::actions::{Caller, Privileges, enrollments, inbound, roles, sequences, templates};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::file;
use cadenza_core::ids::{
    AbsenceId, AnswerId, ContactId, EnrollmentId, JobId, ListId, MailboxId, MessageId, SandboxMessageId, UserId,
};
use cadenza_core::time::Span;
use cadenza_store::answers::{self, Answer};
use cadenza_store::contacts;
use cadenza_store::custom_fields::FieldOf;
use cadenza_store::door::Again;
use cadenza_store::jobs::{self, NewJob};
use cadenza_store::lists::{self, List};
use cadenza_store::mailboxes::{self, Caps, Mailbox};
use cadenza_store::sandbox_messages;
use cadenza_store::sequences::SubjectType;
use serde_json::json;
use std::collections::BTreeMap;

const STEPS: &str = r#"
[settings]
window = { days = "mon-sun", start = "00:00", stop = "24:00" }
[[branch]]
key = "main"
[[branch.step]]
key = "talk"
kind = "call"
[[branch.step]]
key = "write"
kind = "email_manual"
subject = "Hello"
text = "As said."
"#;

/// By the name of the path's parameter: what to write in its place.
pub type Specimens = BTreeMap<&'static str, String>;

/// Makes them in a caller's workspace, anew at each call. A parameter that is missing here has to be added.
pub async fn specimens(house: &House, caller: &Caller) -> Specimens {
    let app = &house.app;
    let number = app.next_id();
    let file = file::parse(&format!("name = \"Specimen {number}\"\n{STEPS}")).unwrap();
    let sequence = sequences::create(app, caller, &file).await.unwrap();
    // The mailboxes that operations make here cannot be read.
    let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
    sequences::activate_with(app, caller, sequence, start).await.unwrap();
    let (contact, w) = (person(house, caller, "Grace", "Hopper").await, caller.workspace);
    let subjects = vec![Subject::Contact(contact)];
    let enrolled = enrollments::enroll(app, caller, sequence, subjects, Again::NotSaid).await.unwrap();
    let enrollment: EnrollmentId = enrolled[0].1.clone().unwrap();
    house
        .wait_for("the task of the first step", move |q| {
            let sql =
                "SELECT 1 FROM activity WHERE workspace_id = $1 AND enrollment_id = $2 AND appeared_at IS NOT NULL";
            Ok(q.query_opt(sql, &[w.into(), enrollment.into()])?.map(drop))
        })
        .await;
    let new = NewToken { name: "specimen".into(), scopes: Privileges::all(), expires_at: None };
    let (token, _) = tokens::create(app, caller, new).await.unwrap();
    let list = List {
        id: ListId(app.next_id()),
        name: format!("Specimens {number}"),
        of: SubjectType::Contacts,
        owner: None,
        created_at: house.now(),
    };
    let list_id = list.id;
    house.write(move |tx| lists::create(tx, w, &list)).await;
    let mailbox = mailbox(house, caller, number).await;
    let role = format!("Specimen-{number}");
    roles::create(app, caller, role.clone(), Privileges::NONE).await.unwrap();
    let sandboxed = sandboxed(house, caller, number).await;
    let named = CompanyChange { name: Patch::Set(format!("Specimen {number}")), ..CompanyChange::default() };
    let company = companies::create(app, caller, named).await.unwrap().id;
    let field = format!("specimen_{number}");
    custom_fields::create(app, caller, FieldOf::Contact, field.clone(), FieldChange::default()).await.unwrap();
    let value = format!("specimen-{number}@example.com");
    let typed = Typed { kind: None, value: value.clone() };
    suppressions::add(app, caller, vec![typed], CameFrom::Hand).await.unwrap();
    let raw = format!("From: specimen@example.com\r\nMessage-ID: <specimen-{number}@example.com>\r\n\r\nSpecimen\r\n");
    let message = inbound::take_in(app, caller, raw.into_bytes()).await.unwrap().message.unwrap().id;
    let answer = answered(house, caller, message, mailbox).await;
    let reclassified = reclassified(house, caller).await;
    let other = person(house, caller, "Grace", "Hopper").await;
    let absence = absence(house, caller).await;
    let text = format!("name = \"Specimen {number}\"\nform = \"template\"\n{STEPS}");
    let template = templates::create(app, caller, &file::parse(&text).unwrap()).await.unwrap();
    BTreeMap::from([
        ("absence", absence.to_string()),
        ("answer", answer.to_string()),
        ("company", company.to_string()),
        ("contact", contact.to_string()),
        ("enrollment", enrollment.to_string()),
        ("field", format!("contact.{field}")),
        // Somebody else, for what is done to two.
        ("from", other.to_string()),
        ("list", list_id.to_string()),
        ("mailbox", mailbox.to_string()),
        ("message", message.to_string()),
        ("operation", "pause".to_owned()),
        ("reclassification", reclassified.to_string()),
        ("role", role),
        ("sandbox_message", sandboxed.to_string()),
        ("sequence", sequence.to_string()),
        ("task", format!("{enrollment}.1")),
        ("template", template.to_string()),
        ("token", token.id.to_string()),
        ("user", caller.user.to_string()),
        ("value", value),
    ])
}

/// What a person answered to a message, and of which nobody knows whether it arrived.
async fn answered(house: &House, caller: &Caller, to_message: MessageId, mailbox: MailboxId) -> AnswerId {
    let (w, id, by, created_at) = (caller.workspace, AnswerId(house.app.next_id()), caller.user, house.now());
    let answer = Answer {
        id,
        to_message,
        enrollment: None,
        mailbox,
        by,
        to: "specimen@example.com".into(),
        subject: "Re: Specimen".into(),
        text: "Thursday at ten?".into(),
        message_id: format!("{id}@northwind.example"),
        references: Vec::new(),
        state: answers::State::Queued,
        attempt: 0,
        created_at,
        settled_at: None,
        words: None,
    };
    house
        .write(move |tx| {
            answers::queue(tx, w, &answer)?;
            let sql = "UPDATE answer SET state = 'unknown', marked_at = created_at, settled_at = created_at
                 WHERE workspace_id = $1 AND id = $2";
            tx.exec(sql, &[w.into(), id.into()])
        })
        .await;
    id
}

/// Reading the kept mail again, done with: with each specimen there is more of it, which need not be read for each.
async fn reclassified(house: &House, caller: &Caller) -> JobId {
    let (w, id, user, now) = (caller.workspace, JobId(house.app.next_id()), caller.user, house.now());
    house
        .write(move |tx| {
            let input = serde_json::json!({ "work": "reclassify" });
            let job = NewJob { id, kind: "reclassify".into(), user, input, total: Some(0) };
            jobs::create(tx, w, &job, now)?;
            jobs::finish(tx, w, id, None, now)
        })
        .await;
    id
}

/// A day behind all others of the specimens.
pub async fn absence(house: &House, caller: &Caller) -> AbsenceId {
    let w = caller.workspace;
    let first = house.now() + Span::days(1_000);
    let sql = "SELECT MAX(until_at) FROM absence WHERE workspace_id = $1";
    let last = house.read(move |q| q.query_one(sql, &[w.into()])?.opt_time(0)).await;
    let from = last.unwrap_or(first).max(first);
    let new = NewAbsence { user: None, from, until: Some(from + Span::days(1)), rules: SaidRules::default() };
    absences::create(&house.app, caller, new).await.unwrap().id
}

/// A mailbox beside the sandbox's first one, and like it.
pub async fn mailbox(house: &House, caller: &Caller, number: i64) -> MailboxId {
    let (w, id, owner, created_at) = (caller.workspace, MailboxId(house.app.next_id()), caller.user, house.now());
    let mailbox = Mailbox {
        id,
        owner,
        address: format!("specimen-{number}@northwind.example"),
        name: "Specimen".into(),
        sandbox: true,
        signature: String::new(),
        smtp: None,
        imap: None,
        folders: vec!["INBOX".into()],
        sent_folder: None,
        caps: Caps::default(),
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: true,
        read_at: None,
        read_failure: None,
        held: None,
        created_at,
        version: 1,
    };
    house.write(move |tx| mailboxes::create(tx, w, &mailbox)).await;
    id
}

/// A mailbox that sends by a mail server and cannot be read.
pub async fn unreadable_mailbox(house: &House, owner: UserId, address: &str) {
    let smtp = json!({ "host": "127.0.0.1", "port": 25, "security": "none", "auth": "none" });
    let new = serde_json::from_value(json!({ "address": address, "owner": owner, "smtp": smtp })).unwrap();
    create_mailbox(&house.app, &house.caller, new).await.unwrap();
}

/// A mail in the sandbox that can be answered.
async fn sandboxed(house: &House, caller: &Caller, number: i64) -> SandboxMessageId {
    let (w, id, now) = (caller.workspace, SandboxMessageId(house.app.next_id()), house.now());
    let message_id = format!("sent-{number}@northwind.example");
    let raw = format!(
        "From: ada@northwind.example\r\nTo: grace@example.com\r\nSubject: Hello\r\nMessage-ID: <{message_id}>\r\n\
         Date: Mon, 1 Mar 2027 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Hello\r\n"
    );
    house
        .write(move |tx| {
            let message = sandbox_messages::Received {
                mailbox: None,
                text: false,
                sender: "ada@northwind.example",
                recipient: "grace@example.com",
                subject: "Hello",
                message_id: &message_id,
                raw: raw.as_bytes(),
            };
            sandbox_messages::receive(tx, w, id.0, &message, now)
        })
        .await;
    id
}

/// A contact with an address of its own.
pub async fn person(house: &House, caller: &Caller, first: &str, last: &str) -> ContactId {
    let number = house.app.next_id();
    let id = house.contact(&[], |_| {}).await;
    // Moved, since the house makes its people in its own workspace.
    let (from, w) = (house.w, caller.workspace);
    let (first, last) = (first.to_owned(), last.to_owned());
    house
        .write(move |tx| {
            let mut contact = contacts::get(tx, from, id)?;
            contact.id = ContactId(number);
            (contact.first_name, contact.last_name) = (first.clone(), last.clone());
            contact.emails = vec![cadenza_store::addresses::TypedAddress {
                kind: cadenza_core::flow::AddressKind::Work,
                value: format!("{first}.{last}.{number}@example.com").to_lowercase(),
            }];
            contacts::insert(tx, w, &[contact])
        })
        .await;
    house
        .write(move |tx| tx.exec("DELETE FROM contact WHERE workspace_id = $1 AND id = $2", &[from.into(), id.into()]))
        .await;
    ContactId(number)
}

/// A path with its parameters filled in.
pub fn filled(path: &str, specimens: &Specimens) -> String {
    let mut out = path.to_owned();
    while let Some((before, rest)) = out.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        let value = specimens.get(name).unwrap_or_else(|| panic!("{path}: make a specimen of {name}"));
        out = format!("{before}{value}{after}");
    }
    out
}

/// What the program of a specimen's workspace would send: an example body with ids that exist. A field that has a specimen's
/// name gets that one.
pub fn known(body: &serde_json::Value, specimens: &Specimens) -> serde_json::Value {
    known_as("", body, specimens)
}

fn known_as(field: &str, body: &serde_json::Value, specimens: &Specimens) -> serde_json::Value {
    use serde_json::Value;
    match body {
        Value::String(text) => {
            let prefix = text.split_once('_').map(|(prefix, _)| prefix);
            let is_id = text.len() > 16 && prefix.is_some_and(|p| (3..=4).contains(&p.len()));
            let alike = |v: &&String| is_id && v.split_once('_').map(|(p, _)| p) == prefix;
            let same = specimens.get(field).filter(alike).or_else(|| specimens.values().find(alike));
            Value::String(same.unwrap_or(text).clone())
        }
        Value::Array(items) => items.iter().map(|i| known_as(field, i, specimens)).collect(),
        Value::Object(fields) => fields.iter().map(|(n, v)| (n.clone(), known_as(n, v, specimens))).collect(),
        other => other.clone(),
    }
}

/// Texts that stand in the records of these specimens and nowhere else.
pub fn marks(specimens: &Specimens) -> Vec<String> {
    let contact: ContactId = specimens["contact"].parse().unwrap();
    let number = specimens["value"].trim_start_matches("specimen-").trim_end_matches("@example.com");
    vec![number.to_owned(), contact.0.to_string()]
}

/// A program of that caller's that may do everything.
pub async fn program<'h>(house: &'h House, caller: &Caller) -> Program<'h> {
    Program::of(house, caller, Privileges::all()).await
}
