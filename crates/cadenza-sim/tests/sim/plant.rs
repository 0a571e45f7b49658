//! Bugs that systems of this kind had, planted one at a time: in the node that the simulation drives, in its world, or as
//! triggers in its database. None of them is a branch of the product. Each has to be found by the checkers.

/// One planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    // --- in the node ---
    /// An answer that was lost is taken for a refusal, and the message goes out again.
    LostAnswerSentAgain,
    /// At the start, what was past its mark is taken for what was not.
    RecoverySendsMarkedAgain,
    /// The dot is written without asking.
    MarkSkipped,
    /// The last question is asked, and its answer ignored.
    MarkRefusalIgnored,
    /// Nothing is cleaned up at the start.
    NoRecovery,
    /// A node that was taken for gone marks all the same.
    FenceIgnored,
    /// What a node that is gone had past its mark is taken by the other for what was not.
    TakeOverSendsMarkedAgain,
    /// A database that was put back sends at once.
    RestoredWithoutHold,
    /// A message that was sent is given back to its queue.
    SentThenGivenBack,
    /// One refused recipient, and the whole batch is tried again.
    BatchTriedAgain,
    /// The answer to one message is noted for another.
    AnswerToAnother,
    /// What was answered is gone after a crash.
    CommitLostInCrash,
    /// One asks for silence, and the whole sequence stops.
    OneStopsAll,
    // --- by users' doing ---
    /// Enrolling in bulk enrolls those anew who were through.
    EnrollsAgain,
    /// Who leaves the list and comes back begins anew.
    BackOnListBeginsAnew,
    // --- in the database ---
    WindowIgnored,
    CapNotCounted,
    GapForgotten,
    HistoryLineLost,
    CounterDrifts,
    ResumesFromTheTop,
    PauseOfSequenceForgotten,
    ReplyForgotten,
    SilenceForgotten,
    SilenceCrossesWorkspaces,
    WakeLost,
    LineNeverDrawn,
}

use Plant::*;

impl Plant {
    pub const ALL: &[Plant] = &[
        LostAnswerSentAgain,
        RecoverySendsMarkedAgain,
        MarkSkipped,
        MarkRefusalIgnored,
        NoRecovery,
        FenceIgnored,
        TakeOverSendsMarkedAgain,
        RestoredWithoutHold,
        SentThenGivenBack,
        BatchTriedAgain,
        AnswerToAnother,
        CommitLostInCrash,
        OneStopsAll,
        EnrollsAgain,
        BackOnListBeginsAnew,
        WindowIgnored,
        CapNotCounted,
        GapForgotten,
        HistoryLineLost,
        CounterDrifts,
        ResumesFromTheTop,
        PauseOfSequenceForgotten,
        ReplyForgotten,
        SilenceForgotten,
        SilenceCrossesWorkspaces,
        WakeLost,
        LineNeverDrawn,
    ];

