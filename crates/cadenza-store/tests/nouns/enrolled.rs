//! The views of the core and the same views told in SQL.

use crate::world::{World, at, flow, person};
use cadenza_core::enrollment::{
    BlockReason, Enrollment, Finish, Hold, Holds, Life, Mark, Phase, Place, Released, SequenceState, Subject,
};
use cadenza_core::flow::Verdict;
use cadenza_core::ids::{ContactId, EnrollmentId, SequenceId};
use cadenza_core::pacing::mix;
use cadenza_core::time::Span;
use cadenza_core::views::{Stage, StatusReason};
use cadenza_store::contacts::{self, Contact, Filter, InSequences};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::sequences;
use std::collections::{BTreeSet, HashMap};

/// Draws from a hash, so that a failure repeats.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = mix(self.0);
        self.0 % n
    }
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
    fn day(&mut self) -> Option<cadenza_core::time::Time> {
        let n = self.below(8) as i64;
        (n > 2).then(|| at(0) - Span::days(n - 2))
    }
}

fn any(draw: &mut Draw, id: i64, sequence: SequenceId, world: &World) -> Enrollment {
    let subject = Subject::Contact(ContactId(id));
    let mut e = Enrollment::new(EnrollmentId(id), sequence, subject, 1, world.user, at(0) - Span::days(30));
    e.life = draw.one(&[Life::Pending, Life::Running, Life::Running, Life::Finished, Life::Finished, Life::Removed]);
    if draw.below(3) == 0 {
        e.holds = (0..draw.below(3)).fold(Holds::NONE, |h, _| h.with(draw.one(Hold::ALL)));
    }
    if draw.below(5) == 0 {
        e.block = Some(draw.one(BlockReason::ALL));
    }
    if e.life == Life::Finished || (e.life == Life::Removed && draw.below(2) == 0) {
        e.finish = Some(draw.one(Finish::ALL));
        e.finished_at = Some(at(0) - Span::days(2));
    }
    e.visits = draw.below(3) as u32;
    if e.life == Life::Running || draw.below(2) == 0 {
        e.place = Some(Place {
            branch: "main".parse().unwrap(),
            step: "intro".parse().unwrap(),
            visit: e.visits,
            base: at(0),
            delay: None,
            due: at(0),
            phase: Phase::Waiting,
            released: Released::No,
            attempt: 0,
            tries: 0,
            not_before: None,
        });
    }
    e.outcome = draw.one(&[Verdict::None, Verdict::None, Verdict::None, Verdict::Positive, Verdict::Negative]);
    e.mark = draw.one(&[None, None, None, None, Some(Mark::Success), Some(Mark::OptedOut), Some(Mark::Bounced)]);
    e.opted_out = draw.below(9) == 0;
    e.bounced = draw.below(9) == 0;
    e.steps_executed = draw.below(3) as u32;
    e.steps_at_last_email = draw.below(3) as u32;
    e.last_email_at = draw.day();
    e.first_reply_at = draw.day();
    e.last_reply_at = draw.day();
    e
}

pub fn stage_and_status_agree_with_the_core(world: &World) {
    let mut draw = Draw(4711);
    let mut expected: HashMap<String, BTreeSet<ContactId>> = HashMap::new();
    for state in [SequenceState::Active, SequenceState::Paused] {
        let mut sequence = world.sequence(state.as_str(), &flow(&["intro email_auto"]));
        sequence.state = state;
        world.write(|tx| sequences::update(tx, world.w, &sequence, at(0)));
        let drawn: Vec<Enrollment> = (0..1_000).map(|_| any(&mut draw, world.id(), sequence.id, world)).collect();
        let people: Vec<Contact> =
            drawn.iter().map(|e| person(ContactId(e.id.0), &format!("Contact {}", e.id.0), "")).collect();
        world.write(|tx| contacts::insert(tx, world.w, &people));
        world.enrollments(&drawn, state);
        for (e, contact) in drawn.iter().zip(&people).filter(|(e, _)| e.life != Life::Removed) {
            let stage = e.stage(state, sequence.settings.unresponsive_days, at(0));
            expected.entry(format!("stage {stage}")).or_default().insert(contact.id);
            let status = e.status_reason(state).unwrap();
            expected.entry(format!("status {status}")).or_default().insert(contact.id);
        }
    }
    let find = |enrolled: Enrolled| {
        let filter = Filter { sequences: InSequences::Some(enrolled), ..Filter::default() };
        let ids = world.read(|q| contacts::ids(q, world.w, &filter, None, 10_000, at(0)));
        ids.into_iter().collect::<BTreeSet<_>>()
    };
    let ever = || Enrolled { when: When::Ever, ..Enrolled::default() };
    for stage in Stage::ALL {
        let wanted = expected.remove(&format!("stage {stage}")).unwrap_or_default();
        assert!(wanted.len() > 3, "too few {stage} to tell");
        assert_eq!(find(Enrolled { stages: vec![*stage], ..ever() }), wanted, "{stage}");
    }
    for status in StatusReason::ALL {
        let wanted = expected.remove(&format!("status {status}")).unwrap_or_default();
        assert!(wanted.len() > 3, "too few {status} to tell");
        assert_eq!(find(Enrolled { statuses: vec![*status], ..ever() }), wanted, "{status}");
    }
    assert!(expected.is_empty(), "{:?}", expected.keys());
}
