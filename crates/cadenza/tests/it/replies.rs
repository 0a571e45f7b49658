//! What a person sets right about a message (REC-6): what the wrong verdict did is taken back, what the right one asks is done, and
//! what holds for another reason stays.

use crate::grace::{STEPS, grace};
use crate::house::{House, Mail, on_both};
use cadenza::actions::ActionError;
use cadenza::actions::enrollments;
use cadenza::actions::replies::{self, Correction, Done, Item, ItemOf, Severity, Whose};
use cadenza::actions::sandbox::{self, BounceKind, Reacted, Reaction};
use cadenza::engine::receive::{Received, Source, receive};
use cadenza_core::enrollment::{Enrollment, Finish, Hold, Subject};
use cadenza_core::ids::{EnrollmentId, MessageId};
use cadenza_core::machine::Actor;
use cadenza_core::time::Span;
use cadenza_store::answers::{Answer, State};
use cadenza_store::door::Again;
use cadenza_store::history;
use cadenza_store::inbound_messages::{Class, MatchedBy};

/// The message that a reaction was; a minute passes.
async fn message(house: &House, mail: &Mail, reaction: Reaction) -> MessageId {
    let reacted = sandbox::react(&house.app, &house.caller, mail.row.id, reaction).await.unwrap();
    house.later(Span::minutes(1));
    match reacted {
        Reacted::Message(Received { id, .. }) => id.unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn replied(house: &House, mail: &Mail, text: &str) -> MessageId {
    message(house, mail, Reaction::Reply { text: text.into() }).await
}

async fn correct(house: &House, id: MessageId, right: Correction) -> replies::Decided {
    let done = replies::correct(&house.app, &house.caller, id, right).await.unwrap();
    house.later(Span::minutes(1));
    done
}

async fn suppressed(house: &House) -> Vec<String> {
    house
        .read(|q| {
            let rows = q.query("SELECT value FROM suppression ORDER BY value", &[])?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
        })
        .await
}

/// It waits for its second step again.
fn goes_on(e: &Enrollment) {
    assert!(e.is_live() && e.holds.is_empty() && e.block.is_none(), "{e:?}");
    assert_eq!(e.place.as_ref().map(|p| p.step.to_string()).as_deref(), Some("follow"), "{e:?}");
}

on_both! {
    what_was_no_opt_out_is_taken_back_everywhere
    a_reply_that_was_an_absence_pauses_and_an_absence_that_was_a_reply_stops
    what_was_no_bounce_goes_on_and_may_be_written_to
    what_was_no_complaint_is_not_held_against_the_sequence
    what_holds_for_another_reason_stays
    what_was_noted_since_ends_it_in_its_place
    a_bounce_for_now_that_was_none_is_not_sent_again
    a_newer_enrollment_is_not_overtaken
    an_unmatched_message_is_given_to_somebody
    a_message_is_handed_over_and_handled
    a_thread_shows_what_was_sent_and_what_came
    an_answer_goes_out_once_in_the_thread
    an_answer_waits_for_its_mailbox_and_never_goes_to_a_suppressed_address
    an_answer_that_may_have_arrived_is_settled_by_a_person
    an_answer_that_may_have_arrived_is_settled_by_what_comes_back
}

async fn what_was_no_opt_out_is_taken_back_everywhere(house: &House) {
    let g = grace(house, "").await;
    let second = house.sequence("second", "", STEPS).await;
    let other = house.enroll(second, g.contact).await;
    house.mails("grace@example.test", 2).await;
    house.later(Span::minutes(1));
    let id = replied(house, &g.mail, "Unsubscribe").await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::OptedOut));
    assert_eq!(house.enrollment(other).await.finish, Some(Finish::OptedOut));
    assert_eq!(suppressed(house).await, ["grace@example.test"]);

    let done = correct(house, id, Correction::Reply).await;
    assert_eq!((done.enrollments.as_slice(), done.others.as_slice(), done.allowed), (&[g.id][..], &[other][..], 1));
    assert_eq!((done.message.class, done.message.corrected_by), (Class::Reply, Some(house.caller.user)));
    assert_eq!(suppressed(house).await, Vec::<String>::new());
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies, e.opted_out), (Some(Finish::Replied), 1, false));
    let e = house.enrollment(other).await;
    goes_on(&e);
    assert!(!e.opted_out);
    let (w, asked) = (house.w, g.id);
    let lines = house.read(move |q| history::of_enrollment(q, w, asked)).await;
    let line = lines.iter().find(|l| l.event == "take_back").unwrap();
    assert_eq!((line.cause.as_deref(), line.actor), (Some("not_an_opt_out"), Actor::User(house.caller.user)));
    // Said twice, nothing is done twice.
    let lines = house.int("SELECT count(*) FROM history", &[]).await;
    correct(house, id, Correction::Reply).await;
    assert_eq!(house.int("SELECT count(*) FROM history", &[]).await, lines);
    // And back again: the same way.
    correct(house, id, Correction::OptOut).await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::OptedOut));
    assert_eq!(house.enrollment(other).await.finish, Some(Finish::OptedOut));
    assert_eq!(suppressed(house).await, ["grace@example.test"]);
    house.audit(g.sequence).await;
    house.audit(second).await;
}

