//! The documents of credential types, where their URIs point.

use serde_json::json;

use crate::nation::*;

#[tokio::test]
async fn documents_of_types_are_served_where_their_uris_point() {
    let nation = Nation::new().await;
    let (vct, content) = ("https://attestry.example/types/PersonIdentity", r#"{"vct": "a"}"#);
    let mut body = schema_json();
    let document =
        |uri: &str| json!({"role": "type_metadata", "uri": uri, "media_type": "application/json", "content": content});
    body["documents"] = json!([document(vct)]);
    nation.agree(body.clone()).await;
    let answer = nation.get("/types/PersonIdentity").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, content.as_bytes()));
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    for nothing in ["/types/Other", "/types/PersonIdentity/", "/types/personidentity"] {
        assert_eq!(nation.get(nothing).await.status, 404, "{nothing}");
    }
    // A document of another place is not ours to serve, and one that was replaced is gone.
    body["documents"] = json!([document("https://elsewhere.example/types/PersonIdentity")]);
    nation.agree(body).await;
    assert_eq!(nation.get("/types/PersonIdentity").await.status, 404);
}
