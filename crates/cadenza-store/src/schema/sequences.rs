//! Flows and what they are put to work with: templates, sequences, versions of structure, revisions of content.

pub(super) const STEPS: &[&str] = &[
    // A reusable flow that never runs itself: flow and settings are JSON, of settings those that it states.
    "CREATE TABLE template (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        description TEXT NOT NULL,
        owner_id BIGINT NOT NULL,
        type TEXT NOT NULL,
        source TEXT NOT NULL,
        priority BIGINT NOT NULL,
        flow TEXT NOT NULL,
        settings TEXT NOT NULL,
        shared BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT template_type CHECK (type IN ('contacts', 'companies')),
        CONSTRAINT template_source CHECK (source IN ('list', 'one_by_one')),
        CONSTRAINT template_priority CHECK (priority IN (0, 1, 2)),
        CONSTRAINT template_shared CHECK (shared IN (0, 1))
    )",
    "CREATE UNIQUE INDEX template_name ON template (workspace_id, sort_name)",
    // Wordings of their own, for steps and for users (SEQ-12).
    "CREATE TABLE message_template (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        html TEXT NOT NULL,
        owner_id BIGINT NOT NULL,
        shared BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT message_template_kind CHECK (kind IN ('email', 'text', 'snippet')),
        CONSTRAINT message_template_shared CHECK (shared IN (0, 1))
    )",
    "CREATE UNIQUE INDEX message_template_name ON message_template (workspace_id, kind, sort_name)",
    // A flow put to work. `settings` are complete (JSON of core's Settings), `flow_version` is the newest structure;
    // `ended_while` is its state when its end date came, for who reopens it; `sharing` says who sees it beside its owner, the primary user.
    "CREATE TABLE sequence (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        description TEXT NOT NULL,
        type TEXT NOT NULL,
        state TEXT NOT NULL,
        begin_at BIGINT,
        end_at BIGINT,
        ended_at BIGINT,
        ended_by TEXT,
        ended_while TEXT,
        held TEXT,
        primary_user_id BIGINT NOT NULL,
        list_id BIGINT,
        template_id BIGINT,
        priority BIGINT NOT NULL,
        settings TEXT NOT NULL,
        flow_version BIGINT NOT NULL,
        sharing TEXT NOT NULL,
        created_by BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT sequence_type CHECK (type IN ('contacts', 'companies')),
        CONSTRAINT sequence_state CHECK (state IN ('draft', 'scheduled', 'active', 'paused', 'ended', 'archived')),
        CONSTRAINT sequence_dates CHECK (end_at IS NULL OR begin_at IS NULL OR end_at > begin_at),
        CONSTRAINT sequence_scheduled CHECK (state <> 'scheduled' OR begin_at IS NOT NULL),
        CONSTRAINT sequence_ended CHECK (
            (state IN ('ended', 'archived')) = (ended_at IS NOT NULL)
            AND (ended_at IS NULL) = (ended_by IS NULL)
            AND (ended_by IS NULL OR ended_by IN ('hand', 'date', 'all_finished'))),
        CONSTRAINT sequence_ended_while CHECK (ended_while IN ('scheduled', 'active', 'paused')),
        CONSTRAINT sequence_priority CHECK (priority IN (0, 1, 2)),
        CONSTRAINT sequence_sharing CHECK (sharing IN ('private', 'some', 'everyone')),
        CONSTRAINT sequence_flow_version CHECK (flow_version > 0)
    )",
    "CREATE UNIQUE INDEX sequence_name ON sequence (workspace_id, sort_name)",
    // A list feeds at most one live sequence (SEQ-5).
    "CREATE UNIQUE INDEX sequence_list ON sequence (workspace_id, list_id)
        WHERE list_id IS NOT NULL AND state IN ('scheduled', 'active', 'paused')",
    "CREATE INDEX sequence_begins ON sequence (begin_at) WHERE state = 'scheduled'",
    "CREATE INDEX sequence_ends ON sequence (end_at)
        WHERE end_at IS NOT NULL AND state IN ('scheduled', 'active', 'paused')",
    // Additional team members and those it is shared with; a user or a team.
    "CREATE TABLE sequence_member (
        workspace_id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        role TEXT NOT NULL,
        subject TEXT NOT NULL,
        subject_id BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, sequence_id, role, subject, subject_id),
        CONSTRAINT sequence_member_sequence FOREIGN KEY (workspace_id, sequence_id)
            REFERENCES sequence (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT sequence_member_role CHECK (role IN ('works', 'sees')),
        CONSTRAINT sequence_member_subject CHECK (subject IN ('user', 'team'))
    )",
    "CREATE INDEX sequence_member_of ON sequence_member (workspace_id, subject, subject_id)",
    // One structural version of a sequence's flow: branches, steps, conditions, without the steps' contents. JSON.
    "CREATE TABLE flow_version (
        workspace_id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        version BIGINT NOT NULL,
        structure TEXT NOT NULL,
        note TEXT NOT NULL,
        created_by BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, sequence_id, version),
        CONSTRAINT flow_version_sequence FOREIGN KEY (workspace_id, sequence_id)
            REFERENCES sequence (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT flow_version_version CHECK (version > 0)
    )",
    // One revision of what a step says and when. The highest is in force; activities record which they used. JSON.
    "CREATE TABLE step_content (
        workspace_id BIGINT NOT NULL,
        sequence_id BIGINT NOT NULL,
        step TEXT NOT NULL,
        revision BIGINT NOT NULL,
        content TEXT NOT NULL,
        created_by BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, sequence_id, step, revision),
        CONSTRAINT step_content_sequence FOREIGN KEY (workspace_id, sequence_id)
            REFERENCES sequence (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT step_content_revision CHECK (revision > 0)
    )",
];
