//! What the columns of a CSV file would be taken for, with a few of their cells, so that somebody can put it right before
//! anything is imported.

use super::{Options, Result, Target, delimiter, targets_of};
use crate::actions::ActionError;

/// Cells of a column that are shown.
const SAMPLES: usize = 3;
/// Lines that are looked through for them.
const LINES: usize = 20;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub header: String,
    pub target: Target,
    /// The first cells that are not empty.
    pub samples: Vec<String>,
}

/// The columns of a file.
///
/// # Errors
/// `Invalid` where it has no header line that can be read.
pub fn columns(text: &str, options: &Options) -> Result<Vec<Column>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    let header =
        reader.headers().map_err(|e| ActionError::invalid("line 1", format!("The header cannot be read: {e}")))?;
    let headers: Vec<String> = header.iter().map(|h| h.trim().to_owned()).collect();
    let targets = targets_of(&headers, options);
    let column = |(header, target)| Column { header, target, samples: Vec::new() };
    let mut columns: Vec<Column> = headers.into_iter().zip(targets).map(column).collect();
    for record in reader.records().take(LINES).flatten() {
        for (column, cell) in columns.iter_mut().zip(record.iter().map(str::trim)) {
            if !cell.is_empty() && column.samples.len() < SAMPLES {
                column.samples.push(cell.chars().take(60).collect());
            }
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_show_what_they_are_taken_for() {
        let text = "\u{feff}Mail;Notes;\nada@example.test;;x\n;likes tea;\n";
        let found = columns(text, &Options::default()).unwrap();
        let said: Vec<_> = found.iter().map(|c| (c.header.as_str(), c.samples.join("|"))).collect();
        assert_eq!(said, [("Mail", "ada@example.test".into()), ("Notes", "likes tea".into()), ("", "x".into())]);
        assert_eq!(found[0].target, Target::Email);
        assert_eq!(found[1].target, Target::Custom("notes".into()));
        assert_eq!(found[2].target, Target::Ignore);
    }
}
