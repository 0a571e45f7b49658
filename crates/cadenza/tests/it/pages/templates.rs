//! Templates on their pages: written, imported, copied, shared, deleted; made of a sequence; and activated by a form that names
//! each fault at its field.

use super::browser::{Browser, Page};
use crate::api::program::{colleague, stranger};
use crate::api::specimens::{mailbox, unreadable_mailbox};
use crate::house::{House, on_both};
use cadenza::actions::lists;
use cadenza_store::sequences::SubjectType;

on_both! {
    an_example_becomes_a_template_and_mistakes_stand_at_their_lines
    a_file_is_imported_copied_exported_shared_and_deleted
    what_somebody_else_saved_meanwhile_is_not_overwritten
    the_form_marks_what_it_needs_and_names_each_fault_at_its_field
    activating_makes_a_sequence_of_what_was_typed
    another_primary_user_brings_their_zone_and_the_question_of_the_senders
    what_replies_cannot_stop_is_activated_when_that_is_ticked
    a_sequence_is_used_as_a_template
    who_may_not_save_is_offered_nothing_and_refused
}

const TEXT: &str = "name = \"Letters\"\nform = \"template\"\n\n[[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"intro\"\n\
    kind = \"email_auto\"\nname = \"Intro\"\nsubject = \"Hello\"\ntext = \"A letter.\"\n\n[[branch.step]]\nkey = \"call\"\n\
    kind = \"call\"\nname = \"Call\"\ndelay = \"2 days\"\ninstructions = \"Ask.\"\n";

async fn made(browser: &Browser<'_>, text: &str) -> String {
    browser.post("/templates/new", &[("text", text), ("do", "save")]).await.expect(303).location
}

async fn count(house: &House, table: &'static str) -> i64 {
    let sql = if table == "template" { "SELECT count(*) FROM template" } else { "SELECT count(*) FROM sequence" };
    house.int(sql, &[]).await
}

/// The text in the editor, as a browser reads it.
fn text_of(page: &Page) -> String {
    let text = page.between("data-check=\"checked\"", "</textarea>");
    let text = text.split_once(">\n").unwrap().1;
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

/// What the form shows in its fields, to be sent again with some of them changed.
fn filled(page: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let form = page.split_once("name=\"shown_for\"").unwrap().1.split_once("</form>").unwrap().0;
    let mut sent = vec![("shown_for".to_owned(), attribute(form, "value"))];
    for part in form.split('<').skip(1) {
        let tag = part.split_once('>').map_or(part, |(tag, _)| tag);
        let name = attribute(tag, "name");
        if name.is_empty() {
            continue;
        }
        let value = match tag.split_whitespace().next().unwrap() {
            "input" if tag.contains("type=\"checkbox\"") && !tag.ends_with(" checked") => continue,
            "input" => attribute(tag, "value"),
            "textarea" => part.split_once('>').unwrap().1.to_owned(),
            "select" => {
                let rest = form.split_once(&format!("<{part}")).unwrap().1;
                let choices: Vec<&str> = rest.split("</select>").next().unwrap().split("<option").skip(1).collect();
                let chosen = choices.iter().find(|o| o.contains(" selected")).or(choices.first());
                attribute(chosen.unwrap(), "value")
            }
            _ => continue,
        };
        sent.push((name, value));
    }
    for (name, value) in changes {
        sent.retain(|(n, _)| n != name);
        sent.extend((!value.is_empty()).then(|| ((*name).to_owned(), (*value).to_owned())));
    }
    sent
}

fn attribute(tag: &str, name: &str) -> String {
    tag.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(v, _)| v).to_owned()
}

async fn send(browser: &Browser<'_>, path: &str, page: &Page, changes: &[(&str, &str)]) -> Page {
    let form = filled(&page.text, changes);
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    browser.post(path, &form).await
}

