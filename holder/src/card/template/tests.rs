use credential::integrity;
use serde_json::json;

use super::*;
use crate::card::picture::tests::png_url;

fn resolved(rendering: &Json) -> ResolvedType {
    let document = json!({
        "vct": "urn:a",
        "display": [{"locale": "en", "name": "A", "rendering": rendering}],
        "claims": [
            {"path": ["address", "street"], "svg_id": "street"},
            {"path": ["nationalities", null], "svg_id": "nationalities"},
            {"path": ["born"], "svg_id": "born"},
        ],
    });
    let document = document.to_string();
    ResolvedType::resolve("urn:a", None, |_| Some(document.as_bytes())).unwrap()
}

fn svg(content: &str) -> String {
    format!("<svg xmlns=\"{SVG}\" xmlns:xlink=\"{XLINK}\" width=\"100\" height=\"100\">{content}</svg>")
}

fn read(document: &str) -> Result<Template, TemplateError> {
    Template::read(document.as_bytes(), &resolved(&json!({})))
}

fn refusal(content: &str) -> TemplateError {
    read(&svg(content)).unwrap_err()
}

fn filled(content: &str, claims: &Json) -> String {
    let claims = claims.as_object().unwrap();
    read(&svg(content)).unwrap().fill(&resolved(&json!({})), claims, "en")
}

/// The example of the draft, with its own placeholder.
#[test]
fn placeholders_become_claims() {
    let claims = json!({"address": {"street": "Main St. 1"}, "nationalities": ["XA", "XB"], "born": "1990-05-17"});
    assert_eq!(
        filled(
            "\n  <text x=\"10\" y=\"20\">Street address: {{street}}</text>\n",
            &claims
        ),
        format!(
            "<svg xmlns=\"{SVG}\" width=\"100\" height=\"100\">&#10;  \
             <text x=\"10\" y=\"20\">Street address: Main St. 1</text>&#10;</svg>"
        )
    );
    assert!(filled("<text>{{nationalities}} {{born}}</text>", &claims).contains(">XA, XB 17 May 1990<"));
    assert!(
        filled("<text>[{{street}}]</text>", &json!({"address": 1})).contains(">[]<"),
        "absent"
    );
}

#[test]
fn claims_are_text_and_never_markup_or_placeholders() {
    let claims = json!({"address": {"street": "</text><script>&\"']]>{{born}}\u{202e}\u{1b}[2J"}, "born": "SECOND"});
    let drawn = filled("<text>{{street}}</text>", &claims);
    assert!(
        drawn.contains(">&lt;/text&gt;&lt;script&gt;&amp;&quot;&apos;]]&gt;{{born}}\u{fffd}\u{fffd}[2J<"),
        "{drawn}"
    );
}

#[test]
fn placeholders_stand_in_text_only_and_are_known() {
    for bad in [
        "<text x=\"{{street}}\"/>",
        "<!-- {{street}} -->",
        "<text>{{}}</text>",
        "<text>{{ street }}</text>",
        "<text>{{street</text>",
        "<text>{<!-- -->{street}}</text>",
        "<text>{{street<tspan>}}</tspan></text>",
        "<image href=\"{{street}}\"/>",
    ] {
        assert_eq!(refusal(bad), TemplateError::Placeholder, "{bad}");
    }
    assert_eq!(
        refusal("<text>{{other}}</text>"),
        TemplateError::UnknownPlaceholder {
            svg_id: "other".to_owned()
        }
    );
}

