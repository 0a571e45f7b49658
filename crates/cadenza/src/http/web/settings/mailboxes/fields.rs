//! The fields of a mailbox's form, and what was typed as the change that the action takes.

use super::super::super::form::{Field, Input, Typed};
use super::super::super::lists::Choice;
use super::super::super::viewer::Viewer;
use super::FieldGroup;
use crate::App;
use crate::actions::fields::Patch;
use crate::actions::mailboxes::{self, MailboxChange, OAuthInput, ServerInput};
use crate::actions::{Fault, users};
use crate::http::error::Result;
use cadenza_store::mailbox_grants::Grant;
use cadenza_store::mailboxes::{Auth, Mailbox, Security};
use cadenza_store::users::UserState;

pub async fn fields_of(
    app: &App,
    viewer: &Viewer,
    m: Option<&Mailbox>,
    typed: Option<&Typed>,
    faults: &[Fault],
) -> Result<Vec<FieldGroup>> {
    let all = users::all(app, &viewer.caller).await?;
    let owner = m.map_or(viewer.caller.user, |m| m.owner);
    let grant = match m {
        Some(m) => mailboxes::oauth(app, &viewer.caller, m.id).await?,
        None => None,
    };
    let people = all.into_iter().filter(|u| u.state != UserState::Departed || u.id == owner);
    let people: Vec<Choice> = people.map(|u| Choice::new(u.id.to_string(), u.name)).collect();
    let mut groups = vec![writer(viewer, m, people)];
    if m.is_none_or(|m| !m.sandbox) {
        groups.push(server(m));
        groups.push(inbox(m));
        groups.push(tokens(grant.as_ref()));
        groups.push(caps(m));
    }
    for group in &mut groups {
        group.fields = std::mem::take(&mut group.fields).into_iter().map(|f| f.after(typed, faults)).collect();
    }
    Ok(groups)
}

fn writer(viewer: &Viewer, m: Option<&Mailbox>, people: Vec<Choice>) -> FieldGroup {
    let name = m.map_or(viewer.user.name.clone(), |m| m.name.clone());
    FieldGroup {
        label: "Who writes",
        about: "",
        fields: vec![
            Field::new("address", "Address")
                .of(Input::Email)
                .required()
                .help("That it writes from.")
                .value(m.map_or("", |m| &m.address)),
            Field::new("name", "Name").help("Beside the address, as recipients read it.").value(name),
            Field::new("owner", "Owner")
                .of(Input::Choice(people))
                .help("The user whose mail it is.")
                .value(m.map_or(viewer.caller.user, |m| m.owner).to_string()),
            Field::new("signature", "Signature")
                .of(Input::Area)
                .help("Plain text, for {{ sender.signature }}.")
                .value(m.map_or("", |m| &m.signature)),
            Field::new("plus_addresses", "An address for each mail")
                .of(Input::Check)
                .help(
                    "Answers and bounces come back to name+code@…, and so find their mail where a mail program or relay lost the \
                     thread. Only for a server that delivers such addresses and lets you write from them.",
                )
                .usual("off")
                .value(if m.is_some_and(|m| m.plus_addresses) { "on" } else { "" }),
        ],
    }
}

fn server(m: Option<&Mailbox>) -> FieldGroup {
    let smtp = m.and_then(|m| m.smtp.as_ref());
    let secret = smtp.is_some_and(|s| s.secret.is_some());
    let stored = if secret {
        "One is stored. Empty: it stays. It has to be typed again for another server."
    } else {
        "Stored sealed, and never shown again."
    };
    FieldGroup {
        label: "Server that takes its mail (SMTP)",
        about: "",
        fields: vec![
            Field::new("smtp.host", "Server")
                .required()
                .help("Such as smtp.example.com.")
                .value(smtp.map_or("", |s| &s.host)),
            Field::new("smtp.port", "Port")
                .of(Input::Number)
                .required()
                .usual("587 with STARTTLS, 465 with TLS")
                .value(smtp.map_or_else(|| "587".to_owned(), |s| s.port.to_string())),
            Field::new("smtp.security", "Protection of the line")
                .of(Input::choices(&[
                    ("starttls", "STARTTLS"),
                    ("tls", "TLS"),
                    ("none", "none (relay on this machine)"),
                ]))
                .help("STARTTLS is insisted on: without it there is no connection.")
                .value(smtp.map_or(Security::Starttls, |s| s.security).as_str()),
            Field::new("smtp.auth", "Sign in by")
                .of(Input::choices(&[("password", "password"), ("xoauth2", "OAuth 2"), ("none", "nothing (relay)")]))
                .value(smtp.map_or(Auth::Password, |s| s.auth).as_str()),
            Field::new("smtp.login", "Sign-in name")
                .help("Usually the address.")
                .autocomplete("off")
                .value(smtp.and_then(|s| s.login.as_deref()).unwrap_or_default()),
            Field::new("smtp.secret", "Password").of(Input::Password).help(stored).autocomplete("new-password"),
        ],
    }
}

