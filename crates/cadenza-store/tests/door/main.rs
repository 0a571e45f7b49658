//! The door on both engines: whole ways of enrollments through real SQL, with counters recounted and histories replayed at
//! the end of each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod house;
mod races;
mod ways;

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::ways::$name(&super::house::House::sqlite());
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                if let Some(house) = super::house::House::postgres() {
                    super::ways::$name(&house);
                }
            })*
        }
    };
}

on_both! {
    a_mail_goes_its_whole_way
    a_large_crowd_is_counted_twice_a_second
    a_follow_up_waits_for_an_inbox_that_was_not_read_but_for_no_journal
    whoever_moves_the_clock_learns_when_work_rests
    a_reply_stops_before_the_mark
    a_suppression_shuts_the_final_mark
    a_stop_after_the_mark_notes_the_result
    caps_park_and_draw_in_the_published_order
    an_unknown_delivery_waits_for_a_person
    too_many_bounces_pause_sequence_and_mailbox
    a_message_that_nobody_was_told_of_is_given_back
    erasing_takes_the_activity_of_an_unknown_delivery_along
    missing_addresses_block_and_mend
    enrolling_is_guarded
    whoever_is_named_twice_is_asked_about_twice
    a_paused_sequence_holds_and_rouses
    opting_out_reaches_other_sequences
    a_sequence_ends_when_all_in_it_are_finished
    nobody_left_ends_a_sequence_only_while_it_runs
}
