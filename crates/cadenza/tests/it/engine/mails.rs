//! What goes out by itself: the order, the wording, the thread, the headers.

use super::house::{House, Mail};
use super::on_both;
use cadenza_core::enrollment::{BlockReason, Finish};
use cadenza_core::time::Span;

on_both! {
    a_sequence_goes_its_whole_way
    variants_follow_their_weights
    an_empty_field_blocks_and_mends
    templates_and_snippets_are_taken_in_and_followed
}

const THREE_MAILS: &str = r#"
name = "Three mails"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello {{ contact.first_name }}"
text = "Dear {{ contact.first_name }}, see https://jobs.example.com/one. Yours, {{ sender.name }}"
[[branch.step]]
key = "reminder"
kind = "email_auto"
delay = "2 days"
same_thread = true
text = "A short reminder."
[[branch.step]]
key = "goodbye"
kind = "email_auto"
delay = "1 day"
subject = "Goodbye"
text = "Goodbye. If you like: {{ unsubscribe_url }}"
"#;

async fn a_sequence_goes_its_whole_way(mut house: House) {
    house.start().await;
    let sequence = house.sequence(THREE_MAILS).await;
    let ids = house.enroll(sequence, house.contacts(1..=3).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 3, "the first mails, and no others");
    house.ahead(Span::days(1)).await;
    assert_eq!(house.sandbox().await.len(), 3, "nothing before its time");
    house.ahead(Span::days(1)).await;
    assert_eq!(house.sandbox().await.len(), 6);
    house.ahead(Span::days(1)).await;
    house.ahead(Span::days(30)).await;
    let mails: Vec<Mail> = house.sandbox().await.iter().map(|raw| Mail::read(raw)).collect();
    assert_eq!(mails.len(), 9, "three each, and then it is over");

    for n in 1..=3 {
        let to = format!("p{n}@people.example");
        let own: Vec<&Mail> = mails.iter().filter(|m| m.header("to") == to).collect();
        let [intro, reminder, goodbye] = own[..] else { panic!("{} mails to {to}", own.len()) };
        assert_eq!(intro.header("subject"), format!("Hello First{n}"));
        assert!(intro.text.starts_with(&format!("Dear First{n}, see https://jobs.example.com/one. Yours, Ada Byron")));
        assert_eq!(reminder.header("subject"), format!("Re: Hello First{n}"));
        assert_eq!(reminder.header("in-reply-to"), intro.header("message-id"));
        assert_eq!(reminder.header("references"), intro.header("message-id"));
        assert_eq!(goodbye.header("subject"), "Goodbye");
        assert_eq!((goodbye.header("in-reply-to"), goodbye.header("references")), ("", ""), "a thread of its own");
        for mail in own {
            assert_eq!(mail.header("from"), "Ada Byron <ada@sandbox.invalid>");
            assert_eq!(mail.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
            assert!(mail.header("list-unsubscribe").starts_with("<http://127.0.0.1:8600/u/"), "{:?}", mail.headers);
            assert!(mail.text.contains("1 Main Street"), "the postal address: {}", mail.text);
            assert!(mail.text.contains("http://127.0.0.1:8600/u/"), "the way out: {}", mail.text);
            let html = mail.html.as_deref().unwrap_or_default();
            assert!(html.contains("/t/o/"), "the pixel: {html}");
        }
        assert!(intro.html.as_deref().is_some_and(|h| h.contains("/t/c/")), "the link is tracked");
        assert_eq!(goodbye.text.matches("/u/").count(), 1, "the way out is said once: {}", goodbye.text);
    }
    let mut message_ids: Vec<&str> = mails.iter().map(|m| m.header("message-id")).collect();
    message_ids.sort_unstable();
    message_ids.dedup();
    assert_eq!(message_ids.len(), 9, "a Message-ID for each");
    for id in ids {
        let e = house.enrollment(id).await;
        assert_eq!((e.finish, e.emails), (Some(Finish::Completed), 3));
        assert_eq!(house.sends(id).await, ["1.1 sent", "2.1 sent", "3.1 sent"]);
    }
    house.audit(sequence).await;
}

async fn variants_follow_their_weights(mut house: House) {
    house.start().await;
    let sequence = house
        .sequence(
            r#"
name = "Variants"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
[[branch.step.variant]]
key = "a"
weight = 3
subject = "A"
text = "a"
[[branch.step.variant]]
key = "b"
weight = 1
subject = "B"
text = "b"
[[branch.step.variant]]
key = "never"
weight = 0
subject = "C"
text = "c"
"#,
        )
        .await;
    house.enroll(sequence, house.contacts(1..=400).await).await;
    house.rest().await;
    let subjects: Vec<String> =
        house.sandbox().await.iter().map(|raw| Mail::read(raw).header("subject").to_owned()).collect();
    let count = |s: &str| subjects.iter().filter(|x| *x == s).count();
    assert_eq!(count("A") + count("B"), 400);
    // 300 are expected; six standard deviations of a fair draw are 52.
    assert!((248..=352).contains(&count("A")), "{} of 400", count("A"));
    house.audit(sequence).await;
}

async fn an_empty_field_blocks_and_mends(mut house: House) {
    house.start().await;
    let sequence = house.sequence(THREE_MAILS).await;
    let nameless = house.contact(1, |c| c.first_name.clear()).await;
    let id = house.enroll(sequence, vec![nameless]).await[0];
    house.rest().await;
    let e = house.enrollment(id).await;
    assert_eq!((e.block, e.block_detail.as_deref()), (Some(BlockReason::MissingField), Some("contact.first_name")));
    assert!(house.sandbox().await.is_empty());
    let cadenza_core::enrollment::Subject::Contact(contact) = nameless else { unreachable!() };
    house.sql("UPDATE contact SET first_name = 'Grace' WHERE id = $1", &[contact.into()]).await;
    let (app, w) = (house.app.clone(), house.workspace);
    let mended = cadenza_store::door::Mended::Record(nameless);
    let asked = house.write(move |tx| app.door.mend(tx, w, mended, None, 100, app.clock.now())).await;
    assert_eq!(asked.len(), 1);
    house.rest().await;
    assert_eq!(Mail::read(&house.sandbox().await[0]).header("subject"), "Hello Grace");
    house.audit(sequence).await;
}

async fn templates_and_snippets_are_taken_in_and_followed(mut house: House) {
    house.start().await;
    let put = |house: &House, kind: &'static str, name: &'static str, body: &'static str, version: i64| {
        let (w, user) = (house.workspace, house.user);
        let (id, now) = (house.app.next_id(), house.clock.now());
        house.app.db.write_async(move |tx| {
            tx.exec(
                "DELETE FROM message_template WHERE workspace_id = $1 AND kind = $2 AND name = $3",
                &[w.into(), kind.into(), name.into()],
            )?;
            tx.exec(
                "INSERT INTO message_template (workspace_id, id, kind, name, sort_name, subject, body, html, owner_id, shared,
                     created_at, updated_at, version)
                 VALUES ($1, $2, $3, $4, $5, 'From the template', $6, '', $7, 1, $8, $8, $9)",
                &[
                    w.into(),
                    id.into(),
                    kind.into(),
                    name.into(),
                    name.to_lowercase().into(),
                    body.into(),
                    user.into(),
                    now.into(),
                    version.into(),
                ],
            )
        })
    };
    let sequence = house
        .sequence(
            r#"
name = "By template"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
template = "Letter"
[[branch.step]]
key = "again"
kind = "email_auto"
delay = "1 day"
same_thread = true
text = "Again. {{ snippet.closing }}"
[[email_template]]
name = "Letter"
subject = "As it was"
text = "As it was"
[[snippet]]
name = "closing"
text = "As it was"
"#,
        )
        .await;
    put(&house, "email", "Letter", "Hi {{ contact.first_name }}. {{ snippet.closing }}", 1).await.unwrap();
    put(&house, "snippet", "closing", "Yours, {{ sender.first_name }}", 1).await.unwrap();
    house.enroll(sequence, house.contacts(1..=1).await).await;
    house.rest().await;
    let first = Mail::read(&house.sandbox().await[0]);
    assert_eq!(first.header("subject"), "From the template");
    assert!(first.text.starts_with("Hi First1. Yours, Ada\n"), "{}", first.text);
    // An edited template reaches everyone who has not passed the step (ENR-12); what was sent keeps its subject.
    put(&house, "email", "Letter", "Good day. {{ snippet.closing }}", 2).await.unwrap();
    house.enroll(sequence, house.contacts(2..=2).await).await;
    house.ahead(Span::days(1)).await;
    let mails: Vec<Mail> = house.sandbox().await.iter().map(|raw| Mail::read(raw)).collect();
    let second = mails.iter().find(|m| m.header("to") == "p2@people.example").unwrap();
    assert!(second.text.starts_with("Good day. Yours, Ada\n"), "{}", second.text);
    let reminder = mails.iter().find(|m| m.header("in-reply-to") == first.header("message-id")).unwrap();
    assert_eq!(reminder.header("subject"), "Re: From the template");
    house.audit(sequence).await;
}
