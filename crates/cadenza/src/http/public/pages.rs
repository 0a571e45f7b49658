//! The pages that recipients see, in their language: the question whether to unsubscribe, that it was done, and that a link leads
//! nowhere. They name the workspace and nothing of the recipient.

use crate::http::web::page::html;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::language::Language;

/// Asks; the form's POST acts.
pub(super) fn ask(status: StatusCode, language: Language, sender: &str) -> Response {
    let words = Words::of(language);
    let question = words.question.replace("{}", sender);
    (status, html(&Page { language, title: words.title, text: &question, button: Some(words.button) })).into_response()
}

pub(super) fn done(language: Language, sender: &str) -> Response {
    let words = Words::of(language);
    let text = words.done.replace("{}", sender);
    html(&Page { language, title: words.done_title, text: &text, button: None })
}

pub(super) fn nothing(language: Language) -> Response {
    let words = Words::of(language);
    let page = html(&Page { language, title: words.nothing_title, text: words.nothing, button: None });
    (StatusCode::NOT_FOUND, page).into_response()
}

#[derive(Template)]
#[template(path = "public/page.html")]
struct Page<'a> {
    language: Language,
    title: &'a str,
    text: &'a str,
    button: Option<&'a str>,
}

/// What is said; `{}` is the workspace's name.
struct Words {
    title: &'static str,
    question: &'static str,
    button: &'static str,
    done_title: &'static str,
    done: &'static str,
    nothing_title: &'static str,
    nothing: &'static str,
}

impl Words {
    fn of(language: Language) -> &'static Words {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::French => &FRENCH,
            Language::Spanish => &SPANISH,
            Language::Italian => &ITALIAN,
            Language::Dutch => &DUTCH,
            Language::Portuguese => &PORTUGUESE,
            Language::Polish => &POLISH,
        }
    }
}

const ENGLISH: Words = Words {
    title: "Unsubscribe",
    question: "Do you want no more mail of this kind from {}?",
    button: "Unsubscribe",
    done_title: "You are unsubscribed",
    done: "{} will not send you mail of this kind any more.",
    nothing_title: "This link leads nowhere",
    nothing: "It may have been cut short. To be written to no more, answer the mail and say so.",
};
const GERMAN: Words = Words {
    title: "Abmelden",
    question: "Möchten Sie keine Mails dieser Art mehr von {} erhalten?",
    button: "Abmelden",
    done_title: "Sie sind abgemeldet",
    done: "{} schreibt Ihnen keine Mails dieser Art mehr.",
    nothing_title: "Dieser Link führt nirgendwohin",
    nothing: "Vielleicht wurde er abgeschnitten. Wenn Sie keine Mails mehr möchten, antworten Sie einfach auf die Mail.",
};
const FRENCH: Words = Words {
    title: "Se désabonner",
    question: "Souhaitez-vous ne plus recevoir de messages de ce type de la part de {} ?",
    button: "Se désabonner",
    done_title: "Vous êtes désabonné(e)",
    done: "{} ne vous enverra plus de messages de ce type.",
    nothing_title: "Ce lien ne mène nulle part",
    nothing: "Il a peut-être été coupé. Pour ne plus recevoir de messages, répondez simplement au message.",
};
const SPANISH: Words = Words {
    title: "Darse de baja",
    question: "¿Quiere dejar de recibir correos de este tipo de {}?",
    button: "Darme de baja",
    done_title: "Se ha dado de baja",
    done: "{} no le enviará más correos de este tipo.",
    nothing_title: "Este enlace no lleva a ninguna parte",
    nothing: "Puede que esté incompleto. Si no quiere recibir más correos, responda al mensaje y dígalo.",
};
const ITALIAN: Words = Words {
    title: "Annulla iscrizione",
    question: "Non vuole più ricevere messaggi di questo tipo da {}?",
    button: "Annulla iscrizione",
    done_title: "Iscrizione annullata",
    done: "{} non le invierà più messaggi di questo tipo.",
    nothing_title: "Questo link non porta da nessuna parte",
    nothing: "Forse è incompleto. Per non ricevere più messaggi, risponda al messaggio e lo scriva.",
};
const DUTCH: Words = Words {
    title: "Afmelden",
    question: "Wilt u geen mail van deze soort meer van {} ontvangen?",
    button: "Afmelden",
    done_title: "U bent afgemeld",
    done: "{} stuurt u geen mail van deze soort meer.",
    nothing_title: "Deze link leidt nergens heen",
    nothing: "Misschien is hij afgebroken. Wilt u geen mail meer, beantwoord dan de mail en zeg het.",
};
const PORTUGUESE: Words = Words {
    title: "Cancelar subscrição",
    question: "Deseja deixar de receber mensagens deste tipo de {}?",
    button: "Cancelar subscrição",
    done_title: "Subscrição cancelada",
    done: "{} não lhe enviará mais mensagens deste tipo.",
    nothing_title: "Este link não leva a lado nenhum",
    nothing: "Talvez esteja incompleto. Para não receber mais mensagens, responda à mensagem e diga-o.",
};
const POLISH: Words = Words {
    title: "Rezygnacja z subskrypcji",
    question: "Czy nie chcesz już otrzymywać takich wiadomości od {}?",
    button: "Zrezygnuj",
    done_title: "Zrezygnowano z subskrypcji",
    done: "{} nie będzie już wysyłać takich wiadomości.",
    nothing_title: "Ten link donikąd nie prowadzi",
    nothing: "Może jest niepełny. Jeśli nie chcesz więcej wiadomości, odpowiedz na wiadomość i napisz o tym.",
};
