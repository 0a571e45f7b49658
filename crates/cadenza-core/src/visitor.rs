//! Who opened a mail or followed a link: a person, a machine that tries every mail, or nobody can tell (SND-3). Told by what
//! the request says of itself, by when it came, and by what came with it; no lists of networks are kept. A machine's visit
//! decides nothing and changes nothing about the contact, and neither does one that nobody can tell.
//!
//! Image proxies of webmail count as the person, since they fetch when the person opens the mail; those that fetch ahead of
//! the person (privacy proxies, which name no program) count as unknown.

use crate::time::{Span, Time};

/// Nobody reads a mail sooner than this after the server took it.
pub const TOO_SOON: Span = Span::seconds(3);
/// So many different links within so long are followed by no person.
const BURSTS: [(usize, Span); 2] = [(2, Span::seconds(1)), (3, Span::seconds(2))];
/// How long the verdict on a machine holds for the same program at the same address.
const SAME_VISITOR: Span = Span::seconds(10);

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The pixel.
    Open,
    /// A link, by where it leads.
    Link(&'a str),
    /// The unsubscribe page; no person reads it for pleasure, but scanners follow its link like any other.
    UnsubscribePage,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit<'a> {
    pub asked: Asked<'a>,
    pub at: Time,
    /// The peer's network address; empty where it is not known.
    pub address: &'a str,
    pub user_agent: &'a str,
    /// Asked for the head of the answer alone.
    pub head: bool,
    /// The program said that it only fetches ahead (`Purpose: prefetch`, `Sec-Purpose`, `X-Moz: prefetch`).
    pub prefetch: bool,
}

/// An earlier visit of the same message, with the verdict on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before<'a> {
    pub asked: Asked<'a>,
    pub at: Time,
    pub address: &'a str,
    pub user_agent: &'a str,
    pub who: Who,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Person,
    Machine,
    Unknown,
}

/// A verdict with the rule that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub who: Who,
    pub why: &'static str,
    /// Places among the earlier visits that were made by a machine too, as this one shows.
    pub machines_before: Vec<usize>,
}

/// Programs that look at every link: mail scanners, previews, crawlers, libraries. In lower case.
#[rustfmt::skip]
const MACHINES: &[&str] = &[
    "barracuda", "proofpoint", "mimecast", "safelinks", "symantec", "messagelabs", "fireeye", "trendmicro", "trend micro", "sophos",
    "cloudmark", "forcepoint", "websense", "ironport", "urlscan", "virustotal", "zscaler", "bitdefender", "kaspersky", "mailguard",
    "existence discovery", "skypeuripreview", "bingpreview", "facebookexternalhit", "whatsapp", "slackbot", "linkpreview", "preview",
    "bot/", "bot;", "bot)", "bot-", "robot", "crawler", "spider", "scanner", "headless", "phantomjs", "curl/", "wget/", "python", "go-http-client", "java/", "okhttp",
    "libwww", "httpclient", "node-fetch", "axios", "aiohttp", "ruby", "php/", "scrapy", "guzzle", "postman", "powershell",
];
/// Proxies of webmail through which a person's browser loads pictures. In lower case.
const IMAGE_PROXIES: &[&str] =
    &["googleimageproxy", "yahoomailproxy", "yahoo mail proxy", "imageproxy", "yandeximageresizer"];
/// Mail programs that do not call themselves a browser. In lower case.
const MAIL_PROGRAMS: &[&str] =
    &["outlook", "thunderbird", "airmail", "spark", "em client", "lotus-notes", "mail/", "gmail"];

