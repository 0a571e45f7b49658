//! Whether a POST to the unsubscribe address says so: by RFC 8058's one-click body, as a mail program sends it, or by the form
//! of our own page. A body that says something else does nothing.

use cadenza_core::percent;

/// By which way the wish came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    OneClick,
    Form,
}

impl Way {
    pub fn as_str(self) -> &'static str {
        match self {
            Way::OneClick => "one_click",
            Way::Form => "form",
        }
    }
}

/// Reads a body of either form that RFC 8058 §3.2 allows: `application/x-www-form-urlencoded` or `multipart/form-data`. Which
/// it is shows in the body itself, since some relays lose the Content-Type.
pub(super) fn wish(body: &[u8]) -> Option<Way> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with("--") {
        return parts(text).into_iter().find_map(|(name, value)| way(&name, &value));
    }
    text.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        way(&decoded(name), &decoded(value))
    })
}

fn way(name: &str, value: &str) -> Option<Way> {
    if name.eq_ignore_ascii_case("List-Unsubscribe") && value.eq_ignore_ascii_case("One-Click") {
        return Some(Way::OneClick);
    }
    (name == "unsubscribe" && value == "yes").then_some(Way::Form)
}

/// Names and values of `multipart/form-data` (RFC 7578).
fn parts(text: &str) -> Vec<(String, String)> {
    let boundary = text.lines().next().unwrap_or_default().trim_end();
    let mut found = Vec::new();
    for part in text.split(boundary).take(20) {
        let part = part.trim_start_matches(['\r', '\n']);
        let Some((head, value)) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")) else { continue };
        let lower = head.to_ascii_lowercase();
        let Some(at) = lower.find(" name=").map(|at| at + 6) else { continue };
        let name = head[at..].split([';', '\r', '\n']).next().unwrap_or_default().trim().trim_matches('"');
        found.push((name.to_owned(), value.trim().to_owned()));
    }
    found
}

/// As a form encodes it.
fn decoded(text: &str) -> String {
    percent::decoded(&text.trim().replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_one_click_body_and_our_own_form_are_understood() {
        let multipart =
            "--x1\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x1--\r\n";
        for (body, want) in [
            ("List-Unsubscribe=One-Click", Some(Way::OneClick)),
            ("list-unsubscribe=one-click\r\n", Some(Way::OneClick)),
            ("a=b&List%2DUnsubscribe=One-Click", Some(Way::OneClick)),
            (multipart, Some(Way::OneClick)),
            ("unsubscribe=yes", Some(Way::Form)),
            ("", None),
            ("unsubscribe=no", None),
            ("List-Unsubscribe", None),
            ("{\"List-Unsubscribe\": \"One-Click\"}", None),
            ("--", None),
            ("%=%&%zz=%1", None),
        ] {
            assert_eq!(wish(body.as_bytes()), want, "{body:?}");
        }
    }
}
