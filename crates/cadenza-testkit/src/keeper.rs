//! Keeps servers only as long as the test that started them: they end and their folder goes when the keeper is dropped,
//! and also when the test process is killed outright, by whatever signal. It knows nothing of what the servers do.

use crate::error::{Doing, Error, Result};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Reads one line a server from its arguments, starts each in a session of its own, and waits for its input to end,
/// which happens when the last holder of the other end of the pipe is gone: the test process. Then the servers get half
/// a second to end by themselves. A shell of Debian's rather than code of ours, since only a process apart from the test
/// survives the test's being killed, and without `unsafe` there is no asking the kernel to do it.
const SUPERVISOR: &str = r#"
folder=$1; shift
pids=
for server in "$@"; do
  setsid sh -c "exec $server" </dev/null >>"$folder/servers.log" 2>&1 &
  pids="$pids $!"
done
cat >/dev/null
kill -TERM $pids 2>/dev/null
groups=
for pid in $pids; do groups="$groups -$pid"; done
(sleep 0.5; kill -KILL $groups) 2>/dev/null &
killer=$!
wait $pids
kill $killer 2>/dev/null
kill -KILL $groups 2>/dev/null
rm -rf "$folder"
"#;

/// A temporary folder and the servers that live in it.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    supervisor: Option<Child>,
}

impl Keeper {
    /// An empty folder, passable for the servers' own users. Its path is short, since a Unix socket's may have only
    /// 107 bytes. `name` is for those who look into the temporary folder while a test runs.
    pub fn new(name: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("cadenza-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(unique);
        // A process of the same number may have died before its folder was emptied.
        if folder.exists() {
            fs::remove_dir_all(&folder).doing(|| format!("empty {}", folder.display()))?;
        }
        fs::create_dir(&folder).doing(|| format!("make {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).doing(|| "open the folder".into())?;
        Ok(Keeper { folder, supervisor: None })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts the servers, each a shell command that stays in the foreground. What they print goes to `servers.log` in
    /// the folder. May be called once; more servers need a keeper of their own.
    pub fn start(&mut self, servers: &[String]) -> Result<()> {
        let supervisor = Command::new("sh")
            .arg("-c")
            .arg(SUPERVISOR)
            .arg("supervisor")
            .arg(&self.folder)
            .args(servers)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A test runner ends a test that takes too long by killing its process group; the supervisor outlives it.
            .process_group(0)
            .spawn()
            .doing(|| "start a shell".into())?;
        self.supervisor = Some(supervisor);
        Ok(())
    }

    /// Waits until 127.0.0.1:`port` takes a connection; after `at_most` fails with what the servers wrote so far.
    pub fn wait_for_port(&self, what: &str, port: u16, at_most: Duration) -> Result<()> {
        let give_up = Instant::now() + at_most;
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(_) => return Ok(()),
                Err(_) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => {
                    let why = format!("nobody answers on port {port} after {at_most:?}: {error}");
                    return Err(Error::Failed { what: what.into(), why, log: self.log() });
                }
            }
        }
    }

    /// Everything in the folder whose name ends in `.log`.
    pub fn log(&self) -> String {
        let mut text = String::new();
        let Ok(entries) = fs::read_dir(&self.folder) else { return text };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log")
                && let Ok(bytes) = fs::read(&path)
            {
                text += &format!("--- {}\n{}", path.display(), String::from_utf8_lossy(&bytes));
            }
        }
        text
    }

    fn end(&mut self) -> io::Result<()> {
        match self.supervisor.take() {
            Some(mut supervisor) => {
                drop(supervisor.stdin.take());
                supervisor.wait().map(|_| ())
            }
            None => fs::remove_dir_all(&self.folder),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("the servers in {} were not ended: {error}", self.folder.display());
        }
    }
}

/// Fails with the way to install it where `path` is not there.
pub(crate) fn need(path: &str, package: &str) -> Result<()> {
    if Path::new(path).exists() {
        return Ok(());
    }
    Err(Error::Missing { what: path.into(), remedy: format!("apt-get install {package}, or run ./x setup as root") })
}

/// Runs a short command to its end and fails with what it printed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().doing(|| format!("run {command:?}"))?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Err(Error::Failed { what: format!("{command:?}"), why: output.status.to_string(), log })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: &str) -> bool {
        // A zombie has a folder too; its state says so.
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
        let give_up = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < give_up, "not within ten seconds: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A server that writes its number and that of a child, and does not end when asked to.
    fn stubborn(folder: &Path) -> String {
        let pids = folder.join("pids");
        format!(
            "sh -c 'trap \"\" TERM; sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait; sleep 600'",
            pids.display()
        )
    }

    fn pids(folder: &Path) -> Vec<String> {
        let path = folder.join("pids");
        wait_until("the server wrote its number", || path.exists());
        fs::read_to_string(path).unwrap().split_whitespace().map(String::from).collect()
    }

    #[test]
    fn dropping_the_keeper_ends_the_servers_and_their_children() {
        let mut keeper = Keeper::new("keeper").unwrap();
        let folder = keeper.folder().to_owned();
        keeper.start(&[stubborn(&folder)]).unwrap();
        let pids = pids(&folder);
        assert!(pids.len() == 2 && pids.iter().all(|pid| alive(pid)), "{pids:?}");
        drop(keeper);
        assert!(!folder.exists());
        wait_until("the servers are gone", || !pids.iter().any(|pid| alive(pid)));
    }

    /// The test runs itself once more as a process that starts a server and is then killed outright.
    #[test]
    fn a_killed_test_leaves_no_server_behind() {
        const ROLE: &str = "CADENZA_TESTKIT_VICTIM";
        if std::env::var_os(ROLE).is_some() {
            let mut keeper = Keeper::new("victim").unwrap();
            keeper.start(&[stubborn(keeper.folder())]).unwrap();
            std::thread::sleep(Duration::from_secs(600));
            return;
        }
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keeper::tests::a_killed_test_leaves_no_server_behind"])
            .env(ROLE, "yes")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let folder = std::env::temp_dir().join(format!("cadenza-victim-{}-0", victim.id()));
        let pids = pids(&folder);
        assert!(pids.iter().all(|pid| alive(pid)), "{pids:?}");
        victim.kill().unwrap();
        victim.wait().unwrap();
        wait_until("the servers are gone", || !pids.iter().any(|pid| alive(pid)));
        wait_until("the folder is gone", || !folder.exists());
    }

    #[test]
    fn a_server_that_never_listens_is_told_with_its_words() {
        let mut keeper = Keeper::new("mute").unwrap();
        keeper.start(&["sh -c 'echo cannot bind; sleep 600'".into()]).unwrap();
        wait_until("the server spoke", || keeper.log().contains("cannot bind"));
        let error = keeper.wait_for_port("the mute server", crate::free_port().unwrap(), Duration::from_millis(50));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("the mute server failed: nobody answers on port"), "{error}");
        assert!(error.contains("cannot bind"), "{error}");
    }
}
