//! A tenant's allowlist in the operator's API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Answer, World, request};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const LIST: &str = "/admin/tenants/default/allowlist";

fn digest(n: u8) -> String {
    format!("sha256:{}", format!("{n:02x}").repeat(32))
}

async fn edit(world: &World, body: &Value) -> Answer {
    world.operator(Method::POST, LIST, &body.to_string()).await
}

async fn with(world: &World, method: Method, path: &str, tag: &str, body: &str) -> Answer {
    let token = format!("Bearer {}", world.admin_token);
    let headers = [("authorization", token.as_str()), ("if-match", tag)];
    let request = request(method, path, &headers, body.as_bytes());
    world.send(&world.admin, request).await
}

#[tokio::test]
async fn a_list_is_edited_as_a_whole() {
    let world = World::new().await;
    let empty = world.operator(Method::GET, LIST, "").await;
    assert_eq!(empty.headers["etag"], "\"0\"");
    assert_eq!(
        empty.json(),
        json!({ "revision": 0, "count": 0, "images": [] })
    );
    let said = json!({
        "digest": digest(2), "notBefore": 5, "expires": 7, "repository": "r.example/app",
        "owner": "line 3", "reason": "the press needs it",
    });
    let answer = edit(&world, &json!({ "add": [{ "digest": digest(1) }, said] })).await;
    assert_eq!(answer.headers["etag"], "\"1\"");
    assert_eq!(
        answer.json(),
        json!({ "revision": 1, "count": 2, "added": 2, "removed": 0 })
    );
    let listed = world.operator(Method::GET, LIST, "").await.json();
    assert_eq!(listed["images"], json!([{ "digest": digest(1) }, said]));
    let page = format!("{LIST}?limit=1&after={}", digest(1));
    let page = world.operator(Method::GET, &page, "").await.json();
    assert_eq!(page["images"], json!([said]));
    let body = json!({ "clear": true, "add": [{ "digest": digest(3) }], "remove": [digest(9)] });
    let answer = edit(&world, &body).await.json();
    assert_eq!(
        answer,
        json!({ "revision": 2, "count": 1, "added": 1, "removed": 2 })
    );
    let audit = world.operator(Method::GET, "/admin/audit", "").await.text();
    assert_eq!(audit.matches("allowlist.changed").count(), 2);
}

