//! An IMAP server that does as it is told: it hands out mail like a real one, except where a script says otherwise, at any
//! phase of the conversation. Mail is made when it is asked for, so a folder may be as large as one likes. For real servers
//! see `cadenza_testkit`.

mod session;

use session::Session;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where in the conversation something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Greeting,
    Capability,
    SignIn,
    Examine,
    Search,
    /// A FETCH that asks for no mail.
    Sizes,
    /// A FETCH of mail, before its first byte.
    Fetch,
    /// In the middle of the first mail.
    Middle,
    /// A FETCH of mail, before its last line.
    Fetched,
    Idle,
    /// While the client idles.
    Idling,
}

impl Phase {
    pub const ALL: [Phase; 11] = [
        Phase::Greeting,
        Phase::Capability,
        Phase::SignIn,
        Phase::Examine,
        Phase::Search,
        Phase::Sizes,
        Phase::Fetch,
        Phase::Middle,
        Phase::Fetched,
        Phase::Idle,
        Phase::Idling,
    ];
}

/// What is done instead of the usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Closes the connection.
    Close,
    /// Says nothing more, for ever.
    Silence,
    /// Ends the command so, after its tag.
    Answer(&'static str),
    /// Says this line and goes on as usual.
    Besides(String),
    /// Removes this message and goes on as usual.
    Expunge(u32),
}

/// A message in a folder.
#[derive(Debug, Clone)]
pub struct Message {
    raw: Option<Vec<u8>>,
    /// Such as `17-Feb-2027`.
    day: &'static str,
    /// What the server says of its size, where that is not true.
    claimed: Option<u32>,
    /// Whoever asks for it gets this.
    cursed: Option<Act>,
}

#[derive(Debug, Clone)]
pub struct Folder {
    pub validity: u32,
    pub uid_next: u32,
    pub messages: BTreeMap<u32, Message>,
}

/// What the server holds and how it behaves. It may be changed while the server runs.
#[derive(Debug)]
pub struct World {
    /// Tells the messages of one server from another's.
    pub name: String,
    pub folders: BTreeMap<String, Folder>,
    pub password: String,
    /// Before and after sign-in.
    pub offered: [&'static str; 2],
    acts: Vec<(Phase, Option<usize>, Act)>,
    reached: HashMap<Phase, usize>,
    /// Every command, without its tag and without secrets.
    pub commands: Vec<String>,
    pub connections: usize,
}

/// A running server; ended when dropped.
pub struct ImapServer {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    changed: Arc<watch::Sender<u64>>,
    task: JoinHandle<()>,
}

impl World {
    /// A modern server with an empty inbox.
    pub fn new(name: &str) -> World {
        World {
            name: name.to_owned(),
            folders: BTreeMap::from([("INBOX".to_owned(), Folder::empty(77))]),
            password: "secret".to_owned(),
            offered: ["IMAP4rev1 SASL-IR IDLE AUTH=PLAIN"; 2],
            acts: Vec::new(),
            reached: HashMap::new(),
            commands: Vec::new(),
            connections: 0,
        }
    }

    /// With so many more messages in the inbox, which came today.
    pub fn with_mails(mut self, count: u32) -> World {
        self.inbox().add(count, "1-Mar-2027");
        self
    }

    pub fn inbox(&mut self) -> &mut Folder {
        self.folders.get_mut("INBOX").unwrap()
    }

    /// Misbehaves whenever the phase is reached.
    pub fn at(mut self, phase: Phase, act: Act) -> World {
        self.acts.push((phase, None, act));
        self
    }

    /// Misbehaves the n-th time the phase is reached, counted from 1 over all connections.
    pub fn at_nth(mut self, phase: Phase, n: usize, act: Act) -> World {
        self.acts.push((phase, Some(n), act));
        self
    }

    pub fn offering(mut self, before: &'static str, after: &'static str) -> World {
        self.offered = [before, after];
        self
    }

    /// Misbehaves no more.
    pub fn heal(&mut self) {
        self.acts.clear();
    }

    /// What to do instead of the usual, now that the phase is reached.
    fn act(&mut self, phase: Phase) -> Option<Act> {
        let count = self.reached.entry(phase).or_default();
        *count += 1;
        let now = |nth: &Option<usize>| nth.is_none_or(|n| n == *count);
        self.acts.iter().find(|(p, nth, _)| *p == phase && now(nth)).map(|(.., act)| act.clone())
    }

    /// The bytes of a message: those that were given, else some of its own.
    fn raw(&self, folder: &str, uid: u32) -> Vec<u8> {
        let message = &self.folders[folder].messages[&uid];
        message.raw.clone().unwrap_or_else(|| mail(&format!("{}-{uid}", self.name), "Hello there.\r\n").into_bytes())
    }
}

/// A mail from a stranger.
pub fn mail(subject: &str, text: &str) -> String {
    format!(
        "From: Someone <someone@elsewhere.example>\r\nTo: ada@agency.example\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@elsewhere.example>\r\nDate: Mon, 1 Mar 2027 09:00:00 +0000\r\n\r\n{text}"
    )
}

impl Message {
    pub fn of(raw: impl Into<Vec<u8>>) -> Message {
        Message { raw: Some(raw.into()), ..Message::made("1-Mar-2027") }
    }

    fn made(day: &'static str) -> Message {
        Message { raw: None, day, claimed: None, cursed: None }
    }

    /// The server claims that it has so many bytes.
    pub fn claiming(mut self, bytes: u32) -> Message {
        self.claimed = Some(bytes);
        self
    }

    pub fn cursed(mut self, act: Act) -> Message {
        self.cursed = Some(act);
        self
    }
}

impl Folder {
    pub fn empty(validity: u32) -> Folder {
        Folder { validity, uid_next: 1, messages: BTreeMap::new() }
    }

    /// So many more, which came on that day.
    pub fn add(&mut self, count: u32, day: &'static str) {
        for _ in 0..count {
            self.put(Message::made(day));
        }
    }

    pub fn put(&mut self, message: Message) -> u32 {
        let uid = self.uid_next;
        self.messages.insert(uid, message);
        self.uid_next += 1;
        uid
    }

    /// The same messages with other numbers, as after a server was moved.
    pub fn renumber(&mut self, validity: u32, first: u32) {
        let old = std::mem::take(&mut self.messages);
        (self.validity, self.uid_next) = (validity, first);
        for (uid, message) in old {
            let raw =
                message.raw.unwrap_or_else(|| panic!("message {uid} is made from its number and cannot keep itself"));
            self.put(Message { raw: Some(raw), ..message });
        }
    }
}

impl ImapServer {
    /// On a free port of 127.0.0.1, in the runtime of the test.
    pub async fn start(world: World) -> ImapServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(world));
        let changed = Arc::new(watch::Sender::new(0));
        let (world2, changed2) = (world.clone(), changed.clone());
        let task = tokio::spawn(async move {
            // Dropped with this task, and its sessions with it.
            let mut sessions = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                world2.lock().unwrap().connections += 1;
                sessions.spawn(Session::new(socket, world2.clone(), changed2.subscribe()).run());
            }
        });
        ImapServer { address, world, changed, task }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// From the next sign-in on it takes this password, or token, and no other.
    pub fn password_setter(&self) -> impl Fn(&str) + Send + 'static {
        let world = self.world.clone();
        move |now| now.clone_into(&mut world.lock().unwrap().password)
    }

    /// Changes what the server holds; whoever idles is told.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world());
        self.changed.send_modify(|n| *n += 1);
    }
}

impl Drop for ImapServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
