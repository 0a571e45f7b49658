//! What goes out and comes in: mailboxes, messages received, opens and clicks, the sandbox.

pub(super) const STEPS: &[&str] = &[
    // An address that is sent from and read. Secrets are sealed; caps that are NULL do not exist; `held` is why it sends
    // nothing at present. `readable` 0 means that replies cannot be seen at all (REC-8).
    "CREATE TABLE mailbox (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        owner_id BIGINT NOT NULL,
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        sandbox BIGINT NOT NULL,
        signature TEXT NOT NULL,
        smtp_host TEXT,
        smtp_port BIGINT,
        smtp_security TEXT,
        smtp_auth TEXT,
        smtp_login TEXT,
        smtp_secret BLOB,
        imap_host TEXT,
        imap_port BIGINT,
        imap_security TEXT,
        imap_auth TEXT,
        imap_login TEXT,
        imap_secret BLOB,
        imap_folders TEXT NOT NULL,
        sent_folder TEXT,
        day_cap BIGINT,
        hour_cap BIGINT,
        gap_seconds BIGINT,
        jitter_seconds BIGINT,
        freshness_minutes BIGINT NOT NULL,
        plus_addresses BIGINT NOT NULL,
        journaled BIGINT NOT NULL,
        readable BIGINT NOT NULL,
        read_at BIGINT,
        read_failure TEXT,
        held TEXT,
        held_at BIGINT,
        created_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT mailbox_flags CHECK (sandbox IN (0, 1) AND readable IN (0, 1) AND plus_addresses IN (0, 1) AND journaled IN (0, 1)),
        CONSTRAINT mailbox_transport CHECK (sandbox = 1 OR (smtp_host IS NOT NULL AND smtp_port BETWEEN 1 AND 65535
            AND smtp_security IS NOT NULL AND smtp_auth IS NOT NULL)),
        CONSTRAINT mailbox_inbox CHECK (imap_host IS NULL OR (imap_port BETWEEN 1 AND 65535
            AND imap_security IS NOT NULL AND imap_auth IS NOT NULL)),
        CONSTRAINT mailbox_security CHECK ((smtp_security IS NULL OR smtp_security IN ('tls', 'starttls', 'none'))
            AND (imap_security IS NULL OR imap_security IN ('tls', 'starttls', 'none'))),
        CONSTRAINT mailbox_auth CHECK ((smtp_auth IS NULL OR smtp_auth IN ('none', 'password', 'xoauth2'))
            AND (imap_auth IS NULL OR imap_auth IN ('password', 'xoauth2'))),
        CONSTRAINT mailbox_caps CHECK (day_cap >= 0 AND hour_cap >= 0 AND gap_seconds >= 0 AND jitter_seconds >= 0
            AND freshness_minutes > 0)
    )",
    "CREATE UNIQUE INDEX mailbox_address ON mailbox (workspace_id, address)",
    // How far a folder has been read: IMAP's UIDVALIDITY and the next UID to ask for (RFC 9051 §2.3.1.1).
    "CREATE TABLE mailbox_folder (
        workspace_id BIGINT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        folder TEXT NOT NULL,
        uid_validity BIGINT NOT NULL,
        uid_next BIGINT NOT NULL,
        read_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, mailbox_id, folder),
        CONSTRAINT mailbox_folder_mailbox FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id)
            ON DELETE CASCADE
    )",
    // What lets a mailbox sign in by OAuth 2 (RFC 6749 §6). Secrets are sealed. `failure` is why there are no more tokens until
    // somebody changes something; whoever renews has the row until `claimed_until`, unless its version moves.
    "CREATE TABLE mailbox_grant (
        workspace_id BIGINT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        token_endpoint TEXT NOT NULL,
        client_id TEXT NOT NULL,
        client_secret BLOB,
        refresh_token BLOB NOT NULL,
        access_token BLOB,
        renew_at BIGINT,
        expires_at BIGINT,
        failure TEXT,
        claimed_until BIGINT,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, mailbox_id),
        CONSTRAINT mailbox_grant_mailbox FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id)
            ON DELETE CASCADE,
        CONSTRAINT mailbox_grant_access CHECK ((access_token IS NULL) = (expires_at IS NULL)
            AND (access_token IS NULL) = (renew_at IS NULL))
    )",
    // A message that came in, whatever way. `dedupe_key` is the same for the same message read twice (REC-7);
    // `classification` is the verdict as JSON, `class` its word. `correction` is what a
    // person said that it is instead; `raw` may be gone.
    "CREATE TABLE inbound_message (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        dedupe_key TEXT NOT NULL,
        source TEXT NOT NULL,
        mailbox_id BIGINT,
        received_at BIGINT NOT NULL,
        message_id TEXT,
        from_address TEXT,
        subject TEXT,
        preview TEXT NOT NULL,
        class TEXT NOT NULL,
        classification TEXT NOT NULL,
        correction TEXT,
        corrected_by BIGINT,
        corrected_at BIGINT,
        matched_by TEXT,
        contact_id BIGINT,
        company_id BIGINT,
        sequence_id BIGINT,
        enrollment_id BIGINT,
        visit BIGINT,
        assigned_to BIGINT,
        seen_at BIGINT,
        handled_at BIGINT,
        raw BLOB,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT inbound_message_source CHECK (source IN ('imap', 'http', 'sandbox', 'text')),
        CONSTRAINT inbound_message_match CHECK (visit IS NULL OR enrollment_id IS NOT NULL),
        CONSTRAINT inbound_message_corrected CHECK ((correction IS NULL) = (corrected_by IS NULL)
            AND (correction IS NULL) = (corrected_at IS NULL))
    )",
    "CREATE UNIQUE INDEX inbound_message_once ON inbound_message (workspace_id, dedupe_key)",
    "CREATE INDEX inbound_message_class ON inbound_message (workspace_id, class, id)",
    "CREATE INDEX inbound_message_open ON inbound_message (workspace_id, assigned_to, id) WHERE handled_at IS NULL",
    "CREATE INDEX inbound_message_waits ON inbound_message (workspace_id, id) WHERE handled_at IS NULL",
    "CREATE INDEX inbound_message_contact ON inbound_message (workspace_id, contact_id, id) WHERE contact_id IS NOT NULL",
    "CREATE INDEX inbound_message_enrollment ON inbound_message (workspace_id, enrollment_id, id)
        WHERE enrollment_id IS NOT NULL",
    "CREATE INDEX inbound_message_reference ON inbound_message (workspace_id, message_id) WHERE message_id IS NOT NULL",
    // Whom a message was put to, and at which moment: the lines of history of that moment are what it did (REC-6).
    "CREATE TABLE inbound_told (
        workspace_id BIGINT NOT NULL,
        message_id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, message_id, enrollment_id),
        CONSTRAINT inbound_told_message FOREIGN KEY (workspace_id, message_id)
            REFERENCES inbound_message (workspace_id, id) ON DELETE CASCADE
    )",
    // What a person answered to a message: mail that is no step, sent by the same protocol. `epoch` is the run that has it;
    // `references_to` is the thread, JSON; `words` what the server said, or why it waits.
    "CREATE TABLE answer (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        to_message_id BIGINT NOT NULL,
        enrollment_id BIGINT,
        mailbox_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        address TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        message_id TEXT NOT NULL,
        references_to TEXT NOT NULL,
        state TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        not_before BIGINT NOT NULL,
        marked_at BIGINT,
        settled_at BIGINT,
        epoch BIGINT NOT NULL,
        words TEXT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT answer_state CHECK (state IN ('queued', 'claimed', 'marked', 'sent', 'refused', 'unknown')),
        CONSTRAINT answer_marked CHECK (state NOT IN ('marked', 'unknown') OR marked_at IS NOT NULL),
        CONSTRAINT answer_settled CHECK ((state IN ('queued', 'claimed', 'marked')) = (settled_at IS NULL)),
        CONSTRAINT answer_message FOREIGN KEY (workspace_id, to_message_id)
            REFERENCES inbound_message (workspace_id, id) ON DELETE CASCADE
    )",
    "CREATE INDEX answer_open ON answer (state, not_before) WHERE state IN ('queued', 'claimed', 'marked')",
    "CREATE INDEX answer_to ON answer (workspace_id, to_message_id)",
    "CREATE INDEX answer_enrollment ON answer (workspace_id, enrollment_id) WHERE enrollment_id IS NOT NULL",
    "CREATE INDEX answer_sent_as ON answer (workspace_id, message_id)",
    // What later rules make of a kept message, found by a job and to be adopted (REC-12).
    "CREATE TABLE reclassified (
        workspace_id BIGINT NOT NULL,
        job_id BIGINT NOT NULL,
        message_id BIGINT NOT NULL,
        class_before TEXT NOT NULL,
        class TEXT NOT NULL,
        version_before BIGINT,
        version BIGINT NOT NULL,
        enrollments BIGINT NOT NULL,
        state TEXT NOT NULL,
        why TEXT,
        PRIMARY KEY (workspace_id, job_id, message_id),
        CONSTRAINT reclassified_state CHECK (state IN ('found', 'adopted', 'refused', 'over')),
        CONSTRAINT reclassified_message FOREIGN KEY (workspace_id, message_id)
            REFERENCES inbound_message (workspace_id, id) ON DELETE CASCADE
    )",
    // An open or click as it came, with the verdict whether a person made it (SND-3).
    "CREATE TABLE tracking_event (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        enrollment_id BIGINT NOT NULL,
        visit BIGINT NOT NULL,
        kind TEXT NOT NULL,
        link TEXT,
        at BIGINT NOT NULL,
        from_address TEXT,
        user_agent TEXT,
        method TEXT NOT NULL,
        verdict TEXT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT tracking_event_kind CHECK (kind IN ('open', 'click', 'unsubscribe')),
        CONSTRAINT tracking_event_link CHECK (kind <> 'click' OR link IS NOT NULL),
        CONSTRAINT tracking_event_verdict CHECK (verdict IN ('person', 'machine', 'unknown'))
    )",
    "CREATE INDEX tracking_event_of ON tracking_event (workspace_id, enrollment_id, visit)",
    // What the sandbox received: a mail as raw bytes, a text as its words. Nothing keeps a message from arriving twice
    // here, so that a double sending would be seen.
    "CREATE TABLE sandbox_message (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        channel TEXT NOT NULL,
        mailbox_id BIGINT,
        sender TEXT NOT NULL,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        message_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        read_at BIGINT,
        raw BLOB NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT sandbox_message_channel CHECK (channel IN ('email', 'text'))
    )",
    "CREATE INDEX sandbox_message_of ON sandbox_message (workspace_id, message_id)",
    "CREATE INDEX sandbox_message_to ON sandbox_message (workspace_id, recipient, id)",
];
