//! A person's written wish not to be written to any more, in the fresh text or the subject, in several languages.
//! The quoted mail's own unsubscribe footer never counts, since only fresh text is looked at.

use super::mail::Mail;

use super::phrases::{Phrases, fold, head};
use super::verdict::Evidence;

/// How much of the fresh text is looked at, in bytes.
const TEXT_MAX: usize = 4_096;
/// A text of at most so many bytes may be one of [`WHOLE`].
const WHOLE_MAX: usize = 40;

/// Texts and subjects that say it by themselves.
#[rustfmt::skip]
const WHOLE: &[&str] = &[
    "unsubscribe", "unsubscribe me", "unsubscribe please", "please unsubscribe", "stop", "stop it", "please stop",
    "stop please", "stop emailing me", "remove", "remove me", "please remove", "please remove me", "remove please",
    "take me off", "opt out", "opt-out", "optout", "no more emails", "no more", "leave me alone",
    "not interested, please remove me", "abmelden", "abbestellen", "austragen", "bitte abmelden", "bitte austragen",
    "désinscription", "me désinscrire", "désabonner", "désinscrire", "desabonnement", "baja", "darme de baja",
    "de baja", "descadastrar", "cancellami", "cancellazione", "disiscrivimi", "afmelden", "uitschrijven", "avsluta",
    "avregistrera", "afmeld", "avmeld", "wypisz", "odhlásit", "отписаться",
];
/// Wishes within a longer text.
#[rustfmt::skip]
static WISHES: Phrases = Phrases::new(&[
    "unsubscribe me", "please unsubscribe", "want to unsubscribe", "like to unsubscribe", "wish to unsubscribe",
    "remove me from", "remove…from your list", "remove…from your mailing", "remove…from your database",
    "remove…from this list", "delete…from your list", "delete…from your database", "off this list", "opt out of your",
    "opt out of these", "opt out of this list", "opt-out from", "please remove me", "remove my email",
    "remove my name", "remove my address", "remove us from", "remove this email", "take me off", "take my name off",
    "take us off", "delete me from", "delete my email", "delete my data", "delete my details", "stop emailing",
    "stop e-mailing", "stop mailing", "stop contacting", "stop writing", "stop sending me", "stop sending us",
    "stop sending these", "stop sending this", "stop sending your", "stop sending email", "stop sending mail",
    "stop spamming", "stop these emails", "do not contact me", "don't contact me", "do not email me",
    "don't email me", "do not write to me", "don't write to me", "not contact me again", "no longer wish to receive",
    "no longer want to receive", "not wish to receive", "don't want to receive", "do not want to receive",
    "don't want any more", "do not send me", "don't send me", "never contact me", "never email me", "opt me out",
    "like to opt out", "want to opt out", "cease all contact", "cease contact", "off your list",
    "off your mailing list", "very much like it if you went away", "leave me alone", "bitte abmelden",
    "melden sie mich ab", "aus ihrem verteiler", "aus dem verteiler", "keine weiteren e-mails",
    "keine weiteren mails", "keine e-mails mehr", "keine mails mehr", "nicht mehr kontaktieren",
    "nicht mehr anschreiben", "kontaktieren sie mich nicht", "löschen sie meine", "von ihrer liste",
    "nehmen sie mich aus", "me désinscrire", "désinscrivez-moi", "désabonner", "retirez-moi de", "ne plus recevoir",
    "ne plus me contacter", "ne me contactez plus", "arrêtez de m'", "supprimez mon adresse", "supprimez-moi",
    "de votre liste", "darme de baja", "denme de baja", "deme de baja", "no me contacten", "no me contacte",
    "no quiero recibir", "no deseo recibir", "dejen de enviar", "deje de enviar", "elimíneme de", "bórrenme de",
    "não quero receber", "não quero mais receber", "remova meu", "me remova da", "pare de enviar", "não me contate",
    "non voglio ricevere", "non desidero ricevere", "cancellatemi", "rimuovetemi", "non contattatemi", "smettete di",
]);
#[rustfmt::skip]
static MORE_WISHES: Phrases = Phrases::new(&[
    "ne souhaite plus", "ne veux plus recevoir", "ne désire plus", "ne voulons plus recevoir", "désabonnez",
    "désinscrivez", "graag uitschrijven", "mij uitschrijven", "me uitschrijven", "afmeld mig", "avmeld meg",
    "meld meg av", "vill inte få fler", "töröljenek", "töröljön", "leiratkoz", "ne írjanak", "ne küldjenek",
    "dezabon", "nu mai doresc", "ștergeți-mă", "nu îmi mai", "listenizden çıkar", "listeden çıkar", "abonelikten çık",
    "mail göndermeyin", "διαγράψτε με", "διαγραφή από", "μη μου στέλνετε", "配信を停止", "送らないで", "送信しないで", "連絡しないで",
    "メールは不要", "不要再给我", "不要再發", "不要再发", "请勿再", "取消订阅", "別再寄", "수신 거부", "수신거부", "보내지 마", "не пишіть", "відпишіть",
    "отпишете ме", "odjavite me", "הסירו אותי", "הסר אותי", "إلغاء الاشتراك", "schrijf mij uit", "schrijf me uit",
    "niet meer ontvangen", "geen mails meer", "geen e-mails meer", "haal mij van", "neem geen contact meer",
    "ta bort mig", "sluta skicka", "sluta maila", "vill inte ha fler", "avregistrera mig", "fjern mig", "fjern meg",
    "stop med at sende", "slutt å sende", "ikke kontakt meg", "kontakt mig ikke", "poistakaa minut",
    "älkää lähettäkö", "poista minut", "proszę o usunięcie", "proszę mnie usunąć", "proszę mnie wypisać",
    "nie życzę sobie", "proszę nie pisać", "odhlaste mě", "nepište mi", "nepřeji si", "отпишите меня",
    "не пишите мне", "удалите меня", "配信停止", "退订",
]);
/// What turns such words into something else.
#[rustfmt::skip]
static NOT_MEANT: Phrases = Phrases::new(&[
    "how do i unsubscribe", "how to unsubscribe", "don't unsubscribe", "do not unsubscribe",
    "don't want to unsubscribe", "unsubscribe link", "unsubscribe button", "don't remove me", "do not remove me",
    "before i unsubscribe", "unsubscribe feature", "unsubscribe rate",
]);

