//! Text of strangers inside of HTML and XML.

use std::fmt::Write as _;

/// `text` as content or quoted attribute of HTML and XML: the five characters of
/// [SVG rendering](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-svg-rendering) escaped, and
/// what is [no character of XML](https://www.w3.org/TR/xml/#charsets) replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                // Kept as they are, also where a reader would normalize them.
                write!(escaped, "&#{};", u32::from(character)).ok();
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            other if other.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        assert_eq!(
            escape("</style><script>]]>&amp;\"'"),
            "&lt;/style&gt;&lt;script&gt;]]&gt;&amp;amp;&quot;&apos;"
        );
        assert_eq!(escape("a\0b\u{1b}c\u{ffff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(escape("a\tb\n"), "a&#9;b&#10;");
        assert_eq!(escape("陳 é 🙂"), "陳 é 🙂");
    }
}
