//! What there is to judge a run by: the mails as they lie in the mailboxes, the rows of the database, and the people of the
//! file, read by a CSV reader and nothing else.

use cadenza_store::{Database, Query, StoreError};
use cadenza_testkit::{MailServers, RawMail};
use mail_parser::MessageParser;
use std::collections::{BTreeMap, HashMap};

pub struct Evidence {
    /// By address.
    pub people: HashMap<String, Person>,
    /// In the order of the outbox.
    pub mails: Vec<Mail>,
    /// Mails that were sent, by Message-ID.
    pub rows: HashMap<String, Row>,
    pub texts: Vec<Text>,
    /// When an enrollment got an answer after which nothing more may go out, and what it was.
    pub answers: Vec<(i64, i64, String)>,
    /// Every message that was sent, mails and texts: enrollment, when it was recorded, step.
    pub sent: Vec<(i64, i64, String)>,
    /// Outcomes of manual activities: (enrollment, visit, step, outcome).
    pub done_by_hand: Vec<(i64, i64, String, String)>,
    /// Manual tasks that are open at the end.
    pub open_tasks: i64,
    pub signing_key: Vec<u8>,
}

/// A line of the contacts file.
pub struct Person {
    pub first_name: String,
    pub company: String,
    pub title: String,
    pub phone: String,
    pub zone: String,
}

/// A mail in somebody's mailbox.
pub struct Mail {
    pub raw: RawMail,
    /// Its place in the order of arrival, of all.
    pub arrived: usize,
    /// By their names in lower case, unfolded; those that stand once only.
    pub headers: BTreeMap<String, String>,
    /// Names that stand twice or more often, in lower case.
    pub repeated: Vec<String>,
    pub message_id: String,
    pub subject: String,
    /// Seconds since 1970.
    pub date: i64,
    pub text: String,
    pub html: String,
}

/// A mail in the outbox.
pub struct Row {
    pub enrollment: i64,
    pub visit: i64,
    pub step: String,
    pub variant: String,
    pub address: String,
    pub mailbox: String,
    /// Microseconds since 1970.
    pub claimed_at: i64,
    pub marked_at: i64,
}

pub struct Text {
    pub number: String,
    pub words: String,
    /// First address of whoever it went to.
    pub address: String,
    pub step: String,
}

impl Evidence {
    pub fn gather(servers: &MailServers, database: &str, contacts: &str) -> Evidence {
        let db = Database::open(&database.parse().unwrap()).unwrap();
        let rows: HashMap<String, Row> = db.read(rows).unwrap();
        let delivered = servers.all_delivered().unwrap();
        let mut mails: Vec<Mail> = delivered.into_iter().enumerate().map(|(n, raw)| Mail::read(n, raw)).collect();
        mails.sort_by_key(|m| rows.get(&m.message_id).map_or(i64::MAX, |r| r.claimed_at));
        Evidence {
            people: people(contacts),
            mails,
            rows,
            texts: db.read(texts).unwrap(),
            answers: db.read(answers).unwrap(),
            sent: db.read(sent).unwrap(),
            done_by_hand: db.read(done_by_hand).unwrap(),
            open_tasks: db.read(open_tasks).unwrap(),
            signing_key: db
                .read(|q| Ok(q.query_one("SELECT signing_key FROM workspace", &[])?.blob(0)?.to_vec()))
                .unwrap(),
        }
    }

    pub fn person(&self, mail: &Mail) -> &Person {
        self.people.get(&mail.raw.mailbox).unwrap_or_else(|| panic!("{} is nobody of the file", mail.raw.mailbox))
    }
    pub fn row(&self, mail: &Mail) -> &Row {
        self.rows.get(&mail.message_id).unwrap_or_else(|| panic!("{} is in no outbox", mail.message_id))
    }

    /// The mails of each address, in the order of their dates.
    pub fn by_person(&self) -> BTreeMap<&str, Vec<&Mail>> {
        let mut all: BTreeMap<&str, Vec<&Mail>> = BTreeMap::new();
        for mail in &self.mails {
            all.entry(&mail.raw.mailbox).or_default().push(mail);
        }
        all.values_mut().for_each(|mails| mails.sort_by_key(|m| m.date));
        all
    }
}