fn inbox(m: Option<&Mailbox>) -> FieldGroup {
    let imap = m.and_then(|m| m.imap.as_ref());
    let secret = imap.is_some_and(|s| s.secret.is_some());
    let stored = if secret { "One is stored. Empty: it stays." } else { "Stored sealed, and never shown again." };
    FieldGroup {
        label: "Server that it is read from (IMAP)",
        about: "So that replies stop its sequences. Reading changes nothing there: no mail is moved, and none turns read.",
        fields: vec![
            Field::new("imap.host", "Server")
                .help("Such as imap.example.com. Empty: the mailbox is not read.")
                .value(imap.map_or("", |s| &s.host)),
            Field::new("imap.port", "Port")
                .of(Input::Number)
                .usual("993 with TLS, 143 with STARTTLS")
                .value(imap.map_or_else(|| "993".to_owned(), |s| s.port.to_string())),
            Field::new("imap.security", "Protection of the line")
                .of(Input::choices(&[("tls", "TLS"), ("starttls", "STARTTLS")]))
                .value(imap.map_or(Security::Tls, |s| s.security).as_str()),
            Field::new("imap.auth", "Sign in by")
                .of(Input::choices(&[("password", "password"), ("xoauth2", "OAuth 2")]))
                .value(imap.map_or(Auth::Password, |s| s.auth).as_str()),
            Field::new("imap.login", "Sign-in name")
                .help("Usually the address.")
                .autocomplete("off")
                .value(imap.and_then(|s| s.login.as_deref()).unwrap_or_default()),
            Field::new("imap.secret", "Password").of(Input::Password).help(stored).autocomplete("new-password"),
            Field::new("folders", "Folders")
                .of(Input::Area)
                .help("Those that replies may come into, one a line. Add the one for spam: replies land there too.")
                .usual("INBOX")
                .value(m.map_or_else(|| "INBOX".to_owned(), |m| m.folders.join("\n"))),
            Field::new("sent_folder", "Folder of sent mail")
                .help(
                    "Where what you write yourself is filed, such as Sent. It can end an enrollment, as a reply does.",
                )
                .value(m.and_then(|m| m.sent_folder.as_deref()).unwrap_or_default()),
            Field::new("journaled", "Its mail is posted here")
                .of(Input::Check)
                .help("A journal or mail gateway posts what arrives to /api/v1/inbound, so that replies are seen without IMAP.")
                .usual("off")
                .value(if m.is_some_and(|m| m.journaled) { "on" } else { "" }),
        ],
    }
}

fn tokens(grant: Option<&Grant>) -> FieldGroup {
    let stored = |there: bool| match there {
        true => "One is stored. Empty: it stays. It has to be typed again for another endpoint or client.",
        false => "Stored sealed, and never shown again.",
    };
    FieldGroup {
        label: "OAuth 2",
        about: "For servers that are signed in to by OAuth 2: access tokens are fetched and renewed with this.",
        fields: vec![
            Field::new("oauth.token_endpoint", "Token endpoint")
                .help("google, microsoft, or an https address.")
                .value(grant.map_or("", |g| &g.token_endpoint)),
            Field::new("oauth.client_id", "Client id")
                .help("Of the application that is registered with the provider.")
                .autocomplete("off")
                .value(grant.map_or("", |g| &g.client_id)),
            Field::new("oauth.client_secret", "Client secret")
                .of(Input::Password)
                .help(match grant {
                    None => "Empty where the client has none.",
                    Some(g) => stored(g.client_secret.is_some()),
                })
                .autocomplete("new-password"),
            Field::new("oauth.refresh_token", "Refresh token")
                .of(Input::Password)
                .help(stored(grant.is_some()))
                .autocomplete("new-password"),
        ],
    }
}

fn caps(m: Option<&Mailbox>) -> FieldGroup {
    let usual = ("200", "40", "60", "30");
    let shown = |value: Option<u32>| value.map(|n| n.to_string()).unwrap_or_default();
    let cap = |name: &str, label: &str, unit, default: &str, value: Option<Option<u32>>| {
        let value = value.map_or_else(|| default.to_owned(), shown);
        Field::new(name, label).of(Input::Number).unit(unit).usual(format!("{default} {unit}")).value(value)
    };
    let caps = m.map(|m| m.caps);
    FieldGroup {
        label: "Caps",
        about: "What is held back goes out in order as room appears. Empty: no cap.",
        fields: vec![
            cap("day_cap", "A day", "mails", usual.0, caps.map(|c| c.day)),
            cap("hour_cap", "An hour", "mails", usual.1, caps.map(|c| c.hour)),
            cap("gap_seconds", "Least gap between two", "seconds", usual.2, caps.map(|c| c.gap_seconds)),
            cap("jitter_seconds", "Longer or shorter by up to", "seconds", usual.3, caps.map(|c| c.jitter_seconds)),
            Field::new("freshness_minutes", "Inbox freshness")
                .of(Input::Number)
                .unit("minutes")
                .help("Follow-ups wait where the inbox was last read longer ago.")
                .usual("10 minutes")
                .value(m.map_or(10, |m| m.freshness_minutes).to_string()),
        ],
    }
}

