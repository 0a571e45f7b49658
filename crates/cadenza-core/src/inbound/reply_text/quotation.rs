//! Where a quotation begins, in the ways that mail programs write it, in many languages. Tables first, then the readers.

use crate::inbound::html::QUOTE_MARK;
use crate::inbound::phrases;

/// What a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// So many lines of quotation; fresh text may follow.
    Lines(usize),
    /// Everything from here on.
    Rest,
}

/// "wrote", as it stands in the line above a quotation.
#[rustfmt::skip]
const WROTE: &[&str] = &[
    "wrote", "writes", "schrieb", "geschrieben", "a écrit", "a ecrit", "écrivait", "écrit", "escribió", "escribio",
    "escreveu", "ha scritto", "scrisse", "schreef", "skrev", "skreiv", "kirjoitti", "napisał", "napisała",
    "napisał(a)", "pisze", "napsal", "napsal(a)", "napísal", "napísal(a)", "написал", "написала", "написал(a)",
    "написал(а)", "пишет", "писал", "написав", "пише", "yazdı", "yazmış", "έγραψε", "a scris", "írta", "ezt írta",
    "je napisao", "je napisal", "rašė", "kirjutas", "rakstīja", "написа", "đã viết", "menulis", "ha escrit",
];
/// The same in scripts that put no blanks between words.
#[rustfmt::skip]
const WROTE_CJK: &[&str] = &[
    "写道", "寫道", "書きました", "のメール", "작성", "님이 작성", "כתב", "כתבה", "كتب", "เขียน", "написано", "のメッセージ",
];

/// Separators that stand on a line of their own between dashes, in lower case.
#[rustfmt::skip]
const SEPARATORS: &[&str] = &[
    "original message", "original-nachricht", "ursprüngliche nachricht", "originalnachricht", "message d'origine",
    "message original", "message initial", "message transféré", "mensaje original", "mensaje reenviado",
    "mensagem original", "mensagem encaminhada", "messaggio originale", "messaggio inoltrato",
    "oorspronkelijk bericht", "origineel bericht", "doorgestuurd bericht", "originalmeddelande",
    "ursprungligt meddelande", "ursprungsmeddelande", "vidarebefordrat meddelande", "oprindelig meddelelse",
    "opprinnelig melding", "videresendt melding", "videresendt meddelelse", "alkuperäinen viesti", "välitetty viesti",
    "oryginalna wiadomość", "wiadomość oryginalna", "wiadomość przekazana", "wiadomość oryginalną", "původní zpráva",
    "pôvodná správa", "исходное сообщение", "исходное письмо", "пересылаемое сообщение", "оригінальне повідомлення",
    "eredeti üzenet", "orijinal mesaj", "özgün ileti", "αρχικό μήνυμα", "mesaj original", "mesajul original", "原始邮件",
    "邮件原件", "原始郵件", "元のメッセージ", "원본 메시지", "원본 메일", "forwarded message", "weitergeleitete nachricht", "reply message",
];
/// Lines that announce a quotation without dashes, in lower case, as beginnings.
#[rustfmt::skip]
const ANNOUNCEMENTS: &[&str] = &[
    "begin forwarded message:", "début du message réexpédié", "anfang der weitergeleiteten nachricht",
    "inicio del mensaje reenviado", "inizio messaggio inoltrato", "início da mensagem encaminhada",
    "please reply above this line", "##- please type your reply above", "--- reply above this line",
    "reply above this line", "-- please reply above this line --", "reply to this email directly or view it on",
];

