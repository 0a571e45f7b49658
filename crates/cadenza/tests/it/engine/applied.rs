//! An applied file reaches everybody who has not passed the step: its timing at once, its wording when the mail is made.

use super::house::{House, Mail};
use super::on_both;
use cadenza::actions::sequences;
use cadenza_core::flow::file::{self, SequenceFile};
use cadenza_core::time::Span;

on_both! {
    an_applied_edit_reaches_who_waits_for_the_step
    what_a_snippet_says_is_that_of_its_record
}

fn letters(delay: &str, closing: &str) -> SequenceFile {
    let text = format!(
        "name = \"Letters\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         subject = \"Hello\"\ntext = \"First. {{{{ snippet.closing }}}}\"\n[[branch.step]]\nkey = \"again\"\n\
         kind = \"email_auto\"\ndelay = \"{delay}\"\nsubject = \"Again\"\ntext = \"Second. {{{{ snippet.closing }}}}\"\n\
         [[snippet]]\nname = \"closing\"\ntext = \"{closing}\"\n"
    );
    file::parse(&text).unwrap_or_else(|e| panic!("{e:?}"))
}

async fn apply(house: &House, file: &SequenceFile) -> (Vec<String>, i64) {
    let planned = sequences::plan_file(&house.app, &house.caller(), file).await.unwrap();
    let done = sequences::apply_file(&house.app, &house.caller(), file, &planned.digest, None).await.unwrap();
    (planned.changes.iter().map(|c| c.message.clone()).chain(planned.in_flight).collect(), done.followed)
}

async fn an_applied_edit_reaches_who_waits_for_the_step(mut house: House) {
    house.start().await;
    let file = letters("2 days", "Yours");
    apply(&house, &file).await;
    let caller = house.caller();
    let id = sequences::find(&house.app, &caller, "Letters").await.unwrap().id;
    sequences::activate(&house.app, &caller, id, sequences::Arm::Now).await.unwrap();
    let enrolled = house.enroll(id, house.contacts(1..=3).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 3);
    let due = house.enrollment(enrolled[0]).await.next_action_on().unwrap();

    let outdated = sequences::plan_file(&house.app, &caller, &letters("3 days", "Yours")).await.unwrap().digest;
    let (said, retimed) = apply(&house, &letters("1 day", "Yours")).await;
    assert_eq!(retimed, 3);
    assert!(said.last().is_some_and(|line| line.starts_with("3 contacts stand on a step")), "{said:?}");
    let moved = house.enrollment(enrolled[0]).await.next_action_on().unwrap();
    assert_eq!(due - moved, Span::days(1), "due dates follow");
    let late = letters("3 days", "Yours");
    let refused = sequences::apply_file(&house.app, &caller, &late, &outdated, None).await.unwrap_err();
    assert!(refused.to_string().contains("look at the plan again"), "{refused}");

    house.ahead(Span::days(1)).await;
    assert_eq!(house.sandbox().await.len(), 6, "a day earlier than it was");
    house.audit(id).await;
}

async fn what_a_snippet_says_is_that_of_its_record(mut house: House) {
    house.start().await;
    apply(&house, &letters("1 day", "Yours")).await;
    let caller = house.caller();
    let id = sequences::find(&house.app, &caller, "Letters").await.unwrap().id;
    sequences::activate(&house.app, &caller, id, sequences::Arm::Now).await.unwrap();
    house.enroll(id, house.contacts(1..=1).await).await;
    house.rest().await;
    let (said, retimed) = apply(&house, &letters("1 day", "Kind regards")).await;
    assert_eq!((said.len(), retimed), (1, 0), "a wording moves no date: {said:?}");
    assert!(said[0].contains("snippet \"closing\""), "{said:?}");
    house.ahead(Span::days(1)).await;
    let texts: Vec<String> = house.sandbox().await.iter().map(|raw| Mail::read(raw).text).collect();
    assert!(texts[0].contains("First. Yours") && texts[1].contains("Second. Kind regards"), "{texts:?}");
    assert_eq!(apply(&house, &letters("1 day", "Kind regards")).await.0, Vec::<String>::new());
    house.audit(id).await;
}
