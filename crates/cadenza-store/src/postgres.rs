//! The PostgreSQL engine: how a connection is made, kept and made again, and how a statement runs on it. How
//! transactions begin, end and are rerun is in `turn`; the words of errors in `fault`.

mod bind;
mod fault;
mod room;
mod turn;

pub(crate) use room::leave_room;
pub(crate) use turn::{read, write};

use crate::dialect::Statement;
use crate::error::{Result, StoreError};
use crate::query::KEPT_STATEMENTS;
use crate::row::Row;
use crate::value::{Columns, Kind, Val};
use ::postgres::types::Type;
use ::postgres::{Client, Config, NoTls};
use fault::{fault, statement_fault};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An answered change is on disk; nothing holds a lock for ever, not even a process that stopped breathing.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning; \
     SET default_transaction_isolation = 'read committed'";
/// What writes goes from the rows of a batch to those of a table, by its key. While a table is young, nothing is known of it, and
/// other plans look cheaper that read all of a workspace for each batch.
const OF_WRITER: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET random_page_cost = 1.1";
const CONNECT: Duration = Duration::from_secs(5);
/// Between attempts to connect: doubled after each failure.
const WAIT_MIN: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
}

/// One connection, or the intention to have one.
pub(crate) struct Session {
    config: Arc<Config>,
    use_of: Use,
    client: Option<Client>,
    kept: HashMap<Key, ::postgres::Statement>,
    wait: Duration,
    not_before: Option<Instant>,
    last_failure: String,
}

/// A statement is prepared once for each combination of kinds that its parameters have.
type Key = (Arc<str>, Vec<Option<Kind>>);

impl Session {
    pub(crate) fn new(config: Arc<Config>, use_of: Use) -> Session {
        Session {
            config,
            use_of,
            client: None,
            kept: HashMap::new(),
            wait: WAIT_MIN,
            not_before: None,
            last_failure: String::new(),
        }
    }

    /// The settings of every connection, where the address does not say otherwise.
    pub(crate) fn configure(mut config: Config) -> Arc<Config> {
        if config.get_application_name().is_none() {
            config.application_name("cadenza");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        Arc::new(config)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.as_ref().is_some_and(|c| !c.is_closed())
    }

    /// Connects where there is no connection. Shortly after a failure it does not try but answers the failure again.
    pub(crate) fn connect(&mut self) -> Result<()> {
        if self.is_connected() {
            return Ok(());
        }
        self.disconnect();
        if self.not_before.is_some_and(|t| Instant::now() < t) {
            return Err(StoreError::unavailable(&self.last_failure));
        }
        let made = self.config.connect(NoTls).and_then(|mut client| {
            client.batch_execute(SETTINGS)?;
            if self.use_of == Use::Write {
                client.batch_execute(OF_WRITER)?;
            }
            Ok(client)
        });
        match made {
            Ok(client) => {
                self.client = Some(client);
                self.wait = WAIT_MIN;
                self.not_before = None;
                Ok(())
            }
            Err(e) => {
                self.last_failure = fault::words(&e);
                self.not_before = Some(Instant::now() + self.wait);
                self.wait = (self.wait * 2).min(WAIT_MAX);
                Err(StoreError::unavailable(&self.last_failure))
            }
        }
    }

    pub(crate) fn disconnect(&mut self) {
        self.kept.clear();
        self.client = None;
    }

    fn client(&mut self) -> Result<&mut Client> {
        self.client.as_mut().ok_or_else(|| StoreError::unavailable("the connection was lost"))
    }

    pub(crate) fn control(&mut self, sql: &str) -> Result<()> {
        self.client()?.batch_execute(sql).map_err(|e| fault(&e))
    }

    pub(crate) fn query(&mut self, st: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<Vec<Row>> {
        let prepared = self.prepared(st, values)?;
        let binds = bind::Binds::new(values, rows);
        let answers = self.client()?.query(&prepared, &binds.list()).map_err(|e| statement_fault(st, &e))?;
        let shape = st.shape(|| prepared.columns().iter().map(|c| c.name().to_owned()).collect());
        answers
            .iter()
            .map(|answer| {
                let values = (0..answer.len()).map(|i| bind::value(answer, i, st)).collect::<Result<_>>()?;
                Ok(Row { values, shape: shape.clone() })
            })
            .collect()
    }

    pub(crate) fn exec(&mut self, st: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<u64> {
        let prepared = self.prepared(st, values)?;
        let binds = bind::Binds::new(values, rows);
        let count = self.client()?.execute(&prepared, &binds.list()).map_err(|e| statement_fault(st, &e))?;
        Ok(if st.ddl { 0 } else { count })
    }

    /// Parameters are declared by what they hold: left to itself the server takes `$1 + 1000` for 32 bits.
    fn prepared(&mut self, st: &Statement, values: &[Val]) -> Result<::postgres::Statement> {
        let key: Key = (st.source.clone(), values.iter().map(Val::kind).collect());
        if let Some(prepared) = self.kept.get(&key) {
            return Ok(prepared.clone());
        }
        let types: Vec<Type> = key.1.iter().map(|kind| kind.map_or(Type::UNKNOWN, bind::sql_type)).collect();
        let prepared = self.client()?.prepare_typed(&st.text, &types).map_err(|e| statement_fault(st, &e))?;
        if st.ddl {
            return Ok(prepared);
        }
        if self.kept.len() >= KEPT_STATEMENTS {
            self.kept.clear();
        }
        self.kept.insert(key, prepared.clone());
        Ok(prepared)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres::Session(connected: {})", self.is_connected())
    }
}