async fn a_reply_that_was_an_absence_pauses_and_an_absence_that_was_a_reply_stops(house: &House) {
    let g = grace(house, "").await;
    let id = replied(house, &g.mail, "I am at sea, and read this now and then.").await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Replied));
    let until = Some("2027-06-01".parse().unwrap());
    let done = correct(house, id, Correction::OutOfOffice { until }).await;
    assert!(done.message.handled_at.is_some(), "machine mail waits for nobody");
    let e = house.enrollment(g.id).await;
    assert!(e.is_live() && e.holds.has(Hold::OutOfOffice), "{e:?}");
    assert_eq!((e.replies, e.last_reply_at), (0, None));
    let done = correct(house, id, Correction::Reply).await;
    assert!(done.message.handled_at.is_none(), "a reply waits for somebody");
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies), (Some(Finish::Replied), 1));
    assert!(!e.holds.has(Hold::OutOfOffice));
    correct(house, id, Correction::Other).await;
    goes_on(&house.enrollment(g.id).await);
    house.audit(g.sequence).await;
}

async fn what_was_no_bounce_goes_on_and_may_be_written_to(house: &House) {
    let g = grace(house, "").await;
    let id = message(house, &g.mail, Reaction::Bounce { kind: BounceKind::Hard }).await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Bounced));
    assert_eq!(suppressed(house).await, ["grace@example.test"]);
    assert_eq!(
        replies::prepare(&house.app, &house.caller, id).await.unwrap(),
        None,
        "nobody reads what a report is answered"
    );
    let done = correct(house, id, Correction::Other).await;
    assert_eq!((done.allowed, suppressed(house).await.len()), (1, 0));
    let e = house.enrollment(g.id).await;
    goes_on(&e);
    assert!(!e.bounced);
    house.later(Span::days(3));
    house.mails("grace@example.test", 2).await;
    house.audit(g.sequence).await;
}

async fn what_was_no_complaint_is_not_held_against_the_sequence(house: &House) {
    let g = grace(house, "").await;
    let counted = "SELECT COUNT(*) FROM track_record WHERE complaints <> 0";
    let sum = "SELECT CAST(COALESCE(SUM(complaints), 0) AS BIGINT) FROM track_record";
    assert_eq!(house.int(counted, &[]).await, 0);
    let id = message(house, &g.mail, Reaction::Complaint).await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::OptedOut));
    assert_eq!((house.int(counted, &[]).await, house.int(sum, &[]).await), (2, 2), "of the sequence, of the mailbox");
    correct(house, id, Correction::Other).await;
    goes_on(&house.enrollment(g.id).await);
    assert_eq!(house.int(sum, &[]).await, 0);
    correct(house, id, Correction::Complaint).await;
    assert_eq!(house.int(sum, &[]).await, 2);
    house.audit(g.sequence).await;
}

