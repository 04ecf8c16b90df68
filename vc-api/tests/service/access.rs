//! Who may use an instance without a token: one condition of each test, after the genuine case has passed.

use axum::http::StatusCode;
use serde_json::Value;
use serde_json::json;
use vc_api::SampleAccess;

use crate::service::ADMIN;
use crate::service::EDDSA;
use crate::service::Service;
use crate::service::document;
use crate::service::post;

fn body() -> Value {
    json!({"credential": document()})
}

/// Issues at `name` with these headers; the status.
async fn issue(service: &Service, name: &str, headers: &[(&str, &str)]) -> StatusCode {
    let path = format!("/vc-api/{name}/credentials/issue");
    service.send(post(&path, &body(), headers)).await.status
}

#[tokio::test]
async fn a_program_of_this_machine_needs_no_token_for_the_sample() {
    let service = Service::start().await;
    for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
        assert_eq!(issue(&service, EDDSA, &[("host", host)]).await, 201, "{host}");
    }
}

#[tokio::test]
async fn an_operator_s_instance_needs_the_token() {
    let service = Service::start().await;
    let path = "/vc-api/own/credentials/issue";
    let mut body = body();
    body["credential"]["issuer"] = json!(service.did("own"));
    assert_eq!(service.send(post(path, &body, &[])).await.status, 401);
    let wrong = ("authorization", "Bearer another");
    assert_eq!(service.send(post(path, &body, &[wrong])).await.status, 401);
    let bearer = format!("Bearer {ADMIN}");
    let token = ("authorization", bearer.as_str());
    assert_eq!(service.send(post(path, &body, &[token])).await.status, 201);
    // A page has no token that counts.
    let page = ("origin", "http://127.0.0.1:8080");
    assert_eq!(service.send(post(path, &body, &[token, page])).await.status, 403);
}

#[tokio::test]
async fn foreign_names_of_this_machine_need_the_token() {
    let service = Service::start().await;
    assert_eq!(issue(&service, EDDSA, &[]).await, 201);
    for host in [
        "evil.example",
        "attestry.example:8080",
        "192.0.2.1:8080",
        "localhost.evil.example",
    ] {
        assert_eq!(issue(&service, EDDSA, &[("host", host)]).await, 401, "{host}");
    }
}

#[tokio::test]
async fn pages_and_proxies_need_the_token() {
    let service = Service::start().await;
    assert_eq!(issue(&service, EDDSA, &[]).await, 201);
    for (name, value) in [
        ("forwarded", "for=192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-host", "attestry.example"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "192.0.2.1"),
        ("via", "1.1 proxy"),
        ("referer", "https://evil.example/"),
    ] {
        assert_eq!(issue(&service, EDDSA, &[(name, value)]).await, 401, "{name}");
    }
    for (name, value) in [("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")] {
        assert_eq!(issue(&service, EDDSA, &[(name, value)]).await, 403, "{name}");
    }
}

/// Without `--sample`, beyond loopback or with `--public-url`; `access` tests which of them it is.
#[tokio::test]
async fn a_platform_for_others_asks_for_the_token_everywhere() {
    let service = Service::start_with(SampleAccess::TokenOnly, false).await;
    assert_eq!(issue(&service, EDDSA, &[]).await, 401);
    let verify = post("/vc-api/verifier/credentials/verify", &json!({}), &[]);
    assert_eq!(service.send(verify).await.status, 401);
    assert_eq!(service.get("/vc-api/instances").await.status, 401);
    let bearer = format!("Bearer {ADMIN}");
    assert_eq!(issue(&service, EDDSA, &[("authorization", &bearer)]).await, 201);
}

#[tokio::test]
async fn a_key_that_somebody_relies_on_needs_the_token() {
    let service = Service::start_with(SampleAccess::Loopback, true).await;
    assert_eq!(issue(&service, EDDSA, &[]).await, 401);
    assert_eq!(issue(&service, "eddsa-jcs-2022", &[]).await, 201);
}

#[tokio::test]
async fn other_bodies_than_json_are_not_read() {
    let service = Service::start().await;
    let path = format!("/vc-api/{EDDSA}/credentials/issue");
    for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let mut request = post(&path, &body(), &[]);
        request
            .headers_mut()
            .insert("content-type", media_type.parse().unwrap());
        assert_eq!(service.send(request).await.status, 415, "{media_type}");
    }
}
