//! Reads the tables of the page: the headings they stand under, their columns, their rows.

use std::fmt;
use std::path::PathBuf;

/// One table of the page.
#[derive(Debug, Clone)]
pub struct Table {
    /// The nearest heading above it, without its signs.
    pub heading: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The text of a row under a column.
    pub fn at<'t>(&'t self, row: &'t [String], column: &str) -> &'t str {
        let i = self.columns.iter().position(|c| c == column);
        i.and_then(|i| row.get(i)).map_or("", String::as_str)
    }
}

/// One cell and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'t> {
    pub table: &'t str,
    pub row: &'t str,
    pub column: &'t str,
    pub text: &'t str,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {:?} while {:?}: the page says {:?}", self.table, self.row, self.column, self.text)
    }
}

/// All tables of the page, in order.
pub fn tables() -> Vec<Table> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/state-machine.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut tables = Vec::new();
    let mut heading = String::new();
    let mut open: Option<Table> = None;
    for line in page.lines().chain([""]) {
        if let Some(cells) = cells_of(line) {
            match &mut open {
                None => open = Some(Table { heading: heading.clone(), columns: cells, rows: Vec::new() }),
                Some(_) if cells.iter().all(|c| c.chars().all(|x| x == '-')) => {}
                Some(table) => {
                    assert_eq!(cells.len(), table.columns.len(), "[{heading}] a row of another width: {line}");
                    table.rows.push(cells);
                }
            }
            continue;
        }
        tables.extend(open.take());
        if let Some(title) = line.strip_prefix('#') {
            heading = title.trim_start_matches('#').trim().to_owned();
        }
    }
    tables
}

fn cells_of(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|c| c.trim().replace('`', "")).collect())
}
