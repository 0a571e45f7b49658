//! Contacts added, changed and imported on their pages, and what that sets going.

use super::browser::{Browser, Page, encoded};
use crate::house::{House, on_both};
use cadenza_core::enrollment::BlockReason;
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::EnrollmentId;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use cadenza_store::door;

on_both! {
    a_contact_is_added_with_every_field_and_changed
    a_file_is_looked_at_mapped_and_imported_and_its_bad_lines_come_back
    an_address_that_was_missing_sets_its_enrollment_going
    who_may_not_edit_contacts_is_offered_nothing_and_refused
}

async fn all(house: &House) -> Vec<Contact> {
    let (w, now) = (house.w, house.now());
    house
        .read(move |q| {
            let page = contacts::search(q, w, &contacts::Filter::default(), contacts::Order::Newest, None, 100, now)?;
            Ok(page.rows.into_iter().map(|f| f.contact).collect())
        })
        .await
}

async fn a_contact_is_added_with_every_field_and_changed(house: &House) {
    let w = house.w;
    house
        .write(move |tx| {
            let field = |name: &str, kind, choices: &[&str]| CustomField {
                of: FieldOf::Contact,
                name: name.into(),
                label: name.to_uppercase(),
                kind,
                choices: choices.iter().map(|c| (*c).to_owned()).collect(),
                position: 1,
            };
            custom_fields::save(tx, w, &field("tier", FieldKind::Choice, &["gold", "silver"]))?;
            custom_fields::save(tx, w, &field("since", FieldKind::Date, &[]))
        })
        .await;
    let member = Browser::of(house, "Member").await;
    member.get("/contacts").await.expect(200).says("Import a CSV file").says("/contacts/new");
    member.get("/contacts/new").await.expect(200).says("TIER").says("SINCE").says("Add a contact");

    let owner = house.caller.user.to_string();
    let good = [
        ("first_name", "Grace"),
        ("last_name", "O'Hopper"),
        ("title", "Admiral"),
        ("company", "Navy"),
        ("owner", owner.as_str()),
        ("time_zone", "America/New_York"),
        ("country", "United States"),
        ("language", "en-US"),
        ("linkedin", "linkedin.com/in/grace"),
        ("emails.0", "Grace@Navy.example"),
        ("emails.0.kind", "work"),
        ("emails.1", "grace@home.example"),
        ("emails.1.kind", "personal"),
        ("phones.0", "+1 415 555 0100"),
        ("phones.0.kind", "work"),
        ("custom.tier", "gold"),
        ("custom.since", "2027-01-31"),
        ("custom_name", "cats"),
        ("custom_value", "2"),
        ("resume", "Compilers.\r\nNanoseconds."),
    ];
    let changed = |changes: &[(&'static str, &'static str)]| {
        let value = |n: &str| changes.iter().find(|(c, _)| *c == n).map(|(_, v)| *v);
        good.iter().map(|(n, v)| (*n, value(n).unwrap_or(v))).collect::<Vec<_>>()
    };
    let wrong = [
        ("time_zone", "Mars"),
        ("emails.1", "nobody"),
        ("phones.0", "12"),
        ("custom.tier", "tin"),
        ("custom_name", "No Name"),
    ];
    let page = member.post("/contacts/new", &changed(&wrong)).await.expect(422);
    let page = page.says("id=\"f-time-zone-fault\"").says("id=\"f-emails-1-fault\"").says("id=\"f-phones-0-fault\"");
    page.says("id=\"f-custom-tier-fault\"").says("is no name of a field").says("value=\"O&#39;Hopper\"");
    assert!(all(house).await.is_empty());

    let added = member.post("/contacts/new", &good).await.expect(303);
    let path = added.location.clone();
    let page = member.get(&path).await.expect(200).says("O&#39;Hopper").says("grace@home.example").says("Compilers.");
    page.says("Navy").says(&format!("{path}/edit"));
    let c = all(house).await.remove(0);
    assert_eq!(c.emails.iter().map(|e| e.kind).collect::<Vec<_>>(), [AddressKind::Work, AddressKind::Personal]);
    assert_eq!((c.custom["tier"].as_str(), c.custom["cats"].as_str()), (Some("gold"), Some("2")));
    assert_eq!((c.phones[0].value.as_str(), c.owner), ("+14155550100", Some(house.caller.user)));
    let twice = member.post("/contacts/new", &changed(&[("last_name", "Other")])).await.expect(422);
    twice.says("belongs to Grace O&#39;Hopper");

    let page = member.get(&format!("{path}/edit")).await.expect(200).says("value=\"2\"").says("Nanoseconds.");
    page.says("<option value=\"gold\" selected>").without("Erase this person");
    let mended =
        changed(&[("title", ""), ("emails.1", ""), ("custom.tier", ""), ("custom_name", ""), ("company", "Army")]);
    member.post(&format!("{path}/edit"), &mended).await.expect(303);
    let c = all(house).await.remove(0);
    assert_eq!((c.title.as_str(), c.emails.len(), c.custom.get("tier")), ("", 1, None));
    assert_eq!(c.custom["cats"].as_str(), Some("2"), "what the form does not name stays");
    member.get(&path).await.says("Army");

    member.post(&format!("{path}/erase"), &[]).await.expect(403);
    let admin = Browser::of(house, "Admin").await;
    admin.get(&format!("{path}/edit")).await.says("Erase this person");
    admin.post(&format!("{path}/erase"), &[]).await.expect(303);
    admin.get(&path).await.expect(404);
    admin.get(&format!("{path}/edit")).await.expect(404);
}