/// Judges one visit of a message that went out at `marked`; the server took it at `accepted`, as far as known. `before` are
/// the visits of the same message that came earlier.
pub fn judge(visit: &Visit<'_>, marked: Time, accepted: Option<Time>, before: &[Before<'_>]) -> Judged {
    let alone = |who, why| Judged { who, why, machines_before: Vec::new() };
    if visit.head {
        return alone(Who::Machine, "head_request");
    }
    if visit.prefetch {
        return alone(Who::Machine, "prefetch");
    }
    let agent = visit.user_agent.trim().to_lowercase();
    if agent.is_empty() {
        return alone(Who::Machine, "no_user_agent");
    }
    let proxy = IMAGE_PROXIES.iter().any(|p| agent.contains(p));
    if !proxy && MACHINES.iter().any(|m| agent.contains(m)) {
        return alone(Who::Machine, "known_machine");
    }
    if let Some(machines_before) = burst(visit, before) {
        return Judged { who: Who::Machine, why: "burst", machines_before };
    }
    let taken = accepted.unwrap_or(Time::MAX).max(marked);
    if visit.at < taken + TOO_SOON {
        return alone(Who::Machine, "too_soon");
    }
    let same =
        |b: &&Before<'_>| b.address == visit.address && b.user_agent == visit.user_agent && !visit.address.is_empty();
    if before.iter().filter(same).any(|b| b.who == Who::Machine && visit.at - b.at <= SAME_VISITOR) {
        return alone(Who::Machine, "same_machine");
    }
    match (visit.asked, proxy) {
        (Asked::Open, true) => alone(Who::Person, "image_proxy"),
        (_, true) => alone(Who::Machine, "image_proxy"),
        // All that Apple's privacy proxy says, which loads every picture when the mail arrives.
        _ if agent == "mozilla/5.0" => alone(Who::Unknown, "privacy_proxy"),
        _ if agent.starts_with("mozilla/") || agent.starts_with("opera/") => alone(Who::Person, "browser"),
        _ if MAIL_PROGRAMS.iter().any(|m| agent.contains(m)) => alone(Who::Person, "mail_program"),
        _ => alone(Who::Unknown, "unknown_program"),
    }
}

/// Whether too many different links of the message were followed at once; then which of the earlier visits belong to it.
fn burst(visit: &Visit<'_>, before: &[Before<'_>]) -> Option<Vec<usize>> {
    if visit.asked == Asked::Open {
        // A picture that is loaded while the links are followed belongs to it: at once, or it would be judged by itself.
        let links = |span| different(before.iter().filter(|b| within(b, visit.at, span)).map(|b| b.asked));
        return BURSTS.iter().any(|(count, span)| links(*span) >= *count).then(Vec::new);
    }
    let found = BURSTS.iter().find(|(count, span)| {
        let near = before.iter().filter(|b| within(b, visit.at, *span)).map(|b| b.asked);
        different(near.chain([visit.asked])) >= *count
    })?;
    let members = before.iter().enumerate().filter(|(_, b)| within(b, visit.at, found.1) && b.who != Who::Machine);
    Some(members.map(|(place, _)| place).collect())
}

fn within(b: &Before<'_>, at: Time, span: Span) -> bool {
    (at - b.at).micros().abs() <= span.micros()
}

