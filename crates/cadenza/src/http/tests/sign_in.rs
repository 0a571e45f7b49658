//! Signing in and what keeps others out.

use super::world::{ADDRESS, PASSWORD, World, header, text};
use crate::actions::sign_in;
use axum::http::StatusCode;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_core::time::Span;

fn form(address: &str, password: &str) -> String {
    format!("address={address}&password={}&next=/settings/me", password.replace(' ', "+"))
}

#[tokio::test]
async fn a_password_opens_and_signing_out_closes() {
    let world = World::with_ann().await;
    let sent_away = world.get("/settings/me").await;
    assert_eq!(sent_away.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&sent_away, "location"), "/sign-in?next=/settings/me");

    let answer = world.post("/sign-in", &form(" ANN@Northwind.example ", PASSWORD)).await;
    assert_eq!((answer.status(), header(&answer, "location")), (StatusCode::SEE_OTHER, "/settings/me"));
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::OK);

    let token = world.cookie("cadenza");
    world.post("/sign-out", "").await;
    world.set_cookie("cadenza", &token);
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::SEE_OTHER, "the session itself is gone");
}

#[tokio::test]
async fn who_is_unknown_is_told_no_more_than_who_is_wrong() {
    let world = World::with_ann().await;
    let mut answers = Vec::new();
    // A wrong password, nobody, and somebody who has not accepted the invitation.
    for address in [ADDRESS, "nobody@northwind.example", "ben@northwind.example"] {
        let answer = world.post("/sign-in", &form(address, "correct horse")).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        answers.push(text(answer).await.replace(address, "ADDRESS"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(world.cookie("cadenza"), "");
}

#[tokio::test]
async fn guessing_has_to_wait_and_the_right_password_too() {
    let world = World::with_ann().await;
    for _ in 0..10 {
        assert_eq!(world.post("/sign-in", &form(ADDRESS, "wrong password")).await.status(), StatusCode::UNAUTHORIZED);
    }
    let waits = world.post("/sign-in", &form(ADDRESS, PASSWORD)).await;
    assert_eq!(waits.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(text(waits).await.contains("Try again in"));
    world.app.clock.pass(Span::minutes(2));
    assert_eq!(world.post("/sign-in", &form(ADDRESS, PASSWORD)).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_by_itself_and_skipping_ahead_ends_none() {
    let world = World::signed_in().await;
    world.app.clock.skip_ahead(Span::days(400));
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::OK);
    // Used every two days it lasts, but not for more than thirty.
    for day in 1..=14 {
        world.app.clock.pass(Span::days(2));
        assert_eq!(world.get("/settings/me").await.status(), StatusCode::OK, "day {}", day * 2);
    }
    world.app.clock.pass(Span::days(2));
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::SEE_OTHER);

    let world = World::signed_in().await;
    world.app.clock.pass(Span::hours(73));
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::SEE_OTHER, "not used for three days");
}

#[tokio::test]
async fn another_password_ends_every_other_session() {
    let world = World::signed_in().await;
    let other = world.other_browser();
    other.post("/sign-in", &form(ADDRESS, PASSWORD)).await;
    assert_eq!(other.get("/settings/me").await.status(), StatusCode::OK);

    let wrong = world.post("/settings/me/password", "old_password=nonsense&password=another+good+one").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let weak = world.post("/settings/me/password", "old_password=correct+horse+battery&password=short").await;
    assert!(text(weak).await.contains("at least 10 characters"));
    let done =
        world.post("/settings/me/password", "old_password=correct+horse+battery&password=another+good+one").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::OK);
    assert_eq!(other.get("/settings/me").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_is_looked_at_often_and_used_once() {
    let world = World::with_ann().await;
    let link = sign_in::make_link(&world.app, WorkspaceId(1), UserId(2), UserId(2)).await.unwrap();
    let path = format!("/sign-in?token={}", link.reveal());
    for _ in 0..3 {
        let page = text(world.get(&path).await).await;
        assert!(page.contains("Welcome, Ann Lindqvist") && !page.contains("type=\"password\""), "{page}");
    }
    let token = format!("token={}", link.reveal());
    assert_eq!(world.post("/sign-in/link", &token).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(world.get("/settings/me").await.status(), StatusCode::OK);
    let again = world.other_browser().post("/sign-in/link", &token).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(text(again).await.contains("used already"));

    let late = sign_in::make_link(&world.app, WorkspaceId(1), UserId(2), UserId(2)).await.unwrap();
    world.app.clock.pass(Span::minutes(61));
    assert_eq!(world.get(&format!("/sign-in?token={}", late.reveal())).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_is_invited_chooses_a_password() {
    let world = World::with_ann().await;
    let link = sign_in::make_link(&world.app, WorkspaceId(1), UserId(3), UserId(2)).await.unwrap();
    let weak = world.post("/sign-in/link", &format!("token={}&password=short", link.reveal())).await;
    assert_eq!(weak.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(weak).await.contains("Welcome, Ben Carter"), "the link is still good");
    let chosen = world.post("/sign-in/link", &format!("token={}&password=my+own+long+words", link.reveal())).await;
    assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
    let ben = world.other_browser();
    let answer = ben.post("/sign-in", &form("ben@northwind.example", "my own long words")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_can_be_ended_from_another() {
    let world = World::signed_in().await;
    let other = world.other_browser();
    other.post("/sign-in", &form(ADDRESS, PASSWORD)).await;
    let page = text(world.get("/settings/me").await).await;
    assert_eq!(page.matches("/settings/me/sessions/").count(), 1, "the present one is not offered");
    let path = page.split("action=\"/settings/me/sessions/").nth(1).unwrap().split('"').next().unwrap();
    let done = world.post(&format!("/settings/me/sessions/{path}"), "").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    assert_eq!(other.get("/settings/me").await.status(), StatusCode::SEE_OTHER);
    assert!(text(world.get("/settings/me").await).await.contains("The session was ended"), "it is said once");
    assert!(!text(world.get("/settings/me").await).await.contains("The session was ended"));
}
