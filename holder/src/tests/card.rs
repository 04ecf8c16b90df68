//! What a held credential looks like.

use credential::sd_jwt_vc::type_metadata::ResolvedType;
use serde_json::Value;
use serde_json::json;

use super::DAY;
use super::Issued;
use super::NOW;
use super::Scene;
use crate::CredentialRecord;
use crate::card::Card;
use crate::card::MIN_CONTRAST;
use crate::card::View;

/// What a person may try to put on a screen of another.
const HOSTILE: &str = "</style><script>alert(1)</script>]]>&lt;\"'`\u{202e}gnp.exe\u{1b}[2J\u{9b}1m\u{2066}\u{7}{{x}}";

fn record(claims: &Value, metadata: Value) -> CredentialRecord {
    let mut record = Scene::new().record(
        "1",
        Issued {
            claims: claims.clone(),
            disclosable: json!([]),
            ..Issued::default()
        },
    );
    record.metadata = serde_json::from_value(metadata).unwrap();
    record
}

fn card(record: &CredentialRecord, locale: &str, resolved: Option<&ResolvedType>) -> Card {
    let view = View {
        locale,
        now: NOW,
        resolved,
    };
    Card::new(&record.open().unwrap(), record, &view)
}

fn small() -> CredentialRecord {
    let metadata = json!({
        "display": [
            {"name": "Identity", "locale": "en", "description": "Who a person is.", "background_color": "#1B3A6B", "text_color": "#1B3A6C"},
            {"name": "身份证明", "locale": "zh"},
        ],
        "claims": [{"path": ["name"], "display": [{"name": "Name", "locale": "en"}, {"name": "姓名", "locale": "zh"}]}],
    });
    record(&json!({"birthdate": "1990-05-17", "name": "陳大文"}), metadata)
}

#[test]
fn the_text_of_a_card() {
    assert_eq!(
        card(&small(), "en-SG", None).to_text(60),
        "Identity\nPopulation Office\nWho a person is.\n\n  \
         Name         陳大文\n  birthdate    17 May 1990\n\n  \
         Valid until  24 November 2026, 03:00 UTC\n  Validity     current\n  Revocation   cannot be revoked"
    );
    assert_eq!(
        card(&small(), "zh-Hans-CN", None).to_text(60),
        "身份证明\nPopulation Office\n\n  姓名       陳大文\n  birthdate  1990年5月17日\n\n  \
         有效期至   2026年11月24日, 03:00 UTC\n  有效状态   当前有效\n  吊销状态   不可吊销"
    );
}