async fn an_example_becomes_a_template_and_mistakes_stand_at_their_lines(house: &House) {
    let member = Browser::of(house, "Member").await;
    member
        .get("/templates")
        .await
        .expect(200)
        .says("No templates yet")
        .says("/templates/new")
        .says("/templates/import");
    let page = member.get("/templates/new").await.expect(200).says("Three letters").says("3 steps, nothing to remark");
    let text = text_of(&page);
    assert!(text.contains("form = \"template\""), "{text}");
    assert!(page.text.contains("<svg class=\"flow\""), "the flow is drawn");
    member.get("/templates/new?example=none").await.expect(404);
    let path = made(&member, &text).await;
    let page = member.get(&path).await.expect(200).says("Three letters").says("One by one").says("None yet");
    page.says("/activate").says("<svg class=\"flow\"");
    member.get("/templates").await.says("Three letters").says("1 template<");
    member.get("/templates?q=LETTERS").await.says("Three letters");
    member.get("/templates?q=nothing").await.says("No template matches");

    for (wrong, line, says) in [
        (TEXT.replace("2 days", "soon"), "Line 18", "soon"),
        (TEXT.replace("form = \"template\"\n", ""), "Line 1<", "This holds a sequence"),
        (TEXT.replace("form", "owner = \"nobody@people.example\"\nform"), "Line 2<", "Nobody signs in as"),
        (TEXT.replace("A letter.", "Dear {{ contact.frist_name }}"), "Line 8", "frist_name"),
        (TEXT.replace("\"Letters\"", "\"three LETTERS\""), "Line 1<", "There is already a template"),
    ] {
        let page = member.post("/templates/new", &[("text", &wrong), ("do", "save")]).await.expect(422);
        page.says(line).says(says);
    }
    assert_eq!(count(house, "template").await, 1);
}

async fn a_file_is_imported_copied_exported_shared_and_deleted(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    admin.get("/templates/import").await.expect(200).says("type=\"file\"");
    let upload = async |text: &str| {
        let boundary = "x-a-boundary";
        let kind = format!("multipart/form-data; boundary={boundary}");
        let body = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.toml\"\r\n\r\n{text}\r\n--{boundary}--\r\n"
        );
        admin
            .send("POST", "/templates/import", &[("sec-fetch-site", "same-origin"), ("content-type", &kind)], body)
            .await
    };
    upload("").await.expect(422).says("Choose a file that is not empty");
    upload(&TEXT.replace("kind = \"call\"", "kind = \"fax\"")).await.expect(200).says("Line 16").says("to mend");
    // A sequence's file is a template's once what is asked at activation is out of it.
    let sequence = TEXT.replace("form = \"template\"", "primary_user = \"gone@agency.example\"\nlist = \"Spring\"");
    let page = upload(&sequence).await.expect(200).says("nothing to remark");
    let text = text_of(&page);
    assert!(text.contains("form = \"template_for_list\"") && !text.contains("primary_user"), "{text}");
    assert_eq!(count(house, "template").await, 0, "it is only shown");
    let path = made(&admin, &text_of(&upload(TEXT).await.expect(200))).await;

    admin
        .get(&format!("{path}/menu"))
        .await
        .expect(200)
        .says("Create copy")
        .says("Export")
        .says("Delete")
        .says("Make private");
    let id = path.rsplit('/').next().unwrap();
    let copy = admin.get(&format!("/templates/new?copy={id}")).await.expect(200).says("Letters (copy)");
    let copied = made(&admin, &text_of(&copy)).await;
    let file = admin.get(&format!("{path}/export")).await.expect(200).says("form = \"template\"");
    assert!(cadenza_core::flow::file::parse(&file.text).is_ok(), "{}", file.text);
    admin.post(&format!("{copied}/share"), &[("shared", "false")]).await.expect(303);
    admin.get(&copied).await.says("Private");
    let member = Browser::of(house, "Member").await;
    member.get(&copied).await.expect(404);
    member.get("/templates").await.says("Letters").without("(copy)");
    admin.post(&format!("{copied}/share"), &[("shared", "true")]).await.expect(303);
    member.get(&copied).await.expect(200).without("/edit\"");
    let gone = admin.post(&format!("{copied}/delete"), &[]).await.expect(303);
    assert_eq!(gone.location, "/templates");
    admin.get(&copied).await.expect(404);
    assert_eq!(count(house, "template").await, 1);
}

