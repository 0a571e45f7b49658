//! The settings, filled in as people do: right, wrong, twice.

use super::browser::Browser;
use crate::house::{House, on_both};
use crate::smtp_server::{Script, SmtpServer};
use cadenza::actions::{mailboxes, settings};
use cadenza_core::settings::{Per, Rate};

on_both! {
    a_mailbox_is_added_tried_mended_held_and_deleted
    every_setting_shows_its_default_and_a_wrong_one_stands_at_its_field
    somebody_is_added_signs_in_by_the_link_and_departs
    a_role_of_ones_own_is_made_and_deleted_when_nobody_has_it
    a_token_is_shown_once_and_good_until_it_is_ended
    somebody_says_when_they_are_away
}

const MAILBOX: [(&str, &str); 15] = [
    ("address", "Ada@Agency.example"),
    ("name", "Ada Byron"),
    ("owner", ""),
    ("signature", "Ada\r\nAgency"),
    ("smtp.host", "127.0.0.1"),
    ("smtp.port", "PORT"),
    ("smtp.security", "none"),
    ("smtp.auth", "none"),
    ("smtp.login", ""),
    ("smtp.secret", ""),
    ("day_cap", "5"),
    ("hour_cap", ""),
    ("gap_seconds", "60"),
    ("jitter_seconds", "30"),
    ("freshness_minutes", "10"),
];

fn with<'a>(form: &[(&'a str, &'a str)], changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name: &str| changed.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    form.iter().map(|(name, old)| (*name, value(name).unwrap_or(old))).collect()
}

