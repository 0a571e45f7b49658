//! What stands below a message: the workspace's postal address and the way to unsubscribe, in the recipient's language. Neither
//! is said twice: what the message has already, by the merge field or in its own words, is left out here.

use super::TrackingFor;
use super::tags::{escape, mentions};
use crate::language::Language;

/// The HTML of the footer, empty where there is nothing left to say.
pub(super) fn html(body: &str, unsubscribe: &str, how: &TrackingFor<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !has_address(body, how.postal_address) {
        lines.extend(address_lines(how.postal_address).map(|line| escape(line).into_owned()));
    }
    if !mentions(body, unsubscribe) {
        let link = format!("<a href=\"{}\" style=\"color:inherit\">{}</a>", escape(unsubscribe), word(how.language));
        lines.push(link);
    }
    if lines.is_empty() {
        return String::new();
    }
    let style = "margin-top:2em;color:#6b6b6b;font-size:12px;line-height:1.5";
    format!("<div style=\"{style}\" lang=\"{}\">{}</div>\n", how.language.tag(), lines.join("<br>\n"))
}

/// The text with its footer.
pub(super) fn text(mut text: String, unsubscribe: &str, how: &TrackingFor<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !has_address(&text, how.postal_address) {
        lines.extend(address_lines(how.postal_address).map(str::to_owned));
    }
    if !text.contains(unsubscribe) {
        lines.push(format!("{}: {unsubscribe}", word(how.language)));
    }
    if !lines.is_empty() {
        text.truncate(text.trim_end().len());
        text.push_str("\n\n");
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }
    text
}

fn address_lines(address: &str) -> impl Iterator<Item = &str> {
    address.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Does the message name every line of the address?
fn has_address(body: &str, address: &str) -> bool {
    address_lines(address).all(|line| mentions(body, line))
}

/// What the link is called.
fn word(language: Language) -> &'static str {
    match language {
        Language::English => "Unsubscribe",
        Language::German => "Abmelden",
        Language::French => "Se désabonner",
        Language::Spanish => "Darse de baja",
        Language::Italian => "Annulla iscrizione",
        Language::Dutch => "Afmelden",
        Language::Portuguese => "Cancelar subscrição",
        Language::Polish => "Zrezygnuj z subskrypcji",
    }
}
