//! Runs the browser tests, which are JavaScript (`tests/browser/`, Debian's Chromium driven by playwright-core), from a
//! Rust test that has a server running. What a test does in the browser stands in its own file there.

use crate::error::{Doing, Error, Result};
use crate::keeper::need;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `tests/browser/*.test.mjs` against a server. Each test begins signed in, in an empty profile, at `base_url`.
/// `sign_in_url` is visited first, and empty where there is nothing to sign in to. `filter` is a regular expression for
/// test names, empty for all. Fails with the runner's output; pictures of failed pages are then in the target folder
/// under `screenshots`.
pub fn run_browser_tests(base_url: &str, sign_in_url: &str, filter: &str) -> Result<()> {
    BrowserRun::new(base_url).sign_in(sign_in_url).only(filter).run()
}

/// A run of browser tests with more said about it than `run_browser_tests` asks for.
#[derive(Debug)]
pub struct BrowserRun {
    base_url: String,
    sign_in_url: String,
    filter: String,
    tests: PathBuf,
    screenshots: PathBuf,
}

impl BrowserRun {
    /// All tests of `tests/browser`, without signing in.
    pub fn new(base_url: &str) -> Self {
        BrowserRun {
            base_url: base_url.into(),
            sign_in_url: String::new(),
            filter: String::new(),
            tests: scripts(),
            screenshots: target_folder().join("screenshots"),
        }
    }

    #[must_use]
    pub fn sign_in(mut self, url: &str) -> Self {
        self.sign_in_url = url.into();
        self
    }

    #[must_use]
    pub fn only(mut self, filter: &str) -> Self {
        self.filter = filter.into();
        self
    }

    /// The `*.test.mjs` files of another folder.
    #[must_use]
    pub fn tests_of(mut self, folder: &Path) -> Self {
        self.tests = folder.into();
        self
    }

    /// Where pictures of failed pages go.
    #[must_use]
    pub fn screenshots_to(mut self, folder: &Path) -> Self {
        self.screenshots = folder.into();
        self
    }

    pub fn run(self) -> Result<()> {
        need("/usr/bin/chromium", "chromium")?;
        let scripts = scripts();
        if !scripts.join("node_modules/playwright-core").exists() {
            let remedy = "npm ci --prefix tests/browser, or run ./x setup".into();
            return Err(Error::Missing { what: "the npm package playwright-core".into(), remedy });
        }
        let mut command = Command::new("node");
        command
            .arg(scripts.join("run.mjs"))
            .arg(&self.tests)
            .env("BASE_URL", &self.base_url)
            .env("SIGN_IN_URL", &self.sign_in_url)
            .env("TEST_FILTER", &self.filter)
            .env("SCREENSHOTS", &self.screenshots)
            // Node's test runner tells its children so; inherited from outside it would change the output's form.
            .env_remove("NODE_TEST_CONTEXT")
            .stdin(Stdio::null());
        let output = command.output().doing(|| "run node".into())?;
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        println!("{log}");
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Failed { what: "the browser tests".into(), why: output.status.to_string(), log })
    }
}

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn scripts() -> PathBuf {
    repository().join("tests/browser")
}

/// Tests lie in `<target>/<profile>/deps/`.
fn target_folder() -> PathBuf {
    let own = std::env::current_exe().ok();
    let target = own.as_deref().and_then(|path| path.ancestors().nth(3));
    target.map_or_else(|| repository().join("target"), Path::to_owned)
}