async fn what_holds_for_another_reason_stays(house: &House) {
    let g = grace(house, "").await;
    let first = replied(house, &g.mail, "Thanks.").await;
    let second = replied(house, &g.mail, "One more thing.").await;
    correct(house, first, Correction::Other).await;
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies), (Some(Finish::Replied), 1), "there is another reply");
    correct(house, second, Correction::Other).await;
    goes_on(&house.enrollment(g.id).await);

    let id = replied(house, &g.mail, "Unsubscribe").await;
    message(house, &g.mail, Reaction::Complaint).await;
    correct(house, id, Correction::Other).await;
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.opted_out), (Some(Finish::OptedOut), true), "a complaint came too");
    assert_eq!(suppressed(house).await, ["grace@example.test"]);
    house.audit(g.sequence).await;
}

async fn what_was_noted_since_ends_it_in_its_place(house: &House) {
    let g = grace(house, "").await;
    let id = message(house, &g.mail, Reaction::Bounce { kind: BounceKind::Hard }).await;
    message(house, &g.mail, Reaction::Complaint).await;
    let done = correct(house, id, Correction::Other).await;
    assert_eq!(done.allowed, 0, "the complaint keeps the address on the list, whoever put it there");
    assert_eq!(suppressed(house).await, ["grace@example.test"]);
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.bounced), (Some(Finish::OptedOut), false));
    house.audit(g.sequence).await;
}

async fn a_bounce_for_now_that_was_none_is_not_sent_again(house: &House) {
    let g = grace(house, "").await;
    let id = message(house, &g.mail, Reaction::Bounce { kind: BounceKind::Soft }).await;
    let e = house.enrollment(g.id).await;
    assert_eq!(e.place.as_ref().map(|p| p.step.to_string()).as_deref(), Some("intro"), "tried again");
    correct(house, id, Correction::Other).await;
    let e = house.enrollment(g.id).await;
    goes_on(&e);
    assert_eq!((e.soft_bounces, e.bounced), (0, false));
    correct(house, id, Correction::Bounce { bounce: Severity::Soft }).await;
    assert_eq!(house.enrollment(g.id).await.soft_bounces, 1);
    house.audit(g.sequence).await;
}

async fn a_newer_enrollment_is_not_overtaken(house: &House) {
    let g = grace(house, "").await;
    let id = replied(house, &g.mail, "Thanks.").await;
    let subjects = vec![Subject::Contact(g.contact)];
    let again = enrollments::enroll(&house.app, &house.caller, g.sequence, subjects, Again::Said).await.unwrap();
    assert!(again[0].1.is_ok());
    let refused = replies::correct(&house.app, &house.caller, id, Correction::Other).await.unwrap_err();
    assert!(matches!(refused, ActionError::Refused { code: "newer_live_enrollment", .. }), "{refused:?}");
    let now = replies::see(&house.app, &house.caller, id).await.unwrap();
    assert_eq!((now.class, now.corrected_by), (Class::Reply, None), "nothing was done");
}

