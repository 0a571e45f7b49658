//! `cadenza bench inbound`: what comes into mailboxes is read, classified, matched to what was sent, kept and put through the
//! door, in groups as a reader of IMAP fetches them. Afterwards what became of everybody is compared with what was written.

use super::furnish;
use super::meter::{self, Stretch, rounded, shown};
use super::site;
use crate::actions::Caller;
use crate::app::App;
use crate::commands::{Ended, Failure, print};
use crate::config::{Config, Flags};
use crate::engine::receive::{Arrived, Source, receive_together};
use crate::engine::{Engine, Limits};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::time::Time;
use cadenza_store::sends;
use serde::Serialize;
use std::collections::BTreeMap;

/// Every so many mails the kinds begin anew.
const ROUND: usize = 20;

/// Take in the mail that people and servers answer with, as fast as it goes
///
/// Of twenty, twelve are replies, four out-of-office notes, one a bounce, one asks to be left alone, and two are newsletters of
/// strangers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many mails come in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    pub mails: u32,
    /// How many are taken in together; a reader of IMAP fetches up to 50
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub together: u32,
    /// How many such groups are on their way at once, as of several mailboxes
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub mailboxes: u32,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
struct Measured {
    bench: &'static str,
    /// Where, without password.
    database: String,
    messages: u32,
    bytes: usize,
    seconds: f64,
    messages_per_s: f64,
    /// For each second of processor time: what one core could do.
    messages_per_core_s: Option<f64>,
    /// Of this process: the database's too where it is a file, else not.
    cpu_s_per_1k: Option<f64>,
    peak_rss_mb: Option<f64>,
    together: u32,
}

/// What comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Reply,
    OutOfOffice,
    Bounce,
    OptOut,
    Newsletter,
}

impl Kind {
    fn of(number: usize) -> Kind {
        match number % ROUND {
            0..12 => Kind::Reply,
            12..16 => Kind::OutOfOffice,
            16 => Kind::Bounce,
            17 => Kind::OptOut,
            _ => Kind::Newsletter,
        }
    }

    /// The figure of the sequence that counts it.
    fn figure(self) -> Option<&'static str> {
        match self {
            // Whoever asks to be left alone has replied as well.
            Kind::Reply => Some("replied"),
            Kind::OutOfOffice => Some("state:paused"),
            Kind::Bounce => Some("bounced"),
            Kind::OptOut => Some("opted_out"),
            Kind::Newsletter => None,
        }
    }
}

pub async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let m = site::on_a_new_site(flags, async |config| measured(args, config).await).await?;
    if args.json {
        print::line(serde_json::to_string(&m).map_err(Failure::said)?)?;
        return Ok(Ended::Well);
    }
    let core = shown(m.messages_per_core_s);
    print::line(format_args!(
        "{} mails in {} s: {} a second, {core} for each second of a core",
        m.messages, m.seconds, m.messages_per_s
    ))?;
    let (cpu, memory) = (shown(m.cpu_s_per_1k), shown(m.peak_rss_mb));
    print::line(format_args!(
        "{cpu} CPU seconds for 1,000, {memory} MB at most; {} bytes in all; {}",
        m.bytes, m.database
    ))?;
    Ok(Ended::Well)
}

