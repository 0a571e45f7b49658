//! The languages in which Cadenza speaks to recipients, and how one is chosen. What is said in them stands where it is said.

/// A language that recipients are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    #[default]
    English,
    German,
    French,
    Spanish,
    Italian,
    Dutch,
    Portuguese,
    Polish,
}

impl Language {
    pub const ALL: [Language; 8] = [
        Language::English,
        Language::German,
        Language::French,
        Language::Spanish,
        Language::Italian,
        Language::Dutch,
        Language::Portuguese,
        Language::Polish,
    ];

    /// The primary subtag (BCP 47), as in `lang="de"`.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
            Language::Spanish => "es",
            Language::Italian => "it",
            Language::Dutch => "nl",
            Language::Portuguese => "pt",
            Language::Polish => "pl",
        }
    }

    /// Of a tag such as `de`, `de-CH` or `pt_BR`, or of a language's name in English (`German`); `None` for others.
    pub fn named(text: &str) -> Option<Language> {
        let text = text.trim();
        let first = text.split(['-', '_']).next().unwrap_or_default();
        Language::ALL
            .into_iter()
            .find(|l| l.tag().eq_ignore_ascii_case(first) || format!("{l:?}").eq_ignore_ascii_case(text))
    }

    /// The one that an `Accept-Language` header asks for first, among those there are (RFC 9110 §12.5.4).
    pub fn accepted(header: &str) -> Option<Language> {
        let mut best: Option<(u16, Language)> = None;
        for range in header.split(',').take(50) {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Language::named) else { continue };
            let weight = parts.find_map(|p| p.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1_000);
            if weight > 0 && best.is_none_or(|(w, _)| weight > w) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A quality value of at most three decimals; what is none counts as nothing.
fn thousandths(text: &str) -> u16 {
    text.trim().parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_tag_and_by_name() {
        assert_eq!(Language::named("de-CH"), Some(Language::German));
        assert_eq!(Language::named("pt_BR"), Some(Language::Portuguese));
        assert_eq!(Language::named(" dutch "), Some(Language::Dutch));
        assert_eq!(Language::named("tlh"), None);
        assert_eq!(Language::named(""), None);
    }

    #[test]
    fn the_most_wanted_language_there_is_wins() {
        assert_eq!(Language::accepted("tlh, fr;q=0.7, de-AT;q=0.9, en;q=0.8"), Some(Language::German));
        assert_eq!(Language::accepted("es, it"), Some(Language::Spanish), "the first of equals");
        assert_eq!(Language::accepted("pl;q=0, *"), None);
        assert_eq!(Language::accepted("en;q=oops"), None);
    }
}
