//! Who works here and what runs: workspaces, users and how they sign in, nodes, jobs, the audit log.

pub(super) const STEPS: &[&str] = &[
    // One organisation. The signing key signs links; `clock_ahead` is how far a sandbox workspace skipped ahead,
    // microseconds; `restore_hold` holds all sending of a restored or copied database (SND-12).
    "CREATE TABLE workspace (
        workspace_id BIGINT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        settings TEXT NOT NULL,
        signing_key BLOB NOT NULL,
        postal_address TEXT NOT NULL,
        public_url TEXT NOT NULL,
        restore_hold BIGINT NOT NULL,
        clock_ahead BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        CONSTRAINT workspace_restore_hold CHECK (restore_hold IN (0, 1)),
        CONSTRAINT workspace_clock_ahead CHECK (clock_ahead >= 0)
    )",
    // A server process, by its number of 0 to 511. Every run has an epoch of its own, the highest so far. `alive_at` is its last
    // sign of life by its own clock, `seen_at` by the database's. One that is leaving begins nothing any more. One that is gone, or was
    // taken for it, sets no final mark any more: what it recorded is settled by the others.
    "CREATE TABLE node (
        id BIGINT NOT NULL PRIMARY KEY,
        epoch BIGINT NOT NULL,
        started_at BIGINT NOT NULL,
        alive_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        state TEXT NOT NULL,
        identity BIGINT NOT NULL,
        beats BIGINT NOT NULL,
        CONSTRAINT node_id CHECK (id BETWEEN 0 AND 511),
        CONSTRAINT node_state CHECK (state IN ('working', 'leaving', 'gone'))
    )",
    "CREATE UNIQUE INDEX node_epoch ON node (epoch)",
    // Which run works which of the 256 shards: the epoch of a working node, or 0. The lease of a shard lasts as long as
    // that of its node.
    "CREATE TABLE shard_lease (
        shard BIGINT NOT NULL PRIMARY KEY,
        epoch BIGINT NOT NULL,
        CONSTRAINT shard_lease_shard CHECK (shard BETWEEN 0 AND 255)
    )",
    // Sign-in addresses, unique over all workspaces, in lower case: where a user of that address is to be found.
    "CREATE TABLE sign_in (
        address TEXT NOT NULL PRIMARY KEY,
        of_workspace BIGINT NOT NULL,
        user_id BIGINT NOT NULL
    )",
    // A named set of privileges (PRM-1), a JSON array.
    "CREATE TABLE role (
        workspace_id BIGINT NOT NULL,
        name TEXT NOT NULL,
        privileges TEXT NOT NULL,
        built_in BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, name),
        CONSTRAINT role_built_in CHECK (built_in IN (0, 1))
    )",
    // Who works here. `password` is a PHC string, NULL until an invitation is accepted or where OIDC signs in.
    "CREATE TABLE user_account (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        password TEXT,
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        zone TEXT,
        settings TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT user_account_role FOREIGN KEY (workspace_id, role) REFERENCES role (workspace_id, name),
        CONSTRAINT user_account_state CHECK (state IN ('invited', 'active', 'departed'))
    )",
    "CREATE UNIQUE INDEX user_account_address ON user_account (workspace_id, address)",
    // An open invitation of a user who has not accepted yet (PRM-4). Only a hash of its token is kept.
    "CREATE TABLE invitation (
        workspace_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        token_hash TEXT NOT NULL,
        invited_by BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, user_id),
        CONSTRAINT invitation_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX invitation_token ON invitation (workspace_id, token_hash)",
    // A browser that is signed in. Only a hash of its token is kept.
    "CREATE TABLE session (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        token_hash TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        from_address TEXT,
        user_agent TEXT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT session_of_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX session_token ON session (workspace_id, token_hash)",
    "CREATE INDEX session_user_id ON session (workspace_id, user_id)",
    // A key of a program. Only the SHA-256 of the token is kept; scopes are privileges, a JSON array.
    "CREATE TABLE api_token (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        name TEXT NOT NULL,
        token_hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        used_at BIGINT,
        ended_at BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT api_token_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX api_token_hash ON api_token (workspace_id, token_hash)",
    // Users who share sequences and rotate mailboxes.
    "CREATE TABLE team (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (workspace_id, id)
    )",
    "CREATE UNIQUE INDEX team_name ON team (workspace_id, name)",
    "CREATE TABLE team_member (
        workspace_id BIGINT NOT NULL,
        team_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, team_id, user_id),
        CONSTRAINT team_member_team FOREIGN KEY (workspace_id, team_id) REFERENCES team (workspace_id, id)
            ON DELETE CASCADE,
        CONSTRAINT team_member_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE
    )",
    // When a user is away and what becomes of their work by kind of step (TIM-7), JSON. `turn_at` is when the clock must
    // look: at the begin until it was posted to whom it concerns (`begun`), then at the end.
    "CREATE TABLE absence (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        from_at BIGINT NOT NULL,
        until_at BIGINT,
        rules TEXT NOT NULL,
        begun BIGINT NOT NULL,
        turn_at BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT absence_begun CHECK (begun IN (0, 1)),
        CONSTRAINT absence_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE,
        CONSTRAINT absence_dates CHECK (until_at IS NULL OR until_at > from_at)
    )",
    "CREATE INDEX absence_user_id ON absence (workspace_id, user_id)",
    "CREATE INDEX absence_turn ON absence (turn_at) WHERE turn_at IS NOT NULL",
    // Every change made by a person (PRM-3): who, what, before, after. Append-only; before and after are JSON.
    "CREATE TABLE audit (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        at BIGINT NOT NULL,
        user_id BIGINT,
        token_id BIGINT,
        from_address TEXT,
        action TEXT NOT NULL,
        object TEXT NOT NULL,
        object_id BIGINT,
        before TEXT,
        after TEXT,
        PRIMARY KEY (workspace_id, id)
    )",
    "CREATE INDEX audit_object ON audit (workspace_id, object, object_id, id)",
    // A long operation over many rows, resumable from its cursor (OPS-1). `claimed_until` keeps a second worker away.
    "CREATE TABLE job (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        user_id BIGINT NOT NULL,
        input TEXT NOT NULL,
        state TEXT NOT NULL,
        position BIGINT NOT NULL,
        total BIGINT,
        done BIGINT NOT NULL,
        failed BIGINT NOT NULL,
        failure TEXT,
        created_at BIGINT NOT NULL,
        started_at BIGINT,
        finished_at BIGINT,
        claimed_until BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT job_state CHECK (state IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
        CONSTRAINT job_finished CHECK ((state IN ('finished', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
        CONSTRAINT job_counts CHECK (position >= 0 AND done >= 0 AND failed >= 0)
    )",
    "CREATE INDEX job_open ON job (state, created_at) WHERE state IN ('queued', 'running')",
    // What a job could not do, row by row: its place in the input and why.
    "CREATE TABLE job_failure (
        workspace_id BIGINT NOT NULL,
        job_id BIGINT NOT NULL,
        position BIGINT NOT NULL,
        subject TEXT NOT NULL,
        code TEXT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (workspace_id, job_id, position),
        CONSTRAINT job_failure_job FOREIGN KEY (workspace_id, job_id) REFERENCES job (workspace_id, id)
            ON DELETE CASCADE
    )",
    // A request that was answered under its idempotency key (API-1), by whom it came.
    "CREATE TABLE idempotency (
        workspace_id BIGINT NOT NULL,
        caller_id BIGINT NOT NULL,
        request_key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status BIGINT NOT NULL,
        answer TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, caller_id, request_key)
    )",
    "CREATE INDEX idempotency_at ON idempotency (workspace_id, at)",
    // Where the workspace's events are told (API-2). The secret is sealed; the second one serves a rotation.
    "CREATE TABLE webhook (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        secret BLOB NOT NULL,
        old_secret BLOB,
        state TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT webhook_state CHECK (state IN ('on', 'off', 'gone'))
    )",
    "CREATE TABLE webhook_delivery (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        webhook_id BIGINT NOT NULL,
        event TEXT NOT NULL,
        payload TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        next_at BIGINT,
        tries BIGINT NOT NULL,
        answer TEXT,
        delivered_at BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT webhook_delivery_webhook FOREIGN KEY (workspace_id, webhook_id)
            REFERENCES webhook (workspace_id, id) ON DELETE CASCADE
    )",
    "CREATE INDEX webhook_delivery_of ON webhook_delivery (workspace_id, webhook_id, id)",
    "CREATE INDEX webhook_delivery_next ON webhook_delivery (next_at) WHERE next_at IS NOT NULL",
];