/// How many different links there are among these, pictures aside.
fn different<'a>(asked: impl Iterator<Item = Asked<'a>>) -> usize {
    let mut seen: Vec<Asked<'a>> = Vec::new();
    for one in asked.filter(|a| *a != Asked::Open) {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

    fn at(millis: i64) -> Time {
        Time::from_micros(millis * 1_000)
    }
    fn click(millis: i64, link: &'static str) -> Visit<'static> {
        Visit {
            asked: Asked::Link(link),
            at: at(millis),
            address: "192.0.2.7",
            user_agent: BROWSER,
            head: false,
            prefetch: false,
        }
    }
    fn before(visit: Visit<'static>, who: Who) -> Before<'static> {
        Before { asked: visit.asked, at: visit.at, address: visit.address, user_agent: visit.user_agent, who }
    }
    /// Sent and taken at the beginning of time.
    fn verdict(visit: &Visit<'_>, earlier: &[Before<'_>]) -> (Who, &'static str) {
        let judged = judge(visit, at(0), Some(at(0)), earlier);
        (judged.who, judged.why)
    }

    #[test]
    fn what_the_request_says_of_itself() {
        let later = click(60_000, "a");
        let open = Visit { asked: Asked::Open, ..later };
        let by = |visit: Visit<'static>, user_agent| verdict(&Visit { user_agent, ..visit }, &[]);
        assert_eq!(verdict(&later, &[]), (Who::Person, "browser"));
        assert_eq!(verdict(&Visit { head: true, ..later }, &[]), (Who::Machine, "head_request"));
        assert_eq!(verdict(&Visit { prefetch: true, ..open }, &[]), (Who::Machine, "prefetch"));
        assert_eq!(by(later, " "), (Who::Machine, "no_user_agent"));
        assert_eq!(by(later, "Mozilla/5.0 (compatible; Barracuda Sentinel)"), (Who::Machine, "known_machine"));
        assert_eq!(by(later, "python-requests/2.32"), (Who::Machine, "known_machine"));
        let google = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        assert_eq!(by(open, google), (Who::Person, "image_proxy"));
        assert_eq!(by(later, google), (Who::Machine, "image_proxy"));
        assert_eq!(by(open, "Mozilla/5.0"), (Who::Unknown, "privacy_proxy"));
        assert_eq!(by(open, "Outlook-iOS/729.2.0"), (Who::Person, "mail_program"));
        assert_eq!(by(open, "Something/1.0"), (Who::Unknown, "unknown_program"));
    }

    #[test]
    fn nobody_reads_before_the_mail_is_there() {
        assert_eq!(verdict(&click(2_900, "a"), &[]), (Who::Machine, "too_soon"));
        assert_eq!(verdict(&click(3_000, "a"), &[]), (Who::Person, "browser"));
        let judged = judge(&click(60_000, "a"), at(0), None, &[]);
        assert_eq!(judged.why, "too_soon", "the server has not even answered");
        let judged = judge(&click(60_000, "a"), at(0), Some(at(59_000)), &[]);
        assert_eq!(judged.why, "too_soon", "it answered late");
    }

    #[test]
    fn many_links_at_once_are_a_burst_and_take_the_first_ones_with_them() {
        let first = click(60_000, "a");
        let open = before(Visit { asked: Asked::Open, ..first }, Who::Person);
        let earlier = [open, before(first, Who::Person)];
        let judged = judge(&click(60_900, "b"), at(0), Some(at(0)), &earlier);
        assert_eq!((judged.who, judged.why, judged.machines_before), (Who::Machine, "burst", vec![0, 1]));
        assert_eq!(verdict(&click(60_500, "a"), &earlier), (Who::Person, "browser"), "a double click");
        assert_eq!(verdict(&click(61_500, "b"), &earlier), (Who::Person, "browser"), "one link after the other");
        let third = [earlier[1], before(click(61_200, "b"), Who::Person)];
        assert_eq!(verdict(&click(61_900, "c"), &third), (Who::Machine, "burst"));
        let page = Visit { asked: Asked::UnsubscribePage, ..click(60_300, "") };
        assert_eq!(verdict(&page, &earlier), (Who::Machine, "burst"), "scanners follow that link too");
        let both = [before(first, Who::Machine), before(click(60_200, "b"), Who::Machine)];
        let picture = Visit { asked: Asked::Open, user_agent: "Mozilla/4.0 (x)", ..click(60_400, "") };
        assert_eq!(verdict(&picture, &both), (Who::Machine, "burst"));
    }

    #[test]
    fn a_machine_stays_one_for_a_while() {
        let earlier = [before(click(60_000, "a"), Who::Machine)];
        assert_eq!(verdict(&click(65_000, "b"), &earlier), (Who::Machine, "same_machine"));
        assert_eq!(verdict(&click(71_000, "b"), &earlier), (Who::Person, "browser"));
        assert_eq!(verdict(&Visit { address: "192.0.2.8", ..click(65_000, "b") }, &earlier), (Who::Person, "browser"));
    }
}