async fn what_somebody_else_saved_meanwhile_is_not_overwritten(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let path = made(&admin, TEXT).await;
    let edit = format!("{path}/edit");
    let page = admin.get(&edit).await.expect(200).says("name=\"version\" value=\"1\"");
    let text = text_of(&page).replace("2 days", "3 days");
    // A new name is a new name here: a template is found by its place.
    let renamed = text.replace("\"Letters\"", "\"Long letters\"");
    let saved = admin.post(&edit, &[("text", &renamed), ("version", "1"), ("do", "save")]).await.expect(303);
    assert_eq!(saved.location, path);
    admin.get(&path).await.says("Long letters");
    let late = admin.post(&edit, &[("text", &text), ("version", "1"), ("do", "save")]).await.expect(422);
    late.says("was changed meanwhile").says("3 days");
    admin.get(&edit).await.says("Long letters").says("name=\"version\" value=\"2\"");
}

async fn the_form_marks_what_it_needs_and_names_each_fault_at_its_field(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let path = made(&admin, &TEXT.replace("\"template\"", "\"template_for_list\"")).await;
    let form = format!("{path}/activate");
    let page = admin.get(&form).await.expect(200);
    for required in ["Name", "Primary user", "List", "Begin", "Time zone"] {
        let marked = format!("{required} <span class=\"required\"");
        assert!(page.text.contains(&marked), "{required} is not marked");
    }
    for free in ["Description", "End", "Additional team members", "Emails of a sequence", "On a reply"] {
        assert!(page.text.contains(&format!("{free}</label>")), "{free}");
    }
    let wrong =
        [("begin", ""), ("zone", "Europe/Berln"), ("end", "soon"), ("stop", "08:00"), ("unresponsive_days", "-1")];
    let again = send(&admin, &form, &page, &wrong).await.expect(422);
    let fault = |page: &Page, field: &str| page.between(&format!("id=\"f-{field}-fault\" role=\"alert\">"), "<");
    for (field, says) in [
        ("name", "Say its name"),
        ("list", "Choose the list"),
        ("begin", "Expected a day and a time"),
        ("end", "Expected a day and a time"),
        ("zone", "Europe/Berlin"),
        ("stop", "08:00"),
        ("unresponsive-days", "whole number"),
    ] {
        let said = fault(&again, field);
        assert!(said.contains(says), "{field}: {said}");
    }
    assert!(again.text.contains("<details class=\"more-settings\" open>"), "what is to be mended is not folded away");
    // What only the action can tell stands at its field too.
    admin
        .post("/sequences/new", &[("text", &TEXT.replace("form = \"template\"\n", "")), ("do", "save")])
        .await
        .expect(303);
    let list = lists::create(&house.app, &house.caller, "Fair".into(), SubjectType::Contacts).await.unwrap();
    let id = list.id.to_string();
    let page = admin.get(&form).await.expect(200).says("Fair (0)");
    let taken = send(&admin, &form, &page, &[("name", "letters"), ("list", &id)]).await.expect(422);
    assert!(fault(&taken, "name").contains("There is already a sequence"), "{}", taken.text);
    let past = [("name", "Fair"), ("list", id.as_str()), ("end", "2027-02-01T09:00")];
    let ended = send(&admin, &form, &page, &past).await.expect(422);
    assert!(fault(&ended, "end").contains("after its begin"), "{}", ended.text);
    assert_eq!(count(house, "sequence").await, 1);
    let done = send(&admin, &form, &page, &[("name", "Fair"), ("list", &id)]).await.expect(303);
    admin.get(&done.location).await.says("Active");
    let used = send(&admin, &form, &page, &[("name", "Fair 2"), ("list", &id)]).await.expect(422);
    assert!(fault(&used, "list").contains("feeds the sequence"), "{}", used.text);
    let w = house.w;
    house
        .write(move |tx| tx.exec("UPDATE workspace SET postal_address = '' WHERE workspace_id = $1", &[w.into()]))
        .await;
    admin.get(&form).await.expect(200).says("no postal address yet");
    send(&admin, &form, &page, &[("name", "Fair 3"), ("list", &id)]).await.expect(422).says("postal address");
}

