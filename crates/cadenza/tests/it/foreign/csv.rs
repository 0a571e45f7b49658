//! Files of people, as they come out of spreadsheets: every line is taken or named, in a dry run that writes nothing.

use super::{seeds, world};
use cadenza::actions::ActionError;
use cadenza::actions::import::{self, Options, Run};
use cadenza_testkit::Target;

pub const CSV: Target =
    Target { name: "", seeds: || seeds(FILES), pieces: PIECES, judge: csv, cases: 400, most_ms: 100 };

const FILES: &[&str] = &[
    "first_name,last_name,email,phone,company,time_zone,language\nAda,Byron,ada@example.org,+44 20 7946 0123,Lantern Foods,\
     Europe/London,en\nGrace,Hopper,grace@example.org,,\"Navy, US\",America/New_York,en-US\n",
    "\u{feff}Name;E-Mail;Schuhgröße\r\nZoë O'Hara;zoe@example.org;38\r\n;;\r\n\"Ann \"\"B\"\"\";=cmd();x\r\n",
    "email\temail_type\towner\nann@example.org\tprivate\tada@northwind.example\nann@example.org\twork\t\nnobody\n",
    "email,email\na@example.org,b@example.org\n\"two\nlines\",c@example.org,d\n",
];
const PIECES: &[&str] = &[
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\"",
    "\"\"",
    "email",
    "email_type",
    "first_name",
    "full name",
    "phone",
    "time_zone",
    "owner",
    "work",
    "private",
    "a@example.org",
    "+44 20 7946 0123",
    "0049",
    "Europe/Berlin",
    "=cmd()",
    "\u{feff}",
    "ada@northwind.example",
    "@",
];

fn csv(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let dry = Options { run: Run::Dry, ..Options::default() };
    world::with(
        |_| false,
        |world| {
            let done = match world.wait(import::contacts(&world.app, &world.caller, &text, &dry)) {
                Ok(done) => done,
                Err(ActionError::Invalid(faults)) => return assert!(!faults.is_empty()),
                Err(e) => panic!("{e}"),
            };
            assert_eq!(
                done.added + done.updated + done.skipped + done.bad.len(),
                done.read,
                "lines are missing: {done:?}"
            );
            assert!(done.bad.windows(2).all(|two| two[0].line <= two[1].line), "out of order: {:?}", done.bad);
            assert!(done.bad.iter().all(|bad| bad.line > 1 && !bad.why.is_empty()), "{:?}", done.bad);
            let plain = text.replace("\r\n", "\n").replace('\r', "\n");
            let lines: Vec<&str> = plain.split('\n').collect();
            for bad in done.bad.iter().filter(|_| !text.contains('"')) {
                let line = lines[bad.line as usize - 1];
                assert!(bad.cells.iter().all(|cell| line.contains(cell)), "line {} is {line:?}: {bad:?}", bad.line);
            }
            let columns = import::columns(&text, &dry).unwrap();
            assert_eq!(columns.iter().map(|c| &c.header).collect::<Vec<_>>(), done.headers.iter().collect::<Vec<_>>());
            // Whoever mends the error file gives it back as it is: each of its lines is read as one, and no cell is a formula.
            let file = done.error_file();
            let mut reader = ::csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(file.as_bytes());
            let records: Vec<_> = reader.records().map(|r| r.unwrap_or_else(|e| panic!("{e}: {file:?}"))).collect();
            assert_eq!(records.len(), done.bad.len() + 1, "{file:?}");
            let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']);
            assert!(!records.iter().skip(1).flatten().any(formula), "a formula: {file:?}");
        },
    );
}
