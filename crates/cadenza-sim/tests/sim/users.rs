//! The users of the two workspaces: they enroll, pause, resume, stop and mend, do their tasks, keep lists, pause and end
//! sequences. What they are refused is refused; the checkers see to the rest.

use crate::breach::Held;
use crate::house::{USERS, WORKSPACES, list_of, subject_of};
use crate::plant::Plant;
use crate::world::{Happening, Told, World};
use cadenza_core::enrollment::{BlockReason, Enrollment, Finish, Hold, Life, Mark, Phase, SequenceState, Subject};
use cadenza_core::flow::{Outcome, StepKind};
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Answer, Correctable, DueChoice, Event, Otherwise, Refusal, StopReason, Target};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, Again, Enrolled, Mended, Put};
use cadenza_store::mailboxes;
use cadenza_store::sequences::{self, EndedBy, SubjectType};
use cadenza_store::suppression::{self, Suppress, Why};

/// Tasks done at one sitting.
const TASKS: i64 = 300;

fn by(user: UserId) -> (UserId, Actor) {
    (user, Actor::User(user))
}

impl World {
    /// Somebody may do something.
    pub fn users(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        let (least, most) = if self.scenario.plain { (20, 60) } else { (15, 90) };
        let next = self.chance.span(Span::minutes(least), Span::minutes(most));
        self.happens(next, Happening::Users);
        if !self.node.is_up {
            return Ok(());
        }
        if self.scenario.plain {
            self.enroll_in_turn()?;
        }
        if !self.node.is_up || !self.chance.percent(self.scenario.users) {
            return Ok(());
        }
        let w = *self.chance.pick(&WORKSPACES);
        match self.chance.below(100) {
            0..=27 => self.enroll_some(w),
            28..=79 => self.do_to_one(w),
            80..=87 => self.keep_list(w),
            88..=92 => self.turn_sequence(w),
            93 | 94 => {
                let id = self.some_sequence(w);
                self.edit(w, id)
            }
            95 | 96 => self.release_mailbox(w),
            97 => self.readdress(w),
            98 => self.silence_by_hand(w),
            _ => self.hold_mailbox(w),
        }
    }

    fn some_sequence(&mut self, w: WorkspaceId) -> SequenceId {
        let all: Vec<SequenceId> = self.truth.courses.keys().filter(|(of, _)| *of == w).map(|(_, id)| *id).collect();
        *self.chance.pick(&all)
    }

    // --- enrolling ---

    /// A large group after the other, until everybody is in.
    fn enroll_in_turn(&mut self) -> Held<()> {
        for w in WORKSPACES {
            for n in 0..self.scenario.sequences {
                let sequence = SequenceId(100 + n as i64);
                let from = self.enrolled.get(&(w, sequence)).copied().unwrap_or(0);
                let to = (from + 250).min(self.scenario.people as i64);
                if from == to || !self.node.is_up {
                    continue;
                }
                self.enrolled.insert((w, sequence), to);
                let subjects = (from + 1..=to).map(|n| subject_of(SubjectType::Contacts, n)).collect();
                self.enroll(w, sequence, subjects, Again::NotSaid)?;
            }
        }
        Ok(())
    }

    fn enroll_some(&mut self, w: WorkspaceId) -> Held<()> {
        let sequence = self.some_sequence(w);
        let companies = self.truth.course(w, sequence).of_companies;
        let (of, most) = match companies {
            true => (SubjectType::Companies, self.house.companies.len() as u64 / 2),
            false => (SubjectType::Contacts, self.scenario.people as u64),
        };
        let count = 1 + self.chance.below(6);
        let subjects = (0..count).map(|_| subject_of(of, 1 + self.chance.below(most) as i64)).collect();
        let again = if self.chance.percent(30) { Again::Said } else { Again::NotSaid };
        self.enroll(w, sequence, subjects, again)
    }

