//! What was last seen of each enrollment, and the judgement of what is seen now: its row keeps the rules of its table and has a
//! way out (INV-4), its history only grew and folds to the row (INV-5), and it has one open activity at most.

use crate::breach::{Breach, Held, holds};
use crate::house::House;
use crate::rules::broken;
use crate::truth::Id;
use crate::world::World;
use cadenza_core::enrollment::{COLUMNS, Enrollment, Flat, Life, Subject};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, SequenceId, WorkspaceId};
use cadenza_store::{Columns, Query, Val};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::LazyLock;

/// Of one enrollment.
#[derive(Debug, Clone)]
pub struct Shadow {
    pub e: Enrollment,
    pub flat: Vec<Flat>,
    /// What its history folds to.
    fold: Vec<Flat>,
    /// The last line, and how many there are.
    pub last_line: i64,
    pub lines: i64,
    /// The last day on which something happened to it.
    pub day: i64,
}

/// What a transaction did to one.
#[derive(Debug)]
pub struct Seen {
    pub before: Option<Enrollment>,
    pub after: Enrollment,
    /// The events of its new lines.
    pub events: Vec<String>,
    /// The visits of its open activities.
    open: Vec<u32>,
    /// What is wrong with its history.
    unfolded: Option<String>,
}

#[derive(Debug, Default)]
pub struct Shadows {
    pub of: HashMap<Id, Shadow>,
    by_subject: HashMap<(WorkspaceId, Subject), Vec<EnrollmentId>>,
    colleagues: HashMap<(WorkspaceId, ContactId), Vec<ContactId>>,
    pub counted: BTreeMap<(WorkspaceId, SequenceId), BTreeMap<&'static str, i64>>,
    /// In the order in which they came to be.
    pub order: BTreeMap<WorkspaceId, Vec<EnrollmentId>>,
    /// Distinct days of enrollments on which something happened.
    pub days: u64,
    /// Transactions since the counters were last compared.
    pub uncompared: u32,
}

impl Shadows {
    pub fn of(house: &House) -> Shadows {
        let mut by_company: HashMap<(WorkspaceId, CompanyId), Vec<ContactId>> = HashMap::new();
        for (w, c) in &house.contacts {
            by_company.entry((*w, c.company.unwrap())).or_default().push(c.id);
        }
        let colleagues = by_company.into_iter().flat_map(|((w, _), all)| {
            all.clone().into_iter().map(move |one| ((w, one), all.iter().copied().filter(|c| *c != one).collect()))
        });
        Shadows { colleagues: colleagues.collect(), ..Shadows::default() }
    }

    pub fn knows(&self, w: WorkspaceId, id: EnrollmentId) -> bool {
        self.of.contains_key(&(w, id))
    }
    pub fn subject(&self, w: WorkspaceId, id: EnrollmentId) -> Option<Subject> {
        self.of.get(&(w, id)).map(|s| s.e.subject)
    }
    pub fn of_workspace(&self, w: WorkspaceId) -> &[EnrollmentId] {
        self.order.get(&w).map_or(&[], Vec::as_slice)
    }
    pub fn enrollments(&self, w: WorkspaceId, subject: Subject) -> &[EnrollmentId] {
        self.by_subject.get(&(w, subject)).map_or(&[], Vec::as_slice)
    }

    /// The same person's enrollments, and those of colleagues.
    pub fn relatives(&self, w: WorkspaceId, subject: Subject) -> Vec<EnrollmentId> {
        let mut all = self.enrollments(w, subject).to_vec();
        if let Subject::Contact(contact) = subject {
            for colleague in self.colleagues.get(&(w, contact)).into_iter().flatten() {
                all.extend(self.enrollments(w, Subject::Contact(*colleague)));
            }
        }
        all
    }

    /// Forgets everything: another database took the place.
    pub fn clear(&mut self) {
        self.of.clear();
        self.order.clear();
        self.by_subject.clear();
        self.counted.clear();
    }

