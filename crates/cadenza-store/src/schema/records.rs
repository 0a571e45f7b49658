//! The CRM records: contacts, companies, opportunities, lists, and what stands on their timelines.

pub(super) const STEPS: &[&str] = &[
    // What a claim needs of a person stands in this one row: `emails` and `phones` are JSON arrays of {kind, value} in
    // their order, `custom` a JSON object. `sort_name` is folded for sorting.
    "CREATE TABLE contact (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        first_name TEXT NOT NULL,
        last_name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        title TEXT NOT NULL,
        company_id BIGINT,
        owner_id BIGINT,
        zone TEXT,
        country TEXT,
        language TEXT,
        linkedin TEXT,
        emails TEXT NOT NULL,
        phones TEXT NOT NULL,
        custom TEXT NOT NULL,
        last_contacted_at BIGINT,
        last_engaged_at BIGINT,
        created_by BIGINT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id)
    ) WITHOUT ROWID",
    "CREATE INDEX contact_name ON contact (workspace_id, sort_name, id)",
    "CREATE INDEX contact_company ON contact (workspace_id, company_id) WHERE company_id IS NOT NULL",
    "CREATE INDEX contact_owner ON contact (workspace_id, owner_id) WHERE owner_id IS NOT NULL",
    // A contact's résumé, apart because it is long.
    "CREATE TABLE resume (
        workspace_id BIGINT NOT NULL,
        contact_id BIGINT NOT NULL,
        body TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, contact_id),
        CONSTRAINT resume_contact FOREIGN KEY (workspace_id, contact_id) REFERENCES contact (workspace_id, id)
            ON DELETE CASCADE
    )",
    "CREATE TABLE company (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        website TEXT,
        owner_id BIGINT,
        zone TEXT,
        country TEXT,
        language TEXT,
        emails TEXT NOT NULL,
        phones TEXT NOT NULL,
        custom TEXT NOT NULL,
        last_contacted_at BIGINT,
        last_engaged_at BIGINT,
        created_by BIGINT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id)
    ) WITHOUT ROWID",
    "CREATE INDEX company_name ON company (workspace_id, sort_name, id)",
    // Whose address or number is this? Values are folded: addresses in lower case, numbers as E.164.
    "CREATE TABLE address (
        workspace_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        subject TEXT NOT NULL,
        subject_id BIGINT NOT NULL,
        type TEXT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, kind, value, subject, subject_id),
        CONSTRAINT address_kind CHECK (kind IN ('email', 'phone')),
        CONSTRAINT address_subject CHECK (subject IN ('contact', 'company')),
        CONSTRAINT address_type CHECK (type IN ('work', 'personal', 'other'))
    ) WITHOUT ROWID",
    "CREATE INDEX address_of ON address (workspace_id, subject, subject_id)",
    // The folded words that a record or a message that came in is found by.
    "CREATE TABLE search_word (
        workspace_id BIGINT NOT NULL,
        subject TEXT NOT NULL,
        word TEXT NOT NULL,
        subject_id BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, subject, word, subject_id),
        CONSTRAINT search_word_subject CHECK (subject IN ('contact', 'company', 'message'))
    ) WITHOUT ROWID",
    "CREATE INDEX search_word_of ON search_word (workspace_id, subject, subject_id)",
    // A field that the workspace added to contacts, companies or opportunities.
    "CREATE TABLE custom_field (
        workspace_id BIGINT NOT NULL,
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        label TEXT NOT NULL,
        kind TEXT NOT NULL,
        choices TEXT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, subject, name),
        CONSTRAINT custom_field_subject CHECK (subject IN ('contact', 'company', 'opportunity')),
        CONSTRAINT custom_field_kind CHECK (kind IN ('text', 'number', 'date', 'choice', 'flag'))
    )",
    // A way through workflow stages, for opportunities (CRM-2).
    "CREATE TABLE workflow (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (workspace_id, id)
    )",
    "CREATE UNIQUE INDEX workflow_name ON workflow (workspace_id, name)",
    // A column of a workflow; one that is not of type New can be linked to a sequence (OPS-10).
    "CREATE TABLE workflow_stage (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        workflow_id BIGINT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        position BIGINT NOT NULL,
        sequence_id BIGINT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT workflow_stage_workflow FOREIGN KEY (workspace_id, workflow_id)
            REFERENCES workflow (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT workflow_stage_type CHECK (type IN ('new', 'open', 'won', 'lost')),
        CONSTRAINT workflow_stage_sequence CHECK (type <> 'new' OR sequence_id IS NULL)
    )",
    "CREATE UNIQUE INDEX workflow_stage_name ON workflow_stage (workspace_id, workflow_id, name)",
    // A job or a deal.
    "CREATE TABLE opportunity (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        company_id BIGINT,
        owner_id BIGINT,
        workflow_id BIGINT NOT NULL,
        custom TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        closed_at BIGINT,
        version BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT opportunity_workflow FOREIGN KEY (workspace_id, workflow_id) REFERENCES workflow (workspace_id, id),
        CONSTRAINT opportunity_kind CHECK (kind IN ('job', 'deal'))
    )",
    "CREATE INDEX opportunity_name ON opportunity (workspace_id, sort_name, id)",
    "CREATE TABLE opportunity_contact (
        workspace_id BIGINT NOT NULL,
        opportunity_id BIGINT NOT NULL,
        contact_id BIGINT NOT NULL,
        workflow_stage_id BIGINT NOT NULL,
        since_at BIGINT NOT NULL,
        added_by BIGINT,
        PRIMARY KEY (workspace_id, opportunity_id, contact_id),
        CONSTRAINT opportunity_contact_opportunity FOREIGN KEY (workspace_id, opportunity_id)
            REFERENCES opportunity (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT opportunity_contact_contact FOREIGN KEY (workspace_id, contact_id)
            REFERENCES contact (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT opportunity_contact_stage FOREIGN KEY (workspace_id, workflow_stage_id)
            REFERENCES workflow_stage (workspace_id, id)
    )",
    "CREATE INDEX opportunity_contact_contact_id ON opportunity_contact (workspace_id, contact_id)",
    "CREATE INDEX opportunity_contact_stage_id ON opportunity_contact (workspace_id, workflow_stage_id)",
    // A hand-kept set of contacts or companies.
    "CREATE TABLE list (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        sort_name TEXT NOT NULL,
        type TEXT NOT NULL,
        owner_id BIGINT,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT list_type CHECK (type IN ('contacts', 'companies'))
    )",
    "CREATE UNIQUE INDEX list_name ON list (workspace_id, sort_name)",
    "CREATE TABLE list_member (
        workspace_id BIGINT NOT NULL,
        list_id BIGINT NOT NULL,
        subject_id BIGINT NOT NULL,
        added_by BIGINT,
        added_at BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, list_id, subject_id),
        CONSTRAINT list_member_list FOREIGN KEY (workspace_id, list_id) REFERENCES list (workspace_id, id)
            ON DELETE CASCADE
    ) WITHOUT ROWID",
    "CREATE INDEX list_member_of ON list_member (workspace_id, subject_id)",
    // A line on a record's own timeline. Lines of kind `sequence` are read from the history and not written here (LOG-1).
    "CREATE TABLE log_entry (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        at BIGINT NOT NULL,
        user_id BIGINT,
        contact_id BIGINT,
        company_id BIGINT,
        opportunity_id BIGINT,
        enrollment_id BIGINT,
        visit BIGINT,
        body TEXT NOT NULL,
        detail TEXT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT log_entry_subject CHECK
            (contact_id IS NOT NULL OR company_id IS NOT NULL OR opportunity_id IS NOT NULL)
    )",
    "CREATE INDEX log_entry_contact ON log_entry (workspace_id, contact_id, at) WHERE contact_id IS NOT NULL",
    "CREATE INDEX log_entry_company ON log_entry (workspace_id, company_id, at) WHERE company_id IS NOT NULL",
    "CREATE INDEX log_entry_opportunity ON log_entry (workspace_id, opportunity_id, at) WHERE opportunity_id IS NOT NULL",
    "CREATE INDEX log_entry_enrollment ON log_entry (workspace_id, enrollment_id) WHERE enrollment_id IS NOT NULL",
    // A user's own task or meeting, with no sequence behind it, or one that a rule asked for.
    "CREATE TABLE task (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        owner_id BIGINT NOT NULL,
        name TEXT NOT NULL,
        instructions TEXT NOT NULL,
        priority BIGINT NOT NULL,
        due_at BIGINT,
        until_at BIGINT,
        contact_id BIGINT,
        company_id BIGINT,
        opportunity_id BIGINT,
        enrollment_id BIGINT,
        created_by BIGINT,
        created_at BIGINT NOT NULL,
        done_at BIGINT,
        outcome TEXT,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT task_kind CHECK (kind IN ('task', 'meeting', 'question')),
        CONSTRAINT task_priority CHECK (priority IN (0, 1, 2)),
        CONSTRAINT task_meeting CHECK (kind <> 'meeting' OR due_at IS NOT NULL)
    )",
    "CREATE INDEX task_open ON task (workspace_id, owner_id, due_at) WHERE done_at IS NULL",
    "CREATE INDEX task_contact ON task (workspace_id, contact_id) WHERE contact_id IS NOT NULL",
    // A list or search with its filters, kept under a name (CRM-1). `page` is where it belongs, `filter` its query string.
    "CREATE TABLE saved_view (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        page TEXT NOT NULL,
        name TEXT NOT NULL,
        filter TEXT NOT NULL,
        shared BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT saved_view_user FOREIGN KEY (workspace_id, user_id) REFERENCES user_account (workspace_id, id)
            ON DELETE CASCADE,
        CONSTRAINT saved_view_shared CHECK (shared IN (0, 1))
    )",
    "CREATE UNIQUE INDEX saved_view_name ON saved_view (workspace_id, user_id, page, name)",
    // A file, of a record or of a step's message.
    "CREATE TABLE attachment (
        workspace_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size BIGINT NOT NULL,
        contact_id BIGINT,
        company_id BIGINT,
        opportunity_id BIGINT,
        created_by BIGINT,
        created_at BIGINT NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (workspace_id, id)
    )",
    "CREATE INDEX attachment_contact ON attachment (workspace_id, contact_id) WHERE contact_id IS NOT NULL",
];
