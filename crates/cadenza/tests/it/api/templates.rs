//! Templates over the API: made from files and sequences, changed, copied, deleted, and activated into sequences.

use super::program::{Program, colleague, settled};
use super::specimens::{mailbox, person, unreadable_mailbox};
use crate::house::{House, on_both};
use cadenza::actions::{Caller, Privileges, lists};
use cadenza_core::enrollment::Subject;
use cadenza_store::sequences::SubjectType;
use serde_json::{Value, json};

on_both! {
    a_file_becomes_a_template_and_reads_back
    a_template_is_changed_at_the_version_that_was_looked_at
    only_its_owner_changes_a_template_and_sees_a_private_one
    a_template_becomes_a_sequence_as_often_as_wanted
    what_activation_asks_is_named_field_by_field_and_nothing_is_made
    a_template_for_a_list_asks_for_one_and_whoever_is_on_it_enters
    activating_for_somebody_else_takes_their_zone_and_offers_to_move_the_senders
    what_replies_cannot_stop_runs_when_that_is_confirmed
    a_sequence_in_any_state_is_used_as_a_template
    a_file_is_planned_and_applied_once
    deleting_a_template_leaves_its_sequences
}

const FILE: &str = "name = \"Letters\"\ndescription = \"Two letters.\"\nform = \"template\"\n\n[settings]\nreply = \"pause\"\n\n\
    [[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\ntemplate = \"First letter\"\n\n\
    [[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\ndelay = \"2 days\"\nsame_thread = true\ntext = \"Again.\"\n\n\
    [[email_template]]\nname = \"First letter\"\nsubject = \"Hello\"\ntext = \"A letter.\"\n";

async fn made(program: &Program<'_>, file: &str) -> String {
    let answer = program.post("/templates", json!({ "file": file })).await.expect(201);
    format!("/templates/{}", answer["id"].as_str().unwrap())
}

/// A template as a file.
async fn text(program: &Program<'_>, path: &str) -> String {
    program.get(&format!("{path}/file")).await.expect(200).as_str().unwrap().to_owned()
}

/// What is wrong with which field.
fn faults(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().unwrap();
    let said = |e: &Value| format!("{}: {}", e["field"].as_str().unwrap(), e["message"].as_str().unwrap());
    errors.iter().map(said).collect()
}

async fn sequences(house: &House) -> i64 {
    house.int("SELECT count(*) FROM sequence", &[]).await
}

async fn a_file_becomes_a_template_and_reads_back(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, FILE).await;
    insta::assert_json_snapshot!("template", settled(program.get(&path).await.expect(200)));
    let file = text(&program, &path).await;
    let expected = FILE.replace("form = \"template\"\n", "form = \"template\"\nowner = \"ada@northwind.example\"\n");
    assert_eq!(file, expected, "everything that it was made of, and whose it is");
    let toml = [("content-type", "application/toml")];
    let again = program.send_bytes("POST", "/templates", &toml, FILE.into()).await;
    assert_eq!(again.problem(409), "name_taken");
    let sequence = FILE.replace("form = \"template\"\n", "");
    let answer = program.post("/templates", json!({ "file": sequence })).await;
    assert!(faults(&answer.json)[0].starts_with("form: This holds a sequence"), "{:#}", answer.json);
    assert_eq!(answer.problem(422), "invalid");
    let answer = program.post("/sequences", json!({ "file": FILE })).await;
    assert!(faults(&answer.json)[0].starts_with("form: This holds a template"), "{:#}", answer.json);
    let dated = FILE.replace("form", "end = 2027-06-01T09:00:00Z\nform");
    let answer = program.post("/templates", json!({ "file": dated })).await;
    assert!(faults(&answer.json)[0].contains("asked when it is activated"), "{:#}", answer.json);
    let foreign = FILE.replace("form", "owner = \"eve@elsewhere.example\"\nform");
    super::program::stranger(house).await;
    let answer = program.post("/templates", json!({ "file": foreign })).await;
    assert_eq!(faults(&answer.json), ["owner: Nobody signs in as \"eve@elsewhere.example\" in this workspace."]);
    made(&program, &FILE.replace("\"Letters\"", "\"Calls\"")).await;
    let names = async |query: &str| {
        let page = program.get(&format!("/templates{query}")).await.expect(200);
        let name = |t: &Value| t["name"].as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names("").await, names("?typed=LET").await), ("Calls Letters".into(), "Letters".into()));
    assert_eq!(program.get("/templates?type=LET").await.problem(422), "invalid");
}

