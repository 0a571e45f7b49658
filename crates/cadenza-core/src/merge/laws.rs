//! What holds of every template: the two ways of rendering agree, nothing outside the fields is reached, cost is bounded.

use super::*;
use proptest::prelude::*;

fn ada() -> Fields {
    Fields::new()
        .with("contact.first_name", "Ada")
        .with("contact.last_name", "Lovelace & Sons")
        .with("contact.email", "ada@example.org")
        .with("company.name", "<Analytical \"Engines\">")
        .with("sender.name", "Grace O'Hopper")
        .with("custom.years", "12")
        .with("custom.start", "2027-03-01")
        .with("unsubscribe_url", "https://go.example/u/1?a=b&c=d")
}

fn render(text: &str, escape: Escape) -> Result<String, MergeError> {
    Template::compile(text, escape)?.render(&ada())
}
fn text(template: &str) -> String {
    render(template, Escape::Text).unwrap()
}
fn wrong(template: &str) -> String {
    render(template, Escape::Text).unwrap_err().to_string()
}

#[test]
fn fields_fallbacks_and_filters() {
    assert_eq!(text("Hi {{ contact.first_name }},\n"), "Hi Ada,\n");
    assert_eq!(text("Hi {{ contact.title | default(\"there\") }}!"), "Hi there!");
    assert_eq!(text("Hi {{ contact.title|fallback('there')|upper }}!"), "Hi THERE!");
    assert_eq!(text("{{ contact.title | default(contact.first_name) }}"), "Ada");
    assert_eq!(text("{{ contact.title or \"you\" }}"), "you");
    assert_eq!(text("{{ contact.title | upper | default('x') }}"), "x");
    assert_eq!(text("a{{ contact.title | default(\"\") }}b"), "ab");
    assert_eq!(text("{{ contact.last_name | first | lower }} {{ contact.last_name | last | upper }}"), "lovelace SONS");
    assert_eq!(text("{{ 'anna-lena von der heide' | title }}"), "Anna-Lena Von Der Heide");
    assert_eq!(text("{{ contact.last_name | truncate(8) }}"), "Lovelace…");
    assert_eq!(text("{{ contact.email | replace('@', ' at ') }}"), "ada at example.org");
    assert_eq!(text("{{ custom.start | date }} / {{ custom.start | date('%Y') }}"), "1 March 2027 / 2027");
    assert_eq!(text("{% if custom.years | int >= 10 %}senior{% else %}junior{% endif %}"), "senior");
    assert_eq!(text("{% if contact.title %}as {{ contact.title }} {% endif %}you"), "you");
    assert_eq!(text("{% if contact.title is defined %}a{% elif company.name %}b{% endif %}"), "b");
    assert_eq!(text("{{ contact.title if contact.title else 'you' }}"), "you");
    assert_eq!(text("x {#- a remark -#} y"), "xy");
}

#[test]
fn a_field_without_value_and_fallback_stops_the_message_and_is_named() {
    for (template, field) in [
        ("Hi {{ contact.title }},", "contact.title"),
        ("Hi {{ contact.title | upper }},", "contact.title"),
        ("{% if contact.first_name %}{{ company.industry }}{% endif %}", "company.industry"),
        ("{{ weather }}", "weather"),
        ("{{ weather.today }}", "weather"),
        ("{{ contact.nickname | default(contact.title) }}", "contact.title"),
        ("{{ contact.first_name | replace('Ada', '') }}", "contact.first_name"),
    ] {
        assert_eq!(render(template, Escape::Text), Err(MergeError::MissingField { field: field.into() }), "{template}");
        let compiled = Template::compile(template, Escape::Text).unwrap();
        assert_eq!(compiled.missing(&ada()).as_deref(), Some(field), "{template}");
    }
}

#[test]
fn html_is_escaped_and_headers_take_no_line_breaks() {
    let html = render("<b title=\"{{ contact.last_name }}\">{{ company.name }}</b>", Escape::Html).unwrap();
    assert_eq!(html, "<b title=\"Lovelace &amp; Sons\">&lt;Analytical &quot;Engines&quot;&gt;</b>");
    let html = render("{% if sender.name %}{{ sender.name | upper }}{% endif %}", Escape::Html).unwrap();
    assert_eq!(html, "GRACE O&#39;HOPPER");
    for evil in ["Ada\r\nBcc: all@example.org", "Ada\nx", "Ada\0", "Ada\u{85}x"] {
        let fields = Fields::new().with("contact.first_name", evil);
        let subject = Template::compile("Hello {{ contact.first_name }}", Escape::Header).unwrap();
        let error = subject.render(&fields).unwrap_err();
        assert_eq!(error, MergeError::ControlInHeader { field: Some("contact.first_name".into()) });
    }
    let two_lines = Template::compile("Hello\nyou", Escape::Header).unwrap().render(&ada());
    assert_eq!(two_lines, Err(MergeError::ControlInHeader { field: None }));
}

