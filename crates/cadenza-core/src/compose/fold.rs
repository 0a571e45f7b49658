//! Writes one header, folded at 78 columns where there is a space to fold at (RFC 5322 §2.1.1, §2.2.3). It is told
//! words without spaces or line ends; a fold is always followed by a word, so no line consists of blanks alone.

/// The column that a line should not pass, its CRLF not counted.
const COLUMNS: usize = 78;

/// A header being written. Ends with [`Header::end`].
pub(super) struct Header<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
}

impl<'a> Header<'a> {
    /// Begins `Name:`; nothing follows the colon yet.
    pub fn begin(out: &'a mut Vec<u8>, name: &str) -> Header<'a> {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Header { out, column: name.len() + 1 }
    }

    /// Appends a space and the word, on a new line where this one has no room. A word longer than a line stands alone.
    pub fn word(&mut self, word: &[u8]) {
        self.part(word.len());
        self.out.extend_from_slice(word);
    }

    /// Appends a space and `<word>`, on a new line where this one has no room.
    pub fn bracketed(&mut self, word: &str) {
        self.part(word.len() + 2);
        self.out.push(b'<');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'>');
    }

    /// Appends to the word before, without a space: the comma of a list.
    pub fn glue(&mut self, byte: u8) {
        self.out.push(byte);
        self.column += 1;
    }

    /// How long a word may be to fit this line.
    pub fn room(&self) -> usize {
        COLUMNS.saturating_sub(self.column + 1)
    }

    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Parts what is there from a word of `width` columns to come.
    fn part(&mut self, width: usize) {
        if self.column + 1 + width > COLUMNS {
            self.out.extend_from_slice(b"\r\n");
            self.column = 0;
        }
        self.out.push(b' ');
        self.column += 1 + width;
    }
}