/// The change that a form asks for; a sandbox's form has no server and no caps.
pub fn change_of(typed: &Typed, old: Option<&Mailbox>) -> Result<MailboxChange, Vec<Fault>> {
    let text = |name: &str| Patch::of_form(typed.get(name).map(|t| t.replace("\r\n", "\n")));
    let mut change = MailboxChange {
        address: text("address"),
        name: text("name"),
        owner: text("owner"),
        signature: text("signature"),
        plus_addresses: Some(typed.text("plus_addresses") == "on"),
        ..MailboxChange::default()
    };
    if old.is_some_and(|m| m.sandbox) {
        return Ok(change);
    }
    change.journaled = Some(typed.text("journaled") == "on");
    let mut faults = Vec::new();
    let mut number = |name: &str| match typed.text(name) {
        "" => Patch::Clear,
        n => match n.parse::<u32>() {
            Ok(n) => Patch::Set(n),
            Err(_) => {
                let message = format!("{n:?} is no whole number: expected 0 or more, or nothing for no cap.");
                faults.push(Fault { field: name.to_owned(), message });
                Patch::Keep
            }
        },
    };
    change.day_cap = number("day_cap");
    change.hour_cap = number("hour_cap");
    change.gap_seconds = number("gap_seconds");
    change.jitter_seconds = number("jitter_seconds");
    change.freshness_minutes = match number("freshness_minutes") {
        Patch::Set(n) => Some(n),
        Patch::Keep | Patch::Clear => None,
    };
    change.smtp = server_of(typed, "smtp", &mut faults);
    if typed.get("imap.host").is_some() {
        change.imap = match typed.text("imap.host") {
            "" => Patch::Clear,
            _ => server_of(typed, "imap", &mut faults).map_or(Patch::Keep, Patch::Set),
        };
        change.folders = typed.get("folders").map(|all| all.lines().map(str::to_owned).collect());
        change.sent_folder = text("sent_folder");
    }
    change.oauth = oauth_of(typed, &change);
    if faults.is_empty() { Ok(change) } else { Err(faults) }
}

/// Asked for only where a server signs in so; else what was typed there is of no use, and what is stored goes.
fn oauth_of(typed: &Typed, change: &MailboxChange) -> Patch<OAuthInput> {
    let imap = if let Patch::Set(imap) = &change.imap { Some(imap) } else { None };
    let used = change.smtp.iter().chain(imap).any(|server| server.auth == Auth::Xoauth2);
    if !used || typed.get("oauth.token_endpoint").is_none() {
        return Patch::Keep;
    }
    let secret = |name: &str| typed.get(name).filter(|t| !t.is_empty()).map(str::to_owned);
    Patch::Set(OAuthInput {
        token_endpoint: typed.text("oauth.token_endpoint").to_owned(),
        client_id: typed.text("oauth.client_id").to_owned(),
        client_secret: secret("oauth.client_secret").map_or(Patch::Keep, Patch::Set),
        refresh_token: secret("oauth.refresh_token"),
    })
}

/// `part` is `smtp` or `imap`, before each field's name.
fn server_of(typed: &Typed, part: &str, faults: &mut Vec<Fault>) -> Option<ServerInput> {
    let name = |field: &str| format!("{part}.{field}");
    let mut fault = |field: &str, message: String| faults.push(Fault { field: name(field), message });
    let port = typed.text(&name("port"));
    let port =
        port.parse::<u16>().map_err(|_| fault("port", format!("{port:?} is no port: expected 1 to 65535."))).ok();
    let security = Security::named(typed.text(&name("security")));
    let security = security.map_err(|_| fault("security", "Expected STARTTLS, TLS or none.".into())).ok();
    let auth = Auth::named(typed.text(&name("auth")));
    let auth = auth.map_err(|_| fault("auth", "Expected password, OAuth 2 or nothing.".into())).ok();
    Some(ServerInput {
        host: typed.text(&name("host")).to_owned(),
        port: port?,
        security: security?,
        auth: auth?,
        login: typed.get(&name("login")).map(str::to_owned),
        secret: typed.get(&name("secret")).map(str::to_owned),
    })
}
