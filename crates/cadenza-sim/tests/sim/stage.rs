//! The database of a run: in memory, or a file that can be torn from a running process and put back as it was. It is reached
//! through the store's own waist; only planted bugs go past it.

use cadenza_store::schema::SCHEMA;
use cadenza_store::{Database, migrations};
use cadenza_testkit::Scratch;
use std::path::{Path, PathBuf};

/// Where the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Memory,
    File,
}

/// Memory that looks like a disk: what a file is told to keep is not waited for there.
const QUICK_DISK: &str = "/dev/shm";

#[derive(Debug)]
pub struct Stage {
    /// Before the folder: closed first.
    db: Option<Database>,
    folder: Option<Folder>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    generation: u32,
    snapshots: u32,
    _scratch: Option<Scratch>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Folder {
    fn new() -> Folder {
        let scratch = Scratch::new("sim");
        let quick = Path::new(QUICK_DISK);
        let name = scratch.path().file_name().map(ToOwned::to_owned).unwrap_or_default();
        let path = if quick.is_dir() { quick.join(name) } else { scratch.path().join("here") };
        std::fs::create_dir_all(&path).unwrap();
        Folder { path, generation: 0, snapshots: 0, _scratch: Some(scratch) }
    }
    fn file(&self) -> PathBuf {
        self.path.join(format!("{}.db", self.generation))
    }
}

fn beside(file: &Path, tail: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(tail);
    PathBuf::from(name)
}

/// The file with its log, as a process that is killed at this moment leaves them.
fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    let log = beside(from, "-wal");
    if log.exists() {
        std::fs::copy(log, beside(to, "-wal")).unwrap();
    }
}

fn open(file: &Path) -> Database {
    Database::open(&format!("sqlite:{}", file.display()).parse().unwrap()).unwrap()
}

impl Stage {
    pub fn new(place: Place) -> Stage {
        let folder = (place == Place::File).then(Folder::new);
        let db = match &folder {
            Some(folder) => open(&folder.file()),
            None => Database::open(&"sqlite::memory:".parse().unwrap()).unwrap(),
        };
        migrations::migrate(&db, SCHEMA).unwrap();
        Stage { db: Some(db), folder }
    }

    pub fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    /// The process is killed: what follows sees what its file and log hold at this moment, and nothing that it only meant to
    /// write. In memory the rows are what was committed anyway.
    pub fn kill(&mut self) {
        let Some(folder) = &mut self.folder else { return };
        let old = folder.file();
        folder.generation += 1;
        let new = folder.file();
        copy(&old, &new);
        self.db = Some(open(&new));
        for tail in ["", "-wal", "-shm", "-lock"] {
            let _ = std::fs::remove_file(beside(&old, tail));
        }
    }

    /// A snapshot of the disk, taken from outside while the process runs. `None` in memory.
    pub fn snapshot(&mut self) -> Option<PathBuf> {
        let folder = self.folder.as_mut()?;
        folder.snapshots += 1;
        let to = folder.path.join(format!("snapshot-{}.db", folder.snapshots));
        copy(&folder.file(), &to);
        Some(to)
    }

    /// Puts a snapshot in the place of the database.
    pub fn go_back(&mut self, snapshot: &Path) {
        let folder = self.folder.as_mut().unwrap();
        self.db = None;
        folder.generation += 1;
        copy(snapshot, &folder.file());
        self.db = Some(open(&folder.file()));
    }

    /// Past the store, as only a planted bug goes.
    pub fn tamper(&self, sql: &str) {
        let file = self.folder.as_ref().unwrap().file();
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}
