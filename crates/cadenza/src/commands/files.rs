//! Files that people hand in: read whole, with errors that name file, line and field.

use super::Failure;
use cadenza_core::flow::file::FileError;
use std::io::Read;
use std::path::Path;

/// The text of a file, or of the standard input for `-`.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        return match std::io::stdin().lock().read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(e) => Err(Failure::file(path, e)),
        };
    }
    std::fs::read_to_string(path).map_err(|e| Failure::file(path, e))
}

/// What a file was read as, its mistakes with the file's name before each.
pub fn in_file<T>(path: &Path, read: Result<T, Vec<FileError>>) -> Result<T, Failure> {
    read.map_err(|errors| Failure::Content(errors.iter().map(|e| format!("{}:{e}", path.display())).collect()))
}