async fn a_mailbox_is_added_tried_mended_held_and_deleted(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    admin.get("/settings/mailboxes").await.expect(200).says("Sandbox").says("no cap");

    // Wrong: each fault at its field, what was typed stays, the password does not.
    let wrong = with(
        &MAILBOX,
        &[("address", "nobody"), ("smtp.port", "99999"), ("day_cap", "many"), ("smtp.secret", "hunter2 is secret")],
    );
    let page = admin.post("/settings/mailboxes", &wrong).await.expect(422);
    let page = page.says("is no port").says("id=\"f-day-cap-fault\"");
    page.says("value=\"nobody\"").without("hunter2");
    let page = admin.post("/settings/mailboxes", &with(&MAILBOX, &[("smtp.port", "25"), ("address", "nobody")])).await;
    page.expect(422).says("id=\"f-address-fault\"");
    let unprotected =
        [("smtp.port", "25"), ("smtp.auth", "password"), ("smtp.login", "ada"), ("smtp.secret", "hunter2")];
    let page = admin.post("/settings/mailboxes", &with(&MAILBOX, &unprotected)).await.expect(422);
    page.says("A password goes over a protected connection only").without("hunter2");

    let private = with(&MAILBOX, &[("smtp.port", "25"), ("smtp.host", "192.168.7.7")]);
    let page = admin.post("/settings/mailboxes", &private).await.expect(422).says("id=\"f-smtp-host-fault\"");
    page.says("192.168.7.7 leads to 192.168.7.7, a private address").says("server.private_addresses");

    // Right, at a server that does not greet this sender.
    let grumpy = SmtpServer::start(
        Script::new().at(crate::smtp_server::Phase::Greeting, crate::smtp_server::say("554 5.7.1 no relaying for you")),
    )
    .await;
    let port = grumpy.port().to_string();
    let added = admin.post("/settings/mailboxes", &with(&MAILBOX, &[("smtp.port", &port)])).await.expect(303);
    let path = added.location.clone();
    let page = admin.get(&path).await.expect(200).says("ada@agency.example").says("0 of 5").says("Ada\nAgency");
    page.without("Release</button>");
    let twice = admin.post("/settings/mailboxes", &with(&MAILBOX, &[("smtp.port", &port)])).await.expect(422);
    twice.says("There is already a mailbox ada@agency.example");
    let tried = admin.post(&format!("{path}/test"), &[]).await.expect(200).says("The connection failed");
    let steps = tried.between("<div class=\"trial\"", "</div>");
    assert!(
        steps.contains("no relaying for you") && steps.find("class=\"passed\"") < steps.find("class=\"failed\""),
        "{steps}"
    );

    // Mended: another server.
    let server = SmtpServer::start(Script::new()).await;
    let port = server.port().to_string();
    admin.post(&path, &with(&MAILBOX, &[("smtp.port", &port), ("day_cap", "1000")])).await.expect(303);
    let tried = admin.post(&format!("{path}/test"), &[]).await.expect(200);
    tried.says("The connection works.").without("not reached").says("0 of 1,000");
    assert!(server.log().taken.is_empty(), "trying sends no mail");
    let address = ("127.0.0.1", server.port());
    drop(server);
    // Its end comes a moment later on a busy machine.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let tried = admin.post(&format!("{path}/test"), &[]).await.expect(200);
    let steps = tried.between("<div class=\"trial\"", "</div>");
    assert!(steps.contains("Find the server") && steps.contains("cannot be reached") && steps.contains("not reached"));

    // Read too: the password stays while the server does, and whoever is asked for nothing is not read.
    let mut form = with(&MAILBOX, &[("smtp.port", &port)]);
    let at = form.len();
    form.extend([
        ("imap.host", "localhost"),
        ("imap.port", "nine"),
        ("imap.security", "tls"),
        ("imap.auth", "password"),
        ("imap.login", "ada"),
        ("imap.secret", "hunter2"),
        ("folders", "INBOX\r\n Spam \r\n\r\nINBOX"),
        ("sent_folder", "Sent"),
    ]);
    let page = admin.post(&path, &form).await.expect(422).says("id=\"f-imap-port-fault\"");
    page.without("hunter2").says("Spam");
    (form[at + 1].1, form[at + 5].1) = ("9", "");
    admin.post(&path, &form).await.expect(422).says("id=\"f-imap-secret-fault\"");
    form[at + 5].1 = "hunter2";
    form.push(("plus_addresses", "on"));
    admin.post(&path, &form).await.expect(303);
    form[at + 5].1 = "";
    admin.post(&path, &form).await.expect(303);
    let page = admin.get(&path).await.expect(200).says("INBOX\nSpam").says("value=\"Sent\"").without("hunter2");
    page.says("value=\"on\" checked");
    form.pop();
    let tried = admin.post(&format!("{path}/test"), &[]).await.expect(200);
    let steps = tried.between("<div class=\"trial\"", "</div>");
    assert!(steps.contains("Inbox: connect") && steps.contains("localhost:9 cannot be reached"), "{steps}");
    form[at].1 = "";
    admin.post(&path, &form).await.expect(303);
    admin.get(&path).await.says("are not read here").without("value=\"on\" checked");
    form.push(("journaled", "on"));
    admin.post(&path, &form).await.expect(303);
    admin.get(&path).await.says("are posted here by a journal").says("value=\"on\" checked");
    form.pop();

    // By OAuth 2, which is asked for only there.
    let mut oauth = with(
        &MAILBOX,
        &[("smtp.port", "587"), ("smtp.security", "starttls"), ("smtp.auth", "xoauth2"), ("smtp.login", "ada")],
    );
    let at = oauth.len();
    oauth.extend([
        ("oauth.token_endpoint", "microsoft"),
        ("oauth.client_id", "the-app"),
        ("oauth.client_secret", "hunter2"),
        ("oauth.refresh_token", ""),
    ]);
    let page = admin.post(&path, &oauth).await.expect(422).says("id=\"f-oauth-refresh-token-fault\"");
    page.says("value=\"the-app\"").without("hunter2");
    oauth[at + 3].1 = "hunter3";
    admin.post(&path, &oauth).await.expect(303);
    (oauth[at + 2].1, oauth[at + 3].1) = ("", "");
    admin.post(&path, &oauth).await.expect(303);
    let page = admin.get(&path).await.expect(200).says("https://login.microsoftonline.com/common/oauth2/v2.0/token");
    page.says("One is stored.").without("hunter2").without("hunter3");
    admin.post(&path, &form).await.expect(303);
    admin.get(&path).await.without("login.microsoftonline.com");

    // Held and released, and deleted since nothing was sent from it.
    admin.post(&format!("{path}/hold"), &[("why", "new provider")]).await.expect(303);
    admin.get(&path).await.says("Nothing goes out: new provider").says("Release</button>");
    admin.get("/settings/mailboxes").await.says("new provider");
    admin.post(&format!("{path}/release"), &[]).await.expect(303);
    admin.get(&path).await.without("new provider");
    admin.post(&format!("{path}/delete"), &[]).await.expect(303);
    admin.get(&path).await.expect(404);
    let left = mailboxes::all(&house.app, &house.caller).await.unwrap();
    assert_eq!(left.len(), 1);
    let audit = "SELECT count(*) FROM audit WHERE action LIKE 'mailbox.%'";
    assert_eq!(house.int(audit, &[]).await, 12, "create, eight times update, hold, release, delete");
}