async fn a_template_is_changed_at_the_version_that_was_looked_at(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, FILE).await;
    let change = json!({ "name": " Long letters ", "source": "list", "shared": false, "version": 1 });
    let changed = program.patch(&path, change.clone()).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["source"], &changed["shared"], &changed["version"]),
        (&json!("Long letters"), &json!("list"), &json!(false), &json!(2))
    );
    assert_eq!(program.patch(&path, change).await.problem(409), "changed_meanwhile");
    let same = program.patch(&path, json!({ "shared": false })).await.expect(200);
    assert_eq!(same["version"], 2, "nothing changed");
    let answer = program.patch(&path, json!({ "name": " ", "owner": "nobody@northwind.example" })).await;
    assert_eq!(faults(&answer.json).len(), 2, "{:#}", answer.json);
    let answer = program.patch(&path, json!({ "source": "csv" })).await;
    assert_eq!(answer.problem(422), "invalid");

    // What it says is changed by its file.
    let file = FILE.replace("2 days", "3 days").replace("A letter.", "A better letter.");
    let put = async |file: &str, version: i64| {
        program.send("PUT", &format!("{path}/file?version={version}"), &[], Some(json!({ "file": file }))).await
    };
    assert_eq!(put(&file, 1).await.problem(409), "changed_meanwhile");
    let saved = put(&file, 2).await.expect(200);
    assert_eq!(
        (&saved["name"], &saved["source"], &saved["version"], &saved["shared"]),
        (&json!("Letters"), &json!("one_by_one"), &json!(3), &json!(false))
    );
    let text = text(&program, &path).await;
    assert!(text.contains("3 days") && text.contains("A better letter."), "{text}");
    assert_eq!(put(&file, 3).await.expect(200)["version"], 3, "the same again changes nothing");
    let answer = put(&file.replace("form", "type = \"companies\"\nform"), 3).await;
    assert!(faults(&answer.json)[0].starts_with("type: \"Letters\" is a template for contacts"), "{:#}", answer.json);
    let answer = put(&file.replace("Again.", "Again, {{ contact.frist_name }}."), 3).await;
    assert!(faults(&answer.json)[0].starts_with("steps.again: "), "{:#}", answer.json);
    let audited = "SELECT count(*) FROM audit WHERE object = 'template'";
    assert_eq!(house.int(audited, &[]).await, 3, "made, changed, saved");
}

/// Somebody else, who may do what a member may.
async fn member(house: &House) -> (Program<'_>, Caller) {
    let mary = Caller { privileges: Privileges::of_role("Member").unwrap(), ..colleague(house).await };
    (Program::of(house, &mary, mary.privileges).await, mary)
}

