//! Dot stuffing (RFC 5321 §4.5.2), in pieces. A CR or LF by itself becomes CRLF, since servers that take one for a line
//! end could be made to see a dot, and with it a second mail, that was never meant.

/// What is remembered between two pieces of one body.
#[derive(Debug)]
pub struct Stuffing {
    line_start: bool,
    after_cr: bool,
}

impl Default for Stuffing {
    fn default() -> Stuffing {
        Stuffing { line_start: true, after_cr: false }
    }
}

impl Stuffing {
    /// Appends the next piece as it goes over the wire.
    pub fn piece(&mut self, out: &mut Vec<u8>, piece: &[u8]) {
        let mut rest = piece;
        while let Some(&first) = rest.first() {
            if self.after_cr {
                self.line_end(out);
                if first == b'\n' {
                    rest = &rest[1..];
                    continue;
                }
            }
            if self.line_start && first == b'.' {
                out.push(b'.');
            }
            let run = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..run]);
            self.line_start &= run == 0;
            match rest.get(run) {
                Some(b'\r') => self.after_cr = true,
                Some(_) => self.line_end(out),
                None => break,
            }
            rest = &rest[run + 1..];
        }
    }

    /// Appends what the end of the body still owes, and takes its last line end off: the final dot brings one.
    pub fn end(mut self, out: &mut Vec<u8>) {
        if self.after_cr {
            self.line_end(out);
        }
        if out.ends_with(b"\r\n") {
            out.truncate(out.len() - 2);
        }
    }

    fn line_end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.line_start = true;
        self.after_cr = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut out, mut stuffing) = (Vec::new(), Stuffing::default());
        pieces.iter().for_each(|piece| stuffing.piece(&mut out, piece));
        stuffing.end(&mut out);
        out
    }

    /// What a server makes of it: lines, up to the line that is a dot.
    fn received(mut wire: Vec<u8>) -> Vec<Vec<u8>> {
        wire.extend_from_slice(b"\r\n.\r\n");
        let text = String::from_utf8(wire).unwrap();
        let (lines, after) = text.split_once("\r\n.\r\n").unwrap();
        assert_eq!(after, "", "the body holds a final dot of its own");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
        lines.split("\r\n").map(|l| l.strip_prefix('.').unwrap_or(l).as_bytes().to_vec()).collect()
    }

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_only() {
        assert_eq!(stuffed(&[b".a\r\nb.c\r\n..\r\n.\r\n"]), b"..a\r\nb.c\r\n...\r\n..");
        assert_eq!(stuffed(&[b""]), b"");
        assert_eq!(stuffed(&[b"a"]), b"a");
        assert_eq!(stuffed(&[b"a\n.\nb\r.\rc"]), b"a\r\n..\r\nb\r\n..\r\nc");
        assert_eq!(stuffed(&[b"a\r", b"\n.b\r"]), b"a\r\n..b");
    }

    proptest! {
        #[test]
        fn a_server_gets_the_lines_back_however_the_body_is_cut(body in "[a.\r\n]{0,60}", cuts in proptest::collection::vec(0usize..60, 0..4)) {
            let lines = body.replace("\r\n", "\n").replace('\r', "\n");
            let lines = lines.strip_suffix('\n').unwrap_or(&lines);
            let meant: Vec<Vec<u8>> = lines.split('\n').map(|l| l.as_bytes().to_vec()).collect();
            prop_assert_eq!(&received(stuffed(&[body.as_bytes()])), &meant);
            let mut pieces = Vec::new();
            let mut rest = body.as_bytes();
            for cut in cuts {
                let (piece, later) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = later;
            }
            pieces.push(rest);
            prop_assert_eq!(&received(stuffed(&pieces)), &meant);
        }
    }
}
