//! A card as SVG in our own layout: text, rectangles and embedded pictures only.
//!
//! SVG breaks no lines, and a pure crate has no fonts: widths are estimated, generously, since a line that is too short
//! looks odd and one that is too long is cut off.

use std::fmt::Write as _;

use super::Card;
use super::Phrase;
use super::Picture;
use super::Row;
use super::Value;
use super::escape::escape;
use super::wrap::cells;
use super::wrap::wrap;

const WIDTH: f32 = 720.0;
const MARGIN: f32 = 36.0;
const RIGHT: f32 = WIDTH - MARGIN;
/// Where values begin.
const VALUES: f32 = 250.0;
const PORTRAIT_WIDTH: f32 = 136.0;
const PORTRAIT_HEIGHT: f32 = 180.0;
const LOGO_SIDE: f32 = 64.0;
const INDENT: f32 = 18.0;
/// Space between lines, of the size of the text.
const LINE: f32 = 1.4;
const GAP: f32 = 9.0;

/// Lines of one value. A picture has an end; the other forms of a card tell everything.
const MAX_LINES: usize = 12;

const INK: &str = "#14181f";
const LABEL: &str = "#444c5a";
const RULE: &str = "#e4e8ee";
const EDGE: &str = "#c3c9d3";

/// Size and weight of a text.
#[derive(Clone, Copy)]
struct Font {
    size: f32,
    bold: bool,
}

const TITLE: Font = Font { size: 29.0, bold: true };
const PLAIN: Font = Font {
    size: 17.0,
    bold: false,
};
const SMALL: Font = Font {
    size: 15.0,
    bold: false,
};

impl Card {
    /// An SVG document of 720 units width, as high as its rows demand.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut canvas = Canvas::default();
        let ground = self.scheme.background().to_string();
        canvas.header(self);
        let header = canvas.y;
        canvas.claims(self);
        let claims = canvas.y;
        canvas.footer(self);
        let height = canvas.y;
        let language = self.words.language;
        let title = escape(&self.title.text.replace('\n', " "));
        let inner = WIDTH - 1.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:lang=\"{language}\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"'Noto Sans', 'DejaVu Sans', sans-serif\">\n\
             <title>{title}</title>\n\
             <clipPath id=\"card\"><rect width=\"{WIDTH}\" height=\"{height}\" rx=\"16\"/></clipPath>\n\
             <g clip-path=\"url(#card)\">\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <rect width=\"{WIDTH}\" height=\"{header}\" fill=\"{ground}\"/>\n\
             <rect y=\"{claims}\" width=\"{WIDTH}\" height=\"{rest}\" fill=\"#f5f7fa\"/>\n\
             {body}</g>\n\
             <path d=\"M0 {header}H{WIDTH}M0 {claims}H{WIDTH}\" stroke=\"{EDGE}\"/>\n\
             <rect x=\".5\" y=\".5\" width=\"{inner}\" height=\"{frame}\" rx=\"15.5\" fill=\"none\" stroke=\"{EDGE}\"/>\n\
             </svg>\n",
            rest = height - claims,
            frame = height - 1.0,
            body = canvas.body,
        )
    }

    /// The first picture among the claims with its label, and the other rows.
    pub(super) fn portrait_and_rows(&self) -> (Option<(&Phrase, &Picture)>, Vec<Row>) {
        let mut rows = self.rows.clone();
        let place = rows.iter().position(|row| matches!(row.value, Value::Picture { .. }));
        let portrait = place.and_then(|place| {
            rows.remove(place);
            let row = self.rows.get(place)?;
            match &row.value {
                Value::Picture { picture, .. } => Some((&row.label, picture)),
                _ => None,
            }
        });
        (portrait, rows)
    }
}

#[derive(Default)]
struct Canvas {
    body: String,
    y: f32,
    /// Above this line values end before the portrait.
    portrait_end: f32,
    rows: usize,
}

impl Canvas {
    fn header(&mut self, card: &Card) {
        let color = card.scheme.text().to_string();
        let mut right = RIGHT;
        self.y = MARGIN - 8.0;
        if let Some(logo) = &card.logo {
            self.picture(
                &logo.picture,
                &logo.alternative,
                RIGHT - LOGO_SIDE,
                LOGO_SIDE,
                LOGO_SIDE,
            );
            right -= LOGO_SIDE + 2.0 * GAP;
        }
        let start = self.y;
        self.text(&card.title, MARGIN, right, TITLE, &color);
        self.y += 4.0;
        self.text(&card.issuer, MARGIN, right, PLAIN, &color);
        if let Some(description) = &card.description {
            self.y += 2.0;
            self.text(description, MARGIN, right, SMALL, &color);
        }
        if card.logo.is_some() {
            self.y = self.y.max(start + LOGO_SIDE);
        }
        self.y = (self.y + MARGIN - 10.0).round();
    }

    fn claims(&mut self, card: &Card) {
        let (portrait, rows) = card.portrait_and_rows();
        self.y += 18.0;
        if let Some((label, picture)) = portrait {
            self.y += 4.0;
            let height = self.picture(
                picture,
                &label.text,
                RIGHT - PORTRAIT_WIDTH,
                PORTRAIT_WIDTH,
                PORTRAIT_HEIGHT,
            );
            self.portrait_end = self.y + height + GAP;
            self.y -= 4.0;
        }
        self.rows(&rows, 0.0);
        self.y = (self.y.max(self.portrait_end) + 14.0).round();
        self.portrait_end = 0.0;
    }

