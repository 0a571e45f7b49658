//! Bytes pinned down: folding, encodings, dates, whole mails.

use super::super::body::{Encoding, write_text};
use super::super::date::write_date;
use super::*;

fn headers_of(letter: &Letter) -> String {
    let mail = String::from_utf8(compose(letter)).unwrap();
    mail.split("\r\n\r\n").next().unwrap().to_owned()
}

fn subject_header(subject: &str) -> String {
    let headers = headers_of(&letter(subject, Content::Text(String::new())));
    let start = headers.find("Subject:").unwrap();
    headers[start..headers.find("\r\nMessage-ID").unwrap()].to_owned()
}

fn quoted_printable(given: &str) -> String {
    let mut out = Vec::new();
    write_text(&mut out, given, Encoding::QuotedPrintable);
    String::from_utf8(out).unwrap()
}

#[test]
fn subjects_fold_between_words_and_are_encoded_only_where_they_must_be() {
    assert_eq!(subject_header(""), "Subject:");
    assert_eq!(subject_header("Short and plain"), "Subject: Short and plain");
    assert_eq!(
        subject_header("A plain subject that is too long for one line of seventy-eight columns, so it folds"),
        "Subject: A plain subject that is too long for one line of seventy-eight\r\n columns, so it folds"
    );
    assert_eq!(subject_header("Grüße aus Köln"), "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=");
    assert_eq!(subject_header("日本語"), "Subject: =?utf-8?B?5pel5pys6Kqe?=");
    assert_eq!(subject_header("two  spaces"), "Subject: =?utf-8?Q?two__spaces?=");
    assert_eq!(subject_header("=?utf-8?Q?a?="), "Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=");
    assert_eq!(
        subject_header(&"é".repeat(30)),
        "Subject: =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp?=\r\n =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOp?="
    );
    let unbroken = subject_header(&"x".repeat(1200));
    assert!(unbroken.split("\r\n").all(|line| line.len() <= 78), "{unbroken}");
}

#[test]
fn names_are_atoms_quoted_strings_or_encoded_words() {
    for (name, header) in [
        ("Bob Jones", "To: Bob Jones <bob@a.example>"),
        ("Jones, Bob (Sales)", "To: \"Jones, Bob (Sales)\" <bob@a.example>"),
        ("B\"o\\b", "To: \"B\\\"o\\\\b\" <bob@a.example>"),
        ("山田", "To: =?utf-8?B?5bGx55Sw?= <bob@a.example>"),
        ("Bjørn Andersen", "To: =?utf-8?Q?Bj=C3=B8rn_Andersen?= <bob@a.example>"),
        ("Dr. <x@y.example>", "To: \"Dr. <x@y.example>\" <bob@a.example>"),
        ("  ", "To: bob@a.example"),
    ] {
        let mut letter = letter("s", Content::Text(String::new()));
        letter.to = vec![Mailbox::named(name, address("bob@a.example")).unwrap()];
        assert!(headers_of(&letter).contains(&format!("\r\n{header}\r\n")), "{}", headers_of(&letter));
    }
}

#[test]
fn long_lists_and_threads_fold_between_their_items() {
    let mut letter = letter("s", Content::Text(String::new()));
    letter.to = (1..=4)
        .map(|i| Mailbox::named("Somebody", address(&format!("number{i}@recipient.example"))).unwrap())
        .collect();
    letter.references =
        (1..=3).map(|i| MessageId::new(&format!("{i}-0198c7aa5f2e7c3a9b"), "mail.sender.example").unwrap()).collect();
    letter.in_reply_to = Some("x".repeat(200).parse().unwrap());
    insta::assert_snapshot!(headers_of(&letter).replace("\r\n", "\n"));
}

#[test]
fn the_longest_urls_stay_within_a_line() {
    let domain = format!("{}.example", ["x".repeat(60), "y".repeat(60), "z".repeat(56)].join("."));
    let mut letter = letter("s", Content::Text(String::new()));
    letter.headers.unsubscribe = ListUnsubscribe {
        one_click: Some(format!("https://a.example/{}", "x".repeat(882)).parse().unwrap()),
        mailto: Some(MailtoUrl::new(&address(&format!("{}@{domain}", "+".repeat(64))), &text(&"ü".repeat(500)))),
    };
    assert_wire_rules(&compose(&letter));
}

#[test]
fn file_names_are_quoted_or_encoded_in_sections() {
    for (name, parameter) in [
        ("offer.pdf", " filename=\"offer.pdf\""),
        ("my offer; final.pdf", " filename=\"my offer; final.pdf\""),
        ("a\"b.pdf", " filename*=utf-8''a%22b.pdf"),
        ("Angebot für Käthe.pdf", " filename*=utf-8''Angebot%20f%C3%BCr%20K%C3%A4the.pdf"),
    ] {
        let mut letter = letter("s", Content::Text("b".to_owned()));
        letter.attachments.push(Attachment { name: text(name), mime: MimeType::octet_stream(), bytes: vec![1] });
        let mail = String::from_utf8(compose(&letter)).unwrap().replace("\r\n ", " ");
        assert!(mail.contains(&format!("Content-Disposition: attachment;{parameter}\r\n")), "{mail}");
    }
}

