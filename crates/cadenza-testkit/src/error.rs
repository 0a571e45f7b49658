//! Why a test could not have what it asked the machine for. Always with what to do about it, for it is read in a
//! failed test's output by somebody who was thinking of something else.

/// What went wrong between a test and the machine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program or a right is not there.
    #[error("{what} is missing: {remedy}")]
    Missing { what: String, remedy: String },
    /// The system refused something.
    #[error("could not {doing}: {source}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    /// A program ran and said no, or a server never became ready. `log` is what it wrote.
    #[error("{what} failed: {why}\n{log}")]
    Failed { what: String, why: String, log: String },
    /// A mail server answered something other than what the conversation needs.
    #[error("after {sent:?} the server said {reply}")]
    Refused { sent: String, reply: String },
}

pub type Result<T> = std::result::Result<T, Error>;

/// Adds to an I/O error what was being done: `.doing(|| format!("read {path}"))`.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { doing: what(), source })
    }
}
