//! A token endpoint over TLS that gives tokens as RFC 6749 §6 says, each time others, except where it is told to answer something
//! else. Whoever shall take the newest token only is told of it before the client is.

use crate::certificates::Certificates;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What is answered in place of a token.
#[derive(Debug, Clone)]
pub enum Reply {
    Says(u16, String),
    /// With a header that points to itself.
    Redirects,
    Silence,
    Close,
}

/// Whoever is told of each token that is given out.
type Told = Box<dyn Fn(&str) + Send>;

#[derive(Default)]
struct State {
    /// The forms that came, in order.
    asked: Vec<BTreeMap<String, String>>,
    replies: VecDeque<Reply>,
    issued: u32,
    rotations: u32,
    tell: Vec<Told>,
}

pub struct TokenServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
    certificates: Certificates,
}

/// The first refresh token; those that follow have a number.
pub const REFRESH: &str = "refresh-canary";
pub const CLIENT: &str = "the-app";
pub const SECRET: &str = "client-canary";

impl TokenServer {
    pub async fn start() -> TokenServer {
        let certificates = Certificates::make();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let (state2, acceptor) = (state.clone(), TlsAcceptor::from(certificates.server_config()));
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                sessions.spawn(serve(socket, acceptor.clone(), state2.clone()));
            }
        });
        TokenServer { address, state, task, certificates }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}/token", self.address.port())
    }

    /// The file of the root certificate to be believed.
    pub fn root(&self) -> PathBuf {
        self.certificates.root_file()
    }
    pub fn root_pem(&self) -> Vec<u8> {
        self.certificates.root_pem()
    }

    /// Answers so, once each, before it gives tokens again.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.extend(replies);
    }

    /// Tells of each access token that it gives.
    pub fn tell(&self, listener: impl Fn(&str) + Send + 'static) {
        self.state.lock().unwrap().tell.push(Box::new(listener));
    }

    /// The refresh tokens that it was asked with.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.iter().map(|form| form["refresh_token"].clone()).collect()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) {
    let Ok(mut stream) = acceptor.accept(socket).await else { return };
    let mut heard = Vec::new();
    let form = loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                assert!(head.starts_with("POST /token HTTP/1.1"), "{head}");
                break body.to_owned();
            }
        }
        match stream.read_buf(&mut heard).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    };
    let reply = state.lock().unwrap().answer(&form);
    let (status, location, body) = match reply {
        Reply::Says(status, body) => (status, "", body),
        Reply::Redirects => (307, "Location: /token\r\n", String::new()),
        Reply::Silence => return std::future::pending().await,
        Reply::Close => return,
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{location}Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

impl State {
    fn answer(&mut self, form: &str) -> Reply {
        let url = reqwest::Url::parse(&format!("x:/?{form}")).unwrap();
        let form: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        self.asked.push(form.clone());
        if let Some(reply) = self.replies.pop_front() {
            return reply;
        }
        let good = if self.rotations == 0 { REFRESH.to_owned() } else { format!("{REFRESH}-{}", self.rotations) };
        let said = |name: &str| form.get(name).map(String::as_str);
        if (said("grant_type"), said("client_id"), said("client_secret"))
            != (Some("refresh_token"), Some(CLIENT), Some(SECRET))
        {
            return Reply::Says(401, r#"{"error":"invalid_client"}"#.into());
        }
        if said("refresh_token") != Some(&good) {
            return Reply::Says(400, r#"{"error":"invalid_grant","error_description":"used or unknown"}"#.into());
        }
        (self.issued, self.rotations) = (self.issued + 1, self.rotations + 1);
        let token = format!("access-canary-{}", self.issued);
        self.tell.iter().for_each(|tell| tell(&token));
        let rest = format!(r#""refresh_token":"{REFRESH}-{}","token_type":"Bearer","expires_in":3600"#, self.rotations);
        Reply::Says(200, format!(r#"{{"access_token":"{token}",{rest}}}"#))
    }
}