#[test]
fn what_is_not_admitted_says_what_would_be() {
    assert_eq!(
        wrong("one\n{% for x in contact %}{% endfor %}"),
        "line 2: {% for x in contact %} is not possible here: expected if, elif, else or endif"
    );
    assert!(wrong("{{ contact.first_name | uper }}").contains("did you mean \"upper\"?"));
    assert_eq!(wrong("Hi {{ contact.first_name"), "line 1: {{ is never closed: expected }}");
    assert_eq!(wrong("{{ 'x }}"), "line 1: a text that begins with ' is never closed");
    assert!(wrong("{{ contact }}").contains("only a single field can be printed"));
    assert!(wrong("{{ contact | upper }}").contains("only a single field can be printed"));
    assert!(wrong("{{ }}").contains("is empty: expected a field"));
    assert!(wrong("{{ contact.first_name.upper() }}").contains("nothing can be called"));
    assert!(wrong("{{ 2 * 3 }}").contains("'*' is not possible here"));
    assert!(wrong("{{ contact['first_name'] }}").contains("'[' is not possible here"));
    assert!(wrong("{{ contact.first_name is sameas }}").contains("expected is defined"));
    assert!(wrong("{% if contact.first_name %}x").starts_with("line 1:"));
    assert!(wrong("{{ contact.first_name | date }}").contains("\"Ada\" is not a date such as 2027-03-01"));
    assert!(wrong("{{ contact.first_name | int }}").contains("\"Ada\" is not a whole number"));
    assert!(wrong("{{ custom.start | date('%999Y') }}").contains("not a pattern for dates"));
}

#[test]
fn uses_know_what_can_be_done_without() {
    let template = "{{ contact.first_name }} {{ contact.title | trim | default('x') }} {{ company.city or 'here' }}\n\
                    {% if contact.city %}in {{ contact.city }} of {{ contact.country }}{% endif %}{{ contact.region }}";
    let found: Vec<(String, bool, usize)> =
        fields_used(template).into_iter().map(|u| (u.path, u.has_fallback, u.line)).collect();
    let expected = [
        ("contact.first_name", false, 1),
        ("contact.title", true, 1),
        ("company.city", true, 1),
        ("contact.city", true, 2),
        ("contact.country", false, 2),
        ("contact.region", false, 2),
    ];
    assert_eq!(found, expected.map(|(p, f, l)| (p.to_owned(), f, l)));
}

#[test]
fn snippets_hold_fields_and_are_escaped_in_html() {
    let snippets = |name: &str| match name {
        "bye" => Some("Best & kind\n{{ sender.name }}\n"),
        "outer" => Some("-- {{ snippet.bye }}"),
        "knot" => Some("{{ snippet.knot }}"),
        "broken" => Some("ok\n{{ x"),
        _ => None,
    };
    assert_eq!(
        expand("A\n{{ snippet.outer }}", Escape::Text, &snippets).unwrap(),
        "A\n-- Best & kind\n{{ sender.name }}"
    );
    assert_eq!(
        expand("<p>{{ snippet.bye }}", Escape::Html, &snippets).unwrap(),
        "<p>Best &amp; kind<br>\n{{ sender.name }}"
    );
    let error = expand("{{ snippet.knot }}", Escape::Text, &snippets).unwrap_err().to_string();
    assert!(error.contains("snippet \"knot\" stands in itself"), "{error}");
    let error = expand("x\n{{ snippet.broken }}", Escape::Text, &snippets).unwrap_err().to_string();
    assert_eq!(error, "line 2: in snippet \"broken\", line 2: {{ is never closed: expected }}");
    let unknown = expand("{{ snippet.gone }}", Escape::Text, &snippets).unwrap();
    assert_eq!(render(&unknown, Escape::Text), Err(MergeError::MissingField { field: "snippet.gone".into() }));
}

