//! The pages in a real browser, against the real product: a data folder of its own, the engine at work, a sandbox for a mail
//! account. Here stands what is served; what a person does there is in `tests/browser/*/`, one folder a world.

mod served;

use cadenza_testkit::{BrowserRun, Error, Keeper, Scratch, free_port};
use served::Served;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The demo furnishes a thousand contacts before it says where it is.
const FURNISHED_AT_MOST: Duration = Duration::from_secs(90);

/// Three sequences made for it: letters, calls and a task, and a branch on a click.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_ends_or_turns_a_sequence() {
    let served = Served::furnished().await;
    drive("ways", served.address(), served.sign_in_url()).await;
    served.close().await;
}

/// Nothing in it but who set it up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_workspace_and_everything_that_is_refused() {
    let served = Served::fresh().await;
    drive("fresh", served.address(), served.sign_in_url()).await;
    served.close().await;
}

/// The program itself, as a newcomer starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_as_a_newcomer_meets_it() {
    let demo = Demo::start();
    drive("newcomer", &demo.address, &demo.sign_in_url).await;
}

/// Runs the browser tests of a folder.
async fn drive(folder: &str, address: &str, sign_in_url: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser").join(folder);
    let run = BrowserRun::new(address).tests_of(&tests).sign_in(sign_in_url);
    let run = run.only(&std::env::var("CADENZA_BROWSER_TEST").unwrap_or_default());
    match tokio::task::spawn_blocking(|| run.run()).await.unwrap() {
        Ok(()) => {}
        // Its words were printed as they came.
        Err(Error::Failed { what, why, .. }) => panic!("{what} of {folder}: {why}"),
        Err(e) => panic!("{e}"),
    }
}

/// A running `cadenza demo`; it ends with the test.
struct Demo {
    address: String,
    sign_in_url: String,
    _server: Keeper,
    _data: Scratch,
}

impl Demo {
    fn start() -> Demo {
        let data = Scratch::new("demo");
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let mut server = Keeper::new("demo-server").unwrap();
        server.start(&[command(&address, data.path())]).unwrap();
        let given_up = Instant::now() + FURNISHED_AT_MOST;
        loop {
            let said = server.log();
            if let Some(at) = said.find("http://").and_then(|_| said.find("/sign-in?token=")) {
                let token = said[at..].split_whitespace().next().unwrap_or_default();
                let address = format!("http://{address}/");
                let sign_in_url = format!("{}{}", address, token.trim_start_matches('/'));
                return Demo { address, sign_in_url, _server: server, _data: data };
            }
            assert!(Instant::now() < given_up, "the demo said no address: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The shell command of a demo, without what the environment says.
fn command(address: &str, data: &Path) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cadenza"));
    let unset: String =
        ["DATABASE", "PUBLIC_URL", "TIME_SCALE", "CONFIG", "LOG"].map(|name| format!("-u CADENZA_{name} ")).concat();
    format!("env {unset}'{}' demo --listen {address} --data '{}'", program.display(), data.display())
}