const BOUNDARY: &str = "----of-a-test";

/// A form with a file in it.
async fn upload(browser: &Browser<'_>, path: &str, site: &str, file: &str, fields: &[(&str, &str)]) -> Page {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"p.csv\"\r\nContent-Type: text/csv";
    body.push_str(&format!("--{BOUNDARY}\r\n{head}\r\n\r\n{file}\r\n--{BOUNDARY}--\r\n"));
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    browser.send("POST", path, &[("sec-fetch-site", site), ("content-type", &kind)], body).await
}

const FILE: &str = "Mail;Vorname;Nachname;Firma;Shoe size;Owner\nann@people.example;Ann;Lind;Fjord;38;\nnobody;Ben;Bad;;;\n\
     cid@people.example;<b>Cid</b>;Good;Fjord;41;\nann@people.example;Ann;Again;;;\n";

async fn a_file_is_looked_at_mapped_and_imported_and_its_bad_lines_come_back(house: &House) {
    let member = Browser::of(house, "Member").await;
    member.get("/contacts/import").await.expect(200).says("CSV file");
    let send = async |file: &str, fields: &[(&str, &str)]| {
        upload(&member, "/contacts/import", "same-origin", file, fields).await
    };
    send("", &[("do", "look")]).await.expect(422).says("Choose a CSV file");
    send("size,colour\n1,red\n", &[("do", "look")]).await.expect(422).says("No column holds a name");

    // Looked at: nothing is written.
    let page = send(FILE, &[("do", "look")])
        .await
        .expect(200)
        .says("Own field: shoe_size")
        .says("<option value=\"email\" selected>");
    let page = page.says("Import 2").says("nobody").says("stands in an earlier line too").without("<b>Cid");
    assert_eq!(page.text.matches("<td class=\"number\">").count(), 2, "two lines are not taken");
    assert!(all(house).await.is_empty());

    // The text comes along; a column is put right by hand.
    let columns =
        [("column.0", "email"), ("column.1", "first_name"), ("column.2", "last_name"), ("column.3", "company")];
    let mut fields = vec![("text", FILE), ("on_duplicate", "skip"), ("column.4", "ignore"), ("column.5", "ignore")];
    fields.extend(columns);
    fields.push(("do", "import"));
    let page = send("", &fields).await.expect(200).says("2 added").says("were not taken").says("To the contacts");
    assert_eq!(page.text.matches("<td class=\"number\">").count(), 2);
    let people = all(house).await;
    assert_eq!(people.len(), 2);
    assert!(people.iter().all(|c| c.custom.is_empty() && c.company.is_some()));
    let file = upload(&member, "/contacts/import/errors", "same-origin", "", &fields).await.expect(200);
    assert!(
        file.text.starts_with("Mail,Vorname,Nachname,Firma,Shoe size,Owner,line,error\nnobody,Ben,Bad"),
        "{}",
        file.text
    );
    assert_eq!(file.text.lines().count(), 3);

    // Again, updating: nobody is doubled.
    let good = "email,title\nann@people.example,Pilot\n";
    let done = send(good, &[("do", "import"), ("on_duplicate", "update")]).await.expect(303);
    assert_eq!(done.location, "/contacts?order=new");
    let people = all(house).await;
    assert_eq!(people.len(), 2);
    assert!(people.iter().any(|c| c.title == "Pilot" && c.first_name == "Ann"));
    let foreign = upload(&member, "/contacts/import", "cross-site", good, &[("do", "import")]).await.expect(403);
    foreign.says("This was sent from another site");
}

