//! Lines that an import did not take, and the file of them: as they stood, with two columns behind that say which line it was
//! and why. Mended, the file can be imported again.

use super::{Imported, Options, Target};
use serde::Serialize;

/// The columns behind the others.
const REMARKS: [&str; 2] = ["line", "error"];

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// Counted from 1; the header is line 1.
    pub line: u64,
    pub column: String,
    pub why: String,
    /// The line's cells, for the error file.
    pub cells: Vec<String>,
}

impl Imported {
    /// The lines that were not taken, with a column that says why: mended, the file can be imported again. A line with too many
    /// cells keeps them all, so that nothing of it is taken before somebody has looked.
    pub fn error_file(&self) -> String {
        let mut out = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut written = out.write_record(self.headers.iter().map(String::as_str).chain(REMARKS));
        for bad in &self.bad {
            let missing = self.headers.len().saturating_sub(bad.cells.len());
            let cells = bad.cells.iter().cloned().chain(std::iter::repeat_n(String::new(), missing));
            let remarks = [bad.line.to_string(), format!("{}: {}", bad.column, bad.why)];
            let safe = cells.chain(remarks).map(|cell| plain_cell(&cell));
            written = written.and_then(|()| out.write_record(safe));
        }
        // Writing to memory does not fail.
        match written.map_err(std::io::Error::from).and_then(|()| out.into_inner().map_err(|e| e.into_error())) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) => e.to_string(),
        }
    }
}

/// What an error file says of its lines is nothing of the people in them.
pub(super) fn leave_out_remarks(headers: &[String], targets: &mut [Target], options: &Options) {
    let Some(at) = headers.len().checked_sub(REMARKS.len()).filter(|at| headers[*at..] == REMARKS) else { return };
    for (header, target) in headers.iter().zip(targets).skip(at) {
        if !options.columns.contains_key(header) {
            *target = Target::Ignore;
        }
    }
}

/// A cell that no spreadsheet takes for a formula.
pub(in crate::actions) fn plain_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::{Line, read};
    use super::*;
    use std::collections::HashMap;

    fn lines(text: &str) -> (Imported, Vec<Line>) {
        read(text, &Options::default(), &HashMap::new()).unwrap()
    }

    #[test]
    fn no_cell_of_the_error_file_is_a_formula() {
        let (done, _) = lines("email,title\n=cmd(),@x\n");
        assert!(done.error_file().contains("'=cmd()"), "{}", done.error_file());
    }

    #[test]
    fn lines_of_any_length_stand_in_the_error_file_and_are_read_again() {
        let (done, _) = lines("email,title\nnobody\nb@example.test,x,too,many\nc,Engineer\n");
        let file = done.error_file();
        let expected = [
            "email,title,line,error",
            "nobody,,2,\"email: \"\"nobody\"\" is no mail address: expected name@domain\"",
            "b@example.test,x,too,many,3,line: the line has 4 cells and the header 2",
            "c,Engineer,4,\"email: \"\"c\"\" is no mail address: expected name@domain\"",
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
        let mended = file.replace("nobody,", "a@example.test,").replace("\nc,", "\nc@example.test,");
        let (again, taken) = lines(&mended);
        assert_eq!((again.read, taken.len()), (3, 2), "{:?}", again.bad);
        assert_eq!(again.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3], "that line was not mended");
        assert!(taken.iter().all(|line| line.custom.is_empty()), "remarks are no custom fields: {taken:?}");
    }
}