async fn only_its_owner_changes_a_template_and_sees_a_private_one(house: &House) {
    let ada = Program::new(house).await;
    let (mary, _) = member(house).await;
    let path = made(&ada, FILE).await;
    mary.get(&path).await.expect(200);
    assert_eq!(mary.patch(&path, json!({ "name": "Mine" })).await.problem(403), "forbidden");
    assert_eq!(mary.send("DELETE", &path, &[], None).await.problem(403), "forbidden");
    let answer = mary.send("PUT", &format!("{path}/file"), &[], Some(json!({ "file": FILE }))).await;
    assert_eq!(answer.problem(403), "forbidden");
    let changed = json!({ "file": FILE.replace("2 days", "3 days") });
    assert_eq!(mary.post("/templates/plan", changed).await.problem(403), "forbidden");
    // A copy is theirs.
    let copy = mary.post(&format!("{path}/copy"), json!({})).await.expect(201);
    assert_eq!((&copy["name"], &copy["description"]), (&json!("Letters (copy)"), &json!("Two letters.")));
    let copied = format!("/templates/{}", copy["id"].as_str().unwrap());
    let second = mary.post(&format!("{path}/copy"), json!({})).await.expect(201);
    assert_eq!(second["name"], "Letters (copy 2)");
    let taken = mary.post(&format!("{path}/copy"), json!({ "name": "letters" })).await;
    assert_eq!(taken.problem(409), "name_taken");
    mary.patch(&copied, json!({ "shared": false, "name": "Mine" })).await.expect(200);
    ada.get(&copied).await.expect(200);

    ada.patch(&path, json!({ "shared": false })).await.expect(200);
    for (method, part) in
        [("GET", ""), ("GET", "/file"), ("PATCH", ""), ("DELETE", ""), ("POST", "/copy"), ("POST", "/activate")]
    {
        let body = matches!(method, "PATCH" | "POST").then(|| json!({}));
        assert_eq!(
            mary.send(method, &format!("{path}{part}"), &[], body).await.problem(404),
            "missing",
            "{method} {part}"
        );
    }
    let seen = mary.get("/templates").await.expect(200);
    assert!(!seen.to_string().contains("\"Letters\""), "{seen:#}");
    assert_eq!(mary.post("/templates/plan", json!({ "file": FILE })).await.problem(409), "name_taken");
    // Handed over, it is theirs.
    ada.patch(&path, json!({ "owner": "mary@northwind.example" })).await.expect(200);
    mary.patch(&path, json!({ "description": "Mine now" })).await.expect(200);
}

async fn a_template_becomes_a_sequence_as_often_as_wanted(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, FILE).await;
    let activate = format!("{path}/activate");
    let first = program.post(&activate, json!({ "name": "Spring" })).await.expect(201);
    insta::assert_json_snapshot!("activated", settled(first.clone()));
    let sequence = format!("/sequences/{}", first["id"].as_str().unwrap());
    let flow = program.get(&format!("{sequence}/flow")).await.expect(200);
    assert_eq!(flow["branches"][0]["steps"].as_array().unwrap().len(), 2);
    let all = json!({
        "name": "Autumn", "description": "Once more", "begin": "2027-09-01T08:00:00Z", "end": "2027-12-01T08:00:00Z",
        "team": ["ada@northwind.example"], "priority": "high", "sharing": "private", "arm": "now",
        "settings": { "reply": "go_on", "zone": "Europe/Rome", "email_rate": { "count": 40, "per": "hour" } },
    });
    let second = program.post(&activate, all).await.expect(201);
    assert_eq!(
        (&second["state"], &second["priority"], &second["end"], &second["sharing"]),
        (&json!("scheduled"), &json!("high"), &json!("2027-12-01T08:00:00Z"), &json!("private"))
    );
    let settings = &second["settings"];
    assert_eq!((&settings["reply"], &settings["zone"]), (&json!("go_on"), &json!("Europe/Rome")));
    assert_eq!(settings["email_rate"]["count"], 40);
    let third = json!({ "name": "Winter", "begin": "2027-12-01T08:00:00Z" });
    assert_eq!(program.post(&activate, third).await.expect(201)["state"], "paused", "until it is resumed");
    let listed = program.get("/templates").await.expect(200);
    assert_eq!(listed["items"][0]["sequences"], 3);

    // The first runs: its letter goes out in the template's words.
    let contact = house.contact(&["ann@people.example"], |_| {}).await;
    house.enroll(first["id"].as_str().unwrap().parse().unwrap(), contact).await;
    let mails = house.mails("ann@people.example", 1).await;
    assert!(mails[0].raw.contains("A letter."), "{}", mails[0].raw);
    // What is changed in the template afterwards is its own.
    let file = FILE.replace("2 days", "9 days");
    program.send("PUT", &format!("{path}/file"), &[], Some(json!({ "file": file }))).await.expect(200);
    assert_eq!(program.get(&format!("{sequence}/flow")).await.expect(200), flow);
}

