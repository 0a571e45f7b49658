//! What a condition asks for beside its way on: done after the commit, once.

use super::house::House;
use super::on_both;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::ListId;
use cadenza_core::machine::{Event, Incoming};
use cadenza_core::time::Span;
use cadenza_store::lists::{self, List};
use cadenza_store::sequences::SubjectType;

on_both! {
    a_reply_sets_everything_in_motion
    what_cannot_be_done_is_kept_with_its_reason
}

const WITH_SIDES: &str = r#"
name = "With side actions"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello"
text = "A letter."
[[branch.step.on]]
when = "replied"
within = "3 days"
then = "end:positive"
also = [
  { add_to_list = "Replied" },
  { enroll = "After the reply" },
  { set_field = "next_contact", value = "soon" },
  { add_task = "Answer within the day", instructions = "They replied." },
  { notify = "ada@agency.example", message = "A reply came in." },
]
[[branch.step.on]]
when = "nothing"
then = "end"
"#;

async fn list(house: &House, name: &'static str) -> ListId {
    let list = List {
        id: ListId(house.app.next_id()),
        name: name.into(),
        of: SubjectType::Contacts,
        owner: Some(house.user),
        created_at: house.clock.now(),
    };
    let (w, id) = (house.workspace, list.id);
    house.write(move |tx| lists::create(tx, w, &list)).await;
    id
}

async fn a_reply_sets_everything_in_motion(mut house: House) {
    house.start().await;
    let replied = list(&house, "Replied").await;
    let after = WITH_SIDES.split("[[branch.step.on]]").next().unwrap().replace("With side actions", "After the reply");
    let after = house.sequence(&after).await;
    let (sequence, id) = house.one(WITH_SIDES).await;
    house.rest().await;
    house.put(id, Event::Reply { channel: Incoming::Email, visit: Some(1) }).await.unwrap();
    house.rest().await;
    let Subject::Contact(contact) = house.enrollment(id).await.subject else { unreachable!() };
    let w = house.workspace;
    let (members, contact) = house
        .app
        .db
        .read_async(move |q| {
            Ok((lists::members(q, w, replied, None, 10)?, cadenza_store::contacts::get(q, w, contact)?))
        })
        .await
        .unwrap();
    assert_eq!(members, [contact.id.0]);
    assert_eq!(contact.custom.get("next_contact").and_then(|v| v.as_str()), Some("soon"));
    assert_eq!(house.int("SELECT COUNT(*) FROM task WHERE name = 'Answer within the day'", &[]).await, 1);
    assert_eq!(house.int("SELECT COUNT(*) FROM task WHERE name = 'A reply came in.'", &[]).await, 1);
    assert_eq!(house.sandbox().await.len(), 2, "the second sequence has begun");
    // Nothing is done twice, whatever happens afterwards.
    house.put(id, Event::Reply { channel: Incoming::Email, visit: Some(1) }).await.unwrap();
    house.kill().await;
    house.start().await;
    house.ahead(Span::days(1)).await;
    assert_eq!(house.int("SELECT COUNT(*) FROM task", &[]).await, 2);
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment", &[]).await, 2);
    house.audit(sequence).await;
    house.audit(after).await;
}

async fn what_cannot_be_done_is_kept_with_its_reason(mut house: House) {
    house.start().await;
    let (sequence, id) = house.one(WITH_SIDES).await;
    house.rest().await;
    house.put(id, Event::Reply { channel: Incoming::Email, visit: Some(1) }).await.unwrap();
    house.rest().await;
    let failed = "SELECT COUNT(*) FROM side_effect WHERE failure IS NOT NULL AND done_at IS NULL";
    assert_eq!(house.int(failed, &[]).await, 2, "no such list, no such sequence");
    assert_eq!(house.int("SELECT COUNT(*) FROM task", &[]).await, 2, "and the others are done all the same");
    house.audit(sequence).await;
}