#[test]
fn cost_is_bounded() {
    let long = "x".repeat(SOURCE_MAX + 1);
    assert_eq!(render(&long, Escape::Text), Err(MergeError::TooLong { bytes: SOURCE_MAX + 1 }));
    // Many tags: the engine runs dry.
    let many = "{{ contact.first_name | upper }}".repeat(5_000);
    assert_eq!(render(&many, Escape::Text), Err(MergeError::TooExpensive));
    // A value that grows tenfold with every filter.
    let growing = format!("{{{{ 'a'{} }}}}", " | replace('a', 'aaaaaaaaaa')".repeat(12));
    assert_eq!(render(&growing, Escape::Text), Err(MergeError::TooExpensive));
    // Large values, many times.
    let fields = Fields::new().with("custom.long", &"y".repeat(60_000));
    let plain = Template::compile(&"{{ custom.long }}".repeat(50), Escape::Text).unwrap();
    assert_eq!(plain.render(&fields), Err(MergeError::TooExpensive));
    let full = Template::compile_full(&"{{ custom.long }}".repeat(50), Escape::Text).unwrap();
    assert_eq!(full.render(&fields), Err(MergeError::TooExpensive));
    // Nesting: refused before the engine goes down into it.
    let elif = format!("{{% if contact.title %}}a{}{{% endif %}}", "{% elif contact.title %}b".repeat(2_000));
    let not = format!("{{% if {}contact.first_name %}}x{{% endif %}}", "not ".repeat(20_000));
    let or = format!("{{{{ contact.title {} }}}}", "or contact.title ".repeat(10_000));
    let deep =
        ["{% if contact.first_name %}".repeat(2_000), format!("{{{{ {} }}}}", "(".repeat(20_000)), elif, not, or];
    for template in deep {
        let refused = render(&template, Escape::Text);
        assert!(matches!(refused, Err(MergeError::Invalid { .. })), "{refused:?}");
    }
    // The deepest that is admitted fits.
    let most = format!("{}x{}", "{% if contact.first_name %}".repeat(16), "{% endif %}".repeat(16));
    assert_eq!(text(&most), "x");
    let most = format!("{{{{ {}contact.first_name{} }}}}", "(".repeat(16), ")".repeat(16));
    assert_eq!(text(&most), "Ada");
    let most = format!("{{% if {}contact.first_name %}}x{{% endif %}}", "not ".repeat(96));
    assert_eq!(text(&most), "x");
    let most = format!("{{% if contact.title %}}a{}{{% else %}}c{{% endif %}}", "{% elif contact.title %}b".repeat(50));
    assert_eq!(text(&most), "c");
}

#[test]
fn a_cache_compiles_once_and_is_bounded() {
    let mut cache = Cache::new(2);
    let first = cache.get("Hi {{ contact.first_name }}", Escape::Text).unwrap();
    let again = cache.get("Hi {{ contact.first_name }}", Escape::Text).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    let html = cache.get("Hi {{ contact.first_name }}", Escape::Html).unwrap();
    assert_eq!(html.escape(), Escape::Html);
    cache.get("c", Escape::Text).unwrap();
    let anew = cache.get("Hi {{ contact.first_name }}", Escape::Text).unwrap();
    assert!(!std::sync::Arc::ptr_eq(&first, &anew), "all was forgotten when it was full");
}

#[test]
fn a_message_names_its_first_missing_field_and_keeps_what_it_uses() {
    let variant = Variant {
        key: "a".parse().unwrap(),
        weight: 1,
        template: None,
        subject: "For {{ contact.first_name }}".into(),
        text: "Hi {{ contact.first_name }}, {{ company.industry }}".into(),
        html: String::new(),
    };
    let message = Message::compile(&variant, Channel::Email, &mut Cache::default()).unwrap();
    assert_eq!(message.missing(&ada()).as_deref(), Some("company.industry"));
    let full = ada().with("company.industry", "computing");
    assert_eq!(message.missing(&full), None);
    let kept = message.values(&full);
    assert_eq!(kept.len(), 2);
    assert_eq!(message.text.render(&kept).unwrap(), "Hi Ada, computing");
}

