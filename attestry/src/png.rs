//! PNG of an SVG document, with the fonts of this machine.
//!
//! The document is our own layout or a template that `holder::card` has checked. Nothing that it names is loaded, and a
//! text that no font can draw is an error: boxes in place of a name would look like a name.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use resvg::tiny_skia::Pixmap;
use resvg::tiny_skia::Transform;
use resvg::usvg;
use resvg::usvg::FontResolver;
use resvg::usvg::ImageHrefResolver;
use resvg::usvg::Options;
use resvg::usvg::Tree;
use resvg::usvg::fontdb;
use resvg::usvg::fontdb::Database;
use resvg::usvg::fontdb::ID;

/// Pixels for a unit of the document: sharp on screens of today and on paper.
const SCALE: f32 = 2.0;

/// Pixels of a picture, four bytes each: a card in our layout with a thousand lines fits.
const MAX_PIXELS: f32 = 64_000_000.0;

/// Characters that an error names; the first ones tell the script.
const MAX_NAMED: usize = 12;

/// Draws an SVG document. `given` are font files, which are preferred to those of the system.
pub(crate) fn draw(svg: &str, given: &[PathBuf]) -> Result<Vec<u8>> {
    let mut fonts = Fonts::load(given)?;
    fonts.database.load_system_fonts();
    draw_with(svg, fonts)
}

fn draw_with(svg: &str, fonts: Fonts) -> Result<Vec<u8>> {
    // Text without any font would be left out.
    if fonts.database.is_empty() && svg.contains("<text") {
        bail!(
            "expected fonts on this machine, found none: install one (on Debian fonts-noto-core), or give it with --font FILE"
        );
    }
    let options = Options {
        font_family: "sans-serif".to_owned(),
        fontdb: Arc::new(fonts.database),
        font_resolver: FontResolver {
            select_font: select_font(fonts.given),
            select_fallback: Box::new(select_fallback),
        },
        image_href_resolver: ImageHrefResolver {
            // Pictures in the document only, and none that are documents again.
            resolve_data: Box::new(|media_type, data, options| match media_type {
                "image/png" | "image/jpeg" => (ImageHrefResolver::default_data_resolver())(media_type, data, options),
                _ => None,
            }),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).context("the SVG document cannot be drawn")?;
    let mut missing = BTreeSet::new();
    find_missing(tree.root(), &mut missing);
    if !missing.is_empty() {
        let names: Vec<String> = missing
            .iter()
            .take(MAX_NAMED)
            .map(|character| {
                format!(
                    "{} (U+{:04X})",
                    holder::printable(&character.to_string()),
                    u32::from(*character)
                )
            })
            .collect();
        bail!(
            "expected fonts that have {}, found none: install one (on Debian fonts-noto-core or fonts-noto-cjk), or give it with --font FILE",
            names.join(", ")
        );
    }
    rasterize(&tree)
}

fn rasterize(tree: &Tree) -> Result<Vec<u8>> {
    let size = tree.size();
    let scale = if size.width() * size.height() * SCALE * SCALE <= MAX_PIXELS {
        SCALE
    } else {
        1.0
    };
    let scaled = size.scale_by(scale).context("the SVG document has no size")?;
    anyhow::ensure!(
        scaled.width() * scaled.height() <= MAX_PIXELS,
        "expected a picture of at most {MAX_PIXELS} pixels, found one of {} × {}",
        scaled.width(),
        scaled.height()
    );
    let pixels = scaled.to_int_size();
    let mut pixmap = Pixmap::new(pixels.width(), pixels.height()).context("the SVG document has no size")?;
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().context("the picture cannot be encoded")
}

struct Fonts {
    database: Database,
    /// The families of the given files.
    given: Vec<String>,
}

impl Fonts {
    fn load(given: &[PathBuf]) -> Result<Self> {
        let mut database = Database::new();
        // First, so that they come first where a script is looked for.
        for path in given {
            let before = database.len();
            database
                .load_font_file(path)
                .with_context(|| format!("expected a font in {}, cannot read it", path.display()))?;
            anyhow::ensure!(
                database.len() > before,
                "expected a font in {}, found none",
                path.display()
            );
        }
        let families = database.faces().flat_map(|face| &face.families);
        let given = families.map(|(family, _)| family.clone()).collect();
        Ok(Self { database, given })
    }
}

/// The given fonts, then those that the document names, then any upright one without serifs: text is never left out.
fn select_font(given: Vec<String>) -> usvg::FontSelectionFn<'static> {
    let named = FontResolver::default_font_selector();
    Box::new(move |font, database| {
        let families: Vec<fontdb::Family<'_>> = given.iter().map(|name| fontdb::Family::Name(name)).collect();
        let query = fontdb::Query {
            families: &families,
            weight: fontdb::Weight(font.weight()),
            ..fontdb::Query::default()
        };
        let chosen = database.query(&query).or_else(|| named(font, database));
        chosen.or_else(|| {
            let plain = database.faces().find(|face| is_plain(face, fontdb::Weight::NORMAL));
            plain.or_else(|| database.faces().next()).map(|face| face.id)
        })
    })
}

