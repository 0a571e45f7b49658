//! A server that a test has for itself, and may stop and start while others use it. The shared one is in the parent.

use super::cluster;
use crate::error::{Error, Result};
use crate::keeper::Keeper;
use crate::port::free_port;
use crate::scratch::Scratch;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// How a server ends, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// At once, as at a crash: what was not committed is undone at the next start.
    Immediate,
    /// In order, after every connection was closed by the server.
    Fast,
}

/// A running or stopped server; gone with this value.
#[derive(Debug)]
pub struct OwnServer {
    // Ended before its files go.
    running: Option<Keeper>,
    data: PathBuf,
    command: String,
    port: u16,
    _files: Scratch,
}

impl OwnServer {
    /// A new one, running; `None` where PostgreSQL is not installed, which is said.
    ///
    /// # Panics
    /// Where it is installed and does not start, and where `CI` is set and it is not installed.
    pub fn start() -> Option<OwnServer> {
        let programs = super::installed()?;
        let files = Scratch::new("own-postgres");
        let made = free_port().and_then(|port| {
            let data = cluster::initialised(&programs, files.path())?;
            let command = cluster::command_line(&programs, &data, port)?;
            let mut own = OwnServer { running: None, data, command, port, _files: files };
            own.launch().map(|()| own)
        });
        match made {
            Ok(own) => Some(own),
            Err(e) => panic!("PostgreSQL is installed but did not start: {e}"),
        }
    }

    /// The address of its one database, which is empty in the beginning.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Answers when it has ended.
    ///
    /// # Panics
    /// Where it does not run or does not end.
    pub fn stop(&mut self, mode: StopMode) {
        let id_file = self.data.join("postmaster.pid");
        let text = std::fs::read_to_string(&id_file).unwrap_or_default();
        let id = text.lines().next().unwrap_or_default();
        let signal = if mode == StopMode::Immediate { "-QUIT" } else { "-INT" };
        let told = Command::new("kill").args([signal, id]).status();
        assert!(told.is_ok_and(|s| s.success()), "PostgreSQL does not run");
        let give_up = Instant::now() + PATIENCE;
        // Its last deed in both modes.
        while id_file.exists() {
            assert!(Instant::now() < give_up, "PostgreSQL does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.running = None;
    }

    /// After a stop: on the same port, with the same data.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&mut self) {
        if let Err(e) = self.launch() {
            panic!("PostgreSQL does not start again: {e}");
        }
    }

    fn launch(&mut self) -> Result<()> {
        let mut keeper = Keeper::new("own-postgres-run")?;
        keeper.start(std::slice::from_ref(&self.command))?;
        let begun = Instant::now();
        // The port is open before the last crash is undone.
        while ::postgres::Client::connect(&self.url(), ::postgres::NoTls).is_err() {
            if begun.elapsed() > PATIENCE {
                let why = format!("no answer on port {}", self.port);
                return Err(Error::Failed { what: "PostgreSQL".into(), why, log: keeper.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.running = Some(keeper);
        Ok(())
    }
}