async fn measured(args: &Args, config: Config) -> Result<Measured, Failure> {
    let app = site::opened(config).await?;
    let caller = furnish::workspace(&app).await?;
    let sequence = furnish::sequence(&app, &caller, "Inbound", &["none", "30 days"]).await?;
    // At work while mail comes in, as in life.
    let limits = Limits { dot_permits: 160, connections_per_mailbox: 64, ..Limits::default() };
    let engine = Engine::start(&app, limits).await?;
    let sent = sent_to_everybody(&app, &caller, sequence, args.mails as usize).await?;
    let now = app.clock.now();
    let mails: Vec<String> = sent.iter().enumerate().map(|(number, sent)| written(number, sent)).collect();
    let bytes = mails.iter().map(String::len).sum();
    let stretch = Stretch::begin(&app.clock);
    taken_in(&app, &caller, &mails, args, now).await?;
    let spent = stretch.end();
    let memory = meter::peak_memory_mb();
    app.stop();
    engine.stopped().await;
    as_written(&app, &caller, sequence, args.mails as usize).await?;
    site::counted_right(&app, &caller, sequence).await?;
    let count = i64::from(args.mails);
    Ok(Measured {
        bench: "inbound",
        database: app.db.url().to_string(),
        messages: args.mails,
        bytes,
        seconds: rounded(spent.seconds),
        messages_per_s: spent.rate(count),
        messages_per_core_s: spent.cpu_seconds.map(|s| (count as f64 / s).round()),
        cpu_s_per_1k: spent.cpu_s_per_1k(count),
        peak_rss_mb: memory,
        together: args.together,
    })
}

/// A mail that went out.
struct Sent {
    address: String,
    message_id: String,
}

/// Writes to so many people, through the sandbox.
async fn sent_to_everybody(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    count: usize,
) -> Result<Vec<Sent>, Failure> {
    let mut enrollments: Vec<EnrollmentId> = Vec::with_capacity(count);
    for first in (0..count).step_by(furnish::CHUNK) {
        let some = furnish::contacts(app, caller, first..count.min(first + furnish::CHUNK)).await?;
        enrollments.extend(furnish::enroll(app, caller, sequence, some).await?);
    }
    let mut watch = site::Watch::new(app);
    loop {
        let sent = site::figure(app, caller, sequence, "emails").await?;
        if sent >= count as i64 {
            break;
        }
        watch.look_again(sent, count as i64).await?;
    }
    let w = caller.workspace;
    let sent = app.db.read_async(move |q| {
        let one = |id: &EnrollmentId| Ok(sends::of_enrollment(q, w, *id)?.into_iter().next());
        let all = enrollments.iter().map(one).collect::<Result<Vec<_>, cadenza_store::StoreError>>()?;
        Ok(all.into_iter().flatten().map(|s| Sent { address: s.to, message_id: s.message_id }).collect())
    });
    Ok(sent.await?)
}

async fn taken_in(app: &App, caller: &Caller, mails: &[String], args: &Args, now: Time) -> Result<(), Failure> {
    let arrived = |raw: &String| Arrived { raw: raw.clone().into_bytes(), source: Source::Http, received_at: now };
    let mut under_way = tokio::task::JoinSet::new();
    for group in mails.chunks(args.together as usize) {
        if under_way.len() >= args.mailboxes as usize
            && let Some(done) = under_way.join_next().await
        {
            done.map_err(Failure::said)??;
        }
        let (app, w, group) = (app.clone(), caller.workspace, group.iter().map(arrived).collect());
        under_way.spawn(async move { receive_together(&app, w, group).await.map(drop) });
    }
    while let Some(done) = under_way.join_next().await {
        done.map_err(Failure::said)??;
    }
    Ok(())
}

/// A figure is worth nothing where the work was done wrong.
async fn as_written(app: &App, caller: &Caller, sequence: SequenceId, count: usize) -> Result<(), Failure> {
    let mut wanted: BTreeMap<Kind, i64> = BTreeMap::new();
    for number in 0..count {
        *wanted.entry(Kind::of(number)).or_default() += 1;
    }
    for (kind, wanted) in wanted {
        let Some(name) = kind.figure() else { continue };
        let found = site::figure(app, caller, sequence, name).await?;
        if found != wanted {
            return Err(Failure::said(format!("{found} are counted as {name}, and {wanted} mails said so")));
        }
    }
    Ok(())
}

