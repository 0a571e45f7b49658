//! Where a signature begins: the delimiter of RFC 3676 and the lines that mail programs add by themselves.

/// How far from the end a mobile program's own line may stand, in lines.
const TAIL: usize = 6;

/// Beginnings of the line that a mail program adds, in lower case.
#[rustfmt::skip]
const SENT_FROM: &[&str] = &[
    "sent from my", "sent from ", "sent via ", "sent with ", "sent using", "get outlook for", "get the outlook app",
    "von meinem", "von meiner", "gesendet von", "gesendet mit", "diese nachricht wurde von mein", "envoyé de mon",
    "envoyé depuis", "envoyé à partir", "enviado desde", "enviado do meu", "enviado de mi", "enviado a partir",
    "enviado com", "inviato da", "verzonden vanaf", "verzonden met", "verstuurd vanaf", "skickat från", "sendt fra",
    "sendt fra min", "lähetetty ", "wysłane z", "wysłano z", "odesláno z", "отправлено с", "отправлено из",
    "надіслано з", "iphone'umdan gönderildi", "küldve a", "trimis de pe", "发自我的", "從我的", "iphoneから送信",
    "나의 iphone에서 보냄", "mobil gesendet",
];

/// The lines before the signature.
pub(super) fn cut<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let says_something = |lines: &[&str]| lines.iter().any(|l| !l.trim().is_empty());
    let delimiter = lines.iter().position(|l| is_delimiter(l)).filter(|at| says_something(&lines[..*at]));
    let lines = &lines[..delimiter.unwrap_or(lines.len())];
    let last = lines.iter().rposition(|l| !l.trim().is_empty()).map_or(0, |i| i + 1);
    let sent_from = (last.saturating_sub(TAIL)..last).find(|i| is_sent_from(lines[*i]));
    let end = sent_from.filter(|at| says_something(&lines[..*at]));
    &lines[..end.unwrap_or(lines.len())]
}

fn is_delimiter(line: &str) -> bool {
    matches!(line.trim_end(), "--" | "---" | "—" | "__" | "___" | "-- \u{a0}" | "– –")
        || (line.len() >= 5 && line.trim().chars().all(|c| c == '_'))
}

fn is_sent_from(line: &str) -> bool {
    let lower = line.trim().trim_start_matches(['*', '_', '[', '-', ' ']).to_lowercase();
    lower.chars().count() <= 120 && SENT_FROM.iter().any(|s| lower.starts_with(s))
}
