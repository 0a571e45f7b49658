//! Sequences made, written, copied, renamed and deleted on their pages; what saving would do to those who are in one is said first.

use super::browser::{Browser, Page};
use crate::house::{House, on_both};
use cadenza_core::enrollment::{Life, SequenceState};
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Span;

on_both! {
    an_example_becomes_a_draft_and_mistakes_stand_at_their_lines
    saving_what_people_are_in_says_first_what_happens_to_them
    a_sequence_is_renamed_copied_exported_archived_and_deleted
    who_may_not_save_is_offered_nothing_and_refused
    what_its_date_ended_is_reopened_by_a_later_one
    activating_for_somebody_else_asks_about_the_senders
    what_replies_cannot_stop_is_activated_when_that_is_ticked
}

const STEPS: &str = "name = \"Short\"\n\n[[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
     name = \"Intro\"\nsubject = \"Hello\"\ntext = \"A letter.\"\n\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n\
     name = \"Call\"\ndelay = \"2 days\"\n";

async fn check(browser: &Browser<'_>, path: &str, text: &str) -> Page {
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-swap", "checked"),
    ];
    let form = super::browser::encoded(&[("text", text), ("do", "check")]);
    browser.send("POST", path, &headers, form).await.expect(200)
}

async fn count(house: &House) -> i64 {
    house.int("SELECT count(*) FROM sequence", &[]).await
}

async fn an_example_becomes_a_draft_and_mistakes_stand_at_their_lines(house: &House) {
    let member = Browser::of(house, "Member").await;
    member.get("/sequences").await.expect(200).says("No sequences yet").says("/sequences/new");
    let page = member.get("/sequences/new").await.expect(200).says("Three letters").says("3 steps, nothing to remark");
    assert!(page.text.contains("<svg class=\"flow\""), "the flow is drawn");
    member
        .get("/sequences/new?example=letters-and-calls")
        .await
        .expect(200)
        .says("nothing to remark")
        .says("Call while it is fresh");
    member.get("/sequences/new?example=blank").await.expect(200).says("to mend before it can be saved");
    member.get("/sequences/new?example=none").await.expect(404);

    // Mistakes in reading, in what is named, and in the flow.
    let page = check(&member, "/sequences/new", &STEPS.replace("2 days", "soon")).await;
    page.says("data-marks=\"17e\"").says("Line 17").without("<html").without("<svg class=\"flow\"");
    let page =
        check(&member, "/sequences/new", &STEPS.replace("name = \"Short\"", "name = \"Short\"\nlist = \"Nobody\""))
            .await;
    page.says("data-marks=\"2e\"").says("There is no list").says("<svg class=\"flow\"");
    let page = check(&member, "/sequences/new", &STEPS.replace("A letter.", "Dear {{ contact.frist_name }}")).await;
    page.says("data-marks=\"7e 14w\"").says("first_name");
    let wrong = STEPS.replace("A letter.", "Dear {{ contact.frist_name }}");
    let page = member.post("/sequences/new", &[("text", &wrong), ("do", "save")]).await.expect(422);
    page.says("Line 7").says("frist_name");
    assert_eq!(count(house).await, 0);

    // Right: a draft of theirs.
    let page =
        member.post("/sequences/new", &[("text", &STEPS.replace('\n', "\r\n")), ("do", "save")]).await.expect(303);
    let path = page.location.clone();
    assert!(path.ends_with("?tab=flow"), "{path}");
    member.get(&path).await.expect(200).says("Draft").says("/edit");
    member.get("/sequences").await.says("Short").says("Draft");
    let page = member.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(422);
    page.says("There is already a sequence").says("Line 1");
    assert_eq!(count(house).await, 1);

    // A draft is saved without a question.
    let path = path.replace("?tab=flow", "");
    member.get(&format!("{path}/edit")).await.expect(200).says("key = &#34;intro&#34;");
    let shorter = STEPS.replace("2 days", "1 day");
    member.post(&format!("{path}/edit"), &[("text", &shorter), ("do", "save")]).await.expect(303);
    member.get(&format!("{path}/edit")).await.says("1 day").without("2 days");
    let renamed = shorter.replace("\"Short\"", "\"Long\"");
    let page = member.post(&format!("{path}/edit"), &[("text", &renamed), ("do", "save")]).await.expect(422);
    page.says("Here the name stays").says("Line 1");
}