async fn activating_makes_a_sequence_of_what_was_typed(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let path = made(&admin, TEXT).await;
    let form = format!("{path}/activate");
    let page = admin.get(&form).await.expect(200).without("Who writes");
    let typed = [
        ("name", "Spring & summer"),
        ("description", "For engineers"),
        ("begin", "2027-05-01T08:00"),
        ("end", "2027-09-01T08:00"),
        ("arm", "on"),
        ("start", "10:00"),
        ("zone", "Europe/Rome"),
        ("email_rate", "40"),
        ("email_rate_per", "hour"),
        ("reply", "pause"),
        ("sharing", "private"),
        ("priority", "high"),
    ];
    let done = send(&admin, &form, &page, &typed).await.expect(303);
    admin.get(&done.location).await.expect(200).says("Spring &#38; summer").says("Scheduled");
    let settings = admin.get(&format!("{}?tab=settings", done.location)).await.expect(200);
    let settings =
        settings.says("For engineers").says("10:00").says("Europe/Rome").says("40 an hour").says("Made from");
    settings.says("Letters").says(">pause<");
    // As often as wanted; what was not touched is the template's.
    let done = send(&admin, &form, &page, &[("name", "Autumn")]).await.expect(303);
    admin.get(&done.location).await.says("Active");
    let listed = admin.get(&path).await.expect(200).says("Spring &#38; summer").says("Autumn");
    listed.without("None yet");
    // Without it both go on, and say so no more.
    admin.post(&format!("{path}/delete"), &[]).await.expect(303);
    admin.get(&format!("{}?tab=settings", done.location)).await.expect(200).without("Made from");
}

async fn another_primary_user_brings_their_zone_and_the_question_of_the_senders(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let mary = colleague(house).await;
    let w = house.w;
    let user = mary.user;
    house
        .write(move |tx| {
            let sql = "UPDATE user_account SET zone = 'Asia/Tokyo' WHERE workspace_id = $1 AND id = $2";
            tx.exec(sql, &[w.into(), user.into()])
        })
        .await;
    let path = made(&admin, TEXT).await;
    let form = format!("{path}/activate");
    let page = admin.get(&form).await.expect(200).without("Who writes");
    let id = mary.user.to_string();
    let chosen = [("name", "For Mary"), ("primary_user", id.as_str())];
    let shown = send(&admin, &form, &page, &chosen).await.expect(200);
    let shown = shown.says("Mary is the primary user now").says("value=\"Asia/Tokyo\"").says("value=\"For Mary\"");
    let shown = shown.says("Every step writes from Mary&#39;s mailbox").says("Mary has no mailbox yet");
    assert_eq!(count(house, "sequence").await, 0, "only asked");
    let refused = send(&admin, &form, &shown, &[("senders", "on")]).await.expect(422);
    assert!(refused.between("id=\"f-senders-fault\" role=\"alert\">", "<").contains("no mailbox"), "{}", refused.text);
    mailbox(house, &mary, 7).await;
    // A zone of one's own choice stays.
    let page = admin.get(&form).await.expect(200);
    let zoned = [("name", "For Mary"), ("primary_user", id.as_str()), ("zone", "Europe/Rome")];
    let shown = send(&admin, &form, &page, &zoned).await.expect(200).says("value=\"Europe/Rome\"");
    let shown = shown.says("One step writes from another mailbox than specimen-7@northwind.example");
    let done = send(&admin, &form, &shown, &[]).await.expect(303);
    let file = admin.get(&format!("{}/export", done.location)).await.expect(200);
    file.says("sender = \"specimen-7@northwind.example\"").says("primary_user = \"mary@northwind.example\"");
}

async fn what_replies_cannot_stop_is_activated_when_that_is_ticked(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let form = format!("{}/activate", made(&admin, TEXT).await);
    let page = admin.get(&form).await.expect(200).without("accept_unreadable");
    let mary = colleague(house).await;
    unreadable_mailbox(house, mary.user, "mary@northwind.example").await;
    let id = mary.user.to_string();
    let chosen = [("name", "For Mary"), ("primary_user", id.as_str())];
    let shown = send(&admin, &form, &page, &chosen).await.expect(200);
    let shown =
        shown.says("Activate it although replies cannot stop it").says("what arrives at mary@northwind.example.");
    let refused = send(&admin, &form, &shown, &[]).await.expect(422);
    let fault = refused.between("id=\"f-accept-unreadable-fault\" role=\"alert\">", "<");
    assert!(fault.contains("Tick this"), "{fault}");
    assert_eq!(count(house, "sequence").await, 0);
    send(&admin, &form, &refused, &[("accept_unreadable", "on")]).await.expect(303);
    assert_eq!(count(house, "sequence").await, 1);
}

