//! The disk under an installation, where a test says how it fails: `disk.c` between the program and its files, and the power
//! cut that is played from its notes.

use super::chance::Chance;
use super::serving::Manner;
use super::site::{Site, copy};
use cadenza_testkit::Scratch;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A sector: what a disk writes whole or not at all.
const SECTOR: usize = 512;

pub struct Disk {
    scratch: Scratch,
    data: PathBuf,
}

impl Disk {
    /// Under the data folder of an installation.
    pub fn under(site: &Site) -> Disk {
        let disk = Disk { scratch: Scratch::new("disk"), data: site.data.canonicalize().unwrap() };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/crash/disk.c");
        // The compiler that also builds the database library.
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([disk.scratch.join("disk.so"), source])
            .arg("-ldl")
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        std::fs::write(disk.scratch.join("full"), "0").unwrap();
        disk
    }

    /// To start the server on this disk.
    pub fn manner(&self, more: &[(&'static str, &str)]) -> Manner {
        let mut environment = vec![
            ("LD_PRELOAD", self.path("disk.so")),
            ("CADENZA_DISK_FOLDER", self.data.display().to_string()),
            ("CADENZA_DISK_FULL", self.path("full")),
        ];
        environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Manner { environment, ..Manner::default() }
    }

    /// As [`Disk::manner`], with everything noted from now on for [`Disk::cut_power`].
    pub fn noting(&self, more: &[(&'static str, &str)]) -> Manner {
        let base = self.scratch.join("base");
        let _ = std::fs::remove_dir_all(&base);
        copy(&self.data, &base);
        std::fs::write(self.scratch.join("log"), "").unwrap();
        let mut manner = self.manner(more);
        manner.environment.push(("CADENZA_DISK_LOG", self.path("log")));
        manner
    }

    pub fn fill(&self) {
        self.tell("1");
    }

    pub fn make_room(&self) {
        self.tell("0");
    }

    /// In place: the file is looked at while it is written.
    fn tell(&self, word: &str) {
        let mut file = std::fs::File::options().write(true).open(self.scratch.join("full")).unwrap();
        file.write_all(word.as_bytes()).unwrap();
    }

    /// How many flushes and writes were noted.
    pub fn noted(&self) -> (usize, usize) {
        let ops = self.ops();
        let count = |kind| ops.iter().filter(|op| op.kind == kind).count();
        (count(b'S'), count(b'W'))
    }

    /// After the server was killed: leaves what a power cut at that moment would have left. What was flushed stands; of what
    /// was not, nothing, or where there is `chance`, some sectors of some writes.
    pub fn cut_power(&self, mut chance: Option<&mut Chance>) {
        let mut files: BTreeMap<String, File> = BTreeMap::new();
        for entry in std::fs::read_dir(self.scratch.join("base")).unwrap() {
            let entry = entry.unwrap();
            let file = File { flushed: std::fs::read(entry.path()).unwrap(), waiting: Vec::new() };
            files.insert(entry.file_name().into_string().unwrap(), file);
        }
        for op in self.ops() {
            match op.kind {
                b'S' => files.entry(op.name).or_default().flush(),
                b'R' => {
                    let file = files.remove(&op.name).unwrap_or_default();
                    files.insert(String::from_utf8(op.data).unwrap(), file);
                }
                b'U' => drop(files.remove(&op.name)),
                _ => files.entry(op.name.clone()).or_default().waiting.push(op),
            }
        }
        for entry in std::fs::read_dir(&self.data).unwrap() {
            let entry = entry.unwrap();
            if !files.contains_key(entry.file_name().to_str().unwrap()) {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        for (name, mut file) in files {
            // The index of the log lies in memory only.
            if name.ends_with("-shm") {
                let _ = std::fs::remove_file(self.data.join(name));
                continue;
            }
            if let Some(chance) = chance.as_deref_mut() {
                file.tear(chance);
            }
            // In place: the number of the database's file is one of the things that are checked.
            std::fs::write(self.data.join(name), file.flushed).unwrap();
        }
    }

    fn path(&self, name: &str) -> String {
        self.scratch.join(name).display().to_string()
    }

    fn ops(&self) -> Vec<Op> {
        let log = std::fs::read(self.scratch.join("log")).unwrap();
        let mut rest = log.as_slice();
        let mut ops = Vec::new();
        while let Some(op) = Op::read(&mut rest) {
            ops.push(op);
        }
        ops
    }
}

/// One note of `disk.c`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Op {
    kind: u8,
    name: String,
    at: usize,
    data: Vec<u8>,
}

impl Op {
    /// The next one. The process may have been killed in the middle of the last.
    fn read(rest: &mut &[u8]) -> Option<Op> {
        let (kind, name) = (rest.split_off_first()?, part(rest)?);
        let at = number(rest)?;
        Some(Op { kind: *kind, name: String::from_utf8(name.to_vec()).unwrap(), at, data: part(rest)?.to_vec() })
    }

    fn apply(&self, to: &mut Vec<u8>) {
        match self.kind {
            b'T' => to.resize(self.at, 0),
            _ => {
                to.resize(to.len().max(self.at + self.data.len()), 0);
                to[self.at..self.at + self.data.len()].copy_from_slice(&self.data);
            }
        }
    }
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let bytes = rest.split_off(..8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?) as usize)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)?;
    rest.split_off(..length)
}

#[derive(Debug, Default)]
struct File {
    flushed: Vec<u8>,
    waiting: Vec<Op>,
}

impl File {
    fn flush(&mut self) {
        for op in self.waiting.drain(..) {
            op.apply(&mut self.flushed);
        }
    }

    /// Some of what waits reached the disk, a sector whole or not at all.
    fn tear(&mut self, chance: &mut Chance) {
        for op in self.waiting.drain(..) {
            if op.kind == b'T' || chance.one_in(4) {
                if chance.one_in(2) {
                    op.apply(&mut self.flushed);
                }
                continue;
            }
            for (number, sector) in op.data.chunks(SECTOR).enumerate() {
                if chance.one_in(2) {
                    let one = Op { at: op.at + number * SECTOR, data: sector.to_vec(), ..op.clone() };
                    one.apply(&mut self.flushed);
                }
            }
        }
    }
}

#[test]
fn what_was_not_flushed_is_gone_after_a_power_cut() {
    let note = |kind: u8, name: &str, at: u64, data: &[u8]| {
        let mut line = vec![kind];
        line.extend((name.len() as u64).to_le_bytes());
        line.extend(name.as_bytes());
        line.extend(at.to_le_bytes());
        line.extend((data.len() as u64).to_le_bytes());
        line.extend(data);
        line
    };
    let log = [note(b'W', "a", 2, b"cd"), note(b'S', "a", 0, b""), note(b'W', "a", 0, b"x"), note(b'T', "a", 3, b"")];
    let whole = log.concat();
    let mut rest = &whole[..whole.len() - 1];
    let mut file = File { flushed: b"ab".to_vec(), waiting: Vec::new() };
    while let Some(op) = Op::read(&mut rest) {
        if op.kind == b'S' { file.flush() } else { file.waiting.push(op) }
    }
    assert_eq!(file.flushed, b"abcd");
    assert_eq!(file.waiting.len(), 1, "the last note is half");
    file.tear(&mut Chance::of(1));
    assert!([b"abcd", b"xbcd"].contains(&file.flushed.as_slice().try_into().unwrap()));
}
