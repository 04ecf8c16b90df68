//! Colours of strangers, made readable
//! ([WCAG 2.2, contrast (minimum)](https://www.w3.org/TR/WCAG22/#contrast-minimum)).

use std::fmt;

/// What text of any size must have against its ground.
pub const MIN_CONTRAST: f64 = 4.5;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

/// Two colours of which the one can be read on the other: their contrast is at least [`MIN_CONTRAST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    background: Color,
    text: Color,
}

const BLACK: Color = Color::new(0, 0, 0);
const WHITE: Color = Color::new(255, 255, 255);
/// Of a type that has no colour.
const DEFAULT_BACKGROUND: Color = Color::new(0x2F, 0x3E, 0x5C);

impl Color {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Reads an [RGB value of CSS](https://www.w3.org/TR/css-color-3/#rgb-color): `#rgb`, `#rrggbb` or `rgb(r, g, b)`
    /// with numbers from 0 to 255. What is transparent has no contrast of its own and is not read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('#') {
            return Self::from_digits(digits);
        }
        let inner = text.strip_prefix("rgb(")?.strip_suffix(')')?;
        let mut numbers = inner.split(',').map(|number| number.trim().parse().ok());
        let color = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(color)
    }

    fn from_digits(digits: &str) -> Option<Self> {
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let byte = |shift: u32| u8::try_from((number >> shift) & 0xFF).unwrap_or_default();
        let nibble = |shift: u32| u8::try_from((number >> shift) & 0xF).unwrap_or_default() * 17;
        match digits.len() {
            3 => Some(Self::new(nibble(8), nibble(4), nibble(0))),
            6 => Some(Self::new(byte(16), byte(8), byte(0))),
            _ => None,
        }
    }

    /// The [contrast ratio](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The [relative luminance](https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    /// `#rrggbb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Scheme {
    /// The colours that metadata names. A text colour that is missing, not understood or too near to the background
    /// becomes black or white, whichever is further away: one of the two has a contrast of at least 4.58 to any colour.
    #[must_use]
    pub fn new(background: Option<&str>, text: Option<&str>) -> Self {
        let background = background.and_then(Color::parse).unwrap_or(DEFAULT_BACKGROUND);
        let readable = |text: &Color| text.contrast(background) >= MIN_CONTRAST;
        let text = text.and_then(Color::parse).filter(readable).unwrap_or_else(|| {
            if WHITE.contrast(background) >= BLACK.contrast(background) {
                WHITE
            } else {
                BLACK
            }
        });
        Self { background, text }
    }

    /// The ground.
    #[must_use]
    pub const fn background(self) -> Color {
        self.background
    }

    /// What is written on it.
    #[must_use]
    pub const fn text(self) -> Color {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_css_writes_them() {
        let read = |text| Color::parse(text).map(|color| color.to_string());
        assert_eq!(read("#1B3A6B").as_deref(), Some("#1b3a6b"));
        assert_eq!(read("#f0c").as_deref(), Some("#ff00cc"));
        assert_eq!(read(" rgb(1, 20,255) ").as_deref(), Some("#0114ff"));
        for bad in [
            "",
            "#",
            "#12",
            "#12345",
            "#1234567",
            "#+12345",
            "#ggg",
            "rgb(1,2)",
            "rgb(1,2,256)",
            "rgb(1,2,3,4)",
            "rgba(0,0,0,0)",
            "transparent",
            "#fff;}",
            "url(x)",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    /// The ends of the scale, and the grey that is known as the lightest with 4.5 on white.
    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((WHITE.contrast(WHITE) - 1.0).abs() < 1e-9);
        let grey = |level| Color::new(level, level, level).contrast(WHITE);
        assert!(grey(0x76) >= 4.5 && grey(0x77) < 4.5);
    }

    #[test]
    fn text_is_readable_on_every_ground() {
        let unreadable = Scheme::new(Some("#ffffff"), Some("#fefefe"));
        assert_eq!(unreadable.text(), BLACK);
        assert_eq!(Scheme::new(Some("#111"), Some("#222")).text(), WHITE);
        assert_eq!(
            Scheme::new(Some("#1B3A6B"), Some("#FFFFAA")).text(),
            Color::new(255, 255, 0xAA),
            "kept"
        );
        assert_eq!(Scheme::new(Some("}"), Some("{")).background(), DEFAULT_BACKGROUND);
        for level in 0..=255 {
            for color in [
                Color::new(level, level, level),
                Color::new(level, 0, 255),
                Color::new(0, level, 90),
            ] {
                let scheme = Scheme::new(Some(&color.to_string()), Some("#777"));
                assert!(scheme.text().contrast(scheme.background()) >= MIN_CONTRAST, "{color}");
            }
        }
    }
}
