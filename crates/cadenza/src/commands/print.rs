//! What a command says: results to the standard output, where a program may read them; remarks, errors and progress to the
//! standard error.

use super::Failure;
use std::io::{self, BufRead, IsTerminal, Write};

/// One line of the result.
pub fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}").map_err(Failure::Output)
}

/// A remark beside the result.
pub fn note(text: impl std::fmt::Display) {
    // Where the standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Why the command was not done.
pub fn error(text: &str) {
    for line in text.lines() {
        note(format_args!("error: {line}"));
    }
}

/// Asks on the terminal; where there is none, nobody said yes.
pub fn confirmed(question: &str) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}