async fn saving_what_people_are_in_says_first_what_happens_to_them(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let steps = STEPS.split_once("key = \"main\"\n").unwrap().1;
    let id = house.sequence("Short", "", steps).await;
    let contact = house.contact(&["ann@people.example"], |_| {}).await;
    house.enroll(id, contact).await;
    house.mails("ann@people.example", 1).await;
    let edit = format!("/sequences/{id}/edit");
    let text = unescaped(&admin.get(&edit).await.expect(200).between("data-check=\"checked\"", "</textarea>"));
    let text = text.split_once(">\n").unwrap().1;

    admin.post(&edit, &[("text", text), ("do", "save")]).await.expect(303);
    let later = text.replace("2 days", "3 days");
    assert_ne!(later, text);
    let page = admin.post(&edit, &[("text", &later), ("do", "save")]).await.expect(200);
    let page = page.says("Saving will do this").says("delay 2 days becomes 3 days").says("1 contact stands");
    let digest = page.between("name=\"digest\" value=\"", "\"");
    assert_eq!(house.int("SELECT count(*) FROM audit WHERE action = 'sequence.apply'", &[]).await, 0, "only said");
    // Agreed to something else than what would be done: nothing is.
    let other = text.replace("2 days", "4 days");
    let page = admin.post(&edit, &[("text", &other), ("do", "apply"), ("digest", &digest)]).await.expect(422);
    page.says("look at the plan again");
    admin.post(&edit, &[("text", &later), ("do", "apply"), ("digest", &digest)]).await.expect(303);
    admin.get(&edit).await.says("3 days").without("2 days");

    // Structure stays while people are in it.
    let without_call = later.split("[[branch.step]]\nkey = \"call\"").next().unwrap();
    let page = admin.post(&edit, &[("text", without_call), ("do", "save")]).await.expect(422);
    page.says("People are in the sequence");
    house.audit(id).await;
}