/// The evidence, if the whole subject is such a wish. Mail programs write so when their unsubscribe button is pressed, over
/// a text of their own.
pub(super) fn by_subject(mail: &Mail<'_>) -> Option<Evidence> {
    whole(&fold(&mail.subject)).map(|word| Evidence::new("opt_out.whole", "subject", word))
}

/// The evidence, if the person asks not to be written to any more.
pub(super) fn find(mail: &Mail<'_>) -> Option<Evidence> {
    if let Some(found) = by_subject(mail) {
        return Some(found);
    }
    in_words(&mail.fresh)
}

/// The same for words alone, as of a text message.
pub(super) fn in_words(fresh: &str) -> Option<Evidence> {
    let text = fold(head(fresh, TEXT_MAX));
    if let Some(word) = text_lines(fresh).find_map(|line| whole(&fold(line))) {
        return Some(Evidence::new("opt_out.whole", "text", word));
    }
    if NOT_MEANT.first(&text).is_some() {
        return None;
    }
    let wish = WISHES.first(&text).or_else(|| MORE_WISHES.first(&text))?;
    Some(Evidence::new("opt_out.wish", "text", wish))
}

/// The first line that says something, and the text as one line if it is short.
fn text_lines(fresh: &str) -> impl Iterator<Item = &str> {
    let first = fresh.lines().map(str::trim).find(|l| !l.is_empty());
    let whole = Some(fresh.trim()).filter(|t| t.len() <= WHOLE_MAX);
    first.into_iter().chain(whole)
}

fn whole(folded: &str) -> Option<&'static str> {
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
    WHOLE.iter().copied().find(|w| *w == bare)
}
