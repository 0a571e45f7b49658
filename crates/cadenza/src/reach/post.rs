//! One request by HTTPS to an address that somebody who uses this installation has typed. It goes to an address that was judged,
//! follows no redirection, asks no proxy, and is over within its time whatever the other end does. What it says is a secret, so no
//! error repeats any of it.

use super::{NotFound, Reach, Trust, find};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A form that is posted.
#[derive(Debug)]
pub struct Post<'a> {
    /// With https.
    pub url: &'a Url,
    pub reach: &'a Reach,
    pub trust: &'a Trust,
    /// For all of it.
    pub limit: Duration,
    /// What is read of the answer's body, at most.
    pub bytes_max: usize,
}

/// What was answered, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("it has no https address")]
    NotHttps,
    #[error(transparent)]
    Address(#[from] NotFound),
    #[error("it cannot be reached: {why}")]
    Unreachable { why: String },
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("it answers more than {0} bytes")]
    Oversized(usize),
}

/// It may hold secrets.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Post<'_> {
    /// # Errors
    /// [`NoAnswer`]; it may have been asked all the same, but where there is no address.
    pub async fn form(&self, fields: &[(&str, &str)]) -> Result<Answer, NoAnswer> {
        tokio::time::timeout(self.limit, self.ask(fields)).await.unwrap_or(Err(NoAnswer::TimedOut(self.limit)))
    }

    async fn ask(&self, fields: &[(&str, &str)]) -> Result<Answer, NoAnswer> {
        let (Some(host), Some(port), "https") =
            (self.url.host_str(), self.url.port_or_known_default(), self.url.scheme())
        else {
            return Err(NoAnswer::NotHttps);
        };
        // An address of IPv6 stands in brackets, which the resolver does not know.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = find(bare, port, self.reach, self.limit).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(rustls::ClientConfig::clone(self.trust.config()))
            .dns_resolver(Arc::new(Pinned(addresses)))
            .build()
            .map_err(|e| unreachable(&e))?;
        let request = client
            .post(self.url.clone())
            .header(reqwest::header::ACCEPT, "application/json")
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(self.url, fields));
        let mut response = request.send().await.map_err(|e| unreachable(&e))?;
        let mut answer = Answer { status: response.status().as_u16(), body: Vec::new() };
        while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(&e))? {
            if answer.body.len() + chunk.len() > self.bytes_max {
                return Err(NoAnswer::Oversized(self.bytes_max));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

/// Answers what was judged, whatever the name.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// As a form is sent, which is how the query of an address is written.
fn encoded(url: &Url, fields: &[(&str, &str)]) -> String {
    let mut form = url.clone();
    form.query_pairs_mut().clear().extend_pairs(fields);
    form.query().unwrap_or_default().to_owned()
}

/// The innermost cause: what is around it names the address again.
fn unreachable(e: &reqwest::Error) -> NoAnswer {
    let mut cause: &dyn Error = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    NoAnswer::Unreachable { why: cause.to_string() }
}
