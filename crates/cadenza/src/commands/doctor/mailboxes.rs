//! Whether each mailbox can send and be read: its hold, its secret, and a visit to its server that ends before any mail. What
//! the name servers say of its domain is not looked at, and that is said.

use super::Findings;
use super::inside::heard;
use crate::actions::mailboxes::{self, Progress, Trial};
use crate::actions::{Caller, Privileges, Via};
use crate::app::App;
use crate::engine::{account, tokens};
use crate::reach::{self, Reach};
use cadenza_core::time::Span;
use cadenza_store::mailboxes::{self as stored, Auth, Mailbox, Security};
use cadenza_store::workspaces::Workspace;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub async fn look(findings: &mut Findings, app: &App, workspace: &Workspace, offline: bool) {
    let w = workspace.id;
    let Some(all) = heard(findings, "mailboxes", app.db.read_async(move |q| stored::all(q, w)).await) else {
        return;
    };
    let real: Vec<&Mailbox> = all.iter().filter(|m| !m.sandbox).collect();
    if real.is_empty() {
        let part = format!("workspace {:?}", workspace.name);
        return findings.warning(&part, "sandbox mode: it has no mail account, and its mail stays in the sandbox");
    }
    if app.config.server.private_addresses == Reach::default() {
        findings.ok("reach", "mail servers are looked for in the public Internet only");
    } else {
        let also = &app.config.server.private_addresses;
        findings.ok("reach", format!("{}: mail servers may also be at these addresses: {also}", reach::SETTING));
    }
    // One after another would wait for every silent server in turn.
    let visits = join_all(real.iter().map(|m| visit(app, workspace, m, offline))).await;
    for found in visits {
        findings.take(found);
    }
    let domains: BTreeSet<&str> = real.iter().filter_map(|m| Some(m.address.rsplit_once('@')?.1)).collect();
    for domain in domains {
        let why = "not looked at: that is for the name servers to say. Ask them with";
        findings.warning(
            "authentication",
            format!(
                "SPF, DKIM and DMARC of {domain} were {why} `dig TXT {domain}`, `dig TXT SELECTOR._domainkey.{domain}` and \
                 `dig TXT _dmarc.{domain}`, or send a mail to a mailbox that shows Authentication-Results"
            ),
        );
    }
}

async fn visit(app: &App, workspace: &Workspace, m: &Mailbox, offline: bool) -> Findings {
    let mut findings = Findings::default();
    let part = format!("mailbox {}", m.address);
    if let Some((why, since)) = &m.held {
        let way = "mend that, then release it in Settings";
        findings.warning(&part, format!("it is held since {since} and sends nothing: {why}; {way}"));
    }
    inbox(&mut findings, app, &part, m);
    sender(&mut findings, &part, m);
    let Some(server) = &m.smtp else {
        findings.error(&part, "it has no server to send by");
        return findings;
    };
    let at = format!("{}:{}", server.host, server.port);
    if offline {
        for server in m.smtp.iter().chain(&m.imap) {
            if let Err(forbidden) = app.config.server.private_addresses.judge_host(&server.host) {
                findings.error(&part, forbidden.to_string());
            }
        }
        if m.smtp.iter().chain(&m.imap).any(|s| s.auth == Auth::Xoauth2)
            && let Err(why) = tokens::check(app, (workspace.id, m.id)).await
        {
            findings.error(&part, why.to_string());
        }
        match account(app, workspace.id, m, server) {
            Ok(_) => findings.ok(&part, format!("its secret opens; {at} was not visited (--offline)")),
            Err(why) => findings.error(&part, why),
        }
        return findings;
    }
    match mailboxes::test(app, &administrator(workspace, m), m.id).await {
        Ok(trial) => tried(&mut findings, &part, &at, &trial),
        Err(e) => findings.error(&part, e.to_string()),
    }
    let near = server.host.parse::<IpAddr>().map_or(server.host == "localhost", |ip| ip.is_loopback());
    if server.security == Security::None && !near {
        findings.warning(&part, "its mail passes the network in the clear: use STARTTLS or TLS");
    }
    findings
}

/// Whoever sits at the machine may look at everything.
fn administrator(workspace: &Workspace, m: &Mailbox) -> Caller {
    Caller {
        workspace: workspace.id,
        user: m.owner,
        name: "doctor".into(),
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    }
}

fn tried(findings: &mut Findings, part: &str, at: &str, trial: &Trial) {
    let mut passed = Vec::new();
    for (step, progress) in &trial.steps {
        let step = step.to_lowercase();
        match progress {
            Progress::Passed(found) if found.is_empty() => passed.push(step),
            Progress::Passed(found) => passed.push(format!("{step} ({})", found.lines().next().unwrap_or_default())),
            Progress::Failed { why, advice } => {
                return findings.error(part, format!("{at}: failed to {step}: {why}. {advice}"));
            }
            Progress::NotReached => {}
        }
    }
    findings.ok(part, format!("{at}: {}", passed.join(", ")));
}

/// Whether replies can stop its sequences (REC-8).
fn inbox(findings: &mut Findings, app: &App, part: &str, m: &Mailbox) {
    if !m.readable {
        findings.warning(part, "its inbox cannot be read: replies stop no sequence (REC-8)");
        return;
    }
    if m.journaled && m.imap.is_none() {
        findings.ok(part, "what arrives there is posted to /api/v1/inbound; whether it is, cannot be seen from here");
        return;
    }
    let now = app.clock.now();
    let failure = m.read_failure.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match m.read_at {
        Some(at) if now - at <= Span::minutes(i64::from(m.freshness_minutes)) => {
            findings.ok(part, format!("its inbox was read at {at}"));
        }
        Some(at) => findings.error(part, format!("its inbox was last read at {at}, and follow-ups wait{failure}")),
        None => findings.error(part, format!("its inbox was never read, and follow-ups wait{failure}")),
    }
}

/// The address that it writes from, as far as it can be judged without asking anybody.
fn sender(findings: &mut Findings, part: &str, m: &Mailbox) {
    let domain = m.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let reserved = ["invalid", "test", "example", "localhost", "local"];
    if !domain.contains('.') || reserved.iter().any(|tld| domain.ends_with(&format!(".{tld}"))) {
        findings.warning(part, format!("{domain} is no domain of the Internet: nobody can answer this sender"));
    }
    let login = m.smtp.as_ref().and_then(|s| s.login.as_deref()).and_then(|l| l.rsplit_once('@'));
    if let Some((_, other)) = login.filter(|(_, other)| !other.eq_ignore_ascii_case(domain)) {
        let why = "the server must allow it to write for the other domain, and DMARC wants them aligned";
        findings.warning(part, format!("it signs in at {other} and writes from {domain}: {why}"));
    }
}