#[test]
fn elements_that_run_load_or_repeat_are_refused() {
    for (content, name) in [
        ("<script>alert(1)</script>", "script"),
        ("<g><foreignObject><div/></foreignObject></g>", "foreignObject"),
        ("<style>@import 'https://a.example';</style>", "style"),
        ("<animate attributeName=\"href\"/>", "animate"),
        ("<set attributeName=\"onload\"/>", "set"),
        ("<use href=\"#a\"/>", "use"),
        ("<pattern/>", "pattern"),
        ("<filter><feImage href=\"https://a.example\"/></filter>", "filter"),
        ("<a href=\"https://a.example\"><text>x</text></a>", "a"),
        ("<iframe xmlns=\"http://www.w3.org/1999/xhtml\"/>", "iframe"),
        ("<text xmlns=\"http://www.w3.org/1999/xhtml\"/>", "text"),
        ("<SCRIPT/>", "SCRIPT"),
    ] {
        assert_eq!(
            refusal(content),
            TemplateError::Element { name: name.to_owned() },
            "{content}"
        );
    }
    let other = read("<html/>").unwrap_err();
    assert_eq!(
        other,
        TemplateError::Element {
            name: "html".to_owned()
        }
    );
}

#[test]
fn attributes_that_run_or_style_are_refused() {
    for (content, name) in [
        ("<g onclick=\"alert(1)\"/>", "onclick"),
        ("<g ONLOAD=\"alert(1)\"/>", "ONLOAD"),
        ("<g style=\"fill:url(https://a.example)\"/>", "style"),
        ("<g class=\"a\"/>", "class"),
        ("<g xlink:title=\"a\"/>", "title"),
        ("<g xml:base=\"https://a.example/\"/>", "base"),
    ] {
        assert_eq!(
            refusal(content),
            TemplateError::Attribute { name: name.to_owned() },
            "{content}"
        );
    }
    let twice = format!("<image href=\"{0}\" xlink:href=\"{0}\"/>", png_url(1, 1));
    assert_eq!(
        refusal(&twice),
        TemplateError::Attribute {
            name: "href".to_owned()
        }
    );
}

#[test]
fn references_stay_within_the_template() {
    for (content, name) in [
        ("<image href=\"https://a.example/a.png\"/>", "href"),
        ("<image xlink:href=\"file:///etc/passwd\"/>", "href"),
        ("<image href=\"data:image/svg+xml,%3Csvg/%3E\"/>", "href"),
        ("<image href=\"data:text/html,x\"/>", "href"),
        ("<g href=\"#a\"/>", "href"),
        ("<linearGradient href=\"#a\"/>", "href"),
        ("<g fill=\"url(https://a.example/#a)\"/>", "fill"),
        ("<g fill=\"URL( 'https://a.example/#a' )\"/>", "fill"),
        ("<g fill=\"url(#a) url(b)\"/>", "fill"),
        ("<g mask=\"\\75rl(https://a.example)\"/>", "mask"),
        ("<g fill=\"u/**/rl(https://a.example)\"/>", "fill"),
        ("<g clip-path=\"src('https://a.example')\"/>", "clip-path"),
    ] {
        assert_eq!(
            refusal(content),
            TemplateError::Reference { name: name.to_owned() },
            "{content}"
        );
    }
    let bomb = format!("<image href=\"{}\"/>", png_url(60_000, 60_000));
    assert_eq!(
        refusal(&bomb),
        TemplateError::Reference {
            name: "href".to_owned()
        }
    );
    let good = format!(
        "<defs><linearGradient id=\"a\"><stop offset=\"0\" stop-color=\"#fff\"/></linearGradient></defs>\
         <rect fill=\"url(#a)\" xml:lang=\"en\"/><image xlink:href=\"{}\"/>",
        png_url(2, 2)
    );
    assert!(read(&svg(&good)).is_ok());
}

