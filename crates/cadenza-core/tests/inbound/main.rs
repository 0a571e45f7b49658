//! Reading mail from outside: own mails and absence notes (`fixtures`) against their tables, and mails made to hurt.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod hostile;
mod mails;
mod people;
mod quotations;
mod return_dates;
