//! Holds what the mail server accepted against what the database says: nobody lost, nothing doubled, nothing sent that is not
//! known, every unknown one shown, counters and history right. Read while no server runs.

use super::sink::Taken;
use super::site::{self, STEPS, Site};
use cadenza_store::{Database, Query, StoreError, door};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a dead installation shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Past their final mark, with no answer noted: what this death may leave unknown.
    pub marked: i64,
    /// Shown to a person as unknown.
    pub unknown: i64,
    /// Those marked before a moment: the start that came after it should have shown them.
    pub marked_before: i64,
    /// People who are not through.
    pub under_way: i64,
}

/// What was found wrong, by kind; and how much there was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub people: usize,
    /// Mails that the server accepted.
    pub mails: usize,
    pub unknown: usize,
    /// Steps that somebody did not get and nobody is told of.
    pub lost: Vec<String>,
    /// Message-IDs accepted more than once, and steps sent under several.
    pub doubled: Vec<String>,
    /// Everything else that does not fit.
    pub wrong: Vec<String>,
}

/// An enrollment with the states of its visits and their Message-IDs.
struct Course {
    state: String,
    block: Option<String>,
    to: String,
    visits: BTreeMap<i64, Vec<(String, String)>>,
}

impl Verdict {
    #[track_caller]
    pub fn is_clean(&self) {
        let found = [&self.lost, &self.doubled, &self.wrong];
        assert!(found.iter().all(|list| list.is_empty()), "{self:#?}");
    }
}

/// Looks at an installation whose server was killed.
pub fn left(site: &Site, started: SystemTime) -> Left {
    let started = i64::try_from(started.duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
    at_rest(site);
    read(site, move |q| {
        let row = q.query_one(
            "SELECT (SELECT COUNT(*) FROM send WHERE state = 'marked'), (SELECT COUNT(*) FROM send WHERE state = 'unknown'),
                 (SELECT COUNT(*) FROM send WHERE state = 'marked' AND marked_at < $1),
                 (SELECT COUNT(*) FROM enrollment WHERE state IN ('pending', 'active'))",
            &[started.into()],
        )?;
        Ok(Left { marked: row.int(0)?, unknown: row.int(1)?, marked_before: row.int(2)?, under_way: row.int(3)? })
    })
}

/// A database server may still be busy with a commit of the dead.
fn at_rest(site: &Site) {
    let Some(server) = &site.server else { return };
    let give_up = Instant::now() + super::LONG;
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut client = server.client();
    while client.query_one(sql, &[]).unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < give_up, "connections of the dead stay open");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn read<T: Send + 'static>(site: &Site, f: impl FnOnce(&mut Query) -> Result<T, StoreError> + Send + 'static) -> T {
    Database::open(&site.database.parse().unwrap()).unwrap().read(f).unwrap()
}

/// The numbers of one row.
pub fn query(site: &Site, sql: &'static str) -> Vec<i64> {
    read(site, move |q| {
        let row = q.query_one(sql, &[])?;
        (0..row.len()).map(|i| row.int(i)).collect()
    })
}

/// The states of all answers of people, with their Message-IDs, while no server runs.
pub fn answers(site: &Site) -> Vec<(String, String)> {
    at_rest(site);
    read(site, |q| {
        let rows = q.query("SELECT state, message_id FROM answer ORDER BY id", &[])?;
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
    })
}

/// The judgement, once everything has come to rest and the server has stopped.
pub fn judge(site: &Site, taken: &Taken) -> Verdict {
    let of = site.furnished.clone();
    let (courses, miscounted, unfolded) = read(site, move |q| {
        let miscounted = door::miscounted(q, of.workspace, of.sequence)?;
        let unfolded = door::unfolded(q, of.workspace, of.sequence)?;
        Ok((courses(q)?, miscounted, unfolded))
    });
    let mut verdict = Verdict { people: courses.len(), mails: taken.total, ..Verdict::default() };
    verdict.wrong.extend(miscounted.iter().map(|m| format!("{m:?}")));
    verdict.wrong.extend(unfolded.iter().map(|e| format!("history of {} folds into something else", e.id)));
    let twice = taken.times.iter().filter(|(_, times)| **times > 1);
    verdict.doubled.extend(twice.map(|(id, times)| format!("{id} was accepted {times} times")));
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for course in courses.values() {
        course.judge(taken, &mut verdict);
        let ids = course.visits.values().flatten().filter(|(state, _)| state == "sent" || state == "unknown");
        known.extend(ids.map(|(_, id)| id.as_str()));
    }
    let strange = taken.times.keys().filter(|id| !known.contains(id.as_str()));
    verdict.wrong.extend(strange.map(|id| format!("{id} was accepted, and is not known to have been sent")));
    verdict
}

impl Course {
    fn judge(&self, taken: &Taken, verdict: &mut Verdict) {
        let to = &self.to;
        let nothing = BTreeSet::new();
        let came = taken.of.get(to).unwrap_or(&nothing);
        let of = |wanted: &'static str| self.visits.values().flatten().filter(move |(state, _)| state == wanted);
        for (_, id) in of("sent").filter(|(_, id)| !came.contains(id)) {
            verdict.lost.push(format!("{to}: {id} is said to be sent, and was not accepted"));
        }
        for (visit, attempts) in &self.visits {
            let over = attempts.iter().filter(|(state, _)| state == "sent" || state == "unknown").count();
            if over > 1 {
                verdict.doubled.push(format!("{to}: visit {visit} was sent {over} times"));
            }
        }
        let (sent, unknown) = (of("sent").count(), of("unknown").count());
        verdict.unknown += unknown;
        let shown = self.block.as_deref() == Some("delivery_unknown");
        match (unknown, shown) {
            (0, false) if sent < STEPS => verdict.lost.push(format!("{to} got {sent} mails; {}", self.stands())),
            (0, false) if sent > STEPS => verdict.doubled.push(format!("{to} got {sent} mails")),
            (0, false) if self.state != "finished" => {
                verdict.wrong.push(format!("{to} is not through: {}", self.stands()))
            }
            (0, false) | (1, true) => {}
            _ => verdict.wrong.push(format!("{to} has {unknown} unknown; {}", self.stands())),
        }
    }

    fn stands(&self) -> String {
        format!("{} {:?} {:?}", self.state, self.block, self.visits)
    }
}

fn courses(q: &mut Query) -> Result<BTreeMap<i64, Course>, StoreError> {
    let mut courses = BTreeMap::new();
    for row in q.query("SELECT id, state, block, contact_id FROM enrollment", &[])? {
        let course = Course {
            state: row.text(1)?.to_owned(),
            block: row.opt_text(2)?.map(str::to_owned),
            to: site::address(row.int(3)?),
            visits: BTreeMap::new(),
        };
        courses.insert(row.int(0)?, course);
    }
    let sends = "SELECT enrollment_id, visit, state, message_id FROM send ORDER BY enrollment_id, visit, attempt";
    for row in q.query(sends, &[])? {
        let course: &mut Course = courses.get_mut(&row.int(0)?).unwrap();
        let attempt = (row.text(2)?.to_owned(), row.text(3)?.to_owned());
        course.visits.entry(row.int(1)?).or_default().push(attempt);
    }
    Ok(courses)
}