#[tokio::test]
async fn one_image_is_put_shown_and_removed() {
    let world = World::new().await;
    // With the algorithm or without.
    let path = format!("{LIST}/images/{}", &digest(1)["sha256:".len()..]);
    let answer = world.operator(Method::GET, &path, "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = world.operator(Method::PUT, &path, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let path = format!("{LIST}/images/{}", digest(1));
    let answer = world
        .operator(Method::PUT, &path, r#"{"owner":"me"}"#)
        .await;
    assert_eq!(answer.json()["revision"], 2);
    let shown = world.operator(Method::GET, &path, "").await.json();
    assert_eq!(shown, json!({ "digest": digest(1), "owner": "me" }));
    for _ in 0..2 {
        let answer = world.operator(Method::DELETE, &path, "").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let listed = world.operator(Method::GET, LIST, "").await.json();
    assert_eq!(listed, json!({ "revision": 3, "count": 0, "images": [] }));
}

#[tokio::test]
async fn only_the_revision_that_was_seen_is_changed() {
    let world = World::new().await;
    edit(&world, &json!({ "add": [{ "digest": digest(1) }] })).await;
    let path = format!("{LIST}/images/{}", digest(1));
    for (method, path) in [
        (Method::DELETE, LIST),
        (Method::DELETE, &path),
        (Method::PUT, &path),
    ] {
        let answer = with(&world, method, path, "\"0\"", "{}").await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    }
    let answer = with(&world, Method::DELETE, LIST, "\"1\"", "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_not_understood_changes_nothing() {
    let world = World::new().await;
    edit(&world, &json!({ "add": [{ "digest": digest(1) }] })).await;
    let add = |image: Value| json!({ "remove": [digest(1)], "add": [image] });
    let upper = digest(0xab).to_uppercase();
    for body in [
        add(json!({})),
        add(json!({ "digest": "abc" })),
        add(json!({ "digest": upper })),
        add(json!({ "digest": digest(2).replace("sha256", "blake3") })),
        add(json!({ "digest": digest(2), "until": 7 })),
        add(json!({ "digest": digest(2), "expires": -1 })),
        add(json!({ "digest": digest(2), "expires": 1u64 << 53 })),
        add(json!({ "digest": digest(2), "notBefore": 7, "expires": 7 })),
        add(json!({ "digest": digest(2), "repository": "App" })),
        add(json!({ "digest": digest(2), "repository": "app:1" })),
        add(json!({ "digest": digest(2), "repository": format!("{}a/b", "a.".repeat(300)) })),
        add(json!({ "digest": digest(2), "owner": "" })),
        add(json!({ "digest": digest(2), "reason": "a\nb" })),
        add(json!({ "digest": digest(2), "reason": "x".repeat(257) })),
        json!({ "remove": [digest(1), "x"] }),
        json!({ "remove": [digest(1)], "replace": [] }),
        json!([true, [digest(1)], []]),
    ] {
        let answer = edit(&world, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(!answer.json()["detail"].is_null(), "{body}");
    }
    let listed = world.operator(Method::GET, LIST, "").await.json();
    assert_eq!(
        (&listed["revision"], &listed["count"]),
        (&json!(1), &json!(1))
    );
    let elsewhere = "/admin/tenants/nobody/allowlist";
    for (method, body) in [
        (Method::GET, ""),
        (Method::POST, "{}"),
        (Method::DELETE, ""),
    ] {
        let answer = world.operator(method, elsewhere, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let asked = json!({ "images": [format!("a@{}", digest(1)), "a:latest"] }).to_string();
    for (method, path, body) in [
        (Method::POST, "check", asked.as_str()),
        (Method::POST, "check", r#"{"images":[]}"#),
        (Method::GET, &format!("images/{}", digest(1)), ""),
    ] {
        let path = format!("{elsewhere}/{path}");
        let answer = world.operator(method, &path, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["detail"], "there is no tenant nobody");
    }
    let nobody = request(Method::GET, LIST, &[], b"");
    let answer = world.send(&world.admin, nobody).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn images_are_checked_by_the_servers_clock() {
    let world = World::new().await;
    let add = json!([
        { "digest": digest(1) },
        { "digest": digest(2), "expires": world.now() + 5 },
        { "digest": digest(3), "repository": "r.example/app" },
    ]);
    edit(&world, &json!({ "add": add })).await;
    let images = [
        format!("a@{}", digest(1)),
        format!("a@{}", digest(2)),
        format!("a@{}", digest(3)),
        format!("r.example/app:7@{}", digest(3)),
        format!("a@{}", digest(4)),
        "a:latest".to_owned(),
        "A".to_owned(),
    ];
    let check = format!("{LIST}/check");
    let codes = async || {
        let body = json!({ "images": images }).to_string();
        let answer = world.operator(Method::POST, &check, &body).await.json();
        let verdicts = answer["verdicts"].as_array().unwrap().clone();
        let code = |verdict: &Value| {
            let code = verdict["code"].as_str().map(str::to_owned);
            let permitted = verdict["verdict"] == "permitted";
            assert_eq!(permitted, code.is_none());
            code.unwrap_or_default()
        };
        verdicts.iter().map(code).collect::<Vec<_>>()
    };
    let expected = [
        "",
        "",
        "other-repository",
        "",
        "not-listed",
        "no-digest",
        "malformed",
    ];
    assert_eq!(codes().await, expected);
    world.pass(5);
    assert_eq!(codes().await[1], "expired");
}