async fn an_unmatched_message_is_given_to_somebody(house: &House) {
    let g = grace(house, "").await;
    let raw = "From: Grace Hopper <grace@elsewhere.test>\nTo: ada@sandbox.invalid\nSubject: Your mail\n\
               Message-ID: <n1@elsewhere.test>\n\nWrite to me here, please.\n";
    let raw = raw.replace('\n', "\r\n").into_bytes();
    let received = receive(&house.app, house.w, Source::Http, raw, house.now()).await.unwrap();
    house.later(Span::minutes(1));
    assert_eq!(received.matched_by, None);
    goes_on(&house.enrollment(g.id).await);
    let whose = Whose::Subject(Subject::Contact(g.contact));
    let done = replies::give(&house.app, &house.caller, received.id.unwrap(), whose).await.unwrap();
    assert_eq!((done.message.matched_by, done.message.enrollment), (Some(MatchedBy::Hand), Some(g.id)));
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Replied));
    // To somebody else after all: it is taken back here.
    house.later(Span::minutes(1));
    let other = house.contact(&["other@example.test"], |_| ()).await;
    let whose = Whose::Subject(Subject::Contact(other));
    let done = replies::give(&house.app, &house.caller, received.id.unwrap(), whose).await.unwrap();
    assert_eq!((done.enrollments.len(), done.message.enrollment), (0, None));
    goes_on(&house.enrollment(g.id).await);
    let nobody = Whose::Enrollment(EnrollmentId(7));
    let refused = replies::give(&house.app, &house.caller, received.id.unwrap(), nobody).await.unwrap_err();
    assert!(matches!(refused, ActionError::Invalid { .. }), "{refused:?}");
    house.audit(g.sequence).await;
}

async fn a_message_is_handed_over_and_handled(house: &House) {
    let g = grace(house, "").await;
    let id = replied(house, &g.mail, "Thanks.").await;
    let (app, caller) = (&house.app, &house.caller);
    let m = replies::assign(app, caller, id, None).await.unwrap();
    assert_eq!((m.assigned_to, m.handled_at), (None, None));
    let m = replies::assign(app, caller, id, Some(caller.user)).await.unwrap();
    assert_eq!(m.assigned_to, Some(caller.user));
    let nobody = replies::assign(app, caller, id, Some(cadenza_core::ids::UserId(7))).await.unwrap_err();
    assert!(matches!(nobody, ActionError::Invalid { .. }), "{nobody:?}");
    let m = replies::handle(app, caller, id, Done::Yes).await.unwrap();
    let first = m.handled_at.unwrap();
    house.later(Span::minutes(1));
    assert_eq!(replies::handle(app, caller, id, Done::Yes).await.unwrap().handled_at, Some(first));
    assert_eq!(replies::handle(app, caller, id, Done::No).await.unwrap().handled_at, None);
    let noted = house.int("SELECT count(*) FROM audit WHERE action LIKE 'message.%'", &[]).await;
    assert_eq!(noted, 5);
}

async fn a_thread_shows_what_was_sent_and_what_came(house: &House) {
    let g = grace(house, "reply = \"go_on\"").await;
    let id = replied(house, &g.mail, "Tell me more.").await;
    house.later(Span::days(3));
    house.mails("grace@example.test", 2).await;
    let thread = replies::thread(&house.app, &house.caller, id).await.unwrap();
    assert_eq!(thread.enrollments.iter().map(|l| l.enrollment.id).collect::<Vec<_>>(), [g.id]);
    let [intro, reply, follow] = thread.items.as_slice() else { panic!("{:#?}", thread.items) };
    let sent = |item: &Item, visit| assert_eq!(item.of, ItemOf::Sent { visit, unknown: false });
    sent(intro, 1);
    assert_eq!(intro.subject, "Hello Grace");
    assert!(intro.text.contains("https://example.com/jobs"), "{}", intro.text);
    assert_eq!(reply.of, ItemOf::Received { id, class: Class::Reply });
    assert!(reply.text.starts_with("Tell me more."), "{}", reply.text);
    assert!(reply.whole.as_ref().is_some_and(|whole| whole.contains("example.com/jobs")), "{reply:#?}");
    sent(follow, 2);
    assert_eq!(follow.subject, "Re: Hello Grace");
    // It walked to its end meanwhile: to take the reply back changes nothing of that.
    correct(house, id, Correction::Other).await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Completed));
}

/// The states of all answers, in order.
async fn answers(house: &House) -> Vec<String> {
    house
        .read(|q| {
            let rows = q.query("SELECT state FROM answer ORDER BY id", &[])?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
        })
        .await
}

