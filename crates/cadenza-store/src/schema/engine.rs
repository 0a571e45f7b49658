//! What the machine moves: enrollments and all that is written with them in one transaction. Only the door writes these.

pub(super) const STEPS: &[&str] = &[
    // One person (or company) in one sequence: the columns of `cadenza_core::enrollment::COLUMNS`, then what the door
    // derives from them: `state` and `reason` as of the last event, the shard and the epoch of its owner, when the clock
    // must look again, and the published order class of TIM-5.
    "CREATE TABLE enrollment (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        contact_id BIGINT,
        company_id BIGINT,
        flow_version BIGINT NOT NULL,
        enrolled_by BIGINT NOT NULL,
        enrolled_at BIGINT NOT NULL,
        life BIGINT NOT NULL,
        holds BIGINT NOT NULL,
        hold_until BIGINT,
        block TEXT,
        block_detail TEXT,
        branch TEXT,
        step TEXT,
        visit BIGINT,
        base_at BIGINT,
        delay TEXT,
        due_at BIGINT,
        phase BIGINT,
        released BIGINT,
        attempt BIGINT,
        tries BIGINT,
        not_before BIGINT,
        wait_branch TEXT,
        wait_step TEXT,
        wait_visit BIGINT,
        wait_from BIGINT,
        wait_until BIGINT,
        finish TEXT,
        finished_at BIGINT,
        outcome BIGINT NOT NULL,
        mark TEXT,
        mark_finished BIGINT NOT NULL,
        mark_outcome_before BIGINT NOT NULL,
        visits BIGINT NOT NULL,
        steps_executed BIGINT NOT NULL,
        last_action_at BIGINT,
        last_visit BIGINT NOT NULL,
        last_step TEXT,
        last_email_at BIGINT,
        steps_at_last_email BIGINT NOT NULL,
        first_reply_at BIGINT,
        last_reply_at BIGINT,
        opted_out BIGINT NOT NULL,
        bounced BIGINT NOT NULL,
        soft_bounces BIGINT NOT NULL,
        soft_bounce_at BIGINT,
        mailbox_id BIGINT,
        owner_id BIGINT,
        emails BIGINT NOT NULL,
        texts BIGINT NOT NULL,
        opens BIGINT NOT NULL,
        clicks BIGINT NOT NULL,
        replies BIGINT NOT NULL,
        calls BIGINT NOT NULL,
        tasks BIGINT NOT NULL,
        parked BIGINT,
        version BIGINT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        shard BIGINT NOT NULL,
        epoch BIGINT NOT NULL,
        wake_at BIGINT,
        rank_class BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT enrollment_subject CHECK ((contact_id IS NULL) <> (company_id IS NULL)),
        CONSTRAINT enrollment_life CHECK (life IN (0, 1, 2, 3)),
        CONSTRAINT enrollment_holds CHECK (holds BETWEEN 0 AND 255),
        CONSTRAINT enrollment_block CHECK (block IN
            ('missing_address', 'missing_field', 'mailbox', 'step_failed', 'delivery_unknown')),
        CONSTRAINT enrollment_place CHECK (
            (step IS NULL) = (branch IS NULL) AND (step IS NULL) = (visit IS NULL)
            AND (step IS NULL) = (base_at IS NULL) AND (step IS NULL) = (due_at IS NULL)
            AND (step IS NULL) = (phase IS NULL) AND (step IS NULL) = (released IS NULL)
            AND (step IS NULL) = (attempt IS NULL) AND (step IS NULL) = (tries IS NULL)
            AND (step IS NOT NULL OR (delay IS NULL AND not_before IS NULL))),
        CONSTRAINT enrollment_visit CHECK (visit BETWEEN 0 AND visits),
        CONSTRAINT enrollment_phase CHECK (phase IN (0, 1, 2) AND (phase <> 2 OR attempt > 0)),
        CONSTRAINT enrollment_released CHECK (released IN (0, 1, 2)),
        CONSTRAINT enrollment_wait CHECK (
            (wait_step IS NULL) = (wait_branch IS NULL) AND (wait_step IS NULL) = (wait_visit IS NULL)
            AND (wait_step IS NULL) = (wait_from IS NULL) AND (wait_step IS NULL) = (wait_until IS NULL)),
        CONSTRAINT enrollment_finish CHECK (
            (finish IS NULL) = (finished_at IS NULL)
            AND (life <> 2 OR finish IS NOT NULL) AND (life NOT IN (0, 1) OR finish IS NULL)
            AND (finish IS NULL OR finish IN ('completed', 'replied', 'opted_out', 'bounced', 'stopped', 'judged',
                'sequence_ended', 'rule'))),
        CONSTRAINT enrollment_outcome CHECK (outcome IN (0, 1, 2) AND mark_outcome_before IN (0, 1, 2)),
        CONSTRAINT enrollment_mark CHECK (mark IN ('success', 'not_interested', 'opted_out', 'bounced')),
        CONSTRAINT enrollment_flags CHECK (mark_finished IN (0, 1) AND opted_out IN (0, 1) AND bounced IN (0, 1)),
        CONSTRAINT enrollment_counts CHECK (visits >= 0 AND steps_executed >= 0 AND emails >= 0 AND texts >= 0
            AND opens >= 0 AND clicks >= 0 AND replies >= 0 AND calls >= 0 AND tasks >= 0 AND soft_bounces >= 0
            AND version >= 0),
        CONSTRAINT enrollment_state CHECK (state = CASE
            WHEN life = 3 THEN 'removed' WHEN life = 2 THEN 'finished' WHEN holds <> 0 THEN 'paused'
            WHEN block IS NOT NULL THEN 'blocked' WHEN life = 0 THEN 'pending' ELSE 'active' END),
        CONSTRAINT enrollment_active CHECK (state <> 'active' OR step IS NOT NULL OR wait_step IS NOT NULL),
        CONSTRAINT enrollment_quiet CHECK (life IN (0, 1) OR (wake_at IS NULL AND parked IS NULL))
    ) WITHOUT ROWID",
    "CREATE INDEX enrollment_due ON enrollment (wake_at, id, shard) WHERE wake_at IS NOT NULL",
    "CREATE INDEX enrollment_parked ON enrollment (workspace_id, parked, rank_class, due_at) WHERE parked IS NOT NULL",
    "CREATE INDEX enrollment_contact ON enrollment (workspace_id, contact_id) WHERE contact_id IS NOT NULL",
    "CREATE INDEX enrollment_company ON enrollment (workspace_id, company_id) WHERE company_id IS NOT NULL",
    "CREATE INDEX enrollment_sequence ON enrollment (workspace_id, sequence_id, state)",
    // A contact is live in one sequence at most once (ENR-11).
    "CREATE UNIQUE INDEX enrollment_live_contact ON enrollment (workspace_id, sequence_id, contact_id)
        WHERE life IN (0, 1) AND contact_id IS NOT NULL",
    "CREATE UNIQUE INDEX enrollment_live_company ON enrollment (workspace_id, sequence_id, company_id)
        WHERE life IN (0, 1) AND company_id IS NOT NULL",
    // The Queue (QUE-1), by the next action: those that have executed a step, and apart from them those that wait for
    // their first. What has no date yet comes last.
    "CREATE INDEX enrollment_queue ON enrollment
        (workspace_id, (COALESCE(due_at, wait_until, 9223372036854775807)), id)
        WHERE life IN (0, 1) AND steps_executed > 0",
    "CREATE INDEX enrollment_first ON enrollment
        (workspace_id, (COALESCE(due_at, wait_until, 9223372036854775807)), id)
        WHERE life IN (0, 1) AND steps_executed = 0",
    // What needs a person (TSK-4): few rows among very many.
    "CREATE INDEX enrollment_blocked ON enrollment (workspace_id, id) WHERE block IS NOT NULL AND life = 1",
    // One execution of one step: planned, then due, then done. The phase is 0 waiting, 1 due, 2 executing, 3 closed.
    "CREATE TABLE activity (
        workspace_id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        visit BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        contact_id BIGINT,
        company_id BIGINT,
        branch TEXT NOT NULL,
        step TEXT NOT NULL,
        kind TEXT NOT NULL,
        phase BIGINT NOT NULL,
        outcome TEXT,
        due_at BIGINT NOT NULL,
        appeared_at BIGINT,
        closed_at BIGINT,
        closed_by TEXT,
        owner_id BIGINT NOT NULL,
        priority BIGINT NOT NULL,
        revision BIGINT NOT NULL,
        variant TEXT,
        PRIMARY KEY (workspace_id, enrollment_id, visit),
        CONSTRAINT activity_subject CHECK ((contact_id IS NULL) <> (company_id IS NULL)),
        CONSTRAINT activity_kind CHECK (kind IN
            ('email_auto', 'email_manual', 'call', 'sms_auto', 'sms_manual', 'linkedin', 'task')),
        CONSTRAINT activity_phase CHECK (phase IN (0, 1, 2, 3)),
        CONSTRAINT activity_closed CHECK ((phase = 3) = (closed_at IS NOT NULL) AND (phase = 3) = (outcome IS NOT NULL)),
        CONSTRAINT activity_priority CHECK (priority IN (0, 1, 2))
    ) WITHOUT ROWID",
    // Open tasks: what a person has to do and can see (TSK-1).
    "CREATE INDEX activity_task ON activity (workspace_id, owner_id, due_at, kind)
        WHERE phase < 3 AND appeared_at IS NOT NULL AND kind NOT IN ('email_auto', 'sms_auto')",
    "CREATE INDEX activity_task_due ON activity (workspace_id, due_at, sequence_id, kind)
        WHERE phase < 3 AND appeared_at IS NOT NULL AND kind NOT IN ('email_auto', 'sms_auto')",
    // The outbox: one attempt to send one message, recorded before (claimed), at its final mark (marked) and after.
    // `fields` are the merge values frozen at the claim, `by_hand` a person's own wording; both JSON. `subject` is that of
    // a mail that begins a thread; NULL of one that continues it. `unknown` is 1 where nobody knows whether it arrived. No
    // index is built on `state`, so that a final mark, which changes little else, rewrites none on either engine.
    "CREATE TABLE send (
        workspace_id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        visit BIGINT NOT NULL,
        attempt BIGINT NOT NULL,
        channel TEXT NOT NULL,
        mailbox_id BIGINT,
        address TEXT NOT NULL,
        state TEXT NOT NULL,
        message_id TEXT NOT NULL,
        step TEXT NOT NULL,
        revision BIGINT NOT NULL,
        variant TEXT NOT NULL,
        same_thread BIGINT NOT NULL,
        subject TEXT,
        scopes TEXT NOT NULL,
        fields TEXT,
        by_hand TEXT,
        claimed_at BIGINT NOT NULL,
        marked_at BIGINT,
        settled_at BIGINT,
        unknown BIGINT,
        answer TEXT,
        shard BIGINT NOT NULL,
        epoch BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, enrollment_id, visit, attempt),
        CONSTRAINT send_channel CHECK (channel IN ('email', 'text') AND (channel = 'email') = (mailbox_id IS NOT NULL)),
        CONSTRAINT send_attempt CHECK (attempt > 0),
        CONSTRAINT send_same_thread CHECK (same_thread IN (0, 1)),
        CONSTRAINT send_state CHECK (state IN
            ('claimed', 'marked', 'sent', 'deferred', 'refused', 'unknown', 'withdrawn')),
        CONSTRAINT send_marked CHECK (state NOT IN ('marked', 'unknown') OR marked_at IS NOT NULL),
        CONSTRAINT send_settled CHECK ((state IN ('claimed', 'marked')) = (settled_at IS NULL)),
        CONSTRAINT send_unknown CHECK ((state = 'unknown') = (unknown IS NOT NULL) AND (unknown IS NULL OR unknown = 1))
    )",
    "CREATE INDEX send_message ON send (workspace_id, message_id)",
    // What a mailbox has sent, newest first: its event log, its reports and its breaker (SND-10).
    "CREATE INDEX send_mailbox ON send (workspace_id, mailbox_id, claimed_at) WHERE mailbox_id IS NOT NULL",
    "CREATE INDEX send_open ON send (shard, claimed_at) WHERE settled_at IS NULL",
    "CREATE INDEX send_unknown ON send (workspace_id, enrollment_id) WHERE unknown IS NOT NULL",
    // What happened to an enrollment, line by line, for ever: event, what it changed, no personal data. Lines and sends lie
    // in the order in which they came, not by enrollment: those of one batch share pages, and pages are what a commit costs.
    "CREATE TABLE history (
        workspace_id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        version BIGINT NOT NULL,
        at BIGINT NOT NULL,
        event TEXT NOT NULL,
        actor TEXT NOT NULL,
        level BIGINT NOT NULL,
        cause TEXT,
        detail TEXT,
        format BIGINT NOT NULL,
        changes TEXT NOT NULL,
        PRIMARY KEY (workspace_id, enrollment_id, version),
        CONSTRAINT history_level CHECK (level IN (0, 1, 2))
    )",
    "CREATE INDEX history_at ON history (workspace_id, at)",
    "CREATE INDEX history_trouble ON history (workspace_id, at) WHERE level > 0",
    // What a cap, gap or rate limiter has counted: `id` is the number of its scope, `of_id` whom it counts for. It wakes
    // when room appears for what is parked behind it.
    "CREATE TABLE limiter (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        of_id BIGINT NOT NULL,
        since_at BIGINT NOT NULL,
        used BIGINT NOT NULL,
        wake_at BIGINT,
        shard BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT limiter_kind CHECK (kind IN ('sequence_emails', 'sequence_texts', 'contact', 'mailbox_gap',
            'mailbox_hour', 'mailbox_day', 'domain', 'workspace')),
        CONSTRAINT limiter_used CHECK (used >= 0)
    ) WITHOUT ROWID",
    "CREATE INDEX limiter_wake ON limiter (wake_at, shard) WHERE wake_at IS NOT NULL",
    // Counts per sequence and step ('' is the whole sequence), a part for each node, so that nodes never
    // wait for each other; the sum counts.
    "CREATE TABLE counter (
        workspace_id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        step TEXT NOT NULL,
        name TEXT NOT NULL,
        part BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, sequence_id, step, name, part)
    ) WITHOUT ROWID",
    // What a sequence or mailbox sent on a day (of UTC, since 1970), and what came of it: what its breaker goes by (SND-10). A part
    // for each node, as counters have.
    "CREATE TABLE track_record (
        workspace_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        of_id BIGINT NOT NULL,
        day BIGINT NOT NULL,
        part BIGINT NOT NULL,
        mails BIGINT NOT NULL,
        bounces BIGINT NOT NULL,
        complaints BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, kind, of_id, day, part),
        CONSTRAINT track_record_kind CHECK (kind IN ('mailbox', 'sequence'))
    ) WITHOUT ROWID",
    // Sequences that end when all are finished (SEQ-8) and in which nobody is left: the clock looks at them then.
    "CREATE TABLE sequence_idle (
        workspace_id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        look_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, sequence_id)
    )",
    "CREATE INDEX sequence_idle_look ON sequence_idle (look_at)",
    // Addresses, domains and numbers that get nothing more (SND-9). `value_hash` is a keyed hash of the value, so that a
    // person's erasure can take the value away and the refusal stays.
    "CREATE TABLE suppression (
        workspace_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        value_hash TEXT NOT NULL,
        value TEXT,
        why TEXT NOT NULL,
        at BIGINT NOT NULL,
        by_id BIGINT,
        PRIMARY KEY (workspace_id, kind, value_hash),
        CONSTRAINT suppression_kind CHECK (kind IN ('email', 'domain', 'phone')),
        CONSTRAINT suppression_why CHECK (why IN ('opt_out', 'hard_bounce', 'complaint', 'mark', 'import', 'by_hand'))
    ) WITHOUT ROWID",
    "CREATE INDEX suppression_value ON suppression (workspace_id, value) WHERE value IS NOT NULL",
    // What a condition asked for that is not pure database: a webhook call, a notification (FLOW-5).
    "CREATE TABLE side_effect (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        visit BIGINT NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        next_at BIGINT,
        tries BIGINT NOT NULL,
        done_at BIGINT,
        failure TEXT,
        shard BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id)
    )",
    "CREATE INDEX side_effect_open ON side_effect (shard, next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX side_effect_enrollment ON side_effect (workspace_id, enrollment_id)",
];