    fn enroll(&mut self, w: WorkspaceId, sequence: SequenceId, subjects: Vec<Subject>, again: Again) -> Held<()> {
        let (now, user) = (self.now, *self.chance.pick(&USERS));
        let said = if self.scenario.is(Plant::EnrollsAgain) { Again::Said } else { again };
        // Several of one person in one call, and each of them once in the answer.
        let mut subjects = subjects;
        if self.chance.one_in(9)
            && let Some(first) = subjects.first().copied()
        {
            subjects.push(first);
        }
        self.commit(
            "enroll",
            move |door, tx| door.enroll(tx, w, sequence, &subjects, by(user), said, now),
            |world, answers| world.note_enrolled(w, sequence, answers, again),
        )
        .map(drop)
    }

    fn note_enrolled(&mut self, w: WorkspaceId, sequence: SequenceId, answers: &[Enrolled], again: Again) -> Held<()> {
        self.trace.line(self.now, format_args!("enroll {} into {}", answers.len(), sequence.0));
        for (subject, answer) in answers {
            let Ok(id) = answer else { continue };
            let new = !self.shadows.knows(w, *id);
            let before = self
                .shadows
                .enrollments(w, *subject)
                .iter()
                .any(|id| self.shadows.of.get(&(w, *id)).is_some_and(|s| s.e.sequence == sequence));
            if new && before && again == Again::Said {
                self.truth.allow(w, *subject, sequence);
            }
        }
        let ids = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok().copied()).collect();
        self.note_ids(w, ids)
    }

    // --- one enrollment ---

    fn do_to_one(&mut self, w: WorkspaceId) -> Held<()> {
        let Some(id) = self.somebody(w) else { return Ok(()) };
        let e = self.shadows.of[&(w, id)].e.clone();
        let Some(event) = self.something_for(w, &e) else { return Ok(()) };
        self.put_by_user(w, id, event)
    }

    /// Somebody, rather one who needs a person.
    fn somebody(&mut self, w: WorkspaceId) -> Option<EnrollmentId> {
        if self.shadows.of_workspace(w).is_empty() {
            return None;
        }
        for _ in 0..6 {
            let id = *self.chance.pick(self.shadows.of_workspace(w));
            let e = &self.shadows.of.get(&(w, id))?.e;
            let lost = self.truth.stories.get(&(w, id)).is_some_and(|s| s.is_lost);
            let needs = e.block.is_some() || !e.holds.is_empty();
            if !lost && (needs || self.chance.percent(40)) {
                return Some(id);
            }
        }
        None
    }

    fn something_for(&mut self, w: WorkspaceId, e: &Enrollment) -> Option<Event> {
        if e.block.is_some() && e.is_live() && self.chance.percent(70) {
            return Some(match e.block {
                Some(BlockReason::DeliveryUnknown) => match self.chance.below(3) {
                    0 => Event::MarkSent,
                    1 => Event::SendAgain,
                    _ => Event::Skip,
                },
                _ if self.chance.percent(70) => Event::Retry,
                _ => Event::Skip,
            });
        }
        if !e.holds.is_empty() && e.is_live() && self.chance.percent(70) {
            return Some(if e.holds.has(Hold::Overdue) && self.chance.percent(50) {
                Event::Release
            } else {
                Event::Resume
            });
        }
        if !e.is_live() && self.chance.percent(80) {
            return Some(match (e.life, e.finish) {
                (Life::Removed, _) => return None,
                (_, Some(Finish::Judged)) if self.chance.percent(60) => Event::UndoMark,
                (_, Some(Finish::Replied)) if self.chance.percent(40) => take_back(Correctable::Reply, e.finished_at),
                (_, Some(Finish::Bounced)) if self.chance.percent(40) => take_back(Correctable::Bounce, e.finished_at),
                _ => {
                    let due = if self.chance.percent(50) { DueChoice::Old } else { DueChoice::Now };
                    Event::Reactivate { due }
                }
            });
        }
        let flow = self.truth.course(w, e.sequence).newest();
        let steps: Vec<_> = flow.steps().map(|s| s.key.clone()).collect();
        Some(match self.chance.below(24) {
            0..=4 => Event::Pause,
            5 => Event::Stop { reason: StopReason::Met },
            6 => Event::Stop { reason: StopReason::Answered },
            7 | 8 => Event::MarkStatus { mark: *self.chance.pick(Mark::ALL) },
            9 => Event::UndoMark,
            10 => Event::Skip,
            11 => Event::Jump { to: Target::Step(self.chance.pick(&steps).clone()) },
            12 => Event::Remove,
            13 if self.chance.percent(40) => Event::Erase,
            14 | 15 => Event::MoveNow { outside_window: Answer::Yes },
            16 => Event::MoveNow { outside_window: Answer::NotAsked },
            17 => Event::SetOwner { owner: self.chance.percent(50).then_some(USERS[1]) },
            18 | 19 => {
                Event::SetMailbox { mailbox: MailboxId(30 + self.chance.below(self.scenario.mailboxes as u64) as i64) }
            }
            20 => Event::Retry,
            21 => take_back(Correctable::OutOfOffice, None),
            22 => Event::Release,
            _ => Event::Resume,
        })
    }

    fn put_by_user(&mut self, w: WorkspaceId, id: EnrollmentId, event: Event) -> Held<()> {
        let put = Put { enrollment: id, event, actor: Actor::User(*self.chance.pick(&USERS)) };
        if let Told::Done(answers) = self.put("user", w, vec![put])? {
            self.hand_over(answers);
        }
        Ok(())
    }

    // --- tasks ---

    /// Users do the tasks they see.
    pub fn work(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        let next = if self.scenario.plain { Span::hours(2) } else { self.chance.span(Span::hours(2), Span::hours(9)) };
        self.happens(next, Happening::Work);
        for w in WORKSPACES {
            if !self.node.is_up {
                return Ok(());
            }
            self.do_tasks(w)?;
        }
        Ok(())
    }

    fn do_tasks(&mut self, w: WorkspaceId) -> Held<()> {
        let tasks: Vec<(EnrollmentId, u32, StepKind)> = self.read(|q| {
            let sql = "SELECT a.enrollment_id, a.visit, a.kind FROM activity a
                 JOIN enrollment e ON e.workspace_id = $1 AND e.id = a.enrollment_id AND e.visit = a.visit
                 WHERE a.workspace_id = $1 AND a.phase = 1 AND a.appeared_at IS NOT NULL AND e.life = 1
                   AND a.kind NOT IN ('email_auto', 'sms_auto') ORDER BY a.due_at, a.enrollment_id LIMIT $2";
            let rows = q.query(sql, &[w.into(), TASKS.into()])?;
            let kind = |row: &cadenza_store::Row| Ok(StepKind::named(row.text(2)?).unwrap());
            rows.iter().map(|row| Ok((EnrollmentId(row.int(0)?), row.int(1)? as u32, kind(row)?))).collect()
        })?;
        let mut puts = Vec::new();
        for (id, visit, kind) in tasks {
            if !self.scenario.plain && !self.chance.percent(50) {
                continue;
            }
            let writes = matches!(kind, StepKind::EmailManual | StepKind::SmsManual);
            if writes && self.chance.percent(60) {
                self.write_by_hand(w, id, visit)?;
                if !self.node.is_up {
                    return Ok(());
                }
                continue;
            }
            let outcome = self.some_outcome(w, id);
            puts.push(Put { enrollment: id, event: Event::MarkTask { visit, outcome }, actor: Actor::User(USERS[0]) });
        }
        if puts.is_empty() {
            return Ok(());
        }
        if let Told::Done(answers) = self.put("user", w, puts)? {
            self.hand_over(answers);
        }
        Ok(())
    }

    fn some_outcome(&mut self, w: WorkspaceId, id: EnrollmentId) -> Outcome {
        let Some(shadow) = self.shadows.of.get(&(w, id)) else { return Outcome::Done };
        let flow = self.truth.course(w, shadow.e.sequence).flow(shadow.e.flow_version);
        let place = shadow.e.place.as_ref().filter(|p| p.phase == Phase::Due);
        let menu = place.and_then(|p| flow?.spot(&p.step)).map(|s| s.step.mark_as()).unwrap_or_default();
        match menu.first() {
            // The first leads on.
            Some(first) if self.scenario.plain => first.clone(),
            Some(_) => self.chance.pick(&menu).clone(),
            None => Outcome::Done,
        }
    }

    fn write_by_hand(&mut self, w: WorkspaceId, id: EnrollmentId, visit: u32) -> Held<()> {
        let now = self.now;
        let put = Put { enrollment: id, event: Event::SendByHand { visit }, actor: Actor::User(USERS[0]) };
        let put2 = put.clone();
        let told = self.commit(
            "user",
            move |door, tx| door.send_by_hand(tx, w, &put2, r#"{"subject":"Hello","text":"By hand"}"#, now),
            |world, answer: &std::result::Result<door::Applied, Refusal>| {
                world.note(w, std::slice::from_ref(&put), std::slice::from_ref(answer))
            },
        )?;
        if let Told::Done(answer) = told {
            self.hand_over(vec![answer]);
        }
        Ok(())
    }

    // --- lists ---

    fn keep_list(&mut self, w: WorkspaceId) -> Held<()> {
        let sequence = SequenceId(100);
        let list = list_of(sequence);
        let subject = subject_of(SubjectType::Contacts, 1 + self.chance.below(self.scenario.people as u64) as i64);
        let now = self.now;
        if self.chance.percent(40) {
            let ids = self.live_in(w, subject, sequence);
            return self
                .commit(
                    "user",
                    move |door, tx| door.take_off_list(tx, w, list, &[subject], Actor::User(USERS[0]), now),
                    |world, _| {
                        world.note_subject(w, subject)?;
                        world.told_of_list(w, &ids, "left_list");
                        Ok(())
                    },
                )
                .map(drop);
        }
        if self.scenario.is(Plant::BackOnListBeginsAnew) {
            return self.begin_anew(w, sequence, subject);
        }
        let ids = self.live_in(w, subject, sequence);
        self.commit(
            "user",
            move |door, tx| door.put_on_list(tx, w, list, &[subject], by(USERS[0]), now),
            |world, _| {
                for id in &ids {
                    world.truth.story((w, *id)).held.remove("left_list");
                }
                world.note_subject(w, subject)
            },
        )
        .map(drop)
    }

    fn live_in(&self, w: WorkspaceId, subject: Subject, sequence: SequenceId) -> Vec<EnrollmentId> {
        let all = self.shadows.enrollments(w, subject).iter().copied();
        all.filter(|id| self.shadows.of.get(&(w, *id)).is_some_and(|s| s.e.is_live() && s.e.sequence == sequence))
            .collect()
    }

    /// Those who are live in the sequence that the list feeds are held from now on, if it is live itself.
    fn told_of_list(&mut self, w: WorkspaceId, ids: &[EnrollmentId], cause: &'static str) {
        let op = self.op;
        let state = self.truth.course(w, SequenceId(100)).state;
        if matches!(state, SequenceState::Active | SequenceState::Paused | SequenceState::Scheduled) {
            for id in ids {
                self.truth.story((w, *id)).held.entry(cause).or_insert(op);
            }
        }
    }

    /// The planted bug: who is put on the list is forgotten first.
    fn begin_anew(&mut self, w: WorkspaceId, sequence: SequenceId, subject: Subject) -> Held<()> {
        let (now, ids) = (self.now, self.live_in(w, subject, sequence));
        self.commit(
            "user",
            move |door, tx| {
                let erase = |id: &EnrollmentId| Put { enrollment: *id, event: Event::Erase, actor: Actor::Engine };
                door.advance(tx, w, ids.iter().map(erase).collect(), now)?;
                door.put_on_list(tx, w, list_of(sequence), &[subject], by(USERS[0]), now)
            },
            |world, _| world.note_subject(w, subject),
        )
        .map(drop)
    }

    // --- sequences, mailboxes, silence ---

    fn turn_sequence(&mut self, w: WorkspaceId) -> Held<()> {
        let (id, now) = (self.some_sequence(w), self.now);
        let course = self.truth.course(w, id);
        let to = match course.state {
            SequenceState::Active if self.chance.percent(94) => SequenceState::Paused,
            SequenceState::Paused | SequenceState::Active if self.chance.one_in(12) => SequenceState::Ended,
            SequenceState::Paused => SequenceState::Active,
            _ => return Ok(()),
        };
        let told = self.commit(
            "user",
            move |_, tx| {
                let mut s = sequences::lock(tx, w, id)?;
                s.state = to;
                s.ended = (to == SequenceState::Ended).then_some((now, EndedBy::Hand));
                sequences::update(tx, w, &s, now)?;
                if to == SequenceState::Active {
                    door::rouse_sequence(tx, w, id, now)?;
                }
                Ok(())
            },
            |world, ()| {
                let op = world.op;
                world.trace.line(now, format_args!("sequence {} of {} is {to}", id.0, w.0));
                world.truth.rests(w, id, to, op);
                Ok(())
            },
        )?;
        if to == SequenceState::Ended && told.is_done() {
            self.end_sequence(w, id)?;
        }
        // A pause is the time for an edit.
        if to == SequenceState::Paused && told.is_done() && self.chance.percent(30) { self.edit(w, id) } else { Ok(()) }
    }

    fn release_mailbox(&mut self, w: WorkspaceId) -> Held<()> {
        let (id, now) = (self.some_mailbox(), self.now);
        let told = self.commit(
            "user",
            move |_, tx| {
                mailboxes::release(tx, w, id)?;
                door::ring_mailbox(tx, w, id, now)
            },
            |_, ()| Ok(()),
        )?;
        if told.is_done() { self.mend(w, Mended::Mailbox(id)) } else { Ok(()) }
    }

    fn some_mailbox(&mut self) -> MailboxId {
        MailboxId(30 + self.chance.below(self.scenario.mailboxes as u64) as i64)
    }

    fn hold_mailbox(&mut self, w: WorkspaceId) -> Held<()> {
        let (id, now) = (self.some_mailbox(), self.now);
        self.commit("user", move |_, tx| mailboxes::hold(tx, w, id, "looked into", now), |_, ()| Ok(())).map(drop)
    }

    /// A whole company asks for silence, on the phone.
    fn silence_by_hand(&mut self, w: WorkspaceId) -> Held<()> {
        let n = self.chance.below(self.house.companies.len() as u64 / 2);
        let domain = format!("c{n}.w{}.example", w.0);
        let now = self.now;
        let value = domain.clone();
        self.commit(
            "user",
            move |_, tx| {
                let key = suppression::key(tx, w)?;
                let what =
                    Suppress { kind: Suppressible::Domain, value: value.clone(), why: Why::ByHand, by: Some(USERS[0]) };
                suppression::add(tx, w, &key, &[what], now)
            },
            |world, _| {
                let op = world.op;
                world.truth.silent_domains.entry((w, domain)).or_insert(op);
                Ok(())
            },
        )
        .map(drop)
    }

    /// The inbox of the first mailbox is read, as a rule.
    pub fn reading(&mut self) -> Held<()> {
        let next = if self.chance.percent(85) || self.is_over { Span::hours(24) } else { Span::hours(90) };
        self.happens(next, Happening::Reading);
        if !self.node.is_up {
            return Ok(());
        }
        let now = self.now;
        for w in WORKSPACES {
            let told = self.commit(
                "inbound",
                move |_, tx| {
                    mailboxes::note_reading(tx, w, MailboxId(30), now, Ok(()))?;
                    door::ring_mailbox(tx, w, MailboxId(30), now)
                },
                |_, ()| Ok(()),
            )?;
            if !told.is_done() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The classification of a message is corrected that nothing else confirms.
fn take_back(what: Correctable, at: Option<Time>) -> Event {
    Event::TakeBack { what, at: at.unwrap_or(Time::from_seconds(0)), otherwise: Otherwise::Nothing }
}