async fn an_address_that_was_missing_sets_its_enrollment_going(house: &House) {
    let mail = "[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\nsubject = \"Hello\"\n";
    let personal = format!("{mail}address = \"personal\"\ntext = \"A letter.\"\n");
    let named = format!("{mail}text = \"Dear {{{{ contact.title }}}}\"\n");
    let member = Browser::of(house, "Member").await;

    // The clock stands still: only the change can set them going. One by the form.
    let sequence = house.sequence("Personal", "", &personal).await;
    let ann = house.contact(&["ann@work.example"], |c| c.first_name = "ann".into()).await;
    blocked(house, house.enroll(sequence, ann).await, BlockReason::MissingAddress).await;
    let form = [
        ("first_name", "ann"),
        ("emails.0", "ann@work.example"),
        ("emails.1", "ann@home.example"),
        ("emails.1.kind", "personal"),
    ];
    member.post(&format!("/contacts/{ann}/edit"), &form).await.expect(303);
    house.mails("ann@home.example", 1).await;
    house.audit(sequence).await;

    // One by an import.
    let sequence = house.sequence("Named", "", &named).await;
    let ben = house.contact(&["ben@work.example"], |c| c.first_name = "ben".into()).await;
    blocked(house, house.enroll(sequence, ben).await, BlockReason::MissingField).await;
    let file = "email,title\nben@work.example,Captain\n";
    upload(&member, "/contacts/import", "same-origin", file, &[("do", "import")]).await.expect(303);
    house.mails("ben@work.example", 1).await;
    house.audit(sequence).await;
}

async fn blocked(house: &House, id: EnrollmentId, why: BlockReason) {
    let w = house.w;
    let is =
        move |q: &mut cadenza_store::Query| Ok(door::enrollment(q, w, id)?.filter(|e| e.block == Some(why)).map(drop));
    house.wait_for("the block", is).await;
}

async fn who_may_not_edit_contacts_is_offered_nothing_and_refused(house: &House) {
    let id = house.contact(&["ann@people.example"], |_| {}).await;
    let viewer = Browser::of(house, "Viewer").await;
    viewer.get("/contacts").await.expect(200).without("/contacts/new").without("/contacts/import");
    viewer.get(&format!("/contacts/{id}")).await.expect(200).without("/edit\"");
    for path in ["/contacts/new", "/contacts/import", &format!("/contacts/{id}/edit")] {
        viewer.get(path).await.expect(403);
        Browser::stranger(house).get(path).await.expect(303);
    }
    let form = [("first_name", "Eve")];
    for path in ["/contacts/new".to_owned(), format!("/contacts/{id}/edit"), format!("/contacts/{id}/erase")] {
        viewer.post(&path, &form).await.expect(403);
        let admin = Browser::of(house, "Admin").await;
        admin.post_from_elsewhere(&path, &form).await.expect(403).says("This was sent from another site");
    }
    upload(&viewer, "/contacts/import", "same-origin", "email\na@b.example\n", &[("do", "import")]).await.expect(403);
    upload(&viewer, "/contacts/import/errors", "same-origin", "email\na@b.example\n", &[]).await.expect(403);
    let eve = crate::api::program::stranger(house).await;
    let eve = Browser::sign_in(house, eve.workspace, eve.user).await;
    eve.get(&format!("/contacts/{id}/edit")).await.expect(404);
    eve.post(&format!("/contacts/{id}/edit"), &form).await.expect(404);
    eve.post(&format!("/contacts/{id}/erase"), &[]).await.expect(404);
    let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    let member = Browser::of(house, "Member").await;
    let odd = member.send("POST", "/contacts/import", &headers, encoded(&[("text", "email\n")])).await;
    assert!(odd.status.is_client_error(), "{}", odd.status);
    assert_eq!(all(house).await.len(), 1);
}