#[test]
fn the_html_of_a_card() {
    let html = card(&small(), "en", None).to_html();
    let (head, body) = html.split_once("<main>").unwrap();
    assert!(head.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert!(
        head.contains("default-src 'none'; img-src data:; style-src 'sha256-"),
        "{head}"
    );
    assert!(
        head.contains("--ground:#1b3a6b;--text:#ffffff"),
        "contrast is corrected: {head}"
    );
    assert_eq!(
        body,
        "\n<article aria-labelledby=\"title\">\n<header>\n<div>\n<h1 id=\"title\" dir=\"auto\">Identity</h1>\n\
         <p>Issued by: <bdi dir=\"auto\">Population Office</bdi></p>\n<p dir=\"auto\">Who a person is.</p>\n</div>\n</header>\n\
         <div class=\"claims\">\n<dl>\n<div><dt dir=\"auto\">Name</dt><dd dir=\"auto\">陳大文</dd></div>\n\
         <div><dt dir=\"auto\">birthdate</dt><dd><time datetime=\"1990-05-17\">17 May 1990</time></dd></div>\n</dl>\n</div>\n\
         <footer>\n<dl>\n\
         <div><dt dir=\"auto\">Valid until</dt><dd><time datetime=\"2026-11-24T03:00:00Z\">24 November 2026, 03:00 UTC</time></dd></div>\n\
         <div><dt dir=\"auto\">Validity</dt><dd dir=\"auto\">current</dd></div>\n\
         <div><dt dir=\"auto\">Revocation</dt><dd dir=\"auto\">cannot be revoked</dd></div>\n</dl>\n\
         <p>A picture of a credential proves nothing. Ask for the credential and verify it.</p>\n\
         </footer>\n</article>\n</main>\n</body>\n</html>\n"
    );
    let chinese = card(&small(), "zh", None).to_html();
    assert!(chinese.contains("<html lang=\"zh\">") && chinese.contains("<dt dir=\"auto\">姓名</dt>"));
    assert!(
        card(&small(), "ta", None)
            .to_html()
            .contains("<dt dir=\"auto\">Name</dt>"),
        "the default"
    );
    let mut german = small();
    german.metadata.display[0].locale = Some("de".to_owned());
    assert!(
        card(&german, "de", None)
            .to_html()
            .contains("<h1 id=\"title\" lang=\"de\" dir=\"auto\">")
    );
}

/// The digest in the policy is that of the style as it stands: otherwise a browser shows bare text.
#[test]
fn the_policy_of_the_page_lets_its_own_style_through() {
    use base64::Engine as _;

    let html = card(&small(), "en", None).to_html();
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let digest = base64::engine::general_purpose::STANDARD.encode(keys::sha256(style.as_bytes()));
    assert!(html.contains(&format!("'sha256-{digest}'")));
    assert!(
        !html.contains("<script") && !html.contains(" style=") && !html.contains("http:") && !html.contains("https:")
    );
}

#[test]
fn the_svg_of_a_card() {
    let svg = card(&small(), "en", None).to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(
        texts,
        [
            "Identity",
            "Population Office",
            "Who a person is.",
            "Name",
            "陳大文",
            "birthdate",
            "17 May 1990",
            "Valid until",
            "24 November 2026, 03:00 UTC",
            "Validity",
            "current",
            "Revocation",
            "cannot be revoked",
            "A picture of a credential proves nothing. Ask for the credential and verify it.",
        ]
    );
    let root = document.root_element();
    assert_eq!(root.attribute("width"), Some("720"));
    assert!(root.attribute("height").unwrap().parse::<f32>().unwrap() > 200.0);
    assert!(
        svg.contains("<rect width=\"720\" height=\"145\" fill=\"#1b3a6b\"/>"),
        "{svg}"
    );
}

#[test]
fn what_strangers_wrote_is_text_in_every_form() {
    let claims = json!({"plain": HOSTILE, HOSTILE: {"inner": [HOSTILE, {"a": HOSTILE}]}, "picture": format!("data:image/png;base64,{HOSTILE}")});
    let metadata = json!({
        "display": [{"name": HOSTILE, "description": HOSTILE, "locale": "en\" onload=\"x", "background_color": HOSTILE,
            "text_color": "#fff}</style>", "logo": {"uri": "https://track.example/logo.png", "alt_text": HOSTILE}}],
        "claims": [{"path": ["plain"], "display": [{"name": HOSTILE, "locale": "x y"}]}],
    });
    let mut record = record(&claims, metadata);
    record.issuer_name = Some(HOSTILE.to_owned());
    let card = card(&record, "en", None);
    let (html, svg, text) = (card.to_html(), card.to_svg(), card.to_text(80));
    let commands =
        |character: char| (character.is_control() && character != '\n') || matches!(character, '\u{202e}' | '\u{2066}');
    for drawn in [&html, &svg, &text] {
        assert_eq!(drawn.chars().find(|character| commands(*character)), None);
        assert!(!drawn.contains("track.example"), "nothing is loaded");
    }
    for drawn in [&html, &svg] {
        assert!(!drawn.contains("<script") && !drawn.contains("onload"), "{drawn}");
        assert!(drawn.contains("&lt;script&gt;"));
        assert!(!drawn.contains("]]>"));
    }
    assert_eq!(html.matches("</style>").count(), 1);
    // Only our own elements; a text that opened one would not be closed.
    let document = roxmltree::Document::parse(&svg).unwrap();
    let known = ["svg", "title", "clipPath", "rect", "g", "path", "text", "image"];
    assert!(
        document
            .descendants()
            .filter(roxmltree::Node::is_element)
            .all(|node| known.contains(&node.tag_name().name()))
    );
    let scheme = card.scheme();
    assert!(scheme.text().contrast(scheme.background()) >= MIN_CONTRAST);
}

#[test]
fn no_claim_is_shown_twice_and_none_is_left_out() {
    let claims = json!({"one": "v-1", "two": {"three": "v-2", "four": ["v-3", {"five": "v-4"}]}, "six": "v-5"});
    let metadata = json!({"claims": [
        {"path": ["two", "three"], "display": [{"name": "Three"}]},
        {"path": ["two"], "display": [{"name": "Two"}]},
        {"path": ["two", "four", null, "five"], "display": [{"name": "Five"}]},
        {"path": ["two", "four", 1], "display": [{"name": "Second"}]},
        {"path": ["gone"], "display": [{"name": "Gone"}]},
    ]});
    let card = card(&record(&claims, metadata), "en", None);
    for drawn in [card.to_html(), card.to_svg(), card.to_text(80)] {
        for value in ["v-1", "v-2", "v-3", "v-4", "v-5"] {
            assert_eq!(drawn.matches(value).count(), 1, "{value}: {drawn}");
        }
        assert!(drawn.contains("six") && drawn.contains("Five") && !drawn.contains("Gone"));
    }
}

#[test]
fn long_and_wide_values_stay_in_their_column() {
    let long = "Wolfeschlegelsteinhausen".repeat(12);
    let claims =
        json!({"name": long, "a_name_of_a_claim_that_is_too_long_for_its_column": "陳".repeat(60), "street": "a\nb"});
    let card = card(&record(&claims, json!({})), "en", None);
    let text = card.to_text(50);
    assert!(
        text.lines()
            .all(|line| unicode_width::UnicodeWidthStr::width(line) <= 50),
        "{text}"
    );
    let unbroken: String = text.split_whitespace().collect();
    assert!(
        unbroken.contains(&long) && unbroken.contains(&"陳".repeat(60)),
        "nothing is cut"
    );
    assert!(text.contains("  street       a\n               b\n"), "{text}");
}

#[test]
fn type_metadata_is_preferred_to_that_of_the_issuer() {
    let document = json!({
        "vct": "urn:pid",
        "display": [{"locale": "en", "name": "Of the type", "rendering": {"simple": {"background_color": "#ffffff"}}}],
        "claims": [{"path": ["birthdate"], "display": [{"locale": "en", "label": "Born"}]}, {"path": ["name"]}],
    });
    let document = document.to_string();
    let resolved = ResolvedType::resolve("urn:pid", None, |_| Some(document.as_bytes())).unwrap();
    let text = card(&small(), "en", Some(&resolved)).to_text(80);
    assert!(text.starts_with("Of the type\n"), "{text}");
    assert!(
        text.contains("  Born         17 May 1990\n  Name         陳大文\n"),
        "{text}"
    );
}

#[test]
fn a_card_says_whether_it_is_valid_now() {
    let state = |from: Option<i64>, until: Option<i64>| {
        let issued = Issued {
            valid_from: from.map(|days| NOW.plus(days * DAY)),
            valid_until: until.map(|days| NOW.plus(days * DAY)),
            ..Issued::default()
        };
        let text = card(&Scene::new().record("1", issued), "en", None).to_text(80);
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with("Validity"))
            .unwrap();
        line.split_once("  ")
            .unwrap()
            .1
            .trim()
            .split_once("  ")
            .unwrap()
            .1
            .trim()
            .to_owned()
    };
    assert_eq!(state(None, None), "current");
    assert_eq!(state(Some(-1), Some(1)), "current");
    assert_eq!(state(None, Some(0)), "expired", "the end is exclusive");
    assert_eq!(state(Some(1), Some(2)), "not valid yet");
}
