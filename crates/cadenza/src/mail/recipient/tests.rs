//! What a recipient sends is read by the product's own classifier as what it is meant to be.

use super::*;
use cadenza_core::calendar::Date;
use cadenza_core::compose::ListUnsubscribe;
use cadenza_core::inbound::{self, AutoReply, BounceClass, Incoming, Kind};
use cadenza_core::language::Language;

const NOW: Time = Time::from_seconds(1_800_000_000);

fn pen() -> Pen<'static> {
    Pen { now: NOW, unique: "u1" }
}

fn original() -> Original {
    let address = |a: &str| Mailbox::bare(a.parse().unwrap());
    let subject = HeaderText::new("Ein Gruß aus Köln").unwrap();
    let id = MessageId::new("enr_0000000000001.1", "acme.example").unwrap();
    let mut letter =
        Letter::new(address("ada@acme.example"), address("grace@example.test"), subject, SentAt::utc(NOW), id);
    letter.content = Content::Both {
        text: "Hallo Grace,\n\nAbmelden: https://go.example/u/x\n".into(),
        html: "<p>Hallo <a href=\"https://go.example/t/c/abc\">hier</a></p><img src=\"https://go.example/t/o/def\">"
            .into(),
    };
    letter.headers.unsubscribe = ListUnsubscribe {
        one_click: Some("https://go.example/u/ghi".parse().unwrap()),
        mailto: Some(compose::MailtoUrl::new(
            &"ada@acme.example".parse().unwrap(),
            &HeaderText::new("unsubscribe tok_en").unwrap(),
        )),
    };
    Original::read(&compose::compose(&letter), "ada@acme.example", "grace@example.test").unwrap()
}

fn read(raw: &[u8]) -> Incoming {
    inbound::read(raw, NOW).unwrap()
}

#[test]
fn the_recipient_sees_links_picture_and_ways_to_unsubscribe() {
    let original = original();
    assert_eq!((original.subject.as_str(), original.from.as_str()), ("Ein Gruß aus Köln", "ada@acme.example"));
    assert_eq!(original.links(), [Link { address: "https://go.example/t/c/abc".into(), text: "hier".into() }]);
    assert_eq!(original.pixel().as_deref(), Some("https://go.example/t/o/def"));
    let mail = Unsubscribe::Mail { to: "ada@acme.example".into(), subject: "unsubscribe tok_en".into() };
    assert_eq!(original.unsubscribe, [Unsubscribe::OneClick("https://go.example/u/ghi".into()), mail]);
}

#[test]
fn a_reply_is_a_reply_in_the_thread_and_not_what_it_quotes() {
    let incoming = read(&reply(&original(), "Ja, gerne – bis bald!", pen()).unwrap());
    assert!(matches!(&incoming.verdict.kind, Kind::Reply(r) if !r.opt_out && r.in_thread), "{:?}", incoming.verdict);
    assert_eq!(incoming.text.trim(), "Ja, gerne – bis bald!");
    assert_eq!(incoming.in_reply_to, ["enr_0000000000001.1@acme.example"]);
    assert_eq!(incoming.subject, "Re: Ein Gruß aus Köln");
    let leaves = read(&reply(&original(), "Please take me off your list.", pen()).unwrap());
    assert!(matches!(&leaves.verdict.kind, Kind::Reply(r) if r.opt_out));
}

#[test]
fn people_answer_at_reply_to_and_servers_report_to_the_return_path() {
    let raw = String::from_utf8(original().raw).unwrap();
    let raw = raw.replacen("Subject:", "Reply-To: Ada <ada+here@acme.example>\r\nSubject:", 1);
    let original = Original::read(raw.as_bytes(), "ada+there@acme.example", "grace@example.test").unwrap();
    let to = |raw: Vec<u8>| read(&raw).to.into_iter().map(|a| a.address).collect::<Vec<_>>();
    assert_eq!(to(reply(&original, "Ja", pen()).unwrap()), ["ada+here@acme.example"]);
    assert_eq!(to(out_of_office(&original, None, Language::default(), pen()).unwrap()), ["ada+here@acme.example"]);
    assert_eq!(to(bounce(&original, Failure::Hard, pen()).unwrap()), ["ada+there@acme.example"]);
}

#[test]
fn an_absence_is_understood_with_its_date_in_every_language() {
    let back: Date = "2027-03-15".parse().unwrap();
    for language in Language::ALL {
        let incoming = read(&out_of_office(&original(), Some(back), language, pen()).unwrap());
        let until = Some(back.to_jiff());
        assert_eq!(
            incoming.verdict.kind,
            Kind::AutoReply(AutoReply::OutOfOffice { until }),
            "{language:?}: {}",
            incoming.full_text
        );
        let incoming = read(&out_of_office(&original(), None, language, pen()).unwrap());
        assert_eq!(incoming.verdict.kind, Kind::AutoReply(AutoReply::OutOfOffice { until: None }), "{language:?}");
    }
}

#[test]
fn reports_name_the_recipient_the_reason_and_the_mail() {
    for (failure, class, status) in
        [(Failure::Hard, BounceClass::Hard, "5.1.1"), (Failure::Soft, BounceClass::Soft, "4.2.2")]
    {
        let incoming = read(&bounce(&original(), failure, pen()).unwrap());
        let Kind::Bounce(found) = &incoming.verdict.kind else { panic!("{:?}", incoming.verdict) };
        assert_eq!((found.class, found.status.as_deref(), found.delayed), (class, Some(status), false));
        assert_eq!(found.recipient.as_deref(), Some("grace@example.test"));
        assert_eq!(found.original_message_id.as_deref(), Some("enr_0000000000001.1@acme.example"));
        assert!(incoming.null_return_path);
    }
    let incoming = read(&complaint(&original(), pen()).unwrap());
    let Kind::Complaint(found) = &incoming.verdict.kind else { panic!("{:?}", incoming.verdict) };
    assert_eq!(found.recipient.as_deref(), Some("grace@example.test"));
    assert_eq!(found.original_message_id.as_deref(), Some("enr_0000000000001.1@acme.example"));
}

#[test]
fn the_unsubscribe_button_writes_to_the_address_of_the_header() {
    let incoming = read(&unsubscribe_mail(&original(), "ada@acme.example", "unsubscribe tok_en", pen()).unwrap());
    assert_eq!(
        (incoming.subject.as_str(), incoming.to[0].address.as_str()),
        ("unsubscribe tok_en", "ada@acme.example")
    );
    assert_eq!(incoming.from[0].address, "grace@example.test");
}
