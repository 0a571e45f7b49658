//! Every reader of foreign bytes in this crate against texts and mails that were bent: whatever comes in, an answer comes out,
//! soon, and never a panic. `targets` is what the fuzzer of `fuzz/` runs as well (docs/fuzzing.md). Each case is made from a
//! number, which is printed where one fails; see `cadenza_testkit::bend`.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod calendars;
mod targets;
