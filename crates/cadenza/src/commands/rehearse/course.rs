//! The course of a rehearsal: watches what reaches people, lets them do what the script says when its moment comes, and moves
//! the clock over the time in which nothing is to be done. It never leaps over anything: a leap ends at the first moment that
//! the database or the script names, and is made only while no message is under way.

use super::furnish::House;
use super::people::{Deed, People, Played};
use crate::app::App;
use crate::commands::{Failure, print};
use cadenza_core::calendar::{Date, Zone};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::file::SequenceFile;
use cadenza_core::flow::{Flow, Key};
use cadenza_core::ids::{EnrollmentId, UserId, WorkspaceId};
use cadenza_core::machine::Event;
use cadenza_core::settings::Settings;
use cadenza_core::simulate::{Contact, Happened, Script, ScriptReactor};
use cadenza_core::time::{Span, Time};
use cadenza_store::activities::ActivityPhase;
use cadenza_store::door::{self, Rest};
use cadenza_store::sends::SendState;
use cadenza_store::{StoreError, activities, history, sends};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::Duration;

/// A transaction may commit so long after the moment that stands in its lines, real time.
const COMMIT_TAKES: Duration = Duration::from_secs(20);
/// Between two looks where no bell rings.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// With something to do and nothing done for so long, something is wrong.
const STUCK: Duration = Duration::from_secs(120);

/// Why a rehearsal is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nobody has anything left to do.
    Rest,
    /// The days that were asked for are over.
    Days,
    /// Somebody stopped it.
    Stopped,
}

pub(super) struct Course {
    app: App,
    workspace: WorkspaceId,
    flow: Flow,
    zone: Zone,
    until: Time,
    people: People,
    reactor: ScriptReactor,
    contacts: HashMap<Subject, usize>,
    zones: Vec<Option<Zone>>,
    /// What will be done, by its moment and then in the order of its planning.
    planned: BinaryHeap<Reverse<(Time, u64)>>,
    deeds: HashMap<u64, Deed>,
    count: u64,
    /// The latest line of each enrollment that was read.
    read: HashMap<EnrollmentId, (i64, usize)>,
    /// Messages and tasks that the script was asked about.
    told: HashSet<(EnrollmentId, u32, What)>,
    looked_at: Time,
    told_day: Option<Date>,
    /// What people did, by kind.
    pub done: BTreeMap<&'static str, usize>,
    pub mails: usize,
    pub texts: usize,
    pub tasks: usize,
    pub leaps: usize,
    pub began: Time,
}

/// What reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Sent,
    TaskDue,
}

/// What was found in the database about one enrollment.
struct Found {
    id: EnrollmentId,
    version: i64,
    subject: Option<Subject>,
    sends: Vec<sends::Send>,
    activities: Vec<activities::Activity>,
}

impl Course {
    pub fn new(
        app: &App,
        house: &House,
        file: &SequenceFile,
        people: &[Contact],
        script: Script,
        (began, until): (Time, Time),
    ) -> Result<Course, Failure> {
        let zone = file.settings.over(&Settings::default()).zone;
        let who = people.iter().map(|c| c.who.clone()).collect();
        Ok(Course {
            app: app.clone(),
            workspace: house.primary.workspace,
            flow: file.flow(),
            people: People::new(app, house, zone.clone())?,
            zone,
            until,
            // The user's number is not used: each task is done by whose it is.
            reactor: ScriptReactor::new(script, who, UserId(0)),
            contacts: house.contacts.clone(),
            zones: people.iter().map(|c| c.person.zone.clone()).collect(),
            planned: BinaryHeap::new(),
            deeds: HashMap::new(),
            count: 0,
            read: HashMap::new(),
            told: HashSet::new(),
            looked_at: app.clock.now() - Span::days(1),
            told_day: None,
            done: BTreeMap::new(),
            mails: 0,
            texts: 0,
            tasks: 0,
            leaps: 0,
            began,
        })
    }

