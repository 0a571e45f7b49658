//! Proves the browser tests' runner: against a page served here it passes what works, fails what does not, and leaves
//! pictures of the failures.

use cadenza_testkit::{BrowserRun, Error};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

/// Shows whether the sign-in's cookie came along, and does something only a browser can.
const PAGE: &str = r#"<!doctype html><title>Proof</title><link rel=icon href=data:,>
<h1>HEADING</h1><form><input><button type=button>Go</button><output></output></form>
<script>
  const [input, button, output] = ['input', 'button', 'output'].map((name) => document.querySelector(name));
  button.addEventListener('click', () => (output.textContent = input.value + '!'));
</script>"#;

const THROWS: &str = "<!doctype html><link rel=icon href=data:,><p id=after>after</p>
<script>throw new Error('on purpose')</script>";

/// Serves the page until the test's process ends, and returns its address.
fn serve() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(|| answer(stream));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut signed_in = false;
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        signed_in |= line.to_lowercase().starts_with("cookie:") && line.contains("who=me");
    }
    let heading = if signed_in { "Signed in" } else { "Who are you?" };
    let (head, body) = match request.split(' ').nth(1) {
        Some("/enter") => ("303 See Other\r\nLocation: /\r\nSet-Cookie: who=me; HttpOnly", String::new()),
        Some("/throws") => ("200 OK", THROWS.to_owned()),
        _ => ("200 OK", PAGE.replace("HEADING", heading)),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

#[test]
fn tests_that_hold_pass() {
    let address = serve().unwrap();
    let run = BrowserRun::new(&address).sign_in(&format!("{address}enter")).tests_of(&folder("pages"));
    run.run().unwrap();
}

#[test]
fn without_signing_in_the_page_says_so() {
    let failed = BrowserRun::new(&serve().unwrap()).tests_of(&folder("pages")).only("signed in").run();
    assert!(failed.unwrap_err().to_string().contains("Who are you?"));
}

#[test]
fn what_does_not_hold_fails_and_leaves_a_picture() {
    let screenshots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    for (name, why) in [
        ("wrong heading", "Something else"),
        ("page throws", "threw: on purpose"),
        ("page asks another host", "asked another host"),
    ] {
        let picture = screenshots.join(format!("{}.png", name.replace(' ', "-")));
        let _ = std::fs::remove_file(&picture);
        let run = BrowserRun::new(&serve().unwrap()).tests_of(&folder("pages_failing")).screenshots_to(&screenshots);
        let failed = run.only(name).run().unwrap_err();
        assert!(matches!(&failed, Error::Failed { log, .. } if log.contains(why)), "{failed}");
        assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"), "{}", picture.display());
    }
}

#[test]
fn a_filter_that_matches_nothing_fails() {
    let failed = BrowserRun::new(&serve().unwrap()).tests_of(&folder("pages")).only("no such test").run();
    assert!(failed.unwrap_err().to_string().contains("no browser test ran"));
}