/// The labels of a quoted header, in lower case, by what they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    Date,
    To,
    Subject,
    More,
}
#[rustfmt::skip]
const LABELS: [(Label, &[&str]); 5] = [
    (Label::From, &["from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "от", "від", "kimden",
        "gönderen", "feladó", "de la", "από", "发件人", "寄件者", "差出人", "보낸 사람", "보낸사람", "dari", "từ", "מאת", "من",
        "saatja", "nuo", "expéditeur", "afsender",
        "avsändare", "absender", "mittente", "remitente", "remetente", "afzender", "frá"]),
    (Label::Date, &["sent", "date", "gesendet", "gesendet am", "datum", "envoyé", "envoyé le", "envoyé", "enviado",
        "enviado el", "enviado em", "enviada em", "enviada", "fecha", "data", "inviato", "verzonden", "skickat",
        "sendt", "dato", "lähetetty", "päivämäärä", "päiväys", "wysłano", "wysłane", "data wysłania", "odesláno",
        "odoslané", "отправлено", "дата", "надіслано", "gönderildi", "gönderme tarihi", "tarih", "elküldve", "dátum",
        "trimis", "εστάλη", "ημερομηνία", "στάλθηκε", "发送时间", "发送日期", "日期", "寄件日期", "送信日時", "日付",
        "보낸 날짜", "날짜", "dikirim", "tanggal", "נשלח", "تاريخ", "saadetud", "poslano", "πότε"]),
    (Label::To, &["to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "dla", "кому",
        "kime", "alıcı", "címzett", "către", "προς", "收件人", "收件者", "宛先", "받는 사람", "받는사람", "kepada", "đến", "אל",
        "إلى", "kam", "destinataire", "destinatario",
        "empfänger", "per", "til:"]),
    (Label::Subject, &["subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "ämne", "emne",
        "aihe", "temat", "předmět", "predmet", "тема", "konu", "tárgy", "subiect", "θέμα", "主题", "主旨", "件名", "제목",
        "perihal", "subjek", "chủ đề", "נושא", "الموضوع",
        "teema", "tema", "sujet", "subj"]),
    (Label::More, &["cc", "kopie", "kopia", "copie", "reply-to", "bcc", "ccc", "antwort an", "répondre à", "копия",
        "抄送", "副本", "importance",
        "priority", "wichtigkeit", "attachments", "organization"]),
];
/// The longest attribution, in lines and in bytes.
const ATTRIBUTION_LINES: usize = 6;
const ATTRIBUTION_MAX: usize = 500;
/// A line must be longer to have been wrapped, in characters.
const WRAPPED_MIN: usize = 60;

/// A line with what is asked of it again and again.
struct Line<'t> {
    text: &'t str,
    /// Without quotation marks and blanks around it.
    bare: &'t str,
    /// The same in lower case.
    lower: String,
    label: Option<Label>,
    /// Whether an attribution may end with it.
    may_close: bool,
    quoted: bool,
}

/// Marks that turn the direction of writing, as Hebrew and Arabic programs put around names and dates.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The lines of a text, looked at once.
pub(super) struct Lines<'t> {
    all: Vec<Line<'t>>,
}