    /// Reads rows, new lines and open activities.
    pub fn look(
        &mut self,
        q: &mut Query,
        w: WorkspaceId,
        ids: &[EnrollmentId],
    ) -> cadenza_store::Result<Held<Vec<Seen>>> {
        let columns = Columns::new().ints(ids.iter().copied());
        let after = ids.iter().map(|id| self.of.get(&(w, *id)).map_or(-1, |s| s.last_line));
        let known = Columns::new().ints(ids.iter().copied()).ints(after);
        let mut lines: BTreeMap<i64, Vec<(i64, String, String)>> = BTreeMap::new();
        for row in q.query_rows(LINES, &known, &[w.into()])? {
            let line = (row.int(1)?, row.text(2)?.to_owned(), row.text(3)?.to_owned());
            lines.entry(row.int(0)?).or_default().push(line);
        }
        let mut open: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for row in q.query_rows(OPEN, &columns, &[w.into()])? {
            open.entry(row.int(0)?).or_default().push(row.int(1)? as u32);
        }
        let mut all = Vec::with_capacity(ids.len());
        for row in q.query_rows(&ROWS, &columns, &[w.into()])? {
            let flat: Vec<Flat> = row.values().iter().map(flat).collect();
            let e = match Enrollment::from_flat(&flat) {
                Ok(e) => e,
                Err(why) => return Ok(Err(Breach::of("INV-4", format!("a row that cannot be read: {why}")))),
            };
            let mut new = lines.remove(&e.id.0).unwrap_or_default();
            new.sort_by_key(|line| line.0);
            let open = open.remove(&e.id.0).unwrap_or_default();
            all.push(self.take_in(w, e, flat, &new, open));
        }
        if all.len() != ids.len() {
            let gone = ids.iter().find(|id| !all.iter().any(|s| s.after.id == **id));
            return Ok(Err(Breach::of("INV-6", format!("an enrollment is not there any more: {gone:?}"))));
        }
        Ok(Ok(all))
    }

    fn take_in(
        &mut self,
        w: WorkspaceId,
        e: Enrollment,
        flat: Vec<Flat>,
        lines: &[(i64, String, String)],
        open: Vec<u32>,
    ) -> Seen {
        let key = (w, e.id);
        let (after, subject) = (e.clone(), e.subject);
        let is_new = !self.of.contains_key(&key);
        if is_new {
            self.by_subject.entry((w, subject)).or_default().push(e.id);
            self.order.entry(w).or_default().push(e.id);
        }
        let shadow = self.of.entry(key).or_insert_with(|| Shadow {
            e: after.clone(),
            flat: Vec::new(),
            fold: vec![Flat::Null; COLUMNS.len()],
            last_line: -1,
            lines: 0,
            day: i64::MIN,
        });
        let before = (!is_new).then(|| std::mem::replace(&mut shadow.e, e));
        shadow.flat = flat;
        let mut unfolded = None;
        for (version, event, changes) in lines {
            if event == "erase" {
                // What was before is gone, and this line has the whole row.
                shadow.fold = vec![Flat::Null; COLUMNS.len()];
                shadow.lines = 0;
            }
            shadow.lines += 1;
            shadow.last_line = *version;
            unfolded = unfolded.or(apply(&mut shadow.fold, changes).err());
        }
        if unfolded.is_none() {
            unfolded = differing(&shadow.fold, &shadow.flat);
        }
        Seen { before, after, events: lines.iter().map(|line| line.1.clone()).collect(), open, unfolded }
    }
}

fn flat(value: &Val) -> Flat {
    match value {
        Val::Int(n) => Flat::Int(*n),
        Val::Text(t) => Flat::Text(t.clone()),
        _ => Flat::Null,
    }
}

/// The first column in which the folded history is another than the row.
fn differing(fold: &[Flat], row: &[Flat]) -> Option<String> {
    COLUMNS.iter().zip(fold.iter().zip(row)).find_map(|(name, (folded, stored))| {
        (*name != "version" && folded != stored).then(|| format!("{name} folds to {folded:?}, the row has {stored:?}"))
    })
}