/// A font that has a character: one of the same weight, upright and without serifs before any other, so that a name in
/// another script looks like the names around it.
fn select_fallback(character: char, used: &[ID], database: &mut Arc<Database>) -> Option<ID> {
    let any = FontResolver::default_fallback_selector();
    let weight = used.first().and_then(|id| database.face(*id)).map(|face| face.weight);
    let among = |fits: &dyn Fn(&fontdb::FaceInfo) -> bool, database: &mut Arc<Database>| {
        let others = database.faces().filter(|face| !fits(face)).map(|face| face.id);
        let excluded: Vec<ID> = used.iter().copied().chain(others).collect();
        any(character, &excluded, database)
    };
    let plain = |face: &fontdb::FaceInfo| is_plain(face, weight.unwrap_or_default());
    among(&|face| plain(face) && family(face).contains("Sans"), database)
        .or_else(|| among(&plain, database))
        .or_else(|| any(character, used, database))
}

fn is_plain(face: &fontdb::FaceInfo, weight: fontdb::Weight) -> bool {
    let name = family(face);
    face.weight == weight
        && face.style == fontdb::Style::Normal
        && face.stretch == fontdb::Stretch::Normal
        && !face.monospaced
        && !name.contains("Serif")
        && !name.contains("Mono")
}

fn family(face: &fontdb::FaceInfo) -> &str {
    face.families.first().map_or("", |(name, _)| name.as_str())
}

/// What was laid out with the glyph of a missing character.
fn find_missing(group: &usvg::Group, missing: &mut BTreeSet<char>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => find_missing(group, missing),
            usvg::Node::Text(text) => {
                let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                for glyph in glyphs.filter(|glyph| glyph.id.0 == 0) {
                    missing.extend(glyph.text.chars().filter(|character| !is_invisible(*character)));
                }
            }
            usvg::Node::Path(_) | usvg::Node::Image(_) => {}
        }
    }
}

/// Joiners, variation selectors and blanks need no glyph.
fn is_invisible(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, 2 × 2 pixels.
    const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";

    fn svg(content: &str) -> String {
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\">{content}</svg>")
    }

    fn without_fonts(content: &str) -> Result<Vec<u8>> {
        let database = Database::new();
        draw_with(
            &svg(content),
            Fonts {
                database,
                given: Vec::new(),
            },
        )
    }

    #[test]
    fn a_picture_has_the_size_and_colours_of_its_document() {
        let shapes = format!(
            "<rect width=\"20\" height=\"30\" fill=\"#1b3a6b\"/><image x=\"20\" width=\"20\" height=\"20\" href=\"{PNG}\"/>"
        );
        let picture = Pixmap::decode_png(&without_fonts(&shapes).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (80, 60));
        let color = |x, y| {
            let pixel = picture.pixel(x, y).unwrap();
            (pixel.red(), pixel.green(), pixel.blue(), pixel.alpha())
        };
        assert_eq!(color(10, 10), (0x1b, 0x3a, 0x6b, 255));
        assert_eq!(color(60, 20), (255, 0, 0, 255));
        assert_eq!(color(60, 58), (0, 0, 0, 0), "nothing is there");
    }

    #[test]
    fn nothing_outside_of_the_document_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.svg");
        std::fs::write(&file, svg("<rect width=\"40\" height=\"30\"/>")).unwrap();
        let nested = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI0MCIgaGVpZ2h0PSIzMCI+PHJlY3Qgd2lkdGg9IjQwIiBoZWlnaHQ9IjMwIi8+PC9zdmc+";
        for href in [&file.display().to_string(), nested] {
            let drawn = without_fonts(&format!("<image width=\"40\" height=\"30\" href=\"{href}\"/>")).unwrap();
            let picture = Pixmap::decode_png(&drawn).unwrap();
            assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 0), "{href}");
        }
    }

    #[test]
    fn text_that_no_font_can_draw_is_an_error() {
        let error = without_fonts("<text y=\"20\">Name</text>").unwrap_err();
        assert!(error.to_string().contains("--font FILE"), "{error}");
        // For private use: no font of any machine should have it; and here there may be no font at all.
        let error = draw(&svg("<text y=\"20\">\u{10fffd}</text>"), &[]).unwrap_err();
        assert!(error.to_string().contains("--font FILE"), "{error}");
    }

    #[test]
    fn fonts_that_are_none_and_pictures_without_end_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("font.ttf");
        std::fs::write(&file, b"no font").unwrap();
        for bad in [file, folder.path().join("none.ttf")] {
            assert!(draw(&svg(""), &[bad]).is_err());
        }
        let huge = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000000\" height=\"1000000\"/>";
        let database = Database::new();
        let error = draw_with(
            huge,
            Fonts {
                database,
                given: Vec::new(),
            },
        )
        .unwrap_err();
        assert!(error.to_string().contains("expected a picture of at most"), "{error}");
        assert!(draw(" not svg", &[]).is_err());
    }
}
