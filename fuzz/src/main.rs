//! One program for all targets, led by libFuzzer. The targets are those of the tests: this file only lists them together, gives
//! the fuzzer their seeds and words to begin with, and hands on what it makes of them.

#![no_main]

#[path = "../../crates/cadenza-core/tests/foreign/targets/mod.rs"]
mod of_core;
#[path = "../../crates/cadenza/tests/it/foreign/mod.rs"]
mod of_server;

use cadenza_testkit::Target;
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::OnceLock;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(init: begin(), |bytes: &[u8]| {
    (TARGET.get().unwrap().judge)(bytes);
});

/// Reads which target is meant from the environment, since the command line is libFuzzer's, and writes what it begins with:
/// a file for each seed, and the dictionary beside their folder.
fn begin() {
    let name = std::env::var("CADENZA_FUZZ_TARGET").unwrap_or_default();
    let all = || of_core::TARGETS.iter().chain(of_server::TARGETS);
    let Some(target) = all().find(|target| target.name == name) else {
        all().for_each(|target| println!("{}", target.name));
        std::process::exit(if name.is_empty() { 0 } else { 2 });
    };
    TARGET.get_or_init(|| target);
    let Some(folder) = std::env::var_os("CADENZA_FUZZ_SEEDS") else { return };
    let folder = Path::new(&folder);
    for (number, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
    }
    let quoted = |piece: &&str| format!("\"{}\"\n", piece.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>());
    std::fs::write(folder.with_extension("words"), target.pieces.iter().map(quoted).collect::<String>()).unwrap();
}
