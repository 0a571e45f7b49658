//! What the server is told from outside: flags, environment, a file, and the defaults in `config.default.toml`, which is
//! also their documentation. The only reader of the environment. Settings of a workspace are in the database, not here.

use crate::reach::Reach;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
/// Looked for in the data folder.
const FILE_NAME: &str = "cadenza.toml";

/// The flags that commands have in common.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Where the server listens [default: 127.0.0.1:8600]
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "CADENZA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The folder of the database, keys and attachments [default: data]
    #[arg(long, global = true, value_name = "DIR", env = "CADENZA_DATA")]
    pub data: Option<PathBuf>,
    /// sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME [default: sqlite:DIR/cadenza.db]
    #[arg(long, global = true, value_name = "URL", env = "CADENZA_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The address under which browsers and recipients reach the server [default: http://ADDR:PORT]
    #[arg(long, global = true, value_name = "URL", env = "CADENZA_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Which addresses that are not of the Internet mail servers may have: refuse, or a list with commas of loopback, allow and
    /// networks such as 10.0.0.0/8 [default: refuse]
    #[arg(long, global = true, value_name = "WHICH", env = "CADENZA_PRIVATE_ADDRESSES")]
    pub private_addresses: Option<Reach>,
    /// Run the clock so many times as fast; on loopback only [default: 1]
    #[arg(long, global = true, value_name = "N", env = "CADENZA_TIME_SCALE")]
    pub time_scale: Option<f64>,
    /// A settings file [default: DIR/cadenza.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "CADENZA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Which log lines are written: error, warn, info, debug, trace, or levels by part
    #[arg(long, global = true, value_name = "LEVEL", env = "CADENZA_LOG")]
    pub log: Option<String>,
}

/// What a server is told. See `config.default.toml` for what each means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub log: Log,
    pub sign_in: SignIn,
    pub mail: Mail,
    pub nodes: Nodes,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub database: String,
    pub public_url: String,
    pub trusted_proxies: Vec<IpAddr>,
    pub private_addresses: Reach,
    pub time_scale: f64,
    pub request_bytes_max: usize,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(default)]
    pub root_certificates: Option<PathBuf>,
    pub dot_permits: usize,
    pub claimed_max: usize,
    pub connections_per_mailbox: usize,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    pub lease_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub attempts_per_account: u32,
    pub attempts_per_address: u32,
    pub session_idle_hours: u32,
    pub session_days: u32,
    pub link_minutes: u32,
    pub password_length_min: usize,
}

/// Why there is no configuration to start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{origin}: {why}")]
    Content { origin: String, why: String },
    #[error("{name}: {why}")]
    Value { name: &'static str, why: String },
}

impl Config {
    /// The defaults, overlaid by the file, overlaid by the flags and their environment variables.
    ///
    /// Errors: a file that cannot be read, a key that does not exist, a value that does not fit its key.
    pub fn load(flags: &Flags) -> Result<Config, ConfigError> {
        let mut table = defaults()?;
        if let Some((path, text)) = read_file(flags, &table)? {
            let origin = path.display().to_string();
            overlay(&mut table, parse(&origin, &text)?);
            // Named apart from the flags, so that an error tells where to look.
            return Config::deserialize(table).map_err(|e| content(&origin, e))?.with(flags);
        }
        Config::deserialize(table).map_err(|e| content("the defaults", e))?.with(flags)
    }

    /// The database's address, with the default filled in.
    pub fn database_url(&self) -> String {
        match self.server.database.as_str() {
            "" => format!("sqlite:{}", self.server.data.join("cadenza.db").display()),
            url => url.to_owned(),
        }
    }

    /// The file that the database lies in; `None` where it is on a server.
    pub fn database_file(&self) -> Option<PathBuf> {
        self.database_url().strip_prefix("sqlite:").map(PathBuf::from)
    }

    /// The address that links lead to, without a slash at its end. `listening` is where the server really listens.
    pub fn public_url(&self, listening: SocketAddr) -> String {
        match self.server.public_url.as_str() {
            "" => format!("http://{listening}"),
            url => url.trim_end_matches('/').to_owned(),
        }
    }

    /// Do browsers come over TLS?
    pub fn is_https(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }

    fn with(mut self, flags: &Flags) -> Result<Config, ConfigError> {
        let server = &mut self.server;
        server.listen = flags.listen.unwrap_or(server.listen);
        server.time_scale = flags.time_scale.unwrap_or(server.time_scale);
        server.private_addresses =
            flags.private_addresses.clone().unwrap_or(std::mem::take(&mut server.private_addresses));
        server.data = flags.data.clone().unwrap_or_else(|| server.data.clone());
        server.database = flags.database.clone().unwrap_or_else(|| server.database.clone());
        server.public_url = flags.public_url.clone().unwrap_or_else(|| server.public_url.clone());
        self.log.level = flags.log.clone().unwrap_or(self.log.level);
        self.checked()
    }

