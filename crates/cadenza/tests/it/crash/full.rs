//! No more room on the disk: it says so, loses nothing, sends nothing twice, and goes on by itself when there is room again,
//! or after a restart.

use super::disk::Disk;
use super::serving::Serving;
use super::sink::Sink;
use super::site::{BUSY, Seed, Site, Size};
use super::verdict::{judge, left};
use std::process::Output;
use std::time::{Duration, SystemTime};

const SOME: Size = Size { people: 60, ..BUSY };

#[test]
fn a_full_disk_is_said_and_waited_for() {
    let sink = Sink::start();
    sink.thinks(Duration::from_millis(2));
    let site = Seed::sqlite(SOME, &sink).site();
    let disk = Disk::under(&site);
    let serving = site.start_so(&disk.manner(&[]));
    for part in 1..=2 {
        serving.until("some mails are sent", || sink.total() >= part * 40);
        stands_still(&serving, &disk, &sink);
        disk.make_room();
    }
    serving.rest();
    serving.stop();
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown, 0, "answers that could not be noted were kept: {verdict:#?}");
    verdict.is_clean();
}

#[test]
fn killed_on_a_full_disk_it_starts_again_when_there_is_room() {
    let sink = Sink::start();
    let site = Seed::sqlite(SOME, &sink).site();
    let disk = Disk::under(&site);
    let (started, serving) = (SystemTime::now(), site.start_so(&disk.manner(&[])));
    serving.until("some mails are sent", || sink.total() >= 40);
    stands_still(&serving, &disk, &sink);
    serving.kill();
    let again = site.start_so(&disk.manner(&[]));
    assert!(!again.gone().success(), "{}", again.log());
    assert!(says(&again.log()), "{}", again.log());
    disk.make_room();
    let now = left(&site, started);
    assert!(now.marked <= SOME.dot_permits as i64 && now.unknown == 0, "{now:?}");
    let serving = site.start_so(&disk.manner(&[]));
    serving.ready();
    serving.rest();
    serving.stop();
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown as i64, now.marked, "{verdict:#?}");
    verdict.is_clean();
}

/// Fills the disk, and waits until the server has said so and sends nothing more.
fn stands_still(serving: &Serving, disk: &Disk, sink: &Sink) {
    let said = serving.log().len();
    disk.fill();
    serving.until("it says that the disk is full", || says(&serving.log()[said..]));
    // At most what was past its mark is still on its way.
    let sent = sink.total();
    let complaints = || serving.log()[said..].matches("full").count();
    let before = complaints();
    serving.until("it has tried again and again", || complaints() >= before + 4);
    assert!(sink.total() <= sent + SOME.dot_permits, "it goes on sending: {} after {sent}", sink.total());
}

fn says(log: &str) -> bool {
    ["database or disk is full", "is the disk full?", "No space left on device"].iter().any(|words| log.contains(words))
}

/// A real file system with little room, where a test may make one.
#[test]
fn a_small_file_system_that_runs_full_is_waited_for() {
    let sink = Sink::start();
    let site = Seed::sqlite(SOME, &sink).site();
    let Some(_mounted) = Small::mount(&site) else { return };
    let ballast = site.data.join("ballast");
    let serving = site.start();
    for part in 1..=2 {
        serving.until("some mails are sent", || sink.total() >= part * 40);
        let said = serving.log().len();
        // As much as goes in; the last piece is refused.
        let _ = std::fs::write(&ballast, vec![0; MIB * 64]);
        serving.until("it says that the disk is full", || says(&serving.log()[said..]));
        std::fs::remove_file(&ballast).unwrap();
    }
    serving.rest();
    serving.stop();
    let verdict = judge(&site, &sink.settled());
    assert_eq!(verdict.unknown, 0, "{verdict:#?}");
    verdict.is_clean();
}

const MIB: usize = 1 << 20;

/// The data folder on a file system of its own in memory, with 48 MiB; taken away with this value.
struct Small<'a>(&'a Site);

impl<'a> Small<'a> {
    /// `None` where the machine lets nobody mount anything: `disk.c` tries the same everywhere.
    fn mount(site: &'a Site) -> Option<Small<'a>> {
        let kept = site.beside("kept");
        std::fs::rename(&site.data, &kept).unwrap();
        std::fs::create_dir(&site.data).unwrap();
        let done = run("mount", &["-t", "tmpfs", "-o", "size=48m", "none"], site);
        super::site::copy(&kept, &site.data);
        if !done.status.success() {
            eprintln!("SKIPPED: no file system can be mounted: {}", String::from_utf8_lossy(&done.stderr));
            return None;
        }
        Some(Small(site))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        run("umount", &["--lazy"], self.0);
    }
}

fn run(program: &str, words: &[&str], site: &Site) -> Output {
    std::process::Command::new(program).args(words).arg(&site.data).output().unwrap()
}
