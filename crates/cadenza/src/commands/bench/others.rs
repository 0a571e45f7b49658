//! Further nodes for `bench drip --nodes`: `serve` in processes of its own, on the same database, each with a folder as a further
//! server has one.

use crate::app::App;
use crate::commands::Failure;
use crate::config::Config;
use crate::engine::Limits;
use cadenza_store::nodes;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A node is missed, and shares are levelled, within so many seconds.
pub const LEASE_SECONDS: u32 = 3;

/// The other nodes; they end with it.
#[derive(Debug, Default)]
pub struct Others {
    nodes: Vec<Child>,
    wanted: usize,
}

impl Others {
    /// Starts so many nodes beside this one. They join once they have seen it at work.
    ///
    /// # Errors
    /// What a folder or a process says.
    pub fn start(app: &App, count: usize, limits: &Limits) -> Result<Others, Failure> {
        let mut others = Others { nodes: Vec::new(), wanted: count + 1 };
        if count == 0 {
            return Ok(others);
        }
        let config = &app.config;
        let program = std::env::current_exe().map_err(Failure::said)?;
        for number in 1..=count {
            let folder = config.server.data.join(format!("node-{number}"));
            furnish(&folder, &config.server.data, limits)?;
            let node = Command::new(&program)
                .arg("serve")
                .arg("--data")
                .arg(&folder)
                .args(["--listen", "127.0.0.1:0", "--log", "warn"])
                .args(["--private-addresses", &config.server.private_addresses.to_string()])
                // Not an argument, which others on the machine could read.
                .env("CADENZA_DATABASE", &config.server.database)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .map_err(|e| Failure::file(&program, e))?;
            others.nodes.push(node);
        }
        Ok(others)
    }

    pub fn are_none(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many nodes there are to be, with this one.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether all of them are at work.
    pub async fn are_there(&mut self, app: &App) -> Result<bool, Failure> {
        for node in &mut self.nodes {
            if let Some(ended) = node.try_wait().map_err(Failure::said)? {
                return Err(Failure::said(format!("a node beside this one ended: {ended}; what it said stands above")));
            }
        }
        Ok(app.db.read_async(nodes::working).await? >= self.wanted)
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // One that has ended already leaves nothing to kill or to wait for.
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

/// Can there be so many nodes? Asked before anything is made.
///
/// # Errors
/// The database is a file, which is one process's own.
pub fn possible(config: &Config, nodes: u32) -> Result<(), Failure> {
    let file = config.server.database.is_empty() || config.server.database.starts_with("sqlite:");
    if nodes > 1 && file {
        let why = "a file is one server's own; give a PostgreSQL database with --database";
        return Err(Failure::said(format!("--nodes {nodes}: {why}")));
    }
    Ok(())
}

/// The folder of a further node: the same key and the same settings.
fn furnish(folder: &Path, of: &Path, limits: &Limits) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| Failure::file(folder, e))?;
    let key = |folder: &Path| -> PathBuf { folder.join("secret.key") };
    std::fs::copy(key(of), key(folder)).map_err(|e| Failure::file(&key(of), e))?;
    let settings = folder.join("cadenza.toml");
    let text = format!(
        "[mail]\ndot_permits = {}\nclaimed_max = {}\nconnections_per_mailbox = {}\n\n[nodes]\nlease_seconds = {LEASE_SECONDS}\n",
        limits.dot_permits, limits.claimed_max, limits.connections_per_mailbox
    );
    std::fs::write(&settings, text).map_err(|e| Failure::file(&settings, e))
}