/// The form of the workspace's settings as its page shows it, changed in places.
async fn settings_form(admin: &Browser<'_>) -> Vec<(String, String)> {
    let page = admin.get("/settings/workspace").await.expect(200);
    let form = page.between("action=\"/settings/workspace\"", "</form>");
    let attribute = |tag: &str, name: &str| {
        tag.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
    };
    let mut fields = Vec::new();
    for tag in form.split('<').filter(|t| t.starts_with("input")) {
        let checked = !tag.contains("type=\"checkbox\"") || tag.contains(" checked");
        if checked {
            fields.push((attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap_or_default()));
        }
    }
    for select in form.split("<select").skip(1) {
        let name = attribute(select, "name").unwrap();
        let chosen = select.split("<option").find(|o| o.split('>').next().unwrap().contains(" selected"));
        fields.push((name, attribute(chosen.unwrap(), "value").unwrap()));
    }
    for area in form.split("<textarea").skip(1) {
        let text = area.split_once('>').unwrap().1.split("</textarea").next().unwrap();
        fields.push((attribute(area, "name").unwrap(), text.to_owned()));
    }
    fields
}

fn set(form: &mut Vec<(String, String)>, name: &str, value: &str) {
    match form.iter_mut().find(|(n, _)| n == name) {
        Some((_, old)) => *old = value.to_owned(),
        None => form.push((name.to_owned(), value.to_owned())),
    }
}

