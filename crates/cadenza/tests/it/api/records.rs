//! Contacts, companies, lists, custom fields and import over the API.

use super::program::{Program, settled};
use super::specimens::specimens;
use crate::house::{House, on_both};
use serde_json::{Value, json};

on_both! {
    a_contact_lives_and_is_erased
    contacts_are_found_and_read_page_by_page
    duplicates_are_merged
    wrong_fields_are_named_all_at_once
    companies_are_kept_with_unique_names
    lists_are_filled_and_feed_their_sequence
    custom_fields_are_defined_and_heeded
    contacts_come_in_from_csv
    contacts_go_out_as_csv_and_come_back
    log_entries_are_written_and_read
}

async fn added(program: &Program<'_>, first: &str, last: &str) -> String {
    let email = format!("{first}.{last}@example.com").to_lowercase();
    let new = json!({ "first_name": first, "last_name": last, "emails": [{ "value": email }] });
    program.post("/contacts", new).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn a_contact_lives_and_is_erased(house: &House) {
    let program = Program::new(house).await;
    let new = json!({
        "first_name": " Mary ", "last_name": "Somerville", "company": "Royal Society", "time_zone": "Europe/London",
        "owner": "ada@northwind.example", "emails": [{ "value": "Mary@Example.com" }],
        "phones": [{ "kind": "other", "value": "+44 20 7946 0123" }], "custom": { "shoe_size": 38 }
    });
    let made = program.post("/contacts", new.clone()).await.expect(201);
    insta::assert_json_snapshot!("contact", settled(made.clone()));
    assert_eq!(program.post("/contacts", new).await.problem(409), "duplicate");
    let path = format!("/contacts/{}", made["id"].as_str().unwrap());
    let changed = program.patch(&path, json!({ "title": "Dr", "owner": null, "custom": { "shoe_size": null } })).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["title"], &changed["owner"], &changed["custom"]), (&json!("Dr"), &Value::Null, &json!({})));
    assert_eq!(changed["emails"], made["emails"], "what is not named stays");
    assert_eq!(program.get(&path).await.expect(200), changed);

    let resume = json!({ "resume": "On the Connexion of the Physical Sciences" });
    program.send("PUT", &format!("{path}/resume"), &[], Some(resume.clone())).await.expect(204);
    assert_eq!(program.get(&format!("{path}/resume")).await.expect(200), resume);

    program.delete(&path).await.expect(204);
    assert_eq!(program.get(&path).await.problem(404), "missing");
    assert_eq!(program.delete(&path).await.problem(404), "missing");
    assert_eq!(program.get("/contacts?typed=mary").await.expect(200)["items"], json!([]));
}

