//! One suite, run on SQLite and on PostgreSQL: what the rest of the product may rely on. A test that only makes sense on
//! one engine stands in `only_sqlite` or `only_postgres`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bulk;
mod errors;
mod life;
mod only_postgres;
mod only_sqlite;
mod place;
mod sql;
mod transactions;
mod values;

/// Makes two tests of each function: `sqlite::name` and `postgres::name`.
macro_rules! on_both {
    ($($module:ident: $($name:ident)*;)*) => {
        mod sqlite {
            $($(#[test]
            fn $name() {
                super::$module::$name(&super::place::Place::sqlite());
            })*)*
        }
        mod postgres {
            $($(#[test]
            fn $name() {
                if let Some(place) = super::place::Place::postgres() {
                    super::$module::$name(&place);
                }
            })*)*
        }
    };
}

on_both! {
    values:
        every_kind_comes_back_as_it_went
        nulls_of_every_kind
        parameters_are_64_bits_wide
        sums_and_comparisons_are_integers
        a_wrong_column_is_named
        a_text_with_nul_is_refused
        a_fraction_is_refused
        parameters_are_counted;
    bulk:
        insert_update_select_delete
        an_empty_batch_does_nothing
        a_batch_upserts_and_returns
        joins_in_both_directions
        five_thousand_rows
        columns_must_fit;
    sql:
        upsert_returning
        common_table_expressions_and_windows
        filtered_aggregates
        keyset_paging
        partial_unique_index
        update_from_and_not_distinct
        dialect_functions_agree
        like_distinguishes_case_and_order_is_by_bytes
        row_locks_are_accepted;
    transactions:
        an_error_undoes_everything
        a_swallowed_error_still_undoes_everything
        an_attempt_undoes_only_itself
        a_panic_is_an_error_and_harms_nobody
        transactions_do_not_nest
        a_read_cannot_write
        a_reader_sees_one_moment
        a_commit_is_visible_after_its_answer
        many_writers_lose_nothing
        async_callers_are_answered
        the_bell_rings_for_changes_only
        counters_count
        one_of_many_fails_alone
        a_deferred_rule_fails_alone;
    errors:
        conflicts_name_index_and_columns
        conflicts_of_unnamed_rules_have_the_same_names
        broken_rules_are_told_apart
        errors_hold_no_values
        a_wrong_statement_is_shown;
    life:
        what_was_written_is_there_after_reopening
        migrations_run_once
        the_products_own_tables_are_made
        another_draft_is_refused
        a_newer_database_is_refused
        a_failing_step_leaves_nothing
        handles_may_be_dropped_anywhere;
}
