//! Text of strangers on a person's screen.
//!
//! Names, labels and values come from issuers. A terminal obeys control characters, and bidirectional
//! overrides make a text read as another one ([UTR 36](https://www.unicode.org/reports/tr36/)); neither belongs
//! in a sentence that asks for consent.

/// `text` with every character that does not show itself replaced by U+FFFD. Joiners stay: names are written
/// with them.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if is_shown(character) {
                character
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

/// The same for a text that may have several lines: line breaks stay, and a tab is a blank.
#[must_use]
pub(crate) fn printable_lines(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).replace('\t', " "));
    lines.map(|line| printable(&line)).collect::<Vec<_>>().join("\n")
}

fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Marks, embeddings, overrides and isolates of direction; line and paragraph separators; invisible
            // operators; the byte order mark; tags.
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_world_stay_as_they_are() {
        for name in ["Nguyễn Thị Hạnh", "陳大文", "محمد", "کیان\u{200c}مهر", "O’Brien 🙂"] {
            assert_eq!(printable(name), name);
        }
    }

    #[test]
    fn what_commands_a_screen_is_replaced() {
        for bad in [
            '\u{1b}', '\n', '\r', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{feff}',
        ] {
            assert_eq!(printable(&format!("a{bad}b")), "a\u{fffd}b", "{bad:?}");
        }
    }
}
