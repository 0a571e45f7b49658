//! The skeleton as a browser and a program meet it: headers, errors, assets, health, and the end.

use super::super::serve;
use super::world::{World, header, text};
use axum::http::StatusCode;
use axum::response::Response;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn answer(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    World::empty().send(method, path, headers, "").await
}

#[tokio::test]
async fn every_answer_is_locked_down_and_named() {
    for path in ["/healthz", "/nowhere", "/api/nowhere", "/api/v1/openapi.json"] {
        let response = answer("GET", path, &[]).await;
        assert!(header(&response, "content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&response, "x-request-id").len(), 16, "{path}");
        assert_eq!(header(&response, "strict-transport-security"), "", "{path}: not over http");
    }
}

#[tokio::test]
async fn a_program_gets_problems_and_a_person_a_page() {
    let response = answer("GET", "/api/v1/nowhere", &[]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let id = header(&response, "x-request-id").to_owned();
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["code"], "missing");
    assert_eq!(problem["request_id"], id);

    let response = answer("GET", "/%3Cscript%3E", &[]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let page = text(response).await;
    assert!(page.contains("Not found") && page.contains("/assets/") && !page.contains("<script>"), "{page}");

    let response = answer("GET", "/nowhere", &[("x-swap", "main")]).await;
    assert!(!text(response).await.contains("<html"), "a part, not a page");
}

#[tokio::test]
async fn a_method_that_is_not_there_is_refused_in_the_callers_format() {
    let response = answer("POST", "/api/v1/openapi.json", &[]).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&response, "allow"), "GET,HEAD");
    assert!(text(response).await.contains("\"method_not_allowed\""));
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    for headers in [[("sec-fetch-site", "cross-site"), ("x", "")], [("origin", "https://evil.example"), ("host", "a")]]
    {
        let response = answer("POST", "/api/v1/nowhere", &headers).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(text(response).await.contains("foreign_origin"));
    }
    let with_token = [("sec-fetch-site", "cross-site"), ("authorization", "Bearer x")];
    assert_eq!(answer("POST", "/api/v1/nowhere", &with_token).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn assets_are_sent_once() {
    let url = crate::http::assets::url("app.css");
    let response = answer("GET", &url, &[]).await;
    assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
    let tag = header(&response, "etag").to_owned();
    let again = answer("GET", &url, &[("if-none-match", &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    for path in ["/assets/x/../app.css", "/assets/x/%2e%2e/config.rs", "/assets/x/nothing.css"] {
        assert_eq!(answer("GET", path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let document: serde_json::Value =
        serde_json::from_str(&text(answer("GET", "/api/v1/openapi.json", &[]).await).await).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["components"]["schemas"]["Problem"].is_object());
    let docs = answer("GET", "/api/docs/", &[]).await;
    assert_eq!(docs.status(), StatusCode::OK);
    assert!(text(docs).await.contains("swagger-ui"));
    let script = answer("GET", "/api/docs/swagger-initializer.js", &[]).await;
    assert!(text(script).await.contains("/api/v1/openapi.json"));
}

/// One request on a fresh connection, read to the end of the answer.
async fn over_tcp(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_stop_ends_open_streams_and_then_the_server() {
    let app = World::empty().app;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(app.clone(), listener, async {
        stopped.await.unwrap();
    }));
    let health = over_tcp(address, "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(health.contains("\"status\":\"ok\""), "{health}");
    assert_eq!(app.public_url(), format!("http://{address}"));

    let stream = tokio::spawn(over_tcp(address, "GET /live HTTP/1.1\r\nhost: a\r\n\r\n"));
    // The stream's head must be on its way before the server stops.
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), server).await.expect("the server did not end");
    ended.unwrap().unwrap();
    assert!(stream.await.unwrap().contains("text/event-stream"));
}
