//! The log: to the standard error, as text or as JSON, one line an event. What a command prints as its result is no log.

use crate::config::{Flags, Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Begins to log. The second call of a process does nothing.
///
/// # Errors
/// A level that cannot be read, in words that name it.
pub fn start(log: &Log) -> Result<(), super::Failure> {
    let filter = EnvFilter::try_new(&log.level).map_err(|e| {
        super::Failure::said(format!(
            "log.level: {:?} cannot be read ({e}): expected error, warn, info, debug or trace, or levels by part such as \
             info,cadenza::http=debug",
            log.level
        ))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if begun.is_err() {
        tracing::debug!("the log was begun before");
    }
    Ok(())
}

/// As [`start`], for a command that does its work and ends: warnings only, unless a level was asked for.
pub fn start_quiet(log: &Log, flags: &Flags) -> Result<(), super::Failure> {
    let level = if flags.log.is_some() { log.level.clone() } else { "warn".to_owned() };
    start(&Log { level, ..log.clone() })
}