    fn footer(&mut self, card: &Card) {
        self.y += 12.0;
        self.rows = 0;
        self.rows(&card.standing_rows(), 0.0);
        self.y += 8.0;
        let note = Phrase::new(card.words.proves_nothing, None);
        self.text(&note, MARGIN, RIGHT, SMALL, LABEL);
        self.y = (self.y + 24.0).round();
    }

    fn rows(&mut self, rows: &[Row], indent: f32) {
        for row in rows {
            self.row(&row.label, &row.value, indent);
        }
    }

    fn row(&mut self, label: &Phrase, value: &Value, indent: f32) {
        let (x, right) = (MARGIN + indent, self.right());
        if self.rows > 0 {
            writeln!(
                self.body,
                "<path d=\"M{x} {y}H{right}\" stroke=\"{RULE}\"/>",
                y = self.y
            )
            .ok();
        }
        self.rows += 1;
        self.y += GAP - 2.0;
        let start = self.y;
        match value {
            Value::Group(rows) => {
                self.text(label, x, right, PLAIN, LABEL);
                self.y += GAP - 2.0;
                self.rows(rows, indent + INDENT);
                return;
            }
            Value::List(items) if items.iter().any(Value::is_nested) => {
                self.text(label, x, right, PLAIN, LABEL);
                self.y += GAP - 2.0;
                for (number, item) in (1..).zip(items) {
                    self.row(&Phrase::new(&format!("{number}."), None), item, indent + INDENT);
                }
                return;
            }
            Value::Picture { picture, .. } => {
                self.text(label, x, VALUES - GAP, PLAIN, LABEL);
                let end = self.y;
                self.y = start;
                let height = self.picture(picture, &label.text, VALUES, PORTRAIT_WIDTH, PORTRAIT_HEIGHT);
                self.y = end.max(start + height);
            }
            simple => {
                self.text(label, x, VALUES - GAP, PLAIN, LABEL);
                let end = self.y;
                self.y = start;
                let language = match simple {
                    Value::Text(phrase) => phrase.language.clone(),
                    _ => None,
                };
                let text = simple.to_line();
                self.text(&Phrase { text, language }, VALUES, right, PLAIN, INK);
                self.y = end.max(self.y);
            }
        }
        self.y += GAP - 2.0;
    }

    fn right(&self) -> f32 {
        if self.y < self.portrait_end {
            RIGHT - PORTRAIT_WIDTH - 2.0 * GAP
        } else {
            RIGHT
        }
    }

    /// Writes the lines of a text from `y` on, and moves `y` below them.
    fn text(&mut self, phrase: &Phrase, x: f32, right: f32, font: Font, color: &str) {
        let max = (right - x) / font.size;
        let width = |character| if font.bold { em(character) * 1.1 } else { em(character) };
        let mut lines = wrap(&phrase.text, max, width);
        if lines.len() > MAX_LINES {
            lines.truncate(MAX_LINES);
            lines.push(format!("… ({})", phrase.text.chars().count()));
        }
        let language = phrase.language.as_deref();
        let language = language.map(|tag| format!(" xml:lang=\"{tag}\"")).unwrap_or_default();
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        for line in lines {
            // The baseline: most letters are as high above it as three quarters of their size.
            let baseline = font.size.mul_add(1.05, self.y);
            writeln!(
                self.body,
                "<text x=\"{x}\" y=\"{baseline:.1}\" font-size=\"{size}\"{weight} fill=\"{color}\"{language}>{text}</text>",
                size = font.size,
                text = escape(&line),
            )
            .ok();
            self.y += font.size * LINE;
        }
    }

    /// Draws a picture at `y` in a box, whole, and returns how high it became.
    fn picture(&mut self, picture: &Picture, alternative: &str, x: f32, max_width: f32, max_height: f32) -> f32 {
        // At most MAX_PICTURE_SIDE, so that both have a float of their own.
        let side = |pixels: u32| f32::from(u16::try_from(pixels).unwrap_or(u16::MAX));
        let (width, height) = (side(picture.width()), side(picture.height()));
        let scale = (max_width / width).min(max_height / height);
        let (width, height) = (width * scale, height * scale);
        let x = x + max_width - width;
        writeln!(
            self.body,
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" href=\"{url}\"><title>{title}</title></image>",
            y = self.y,
            url = picture.to_data_url(),
            title = escape(alternative),
        )
        .ok();
        height
    }
}

/// The width of a character, of the size of the text, as wide fonts have it.
fn em(character: char) -> f32 {
    match character {
        _ if cells(character) == 0 => 0.0,
        _ if cells(character) == 2 => 1.02,
        ' ' | 'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '’' | '|' | '!' => 0.35,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'a'..='z' | '0'..='9' => 0.63,
        'A'..='Z' => 0.74,
        // The scripts of India have wide letters.
        '\u{900}'..='\u{dff}' => 0.95,
        _ => 0.7,
    }
}
