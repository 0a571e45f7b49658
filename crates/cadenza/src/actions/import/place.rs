//! On which line of a file a record begins, as an editor counts. The reader's own count is one behind where lines end in CRLF,
//! and does not know a CR by itself.

/// Counts on from one record to the next.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Places<'a> {
    pub fn of(text: &'a str) -> Places<'a> {
        Places { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of a record at the reader's position; positions must not go back.
    pub fn line(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.and_then(|p| usize::try_from(p.byte()).ok()).unwrap_or(self.at);
        // The end of the line before, and empty lines, are left to the record that follows.
        let rest = self.text.get(byte..).unwrap_or_default();
        let begin = byte + rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        while let Some(byte) = self.text[..begin.min(self.text.len())].get(self.at) {
            let ends = match byte {
                b'\n' => true,
                b'\r' => self.text.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["email,title", "a,1", "", "\"two", "lines\",2", "c,3", ""].join(end);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let mut places = Places::of(&text);
            let found: Vec<u64> = reader.records().map(|r| places.line(r.unwrap().position())).collect();
            assert_eq!(found, [2, 4, 6], "{end:?}");
        }
    }
}
