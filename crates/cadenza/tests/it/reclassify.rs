//! Later rules over kept mail (REC-12): the differences are found, shown, and adopted as a correction by hand would be. What a person
//! corrected stays.

use crate::grace::STEPS;
use crate::house::{House, on_both};
use cadenza::actions::reclassify;
use cadenza::actions::replies::{self, Correction};
use cadenza::engine::receive::{Source, receive};
use cadenza_core::enrollment::{Finish, Hold};
use cadenza_core::ids::{EnrollmentId, MessageId};
use cadenza_core::inbound::RULES_VERSION;
use cadenza_core::time::Span;
use cadenza_store::inbound_messages::Class;
use cadenza_store::reclassified::State;

on_both! {
    what_later_rules_say_is_shown_and_adopted
    what_a_person_said_is_left_alone
}

/// Somebody who is away, and whose notice the rules of before took for a reply.
async fn taken_for_a_reply(house: &House, name: &str) -> (EnrollmentId, MessageId) {
    let sequence = house.sequence(name, "", STEPS).await;
    let address = format!("{name}@example.test");
    let contact = house.contact(&[&address], |_| ()).await;
    let enrollment = house.enroll(sequence, contact).await;
    let mail = house.mails(&address, 1).await.remove(0);
    house.later(Span::minutes(1));
    let raw = format!(
        "From: <{address}>\r\nTo: ada@sandbox.invalid\r\nSubject: Automatic reply: Hello\r\nAuto-Submitted: auto-replied\r\n\
         Message-ID: <away-{name}@example.test>\r\nIn-Reply-To: <{}>\r\n\r\nI am out of the office until further notice.\r\n",
        mail.row.message_id
    );
    let received = receive(&house.app, house.w, Source::Http, raw.into_bytes(), house.now()).await.unwrap();
    assert_eq!(received.class, Class::OutOfOffice);
    house.later(Span::minutes(1));
    let id = received.id.unwrap();
    replies::correct(&house.app, &house.caller, id, Correction::Reply).await.unwrap();
    assert_eq!(house.enrollment(enrollment).await.finish, Some(Finish::Replied));
    house.later(Span::minutes(1));
    (enrollment, id)
}

/// As if rules of version 0 had said so, and nobody by hand.
async fn as_of_old_rules(house: &House, id: MessageId) {
    let verdict = r#"{"kind":{"kind":"reply","opt_out":false,"in_thread":true},"evidence":[],"version":0}"#;
    house
        .write(move |tx| {
            let sql = "UPDATE inbound_message SET correction = NULL, corrected_by = NULL, corrected_at = NULL,
                 classification = $2 WHERE id = $1";
            tx.exec(sql, &[id.into(), verdict.into()])
        })
        .await;
}

async fn what_later_rules_say_is_shown_and_adopted(house: &House) {
    let (app, caller) = (&house.app, &house.caller);
    let (first, judged) = taken_for_a_reply(house, "first").await;
    let (second, chosen) = taken_for_a_reply(house, "second").await;
    as_of_old_rules(house, judged).await;
    as_of_old_rules(house, chosen).await;
    let job = reclassify::start(app, caller).await.unwrap();
    let standing = reclassify::see_through(app, caller, job).await.unwrap();
    assert_eq!((standing.job.done, standing.counts), (2, vec![(State::Found, 2)]));
    let found = reclassify::differences(app, caller, job, None, 10).await.unwrap();
    let difference = &found[0].difference;
    assert_eq!((difference.message, difference.before, difference.now), (judged, Class::Reply, Class::OutOfOffice));
    assert_eq!((difference.version_before, difference.version, difference.enrollments), (Some(0), RULES_VERSION, 1));
    assert_eq!(house.enrollment(first).await.finish, Some(Finish::Replied), "nothing changes by being found");

    let standing = reclassify::adopt(app, caller, job, Some(vec![chosen])).await.unwrap();
    assert_eq!(standing.counts, [(State::Adopted, 1), (State::Found, 1)]);
    let e = house.enrollment(second).await;
    assert!(e.is_live() && e.holds.has(Hold::OutOfOffice), "{e:?}");
    assert_eq!(e.replies, 0);
    let message = replies::see(app, caller, chosen).await.unwrap();
    assert_eq!((message.class, message.corrected_by), (Class::OutOfOffice, None));
    assert!(message.classification.contains(&format!("\"version\":{RULES_VERSION}")), "{}", message.classification);

    house.later(Span::minutes(1));
    let standing = reclassify::adopt(app, caller, job, None).await.unwrap();
    assert_eq!(standing.counts, [(State::Adopted, 2)]);
    assert!(house.enrollment(first).await.holds.has(Hold::OutOfOffice));
    let again = reclassify::start(app, caller).await.unwrap();
    let standing = reclassify::see_through(app, caller, again).await.unwrap();
    assert_eq!(standing.counts, [], "the rules say what they said");
}

async fn what_a_person_said_is_left_alone(house: &House) {
    let (app, caller) = (&house.app, &house.caller);
    let (enrollment, id) = taken_for_a_reply(house, "first").await;
    let job = reclassify::start(app, caller).await.unwrap();
    assert_eq!(reclassify::see_through(app, caller, job).await.unwrap().counts, []);
    // Corrected between the finding and the adopting.
    as_of_old_rules(house, id).await;
    let job = reclassify::start(app, caller).await.unwrap();
    assert_eq!(reclassify::see_through(app, caller, job).await.unwrap().counts, [(State::Found, 1)]);
    replies::correct(app, caller, id, Correction::Other).await.unwrap();
    house.later(Span::minutes(1));
    assert_eq!(reclassify::adopt(app, caller, job, None).await.unwrap().counts, [(State::Over, 1)]);
    assert!(house.enrollment(enrollment).await.holds.is_empty(), "as the person said");
}