async fn an_answer_goes_out_once_in_the_thread(house: &House) {
    let g = grace(house, "own_mail = \"end\"\nreply = \"go_on\"").await;
    let id = replied(house, &g.mail, "Tell me more.").await;
    let prepared = replies::prepare(&house.app, &house.caller, id).await.unwrap().unwrap();
    assert_eq!((prepared.to.as_str(), prepared.subject.as_str()), ("grace@example.test", "Re: Hello Grace"));
    let empty = replies::answer(&house.app, &house.caller, id, "Re: Hello", " ").await.unwrap_err();
    assert!(matches!(empty, ActionError::Invalid { .. }), "{empty:?}");
    let answer = replies::answer(&house.app, &house.caller, id, "Re: Hello Grace", "Thursday at ten?").await.unwrap();
    let mail = house.mails("grace@example.test", 2).await.remove(1);
    assert_eq!(mail.row.message_id, answer.message_id);
    let raw = mail.raw.replace("\r\n ", " ");
    assert!(raw.contains("Subject: Re: Hello Grace"), "{raw}");
    assert!(raw.contains("Thursday at ten?"), "{raw}");
    let thread = raw.lines().find(|l| l.starts_with("References: ")).unwrap();
    assert!(thread.contains(&g.mail.row.message_id), "{thread}");
    let answered = raw.lines().find_map(|l| l.strip_prefix("In-Reply-To: ")).unwrap();
    assert!(thread.ends_with(answered.trim()), "{answered} is the last of {thread}");
    house.wait_for("the answer to be settled", |q| q.query_opt("SELECT 1 FROM answer WHERE state = 'sent'", &[])).await;
    let message = replies::see(&house.app, &house.caller, id).await.unwrap();
    assert!(message.handled_at.is_some(), "whoever answers has handled it");
    // It is the user's own mail in the thread, which here ends the sequence (REC-10).
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Rule));
    // Its copy in a Sent folder is known, and not taken for another.
    let copy = receive(&house.app, house.w, Source::Http, mail.raw.clone().into_bytes(), house.now()).await.unwrap();
    assert_eq!((copy.id, copy.class), (None, Class::OwnMail));
    let thread = replies::thread(&house.app, &house.caller, id).await.unwrap();
    let last = thread.items.last().unwrap();
    assert!(matches!(last.of, ItemOf::Answer { by, .. } if by == house.caller.user), "{last:#?}");
    house.mails("grace@example.test", 2).await;
    house.audit(g.sequence).await;
}

async fn an_answer_waits_for_its_mailbox_and_never_goes_to_a_suppressed_address(house: &House) {
    use cadenza::actions::mailboxes;
    let g = grace(house, "reply = \"go_on\"").await;
    let id = replied(house, &g.mail, "Tell me more.").await;
    let from = replies::prepare(&house.app, &house.caller, id).await.unwrap().unwrap().from.id;
    mailboxes::hold(&house.app, &house.caller, from, "a look").await.unwrap();
    replies::answer(&house.app, &house.caller, id, "Re: Hello", "One moment.").await.unwrap();
    house
        .wait_for("the answer to be put off", |q| q.query_opt("SELECT 1 FROM answer WHERE words LIKE '%held%'", &[]))
        .await;
    assert_eq!(answers(house).await, ["queued"]);
    // While it waits, the person asks to be left alone.
    message(house, &g.mail, Reaction::Complaint).await;
    mailboxes::release(&house.app, &house.caller, from).await.unwrap();
    house.later(Span::minutes(5));
    house
        .wait_for("the answer to be refused", |q| q.query_opt("SELECT 1 FROM answer WHERE state = 'refused'", &[]))
        .await;
    house.mails("grace@example.test", 1).await;
    let refused = replies::answer(&house.app, &house.caller, id, "Re: Hello", "Still there?").await.unwrap_err();
    assert!(matches!(refused, ActionError::Refused { code: "suppressed", .. }), "{refused:?}");
}