    fn checked(self) -> Result<Config, ConfigError> {
        let fault = |name, why: &str| Err(ConfigError::Value { name, why: why.to_owned() });
        let server = &self.server;
        if server.time_scale != 1.0 && !server.listen.ip().is_loopback() {
            return fault(
                "server.time_scale",
                "a clock that runs faster is for loopback only: listen on 127.0.0.1 or leave it at 1",
            );
        }
        let url = &server.public_url;
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if !url.is_empty()
            && host.is_none_or(|h| {
                h.trim_end_matches('/').is_empty() || h.trim_end_matches('/').contains(['/', '?', '#', ' '])
            })
        {
            return fault(
                "server.public_url",
                "expected http:// or https:// and a host, without a path, such as https://cadenza.example.com",
            );
        }
        if server.request_bytes_max < 65_536 {
            return fault("server.request_bytes_max", "expected 65536 or more");
        }
        let s = &self.sign_in;
        if [s.attempts_per_account, s.attempts_per_address, s.session_idle_hours, s.session_days, s.link_minutes]
            .contains(&0)
        {
            return fault("sign_in", "every number of this part must be 1 or more");
        }
        if !(2..=600).contains(&self.nodes.lease_seconds) {
            return fault("nodes.lease_seconds", "expected 2 to 600");
        }
        if !(8..=64).contains(&s.password_length_min) {
            return fault("sign_in.password_length_min", "expected 8 to 64");
        }
        Ok(self)
    }
}

fn defaults() -> Result<toml::Table, ConfigError> {
    parse("config.default.toml", DEFAULTS)
}

fn parse(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|e| content(origin, e))
}

fn content(origin: &str, e: toml::de::Error) -> ConfigError {
    ConfigError::Content { origin: origin.to_owned(), why: e.to_string().trim_end().to_owned() }
}

/// The file's text: the one named, which must be there, else the one in the data folder, which may.
fn read_file(flags: &Flags, defaults: &toml::Table) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let path = match (&flags.config, &flags.data) {
        (Some(path), _) => path.clone(),
        (None, Some(data)) => data.join(FILE_NAME),
        (None, None) => {
            let data = defaults.get("server").and_then(|s| s.get("data")).and_then(toml::Value::as_str);
            Path::new(data.unwrap_or(".")).join(FILE_NAME)
        }
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && flags.config.is_none() => Ok(None),
        Err(source) => Err(ConfigError::File { path, source }),
    }
}

/// Puts the values of `over` in place of those of `under`, table by table.
fn overlay(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> Result<Config, ConfigError> {
        let dir = std::env::temp_dir().join(format!("cadenza-config-{}-{}", std::process::id(), text.len()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(FILE_NAME), text).unwrap();
        let config = Config::load(&Flags { data: Some(dir.clone()), ..Flags::default() });
        std::fs::remove_dir_all(dir).unwrap();
        config
    }

    #[test]
    fn the_defaults_are_whole_and_flags_go_before_the_file() {
        let config = with_file("").unwrap();
        assert_eq!(config.server.listen.port(), 8600);
        assert!(config.database_url().ends_with("cadenza.db"));
        assert!(config.database_file().unwrap().ends_with("cadenza.db"));
        assert_eq!(config.public_url(config.server.listen), "http://127.0.0.1:8600");

        let config = with_file("[server]\nlisten = '127.0.0.1:9'\npublic_url = 'https://c.example/'").unwrap();
        assert_eq!(config.server.listen.port(), 9);
        assert_eq!(config.public_url(config.server.listen), "https://c.example");
        assert!(config.is_https());
        assert_eq!(config.server.private_addresses, Reach::default(), "the Internet alone");
        let config = with_file("[server]\nprivate_addresses = '10.0.0.0/8'\nlisten = '127.0.0.1:9'").unwrap();
        assert_eq!(config.server.private_addresses, "10.0.0.0/8".parse().unwrap());
        let flags = Flags {
            listen: Some("127.0.0.1:7".parse().unwrap()),
            private_addresses: Some("loopback".parse().unwrap()),
            ..Flags::default()
        };
        let flagged = config.clone().with(&flags).unwrap();
        assert_eq!(flagged.server.private_addresses, Reach::default().with_loopback());
        assert_eq!(config.with(&flags).unwrap().server.listen.port(), 7);
    }

    #[test]
    fn errors_name_the_place_and_what_would_do() {
        for (text, expected) in [
            ("[server]\nlisen = 1", "lisen"),
            ("[server]\nlisten = 'here'", "listen"),
            ("[sign_in]\npassword_length_min = 3", "8 to 64"),
            ("[server]\nlisten = '0.0.0.0:80'\ntime_scale = 60.0", "loopback"),
            ("[server]\npublic_url = 'cadenza.example.com'", "https://"),
            ("[server]\npublic_url = 'https://a/b'", "without a path"),
            ("[server]\nprivate_addresses = 'some'", "a list with commas"),
            ("[server]\nprivate_addresses = '10.0.0.1/8'", "bits behind its prefix"),
            ("[server", "cadenza.toml"),
        ] {
            let error = with_file(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        let missing = Flags { config: Some("/nonexistent/x.toml".into()), ..Flags::default() };
        assert!(Config::load(&missing).unwrap_err().to_string().contains("/nonexistent/x.toml"));
    }
}