fn apply(fold: &mut [Flat], changes: &str) -> Result<(), String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(changes).map_err(|e| e.to_string())?;
    for (column, value) in object {
        let at = COLUMNS.iter().position(|c| *c == column).ok_or_else(|| format!("no column {column}"))?;
        fold[at] = match value {
            serde_json::Value::Number(n) => Flat::Int(n.as_i64().ok_or("no whole number")?),
            serde_json::Value::String(t) => Flat::Text(t),
            _ => Flat::Null,
        };
    }
    Ok(())
}

static ROWS: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::from("SELECT ");
    for (n, column) in COLUMNS.iter().enumerate() {
        let _ = write!(sql, "{}e.{column}", if n == 0 { "" } else { ", " });
    }
    sql.push_str(" FROM rows(id BIGINT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.id = r.id");
    sql
});

const LINES: &str = "SELECT h.enrollment_id, h.version, h.event, h.changes FROM rows(id BIGINT, last BIGINT) AS r
    JOIN history h ON h.workspace_id = $1 AND h.enrollment_id = r.id AND h.version > r.last";

const OPEN: &str = "SELECT a.enrollment_id, a.visit FROM rows(id BIGINT) AS r
    JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = r.id WHERE a.phase < 3";

/// Events that are a look of the clock, unless something came of them.
const LOOKS: &[&str] = &["wake", "drawn", "dot_mark", "returned", "mended", "retimed", "deferred", "move_to_version"];

impl World {
    pub fn judge(&mut self, w: WorkspaceId, seen: &Seen) -> Held<()> {
        let e = &seen.after;
        let id = e.id.0;
        let gone = seen.before.as_ref().filter(|b| b.version > e.version);
        holds("INV-6", gone.is_none(), || {
            format!(
                "{id} was at version {} and is at {}: what was answered is gone",
                gone.map_or(0, |b| b.version),
                e.version
            )
        })?;
        if let Some(why) = &seen.unfolded {
            return Err(Breach::of("INV-5", format!("{id} after {:?}: {why}", seen.events)));
        }
        let course = self.truth.course(w, e.sequence);
        let flow = course.flow(e.flow_version);
        let flow = flow.ok_or_else(|| Breach::of("INV-4", format!("{id} walks a version that is not there")))?;
        let rules = broken(e, flow);
        holds("INV-4", rules.is_empty(), || format!("{id} breaks {rules:?} after {:?}", seen.events))?;
        let current = e.place.as_ref().map(|p| p.visit).filter(|v| *v > 0);
        let known = match e.life {
            Life::Pending => seen.open.is_empty(),
            Life::Running => seen.open.iter().copied().eq(current),
            Life::Finished | Life::Removed => seen.open.iter().all(|v| Some(*v) == current),
        };
        holds("INV-4", known, || {
            format!("{id}: open activities {:?}, current {current:?}, after {:?}", seen.open, seen.events)
        })?;
        let executed = seen.before.as_ref().map_or(0, |b| b.steps_executed);
        let last = seen.before.as_ref().map_or(0, |b| b.last_visit);
        let ordered = e.steps_executed <= executed
            || e.last_visit > last
            || self.truth.stories.get(&(w, e.id)).is_some_and(|s| s.again.contains_key(&e.last_visit));
        holds("INV-3", ordered, || {
            format!("{id}: visit {} executed after {last}, by {:?}", e.last_visit, seen.events)
        })?;
        self.count_day(w, seen);
        Ok(())
    }

    /// A day of an enrollment counts once something happened: a step, a wait that ended, an event from outside.
    fn count_day(&mut self, w: WorkspaceId, seen: &Seen) {
        let step = seen.before.as_ref().is_none_or(|b| {
            b.steps_executed != seen.after.steps_executed || (b.wait.is_some() && b.wait != seen.after.wait)
        });
        let event = seen.events.iter().any(|e| !LOOKS.contains(&e.as_str()));
        let day = self.now.micros().div_euclid(86_400_000_000);
        if let Some(shadow) = self.shadows.of.get_mut(&(w, seen.after.id)).filter(|s| (step || event) && s.day != day) {
            shadow.day = day;
            self.shadows.days += 1;
        }
    }
}
