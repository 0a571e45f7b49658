//! Templates and HTML that users write: compiled, expanded, rendered, tracked.

use crate::mutate::{Dice, hold, within};
use cadenza_core::compose::{Body, TrackingFor, Tracks, images_of, links_of, links_of_text, plain_text, track};
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::merge::{Escape, Fields, Template, expand, fields_used};

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

fn ada() -> Fields {
    let fields = [
        ("contact.first_name", "Ada"),
        ("contact.title", "<CTO> & \"x\""),
        ("company.name", "A"),
        ("custom.years", "7"),
    ];
    fields.into_iter().fold(Fields::new(), |all, (path, value)| all.with(path, value))
}

#[test]
fn templates_are_read_or_refused() {
    let snippet = |name: &str| (name == "sign").then_some("Regards {{ sender.name }} {{ snippet.sign }}");
    let make = |dice: &mut Dice| dice.bent_text(TEMPLATES, PIECES);
    hold(1_000, within(50), make, |text| {
        let _ = fields_used(text);
        for escape in [Escape::Text, Escape::Html, Escape::Header] {
            let whole = expand(text, escape, &snippet).unwrap_or_else(|_| text.clone());
            let Ok(template) = Template::compile(&whole, escape) else { continue };
            let _ = template.missing(&ada());
            if let Ok(rendered) = template.render(&ada()) {
                assert!(escape != Escape::Header || !rendered.contains(['\r', '\n', '\0']), "{rendered:?}");
            }
        }
    });
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

#[test]
fn pages_are_tracked_whatever_they_hold() {
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
    let make = |dice: &mut Dice| dice.bent_text(PAGES, TAGS);
    hold(400, within(100), make, |page| {
        let _ = (links_of(page), images_of(page), links_of_text(page), plain_text(page));
        let both = track(Body { text: String::new(), html: Some(page.clone()) }, &how);
        assert!(both.html.is_some_and(|html| html.contains("/u/") || html.contains("https://c.example")));
        let _ = track(Body { text: page.clone(), html: None }, &how);
    });
}