    /// Goes on until nobody has anything left to do.
    ///
    /// # Errors
    /// The database is away, what people do cannot be done, or nothing moves any more.
    pub async fn run(&mut self) -> Result<End, Failure> {
        let mut commits = self.app.commits();
        let mut moved = self.app.clock.stopwatch();
        loop {
            commits.mark_unchanged();
            let now = self.app.clock.now();
            self.tell_day(now);
            // First whether it rests, then the news: what moved in between is found by the second look.
            let rest = self.app.db.read_async(move |q| door::rest(q, now)).await?;
            let news = self.look().await?;
            if self.play_due().await? || news {
                moved = self.app.clock.stopwatch();
                continue;
            }
            let next = match rest {
                Rest::Not => {
                    if moved.elapsed() > STUCK {
                        return Err(Failure::said(
                            "something is due and nothing is done: the log says more with --log info",
                        ));
                    }
                    tokio::select! {
                        changed = commits.changed() => if changed.is_ok() { moved = self.app.clock.stopwatch() },
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                    continue;
                }
                Rest::ForGood => self.first_planned(),
                Rest::Until(at) => Some(self.first_planned().map_or(at, |p| p.min(at))),
            };
            let Some(next) = next else { return Ok(End::Rest) };
            if next > self.until {
                return Ok(End::Days);
            }
            self.leap(next);
            moved = self.app.clock.stopwatch();
        }
    }

    fn first_planned(&self) -> Option<Time> {
        self.planned.peek().map(|Reverse((at, _))| *at)
    }

    fn leap(&mut self, to: Time) {
        let by = to - self.app.clock.now();
        if by > Span::ZERO {
            self.app.clock.skip_ahead(by);
            self.leaps += 1;
        }
    }

    /// Does what is due; `false` where nothing is.
    async fn play_due(&mut self) -> Result<bool, Failure> {
        let mut any = false;
        while let Some(Reverse((at, number))) = self.planned.peek().copied() {
            if at > self.app.clock.now() {
                break;
            }
            self.planned.pop();
            let Some(deed) = self.deeds.remove(&number) else { continue };
            let played = match self.people.play(&deed).await? {
                Played::Done(what) => what,
                Played::TooLate => "too late",
            };
            *self.done.entry(played).or_default() += 1;
            any = true;
        }
        Ok(any)
    }

    /// Finds what reached people since the last look, and plans what follows; `false` where nothing did.
    async fn look(&mut self) -> Result<bool, Failure> {
        let margin = COMMIT_TAKES.as_micros() as f64 * self.app.clock.scale();
        let (w, now) = (self.workspace, self.app.clock.now());
        let since = self.looked_at - Span::from_micros(margin as i64);
        let moved = self.app.db.read_async(move |q| history::moved_since(q, w, since)).await?;
        self.looked_at = now;
        let read = &self.read;
        let new: Vec<_> = moved.into_iter().filter(|(id, v)| read.get(id).is_none_or(|(seen, _)| seen < v)).collect();
        if new.is_empty() {
            return Ok(false);
        }
        let known: Vec<_> = new.into_iter().map(|(id, v)| (id, v, read.contains_key(&id))).collect();
        let found = self.app.db.read_async(move |q| {
            let each = known.iter().map(|(id, version, known)| {
                let subject = match known {
                    true => None,
                    false => door::enrollment(q, w, *id)?.map(|e| e.subject),
                };
                let (sends, activities) = (sends::of_enrollment(q, w, *id)?, activities::of_enrollment(q, w, *id)?);
                Ok(Found { id: *id, version: *version, subject, sends, activities })
            });
            each.collect::<Result<Vec<_>, StoreError>>()
        });
        let mut any = false;
        for found in found.await? {
            any |= self.take(found);
        }
        Ok(any)
    }

    fn take(&mut self, found: Found) -> bool {
        let known = self.read.get(&found.id).map(|(_, who)| *who);
        let subject = found.subject.and_then(|s| self.contacts.get(&s).copied());
        let Some(who) = known.or(subject) else { return false };
        self.read.insert(found.id, (found.version, who));
        let mut any = false;
        for send in found.sends.iter().filter(|s| s.state == SendState::Sent) {
            if !self.told.insert((found.id, send.visit, What::Sent)) {
                continue;
            }
            match send.mailbox {
                Some(_) => self.mails += 1,
                None => self.texts += 1,
            }
            let at = send.settled_at.unwrap_or(send.claimed_at);
            self.happened(found.id, who, at, &send.step, (What::Sent, send.visit));
            any = true;
        }
        for task in found.activities.iter().filter(|a| !a.kind.is_automatic() && a.phase != ActivityPhase::Waiting) {
            let Some(at) = task.appeared_at else { continue };
            if !self.told.insert((found.id, task.visit, What::TaskDue)) {
                continue;
            }
            self.tasks += 1;
            self.happened(found.id, who, at, &task.step, (What::TaskDue, task.visit));
            any = true;
        }
        any
    }

    /// Asks the script what follows, and plans it.
    fn happened(&mut self, id: EnrollmentId, who: usize, at: Time, step: &Key, (what, visit): (What, u32)) {
        let Some(spot) = self.flow.spot(step) else { return };
        let happened = match what {
            What::Sent => Happened::Sent { step: spot.step, visit },
            What::TaskDue => Happened::TaskDue { step: spot.step, visit },
        };
        let follows: Vec<(Time, Event)> =
            self.reactor.follows(at, who, happened).into_iter().map(|(at, event, _)| (at, event)).collect();
        for (at, event) in follows {
            let zone = self.zones.get(who).cloned().flatten();
            self.count += 1;
            self.planned.push(Reverse((at, self.count)));
            self.deeds.insert(self.count, Deed { enrollment: id, visit, zone, event });
        }
    }

    /// One line for each day that begins, while it runs.
    fn tell_day(&mut self, now: Time) {
        let day = self.zone.local_date(now);
        if self.told_day == Some(day) {
            return;
        }
        self.told_day = Some(day);
        let answers: usize = self.done.iter().filter(|(what, _)| **what != "too late").map(|(_, n)| n).sum();
        print::note(format_args!(
            "{day}  {} mails, {} texts, {} tasks so far; people did {answers} things",
            self.mails, self.texts, self.tasks
        ));
    }
}