fn written(number: usize, sent: &Sent) -> String {
    let Sent { address, message_id } = sent;
    let head = |from: &str, subject: &str| {
        format!(
            "From: {from}\r\nTo: sender@bench.invalid\r\nSubject: {subject}\r\nDate: Mon, 1 Mar 2027 10:00:00 +0000\r\nMessage-ID: <{number}.in@bench.invalid>\r\nMIME-Version: 1.0\r\n"
        )
    };
    let thread = format!("In-Reply-To: <{message_id}>\r\nReferences: <{message_id}>\r\n");
    let person = format!("\"Grace Hopper\" <{address}>");
    match Kind::of(number) {
        Kind::Reply => head(&person, "Re: A word about your team") + &thread + &in_two_forms(REPLY, &sent.address),
        Kind::OptOut => head(&person, "Re: A word about your team") + &thread + &in_two_forms(OPT_OUT, &sent.address),
        Kind::OutOfOffice => {
            head(&person, "Automatic reply: A word about your team")
                + &thread
                + "Auto-Submitted: auto-replied\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                + OUT_OF_OFFICE
        }
        Kind::Bounce => {
            head("MAILER-DAEMON@mx.bench.invalid", "Undelivered Mail Returned to Sender")
                + "Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"
                + &BOUNCE.replace("ADDRESS", address).replace("MESSAGE-ID", message_id)
        }
        Kind::Newsletter => {
            head("\"Weekly\" <news@strangers.invalid>", "What moved this week")
                + "List-Id: <weekly.strangers.invalid>\r\nList-Unsubscribe: <https://strangers.invalid/u>\r\nPrecedence: bulk\r\n"
                + &in_two_forms(NEWSLETTER, "everybody")
        }
    }
}

/// As mail programs write: plain text, and the same as HTML.
fn in_two_forms(text: &str, address: &str) -> String {
    let quoted = "> Hello Grace,\r\n>\r\n> you build engines, we look for people who do. Could we talk on Thursday?\r\n>\r\n> Ada Byron\r\n";
    let html = text.replace("\r\n", "<br>\r\n");
    format!(
        "Content-Type: multipart/alternative; boundary=\"alt\"\r\n\r\n--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         {text}\r\nOn Mon, 1 Mar 2027 at 10:00, Ada Byron <sender@bench.invalid> wrote:\r\n{quoted}\r\n--alt\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p {{ margin: 0 }}</style></head><body><div dir=\"ltr\">{html}</div>\
         <div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, 1 Mar 2027 at 10:00, Ada Byron wrote to {address}:<br></div>\
         <blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\">Hello Grace,<br>you build engines, we look for people who do.\
         <a href=\"https://bench.invalid/c/x\">Could we talk on Thursday?</a><br>Ada Byron</blockquote></div></body></html>\r\n--alt--\r\n"
    )
}

const REPLY: &str = "Thank you for writing. Thursday suits me, after ten in the morning.\r\n\r\nCould you send me the description \
    before, and say who else will be there?\r\n\r\nGrace Hopper\r\nHead of Engines\r\n+1 555 0100\r\n";
const OPT_OUT: &str = "Please take me off your list and do not write to me again.\r\n";
const OUT_OF_OFFICE: &str = "Thank you for your message. I am out of the office and will be back on 15 March 2031, with no access to \
    my mail until then. In urgent cases turn to my colleagues at desk@bench.invalid.\r\n";
const NEWSLETTER: &str =
    "Engines are the word of the week. Read on our pages what moved, who moved it and why it matters to you.\r\n";
const BOUNCE: &str = "--b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system at host mx.bench.invalid.\r\n\r\nI'm sorry to have to \
    inform you that your message could not\r\nbe delivered to one or more recipients.\r\n\r\n<ADDRESS>: host mx.bench.invalid said: 550 5.1.1 \
    <ADDRESS>:\r\n    Recipient address rejected: User unknown\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: \
    dns; mx.bench.invalid\r\n\r\nFinal-Recipient: rfc822; ADDRESS\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 \
    User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: sender@bench.invalid\r\nTo: ADDRESS\r\nSubject: A word about \
    your team\r\nMessage-ID: <MESSAGE-ID>\r\n\r\n--b--\r\n";