/// An answer that went out, and of which nobody knows it any more, as after a line that was lost with the final dot.
async fn answered_and_unknown(house: &House, id: MessageId) -> Answer {
    let answer = replies::answer(&house.app, &house.caller, id, "Re: Hello", "Thursday at ten?").await.unwrap();
    let own = answer.id.0;
    let sent = "SELECT 1 FROM answer WHERE id = $1 AND state = 'sent'";
    house.wait_for("the answer to be settled", move |q| q.query_opt(sent, &[own.into()])).await;
    let forget = "UPDATE answer SET state = 'unknown', words = 'the line was lost' WHERE id = $1";
    house.write(move |tx| tx.exec(forget, &[own.into()])).await;
    answer
}

async fn an_answer_that_may_have_arrived_is_settled_by_a_person(house: &House) {
    let g = grace(house, "reply = \"go_on\"").await;
    let id = replied(house, &g.mail, "Tell me more.").await;
    let answer = answered_and_unknown(house, id).await;
    let settle = async |word| replies::settle(&house.app, &house.caller, id, answer.id, word).await;
    let thread = replies::thread(&house.app, &house.caller, id).await.unwrap();
    let last = thread.items.last().unwrap();
    assert!(matches!(last.of, ItemOf::Answer { state: State::Unknown, .. }), "{last:#?}");
    assert_eq!(last.words.as_deref(), Some("the line was lost"));

    let wrong = settle("perhaps").await.unwrap_err();
    assert!(matches!(wrong, ActionError::Invalid { .. }), "{wrong:?}");
    assert_eq!(settle("send_again").await.unwrap().state, State::Queued);
    let twice = house.mails("grace@example.test", 3).await;
    assert_eq!(twice[1].row.message_id, twice[2].row.message_id, "whoever has it already can tell");
    assert_eq!(twice[1].raw, twice[2].raw);
    house.wait_for("it to be settled", |q| q.query_opt("SELECT 1 FROM answer WHERE state = 'sent'", &[])).await;
    let known = settle("send_again").await.unwrap_err();
    assert!(matches!(known, ActionError::Refused { code: "not_unknown", .. }), "{known:?}");
    assert_eq!(answers(house).await, ["sent"]);

    let other = answered_and_unknown(house, id).await;
    let settled = replies::settle(&house.app, &house.caller, id, other.id, "mark_sent").await.unwrap();
    assert_eq!((settled.state, settled.words), (State::Sent, None));
    let elsewhere = replies::settle(&house.app, &house.caller, MessageId(1), other.id, "mark_sent").await.unwrap_err();
    assert!(matches!(elsewhere, ActionError::Missing { .. }), "{elsewhere:?}");
    house.mails("grace@example.test", 4).await;
    house.audit(g.sequence).await;
}

async fn an_answer_that_may_have_arrived_is_settled_by_what_comes_back(house: &House) {
    let g = grace(house, "reply = \"go_on\"\nown_mail = \"end\"").await;
    let id = replied(house, &g.mail, "Tell me more.").await;
    let answer = answered_and_unknown(house, id).await;
    let (again, copy) = (house.mails("grace@example.test", 2).await.remove(1), Source::Http);
    let note = format!(
        "From: Grace <grace@example.test>\r\nTo: ada@example.test\r\nSubject: Re: Hello\r\nMessage-ID: <b@example.test>\r\n\
         In-Reply-To: <{}>\r\n\r\nThursday is fine.\r\n",
        again.row.message_id
    );
    assert_eq!(again.row.message_id, answer.message_id);
    receive(&house.app, house.w, copy, note.into_bytes(), house.now()).await.unwrap();
    assert_eq!(answers(house).await, ["sent"]);
    // What she answers to is the user's own mail, and the last that is known of it is that it was read.
    let other = answered_and_unknown(house, id).await;
    let mail = house.mails("grace@example.test", 3).await.remove(2);
    assert_eq!(mail.row.message_id, other.message_id);
    receive(&house.app, house.w, copy, mail.raw.into_bytes(), house.now()).await.unwrap();
    assert_eq!(answers(house).await, ["sent", "sent"], "its copy in a Sent folder proves it");
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Rule));
    house.audit(g.sequence).await;
}
