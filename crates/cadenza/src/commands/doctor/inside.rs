//! What the database says: whether it is sound, what time was last written in it, what the engine has not got done. Each
//! part is looked at by itself, so that one that fails hides none of the others.

use super::{Ask, Findings, Level, mailboxes, outside};
use crate::app::App;
use cadenza_core::time::Span;
use cadenza_store::health::{self, Backlog, Depth, Looked};
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{StoreError, door, nodes, sequences};

/// Nothing is overdue for longer without a reason (INV-4).
const LATE: Span = Span::minutes(5);
/// A node that has said nothing for so long is not alive; it says something every ten seconds.
const SILENT: Span = Span::minutes(1);
/// Clocks that differ by more make things happen at the wrong time.
const CLOCKS_APART: Span = Span::seconds(5);

pub async fn look(findings: &mut Findings, app: &App, ask: Ask) {
    database(findings, app, ask).await;
    clock(findings, app, ask).await;
    let Some(all) = heard(findings, "workspace", app.db.read_async(workspaces::all).await) else { return };
    if all.is_empty() {
        findings.warning(
            "workspace",
            "there is none yet: `cadenza user add --workspace NAME --name NAME ADDRESS` makes one",
        );
    }
    for workspace in &all {
        of_workspace(findings, workspace);
        mailboxes::look(findings, app, workspace, ask.offline).await;
        if ask.thorough {
            recount(findings, app, workspace).await;
        }
    }
    engine(findings, app, ask).await;
}

/// A part's answer, or the finding that there is none.
pub fn heard<T>(findings: &mut Findings, part: &str, answer: Result<T, StoreError>) -> Option<T> {
    answer.map_err(|e| findings.error(part, e.to_string())).ok()
}

async fn database(findings: &mut Findings, app: &App, ask: Ask) {
    findings.ok("database", format!("{} is reached, with the tables of this version", app.db.url()));
    let depth = if ask.thorough { Depth::Thorough } else { Depth::Quick };
    let durable = app.db.write_async(health::durability).await;
    let whole = app.db.read_async(move |q| health::integrity(q, depth)).await;
    for looked in [durable, whole] {
        for Looked { sound, said } in heard(findings, "database", looked).unwrap_or_default() {
            findings.add(if sound { Level::Ok } else { Level::Error }, "database", said);
        }
    }
}

async fn clock(findings: &mut Findings, app: &App, ask: Ask) {
    let now = app.clock.now();
    if let Some(Some(theirs)) = heard(findings, "clock", app.db.read_async(health::clock).await) {
        let apart = Span::from_micros((theirs - app.clock.real()).micros().abs());
        let seconds = apart.micros() / 1_000_000;
        match apart > CLOCKS_APART {
            true => findings.error("clock", format!("the database's clock is {seconds} s apart from this machine's")),
            false => findings.ok("clock", "the database's clock agrees with this machine's"),
        }
    }
    let latest = app.db.read_async(|q| {
        let mut latest = nodes::last_alive(q)?;
        for workspace in workspaces::all(q)? {
            latest = latest.max(health::last_written(q, workspace.id)?);
        }
        Ok((latest, nodes::last_alive(q)?))
    });
    let Some((latest, alive)) = heard(findings, "clock", latest.await) else { return };
    match latest {
        Some(latest) if latest > now + CLOCKS_APART => {
            let why = "nothing written then is due before that; set the machine's clock right";
            findings.error("clock", format!("it is {now} here, and something was written at {latest}: {why}"));
        }
        Some(latest) => findings.ok("clock", format!("it is {now}; last written {latest}")),
        None => findings.ok("clock", format!("it is {now}; nothing was written yet")),
    }
    if ask.served && alive.is_none_or(|alive| now - alive > SILENT) {
        findings.error("engine", "the server answers, and its engine has given no sign of life for a minute");
    }
}

