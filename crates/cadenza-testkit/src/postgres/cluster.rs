//! Starts the cluster and sees that it ends. A small shell process holds the server and watches the process that the run
//! belongs to; when that is gone, by whatever death, it stops the server and removes the files.

use crate::error::{Doing, Error, Result};
use crate::port::free_port;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// `$1` watched process, `$2` directory to remove, the rest the server's command line.
const WATCH: &str = r#"
watched=$1; base=$2; shift 2
"$@" >"$base/log" 2>&1 &
server=$!
while kill -0 "$watched" 2>/dev/null && kill -0 "$server" 2>/dev/null; do sleep 0.2; done
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$base"
"#;

/// Durability is not what is tested here; a crash of the machine loses the cluster anyway.
const SETTINGS: [&str; 8] = [
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=64MB",
    "max_wal_size=4GB",
    "deadlock_timeout=100ms",
    "autovacuum=off",
    "listen_addresses=127.0.0.1",
];

/// The directory of `initdb` and `postgres`: the newest that Debian installed, else where PATH has them.
pub(super) fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path());
    let newest = installed
        .filter(|p| p.join("bin/initdb").exists())
        .max_by_key(|p| p.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u32>().ok()))
        .map(|p| p.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.or_else(|| std::env::split_paths(&path).find(|p| p.join("initdb").exists() && p.join("postgres").exists()))
}

/// The port and directory of the run's cluster, started here if nobody has yet.
pub(super) fn running(programs: &Path) -> Result<(u16, String)> {
    let (run, watched) = run();
    let base = std::env::temp_dir().join(format!("cadenza-postgres-{run}"));
    let first = || format!("be the first in {}", base.display());
    fs::create_dir_all(&base).doing(first)?;
    let lock = File::options().create(true).truncate(false).write(true).open(base.join("starting")).doing(first)?;
    lock.lock().doing(first)?;
    let ready = base.join("port");
    let port = match read_port(&ready) {
        Some(port) => port,
        None => {
            let port = start(programs, &base, watched)?;
            fs::write(&ready, port.to_string()).doing(|| format!("write {}", ready.display()))?;
            port
        }
    };
    Ok((port, base.join("data").display().to_string()))
}

/// The name of this test run and the process that lives as long as it: under nextest the runner, else this process.
fn run() -> (String, u32) {
    match std::env::var("NEXTEST_RUN_ID") {
        Ok(id) => (id, std::os::unix::process::parent_id()),
        Err(_) => (std::process::id().to_string(), std::process::id()),
    }
}

fn read_port(path: &Path) -> Option<u16> {
    fs::read_to_string(path).ok()?.parse().ok()
}

/// A new cluster's data in a folder, owned by whoever is to run the server.
pub(super) fn initialised(programs: &Path, base: &Path) -> Result<PathBuf> {
    let data = base.join("data");
    fs::create_dir_all(&data).doing(|| format!("make {}", data.display()))?;
    let mut initdb = unprivileged(&data)?.command(&programs.join("initdb"));
    initdb.args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-D"]);
    let made = initdb.arg(&data).stdin(Stdio::null()).output().doing(|| "run initdb".into())?;
    if !made.status.success() {
        let log = String::from_utf8_lossy(&made.stderr).into_owned();
        return Err(Error::Failed { what: "initdb".into(), why: made.status.to_string(), log });
    }
    Ok(data)
}

fn server(programs: &Path, data: &Path, port: u16) -> Result<Command> {
    let mut server = unprivileged(data)?.command(&programs.join("postgres"));
    server.arg("-D").arg(data).args(["-p", &port.to_string(), "-k"]).arg(data);
    for setting in SETTINGS {
        server.args(["-c", setting]);
    }
    Ok(server)
}

/// The server's command for a shell; no word of it needs quotes.
pub(super) fn command_line(programs: &Path, data: &Path, port: u16) -> Result<String> {
    let server = server(programs, data, port)?;
    let words = std::iter::once(server.get_program()).chain(server.get_args());
    Ok(words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
}

fn start(programs: &Path, base: &Path, watched: u32) -> Result<u16> {
    let data = initialised(programs, base)?;
    let port = free_port()?;
    let server = server(programs, &data, port)?;
    let mut watch = Command::new("sh");
    watch.args(["-c", WATCH, "watch"]).arg(watched.to_string()).arg(base);
    watch.arg(server.get_program()).args(server.get_args());
    // A group of its own, so that an interrupt typed at the terminal reaches the run first.
    watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    watch.spawn().doing(|| "start PostgreSQL".into())?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let begun = Instant::now();
    while ::postgres::Client::connect(&url, ::postgres::NoTls).is_err() {
        if begun.elapsed() > PATIENCE {
            let log = fs::read_to_string(base.join("log")).unwrap_or_default();
            return Err(Error::Failed { what: "PostgreSQL".into(), why: format!("no answer on port {port}"), log });
        }
        sleep(Duration::from_millis(20));
    }
    Ok(port)
}

/// Who runs the server: it refuses to run as root, so there it runs as `postgres`, who then owns the data.
struct Identity {
    change: bool,
}

impl Identity {
    fn command(&self, program: &Path) -> Command {
        if !self.change {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=QUIT", "--"]).arg(program);
        command
    }
}

fn unprivileged(data: &Path) -> Result<Identity> {
    // Who made the folder around it is who runs the tests; the data may have been given away already.
    let around = data.parent().unwrap_or(data);
    let owner = fs::metadata(around).doing(|| format!("look at {}", around.display()))?.uid();
    let change = owner == 0;
    let given = || Command::new("chown").arg("postgres:postgres").arg(data).status();
    if change && !given().doing(|| "run chown".into())?.success() {
        return Err(Error::Missing {
            what: "a user named postgres, to run PostgreSQL, which refuses to run as root,".into(),
            remedy: "install Debian's package postgresql, or run the tests as another user".into(),
        });
    }
    Ok(Identity { change })
}
