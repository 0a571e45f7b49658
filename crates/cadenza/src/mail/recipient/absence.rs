//! The answer of a mail program whose owner is away, in the owner's language.

use super::{NotAnswerable, Original, Pen, answer};
use cadenza_core::calendar::Date;
use cadenza_core::compose::{self, AutoSubmitted, Content};
use cadenza_core::language::Language;

/// Says that the recipient is away, and when back: `back` is the first day of work.
///
/// # Errors
/// As [`super::reply`].
pub fn out_of_office(
    original: &Original,
    back: Option<Date>,
    language: Language,
    pen: Pen<'_>,
) -> Result<Vec<u8>, NotAnswerable> {
    let words = words(language);
    let mut letter = answer(original, &format!("{}: {}", words.subject, original.subject), pen)?;
    letter.headers.auto_submitted = Some(AutoSubmitted::Replied);
    letter.content = Content::Text(match back {
        Some(date) => words.until.replace("{}", &written(date, language)),
        None => words.away.to_owned(),
    });
    // Such answers have no return path, so that nothing answers them (RFC 3834 §3.3).
    let mut raw = b"Return-Path: <>\r\n".to_vec();
    raw.extend_from_slice(&compose::compose(&letter));
    Ok(raw)
}

struct Words {
    subject: &'static str,
    until: &'static str,
    away: &'static str,
    months: [&'static str; 12],
}

/// As people write it in that language.
fn written(date: Date, language: Language) -> String {
    let month = words(language).months[usize::from(date.month().unsigned_abs()) - 1];
    let (day, year) = (date.day(), date.year());
    match language {
        Language::German => format!("{day}. {month} {year}"),
        Language::Spanish | Language::Portuguese => format!("{day} de {month} de {year}"),
        _ => format!("{day} {month} {year}"),
    }
}

#[rustfmt::skip]
fn words(language: Language) -> Words {
    match language {
        Language::English => Words {
            subject: "Automatic reply",
            until: "Thank you for your message. I am out of the office and will be back on {}.",
            away: "Thank you for your message. I am out of the office at the moment.",
            months: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
        },
        Language::German => Words {
            subject: "Automatische Antwort",
            until: "Vielen Dank für Ihre Nachricht. Ich bin nicht im Büro und ab dem {} wieder erreichbar.",
            away: "Vielen Dank für Ihre Nachricht. Ich bin zurzeit nicht im Büro.",
            months: ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        },
        Language::French => Words {
            subject: "Réponse automatique",
            until: "Merci de votre message. Je suis absent du bureau et serai de retour le {}.",
            away: "Merci de votre message. Je suis actuellement absent du bureau.",
            months: ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
        },
        Language::Spanish => Words {
            subject: "Respuesta automática",
            until: "Gracias por su mensaje. Estoy fuera de la oficina y volveré el {}.",
            away: "Gracias por su mensaje. En este momento estoy fuera de la oficina.",
            months: ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
        },
        Language::Italian => Words {
            subject: "Risposta automatica",
            until: "Grazie per il messaggio. Sono fuori ufficio e rientrerò il {}.",
            away: "Grazie per il messaggio. Al momento sono fuori ufficio.",
            months: ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"],
        },
        Language::Dutch => Words {
            subject: "Automatisch antwoord",
            until: "Dank voor uw bericht. Ik ben afwezig en ben op {} weer terug.",
            away: "Dank voor uw bericht. Ik ben op dit moment afwezig.",
            months: ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"],
        },
        Language::Portuguese => Words {
            subject: "Resposta automática",
            until: "Obrigado pela sua mensagem. Estou fora do escritório e regresso no dia {}.",
            away: "Obrigado pela sua mensagem. De momento estou fora do escritório.",
            months: ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"],
        },
        Language::Polish => Words {
            subject: "Odpowiedź automatyczna",
            until: "Dziękuję za wiadomość. Jestem poza biurem i wracam {}.",
            away: "Dziękuję za wiadomość. Obecnie jestem poza biurem.",
            months: ["stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października", "listopada", "grudnia"],
        },
    }
}