/// Names that templates of other systems could reach; none of them may ever give anything but an error.
#[test]
fn nothing_outside_the_fields_is_reached() {
    let path = std::env::var("PATH").unwrap_or_default();
    let words = [
        "env",
        "environ",
        "environment",
        "os",
        "fs",
        "open",
        "read_file",
        "include",
        "config",
        "settings",
        "secrets",
        "request",
        "self",
        "__class__",
        "globals",
        "range",
        "dict",
        "debug",
        "namespace",
        "lipsum",
        "cycler",
        "joiner",
        "loop",
        "super",
        "caller",
        "varargs",
        "kwargs",
        "password",
        "token",
        "database_url",
        "PATH",
        "HOME",
    ];
    let shapes = [
        "{{ W }}",
        "{{ W() }}",
        "{{ W('/etc/passwd') }}",
        "{{ W.PATH }}",
        "{{ contact.W }}",
        "{{ contact | W }}",
        "{{ W['PATH'] }}",
        "{{ contact.__class__.__mro__ }}",
        "{% include 'W' %}",
        "{% import 'W' as x %}{{ x }}",
        "{% set x = W %}{{ x }}",
        "{% extends 'W' %}",
        "{% macro W() %}{{ W() }}{% endmacro %}{{ W() }}",
        "{% for x in W %}{{ x }}{% endfor %}",
        "{% with x = W %}{{ x }}{% endwith %}",
        "{% do W() %}",
        "{% autoescape false %}{{ W }}{% endautoescape %}",
        "{% filter W %}x{% endfilter %}",
        "{% raw %}{{ W }}{% endraw %}",
        "{{ W ~ contact.first_name }}",
        "{{ 'W' | env }}",
        "{{ 'W' | attr('PATH') }}",
        "{{ contact | attr('W') }}",
        "{{ contact | list }}",
        "{{ contact | tojson }}",
        "{{ 'a' * 1000000000 }}",
        "{{ ''.format(W) }}",
        "{{ debug() }}",
        "{{ contact | safe }}",
        "{{- W -}}",
        "{{ (W) }}",
        "{{ W | default(W) }}",
        "{% call W() %}{% endcall %}",
        "{% block W %}{{ self.W() }}{% endblock %}",
        "{{ W if W else W }}",
    ];
    for word in words {
        for shape in shapes {
            let template = shape.replace('W', word);
            for escape in [Escape::Text, Escape::Html, Escape::Header] {
                let rendered = render(&template, escape);
                let leaked = rendered.as_ref().is_ok_and(|t| !path.is_empty() && t.contains(&path));
                assert!(rendered.is_err() && !leaked, "{template} gave {rendered:?}");
            }
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -z\n\t|~äß€]{0,12}".prop_map(|t| t.replace('{', "(")),
        1 => Just("\r\n".to_owned()),
        1 => Just("{ }} %} #}".to_owned()),
        1 => Just("{# a remark #}".to_owned()),
        3 => (0..6usize).prop_map(|n| {
            let fields = ["contact.first_name", "contact.last_name", "company.name", "contact.title", "custom.years",
                "unsubscribe_url"];
            format!("{{{{ {} }}}}", fields[n])
        }),
        1 => "[a-z<&' ]{0,6}".prop_map(|t| format!("{{{{contact.title|default(\"{t}\")}}}}")),
        1 => "[a-z<&\" ]{0,6}".prop_map(|t| format!("{{{{ contact.title | fallback('{t}') }}}}")),
    ]
}

proptest! {
    /// The direct way and the engine's way give the same text, or name the same field.
    #[test]
    fn both_ways_of_rendering_agree(pieces in proptest::collection::vec(piece(), 0..8)) {
        let template = pieces.concat();
        for escape in [Escape::Text, Escape::Html] {
            let direct = Template::compile(&template, escape).unwrap();
            prop_assert!(direct.is_plain());
            let engine = Template::compile_full(&template, escape).unwrap();
            prop_assert_eq!(direct.render(&ada()), engine.render(&ada()));
            prop_assert_eq!(direct.missing(&ada()), engine.missing(&ada()));
        }
    }

    /// Whatever an author types: an answer, never a panic, and no value of the record unescaped in HTML.
    #[test]
    fn any_text_gives_an_answer(
        pieces in proptest::collection::vec(prop_oneof![
            "[{}%#|().,'\"\\\\ a-z0-9_<>=!~*\\[\\]-]{0,10}",
            Just("{{ ".to_owned()), Just(" }}".to_owned()), Just("{% if ".to_owned()), Just(" %}".to_owned()),
            Just("{% endif %}".to_owned()), Just("{% else %}".to_owned()), Just("contact.last_name".to_owned()),
            Just("company.name".to_owned()), Just(" | upper".to_owned()), Just(" | default(".to_owned()),
        ], 0..12)
    ) {
        let template = pieces.concat();
        for escape in [Escape::Text, Escape::Html, Escape::Header] {
            if let Ok(compiled) = Template::compile(&template, escape) {
                let rendered = compiled.render(&ada());
                if let (Ok(rendered), Escape::Html) = (&rendered, escape) {
                    prop_assert!(!rendered.contains("<Analytical") && !rendered.contains("<ANALYTICAL"), "{}", rendered);
                }
                let _ = compiled.missing(&ada());
            }
            let _ = fields_used(&template);
        }
    }
}
