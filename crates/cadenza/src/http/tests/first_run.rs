//! The first run from a browser (NAV-3): only by the link, once, and then step by step to the first mail.

use super::world::{World, header, text};
use crate::actions::setup;
use axum::http::StatusCode;
use cadenza_store::{users, workspaces};

const FORM: &str = "name=Northwind&postal_address=Street+1%0D%0ATown&zone=Europe%2FBerlin&user_name=Ann+Lind\
     &user_address=Ann%40Northwind.example&password=correct+horse+battery";

async fn workspaces(world: &World) -> usize {
    world.app.db.read_async(|q| Ok(workspaces::all(q)?.len())).await.unwrap()
}

#[tokio::test]
async fn an_empty_server_leads_to_the_first_run_and_the_link_alone_opens_it() {
    let world = World::empty();
    let away = world.get("/tasks").await;
    assert_eq!(header(&away, "location"), "/sign-in?next=/tasks");
    assert_eq!(header(&world.get("/sign-in?next=/tasks").await, "location"), "/setup");
    let page = text(world.get("/setup").await).await;
    assert!(page.contains("not set up yet") && !page.contains("name=\"password\""), "{page}");

    for wrong in ["x", "set_0000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let refused = world.get(&format!("/setup?token={wrong}")).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        let refused = world.post("/setup", &format!("token={wrong}&{FORM}")).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(world.post("/setup", FORM).await.status(), StatusCode::UNAUTHORIZED);
    let foreign = world
        .send(
            "POST",
            "/setup",
            &[("sec-fetch-site", "cross-site"), ("content-type", "application/x-www-form-urlencoded")],
            FORM,
        )
        .await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(workspaces(&world).await, 0);
}

#[tokio::test]
async fn guessing_the_link_has_to_wait() {
    let world = World::empty();
    for _ in 0..50 {
        assert_eq!(world.get("/setup?token=x").await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(world.get("/setup?token=x").await.status(), StatusCode::TOO_MANY_REQUESTS);
    let right = format!("/setup?token={}", setup::token(&world.app).reveal());
    assert_eq!(world.get(&right).await.status(), StatusCode::TOO_MANY_REQUESTS, "nor is the right one looked at");
}

#[tokio::test]
async fn the_link_makes_one_workspace_and_its_administrator_who_is_led_on() {
    let world = World::empty();
    let token = setup::token(&world.app).reveal().to_owned();
    let page = text(world.get(&format!("/setup?token={token}")).await).await;
    assert!(page.contains("Welcome to Cadenza") && page.contains("name=\"password\""), "{page}");

    let wrong = FORM.replace("Europe%2FBerlin", "Mars").replace("correct+horse+battery", "short").replace("Ann%40", "");
    let answer = world.post("/setup", &format!("token={token}&{wrong}")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    for field in ["zone", "password", "user-address"] {
        assert!(page.contains(&format!("id=\"f-{field}-fault\"")), "{field}: {page}");
    }
    assert!(page.contains("value=\"Northwind\"") && !page.contains("\"short\""));
    assert_eq!(workspaces(&world).await, 0);

    let answer = world.post("/setup", &format!("token={token}&{FORM}")).await;
    assert_eq!((answer.status(), header(&answer, "location")), (StatusCode::SEE_OTHER, "/welcome"));
    let (name, zone, postal, ann) = world
        .app
        .db
        .read_async(|q| {
            let w = workspaces::all(q)?.remove(0);
            let ann = users::all(q, w.id)?.remove(0);
            Ok((w.name, w.settings.sequence.zone.name().to_owned(), w.postal_address, ann))
        })
        .await
        .unwrap();
    assert_eq!((name.as_str(), zone.as_str(), postal.as_str()), ("Northwind", "Europe/Berlin", "Street 1\nTown"));
    assert_eq!((ann.address.as_str(), ann.role.as_str()), ("ann@northwind.example", "Admin"));

    // Signed in, with two of five steps done: the address was said, and the sandbox is there.
    let page = text(world.get("/welcome").await).await;
    assert!(page.contains("2 of 5 done") && page.contains("href=\"/contacts/import\""), "{page}");
    let added = world.post("/contacts/new", "first_name=Ben&emails.0=ben%40people.example").await;
    assert_eq!(added.status(), StatusCode::SEE_OTHER);
    assert!(text(world.get("/welcome").await).await.contains("3 of 5 done"));

    // Spent: another workspace is not made by it, and nobody is led to the first run any more.
    let other = world.other_browser();
    let again = other.post("/setup", &format!("token={token}&{FORM}")).await;
    assert_eq!(header(&again, "location"), "/sign-in");
    assert_eq!(header(&other.get(&format!("/setup?token={token}")).await, "location"), "/sign-in");
    assert_eq!(other.get("/sign-in").await.status(), StatusCode::OK);
    assert_eq!(workspaces(&world).await, 1);
    let signed_in = other.post("/sign-in", "address=ann%40northwind.example&password=correct+horse+battery").await;
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
}