impl<'t> Lines<'t> {
    pub fn new(lines: &[&'t str]) -> Lines<'t> {
        let all = lines.iter().map(|text| {
            let bare = unquote(text);
            let lower = phrases::head(bare, ATTRIBUTION_MAX).to_lowercase();
            let lower: String = lower.chars().filter(|c| !is_direction_mark(*c)).collect();
            let end = lower.trim_end_matches([' ', '\u{a0}', '*', '_']);
            let may_close = end.ends_with([':', '：', '>']) || WROTE.iter().any(|w| end.ends_with(w));
            Line { text, bare, label: label(bare), may_close, quoted: is_quoted_line(text), lower }
        });
        Lines { all: all.collect() }
    }

    /// Whether a quotation begins at line `at`, and how far it goes.
    pub fn quoted(&self, at: usize) -> Option<Quoted> {
        let line = self.all.get(at)?;
        if line.text == QUOTE_MARK {
            return Some(Quoted::Rest);
        }
        if line.bare.is_empty() && !line.quoted {
            return None;
        }
        let fenced = is_rule(line.bare) || (line.bare.starts_with("---") && line.bare.ends_with("---"));
        if is_separator(line) || (fenced && self.header_follows(at + 1)) || self.is_header(at) {
            return Some(Quoted::Rest);
        }
        if let Some(n) = self.attribution(at) {
            let next = (at + n..self.all.len()).take(20).find(|i| !self.all[*i].text.trim().is_empty());
            return Some(match next {
                Some(next) if self.all[next].quoted => Quoted::Lines(next - at + self.quoted_run(next)),
                _ => Quoted::Rest,
            });
        }
        line.quoted.then(|| Quoted::Lines(self.quoted_run(at)))
    }

    /// How many lines of header a quotation opens with: separator and fields, up to the blank line.
    pub fn header_len(&self, at: usize) -> usize {
        let lines = &self.all[at..];
        let fields = lines.iter().take(20).position(|l| l.label.is_some()).unwrap_or(0);
        let blank = lines.iter().skip(fields).take(20).position(|l| l.text.trim().is_empty());
        (fields + blank.unwrap_or(1)).max(1)
    }

    /// How many lines of quotation follow, blank lines between them included.
    fn quoted_run(&self, from: usize) -> usize {
        let mut end = from;
        for (at, line) in self.all.iter().enumerate().skip(from) {
            let quoted = |i: usize| self.all.get(i).is_some_and(|l| l.quoted);
            // The end of a long quoted line, wrapped on its way without a mark.
            let wrapped =
                || at > from && quoted(at - 1) && quoted(at + 1) && self.all[at - 1].text.chars().count() > WRAPPED_MIN;
            let blank = line.text.trim().is_empty();
            if line.quoted || (!blank && wrapped()) {
                end = at + 1;
            } else if !blank {
                break;
            }
        }
        end - from
    }

    fn header_follows(&self, from: usize) -> bool {
        let next = (from..self.all.len().min(from + 4)).find(|i| !self.all[*i].text.trim().is_empty());
        next.is_some_and(|i| self.is_header(i))
    }

    /// A quoted header: a line that names sender or date, and at least two more fields close by.
    fn is_header(&self, at: usize) -> bool {
        let Some(first) = self.all[at].label.filter(|l| !matches!(l, Label::More)) else { return false };
        let mut seen = vec![first];
        let mut other = 0;
        for line in self.all.iter().skip(at + 1).take(12).filter(|l| !l.bare.is_empty()) {
            match line.label {
                Some(l) if !seen.contains(&l) => seen.push(l),
                Some(_) => (),
                None => other += 1,
            }
            if other > 2 {
                break;
            }
        }
        let told = seen.iter().filter(|l| !matches!(l, Label::More)).count();
        told >= 3 && seen.contains(&Label::From)
    }

    /// The number of lines of an attribution ("On Monday, Ann wrote:") that begins at `at`.
    fn attribution(&self, at: usize) -> Option<usize> {
        let used = self.attribution_from(at)?;
        // Where a later line alone is one too, this line belongs to the text above, unless it opens with a date.
        let opens = starts_with_date(&self.all[at].lower);
        let later = || (at + 1..at + used).any(|i| self.attribution_from(i) == Some(at + used - i));
        (opens || !later()).then_some(used)
    }

    fn attribution_from(&self, at: usize) -> Option<usize> {
        let window = &self.all[at..self.all.len().min(at + ATTRIBUTION_LINES)];
        let mut text = String::new();
        let mut blanks = 0;
        for (used, line) in window.iter().enumerate().take_while(|_| window.iter().any(|l| l.may_close)) {
            if line.bare.is_empty() {
                blanks += 1;
                if blanks > 1 || used == 0 || !text.contains(|c: char| c.is_ascii_digit()) {
                    return None;
                }
                continue;
            }
            if used > 0 && line.label.is_some() && self.is_header(at + used) {
                return None;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&line.lower);
            if text.len() > ATTRIBUTION_MAX {
                return None;
            }
            if line.may_close && is_attribution(&text) {
                // "… <ann@example.com>" may go on with "wrote:" on the next line.
                let next = self.all.get(at + used + 1).map_or("", |l| l.lower.as_str());
                let more = !next.is_empty() && next.len() < 40 && next.ends_with(':') && has_wrote(next);
                return Some(used + 1 + usize::from(more));
            }
        }
        None
    }
}

fn is_quoted_line(line: &str) -> bool {
    let line = line.trim_start_matches(' ');
    line.starts_with('>') || line.starts_with("|>") || line.starts_with("| ") || line == "|"
}

/// The line without quotation marks and blanks before it.
fn unquote(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace()).trim_end()
}

fn is_separator(line: &Line<'_>) -> bool {
    let lower = line.lower.replace('’', "'");
    if ANNOUNCEMENTS.iter().any(|a| lower.starts_with(a)) {
        return true;
    }
    if lower.len() > 120 {
        return false;
    }
    let dashes = |c: char| matches!(c, '-' | '_' | '*' | '=' | '—' | '–' | '─' | '+' | ':' | ' ');
    let fenced = lower.starts_with(['-', '_', '*', '=', '—', '–', '─', '+']);
    let inner = lower.trim_matches(dashes);
    fenced && SEPARATORS.iter().any(|s| inner.starts_with(s))
}

/// A line of underscores or dashes, as Outlook puts above the quoted header.
fn is_rule(line: &str) -> bool {
    line.chars().count() >= 5 && line.chars().all(|c| matches!(c, '_' | '-' | '─' | '=' | '*'))
}

/// The field that a line of a quoted header names.
fn label(bare: &str) -> Option<Label> {
    let bare = bare.trim_start_matches(['*', '_', '|', ' ']);
    let head: String = bare.chars().take(24).collect();
    let colon = head.find([':', '：'])?;
    let name = head[..colon].trim_matches(['*', '_', ' ', '\u{a0}']).to_lowercase();
    if name.is_empty() || bare.chars().count() < 4 {
        return None;
    }
    LABELS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(label, _)| *label)
}

