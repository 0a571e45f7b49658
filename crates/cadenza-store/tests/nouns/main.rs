//! Every noun of the store on both engines: what is written comes back, rules refuse, other workspaces see nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crm;
mod enrolled;
mod lists;
mod messages;
mod nodes;
mod people;
mod records;
mod screens;
mod sequences;
mod suppression;
mod wording;
mod work;
mod world;

/// Makes two tests of each function: `sqlite::name` and `postgres::name`.
macro_rules! on_both {
    ($($module:ident: $($name:ident)*;)*) => {
        mod sqlite {
            $($(#[test]
            fn $name() {
                super::$module::$name(&super::world::World::sqlite());
            })*)*
        }
        mod postgres {
            $($(#[test]
            fn $name() {
                if let Some(world) = super::world::World::postgres() {
                    super::$module::$name(&world);
                }
            })*)*
        }
    };
}

on_both! {
    people:
        a_workspace_comes_back_as_it_was_made
        a_sign_in_address_belongs_to_one_user_of_all_workspaces
        an_invited_user_becomes_active_with_a_password
        sessions_end_singly_and_together
        a_token_is_found_until_it_ends
        a_role_in_use_stays
        teams_and_absences_are_replaced_as_a_whole
        a_mailbox_keeps_its_servers_and_its_hold
        a_grant_is_renewed_by_one_at_a_time_and_never_over_a_persons_change
        audit_lines_are_found_by_what_they_are_about;
    records:
        contacts_come_back_as_they_were_made
        a_contact_is_found_by_any_beginning_of_its_words
        a_contact_is_found_by_its_company_even_renamed
        pages_follow_each_other_without_gap_or_repetition
        contacts_are_filtered_by_owner_company_and_list
        contacts_are_filtered_by_what_they_do_in_sequences
        an_address_tells_its_owners
        an_erased_contact_leaves_only_its_refusal
        companies_come_back_and_are_found;
    messages:
        a_message_is_kept_once
        messages_are_listed_newest_first_and_by_what_is_to_be_done
        messages_are_found_by_sender_subject_and_whoever_they_are_of
        who_sees_which_messages
        the_sandbox_shows_each_recipient_their_messages
        what_was_clicked_is_kept_with_its_verdict;
    nodes:
        the_shards_are_shared_out_and_levelled
        a_node_that_gives_no_sign_of_life_is_gone
        one_that_leaves_in_order_frees_its_shards_first
        numbers_are_not_given_twice
        all_lives_together_are_what_a_witness_sees;
    lists:
        members_come_and_go_once
        a_list_name_is_taken_whatever_its_case;
    enrolled:
        stage_and_status_agree_with_the_core;
    screens:
        enrollments_are_listed_newest_first_and_by_next_action
        an_enrollment_shows_what_stands_beside_it
        only_who_may_see_a_sequence_sees_its_enrollments
        the_latest_live_enrollment_speaks_for_a_contact
        the_queue_shows_who_waits_and_for_what
        tasks_come_from_activities_trouble_and_users
        tasks_are_seen_by_owner_and_team
        own_tasks_are_done_once
        the_overview_adds_up
        the_event_log_is_paged_and_filtered
        what_was_sent_is_found;
    crm:
        a_workflow_is_written_as_a_whole
        contacts_move_through_the_stages_of_an_opportunity
        opportunities_are_found_by_the_beginning_of_their_names
        a_timeline_is_read_newest_first
        custom_fields_and_views_are_kept
        a_file_keeps_its_bytes;
    wording:
        a_template_keeps_its_flow
        a_wording_is_found_by_its_name;
    work:
        a_job_is_taken_by_one_and_goes_on_where_it_stood
        a_job_that_is_over_stays_as_it_is
        an_answer_is_given_once
        a_webhook_is_told_until_it_answers;
    sequences:
        a_new_sequence_has_its_flow_as_first_version
        a_name_is_taken_whatever_its_case
        a_list_feeds_one_live_sequence
        content_is_revised_and_reaches_every_version
        a_new_version_keeps_what_did_not_change
        members_are_replaced_by_role
        only_a_draft_is_deleted;
    suppression:
        a_value_is_refused_by_itself_or_its_domain
        what_is_erased_goes_on_refusing
        a_mark_taken_back_leaves_other_entries;
}