/// As a browser reads it.
fn unescaped(html: &str) -> String {
    html.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

async fn a_sequence_is_renamed_copied_exported_archived_and_deleted(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let made = admin.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(303);
    let path = made.location.replace("?tab=flow", "");
    let id: SequenceId = path.rsplit('/').next().unwrap().parse().unwrap();
    admin.get(&format!("{path}/menu")).await.says("Rename").says("Create copy").says("Export").says("Delete");

    admin.get(&format!("{path}/rename")).await.expect(200).says("value=\"Short\"");
    admin.post(&format!("{path}/rename"), &[("name", " ")]).await.expect(422).says("Say its name");
    admin.post(&format!("{path}/rename"), &[("name", "Brief & good")]).await.expect(303);
    admin.get(&path).await.says("Brief &#38; good");
    let copy = admin.get(&format!("/sequences/new?copy={id}")).await.expect(200).says("Brief &#38; good (copy)");
    let text = unescaped(&copy.between("data-check=\"checked\"", "</textarea>"));
    let text = text.split_once(">\n").unwrap().1.to_owned();
    let copied = admin.post("/sequences/new", &[("text", &text), ("do", "save")]).await.expect(303);
    let copy_path = copied.location.replace("?tab=flow", "");
    let taken = admin.post(&format!("{copy_path}/rename"), &[("name", "brief & Good")]).await.expect(422);
    taken.says("names are unique");
    let file =
        admin.get(&format!("{path}/export")).await.expect(200).says("name = \"Brief & good\"").says("kind = \"call\"");
    assert!(cadenza_core::flow::file::parse(&file.text).is_ok(), "{}", file.text);

    admin.post(&format!("{copy_path}/state"), &[("to", "delete")]).await.expect(303);
    admin.get(&copy_path).await.expect(404);
    admin.post(&format!("{path}/state"), &[("to", "activate")]).await.expect(303);
    admin.post(&format!("{path}/state"), &[("to", "delete")]).await.expect(409).says("cannot be deleted");
    admin.post(&format!("{path}/state"), &[("to", "end")]).await.expect(303);
    admin.post(&format!("{path}/state"), &[("to", "archive")]).await.expect(303);
    admin.get("/sequences").await.without("Brief");
    admin.get("/sequences?archived=1").await.says("Brief");
    let w = house.w;
    let state = house.read(move |q| Ok(cadenza_store::sequences::get(q, w, id)?.state)).await;
    assert_eq!(state, SequenceState::Archived);
}

async fn who_may_not_save_is_offered_nothing_and_refused(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let made = admin.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(303);
    let path = made.location.replace("?tab=flow", "");
    // A member saves their own and no others'.
    for (role, may_make) in [("Viewer", false), ("Member", true)] {
        let browser = Browser::of(house, role).await;
        let list = browser.get("/sequences").await.expect(200);
        assert_eq!(list.text.contains("/sequences/new"), may_make, "{role}");
        let new = browser.get("/sequences/new").await.status.as_u16();
        assert_eq!(new, if may_make { 200 } else { 403 }, "{role}");
        browser.get(&path).await.expect(200).without("/edit\"");
        browser.get(&format!("{path}/menu")).await.expect(200).without("/rename").without("Delete");
        browser.get(&format!("{path}/export")).await.expect(200);
        browser.get(&format!("{path}/edit")).await.expect(403);
        browser.get(&format!("{path}/rename")).await.expect(403);
        for (form, sent) in [
            ("edit", [("text", STEPS), ("do", "save")]),
            ("rename", [("name", "Mine"), ("do", "")]),
            ("state", [("to", "delete"), ("do", "")]),
        ] {
            browser.post(&format!("{path}/{form}"), &sent).await.expect(403);
        }
        if !may_make {
            browser.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(403);
        }
    }
    for form in ["/sequences/new".to_owned(), format!("{path}/edit"), format!("{path}/rename")] {
        let page = admin.post_from_elsewhere(&form, &[("text", STEPS), ("name", "Theirs"), ("do", "save")]).await;
        page.expect(403).says("This was sent from another site");
        let nobody = Browser::stranger(house).post(&form, &[("text", STEPS)]).await.expect(303);
        assert!(nobody.location.starts_with("/sign-in"));
    }
    let eve = crate::api::program::stranger(house).await;
    let eve = Browser::sign_in(house, eve.workspace, eve.user).await;
    for part in ["", "/edit", "/rename", "/export", "/menu"] {
        eve.get(&format!("{path}{part}")).await.expect(404);
    }
    eve.get(&format!("/sequences/new?copy={}", path.rsplit('/').next().unwrap())).await.expect(404);
    assert_eq!(count(house).await, 1);
}

async fn what_its_date_ended_is_reopened_by_a_later_one(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let steps = STEPS.split_once("key = \"main\"\n").unwrap().1;
    let id = house.sequence("Short", "", steps).await;
    let contact = house.contact(&["ann@people.example"], |_| {}).await;
    let enrolled = house.enroll(id, contact).await;
    house.mails("ann@people.example", 1).await;
    let (path, w) = (format!("/sequences/{id}"), house.w);
    admin.get(&path).await.expect(200).without("Reopen").without("Ended on");
    let end = house.now() + Span::hours(2);
    house
        .write(move |tx| {
            let mut s = cadenza_store::sequences::lock(tx, w, id)?;
            s.end = Some(end);
            cadenza_store::sequences::update(tx, w, &s, end)
        })
        .await;
    house.later(Span::hours(3));
    house
        .wait_for("everybody to be finished", move |q| {
            let e = cadenza_store::door::enrollment(q, w, enrolled)?;
            Ok(e.filter(|e| e.life == Life::Finished).map(drop))
        })
        .await;
    admin.get(&path).await.expect(200).says("Ended on").says("its end date came").says("Reopen");
    admin.get(&format!("{path}?tab=log")).await.says("The sequence ended");
    admin.get(&format!("{path}/menu")).await.says("Reopen");
    let form = format!("{path}/reopen");
    admin.get(&form).await.expect(200).says("the one person").says("type=\"datetime-local\"");
    admin.post(&form, &[("end", "2027-03-01T11:00")]).await.expect(422).says("still to come");
    admin.post(&form, &[("end", "soon")]).await.expect(422).says("Expected a day and a time");
    let viewer = Browser::of(house, "Viewer").await;
    viewer.get(&path).await.without("Reopen");
    viewer.get(&form).await.expect(403);
    viewer.post(&form, &[("end", "2027-04-01T09:00")]).await.expect(403);
    admin.post(&form, &[("end", "2027-04-01T09:00")]).await.expect(303);
    admin.get(&path).await.says("Active").without("Ended on");
    assert_eq!(house.enrollment(enrolled).await.life, Life::Running);
    house.audit(id).await;
}

async fn activating_for_somebody_else_asks_about_the_senders(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let made = admin.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(303);
    let path = made.location.replace("?tab=flow", "");
    let id: SequenceId = path.rsplit('/').next().unwrap().parse().unwrap();
    admin.get(&path).await.without("Activate…").says(">Activate<");
    let mary = crate::api::program::colleague(house).await;
    crate::api::specimens::mailbox(house, &mary, 7).await;
    let (w, primary) = (house.w, mary.user);
    house
        .write(move |tx| {
            let mut s = cadenza_store::sequences::lock(tx, w, id)?;
            s.primary_user = primary;
            cadenza_store::sequences::update(tx, w, &s, s.updated_at)
        })
        .await;
    admin.get(&path).await.says("Activate…").says(&format!("{path}/activate"));
    admin.get(&format!("{path}/menu")).await.says("Activate…");
    let dialog = admin.get(&format!("{path}/activate")).await.expect(200).says("Mary").says("One step writes");
    dialog.says("specimen-7@northwind.example");
    Browser::of(house, "Viewer").await.get(&format!("{path}/activate")).await.expect(403);
    let form = [("to", "activate"), ("senders", "primary_user")];
    admin.post(&format!("{path}/state"), &form).await.expect(303);
    admin.get(&format!("{path}/export")).await.says("sender = \"specimen-7@northwind.example\"");
}

async fn what_replies_cannot_stop_is_activated_when_that_is_ticked(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let made = admin.post("/sequences/new", &[("text", STEPS), ("do", "save")]).await.expect(303);
    let path = made.location.replace("?tab=flow", "");
    let (id, form) = (path.rsplit('/').next().unwrap().parse::<SequenceId>().unwrap(), format!("{path}/state"));
    let w = house.w;
    let state = async || house.read(move |q| cadenza_store::sequences::get(q, w, id)).await.state;
    admin.get(&path).await.without("Activate…");
    let owner = cadenza::actions::sequences::get(&house.app, &house.caller, id).await.unwrap().sequence.primary_user;
    crate::api::specimens::unreadable_mailbox(house, owner, "ada@agency.example").await;
    admin.get(&path).await.says("Activate…").says(&format!("{path}/activate"));
    let dialog = admin.get(&format!("{path}/activate")).await.expect(200);
    let dialog = dialog.says("Replies cannot stop it").says("ada@agency.example").says("IMAP server");
    dialog.says("name=\"accept_unreadable\" value=\"on\" required").without("name=\"senders\"");
    // Without scripts, where a browser lets it through unticked.
    let again = admin.post(&form, &[("to", "activate")]).await.expect(422);
    assert!(again.between("id=\"accept-fault\" role=\"alert\">", "<").contains("Tick this"), "{}", again.text);
    // From a page that was loaded before there was anything to ask.
    let headers =
        [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded"), ("x-swap", "main")];
    let sent = admin.send("POST", &form, &headers, "to=activate".into()).await.expect(204);
    assert_eq!((sent.text.as_str(), state().await), ("", SequenceState::Draft));
    let mary = crate::api::program::colleague(house).await;
    crate::api::specimens::mailbox(house, &mary, 7).await;
    // The question of the senders keeps its answer; a choice that leads round it leaves the box to the choice.
    house
        .write(move |tx| {
            let mut s = cadenza_store::sequences::lock(tx, w, id)?;
            s.primary_user = mary.user;
            cadenza_store::sequences::update(tx, w, &s, s.updated_at)
        })
        .await;
    crate::api::specimens::unreadable_mailbox(house, mary.user, "mary@agency.example").await;
    let kept = admin.post(&form, &[("to", "activate"), ("senders", "")]).await.expect(422);
    let kept = kept.says("mary@agency.example").says("value=\"primary_user\">");
    kept.says("Tick this");
    admin.post(&form, &[("to", "activate"), ("accept_unreadable", "on")]).await.expect(303);
    assert_eq!(state().await, SequenceState::Active);
}