async fn what_activation_asks_is_named_field_by_field_and_nothing_is_made(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, FILE).await;
    let activate = format!("{path}/activate");
    let wrong = json!({
        "begin": "2027-05-01T08:00:00Z", "end": "2027-04-01T08:00:00Z", "primary_user": "nobody@northwind.example",
        "list": "Nobody's", "team": ["ada@northwind.example", "nobody"],
        "settings": { "replay": "stop", "unresponsive_days": -1 },
    });
    let answer = program.post(&activate, wrong).await;
    let said = faults(&answer.json);
    let fields: Vec<_> = said.iter().map(|s| s.split(": ").next().unwrap()).collect();
    assert_eq!(
        fields,
        ["name", "end", "primary_user", "list", "settings.replay", "settings.unresponsive_days", "team.1"],
        "{said:#?}"
    );
    assert!(said[0].contains("Say its name"), "{said:#?}");
    assert_eq!(answer.problem(422), "invalid");
    for bad in [
        json!({ "name": "X", "nmae": 1 }),
        json!({ "name": "X", "arm": "soon" }),
        json!({ "name": "X", "begin": "soon" }),
    ] {
        assert_eq!(program.post(&activate, bad).await.problem(422), "invalid");
    }
    program.post("/sequences", json!({ "file": FILE.replace("form = \"template\"\n", "") })).await.expect(201);
    let taken = program.post(&activate, json!({ "name": "letters" })).await;
    assert_eq!(taken.problem(409), "name_taken");
    let unseen = json!({ "name": "Hidden", "sharing": "private", "primary_user": "mary@northwind.example" });
    let (mary, _) = member(house).await;
    program.post(&activate, unseen.clone()).await.expect(201);
    let theirs = json!({ "name": "Mine not", "sharing": "private", "primary_user": "ada@northwind.example" });
    let answer = mary.post(&activate, theirs).await;
    assert!(faults(&answer.json)[0].starts_with("sharing: You would not see it"), "{:#}", answer.json);

    // A flow that cannot run, and no postal address: then there is no sequence either.
    let broken = FILE.replace("\"Letters\"", "\"Broken\"").replace("Again.", "{{ contact.frist_name }}");
    let broken = made(&program, &broken).await;
    let before = sequences(house).await;
    let answer = program.post(&format!("{broken}/activate"), json!({ "name": "Broken" })).await;
    assert!(faults(&answer.json)[0].starts_with("steps.again: "), "{:#}", answer.json);
    let w = house.w;
    house
        .write(move |tx| tx.exec("UPDATE workspace SET postal_address = '' WHERE workspace_id = $1", &[w.into()]))
        .await;
    let answer = program.post(&activate, json!({ "name": "Nowhere" })).await;
    assert_eq!(answer.problem(409), "postal_address_needed");
    assert_eq!(sequences(house).await, before);
    assert_eq!(house.int("SELECT count(*) FROM audit WHERE action = 'sequence.create'", &[]).await, before);
}

async fn a_template_for_a_list_asks_for_one_and_whoever_is_on_it_enters(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, &FILE.replace("\"template\"\n", "\"template_for_list\"\n")).await;
    let activate = format!("{path}/activate");
    let answer = program.post(&activate, json!({ "name": "Fair" })).await;
    assert!(faults(&answer.json)[0].starts_with("list: Say which list"), "{:#}", answer.json);
    let (app, caller) = (&house.app, &house.caller);
    let companies = lists::create(app, caller, "Firms".into(), SubjectType::Companies).await.unwrap();
    let answer = program.post(&activate, json!({ "name": "Fair", "list": companies.id })).await;
    assert!(faults(&answer.json)[0].starts_with("list: \"Firms\" is a list of companies"), "{:#}", answer.json);
    let list = lists::create(app, caller, "Spring fair".into(), SubjectType::Contacts).await.unwrap();
    let contact = person(house, caller, "Grace", "Hopper").await;
    lists::add(app, caller, list.id, vec![Subject::Contact(contact)]).await.unwrap();
    let made = program.post(&activate, json!({ "name": "Fair", "list": "spring fair" })).await.expect(201);
    assert_eq!((&made["list_name"], &made["state"]), (&json!("Spring fair"), &json!("active")));
    let enrolled = "SELECT count(*) FROM enrollment";
    assert_eq!(house.int(enrolled, &[]).await, 1);
    let second = program.post(&activate, json!({ "name": "Fair again", "list": list.id })).await;
    assert_eq!(second.problem(409), "list_in_use");
    assert_eq!(sequences(house).await, 1);
}

