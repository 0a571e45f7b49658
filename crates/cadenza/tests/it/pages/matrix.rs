//! Who may open and post what: every page and every form of the settings, tried by each role, by somebody who is not signed in, by
//! another site, and with ids of another workspace.

use super::browser::{Browser, user};
use crate::api::program::stranger;
use crate::house::{House, on_both};
use cadenza::actions::{Caller, mailboxes, reclassify, tokens};
use cadenza_core::ids::UserId;

on_both! {
    pages_open_for_those_who_may
    forms_work_for_those_who_may_and_from_our_pages_alone
    nothing_of_another_workspace_is_there
    no_page_changes_anything_by_being_looked_at
}

const ROLES: [&str; 4] = ["Admin", "Manager", "Member", "Viewer"];

/// Something of everything that the addresses name.
pub struct Known {
    mailbox: String,
    user: String,
    token: String,
    absence: String,
    job: String,
}

async fn known(house: &House, caller: &Caller) -> Known {
    let mailbox = mailboxes::all(&house.app, caller).await.unwrap()[0].id.to_string();
    let new = tokens::NewToken { name: "theirs".into(), scopes: caller.privileges, expires_at: None };
    let (token, _) = tokens::create(&house.app, caller, new).await.unwrap();
    let user: UserId = user(house, caller.workspace, "Viewer").await;
    let absence = crate::api::specimens::absence(house, caller).await.to_string();
    let job = reclassify::start(&house.app, caller).await.unwrap();
    reclassify::see_through(&house.app, caller, job).await.unwrap();
    let job = job.to_string();
    Known { job, mailbox, user: user.to_string(), token: token.id.to_string(), absence }
}

fn filled(path: &str, known: &Known) -> String {
    path.replace("{mailbox}", &known.mailbox)
        .replace("{user}", &known.user)
        .replace("{token}", &known.token)
        .replace("{absence}", &known.absence)
        .replace("{job}", &known.job)
}

/// Pages, and the roles for which they open.
const PAGES: &[(&str, &[&str])] = &[
    ("/settings", &ROLES),
    ("/settings/me", &ROLES),
    ("/settings/absences", &["Admin", "Manager", "Member"]),
    ("/settings/workspace", &["Admin"]),
    ("/settings/mailboxes", &["Admin", "Manager"]),
    ("/settings/mailboxes/new", &["Admin", "Manager"]),
    ("/settings/mailboxes/{mailbox}", &["Admin", "Manager"]),
    ("/settings/users", &["Admin"]),
    ("/settings/roles", &["Admin"]),
    ("/settings/reclassify", &["Admin"]),
    ("/settings/tokens", &ROLES),
    ("/settings/tokens?whose=all", &["Admin"]),
];

type Form = &'static [(&'static str, &'static str)];

/// Forms, who may send them, and what is sent. Those at the end undo what the others need.
const FORMS: &[(&str, &[&str], Form)] = &[
    ("/settings/workspace/identity", &["Admin"], &[("name", "Northwind")]),
    ("/settings/workspace", &["Admin"], &[]),
    ("/settings/workspace/release", &["Admin"], &[]),
    ("/settings/mailboxes", &["Admin", "Manager"], &[]),
    ("/settings/mailboxes/{mailbox}", &["Admin", "Manager"], &[("address", "box@people.example")]),
    ("/settings/mailboxes/{mailbox}/test", &["Admin", "Manager"], &[]),
    ("/settings/mailboxes/{mailbox}/hold", &["Admin", "Manager"], &[("why", "a look")]),
    ("/settings/mailboxes/{mailbox}/release", &["Admin", "Manager"], &[]),
    ("/settings/users", &["Admin"], &[]),
    ("/settings/users/{user}/role", &["Admin"], &[("role", "Member")]),
    ("/settings/users/{user}/link", &["Admin"], &[]),
    ("/settings/users/{user}/depart", &["Admin"], &[]),
    ("/settings/users/{user}/take-back", &["Admin"], &[]),
    ("/settings/roles", &["Admin"], &[("name", "Intern"), ("privilege", "tasks.mine")]),
    ("/settings/roles/delete", &["Admin"], &[("name", "Intern")]),
    ("/settings/absences", &["Admin", "Manager", "Member"], &[("from", "2027-07-01T09:00")]),
    ("/settings/absences/{absence}/until", &["Admin"], &[("until", "2030-01-01T09:00")]),
    ("/settings/absences/{absence}/end", &["Admin"], &[]),
    ("/settings/reclassify", &["Admin"], &[]),
    ("/settings/reclassify/{job}/adopt", &["Admin"], &[("what", "all")]),
    ("/settings/tokens", &ROLES, &[]),
    ("/settings/tokens/{token}/end", &["Admin"], &[]),
    ("/settings/mailboxes/{mailbox}/delete", &["Admin", "Manager"], &[]),
];

