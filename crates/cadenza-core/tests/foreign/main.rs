//! Every reader of foreign bytes in this crate against texts and mails that were bent: whatever comes in, an answer comes out,
//! soon, and never a panic. Each case is made from a number, which is printed where one fails.
//! `CADENZA_LAW_CASES` bends so many in place of the usual, `CADENZA_LAW_FROM` starts at that number.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod calendars;
mod files;
mod mails;
mod merging;
mod mutate;
mod words;
