//! What waited is looked at again at once after a page mended what it waited for: within a beat, not at the next look around.

use super::browser::Browser;
use crate::house::{House, on_both};
use crate::smtp_server::{Script, SmtpServer};
use cadenza::actions::mailboxes::{self, MailboxChange};
use cadenza::actions::settings;
use cadenza_core::enrollment::BlockReason;
use cadenza_core::ids::{EnrollmentId, MailboxId};
use cadenza_core::settings::{Per, Rate};
use cadenza_store::door;
use cadenza_store::mailboxes::{Auth, Caps, Security};

on_both! {
    who_is_blocked_by_a_held_mailbox_goes_on_when_it_is_released
    who_waits_behind_a_cap_goes_on_when_the_settings_raise_it
    who_waits_behind_a_mailboxs_cap_goes_on_when_it_is_raised
    what_a_restored_database_held_goes_out_when_it_is_released
}

const ONE_MAIL: &str =
    "[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\nsubject = \"Hello\"\ntext = \"A letter.\"\n";

async fn enroll(house: &House, names: &[&str]) -> Vec<EnrollmentId> {
    let sequence = house.sequence("One mail", "", ONE_MAIL).await;
    let mut ids = Vec::new();
    for name in names {
        let contact = house.contact(&[&format!("{name}@people.example")], |c| c.first_name = (*name).into()).await;
        ids.push(house.enroll(sequence, contact).await);
    }
    ids
}

async fn who_is_blocked_by_a_held_mailbox_goes_on_when_it_is_released(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let mailbox = mailboxes::all(&house.app, &house.caller).await.unwrap()[0].id;
    let path = format!("/settings/mailboxes/{mailbox}");
    admin.post(&format!("{path}/hold"), &[("why", "the provider is down")]).await.expect(303);
    let ids = enroll(house, &["ann", "ben"]).await;
    let w = house.w;
    for id in ids {
        house
            .wait_for("the block", move |q| {
                Ok(door::enrollment(q, w, id)?.filter(|e| e.block == Some(BlockReason::Mailbox)))
            })
            .await;
    }
    // The clock stands still: nothing but the release can set them going.
    admin.post(&format!("{path}/release"), &[]).await.expect(303);
    house.mails("ann@people.example", 1).await;
    house.mails("ben@people.example", 1).await;
}

async fn who_waits_behind_a_cap_goes_on_when_the_settings_raise_it(house: &House) {
    let cap = async |count| {
        let mut new = settings::workspace(&house.app, &house.caller).await.unwrap().settings;
        new.workspace_cap = count;
        settings::save(&house.app, &house.caller, new).await.unwrap();
    };
    cap(Some(Rate { count: 1, per: Per::Day })).await;
    enroll(house, &["ann", "ben", "cid"]).await;
    parked(house, 2).await;
    cap(Some(Rate { count: 2, per: Per::Day })).await;
    parked(house, 1).await;
    cap(None).await;
    parked(house, 0).await;
    for name in ["ann", "ben", "cid"] {
        house.mails(&format!("{name}@people.example"), 1).await;
    }
}

/// Waits until so many stand in a line and the others' mails are gone.
async fn parked(house: &House, wanted: i64) {
    let sent = 3 - wanted;
    house
        .wait_for(&format!("{wanted} in line"), move |q| {
            let line = q.query_one("SELECT count(*) FROM enrollment WHERE parked IS NOT NULL", &[])?.int(0)?;
            let gone = q.query_one("SELECT count(*) FROM send WHERE state = 'sent'", &[])?.int(0)?;
            Ok(((line, gone) == (wanted, sent)).then_some(()))
        })
        .await;
}

async fn who_waits_behind_a_mailboxs_cap_goes_on_when_it_is_raised(house: &House) {
    let server = SmtpServer::start(Script::new()).await;
    let sandbox = mailboxes::all(&house.app, &house.caller).await.unwrap()[0].id;
    let real =
        add(house, server.port(), Caps { day: Some(1), hour: None, gap_seconds: None, jitter_seconds: None }).await;
    mailboxes::delete(&house.app, &house.caller, sandbox).await.unwrap();
    enroll(house, &["ann", "ben", "cid"]).await;
    parked(house, 2).await;
    let admin = Browser::of(house, "Admin").await;
    admin.get(&format!("/settings/mailboxes/{real}")).await.says("1 of 1");
    let port = server.port().to_string();
    let form = [
        ("address", "ada@agency.example"),
        ("smtp.host", "127.0.0.1"),
        ("smtp.port", &port),
        ("smtp.security", "none"),
        ("smtp.auth", "none"),
        ("day_cap", "3"),
    ];
    admin.post(&format!("/settings/mailboxes/{real}"), &form).await.expect(303);
    parked(house, 0).await;
    assert_eq!(server.log().taken.len(), 3);
    admin.get(&format!("/settings/mailboxes/{real}")).await.says("3 of 3");
    let used = admin.post(&format!("/settings/mailboxes/{real}/delete"), &[]).await.expect(409);
    used.says("has sent mail");
}

async fn add(house: &House, port: u16, caps: Caps) -> MailboxId {
    use cadenza::actions::fields::Patch;
    let smtp = mailboxes::ServerInput {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        auth: Auth::None,
        login: None,
        secret: None,
    };
    let cap = |n: Option<u32>| n.map_or(Patch::Clear, Patch::Set);
    let new = MailboxChange {
        address: Patch::Set("ada@agency.example".into()),
        smtp: Some(smtp),
        day_cap: cap(caps.day),
        hour_cap: cap(caps.hour),
        gap_seconds: cap(caps.gap_seconds),
        jitter_seconds: cap(caps.jitter_seconds),
        ..MailboxChange::default()
    };
    mailboxes::create(&house.app, &house.caller, new).await.unwrap().id
}

async fn what_a_restored_database_held_goes_out_when_it_is_released(house: &House) {
    house.write(cadenza_store::workspaces::hold_all).await;
    enroll(house, &["ann"]).await;
    let admin = Browser::of(house, "Admin").await;
    admin.get("/settings/workspace").await.says("All sending is held");
    let due = "SELECT count(*) FROM enrollment WHERE wake_at IS NULL AND due_at IS NOT NULL";
    house.wait_for("the hold", move |q| Ok((q.query_one(due, &[])?.int(0)? == 1).then_some(()))).await;
    assert_eq!(house.int("SELECT count(*) FROM send", &[]).await, 0);
    admin.post("/settings/workspace/release", &[]).await.expect(303);
    house.mails("ann@people.example", 1).await;
    admin.get("/settings/workspace").await.without("All sending is held");
}