    /// The lines that may find it; another one is a finding too, but not the one meant.
    pub fn lines(self) -> &'static [&'static str] {
        match self {
            LostAnswerSentAgain
            | RecoverySendsMarkedAgain
            | TakeOverSendsMarkedAgain
            | SentThenGivenBack
            | BatchTriedAgain
            | EnrollsAgain => &["INV-3"],
            // What it was is forgotten, and that it was paused.
            BackOnListBeginsAnew => &["INV-1", "INV-3"],
            AnswerToAnother => &["INV-3"],
            MarkSkipped | MarkRefusalIgnored => &["INV-1", "INV-2", "INV-3", "INV-4", "SND-5"],
            NoRecovery | WakeLost | LineNeverDrawn => &["INV-4"],
            FenceIgnored => &["SND-5"],
            RestoredWithoutHold => &["SND-12"],
            CapNotCounted | GapForgotten | WindowIgnored | SilenceForgotten => &["INV-2"],
            CommitLostInCrash => &["INV-6"],
            // Nobody else ends, or whoever was told so goes on: the sequence has not ended.
            OneStopsAll => &["ENR-9", "INV-1"],
            HistoryLineLost | CounterDrifts => &["INV-5"],
            ResumesFromTheTop => &["INV-3", "INV-5"],
            PauseOfSequenceForgotten | ReplyForgotten => &["INV-1", "INV-5"],
            SilenceCrossesWorkspaces => &["INV-8"],
        }
    }

    /// What is done to the database before the run.
    pub fn sql(self) -> Option<&'static str> {
        Some(match self {
            WindowIgnored => {
                "UPDATE sequence SET settings = json_set(settings, '$.window',
                     json('{\"days\":\"mon-sun\",\"start\":\"00:00\",\"stop\":\"24:00\"}'))"
            }
            CapNotCounted => {
                "CREATE TRIGGER planted AFTER UPDATE OF used ON limiter WHEN NEW.kind IN ('mailbox_hour', 'mailbox_day')
                 BEGIN UPDATE limiter SET used = 0 WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            GapForgotten => {
                "CREATE TRIGGER planted AFTER UPDATE OF since_at ON limiter WHEN NEW.kind = 'mailbox_gap'
                 BEGIN UPDATE limiter SET since_at = 0 WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            HistoryLineLost => {
                "CREATE TRIGGER planted AFTER INSERT ON history WHEN NEW.event = 'opened'
                 BEGIN DELETE FROM history WHERE workspace_id = NEW.workspace_id AND enrollment_id = NEW.enrollment_id
                     AND version = NEW.version; END"
            }
            CounterDrifts => {
                "CREATE TRIGGER planted AFTER UPDATE ON counter WHEN NEW.name = 'emails' AND NEW.n % 7 = 6
                 BEGIN UPDATE counter SET n = n + 1 WHERE workspace_id = NEW.workspace_id
                     AND sequence_id = NEW.sequence_id AND step = NEW.step AND name = NEW.name AND part = NEW.part; END"
            }
            ResumesFromTheTop => {
                "CREATE TRIGGER planted AFTER UPDATE OF holds ON enrollment
                 WHEN OLD.holds <> 0 AND NEW.holds = 0 AND NEW.life = 1 AND NEW.step IS NOT NULL
                 BEGIN UPDATE enrollment SET step = 's0', branch = 'main'
                     WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            PauseOfSequenceForgotten => {
                "CREATE TRIGGER planted AFTER UPDATE OF state ON sequence WHEN NEW.state = 'paused'
                 BEGIN UPDATE sequence SET state = 'active' WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            ReplyForgotten => {
                "CREATE TRIGGER planted AFTER UPDATE OF life ON enrollment
                 WHEN OLD.life = 1 AND NEW.finish = 'replied' AND NEW.holds = 0 AND NEW.step IS NOT NULL
                 BEGIN UPDATE enrollment SET life = 1, finish = NULL, finished_at = NULL, state = CASE WHEN NEW.block IS NULL
                     THEN 'active' ELSE 'blocked' END, wake_at = NEW.due_at
                     WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            SilenceForgotten => {
                "CREATE TRIGGER planted AFTER INSERT ON suppression
                 BEGIN DELETE FROM suppression WHERE workspace_id = NEW.workspace_id AND kind = NEW.kind
                     AND value_hash = NEW.value_hash; END"
            }
            SilenceCrossesWorkspaces => {
                "CREATE TRIGGER planted AFTER INSERT ON suppression WHEN NEW.workspace_id = 1
                 BEGIN INSERT OR IGNORE INTO suppression (workspace_id, kind, value_hash, value, why, at)
                     VALUES (2, NEW.kind, NEW.value_hash, NEW.value, NEW.why, NEW.at); END"
            }
            WakeLost => {
                "CREATE TRIGGER planted AFTER UPDATE OF wake_at ON enrollment WHEN NEW.visits = 2 AND NEW.phase = 0
                 BEGIN UPDATE enrollment SET wake_at = NULL WHERE workspace_id = NEW.workspace_id AND id = NEW.id; END"
            }
            LineNeverDrawn => {
                "CREATE TRIGGER planted AFTER UPDATE OF wake_at ON limiter WHEN NEW.wake_at > 0 AND NEW.wake_at < 4000000000000000
                 BEGIN UPDATE limiter SET wake_at = 4000000000000000 WHERE workspace_id = NEW.workspace_id
                     AND id = NEW.id; END"
            }
            _ => return None,
        })
    }
}