async fn activating_for_somebody_else_takes_their_zone_and_offers_to_move_the_senders(house: &House) {
    use cadenza::actions::sequences::Offer;
    use cadenza::actions::templates::offer;
    let program = Program::new(house).await;
    let (mary, caller) = member(house).await;
    let w = house.w;
    house
        .write(move |tx| {
            let sql = "UPDATE user_account SET zone = 'Asia/Tokyo' WHERE workspace_id = $1 AND id = $2";
            tx.exec(sql, &[w.into(), caller.user.into()])
        })
        .await;
    let path = made(&program, FILE).await;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let activate = format!("{path}/activate");
    let ada = house.caller.user;
    assert_eq!(offer(&house.app, &house.caller, id, ada).await.unwrap(), None, "its owner");
    let none = Offer { primary_user: caller.user, mailbox: None, steps: 2 };
    assert_eq!(offer(&house.app, &house.caller, id, caller.user).await.unwrap(), Some(none));
    let moving = json!({ "name": "For Mary", "primary_user": caller.user, "senders": "primary_user" });
    assert_eq!(program.post(&activate, moving.clone()).await.problem(409), "no_mailbox");
    assert_eq!(sequences(house).await, 0);
    mailbox(house, &caller, 7).await;
    let made = program.post(&activate, moving).await.expect(201);
    assert_eq!((&made["settings"]["zone"], &made["primary_user"]), (&json!("Asia/Tokyo"), &json!(caller.user)));
    let flow = program.get(&format!("/sequences/{}/flow", made["id"].as_str().unwrap())).await.expect(200);
    let senders = flow.to_string().matches("specimen-7@northwind.example").count();
    assert_eq!(senders, 2, "{flow:#}");
    // A member activates for others as well (PRM-1), and a zone that the template states comes before anybody's own.
    let zoned =
        FILE.replace("[settings]\n", "[settings]\nzone = \"America/Lima\"\n").replace("\"Letters\"", "\"Lima\"");
    let zoned = self::made(&mary, &zoned).await;
    let made = mary
        .post(&format!("{zoned}/activate"), json!({ "name": "For Ada", "primary_user": "ada@northwind.example" }))
        .await
        .expect(201);
    assert_eq!((&made["settings"]["zone"], &made["primary_user"]), (&json!("America/Lima"), &json!(ada)));
}

async fn what_replies_cannot_stop_runs_when_that_is_confirmed(house: &House) {
    let program = Program::new(house).await;
    unreadable_mailbox(house, house.caller.user, "ada@northwind.example").await;
    let activate = format!("{}/activate", made(&program, FILE).await);
    let answer = program.post(&activate, json!({ "name": "Spring" })).await;
    assert!(answer.json["detail"].as_str().unwrap().contains("ada@northwind.example"), "{:#}", answer.json);
    assert_eq!(answer.problem(409), "unreadable_mailbox");
    assert_eq!(sequences(house).await, 0);
    let confirmed = json!({ "name": "Spring", "accept_unreadable": true });
    assert_eq!(program.post(&activate, confirmed).await.expect(201)["state"], json!("active"));
}