#[test]
fn entities_instructions_and_broken_xml_are_refused() {
    let laughs =
        "<!DOCTYPE svg [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><svg xmlns=\"http://www.w3.org/2000/svg\">&b;</svg>";
    let external = "<!DOCTYPE svg SYSTEM \"https://a.example/a.dtd\"><svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    for bad in [
        laughs,
        external,
        "",
        "<svg",
        "<svg></g>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\">&nbsp;</svg>",
        "<svg a=\"1\" a=\"2\"/>",
    ] {
        assert!(matches!(read(bad), Err(TemplateError::Xml { .. })), "{bad}");
    }
    assert!(matches!(
        Template::read(b"\xff\xfe", &resolved(&json!({}))),
        Err(TemplateError::Xml { .. })
    ));
    let instruction = format!("<?xml-stylesheet href=\"https://a.example\"?>{}", svg(""));
    assert_eq!(read(&instruction).unwrap_err(), TemplateError::ProcessingInstruction);
}

#[test]
fn size_number_and_depth_are_bounded() {
    let text = |size: usize| svg(&"x".repeat(size - svg("").len()));
    assert!(read(&text(MAX_TEMPLATE_BYTES)).is_ok());
    assert_eq!(
        read(&text(MAX_TEMPLATE_BYTES + 1)).unwrap_err(),
        TemplateError::TooLarge
    );
    let nested = |depth: usize| svg(&("<g>".repeat(depth) + &"</g>".repeat(depth)));
    assert!(read(&nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH)).unwrap_err(), TemplateError::Depth);
    assert_eq!(
        read(&nested(MAX_NODES as usize / 2)).unwrap_err(),
        TemplateError::Depth,
        "and not a full stack"
    );
    assert!(matches!(
        refusal(&"<g/>".repeat(MAX_NODES as usize)),
        TemplateError::Xml { .. }
    ));
}

#[test]
fn the_template_is_the_one_that_fits_and_was_meant() {
    let document = svg("<text>{{street}}</text>").into_bytes();
    let url = |document: &[u8]| {
        let bytes = document.iter().map(|byte| format!("%{byte:02X}"));
        format!("data:image/svg+xml,{}", bytes.collect::<String>())
    };
    let preferred = SvgProperties {
        orientation: Some(credential::sd_jwt_vc::type_metadata::Orientation::Landscape),
        ..SvgProperties::default()
    };
    let choose = |rendering: Json, given: &[Vec<u8>]| {
        let resolved = resolved(&rendering);
        Template::choose(&resolved, "en", &preferred, given).map(|template| template.fill(&resolved, &Map::new(), "en"))
    };
    let other = svg("<text>portrait</text>").into_bytes();
    let both = json!({"svg_templates": [
        {"uri": url(&other), "properties": {"orientation": "portrait"}},
        {"uri": url(&document), "uri#integrity": integrity::compute(&document), "properties": {"contrast": "high"}},
    ]});
    assert!(!choose(both, &[]).unwrap().contains("portrait"));
    let wrong = json!({"svg_templates": [{"uri": url(&document), "uri#integrity": integrity::compute(b"")}]});
    assert_eq!(
        choose(wrong, &[]),
        Err(TemplateError::Integrity(IntegrityError::Mismatch))
    );

    let elsewhere =
        |integrity: &str| json!({"svg_templates": [{"uri": "https://a.example/a.svg", "uri#integrity": integrity}]});
    let right = integrity::compute(&document);
    assert_eq!(
        choose(elsewhere(&right), &[]),
        Err(TemplateError::Missing),
        "nothing is fetched"
    );
    assert!(choose(elsewhere(&right), &[other.clone(), document.clone()]).is_ok());
    assert_eq!(choose(elsewhere(&right), &[other]), Err(TemplateError::Missing));
    let unnamed = json!({"svg_templates": [{"uri": "https://a.example/a.svg"}]});
    assert_eq!(
        choose(unnamed, &[document]),
        Err(TemplateError::Missing),
        "which one it is, nobody says"
    );
    assert_eq!(choose(json!({}), &[]), Err(TemplateError::Missing));
    let broken = json!({"svg_templates": [{"uri": "data:image/svg+xml;base64,%%"}]});
    assert_eq!(choose(broken, &[]), Err(TemplateError::DataUri));
}