async fn contacts_are_found_and_read_page_by_page(house: &House) {
    let program = Program::new(house).await;
    for (first, last) in [("Ann", "Adams"), ("Ben", "Brown"), ("Cem", "Celik"), ("Dee", "Dunn")] {
        added(&program, first, last).await;
    }
    let steps = "[[branch.step]]\nkey = \"talk\"\nkind = \"call\"\n";
    let sequence = house.sequence("Spring", "", steps).await;
    let ben = program.get("/contacts?typed=ben").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    house.enroll(sequence, ben.parse().unwrap()).await;
    let names = async |query: &str| {
        let (mut names, mut pages, mut after) = (Vec::new(), 0, String::new());
        loop {
            let page = program.get(&format!("/contacts?{query}{after}")).await.expect(200);
            names
                .extend(page["items"].as_array().unwrap().iter().map(|c| c["first_name"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(next) = page["next"].as_str() else { return (names.join(" "), pages) };
            after = format!("&after={next}");
        }
    };
    assert_eq!(names("").await, ("Ann Ben Cem Dee".into(), 1));
    assert_eq!(names("limit=1").await, ("Ann Ben Cem Dee".into(), 4));
    assert_eq!(names("limit=3&order=newest").await, ("Dee Cem Ben Ann".into(), 2));
    assert_eq!(names("typed=br").await.0, "Ben");
    assert_eq!(names("typed=cem.celik@example.com").await.0, "Cem");
    assert_eq!(names("when=now").await.0, "Ben");
    assert_eq!(names(&format!("sequence={sequence}&state=pending,active")).await.0, "Ben");
    assert_eq!(names(&format!("sequence={sequence}&state=finished")).await.0, "");
    assert_eq!(names("enrolled=none").await.0, "Ann Cem Dee");
    assert_eq!(program.get("/contacts/count?enrolled=none").await.expect(200), json!({ "contacts": 3 }));
    assert_eq!(program.get("/contacts?stat=x").await.problem(422), "invalid");
}

async fn duplicates_are_merged(house: &House) {
    let program = Program::new(house).await;
    let (kept, gone) = (added(&program, "Mary", "Somerville").await, added(&program, "M", "Somerville").await);
    program.patch(&format!("/contacts/{gone}"), json!({ "title": "Dr", "country": "Scotland" })).await.expect(200);
    program.patch(&format!("/contacts/{kept}"), json!({ "country": "Italy" })).await.expect(200);
    let path = format!("/contacts/{kept}/merge");
    let merged = program.post(&path, json!({ "from": [gone] })).await.expect(200);
    assert_eq!((&merged["title"], &merged["country"]), (&json!("Dr"), &json!("Italy")));
    assert_eq!(merged["emails"].as_array().unwrap().len(), 2);
    assert_eq!(program.get(&format!("/contacts/{gone}")).await.problem(404), "missing");
    for wrong in [json!({ "from": [] }), json!({ "from": [kept] }), json!({ "from": kept })] {
        assert_eq!(program.post(&path, wrong).await.problem(422), "invalid");
    }
    assert_eq!(program.post(&path, json!({ "from": [gone] })).await.problem(404), "missing");
}

async fn wrong_fields_are_named_all_at_once(house: &House) {
    let program = Program::new(house).await;
    let wrong = json!({
        "emails": [{ "value": "nobody" }], "phones": [{ "value": "12" }], "time_zone": "Mars/Olympus", "language": "?",
        "owner": "nobody@northwind.example", "custom": { "No Name": 1 }
    });
    let answer = program.post("/contacts", wrong).await;
    let fields: Vec<&str> =
        answer.json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["time_zone", "language", "emails.0", "phones.0", "owner", "custom.No Name"]);
    assert_eq!(answer.problem(422), "invalid");
    assert_eq!(program.post("/contacts", json!({ "email": "a@b.example" })).await.problem(422), "invalid");
    assert_eq!(program.post("/contacts", json!({})).await.problem(422), "invalid");
    assert_eq!(program.get("/contacts/seq_00dk3v9xk0009").await.problem(422), "invalid");
}

async fn companies_are_kept_with_unique_names(house: &House) {
    let program = Program::new(house).await;
    let new = json!({ "name": "Difference Engines", "website": "difference.example", "time_zone": "Europe/London" });
    let made = program.post("/companies", new).await.expect(201);
    insta::assert_json_snapshot!("company", settled(made.clone()));
    assert_eq!(program.post("/companies", json!({ "name": "difference engines" })).await.problem(409), "duplicate");
    let path = format!("/companies/{}", made["id"].as_str().unwrap());
    let changed = program.patch(&path, json!({ "website": null, "country": "England" })).await.expect(200);
    assert_eq!((&changed["website"], &changed["country"]), (&Value::Null, &json!("England")));
    assert_eq!(program.get(&path).await.expect(200), changed);
    let contact = json!({ "last_name": "Babbage", "company": made["id"] });
    let contact = program.post("/contacts", contact).await.expect(201);
    assert_eq!(contact["company"], made["id"]);
    let found = program.get(&format!("/contacts?company={}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(found["items"][0]["company_name"], "Difference Engines");
    assert_eq!(program.get("/companies?typed=diff").await.expect(200)["items"][0]["id"], made["id"]);
    assert_eq!(program.get("/companies?typed=other").await.expect(200)["items"], json!([]));
    assert_eq!(program.patch(&path, json!({ "name": "" })).await.problem(422), "invalid");
}

async fn lists_are_filled_and_feed_their_sequence(house: &House) {
    let program = Program::new(house).await;
    let (ann, ben) = (added(&program, "Ann", "Adams").await, added(&program, "Ben", "Brown").await);
    let list = program.post("/lists", json!({ "name": "Spring fair" })).await.expect(201);
    assert_eq!(list["type"], "contacts");
    let id = list["id"].as_str().unwrap();
    let path = format!("/lists/{id}");
    assert_eq!(program.post("/lists", json!({ "name": "SPRING FAIR" })).await.problem(409), "name_taken");
    let members = format!("{path}/members");
    let put = program.post(&members, json!({ "contacts": [ann] })).await.expect(200);
    assert_eq!(put, json!({ "added": 1, "enrolled": [] }));

    let file = "name = \"Fed\"\nlist = \"Spring fair\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n";
    let sequence = program.post("/sequences", json!({ "file": file })).await.expect(201);
    let sequence = sequence["id"].as_str().unwrap();
    program.post(&format!("/sequences/{sequence}/activate"), json!({})).await.expect(200);
    let put = program.post(&members, json!({ "contacts": [ann, ben] })).await.expect(200);
    assert_eq!(put["added"], 1);
    let bens = put["enrolled"].as_array().unwrap().iter().find(|e| e["contact"] == json!(ben)).unwrap();
    assert_eq!(bens["done"], true, "{put}");
    let enrollment = format!("/enrollments/{}", bens["enrollment"].as_str().unwrap());

    let page = program.get(&format!("{members}?limit=1")).await.expect(200);
    let rest = program.get(&format!("{members}?limit=1&after={}", page["next"].as_str().unwrap())).await.expect(200);
    let mut found = [page["items"][0]["contact"].clone(), rest["items"][0]["contact"].clone()];
    let mut all = [json!(ann), json!(ben)];
    found.sort_by_key(Value::to_string);
    all.sort_by_key(Value::to_string);
    assert_eq!((found, rest.get("next")), (all, None));
    assert_eq!(program.get(&format!("/contacts/{ben}/lists")).await.expect(200)["items"][0]["id"], list["id"]);
    assert_eq!(program.get("/lists").await.expect(200)["items"][0]["members"], 2);

    assert_eq!(
        program.post(&format!("{members}/remove"), json!({ "contacts": [ben] })).await.expect(200)["removed"],
        1
    );
    let held = program.get(&enrollment).await.expect(200);
    assert_eq!((&held["state"], &held["reason"]), (&json!("paused"), &json!("left_list")));
    program.post(&members, json!({ "contacts": [ben] })).await.expect(200);
    let back = program.get(&enrollment).await.expect(200);
    assert!(back["state"] == "active" || back["state"] == "pending", "put back, it goes on: {back}");

    assert_eq!(program.delete(&path).await.problem(409), "feeds_sequence");
    program.post(&format!("/sequences/{sequence}/end"), json!({})).await.expect(200);
    assert_eq!(program.patch(&path, json!({ "name": "Autumn fair" })).await.expect(200)["name"], "Autumn fair");
    for wrong in [json!({}), json!({ "companies": ["com_0000000000001"] }), json!({ "contact": [ann] })] {
        assert_eq!(program.post(&members, wrong).await.problem(422), "invalid");
    }
    assert_eq!(program.post(&members, json!({ "contacts": ["con_0000000000001"] })).await.problem(404), "missing");
    program.delete(&path).await.expect(204);
    assert_eq!(program.get(&path).await.problem(404), "missing");
}

async fn custom_fields_are_defined_and_heeded(house: &House) {
    let program = Program::new(house).await;
    let choices = json!({ "of": "contact", "name": "seniority", "kind": "choice", "choices": ["junior", "senior"] });
    let made = program.post("/custom-fields", choices.clone()).await.expect(201);
    assert_eq!((&made["id"], &made["label"]), (&json!("contact.seniority"), &json!("seniority")));
    assert_eq!(program.post("/custom-fields", choices).await.problem(409), "name_taken");
    let number = json!({ "of": "company", "name": "heads", "label": "People", "kind": "number" });
    program.post("/custom-fields", number).await.expect(201);
    let listed = program.get("/custom-fields").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(program.get("/custom-fields?of=company").await.expect(200)["items"][0]["name"], "heads");

    let wrong = program.post("/contacts", json!({ "last_name": "X", "custom": { "seniority": "old" } })).await;
    assert_eq!(wrong.json["errors"][0]["field"], "custom.seniority");
    assert_eq!(wrong.problem(422), "invalid");
    program.patch("/custom-fields/contact.seniority", json!({ "choices": ["junior", "old"] })).await.expect(200);
    program.post("/contacts", json!({ "last_name": "X", "custom": { "seniority": "old" } })).await.expect(201);

    for (wrong, field) in [
        (json!({ "of": "contact", "name": "Shoe Size" }), "name"),
        (json!({ "of": "contact", "name": "a", "kind": "choice" }), "choices"),
        (json!({ "of": "contact", "name": "a", "choices": ["x"] }), "choices"),
        (json!({ "of": "contact", "name": "a", "kind": "choice", "choices": ["x", " x "] }), "choices.1"),
        (json!({ "of": "person", "name": "a" }), "body"),
    ] {
        let answer = program.post("/custom-fields", wrong.clone()).await;
        assert_eq!(answer.json["errors"][0]["field"], field, "{wrong}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
    program.delete("/custom-fields/contact.seniority").await.expect(204);
    assert_eq!(program.delete("/custom-fields/contact.seniority").await.problem(404), "missing");
    assert_eq!(program.delete("/custom-fields/seniority").await.problem(422), "invalid");
    let own = specimens(house, &house.caller).await;
    assert_eq!(program.get("/custom-fields").await.expect(200)["items"][0]["id"], json!(own["field"]));
}

async fn contacts_come_in_from_csv(house: &House) {
    let program = Program::new(house).await;
    let csv = "First name;E-Mail;Shoe size\nAnn;ann@example.com;38\nBen;nobody;44\nCem;cem@example.com;\n";
    let send = async |query: &str, csv: &str| {
        let headers = [("content-type", "text/csv")];
        program.send_bytes("POST", &format!("/contacts/import{query}"), &headers, csv.into()).await
    };
    let dry = send("?run=dry", csv).await.expect(200);
    assert_eq!((&dry["read"], &dry["added"], &dry["contacts"]), (&json!(3), &json!(2), &json!([])));
    assert_eq!(dry["bad"][0]["line"], 3);
    assert_eq!(dry["bad"][0]["column"], "E-Mail");
    assert_eq!(program.get("/contacts/count").await.expect(200)["contacts"], 0, "a dry run writes nothing");
    let real = send("", csv).await.expect(200);
    assert_eq!((&real["added"], &real["updated"]), (&json!(2), &json!(0)));
    assert_eq!(real["contacts"].as_array().unwrap().len(), 2);
    assert!(real["error_file"].as_str().unwrap().contains("nobody"), "{real}");
    let ann = program.get(&format!("/contacts/{}", real["contacts"][0].as_str().unwrap())).await.expect(200);
    assert_eq!((&ann["first_name"], &ann["custom"]["shoe_size"]), (&json!("Ann"), &json!("38")));

    let newer = "email,first_name\nann@example.com,Anna\n";
    assert_eq!(send("?on_duplicate=skip", newer).await.expect(200)["skipped"], 1);
    let mapped = json!({ "csv": "Adresse,Rufname\nann@example.com,Anna\n", "columns": { "Adresse": "email", "Rufname": "first_name" } });
    assert_eq!(program.post("/contacts/import", mapped).await.expect(200)["updated"], 1);
    let ann = program.get("/contacts?typed=ann@example.com").await.expect(200);
    assert_eq!(ann["items"][0]["first_name"], "Anna");

    for (answer, says) in [
        (send("", "").await, "no header"),
        (send("", "size,colour\n1,red\n").await, "size, colour"),
        (send("?run=maybe", newer).await, "dry"),
        (program.post("/contacts/import", json!({ "csv": "a", "columns": { "a": "e-mail" } })).await, "e-mail"),
        (program.post("/contacts/import", json!({ "file": "a" })).await, "file"),
    ] {
        assert!(answer.json["detail"].as_str().unwrap().contains(says), "{says}: {:#}", answer.json);
        assert_eq!(answer.problem(422), "invalid");
    }
}

async fn contacts_go_out_as_csv_and_come_back(house: &House) {
    let program = Program::new(house).await;
    let ann = json!({ "first_name": "=cmd()", "last_name": "Adams, \"Ann\"", "company": "Royal Society",
        "emails": [{ "kind": "personal", "value": "ann@example.com" }, { "value": "ann@example.org" }],
        "phones": [{ "value": "+44 20 7946 0123" }], "time_zone": "Europe/London", "owner": "ada@northwind.example",
        "custom": { "city": "London", "shoe_size": 38 } });
    let ann = program.post("/contacts", ann).await.expect(201);
    added(&program, "Ben", "Brown").await;
    let file = program.post("/contacts/export", json!({})).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let file = file.expect(200).as_str().unwrap().to_owned();
    insta::assert_snapshot!("export", file);
    let one = program.post("/contacts/export?typed=brown", json!({})).await.expect(200);
    assert_eq!(one.as_str().unwrap().lines().count(), 2, "{one}");

    let headers = [("content-type", "text/csv")];
    let back = program.send_bytes("POST", "/contacts/import", &headers, file.into_bytes()).await.expect(200);
    assert_eq!((&back["added"], &back["updated"], &back["bad"]), (&json!(0), &json!(2), &json!([])));
    let again = program.get(&format!("/contacts/{}", ann["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(
        (&again["phones"], &again["owner"], &again["company"]),
        (&ann["phones"], &ann["owner"], &ann["company"])
    );
    let lines = house.int("SELECT count(*) FROM audit WHERE action = 'contact.export'", &[]).await;
    assert_eq!(lines, 2);
}

async fn log_entries_are_written_and_read(house: &House) {
    let program = Program::new(house).await;
    let own = specimens(house, &house.caller).await;
    let path = format!("/contacts/{}/log-entries", own["contact"]);
    let call = json!({ "kind": "call", "body": " Called back. ", "result": "interested" });
    let made = program.post(&path, call).await.expect(201);
    assert_eq!(
        (&made["kind"], &made["body"], &made["result"]),
        (&json!("call"), &json!("Called back."), &json!("interested"))
    );
    assert_eq!(made["user"], json!(own["user"]));
    house.later(cadenza_core::time::Span::minutes(1));
    for n in 0..3 {
        program.post(&path, json!({ "body": format!("Note {n}") })).await.expect(201);
    }
    let page = program.get(&format!("{path}?limit=3")).await.expect(200);
    let rest = program.get(&format!("{path}?limit=3&after={}", page["next"].as_str().unwrap())).await.expect(200);
    let mut notes: Vec<&str> = page["items"].as_array().unwrap().iter().map(|e| e["body"].as_str().unwrap()).collect();
    notes.sort_unstable();
    assert_eq!(notes, ["Note 0", "Note 1", "Note 2"]);
    assert_eq!((&rest["items"], rest.get("next")), (&json!([made]), None));
    let company = format!("/companies/{}/log-entries", own["company"]);
    program.post(&company, json!({ "kind": "meeting", "body": "Met at the fair." })).await.expect(201);
    assert_eq!(program.get(&company).await.expect(200)["items"][0]["kind"], "meeting");
    for wrong in [json!({ "body": " " }), json!({ "body": "x", "kind": "fax" }), json!({ "text": "x" })] {
        assert_eq!(program.post(&path, wrong).await.problem(422), "invalid");
    }
}