impl Mail {
    fn read(arrived: usize, raw: RawMail) -> Mail {
        let parsed = MessageParser::default().parse(&raw.raw).unwrap();
        let (mut headers, mut repeated) = (BTreeMap::new(), Vec::new());
        for (name, value) in parsed.headers_raw() {
            let unfolded = value.replace("\r\n", "\n").replace('\n', "").replace('\t', " ").trim().to_owned();
            if headers.insert(name.to_lowercase(), unfolded).is_some() {
                repeated.push(name.to_lowercase());
            }
        }
        let html = parsed.html_part(0).filter(|p| p.is_text_html()).and_then(|p| p.text_contents());
        Mail {
            message_id: parsed.message_id().unwrap_or_default().to_owned(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            date: parsed.date().map_or(0, |d| d.to_timestamp()),
            text: parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            html: html.unwrap_or_default().to_owned(),
            headers,
            repeated,
            arrived,
            raw,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

fn people(contacts: &str) -> HashMap<String, Person> {
    let mut reader = csv::Reader::from_reader(contacts.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cell = |name: &str| row[names.iter().position(|n| n == name).unwrap()].to_owned();
        let person = Person {
            first_name: cell("first_name"),
            company: cell("company"),
            title: cell("title"),
            phone: cell("phone").replace([' ', '(', ')', '-'], ""),
            zone: cell("time_zone"),
        };
        (cell("email").to_lowercase(), person)
    });
    rows.collect()
}

fn rows(q: &mut Query) -> Result<HashMap<String, Row>, StoreError> {
    let rows = q.query(
        "SELECT s.message_id, s.enrollment_id, s.visit, s.step, s.variant, s.address, m.address, s.claimed_at, s.marked_at
         FROM send s JOIN mailbox m ON m.workspace_id = s.workspace_id AND m.id = s.mailbox_id
         WHERE s.state = 'sent' AND s.channel = 'email'",
        &[],
    )?;
    let each = rows.iter().map(|row| {
        let sent = Row {
            enrollment: row.int(1)?,
            visit: row.int(2)?,
            step: row.text(3)?.to_owned(),
            variant: row.text(4)?.to_owned(),
            address: row.text(5)?.to_owned(),
            mailbox: row.text(6)?.to_owned(),
            claimed_at: row.int(7)?,
            marked_at: row.int(8)?,
        };
        Ok((row.text(0)?.to_owned(), sent))
    });
    each.collect()
}

fn texts(q: &mut Query) -> Result<Vec<Text>, StoreError> {
    let rows = q.query(
        "SELECT t.recipient, t.raw, a.value, s.step FROM sandbox_message t
         JOIN send s ON s.workspace_id = t.workspace_id AND s.message_id = t.message_id AND s.state = 'sent'
         JOIN enrollment e ON e.workspace_id = s.workspace_id AND e.id = s.enrollment_id
         JOIN address a ON a.workspace_id = e.workspace_id AND a.subject = 'contact' AND a.subject_id = e.contact_id
              AND a.kind = 'email'
         WHERE t.channel = 'text'",
        &[],
    )?;
    let each = rows.iter().map(|row| {
        Ok(Text {
            number: row.text(0)?.to_owned(),
            words: String::from_utf8_lossy(row.blob(1)?).into_owned(),
            address: row.text(2)?.to_owned(),
            step: row.text(3)?.to_owned(),
        })
    });
    each.collect()
}

fn answers(q: &mut Query) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let rows = q.query(
        "SELECT enrollment_id, received_at, class FROM inbound_message
         WHERE enrollment_id IS NOT NULL AND class IN ('reply', 'bounce', 'opt_out')
         UNION ALL SELECT enrollment_id, at, 'unsubscribe' FROM tracking_event
                   WHERE kind = 'unsubscribe' AND method = 'POST'",
        &[],
    )?;
    triples(&rows)
}

fn sent(q: &mut Query) -> Result<Vec<(i64, i64, String)>, StoreError> {
    triples(&q.query("SELECT enrollment_id, claimed_at, step FROM send WHERE state = 'sent'", &[])?)
}

fn triples(rows: &[cadenza_store::Row]) -> Result<Vec<(i64, i64, String)>, StoreError> {
    rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?, row.text(2)?.to_owned()))).collect()
}

fn done_by_hand(q: &mut Query) -> Result<Vec<(i64, i64, String, String)>, StoreError> {
    let rows = q.query(
        "SELECT enrollment_id, visit, step, outcome FROM activity
         WHERE phase = 3 AND outcome <> 'cancelled' AND kind NOT IN ('email_auto', 'sms_auto')",
        &[],
    )?;
    rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?, r.text(2)?.to_owned(), r.text(3)?.to_owned()))).collect()
}

fn open_tasks(q: &mut Query) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM activity WHERE phase < 3 AND appeared_at IS NOT NULL
         AND kind NOT IN ('email_auto', 'sms_auto')";
    q.query_one(sql, &[])?.int(0)
}