async fn pages_open_for_those_who_may(house: &House) {
    let known = known(house, &house.caller).await;
    for role in ROLES {
        let browser = Browser::of(house, role).await;
        let settings = browser.get("/settings").await.expect(200);
        for (path, may) in PAGES {
            let page = browser.get(&filled(path, &known)).await;
            let wanted = if may.contains(&role) { 200 } else { 403 };
            assert_eq!(page.status, wanted, "{role} {path}: {}", page.text);
            // Without a privilege the screen does not offer it (PRM-1).
            if path.matches('/').count() == 2 && !path.contains('?') {
                assert_eq!(settings.text.contains(&format!("href=\"{path}\"")), wanted == 200, "{role} {path}");
            }
        }
    }
    let nobody = Browser::stranger(house);
    for (path, _) in PAGES {
        let page = nobody.get(&filled(path, &known)).await.expect(303);
        assert!(page.location.starts_with("/sign-in?next="), "{path}: {}", page.location);
    }
}

async fn forms_work_for_those_who_may_and_from_our_pages_alone(house: &House) {
    let admin = Browser::of(house, "Admin").await;
    let known_ = known(house, &house.caller).await;
    let before = changes(house).await;
    for (path, _, form) in FORMS {
        let page = admin.post_from_elsewhere(&filled(path, &known_), form).await.expect(403);
        page.says("This was sent from another site");
        Browser::stranger(house).post(&filled(path, &known_), form).await.expect(303);
    }
    for role in ["Viewer", "Member", "Manager"] {
        let browser = Browser::of(house, role).await;
        // Somebody else's tokens and absences are not there at all.
        let others = |path: &str| path.contains("{token}") || path.contains("{absence}");
        for (path, may, form) in FORMS.iter().filter(|(path, ..)| !others(path)) {
            if !may.contains(&role) {
                let page = browser.post(&filled(path, &known_), form).await;
                assert_eq!(page.status, 403, "{role} {path}: {}", page.text);
            }
        }
    }
    assert_eq!(changes(house).await, before, "what was refused left no trace");
    for role in ["Manager", "Admin"] {
        let browser = Browser::of(house, role).await;
        let known = known(house, &house.caller).await;
        for (path, _, form) in FORMS.iter().filter(|(path, may, _)| may.contains(&role) && !path.ends_with("/delete")) {
            let status = browser.post(&filled(path, &known), form).await.status.as_u16();
            assert!(matches!(status, 200 | 303 | 409 | 422), "{role} {path}: {status}");
        }
    }
}

/// Lines of the audit log.
async fn changes(house: &House) -> i64 {
    house.int("SELECT count(*) FROM audit", &[]).await
}

async fn nothing_of_another_workspace_is_there(house: &House) {
    let eve = stranger(house).await;
    let theirs = known(house, &eve).await;
    let admin = Browser::of(house, "Admin").await;
    let before = changes(house).await;
    for (path, _) in PAGES.iter().filter(|(path, _)| path.contains('{')) {
        admin.get(&filled(path, &theirs)).await.expect(404);
    }
    for (path, _, form) in FORMS.iter().filter(|(path, ..)| path.contains('{')) {
        let page = admin.post(&filled(path, &theirs), form).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text);
    }
    assert_eq!(changes(house).await, before);
    for (path, _) in PAGES.iter().filter(|(path, _)| !path.contains('{')) {
        admin.get(path).await.expect(200).without("Eve Else").without("elsewhere.example");
    }
}

async fn no_page_changes_anything_by_being_looked_at(house: &House) {
    let known = known(house, &house.caller).await;
    let admin = Browser::of(house, "Admin").await;
    let before = changes(house).await;
    let versions = "SELECT sum(version) FROM mailbox";
    let boxes = house.int(versions, &[]).await;
    for (path, _) in PAGES {
        admin.get(&filled(path, &known)).await.expect(200);
    }
    for (path, ..) in FORMS {
        // What only a form may do is not done by a link.
        let page = admin.get(&filled(path, &known)).await;
        assert!(matches!(page.status.as_u16(), 200 | 404 | 405), "{path}: {}", page.status);
    }
    assert_eq!((changes(house).await, house.int(versions, &[]).await), (before, boxes));
}
