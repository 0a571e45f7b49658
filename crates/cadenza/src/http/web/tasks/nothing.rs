//! An empty Tasks screen says why, with numbers and links (TSK-5).

use super::super::lists::{Empty, EmptyReason, Link};
use super::super::parts::count;
use super::super::viewer::Viewer;
use super::read::Asked;
use crate::App;
use crate::http::error::Result;
use cadenza_core::calendar::Calendar;
use cadenza_core::enrollment::SequenceState;
use cadenza_store::queue::{self, FirstSteps};
use cadenza_store::{sequences, tasks};

const COUNTED_AT_MOST: usize = 100_000;

/// Which of the reasons hold.
pub async fn why(app: &App, viewer: &Viewer, asked: &Asked) -> Result<Empty> {
    let (w, sees) = (viewer.caller.workspace, viewer.sees());
    let mine = Asked::default().filter(viewer)?;
    let everybody = tasks::Filter { owners: Vec::new(), ..mine.clone() };
    let read = app.db.read_async(move |q| {
        let waiting = queue::Filter { first_steps: FirstSteps::Shown, ..queue::Filter::new(sees) };
        let (next, first) = queue::counts(q, w, &waiting, COUNTED_AT_MOST)?;
        let sum = |counts: Vec<(tasks::Kind, i64)>| counts.into_iter().map(|(_, n)| n).sum::<i64>();
        Ok((
            next + first,
            sum(tasks::counts(q, w, &mine)?),
            sum(tasks::counts(q, w, &everybody)?),
            sequences::all(q, w)?,
        ))
    });
    let (waiting, mine, everybody, all) = read.await?;
    let n = |n: i64| count(u64::try_from(n).unwrap_or(0));
    let mut reasons = Vec::new();
    let mut because = |text: String, href: String, label: &str| {
        reasons.push(EmptyReason { text, link: Some(Link::new(href, label)) });
    };
    if asked.is_filtered() && mine > 0 {
        because(format!("Your filters hide {}.", tasks_of(&n(mine))), "/tasks".into(), "Clear the filters");
    }
    if everybody > mine {
        because(format!("{} belong to other users.", n(everybody - mine)), "/tasks?user=all".into(), "Show them");
    }
    if waiting > 0 {
        let text = format!("{} wait for their next step: it is automatic, or its delay still runs.", n(waiting));
        because(text, "/queue?first=1".into(), "Queue");
    }
    for s in all.iter().filter(|s| s.state == SequenceState::Active).take(3) {
        let calendar = Calendar {
            window: s.settings.window,
            zone: s.settings.zone.clone(),
            holidays: s.settings.holidays.clone(),
        };
        if calendar.why_shut(viewer.watch.now).is_some()
            && let Ok(opens) = calendar.next_open(viewer.watch.now)
        {
            let text = format!("The window of {} opens {}.", s.name, viewer.watch.exact(opens).text);
            because(text, format!("/sequences/{}?tab=settings", s.id), "Its settings");
        }
    }
    let sleeping = all.iter().filter(|s| matches!(s.state, SequenceState::Paused | SequenceState::Scheduled)).count();
    if sleeping > 0 {
        let text = format!("{sleeping} sequences are paused or have not begun.");
        because(text, "/overview?state=paused".into(), "Overview");
    }
    let (title, text) = match (asked.is_filtered(), all.is_empty()) {
        (true, _) => ("No task matches", ""),
        (false, true) => ("Nothing to do yet", "Tasks appear here as sequences bring them."),
        (false, false) => ("Nothing to do right now", "What comes next appears here by itself."),
    };
    Ok(Empty { reasons, ..Empty::new("tasks", title, text) })
}

fn tasks_of(n: &str) -> String {
    if n == "1" { "1 task".to_owned() } else { format!("{n} tasks") }
}
