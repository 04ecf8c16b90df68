//! A card as an HTML page of its own: no script, nothing from elsewhere, and a Content Security Policy that says so.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Card;
use super::Phrase;
use super::Row;
use super::Value;
use super::escape::escape;

/// Greys on white, each with a contrast of 7 or more. Text of either direction begins under its label.
const STYLE: &str = "\
*{box-sizing:border-box}\
body{margin:0;padding:1rem;background:#eef1f5;color:#14181f;\
font:1rem/1.5 system-ui,\"Noto Sans\",\"DejaVu Sans\",sans-serif;overflow-wrap:anywhere;text-align:left}\
article{max-width:46rem;margin:0 auto;background:#fff;border:1px solid #c3c9d3;border-radius:.75rem;overflow:hidden}\
header{display:flex;gap:1rem;justify-content:space-between;align-items:flex-start;padding:1.5rem;\
background:var(--ground);color:var(--text);border-bottom:1px solid #c3c9d3}\
header img{max-width:5rem;max-height:4rem}\
h1{margin:0;font-size:1.6rem;line-height:1.25}\
p,dl,dd,figure,ol,ul{margin:0;padding:0}\
header p{margin-top:.35rem}\
.claims{display:flow-root;padding:.5rem 1.5rem 1rem}\
.claims>figure{float:inline-end;width:8.5rem;margin:1rem 0 1rem 1.5rem}\
figure img{display:block;width:100%;height:auto;border-radius:.375rem;border:1px solid #c3c9d3}\
dl>div{display:flow-root;padding:.55rem 0;border-top:1px solid #e4e8ee}\
dl>div:first-child{border-top:0}\
dt{color:#444c5a;font-size:.875rem}\
dd{overflow:clip}\
dd img{max-width:100%;height:auto}\
dd>dl,dd>ol{padding-inline-start:1rem;border-inline-start:3px solid #e4e8ee}\
dd li{display:block}\
dd li+li>dl{margin-top:.75rem;border-top:1px solid #c3c9d3}\
dd ul li{display:inline}\
dd ul li+li::before{content:\", \"}\
footer{padding:1rem 1.5rem 1.25rem;background:#f5f7fa;border-top:1px solid #c3c9d3}\
footer p{margin-top:.75rem;font-size:.875rem;color:#444c5a}\
@media(min-width:40rem){\
dl>div{display:grid;grid-template-columns:12rem minmax(0,1fr);column-gap:1rem;align-items:baseline}\
dt{font-size:.9375rem}dd dl>div{grid-template-columns:9rem minmax(0,1fr)}}\
@media(max-width:30rem){body{padding:0}article{border-width:0;border-radius:0}.claims>figure{width:6.5rem}}\
@media print{body{padding:0;background:#fff}header{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

impl Card {
    /// A whole page, safe to store and to serve.
    #[must_use]
    pub fn to_html(&self) -> String {
        let (ground, text) = (self.scheme.background(), self.scheme.text());
        let style = format!(":root{{color-scheme:light;--ground:{ground};--text:{text}}}{STYLE}");
        let digest = STANDARD.encode(keys::sha256(style.as_bytes()));
        let policy = format!(
            "default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        );
        let page = Page {
            language: self.words.language,
        };
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<article aria-labelledby=\"title\">\n",
            page.language,
            escape(&self.title.text.replace('\n', " ")),
        );
        page.header(self, &mut html);
        page.claims(self, &mut html);
        html.push_str("<footer>\n");
        page.list(&self.standing_rows(), &mut html);
        writeln!(
            html,
            "<p>{}</p>\n</footer>\n</article>\n</main>\n</body>\n</html>",
            escape(self.words.proves_nothing)
        )
        .ok();
        html
    }
}

struct Page {
    language: &'static str,
}

impl Page {
    fn header(&self, card: &Card, html: &mut String) {
        write!(
            html,
            "<header>\n<div>\n<h1 id=\"title\"{}</h1>\n",
            self.content(&card.title)
        )
        .ok();
        writeln!(
            html,
            "<p>{}: <bdi{}</bdi></p>",
            escape(card.words.issuer),
            self.content(&card.issuer)
        )
        .ok();
        if let Some(description) = &card.description {
            writeln!(html, "<p{}</p>", self.content(description)).ok();
        }
        html.push_str("</div>\n");
        if let Some(logo) = &card.logo {
            writeln!(
                html,
                "<img src=\"{}\" alt=\"{}\">",
                logo.picture.to_data_url(),
                escape(&logo.alternative)
            )
            .ok();
        }
        html.push_str("</header>\n");
    }

    /// The first picture beside the others' text, as on a card of plastic.
    fn claims(&self, card: &Card, html: &mut String) {
        html.push_str("<div class=\"claims\">\n");
        let (portrait, rows) = card.portrait_and_rows();
        if let Some((label, picture)) = portrait {
            let url = picture.to_data_url();
            writeln!(
                html,
                "<figure><img src=\"{url}\" alt=\"{}\"></figure>",
                escape(&label.text)
            )
            .ok();
        }
        self.list(&rows, html);
        html.push_str("</div>\n");
    }

    fn list(&self, rows: &[Row], html: &mut String) {
        if rows.is_empty() {
            return;
        }
        html.push_str("<dl>\n");
        for row in rows {
            write!(html, "<div><dt{}</dt><dd", self.content(&row.label)).ok();
            self.value(&row.value, &row.label.text, html);
            html.push_str("</dd></div>\n");
        }
        html.push_str("</dl>\n");
    }

    /// The rest of a start tag, and what is in the element.
    fn value(&self, value: &Value, label: &str, html: &mut String) {
        match value {
            Value::Text(phrase) => html.push_str(&self.content(phrase)),
            Value::Date { machine, text } => {
                write!(html, "><time datetime=\"{}\">{}</time>", escape(machine), escape(text)).ok();
            }
            Value::Picture { picture, .. } => {
                write!(
                    html,
                    "><img src=\"{}\" alt=\"{}\">",
                    picture.to_data_url(),
                    escape(label)
                )
                .ok();
            }
            Value::Group(rows) => {
                html.push('>');
                self.list(rows, html);
            }
            Value::List(items) => {
                let tag = if items.iter().any(Value::is_nested) { "ol" } else { "ul" };
                write!(html, "><{tag}>").ok();
                for item in items {
                    html.push_str("<li");
                    self.value(item, label, html);
                    html.push_str("</li>");
                }
                write!(html, "</{tag}>").ok();
            }
        }
    }

    /// Attributes for the language and direction of a text, the end of the tag, and the text.
    fn content(&self, phrase: &Phrase) -> String {
        let language = phrase.language.as_deref().filter(|language| *language != self.language);
        let language = language
            .map(|language| format!(" lang=\"{language}\""))
            .unwrap_or_default();
        format!("{language} dir=\"auto\">{}", lines(&phrase.text))
    }
}

/// Line breaks stay line breaks.
fn lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("<br>")
}