async fn a_sequence_is_used_as_a_template(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let text = TEXT.replace("form = \"template\"\n", "");
    let sequence = admin.post("/sequences/new", &[("text", &text), ("do", "save")]).await.expect(303).location;
    let sequence = sequence.replace("?tab=flow", "");
    admin.get(&format!("{sequence}/menu")).await.says("Use as template");
    let form = format!("{sequence}/template");
    admin.get(&form).await.expect(200).says("value=\"Letters\"");
    let made = admin.post(&form, &[("name", "Letters")]).await.expect(303).location;
    admin.get(&made).await.expect(200).says("Letters").says("<svg class=\"flow\"");
    admin.post(&form, &[("name", "letters")]).await.expect(422).says("There is already a template");
    admin.post(&form, &[("name", " ")]).await.expect(422).says("Say its name");
    for to in ["activate", "end", "archive"] {
        admin.post(&format!("{sequence}/state"), &[("to", to)]).await.expect(303);
        admin.get(&format!("{sequence}/menu")).await.says("Use as template");
    }
    admin.post(&form, &[("name", "Of an archived one")]).await.expect(303);
    assert_eq!(count(house, "template").await, 2);
}

async fn who_may_not_save_is_offered_nothing_and_refused(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let path = made(&admin, TEXT).await;
    let text = TEXT.replace("form = \"template\"\n", "");
    let sequence = admin.post("/sequences/new", &[("text", &text), ("do", "save")]).await.expect(303).location;
    let sequence = sequence.replace("?tab=flow", "");
    let forms = |path: &str| {
        let own = ["edit", "share", "delete"].map(|part| format!("{path}/{part}"));
        (own.to_vec(), vec!["/templates/new".to_owned(), format!("{path}/activate"), format!("{sequence}/template")])
    };
    let (owners, makers) = forms(&path);
    let sent = [("text", TEXT), ("do", "save"), ("shared", "false"), ("name", "Mine"), ("version", "1")];
    for (role, may_make) in [("Viewer", false), ("Member", true)] {
        let browser = Browser::of(house, role).await;
        let list = browser.get("/templates").await.expect(200);
        assert_eq!(list.text.contains("/templates/new"), may_make, "{role}");
        let page = browser.get(&path).await.expect(200).without("/edit\"");
        assert_eq!(page.text.contains("/activate"), may_make, "{role}");
        let menu = browser.get(&format!("{path}/menu")).await.expect(200).without("Delete").without("private");
        assert_eq!(menu.text.contains("Create copy"), may_make, "{role}");
        browser.get(&format!("{path}/export")).await.expect(200);
        browser.get(&format!("{path}/edit")).await.expect(403);
        for form in &owners {
            browser.post(form, &sent).await.expect(403);
        }
        let wanted = if may_make { 200 } else { 403 };
        for form in &makers {
            assert_eq!(browser.get(form).await.status.as_u16(), wanted, "{role} {form}");
            if !may_make {
                browser.post(form, &sent).await.expect(403);
            }
        }
        assert_eq!(browser.get("/templates/import").await.status.as_u16(), wanted, "{role}");
    }
    let nobody = Browser::stranger(house);
    let eve = stranger(house).await;
    let eve = Browser::sign_in(house, eve.workspace, eve.user).await;
    for form in owners.iter().chain(&makers) {
        let page = admin.post_from_elsewhere(form, &sent).await.expect(403);
        page.says("This was sent from another site");
        assert!(nobody.post(form, &sent).await.expect(303).location.starts_with("/sign-in"));
        if form != "/templates/new" {
            eve.post(form, &sent).await.expect(404);
        }
    }
    for part in ["", "/edit", "/export", "/menu", "/activate"] {
        eve.get(&format!("{path}{part}")).await.expect(404);
    }
    let id = path.rsplit('/').next().unwrap();
    eve.get(&format!("/templates/new?copy={id}")).await.expect(404);
    eve.get("/templates").await.expect(200).says("No templates yet");
    assert_eq!((count(house, "template").await, count(house, "sequence").await), (1, 1));
}