fn is_attribution(lower: &str) -> bool {
    let end = lower.trim_end_matches([' ', '\u{a0}', '*', '_']);
    let closed = end.ends_with([':', '：']);
    let dated = lower.chars().any(|c| c.is_ascii_digit());
    let address = lower.contains('@');
    // The long tables last: a mail may have thousands of lines that end like this.
    if !dated && !address {
        return false;
    }
    if closed && has_wrote(end) {
        return true;
    }
    // "2026/7/20 Ann <ann@example.com>", with or without a colon: a date first and an address last.
    let starts_dated = end.split_whitespace().take(4).any(|w| w.chars().any(|c| c.is_ascii_digit()));
    let bare = end.trim_end_matches([':', '：', ' ']);
    let timed = has_year(lower) || has_clock(lower);
    if starts_dated && timed && address && bare.ends_with('>') && lower.len() < 250 {
        return starts_with_date(end);
    }
    // A colon may be missing after the word.
    dated && timed && WROTE.iter().any(|w| end.ends_with(w)) && lower.len() < 250
}

/// Whether a word for "wrote" stands in the text as a word of its own.
fn has_wrote(lower: &str) -> bool {
    let bounded = |word: &str| {
        lower.match_indices(word).any(|(i, _)| {
            let before = lower[..i].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let after = lower[i + word.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
            before && after
        })
    };
    WROTE.iter().any(|w| bounded(w)) || WROTE_CJK.iter().any(|w| lower.contains(w))
}

/// A day, weekday or year stands at the start, after at most one short word ("On", "Am", "W dniu").
fn starts_with_date(lower: &str) -> bool {
    let digit_at = lower.find(|c: char| c.is_ascii_digit()).unwrap_or(usize::MAX);
    let words_before = lower.get(..digit_at.min(lower.len())).map_or(0, |head| head.split_whitespace().count());
    digit_at < 40 && words_before <= 3
}

fn has_year(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|n| n.len() == 4 && (n.starts_with("19") || n.starts_with("20")))
}

fn has_clock(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .windows(4)
        .any(|w| w[0].is_ascii_digit() && matches!(w[1], b':' | b'.') && w[2].is_ascii_digit() && w[3].is_ascii_digit())
}
