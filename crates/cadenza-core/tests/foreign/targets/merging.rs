//! Templates and HTML that users write: compiled, expanded, rendered, tracked.

use super::{seeds, text};
use cadenza_core::compose::{
    Body, HeaderText, TrackingFor, Tracks, images_of, leads_to_the_web, links_of, links_of_text, plain_text, track,
};
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::merge::{Escape, Fields, Template, expand, fields_used};
use cadenza_testkit::Target;

pub const TEMPLATE: Target =
    Target { name: "", seeds: || seeds(TEMPLATES), pieces: PIECES, judge: template, cases: 1_000, most_ms: 50 };
pub const PAGE: Target =
    Target { name: "", seeds: || seeds(PAGES), pieces: TAGS, judge: page, cases: 400, most_ms: 100 };

const TEMPLATES: &[&str] = &[
    "Hi {{ contact.first_name }}, how is {{ company.name | default('your company') }}?",
    "{% if contact.title %}As {{ contact.title | lower }}{% else %}Hello{% endif %}, {{ sender.name }}",
    "{% if company.name == 'A' and not contact.city %}{{ custom.years }}{% elif a.b %}{# no #}{% endif %}",
    "{{ snippet.sign }} {{ unsubscribe_url }}\r\n{{ contact.first_name | upper | fallback(\"x\") }}",
    "{% for a in contact %}{{ a }}{% endfor %}{% set x = 1 %}{{ x }}",
    "{% raw %}{{ x }}{% endraw %}{{ 'a' ~ 'b' }}{{ 1 + 2 * (3 // 0) }}{{ [1, 2][5] }}",
];
const PIECES: &[&str] = &[
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{#",
    "#}",
    "{{-",
    "-}}",
    "if ",
    "else",
    "endif",
    "for a in b",
    "range(99999999)",
    "|",
    "default(",
    "'",
    "\"",
    "contact.",
    "snippet.sign",
    "(",
    ")",
    "[",
    "]",
    " * 999999999",
    " ** 999999",
    "not ",
    "is ",
    "~",
    "{%raw%}",
    "macro x()",
];

/// Values that no output may hold as they stand.
const MARKUP: &str = "<zq7> & \"x\"";
const TWO_LINES: &str = "A\r\nBcc: all@example.org";

fn ada() -> Fields {
    let fields = [
        ("contact.first_name", "Ada"),
        ("contact.title", MARKUP),
        ("contact.city", TWO_LINES),
        ("company.name", "A"),
        ("custom.years", "7"),
    ];
    fields.into_iter().fold(Fields::new(), |all, (path, value)| all.with(path, value))
}

/// Rendered or refused; a field that is missing is named; what becomes a header is one line, whatever the values are.
fn template(bytes: &[u8]) {
    let text = text(bytes);
    let snippet = |name: &str| (name == "sign").then_some("Regards {{ sender.name }} {{ snippet.sign }}");
    assert!(fields_used(&text).iter().all(|used| !used.path.is_empty() && used.line >= 1));
    for escape in [Escape::Text, Escape::Html, Escape::Header] {
        let whole = expand(&text, escape, &snippet).unwrap_or_else(|_| text.clone().into_owned());
        let Ok(template) = Template::compile(&whole, escape) else { continue };
        let (missing, rendered) = (template.missing(&ada()), template.render(&ada()));
        assert_eq!(rendered, template.render(&ada()), "rendered twice");
        assert!(missing.is_none() || rendered.is_err(), "{missing:?} is missing in {rendered:?}");
        let Ok(rendered) = rendered else { continue };
        match escape {
            Escape::Header => {
                assert!(!rendered.contains(['\r', '\n', '\0']), "{rendered:?}");
                let header = HeaderText::new(rendered.clone());
                assert!(header.is_ok() || rendered.len() > 4_096, "no header: {rendered:?}");
            }
            // An author may write it; a value may not bring it.
            Escape::Html => assert!(whole.contains("<zq7>") || !rendered.contains("<zq7>"), "{rendered:?}"),
            Escape::Text => {}
        }
    }
}

const PAGES: &[&str] = &[
    "<html><body><p>Hi <a href=\"https://example.org/a?b=1&amp;c=2\">here</a></p></body></html>",
    "<a href='mailto:x@example.org'>x</a><A HREF=https://example.org>y</A><img src=\"https://example.org/i.png\">",
    "<!-- <a href=\"https://no.example\"> --><script>\"<a href='https://no.example'>\"</script><style>a{}</style>",
    "<table><tr><td>1<td>2</table><ul><li>a<li>b</ul><blockquote>c</blockquote>&nbsp;&lt;&#x41;&#99999999;",
    "See https://example.org/a_(b), http://x.example. www.example.org and <https://example.org/c>!",
];
const TAGS: &[&str] = &[
    "<a ",
    "href=",
    "\"",
    "'",
    ">",
    "</a>",
    "<",
    "<!--",
    "-->",
    "<![CDATA[",
    "<script>",
    "</script>",
    "<style>",
    "</body>",
    "&amp;",
    "&#",
    "&#x110000;",
    "https://",
    "http://[",
    "javascript:",
    "<a href=\"https://example.org/",
    "<table>",
    "<td>",
    "<blockquote>",
];

/// Nothing is lost, every link leads where it led or through ours, and no other address is made.
fn page(bytes: &[u8]) {
    let page = text(bytes);
    let how = TrackingFor {
        public_url: "https://c.example",
        key: b"key",
        workspace: WorkspaceId(1),
        enrollment: EnrollmentId(2),
        visit: 3,
        tracks: Tracks { opens: true, clicks: true, unsubscribe: true },
        reads_at: None,
        postal_address: "1 Main Street",
        language: Language::German,
    };
    let _ = (images_of(&page), plain_text(&page));
    assert!(links_of_text(&page).iter().all(|link| !link.address.contains([' ', '\r', '\n', '\0'])));
    let both = track(Body { text: String::new(), html: Some(page.clone().into_owned()) }, &how);
    let html = both.html.unwrap_or_default();
    assert!(html.contains("https://c.example/u/"), "no way to unsubscribe: {html}");
    for link in links_of(&html).iter().filter(|link| leads_to_the_web(&link.address)) {
        let ours = link.address.starts_with("https://c.example/");
        let same = links_of(&page).iter().any(|l| l.address == link.address);
        assert!(ours || same, "{:?} stands in no link of the page", link.address);
    }
    let _ = track(Body { text: page.into_owned(), html: None }, &how);
}
