//! SVG templates of credential types.

use std::sync::LazyLock;

use credential::sd_jwt_vc::type_metadata::ResolvedType;
use holder::card::MAX_TEMPLATE_BYTES;
use holder::card::Template;
use serde_json::Value;
use serde_json::json;

static TYPE: LazyLock<ResolvedType> = LazyLock::new(|| {
    let document =
        json!({"vct": "urn:a", "claims": [{"path": ["name"], "svg_id": "name"}, {"path": ["list"], "svg_id": "list"}]});
    let document = document.to_string();
    ResolvedType::resolve("urn:a", None, |_| Some(document.as_bytes())).expect("our own type")
});

/// The input as a template. What is drawn from it is a template again, without placeholders, and means the same.
pub fn fuzz(data: &[u8]) {
    let Ok(template) = Template::read(data, &TYPE) else {
        return;
    };
    let claims = json!({"name": "<script>&\"']]>", "list": [1, true, {"a": "2024-02-29"}]});
    let Value::Object(claims) = claims else { return };
    let drawn = template.fill(&TYPE, &claims, "en");
    assert!(!drawn.contains("<script"));
    // Escaped, it may have become longer than templates may be.
    if drawn.len() > MAX_TEMPLATE_BYTES {
        return;
    }
    let again = Template::read(drawn.as_bytes(), &TYPE).expect("what we write is read");
    assert_eq!(again.fill(&TYPE, &claims, "en"), drawn);
}

pub(crate) fn seeds() -> Vec<String> {
    let svg =
        |content: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\">{content}</svg>");
    vec![
        svg("<text x=\"1\" y=\"2\">Name: {{name}} <tspan fill=\"#fff\">{{list}}</tspan></text>"),
        svg(
            "<defs><linearGradient id=\"a\"><stop offset=\"0\" stop-color=\"red\"/></linearGradient></defs><rect fill=\"url(#a)\"/><!-- x --><![CDATA[y]]>",
        ),
        svg(
            "<image href=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==\"/>",
        ),
    ]
}
