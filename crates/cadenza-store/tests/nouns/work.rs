//! Jobs, idempotent answers, webhooks.

use crate::world::{World, at};
use cadenza_core::ids::{DeliveryId, JobId, UserId, WebhookId};
use cadenza_store::StoreError;
use cadenza_store::idempotency::{self, Known, Request};
use cadenza_store::jobs::{self, Failure, JobState, NewJob, Progress};
use cadenza_store::webhooks::{self, Delivery, Webhook, WebhookState};
use serde_json::json;

fn job(world: &World, id: i64) -> JobId {
    let new = NewJob {
        id: JobId(id),
        kind: "enroll".into(),
        user: world.user,
        input: json!({ "list": "lst_1" }),
        total: Some(5),
    };
    world.write(|tx| jobs::create(tx, world.w, &new, at(id)));
    new.id
}

pub fn a_job_is_taken_by_one_and_goes_on_where_it_stood(world: &World) {
    let (first, second) = (job(world, 1), job(world, 2));
    let claim = |now, until| world.write(|tx| jobs::claim(tx, at(now), at(until)));
    let (w, taken) = claim(10, 20).unwrap();
    assert_eq!((w, taken.id, taken.state, taken.position), (world.w, first, JobState::Running, 0));
    assert_eq!(taken.started_at, Some(at(10)));
    assert_eq!(claim(11, 21).map(|(_, j)| j.id), Some(second));
    assert_eq!(claim(12, 22), None, "both are taken");
    let failure = Failure {
        position: 3,
        subject: "Anna".into(),
        code: "already_enrolled".into(),
        why: "Anna is in Spring.".into(),
    };
    let progress = Progress { position: 3, done: 2, failures: vec![failure.clone()] };
    world.write(|tx| jobs::note(tx, world.w, first, 0, &progress, at(30)));
    let error = world.refused(|tx| jobs::note(tx, world.w, first, 0, &progress, at(30)));
    assert!(matches!(error, StoreError::Contention { .. }), "twice is refused: {error}");
    assert_eq!(claim(30, 40).map(|(_, j)| j.id), Some(first), "whoever had it is gone");
    let now = world.read(|q| jobs::get(q, world.w, first));
    assert_eq!((now.position, now.done, now.failed, now.started_at), (3, 2, 1, Some(at(10))));
    assert_eq!(world.read(|q| jobs::failures(q, world.w, first, 0, 9)), [failure]);
    assert_eq!(world.read(|q| jobs::failures(q, world.w, first, 3, 9)), []);
    world.write(|tx| jobs::finish(tx, world.w, first, None, at(50)));
    let now = world.read(|q| jobs::get(q, world.w, first));
    assert_eq!((now.state, now.finished_at, now.claimed_until), (JobState::Finished, Some(at(50)), None));
    assert_eq!(claim(60, 70).map(|(_, j)| j.id), Some(second));
}

pub fn a_job_that_is_over_stays_as_it_is(world: &World) {
    let id = job(world, 1);
    assert!(world.write(|tx| jobs::cancel(tx, world.w, id, at(5))));
    assert!(!world.write(|tx| jobs::cancel(tx, world.w, id, at(6))));
    world.write(|tx| jobs::finish(tx, world.w, id, Some("late"), at(7)));
    let job = world.read(|q| jobs::get(q, world.w, id));
    assert_eq!((job.state, job.failure, job.finished_at), (JobState::Cancelled, None, Some(at(5))));
    assert!(job.state.is_over());
    assert_eq!(world.write(|tx| jobs::claim(tx, at(9), at(10))), None);
    assert_eq!(world.read(|q| jobs::list(q, world.w, Some(world.user), 9)).len(), 1);
    assert_eq!(world.read(|q| jobs::list(q, world.w, Some(UserId(77)), 9)).len(), 0);
    assert!(matches!(world.refused(|tx| jobs::cancel(tx, world.other, id, at(1))), StoreError::Missing { .. }));
}

pub fn an_answer_is_given_once(world: &World) {
    let asked =
        |caller, key: &str, fingerprint: &str| Request { caller, key: key.into(), fingerprint: fingerprint.into() };
    let claim = |r: &Request, now| world.write(|tx| idempotency::claim(tx, world.w, r, at(now - 100), at(now)));
    let first = asked(10, "key", "f");
    assert_eq!(claim(&first, 0), Known::New);
    assert_eq!(claim(&first, 1), Known::UnderWay { fingerprint: "f".into() });
    world.write(|tx| idempotency::answer(tx, world.w, &first, 201, "{}"));
    let answered = Known::Answered { fingerprint: "f".into(), status: 201, answer: "{}".into() };
    assert_eq!(claim(&first, 2), answered);
    assert_eq!(claim(&asked(10, "key", "other"), 2), answered, "the caller compares the fingerprints");
    assert_eq!(claim(&asked(11, "key", "f"), 2), Known::New, "another caller's key is another");
    world.write(|tx| idempotency::give_up(tx, world.w, &asked(11, "key", "f")));
    assert_eq!(claim(&asked(11, "key", "f"), 2), Known::New, "given up");
    assert_eq!(claim(&first, 100), answered, "kept as long as was asked");
    assert_eq!(claim(&first, 101), Known::New, "and no longer");
    let elsewhere = world.write(|tx| idempotency::claim(tx, world.other, &first, at(0), at(101)));
    assert_eq!(elsewhere, Known::New);
}

pub fn a_webhook_is_told_until_it_answers(world: &World) {
    let mut hook = Webhook {
        id: WebhookId(1),
        url: "https://hooks.test/x".into(),
        events: vec!["sent".into()],
        secret: vec![9, 9],
        old_secret: None,
        state: WebhookState::On,
        created_at: at(0),
    };
    world.write(|tx| webhooks::save(tx, world.w, &hook));
    hook.old_secret = Some(vec![9, 9]);
    hook.secret = vec![7, 7];
    world.write(|tx| webhooks::save(tx, world.w, &hook));
    assert_eq!(world.read(|q| webhooks::get(q, world.w, hook.id)), hook);
    assert_eq!(world.read(|q| webhooks::all(q, world.w)).len(), 1);
    let delivery = |n: i64, next| Delivery {
        id: DeliveryId(n),
        webhook: hook.id,
        event: "sent".into(),
        payload: "{\"a\": 1}".into(),
        created_at: at(0),
        next_at: Some(at(next)),
        tries: 0,
        answer: None,
        delivered_at: None,
    };
    world.write(|tx| webhooks::tell(tx, world.w, &[delivery(1, 5), delivery(2, 3)]));
    let due = |now| world.read(|q| webhooks::due(q, at(now), 9));
    assert_eq!(due(5), [(world.w, delivery(2, 3)), (world.w, delivery(1, 5))]);
    world.write(|tx| {
        webhooks::note(tx, world.w, DeliveryId(2), "503", None, Some(at(60)))?;
        webhooks::note(tx, world.w, DeliveryId(1), "200", Some(at(6)), None)
    });
    assert_eq!(due(59), []);
    assert_eq!(due(60).iter().map(|(_, d)| (d.id.0, d.tries)).collect::<Vec<_>>(), [(2, 1)]);
    world.write(|tx| webhooks::replay(tx, world.w, DeliveryId(1), at(61)));
    assert_eq!(due(61).len(), 2);
    let told = |before| world.read(|q| webhooks::deliveries(q, world.w, hook.id, before, 9)).len();
    assert_eq!((told(None), told(Some(DeliveryId(2)))), (2, 1));
    world.write(|tx| webhooks::delete(tx, world.w, hook.id));
    assert_eq!(due(99), []);
}