async fn a_sequence_in_any_state_is_used_as_a_template(house: &House) {
    let program = Program::new(house).await;
    let file = FILE.replace("form = \"template\"\n", "end = 2027-06-01T09:00:00Z\npriority = \"low\"\n");
    let made = program.post("/sequences", json!({ "file": file })).await.expect(201);
    let path = format!("/sequences/{}", made["id"].as_str().unwrap());
    let mut states = vec![made["state"].clone()];
    let first = program.post(&format!("{path}/template"), json!({})).await.expect(201);
    assert_eq!((&first["name"], &first["priority"]), (&json!("Letters"), &json!("low")));
    assert_eq!((&first["settings"], &first["source"]), (&json!({ "reply": "pause" }), &json!("one_by_one")));
    assert_eq!(program.post(&format!("{path}/template"), json!({})).await.problem(409), "name_taken");
    for operation in ["activate", "pause", "end", "archive"] {
        let now = program.post(&format!("{path}/{operation}"), json!({})).await.expect(200);
        states.push(now["state"].clone());
        let named = json!({ "name": format!("After {operation}") });
        let template = program.post(&format!("{path}/template"), named).await.expect(201);
        assert_eq!(template["branches"], first["branches"], "{operation}");
    }
    assert_eq!(states, ["draft", "active", "paused", "ended", "archived"]);
    let text = text(&program, &format!("/templates/{}", first["id"].as_str().unwrap())).await;
    let expected = FILE.replace(
        "form = \"template\"\n",
        "form = \"template\"\nowner = \"ada@northwind.example\"\npriority = \"low\"\n",
    );
    assert_eq!(text, expected);
}

async fn a_file_is_planned_and_applied_once(house: &House) {
    let program = Program::new(house).await;
    let plan = async |file: &str| program.post("/templates/plan", json!({ "file": file })).await.expect(200);
    let messages = |plan: &Value| -> Vec<String> {
        plan["changes"].as_array().unwrap().iter().map(|c| c["message"].as_str().unwrap().to_owned()).collect()
    };
    let first = plan(FILE).await;
    assert_eq!(messages(&first)[0], "template \"Letters\" is new");
    assert_eq!(first["template"], Value::Null);
    let apply = async |file: &str, digest: &Value| {
        let path = format!("/templates/apply?digest={}", digest.as_str().unwrap());
        program.post(&path, json!({ "file": file })).await
    };
    let other = FILE.replace("2 days", "3 days");
    assert_eq!(apply(&other, &first["digest"]).await.problem(409), "plan_outdated");
    let made = apply(FILE, &first["digest"]).await.expect(200);
    assert_eq!(messages(&plan(FILE).await), Vec::<String>::new(), "applied again it changes nothing");
    let changed = plan(&other.replace("\"template\"", "\"template_for_list\"")).await;
    assert_eq!(changed["template"], made["template"]);
    assert_eq!(
        messages(&changed),
        ["form: template becomes template_for_list", "step again: delay 2 days becomes 3 days"]
    );
    let done = program.post("/templates/apply", json!({ "file": other })).await.expect(200);
    assert_eq!((messages(&done).len(), &done["template"]), (1, &made["template"]));
    let exported = text(&program, &format!("/templates/{}", made["template"].as_str().unwrap())).await;
    assert_eq!(messages(&plan(&exported).await), Vec::<String>::new());
    // A sequence of the same name is another thing.
    program.post("/sequences", json!({ "file": FILE.replace("form = \"template\"\n", "") })).await.expect(201);
    assert_eq!(messages(&plan(&other).await), Vec::<String>::new());
}

async fn deleting_a_template_leaves_its_sequences(house: &House) {
    let program = Program::new(house).await;
    let path = made(&program, FILE).await;
    let made = program.post(&format!("{path}/activate"), json!({ "name": "Spring" })).await.expect(201);
    let sequence = format!("/sequences/{}", made["id"].as_str().unwrap());
    program.send("DELETE", &path, &[], None).await.expect(204);
    program.get(&path).await.expect(404);
    assert_eq!(program.send("DELETE", &path, &[], None).await.problem(404), "missing");
    let left = program.get(&sequence).await.expect(200);
    assert_eq!((&left["template"], &left["state"]), (&Value::Null, &json!("active")));
    let contact = house.contact(&["ann@people.example"], |_| {}).await;
    house.enroll(made["id"].as_str().unwrap().parse().unwrap(), contact).await;
    house.mails("ann@people.example", 1).await;
    program.post(&format!("{sequence}/template"), json!({})).await.expect(201);
    house.audit(made["id"].as_str().unwrap().parse().unwrap()).await;
}