#[test]
fn quoted_printable_keeps_line_ends_and_escapes_what_gets_lost() {
    assert_eq!(quoted_printable("a\nb\rc\r\nd\n\ne"), "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n");
    assert_eq!(quoted_printable("a \nb\t\nc  "), "a=20\r\nb=09\r\nc =20\r\n");
    assert_eq!(quoted_printable(".\n..\nFrom me\nFromage"), "=2E\r\n=2E.\r\n=46rom me\r\nFromage\r\n");
    assert_eq!(quoted_printable("1=2 ü \0"), "1=3D2 =C3=BC =00\r\n");
    assert_eq!(quoted_printable(&"x".repeat(76)), format!("{}=\r\nx\r\n", "x".repeat(75)));
    assert_eq!(quoted_printable(&"x".repeat(75)), format!("{}\r\n", "x".repeat(75)));
    assert_eq!(quoted_printable(&format!("{} \n", "x".repeat(74))), format!("{}=\r\n=20\r\n", "x".repeat(74)));
    assert_eq!(quoted_printable(&format!("{}ü", "x".repeat(73))), format!("{}=\r\n=C3=BC\r\n", "x".repeat(73)));
    assert_eq!(quoted_printable(&format!("{}.", "x".repeat(75))), format!("{}=\r\n=2E\r\n", "x".repeat(75)));
}

#[test]
fn the_shorter_encoding_is_chosen() {
    assert_eq!(Encoding::of(""), Encoding::QuotedPrintable);
    assert_eq!(Encoding::of("Mostly plain, with ü here and there."), Encoding::QuotedPrintable);
    assert_eq!(Encoding::of("Привет, как дела?"), Encoding::Base64);
}

#[test]
fn dates_are_rfc_5322_whatever_the_moment() {
    let written = |at: Time, offset_minutes: i16| {
        let mut out = Vec::new();
        write_date(&mut out, SentAt { at, offset_minutes });
        String::from_utf8(out).unwrap()
    };
    let at = |t: &str| t.parse::<Time>().unwrap();
    assert_eq!(written(at("2027-03-01T09:00:00Z"), 60), "Mon, 01 Mar 2027 10:00:00 +0100");
    assert_eq!(written(at("2028-02-29T23:59:59.9Z"), 0), "Tue, 29 Feb 2028 23:59:59 +0000");
    assert_eq!(written(at("2027-01-01T02:00:00Z"), -210), "Thu, 31 Dec 2026 22:30:00 -0330");
    assert_eq!(written(at("1950-01-01T00:00:00Z"), 0), "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_eq!(written(Time::MAX, i16::MAX), "Thu, 30 Dec 9999 21:59:00 +2359");
}

#[test]
fn whole_mails() {
    let plain = letter("Hello", Content::Text("Hello Bob,\n\nhow are you?\n".to_owned()));
    insta::assert_snapshot!("plain", shown(&plain));

    let mut full = letter(
        "Ihr Angebot für März",
        Content::Both {
            text: "Guten Tag Herr Müller,\n\nanbei das Angebot.\n".to_owned(),
            html:
                "<p>Guten Tag Herr Müller,</p><p>anbei das <a href=\"https://a.example/?x=1&amp;y=2\">Angebot</a>.</p>"
                    .to_owned(),
        },
    );
    full.reply_to = Some(Mailbox::bare(address("ada+r.7f3k@sender.example")));
    full.cc = vec![Mailbox::named("Müller, Käthe", address("k@recipient.example")).unwrap()];
    full.in_reply_to = Some(MessageId::new("earlier", "sender.example").unwrap());
    full.references =
        vec![MessageId::new("first", "sender.example").unwrap(), MessageId::new("earlier", "sender.example").unwrap()];
    full.headers = Headers {
        unsubscribe: ListUnsubscribe {
            one_click: Some("https://go.sender.example/u/3hk2j4h5k2j3h4k5j2h3k4j5h2k3j4h5".parse().unwrap()),
            mailto: Some(MailtoUrl::new(&address("unsubscribe@sender.example"), &text("3hk2j4h5"))),
        },
        feedback_id: Some(FeedbackId::new(&["seq1", "step2"], "cadenza-1").unwrap()),
        auto_submitted: None,
        custom: vec![("X-Cadenza-Send".parse().unwrap(), text("snd_0000000000007"))],
    };
    full.attachments = vec![
        Attachment {
            name: text("Angebot März.pdf"),
            mime: "application/pdf".parse().unwrap(),
            bytes: (0..=255).collect(),
        },
        Attachment { name: text("empty.txt"), mime: "text/plain".parse().unwrap(), bytes: Vec::new() },
    ];
    insta::assert_snapshot!("full", shown(&full));

    let html = letter(
        "News",
        Content::Html(
            "<h1>News</h1><p>Read <a href=\"https://a.example/n\">more</a></p><ul><li>one<li>two</ul>".to_owned(),
        ),
    );
    insta::assert_snapshot!("html_alone", shown(&html));
}

fn shown(letter: &Letter) -> String {
    let mail = compose(letter);
    assert_wire_rules(&mail);
    String::from_utf8(mail).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_deep_or_wide_html_still_gets_its_text() {
    let deep = format!("{}core{}", "<div><table><tr><td>".repeat(300), "</td></tr></table></div>".repeat(300));
    assert!(plain_text(&deep).contains("core"));
    let wide = format!("<table><tr>{}</tr></table>", "<td>cell</td>".repeat(500));
    assert!(plain_text(&wide).contains("cell"));
}