fn borrowed(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

async fn every_setting_shows_its_default_and_a_wrong_one_stands_at_its_field(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let page = admin.get("/settings/workspace").await.expect(200);
    for said in ["Mon–Fri", "7 days", "24 hours", "0.1 %", "5 %", "hold until resumed", "21:00", "100000 contacts"] {
        assert!(page.text.contains(said), "{said}");
    }
    // Sent as it stands, nothing changes.
    let before = settings::workspace(&house.app, &house.caller).await.unwrap().settings;
    let form = settings_form(&admin).await;
    admin.post("/settings/workspace", &borrowed(&form)).await.expect(303);
    assert_eq!(settings::workspace(&house.app, &house.caller).await.unwrap().settings, before);

    let mut wrong = form.clone();
    for (name, value) in [("zone", "Europe/Berln"), ("stop", "08:00"), ("complaints", "much"), ("workspace_cap", "-3")]
    {
        set(&mut wrong, name, value);
    }
    let page = admin.post("/settings/workspace", &borrowed(&wrong)).await.expect(422);
    let page = page.says("Europe/Berlin").says("id=\"f-stop-fault\"").says("id=\"f-complaints-fault\"");
    page.says("id=\"f-workspace-cap-fault\"").says("value=\"Europe/Berln\"");
    assert_eq!(
        settings::workspace(&house.app, &house.caller).await.unwrap().settings,
        before,
        "nothing of it is saved"
    );

    let mut right = form;
    for (name, value) in [
        ("zone", "europe/berlin"),
        ("workspace_cap", "300"),
        ("workspace_cap_per", "hour"),
        ("holidays", "12-25 Christmas\r\n2027-03-26"),
        ("at_a_time", "one"),
    ] {
        set(&mut right, name, value);
    }
    right.retain(|(name, _)| name != "track_opens");
    admin.post("/settings/workspace", &borrowed(&right)).await.expect(303);
    let saved = settings::workspace(&house.app, &house.caller).await.unwrap().settings;
    assert_eq!(saved.workspace_cap, Some(Rate { count: 300, per: Per::Hour }));
    assert_eq!((saved.sequence.zone.name(), saved.sequence.track_opens), ("Europe/Berlin", false));
    assert_eq!(saved.sequence.holidays.len(), 2);

    // Name and addresses are a form of their own.
    let bad = [("name", " "), ("postal_address", "Street 2"), ("public_url", "javascript:alert(1)")];
    let page = admin.post("/settings/workspace/identity", &bad).await.expect(422);
    page.says("id=\"f-name-fault\"").says("id=\"f-public-url-fault\"");
    let good =
        [("name", "Northwind & Sons"), ("postal_address", "Street 2\r\nTown"), ("public_url", "go.example.com/")];
    admin.post("/settings/workspace/identity", &good).await.expect(303);
    let w = settings::workspace(&house.app, &house.caller).await.unwrap();
    assert_eq!((w.postal_address.as_str(), w.public_url.as_str()), ("Street 2\nTown", "https://go.example.com"));
    admin.get("/settings").await.says("Northwind &#38; Sons");
}

async fn somebody_is_added_signs_in_by_the_link_and_departs(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let bad = [("name", ""), ("address", "no address"), ("role", "Member")];
    admin.post("/settings/users", &bad).await.expect(422).says("id=\"f-name-fault\"").says("id=\"f-address-fault\"");
    let new = [("name", "Mary Shelley"), ("address", "Mary@Northwind.example"), ("role", "Viewer")];
    let page = admin.post("/settings/users", &new).await.expect(200).says("A link for Mary Shelley");
    let url = page.between("<code id=\"made\" class=\"grow\">", "</code>");
    admin.get("/settings/users").await.says("Invited").without("token=");
    admin.post("/settings/users", &new).await.expect(422).says("Somebody signs in as mary@northwind.example already");

    let token = url.rsplit("token=").next().unwrap();
    let mary = Browser::stranger(house);
    mary.post("/sign-in/link", &[("token", token), ("password", "a long and good one")]).await.expect(303);
    mary.get("/settings").await.expect(200).says("Mary Shelley").without("/settings/users");
    let again =
        Browser::stranger(house).post("/sign-in/link", &[("token", token), ("password", "another long one")]).await;
    again.expect(401);

    let w = house.w;
    let id = house.read(move |q| cadenza_store::users::signs_in_as(q, "mary@northwind.example")).await.unwrap().1;
    admin.post(&format!("/settings/users/{id}/role"), &[("role", "Manager")]).await.expect(303);
    mary.get("/settings").await.expect(200).says("/settings/mailboxes");
    admin.post(&format!("/settings/users/{id}/role"), &[("role", "Emperor")]).await.expect(422);

    admin.post(&format!("/settings/users/{id}/depart"), &[]).await.expect(303);
    mary.get("/settings").await.expect(303);
    admin.get("/settings/users").await.says("Departed").says("Take back");
    admin.post(&format!("/settings/users/{id}/link"), &[]).await.expect(409).says("no longer works here");
    admin.post(&format!("/settings/users/{id}/take-back"), &[]).await.expect(303);
    let page = admin.post(&format!("/settings/users/{id}/link"), &[]).await.expect(200);
    let url = page.between("<code id=\"made\" class=\"grow\">", "</code>");
    let token = url.rsplit("token=").next().unwrap();
    mary.post("/sign-in/link", &[("token", token), ("password", "yet another good one")]).await.expect(303);

    // The last administrator stays one.
    let all = house.read(move |q| cadenza_store::users::all(q, w)).await;
    let ada = all.iter().find(|u| u.name == "Ada Byron").unwrap().id;
    admin.post(&format!("/settings/users/{ada}/depart"), &[]).await.expect(303);
    let me = all.iter().find(|u| u.name == "Somebody Admin").unwrap().id;
    admin
        .post(&format!("/settings/users/{me}/role"), &[("role", "Viewer")])
        .await
        .expect(409)
        .says("last administrator");
}

async fn a_role_of_ones_own_is_made_and_deleted_when_nobody_has_it(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    admin.post("/settings/roles", &[("name", " "), ("privilege", "tasks.mine")]).await.expect(422).says("role-fault");
    admin.post("/settings/roles", &[("name", "Intern"), ("privilege", "tasks.mine")]).await.expect(303);
    let intern = Browser::of(house, "Intern").await;
    intern.get("/tasks").await.expect(200);
    intern.get("/overview").await.expect(403);
    admin.get("/settings/roles").await.says("Save Intern").says("1 user");
    admin.post("/settings/roles/delete", &[("name", "Intern")]).await.expect(409);
    admin.post("/settings/roles/delete", &[("name", "Member")]).await.expect(409).says("comes with Cadenza");
    admin.post("/settings/roles", &[("name", "Admin"), ("privilege", "tasks.mine")]).await.expect(409);
    let both = [("name", "Intern"), ("privilege", "tasks.mine"), ("privilege", "sequences.view")];
    admin.post("/settings/roles", &both).await.expect(303);
    intern.get("/overview").await.expect(200);
}

async fn a_token_is_shown_once_and_good_until_it_is_ended(house: &House) {
    let member = Browser::of(house, "Member").await;
    member.get("/settings/tokens").await.expect(200).says("No tokens yet").without("settings.manage");
    let none = [("name", "import"), ("days", "90")];
    member.post("/settings/tokens", &none).await.expect(422).says("at least one privilege").says("value=\"import\"");
    let too_much = [("name", "import"), ("days", ""), ("scope", "settings.manage")];
    member.post("/settings/tokens", &too_much).await.expect(403);
    let good = [("name", "import"), ("days", "30"), ("scope", "sequences.view"), ("scope", "contacts.edit")];
    let page = member.post("/settings/tokens", &good).await.expect(200).says("kept nowhere and not shown again");
    let secret = page.between("<code id=\"made\" class=\"grow\">", "</code>");
    assert!(secret.starts_with("cdz_"));
    let bearer = format!("Bearer {secret}");
    let ask = async || house.request("GET", "/api/v1/me", &[("authorization", &bearer)], "").await.status().as_u16();
    assert_eq!(ask().await, 200);
    let list = member.get("/settings/tokens").await.without(&secret).says("contacts.edit").says("Good");
    let id = list.between("action=\"/settings/tokens/", "/end");
    // Somebody else's is not there for another member; an administrator sees and ends it.
    Browser::of(house, "Member").await.post(&format!("/settings/tokens/{id}/end"), &[]).await.expect(404);
    let admin = Browser::of(house, "Admin").await;
    admin.get("/settings/tokens").await.without(&id);
    admin.get("/settings/tokens?whose=all").await.says(&id).says("Somebody Member");
    admin.post(&format!("/settings/tokens/{id}/end"), &[]).await.expect(303);
    assert_eq!(ask().await, 401);
    member.get("/settings/tokens").await.says("Ended");
}

async fn somebody_says_when_they_are_away(house: &House) {
    let path = "/settings/absences";
    let member = Browser::of(house, "Member").await;
    member.get(path).await.expect(200).says("Nobody is away").without("name=\"user\"");
    let page = member.post(path, &[("from", "2027-03-05T09:00"), ("until", "2027-03-04T09:00")]).await.expect(422);
    page.says("after its begin").says("value=\"2027-03-04T09:00\"");
    let handed = [("from", "2027-03-05T09:00"), ("rules.call", "delegate"), ("to", "")];
    member.post(path, &handed).await.expect(422).says("Say whose work it is");
    let ada = house.caller.user.to_string();
    let handed =
        [("from", "2027-03-05T09:00"), ("rules.call", "delegate"), ("rules.email_auto", "go_on"), ("to", ada.as_str())];
    member.post(path, &handed).await.expect(303);
    member.get(path).await.says("Planned").says("to Ada Byron").says("goes on").says("the rest waits");
    member.post(path, &[("from", "2027-03-07T09:00")]).await.expect(422).says("away then already");
    let w = house.w;
    let all = house.read(move |q| cadenza_store::absences::from_now(q, w, cadenza_core::time::Time::MIN)).await;
    assert_eq!(all.len(), 1);
    let one = format!("{path}/{}", all[0].id);
    member.post(&format!("{one}/until"), &[("until", "2027-03-06T09:00")]).await.expect(303);
    // Who manages the settings sees everybody's, and says them for everybody.
    let admin = Browser::of(house, "Admin").await;
    admin.get(path).await.says("Somebody Member").says("name=\"user\"").says("2027-03-06T09:00");
    let whose = all[0].user.to_string();
    admin.post(path, &[("user", whose.as_str()), ("from", "2027-04-01T09:00")]).await.expect(303);
    let other = Browser::of(house, "Member").await;
    other.get(path).await.without("Somebody Member</td>");
    other.post(&format!("{one}/end"), &[]).await.expect(404);
    member.post(&format!("{one}/end"), &[]).await.expect(303);
    assert_eq!(house.int("SELECT count(*) FROM absence", &[]).await, 1, "it had not begun");
}