fn of_workspace(findings: &mut Findings, workspace: &Workspace) {
    let part = format!("workspace {:?}", workspace.name);
    if workspace.restore_hold {
        let why = "this database was restored or copied; look, then release with `cadenza restore --release`";
        findings.warning(&part, format!("all sending is held: {why}"));
    }
    if workspace.postal_address.is_empty() {
        findings.warning(&part, "it has no postal address, without which no sequence is activated (SEQ-3)");
    }
    if !workspace.public_url.is_empty() {
        outside::public_url(findings, &part, &workspace.public_url);
    }
}

async fn engine(findings: &mut Findings, app: &App, ask: Ask) {
    let now = app.clock.now();
    if let Some(working @ 2..) = heard(findings, "engine", app.db.read_async(nodes::working).await) {
        findings.ok("engine", format!("{working} nodes share the work"));
    }
    let found = app.db.read_async(move |q| health::backlog(q, now, LATE)).await;
    let Some(b) = heard(findings, "engine", found) else { return };
    // Without a server nobody does what is due: that is said once, as what it is.
    let stuck = if ask.served { Level::Error } else { Level::Warning };
    match (b.overdue, b.overdue_since) {
        (0, _) => findings.ok("engine", format!("{} due, none for longer than five minutes", b.due)),
        (n, since) => {
            let since = since.map(|t| t.to_string()).unwrap_or_default();
            findings.add(
                stuck,
                "engine",
                format!("{} due, {n} for longer than five minutes, the first since {since}", b.due),
            );
        }
    }
    if b.under_way > 0 {
        findings.ok("engine", format!("{} messages are on their way", b.under_way));
    }
    limiters(findings, &b, stuck);
    trouble(findings, &b);
}

fn limiters(findings: &mut Findings, b: &Backlog, stuck: Level) {
    let waiting: Vec<String> =
        b.parked.iter().map(|(kind, n)| format!("{n} behind {}", kind.replace('_', " "))).collect();
    match waiting.as_slice() {
        [] => findings.ok("limiters", "nobody waits for room under a cap, gap or rate limit"),
        waiting => findings.ok("limiters", format!("waiting for room: {}", waiting.join(", "))),
    }
    if b.undrawn > 0 {
        let why = "had room longer than five minutes ago, and nobody was taken from their lines";
        findings.add(stuck, "limiters", format!("{} limiters {why}", b.undrawn));
    }
}

fn trouble(findings: &mut Findings, b: &Backlog) {
    match b.unknown {
        0 => findings.ok("deliveries", "none is unknown"),
        n => {
            let ways = "see Tasks, or `cadenza mark-sent`, `send-again` or `skip`";
            findings.warning("deliveries", format!("{n} are unknown and never sent again by themselves: {ways}"));
        }
    }
    for (reason, n) in &b.blocked {
        findings.warning("enrollments", format!("{n} blocked: {reason}"));
    }
    for (name, why) in &b.held {
        findings.warning("sequences", format!("{name:?} was paused by a rule: {why}"));
    }
    if b.side_failures > 0 {
        findings.warning("conditions", format!("{} things they asked for could not be done", b.side_failures));
    }
}

/// Counters against a recount, states against their history (INV-5).
async fn recount(findings: &mut Findings, app: &App, workspace: &Workspace) {
    let w = workspace.id;
    let part = format!("workspace {:?}", workspace.name);
    let Some(all) = heard(findings, &part, app.db.read_async(move |q| sequences::all(q, w)).await) else { return };
    let (mut wrong, count) = (0, all.len());
    for sequence in all {
        let id = sequence.id;
        let counters = app.db.read_async(move |q| door::miscounted(q, w, id)).await;
        for m in heard(findings, &part, counters).unwrap_or_default() {
            wrong += 1;
            let name = &sequence.name;
            findings.error(
                &part,
                format!("{name:?}: the counter {} is {}, a recount gives {}", m.name, m.stored, m.counted),
            );
        }
        let histories = app.db.read_async(move |q| door::unfolded(q, w, id)).await;
        for e in heard(findings, &part, histories).unwrap_or_default() {
            wrong += 1;
            findings.error(&part, format!("{}: its history does not give its present state", e.id));
        }
    }
    if wrong == 0 {
        findings.ok(&part, format!("counters equal a recount and histories give the states, in {count} sequences"));
    }
}
